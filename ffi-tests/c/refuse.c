// needs: test-hooks
// L1, L2, L4, L6, L8: a call that the binding itself refuses is told like any other, in the flavour's words.
#include "misuse.h"

void taro_test_panic(const char *function);

static taro_refuse_options refusal(struct recording *recording, taro_app app, uint32_t call, taro_status status,
                                   const char *subject) {
    const taro_close_options callbacks = record_close_options(recording, 0, NULL);
    taro_refuse_options options = TARO_REFUSE_OPTIONS_INIT;
    options.app = app;
    options.call = call;
    options.status = status;
    options.subject = mini_str(subject);
    options.fail = callbacks.fail;
    options.complete = callbacks.complete;
    options.user_data = callbacks.user_data;
    options.release = callbacks.release;
    return options;
}

// --- what is told

static const struct row {
    uint32_t call;
    taro_status status;
    const char *subject, *err_msg;
    int32_t err_no, alipay;
} rows[] = {
    {TARO_CALL_CONNECT, TARO_STATUS_PARAMETER, "url", "connectSocket:fail parameter error: url", 600005, 2},
    {TARO_CALL_CONNECT, TARO_STATUS_PARAMETER, "url should be String", "connectSocket:fail parameter error: url", 600005,
     2},
    {TARO_CALL_CONNECT, TARO_STATUS_INVALID_URL, "", "connectSocket:fail invalid url \"\"", 600009, 3},
    {TARO_CALL_CONNECT, TARO_STATUS_INVALID_URL, "ws:", "connectSocket:fail invalid url \"ws:\"", 600009, 4},
    {TARO_CALL_CONNECT, TARO_STATUS_URL_NOT_ALLOWED, "", "connectSocket:fail url not in domain list", 600002, 65},
    {TARO_CALL_CONNECT, TARO_STATUS_TOO_MANY_SOCKETS, "1",
     "connectSocket:fail fail reach max websocket connect count 1", 600007, 3},
    {TARO_CALL_CONNECT, TARO_STATUS_CONNECT_TIMEOUT, "", "connectSocket:fail timeout", 5, 6},
    {TARO_CALL_CONNECT, TARO_STATUS_CONNECTION_FAILED, "", "connectSocket:fail WebSocket connection failed", 600000, 1},
    {TARO_CALL_SEND, TARO_STATUS_PARAMETER, "data", "sendSocketMessage:fail parameter error: data", 600005, 2},
    {TARO_CALL_SEND, TARO_STATUS_NOT_CONNECTED, "", "sendSocketMessage:fail WebSocket is not connected", 600004, 10},
    {TARO_CALL_SEND, TARO_STATUS_INTERRUPTED, "", "sendSocketMessage:fail interrupted", 600003, 50},
    {TARO_CALL_SEND, TARO_STATUS_FULL, "", "sendSocketMessage:fail exceed max buffered amount", 600000, 12},
    {TARO_CALL_SEND, TARO_STATUS_MESSAGE_TOO_BIG, "", "sendSocketMessage:fail message too big", 600005, 1},
    {TARO_CALL_CLOSE, TARO_STATUS_INVALID_CLOSE_CODE, "",
     "closeSocket:fail wcwss invalid code, the code must be either 1000, or between 3000 and 4999", 600005, 2},
    {TARO_CALL_CLOSE, TARO_STATUS_INVALID_CLOSE_REASON, "", "closeSocket:fail reason must not exceed 123 UTF-8 bytes",
     600005, 2},
    {TARO_CALL_CLOSE, TARO_STATUS_NOT_CONNECTED, "", "closeSocket:fail WebSocket is not connected", 600004, 10},
    {TARO_CALL_CLOSE, TARO_STATUS_INTERNAL, "", "closeSocket:fail system error", 600006, 1},
};

// What h5 and rn say where a row has what is wrong with a parameter.
static const char *text_of(const struct row *row, uint32_t flavour) {
    const int says_why = flavour == TARO_FLAVOUR_H5 || flavour == TARO_FLAVOUR_RN;
    return says_why && strcmp(row->subject, "url should be String") == 0
               ? "connectSocket:fail parameter error: parameter.url should be String"
               : row->err_msg;
}

static void every_call_and_status(void) {
    for (uint32_t flavour = TARO_FLAVOUR_WEAPP; flavour <= TARO_FLAVOUR_RN; flavour++) {
        for (MINI_EACH_DELIVERY(delivery)) {
            for (size_t at = 0; at < sizeof rows / sizeof *rows; at++) {
                const struct row *row = &rows[at];
                struct mini mini;
                taro_app_options app = TARO_APP_OPTIONS_INIT;
                app.flavour = flavour;
                app.delivery = delivery;
                mini_row(row->err_msg);
                mini_init(&mini, &app);
                struct recording a = RECORDING(&mini.recorder, "a");
                const taro_refuse_options options = refusal(&a, mini.app, row->call, row->status, row->subject);
                CHECK_STATUS(taro_app_refuse_call(&options), TARO_STATUS_OK);
                mini_wait(&mini, RECORD_RELEASE, "a", 1);
                CHECK_SEQUENCE(&mini.recorder, "a", "fail complete release");
                const struct record *fail = mini_find(&mini, RECORD_FAIL, "a", 1);
                CHECK_UINT(fail->socket, ==, 0);
                CHECK_INT(fail->status, ==, row->status);
                const char *err_msg = text_of(row, flavour);
                CHECK_STR(fail->err_msg, err_msg);
                CHECK_STR(fail->reason, strstr(err_msg, ":fail ") + strlen(":fail "));
                CHECK_INT(fail->err_no, ==, row->err_no);
                CHECK_INT(fail->code, ==, flavour == TARO_FLAVOUR_ALIPAY ? row->alipay : row->err_no);
                mini_end(&mini);
                mini_row(NULL);
            }
        }
    }
    mini_shutdown();
}

