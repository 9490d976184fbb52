// L2, L3, L4, L28: what a call of connect promises: its results, its id, and when events may come.
#include "attempt.h"

static taro_app make_app(uint32_t delivery) {
    taro_app_options options = TARO_APP_OPTIONS_INIT;
    options.delivery = delivery;
    return attempt_app(&options);
}

static void success_means_accepted_not_open(void) {
    struct attempt a;
    attempt_init(&a, 0, SERVER_URL("ws", "/echo?id=accepted&stall=request"));
    attempt_begin(&a);
    const struct record *complete = attempt_wait(&a, RECORD_COMPLETE, 1);
    CHECK_INT(complete->status, ==, TARO_STATUS_OK);
    CHECK_INT(complete->err_no, ==, 0);
    CHECK_INT(complete->code, ==, 0);
    CHECK_STR(complete->err_msg, "connectSocket:ok");
    CHECK_STR(complete->reason, "");
    CHECK_UINT(complete->cause, ==, TARO_CAUSE_NONE);
    SERVER_WAIT("accepted", "request GET");
    CHECK_UINT(attempt_state(a.socket), ==, TARO_READY_STATE_CONNECTING);
    attempt_end(&a, "success complete release");
    attempt_shutdown();
}

static void every_callback_carries_the_id(void) {
    static const int kinds[] = {RECORD_SUCCESS, RECORD_COMPLETE, RECORD_OPEN, RECORD_MESSAGE, RECORD_CLOSE};
    for (uint32_t delivery = TARO_DELIVERY_DIRECT; delivery <= TARO_DELIVERY_HOST; delivery++) {
        struct attempt a;
        attempt_init(&a, make_app(delivery), SERVER_URL("ws", "/echo?act=text:hi;close:1000:"));
        a.is_host = delivery == TARO_DELIVERY_HOST;
        attempt_begin(&a);
        attempt_wait(&a, RECORD_CLOSE, 1);
        for (size_t at = 0; at < sizeof kinds / sizeof *kinds; at++) {
            CHECK_UINT(attempt_find(&a, kinds[at])->socket, ==, a.socket);
        }
        attempt_end(&a, "success complete open message close release");
    }
    struct attempt a;
    attempt_init(&a, 0, SERVER_URL("refuse", "/"));
    CHECK_UINT(attempt_error(&a)->socket, ==, a.socket);
    attempt_end(&a, "success complete error release");
    attempt_shutdown();
}

// The connection is open, and has brought a message, before the host takes its first look.
static void events_come_after_complete(void) {
    struct attempt a;
    attempt_init(&a, make_app(TARO_DELIVERY_HOST), SERVER_URL("ws", "/echo?id=early&act=text:hi;close:1000:"));
    a.is_host = 1;
    attempt_begin(&a);
    SERVER_WAIT("early", "^close");
    CHECK_UINT(record_len(&a.recorder), ==, 0);
    attempt_wait(&a, RECORD_RELEASE, 1);
    attempt_end(&a, "success complete open message close release");
    attempt_shutdown();
}

// Ended before a result was told: the results of connect come all the same, and first.
static void results_come_although_the_socket_has_ended(void) {
    struct attempt a;
    attempt_init(&a, make_app(TARO_DELIVERY_HOST), SERVER_URL("ws", "/echo?stall=request"));
    a.is_host = 1;
    attempt_begin(&a);
    CHECK_STATUS(taro_socket_close(a.socket, NULL), TARO_STATUS_OK);
    CHECK_UINT(record_len(&a.recorder), ==, 0);
    attempt_wait(&a, RECORD_RELEASE, 1);
    attempt_end(&a, "success complete close release");
    attempt_init(&a, a.options.app, SERVER_URL("refuse", "/"));
    a.is_host = 1;
    attempt_begin(&a);
    EVENTUALLY(attempt_live(a.options.app) == 0);
    attempt_wait(&a, RECORD_RELEASE, 1);
    attempt_end(&a, "success complete error release");
    attempt_shutdown();
}

// --- the call's own result

static const struct refusal {
    const char *name;
    const char *url; // NULL: one that is fine
    const char *header;
    const char *protocol;
    const char *interface;
    int is_full;
    int is_background;
    taro_status status;
    int32_t err_no;
    const char *err_msg;
} refusals[] = {
    {"url", "http://127.0.0.1/", NULL, NULL, NULL, 0, 0, TARO_STATUS_INVALID_URL, 600009,
     "connectSocket:fail invalid url \"http://127.0.0.1/\""},
    {"allow-list", "ws://elsewhere.test/", NULL, NULL, NULL, 0, 0, TARO_STATUS_URL_NOT_ALLOWED, 600002,
     "connectSocket:fail url not in domain list"},
    {"header", NULL, "a b", NULL, NULL, 0, 0, TARO_STATUS_PARAMETER, 600005,
     "connectSocket:fail parameter error: header"},
    {"protocol", NULL, NULL, "a b", NULL, 0, 0, TARO_STATUS_PARAMETER, 600005,
     "connectSocket:fail parameter error: protocols"},
    {"interface", NULL, NULL, NULL, "a/b", 0, 0, TARO_STATUS_PARAMETER, 600005,
     "connectSocket:fail parameter error: interface"},
    {"full", NULL, NULL, NULL, NULL, 1, 0, TARO_STATUS_TOO_MANY_SOCKETS, 600007,
     "connectSocket:fail fail reach max websocket connect count 1"},
    {"background", NULL, NULL, NULL, NULL, 0, 1, TARO_STATUS_INTERRUPTED, 600003,
     "connectSocket:fail interrupted"},
};

