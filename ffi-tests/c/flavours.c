// needs: test-hooks
// L4: the texts and numbers of each flavour: every row of weapp's table, and of the others the shape alone.
#include <stdlib.h>

#include "mini.h"

void taro_test_panic(const char *function);

enum { LIMIT = 64 * 1024 };

// --- what leads to each row: from an app of its own to the record to look at

struct stage {
    struct mini mini;
    struct recording recording; // its label is "r"
    taro_connect_options options; // of its connect, to a fine URL
    taro_status returned;         // by the call that the row is about, if it failed at once
};

static const struct record *told(struct stage *stage, int kind) { return mini_wait(&stage->mini, kind, "r", 1); }

// --- connect

static const struct record *connect_result(struct stage *stage) {
    taro_socket socket;
    stage->options.app = stage->mini.app;
    stage->returned = taro_connect_socket(&stage->options, &socket);
    return told(stage, stage->returned == TARO_STATUS_OK ? RECORD_SUCCESS : RECORD_FAIL);
}

static const struct record *connect_to(struct stage *stage, const char *url) {
    stage->options.url = mini_str(url);
    return connect_result(stage);
}

static const struct record *connect_error(struct stage *stage, const char *url) {
    connect_to(stage, url);
    return told(stage, RECORD_ERROR);
}

static const struct record *connect_ok(struct stage *stage) { return connect_result(stage); }
static const struct record *invalid_url(struct stage *stage) { return connect_to(stage, "ws://127.0.0.1/#part"); }
static const struct record *not_allowed(struct stage *stage) { return connect_to(stage, "ws://elsewhere.test/"); }

static const struct record *too_many(struct stage *stage) {
    taro_connect_options options = TARO_CONNECT_OPTIONS_INIT;
    options.app = stage->mini.app;
    options.url = mini_str(SERVER_URL("ws", "/echo?stall=request"));
    mini_accepted(&options);
    mini_accepted(&options);
    return connect_result(stage);
}

static const struct record *wrong_header(struct stage *stage) {
    const taro_header header = {TARO_STR("a b"), TARO_STR("")};
    stage->options.headers = &header;
    stage->options.headers_len = 1;
    return connect_result(stage);
}

static const struct record *wrong_protocols(struct stage *stage) {
    const taro_str protocols[] = {TARO_STR("same"), TARO_STR("same")};
    stage->options.protocols = protocols;
    stage->options.protocols_len = 2;
    return connect_result(stage);
}

static const struct record *wrong_interface(struct stage *stage) {
    stage->options.bind_interface = TARO_STR("a/b");
    return connect_result(stage);
}

static void to_background(const struct stage *stage) {
    CHECK_STATUS(taro_app_set_background(stage->mini.app, 1), TARO_STATUS_OK);
}

static const struct record *connect_in_background(struct stage *stage) {
    to_background(stage);
    return connect_result(stage);
}

static const struct record *interrupted_while_connecting(struct stage *stage) {
    connect_to(stage, SERVER_URL("ws", "/echo?stall=request"));
    to_background(stage);
    return told(stage, RECORD_ERROR);
}

static const struct record *timed_out(struct stage *stage) {
    stage->options.timeout_ms = 30;
    return connect_error(stage, SERVER_URL("silent", "/"));
}

static const struct record *forbidden(struct stage *stage) {
    return connect_error(stage, SERVER_URL("ws", "/echo?status=403"));
}

static const struct record *no_upgrade(struct stage *stage) {
    return connect_error(stage, SERVER_URL("ws", "/echo?accept=wrong"));
}

static const struct record *refused(struct stage *stage) { return connect_error(stage, SERVER_URL("refuse", "/")); }
static const struct record *untrusted(struct stage *stage) { return connect_error(stage, SERVER_URL("wss", "/")); }

static const struct record *lost(struct stage *stage) {
    return connect_error(stage, SERVER_URL("ws", "/echo?act=drop"));
}

static const struct record *connect_panics(struct stage *stage) {
    taro_test_panic("taro_connect_socket");
    return connect_result(stage);
}

// --- send

static taro_socket connected(struct stage *stage, const char *query, int opens) {
    taro_connect_options options = TARO_CONNECT_OPTIONS_INIT;
    options.app = stage->mini.app;
    options.url = mini_str(SERVER_URL("ws", "%s", query));
    const taro_socket socket = mini_accepted(&options);
    if (opens) {
        EVENTUALLY(mini_state(socket) == TARO_READY_STATE_OPEN);
    }
    return socket;
}