// Results of calls come in the order of the calls, whoever refused them; in host delivery inside dispatch alone.
static void in_its_turn(void) {
    struct mini mini;
    mini_init_of(&mini, TARO_DELIVERY_HOST);
    struct recording first = RECORDING(&mini.recorder, "first"), second = RECORDING(&mini.recorder, "second"),
                     third = RECORDING(&mini.recorder, "third");
    mini_refuse(&mini, &first);
    const taro_refuse_options options = refusal(&second, mini.app, TARO_CALL_SEND, TARO_STATUS_NOT_CONNECTED, "");
    CHECK_STATUS(taro_app_refuse_call(&options), TARO_STATUS_OK);
    mini_refuse(&mini, &third);
    CHECK_SEQUENCE(&mini.recorder, "second", "");
    mini_wait(&mini, RECORD_RELEASE, "third", 1);
    CHECK_BEFORE(&mini.recorder, RECORD_COMPLETE, "first", RECORD_FAIL, "second");
    CHECK_BEFORE(&mini.recorder, RECORD_RELEASE, "second", RECORD_FAIL, "third");
    mini_end(&mini);
    mini_shutdown();
}

static void a_released_app_is_silent(void) {
    struct mini mini;
    mini_init_of(&mini, TARO_DELIVERY_HOST);
    struct recording a = RECORDING(&mini.recorder, "a");
    const taro_refuse_options options = refusal(&a, mini.app, TARO_CALL_CLOSE, TARO_STATUS_NOT_CONNECTED, "");
    CHECK_STATUS(taro_app_refuse_call(&options), TARO_STATUS_OK);
    CHECK_STATUS(taro_app_release(mini.app), TARO_STATUS_OK);
    CHECK_SEQUENCE(&mini.recorder, "a", "release");
    recorder_end(&mini.recorder);
    mini_shutdown();
}

// The user data has been taken by then: the failure is told, and it comes back.
static void a_panic_is_told(void) {
    struct mini mini;
    mini_init_of(&mini, TARO_DELIVERY_DIRECT);
    struct recording a = RECORDING(&mini.recorder, "a");
    const taro_refuse_options options = refusal(&a, mini.app, TARO_CALL_SEND, TARO_STATUS_PARAMETER, "data");
    taro_test_panic("taro_app_refuse_call");
    CHECK_STATUS(taro_app_refuse_call(&options), TARO_STATUS_INTERNAL);
    mini_wait(&mini, RECORD_RELEASE, "a", 1);
    CHECK_SEQUENCE(&mini.recorder, "a", "fail complete release");
    CHECK_STR(mini_find(&mini, RECORD_FAIL, "a", 1)->err_msg, "sendSocketMessage:fail system error");
    mini_end(&mini);
    mini_shutdown();
}

// --- misuse

static taro_refuse_options misuse_refusal(void) {
    const taro_send_options callbacks = misuse_send_options();
    taro_refuse_options options = TARO_REFUSE_OPTIONS_INIT;
    options.app = misuse.mini.app;
    options.call = TARO_CALL_SEND;
    options.status = TARO_STATUS_PARAMETER;
    options.subject = TARO_STR("data");
    options.fail = callbacks.fail;
    options.complete = callbacks.complete;
    options.user_data = callbacks.user_data;
    options.release = callbacks.release;
    return options;
}

#define REFUSE_WITH(field, value) (options = misuse_refusal(), options.field = (value), taro_app_refuse_call(&options))

static void what_is_no_refusal(void) {
    static const taro_status no_failures[] = {
        TARO_STATUS_OK, TARO_STATUS_NULL_POINTER, TARO_STATUS_UNSUPPORTED, -99, -112, -198, -200, 1, INT32_MIN, INT32_MAX,
    };
    static const uint32_t no_calls[] = {0, TARO_CALL_CLOSE + 1, UINT32_MAX};
    taro_refuse_options options;
    misuse_begin();
    MISUSE(taro_app_refuse_call(NULL), TARO_STATUS_NULL_POINTER);
    for (size_t at = 0; at < sizeof no_failures / sizeof *no_failures; at++) {
        MISUSE(REFUSE_WITH(status, no_failures[at]), TARO_STATUS_BAD_ARGUMENT);
    }
    for (size_t at = 0; at < sizeof no_calls / sizeof *no_calls; at++) {
        MISUSE(REFUSE_WITH(call, no_calls[at]), TARO_STATUS_BAD_ARGUMENT);
    }
    MISUSE(REFUSE_WITH(reserved, 1), TARO_STATUS_BAD_ARGUMENT);
    const taro_str no_text = TARO_STR("\xff"), no_bytes = {NULL, 1};
    MISUSE(REFUSE_WITH(subject, no_text), TARO_STATUS_BAD_ARGUMENT);
    MISUSE(REFUSE_WITH(subject, no_bytes), TARO_STATUS_NULL_POINTER);
    MISUSE(REFUSE_WITH(app, misuse.socket), TARO_STATUS_BAD_HANDLE);
    misuse_end();
}

static const struct test tests[] = {
    TEST("L2 L4", every_call_and_status),
    TEST("L2 L6", in_its_turn),
    TEST("L8", a_released_app_is_silent),
    TEST("L25", a_panic_is_told),
    TEST("L1 L25", what_is_no_refusal),
};

TEST_MAIN(tests)