static void refuse(const struct refusal *row, uint32_t delivery) {
    const taro_str allowed = TARO_STR("127.0.0.1");
    taro_app_options options = TARO_APP_OPTIONS_INIT;
    options.delivery = delivery;
    options.max_sockets = 1;
    options.allow_list = &allowed;
    options.allow_list_len = 1;
    const taro_app app = attempt_app(&options);
    struct attempt first, a;
    if (row->is_full) {
        attempt_init(&first, app, SERVER_URL("ws", "/echo?stall=request"));
        first.is_host = delivery == TARO_DELIVERY_HOST;
        attempt_begin(&first);
    }
    CHECK_STATUS(taro_app_set_background(app, (uint32_t)row->is_background), TARO_STATUS_OK);

    const taro_header header = {attempt_str(row->header ? row->header : ""), TARO_STR("value")};
    const taro_str protocol = attempt_str(row->protocol ? row->protocol : "");
    attempt_init(&a, app, row->url ? row->url : SERVER_URL("ws", "/echo"));
    a.is_host = delivery == TARO_DELIVERY_HOST;
    a.options.headers = &header;
    a.options.headers_len = row->header != NULL;
    a.options.protocols = &protocol;
    a.options.protocols_len = row->protocol != NULL;
    a.options.bind_interface = attempt_str(row->interface ? row->interface : "");
    attempt_refused(&a, row->status, row->err_no, row->err_msg);
    if (row->is_full) {
        attempt_end(&first, "success complete release");
    }
    CHECK_STATUS(taro_app_release(app), TARO_STATUS_OK);
}

static void a_refused_connect_has_results_and_no_more(void) {
    for (size_t at = 0; at < sizeof refusals / sizeof *refusals; at++) {
        attempt_row(refusals[at].name);
        refuse(&refusals[at], TARO_DELIVERY_DIRECT);
        refuse(&refusals[at], TARO_DELIVERY_HOST);
    }
    attempt_row(NULL);
    attempt_shutdown();
}

// --- `*socket`, and where callbacks run

static void sees_its_id(struct recording *recording, const struct record *record, const void *event) {
    const struct attempt *attempt = recording->context;
    (void)event;
    if (record->kind != RECORD_RELEASE) {
        CHECK_UINT(record->socket, ==, attempt->socket);
    }
}

static void the_id_is_written_before_any_callback(void) {
    const int rounds = wait_slow() > 1 ? 20 : 200;
    const taro_app app = make_app(TARO_DELIVERY_DIRECT);
    for (int round = 0; round < rounds; round++) {
        struct attempt a;
        attempt_init_on(&a, app, SERVER_URL("refuse", "/"), sees_its_id);
        a.socket = 4711;
        attempt_error(&a);
        attempt_end(&a, "success complete error release");
        attempt_init_on(&a, app, "ws:", sees_its_id);
        attempt_refused(&a, TARO_STATUS_INVALID_URL, 600009, "connectSocket:fail invalid url \"ws:\"");
    }
    attempt_shutdown();
}

struct nested {
    struct attempt outer;
    struct attempt inner;
    struct attempt refused;
};

// Connects again inside a callback: neither call may run results on this stack.
static void connects_again(struct recording *recording, const struct record *record, const void *event) {
    struct nested *nested = recording->context;
    (void)event;
    if (record->kind == RECORD_COMPLETE) {
        attempt_begin(&nested->inner);
        taro_socket none = 4711;
        CHECK_STATUS(taro_connect_socket(&nested->refused.options, &none), TARO_STATUS_INVALID_URL);
        CHECK_UINT(none, ==, 0);
        CHECK_UINT(record_len(&nested->inner.recorder), ==, 0);
        CHECK_UINT(record_len(&nested->refused.recorder), ==, 0);
    }
}

static void connect_inside_a_callback_runs_none(void) {
    for (uint32_t delivery = TARO_DELIVERY_DIRECT; delivery <= TARO_DELIVERY_HOST; delivery++) {
        const taro_app app = make_app(delivery);
        struct nested nested;
        attempt_init(&nested.outer, app, SERVER_URL("ws", "/echo"));
        attempt_init(&nested.inner, app, SERVER_URL("ws", "/echo"));
        attempt_init(&nested.refused, app, "ws:");
        nested.outer.is_host = nested.inner.is_host = nested.refused.is_host = delivery == TARO_DELIVERY_HOST;
        nested.outer.recording.on = connects_again;
        nested.outer.recording.context = &nested;
        attempt_open(&nested.outer);
        attempt_wait(&nested.inner, RECORD_OPEN, 1);
        attempt_end(&nested.inner, "success complete open release");
        attempt_end(&nested.refused, "fail complete release");
        attempt_end(&nested.outer, "success complete open release");
    }
    attempt_shutdown();
}