static const struct record *send_result(struct stage *stage, taro_socket socket, uint32_t kind, const void *data,
                                        size_t len) {
    const taro_send_options options = record_send_options(&stage->recording, kind, data, len);
    stage->returned = taro_socket_send(socket, &options);
    return told(stage, stage->returned == TARO_STATUS_OK ? RECORD_SUCCESS : RECORD_FAIL);
}

static const struct record *send_ok(struct stage *stage) {
    return send_result(stage, connected(stage, "/echo", 1), TARO_MESSAGE_TEXT, "hi", 2);
}

static const struct record *send_while_connecting(struct stage *stage) {
    return send_result(stage, connected(stage, "/echo?stall=request", 0), TARO_MESSAGE_TEXT, "hi", 2);
}

static const struct record *send_after_the_end(struct stage *stage) {
    const taro_socket socket = connected(stage, "/echo?act=close:1000:", 0);
    EVENTUALLY(mini_state(socket) == TARO_READY_STATE_CLOSED);
    return send_result(stage, socket, TARO_MESSAGE_TEXT, "hi", 2);
}

static const struct record *send_in_background(struct stage *stage) {
    const taro_socket socket = connected(stage, "/echo", 1);
    to_background(stage);
    return send_result(stage, socket, TARO_MESSAGE_TEXT, "hi", 2);
}

static const struct record *send_no_text(struct stage *stage) {
    return send_result(stage, connected(stage, "/echo", 1), TARO_MESSAGE_TEXT, "\xff", 1);
}

static const struct record *send_large(struct stage *stage, int fills) {
    char *data = calloc(1, LIMIT + 1);
    CHECK(data != NULL);
    const taro_socket socket = connected(stage, "/deaf", 1);
    // What the operating system takes is not counted, however much that is.
    taro_status status = TARO_STATUS_OK;
    while (fills && status == TARO_STATUS_OK) {
        status = taro_socket_send_binary(socket, data, LIMIT);
        CHECK(status == TARO_STATUS_OK || status == TARO_STATUS_FULL);
    }
    const struct record *record = send_result(stage, socket, TARO_MESSAGE_BINARY, data, fills ? LIMIT : LIMIT + 1);
    free(data);
    return record;
}

static const struct record *send_full(struct stage *stage) { return send_large(stage, 1); }
static const struct record *send_too_big(struct stage *stage) { return send_large(stage, 0); }

static const struct record *send_panics(struct stage *stage) {
    const taro_socket socket = connected(stage, "/echo", 1);
    taro_test_panic("taro_socket_send");
    return send_result(stage, socket, TARO_MESSAGE_TEXT, "hi", 2);
}

// --- close

static const struct record *close_result(struct stage *stage, taro_socket socket, uint32_t code, const char *reason) {
    const taro_close_options options = record_close_options(&stage->recording, code, reason);
    stage->returned = taro_socket_close(socket, &options);
    return told(stage, stage->returned == TARO_STATUS_OK ? RECORD_SUCCESS : RECORD_FAIL);
}

static const struct record *close_ok(struct stage *stage) {
    return close_result(stage, connected(stage, "/echo", 1), 3000, "bye");
}

static const struct record *close_twice(struct stage *stage) {
    const taro_socket socket = connected(stage, "/echo", 1);
    mini_close(socket);
    return close_result(stage, socket, 1000, NULL);
}

static const struct record *close_wrong_code(struct stage *stage) {
    return close_result(stage, connected(stage, "/echo", 1), 1001, NULL);
}

static const struct record *close_long_reason(struct stage *stage) {
    char reason[125];
    memset(reason, 'r', 124);
    reason[124] = '\0';
    return close_result(stage, connected(stage, "/echo", 1), 1000, reason);
}

static const struct record *close_no_text(struct stage *stage) {
    return close_result(stage, connected(stage, "/echo", 1), 1000, "\xff");
}

static const struct record *close_panics(struct stage *stage) {
    const taro_socket socket = connected(stage, "/echo", 1);
    taro_test_panic("taro_socket_close");
    return close_result(stage, socket, 1000, NULL);
}

// --- the table

#define CONNECT "connectSocket:"
#define SEND "sendSocketMessage:"
#define CLOSE "closeSocket:"
#define FAILED "fail WebSocket connection failed"
#define CODE "fail wcwss invalid code, the code must be either 1000, or between 3000 and 4999"

static const struct row {
    const struct record *(*run)(struct stage *stage);
    const char *name;
    const char *err_msg; // weapp's
    int32_t err_no;
    taro_status status;
    int is_event; // the call was accepted, and `error` tells
    uint32_t cause;
    int32_t http_status;
    int32_t alipay; // its code
} rows[] = {
#define ROW(run) run, #run
    {ROW(connect_ok), CONNECT "ok", 0, TARO_STATUS_OK, 0, 0, 0, 0},
    {ROW(invalid_url), CONNECT "fail invalid url \"ws://127.0.0.1/#part\"", 600009, TARO_STATUS_INVALID_URL, 0, 0, 0, 4},
    {ROW(not_allowed), CONNECT "fail url not in domain list", 600002, TARO_STATUS_URL_NOT_ALLOWED, 0, 0, 0, 65},
    {ROW(too_many), CONNECT "fail fail reach max websocket connect count 2", 600007, TARO_STATUS_TOO_MANY_SOCKETS, 0,
     0, 0, 3},
    {ROW(wrong_header), CONNECT "fail parameter error: header", 600005, TARO_STATUS_PARAMETER, 0, 0, 0, 2},
    {ROW(wrong_protocols), CONNECT "fail parameter error: protocols", 600005, TARO_STATUS_PARAMETER, 0, 0, 0, 2},
    {ROW(wrong_interface), CONNECT "fail parameter error: interface", 600005, TARO_STATUS_PARAMETER, 0, 0, 0, 2},
    {ROW(connect_in_background), CONNECT "fail interrupted", 600003, TARO_STATUS_INTERRUPTED, 0, 0, 0, 50},
    {ROW(connect_panics), CONNECT "fail system error", 600006, TARO_STATUS_INTERNAL, 0, 0, 0, 1},
    {ROW(interrupted_while_connecting), CONNECT "fail interrupted", 600003, TARO_STATUS_INTERRUPTED, 1,
     TARO_CAUSE_INTERRUPTED, 0, 50},
    {ROW(timed_out), CONNECT "fail timeout", 5, TARO_STATUS_CONNECT_TIMEOUT, 1, TARO_CAUSE_TIMEOUT, 0, 6},
    {ROW(forbidden), CONNECT FAILED, 600000, TARO_STATUS_CONNECTION_FAILED, 1, TARO_CAUSE_HTTP_STATUS, 403, 8},
    {ROW(no_upgrade), CONNECT FAILED, 600000, TARO_STATUS_CONNECTION_FAILED, 1, TARO_CAUSE_UPGRADE, 101, 8},
    {ROW(refused), CONNECT FAILED, 600000, TARO_STATUS_CONNECTION_FAILED, 1, TARO_CAUSE_CONNECT, 0, 50},
    {ROW(untrusted), CONNECT FAILED, 600000, TARO_STATUS_CONNECTION_FAILED, 1, TARO_CAUSE_TLS, 0, 7},
    {ROW(lost), CONNECT FAILED, 600000, TARO_STATUS_CONNECTION_FAILED, 1, TARO_CAUSE_RESET, 0, 50},
    {ROW(send_ok), SEND "ok", 0, TARO_STATUS_OK, 0, 0, 0, 0},
    {ROW(send_while_connecting), SEND "fail WebSocket is not connected", 600004, TARO_STATUS_NOT_CONNECTED, 0, 0, 0, 10},
    {ROW(send_after_the_end), SEND "fail WebSocket is not connected", 600004, TARO_STATUS_NOT_CONNECTED, 0, 0, 0, 10},
    {ROW(send_in_background), SEND "fail interrupted", 600003, TARO_STATUS_INTERRUPTED, 0, 0, 0, 50},
    {ROW(send_no_text), SEND "fail parameter error: data", 600005, TARO_STATUS_PARAMETER, 0, 0, 0, 2},
    {ROW(send_full), SEND "fail exceed max buffered amount", 600000, TARO_STATUS_FULL, 0, 0, 0, 12},
    {ROW(send_too_big), SEND "fail message too big", 600005, TARO_STATUS_MESSAGE_TOO_BIG, 0, 0, 0, 1},
    {ROW(send_panics), SEND "fail system error", 600006, TARO_STATUS_INTERNAL, 0, 0, 0, 1},
    {ROW(close_ok), CLOSE "ok", 0, TARO_STATUS_OK, 0, 0, 0, 0},
    {ROW(close_twice), CLOSE "fail WebSocket is not connected", 600004, TARO_STATUS_NOT_CONNECTED, 0, 0, 0, 10},
    {ROW(close_wrong_code), CLOSE CODE, 600005, TARO_STATUS_INVALID_CLOSE_CODE, 0, 0, 0, 2},
    {ROW(close_long_reason), CLOSE "fail reason must not exceed 123 UTF-8 bytes", 600005,
     TARO_STATUS_INVALID_CLOSE_REASON, 0, 0, 0, 2},
    {ROW(close_no_text), CLOSE "fail parameter error: reason", 600005, TARO_STATUS_PARAMETER, 0, 0, 0, 2},
    {ROW(close_panics), CLOSE "fail system error", 600006, TARO_STATUS_INTERNAL, 0, 0, 0, 1},
};