// --- what a call needs, and what it keeps

static void an_initializer_and_a_url_are_enough(void) {
    taro_connect_options options = TARO_CONNECT_OPTIONS_INIT;
    taro_socket socket = 0;
    options.url = attempt_str(SERVER_URL("ws", "/echo?id=enough"));
    CHECK_STATUS(taro_connect_socket(&options, &socket), TARO_STATUS_OK);
    EVENTUALLY(attempt_state(socket) == TARO_READY_STATE_OPEN);
    CHECK_STATUS(taro_socket_send_text(socket, "hello", 5), TARO_STATUS_OK);
    SERVER_WAIT("enough", "text 5 hello");
    CHECK_UINT(attempt_live(0), ==, 1);
    CHECK_STATUS(taro_socket_close(socket, NULL), TARO_STATUS_OK);
    SERVER_WAIT("enough", "close 1000");
    EVENTUALLY(attempt_state(socket) == TARO_READY_STATE_CLOSED);
    CHECK_STATUS(taro_socket_release(socket), TARO_STATUS_OK);
    attempt_shutdown();
}

// A block of its own, so that a read after the end of the call is a read of freed memory.
static taro_str lent(const char *text) {
    const size_t len = strlen(text);
    char *copy = malloc(len);
    CHECK(copy != NULL);
    memcpy(copy, text, len);
    return (taro_str){copy, len};
}

static void take_back(void *bytes, size_t len) {
    memset(bytes, 0xdd, len);
    free(bytes);
}

static void take_back_str(taro_str string) { take_back((void *)(uintptr_t)string.ptr, string.len); }

static void connect_with_lent_memory(struct attempt *attempt, const char *url, taro_status expected) {
    taro_connect_options *options = malloc(sizeof *options);
    taro_header *header = malloc(sizeof *header);
    taro_str *protocol = malloc(sizeof *protocol);
    taro_socket *socket = malloc(sizeof *socket);
    CHECK(options && header && protocol && socket);
    *options = attempt->options;
    *header = (taro_header){lent("X-Lent"), lent("value")};
    *protocol = lent("chat");
    options->url = lent(url);
    options->headers = header;
    options->headers_len = 1;
    options->protocols = protocol;
    options->protocols_len = 1;
    options->bind_interface = lent("lo");
    CHECK_STATUS(taro_connect_socket(options, socket), expected);
    attempt->socket = *socket;
    take_back_str(options->url);
    take_back_str(options->bind_interface);
    take_back_str(header->name);
    take_back_str(header->value);
    take_back_str(*protocol);
    take_back(header, sizeof *header);
    take_back(protocol, sizeof *protocol);
    take_back(options, sizeof *options);
    free(socket);
}

static void the_memory_of_the_options_may_go_at_once(void) {
    const taro_app app = make_app(TARO_DELIVERY_HOST);
    struct attempt a;
    attempt_init(&a, app, "");
    a.is_host = 1;
    connect_with_lent_memory(&a, SERVER_URL("ws", "/echo?id=lent"), TARO_STATUS_OK);
    CHECK_STR(attempt_wait(&a, RECORD_OPEN, 1)->protocol, "chat");
    SERVER_WAIT("lent", "header X-Lent: value");
    SERVER_WAIT("lent", "header Sec-WebSocket-Protocol: chat");
    attempt_end(&a, "success complete open release");

    attempt_init(&a, app, "");
    a.is_host = 1;
    connect_with_lent_memory(&a, "ws://lent.test/#part", TARO_STATUS_INVALID_URL);
    attempt_wait(&a, RECORD_COMPLETE, 1);
    CHECK_STR(attempt_find(&a, RECORD_FAIL)->err_msg,
              "connectSocket:fail invalid url \"ws://lent.test/#part\"");
    attempt_end(&a, "fail complete release");
    attempt_shutdown();
}

static const struct test tests[] = {
    TEST("L3", success_means_accepted_not_open),
    TEST("L3", every_callback_carries_the_id),
    TEST("L3 L5", events_come_after_complete),
    TEST("L2 L5", results_come_although_the_socket_has_ended),
    TEST("L2 L3 L4", a_refused_connect_has_results_and_no_more),
    TEST("L3", the_id_is_written_before_any_callback),
    TEST("L6", connect_inside_a_callback_runs_none),
    TEST("L3 L27", an_initializer_and_a_url_are_enough),
    TEST("L28", the_memory_of_the_options_may_go_at_once),
};

TEST_MAIN(tests)