// Whatever the flavour: `<api>:ok`, or `<api>:fail ` and the reason.
static void check_shape(const struct row *row, const struct record *record) {
    char err_msg[200];
    const int api_len = (int)strcspn(row->err_msg, ":");
    CHECK_UINT(record->reason.len, <, 100);
    if (row->status == TARO_STATUS_OK) {
        snprintf(err_msg, sizeof err_msg, "%.*s:ok", api_len, row->err_msg);
        CHECK_UINT(record->reason.len, ==, 0);
        CHECK_INT(record->err_no, ==, 0);
        CHECK_INT(record->code, ==, 0);
    } else {
        snprintf(err_msg, sizeof err_msg, "%.*s:fail %.*s", api_len, row->err_msg, (int)record->reason.len,
                 record->reason.ptr);
        CHECK_UINT(record->reason.len, >, 0);
        CHECK_INT(record->err_no, !=, 0);
    }
    CHECK_STR(record->err_msg, err_msg);
}

static void run_row(const struct row *row, uint32_t flavour) {
    struct stage stage = {.returned = TARO_STATUS_OK};
    const taro_str allowed = TARO_STR("127.0.0.1");
    taro_app_options options = TARO_APP_OPTIONS_INIT;
    options.flavour = flavour;
    options.allow_list = &allowed;
    options.allow_list_len = 1;
    options.max_sockets = 2;
    options.send_limit_bytes = LIMIT;
    options.background_grace_ms = 1;
    mini_init(&stage.mini, &options);
    stage.recording = RECORDING(&stage.mini.recorder, "r");
    stage.options = record_connect_options(&stage.recording, SERVER_URL("ws", "/echo"));
    const struct record *record = row->run(&stage);
    CHECK_INT(stage.returned, ==, row->is_event ? TARO_STATUS_OK : row->status);
    CHECK_INT(record->status, ==, row->status);
    CHECK_UINT(record->cause, ==, row->cause);
    CHECK_INT(record->http_status, ==, row->http_status);
    check_shape(row, record);
    if (flavour == TARO_FLAVOUR_WEAPP) {
        CHECK_STR(record->err_msg, row->err_msg);
        CHECK_INT(record->err_no, ==, row->err_no);
    }
    CHECK_INT(record->code, ==, flavour == TARO_FLAVOUR_ALIPAY ? row->alipay : record->err_no);
    mini_end(&stage.mini);
}

static void every_row_in_every_flavour(void) {
    for (uint32_t flavour = TARO_FLAVOUR_WEAPP; flavour <= TARO_FLAVOUR_RN; flavour++) {
        for (size_t at = 0; at < sizeof rows / sizeof *rows; at++) {
            char name[60];
            snprintf(name, sizeof name, "flavour %u: %s", flavour, rows[at].name);
            mini_row(name);
            run_row(&rows[at], flavour);
        }
    }
    mini_row(NULL);
    mini_shutdown();
}

static void a_flavour_that_is_none(void) {
    static const uint32_t none[] = {TARO_FLAVOUR_RN + 1, 99, UINT32_MAX};
    for (size_t at = 0; at < sizeof none / sizeof *none; at++) {
        taro_app_options options = TARO_APP_OPTIONS_INIT;
        taro_app app = 4711;
        options.flavour = none[at];
        CHECK_STATUS(taro_app_create(&options, &app), TARO_STATUS_BAD_ARGUMENT);
        CHECK_UINT(app, ==, 0);
    }
    mini_shutdown();
}

static const struct test tests[] = {
    TEST("L4", every_row_in_every_flavour),
    TEST("L1", a_flavour_that_is_none),
};

TEST_MAIN(tests)
