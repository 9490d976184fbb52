// L13: the timeout of a connect: in every phase, one for all of them, never early, and by whom it is set.
#include "answer.h"
#include "full.h"

enum { SHORT_MS = 100, NEVER_MS = 3600 * 1000 };

static taro_app make_app(uint32_t flavour, int32_t timeout_ms) {
    taro_app_options options = TARO_APP_OPTIONS_INIT;
    options.flavour = flavour;
    options.timeout_ms = timeout_ms;
    options.ca_file = attempt_str(server_ca_file());
    return attempt_app(&options);
}

// Not before its time; not long after it is for the kit's deadline to say.
static void check_times_out(taro_app app, uint32_t flavour, const char *url, int32_t timeout_ms, int32_t expected_ms) {
    struct failing failing;
    failing_init(&failing, app, flavour, url);
    failing.attempt.options.timeout_ms = timeout_ms;
    attempt_row(url);
    const int64_t before = clock_ns();
    const struct failure failure = failing_run(&failing);
    CHECK_INT(clock_ns() - before, >=, (int64_t)expected_ms * 1000000);
    CHECK_INT(failure.status, ==, TARO_STATUS_CONNECT_TIMEOUT);
    CHECK_UINT(failure.cause, ==, TARO_CAUSE_TIMEOUT);
    CHECK_INT(failure.http_status, ==, 0);
    CHECK_INT(failure.os_error, ==, 0);
    attempt_row(NULL);
}

static void a_stall_in_each_phase_times_out(void) {
    const char *const urls[] = {
        SERVER_URL("ws", "/echo?stall=request"), SERVER_URL("ws", "/echo?stall=half"),  SERVER_URL("silent", "/echo"),
        SERVER_URL("tls_stall", "/echo"),        SERVER_URL("wss", "/echo?stall=half"),
    };
    static const uint32_t flavours[] = {TARO_FLAVOUR_WEAPP, TARO_FLAVOUR_H5};
    for (size_t at = 0; at < sizeof urls / sizeof *urls; at++) {
        for (size_t of = 0; of < 2; of++) {
            const taro_app app = make_app(flavours[of], SHORT_MS);
            check_times_out(app, flavours[of], urls[at], 0, SHORT_MS);
            CHECK_STATUS(taro_app_release(app), TARO_STATUS_OK);
        }
    }
    attempt_shutdown();
}

static void a_stall_of_tcp_times_out(void) {
    struct full full;
    char url[80];
    full_init(&full, "127.0.0.1", 0);
    snprintf(url, sizeof url, "ws://%s/", full.address);
    check_times_out(make_app(TARO_FLAVOUR_WEAPP, SHORT_MS), TARO_FLAVOUR_WEAPP, url, 0, SHORT_MS);
    full_end(&full);
    attempt_shutdown();
}

// --- whose it is

static void the_calls_own_beats_the_apps(void) {
    const char *const url = SERVER_URL("ws", "/echo?stall=request");
    check_times_out(make_app(TARO_FLAVOUR_WEAPP, NEVER_MS), TARO_FLAVOUR_WEAPP, url, SHORT_MS, SHORT_MS);
    check_times_out(make_app(TARO_FLAVOUR_WEAPP, 0), TARO_FLAVOUR_WEAPP, url, 1, 1);
    check_times_out(make_app(TARO_FLAVOUR_WEAPP, 1), TARO_FLAVOUR_WEAPP, url, SHORT_MS, SHORT_MS);
    attempt_shutdown();
}

static void not_positive_means_the_apps(void) {
    static const int32_t values[] = {0, -1, INT32_MIN};
    const taro_app app = make_app(TARO_FLAVOUR_WEAPP, SHORT_MS);
    for (size_t at = 0; at < sizeof values / sizeof *values; at++) {
        check_times_out(app, TARO_FLAVOUR_WEAPP, SERVER_URL("ws", "/echo?stall=request"), values[at], SHORT_MS);
    }
    attempt_shutdown();
}

// Those of the left column are still connecting when one with a short timeout, begun after them, is over.
static void not_positive_of_the_app_means_the_flavours(void) {
    static const int32_t values[] = {0, -1, INT32_MIN};
    enum { COUNT = 2 * sizeof values / sizeof *values };
    static struct attempt attempts[COUNT];
    const char *const url = SERVER_URL("ws", "/echo?stall=request");
    for (size_t at = 0; at < COUNT; at++) {
        const uint32_t flavour = at % 2 ? TARO_FLAVOUR_ALIPAY : TARO_FLAVOUR_WEAPP;
        attempt_init(&attempts[at], make_app(flavour, values[at / 2]), url);
        attempt_begin(&attempts[at]);
    }
    check_times_out(make_app(TARO_FLAVOUR_WEAPP, 0), TARO_FLAVOUR_WEAPP, url, SHORT_MS, SHORT_MS);
    for (size_t at = 0; at < COUNT; at++) {
        CHECK_UINT(attempt_state(attempts[at].socket), ==, TARO_READY_STATE_CONNECTING);
        attempt_end(&attempts[at], "success complete release");
    }
    attempt_shutdown();
}

static void the_largest_timeout_is_one(void) {
    const char *const url = SERVER_URL("ws", "/echo?stall=request");
    struct attempt a;
    attempt_init(&a, make_app(TARO_FLAVOUR_WEAPP, INT32_MAX), url);
    attempt_begin(&a);
    check_times_out(make_app(TARO_FLAVOUR_WEAPP, 0), TARO_FLAVOUR_WEAPP, url, SHORT_MS, SHORT_MS);
    CHECK_UINT(attempt_state(a.socket), ==, TARO_READY_STATE_CONNECTING);
    attempt_end(&a, "success complete release");
    attempt_shutdown();
}

// --- what it does not touch

static void an_open_socket_is_out_of_its_reach(void) {
    struct attempt a;
    // Long enough to open; the other one begins later and has longer.
    const int32_t timeout_ms = (int32_t)(1000 * wait_slow());
    attempt_init(&a, make_app(TARO_FLAVOUR_WEAPP, 0), SERVER_URL("ws", "/echo"));
    a.options.timeout_ms = timeout_ms;
    attempt_open(&a);
    check_times_out(make_app(TARO_FLAVOUR_WEAPP, 0), TARO_FLAVOUR_WEAPP, SERVER_URL("silent", "/"), timeout_ms + 1,
                    timeout_ms + 1);
    CHECK_UINT(attempt_state(a.socket), ==, TARO_READY_STATE_OPEN);
    CHECK_STATUS(taro_socket_send_text(a.socket, "still", 5), TARO_STATUS_OK);
    const struct record *message = attempt_wait(&a, RECORD_MESSAGE, 1);
    CHECK_STR(message->data, "still");
    attempt_end(&a, "success complete open message release");
    attempt_shutdown();
}

// Bytes that come in are no answer as long as the response does not end.
static void an_answer_that_does_not_end_is_none(void) {
    const char head[] = ANSWER_101 "X-Begun: yes\r\n";
    check_times_out(make_app(TARO_FLAVOUR_WEAPP, SHORT_MS), TARO_FLAVOUR_WEAPP,
                    answer_url("ws", head, sizeof head - 1, "&drip=1"), 0, SHORT_MS);
    const char interim[] = "HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 100 Continue\r\n\r\n";
    check_times_out(make_app(TARO_FLAVOUR_WEAPP, SHORT_MS), TARO_FLAVOUR_WEAPP,
                    answer_url("ws", interim, sizeof interim - 1, ""), 0, SHORT_MS);
    attempt_shutdown();
}

static const struct test tests[] = {
    TEST("L4 L5 L13", a_stall_in_each_phase_times_out),
    TEST("L13", a_stall_of_tcp_times_out),
    TEST("L13", the_calls_own_beats_the_apps),
    TEST("L13", not_positive_means_the_apps),
    TEST("L13", not_positive_of_the_app_means_the_flavours),
    TEST("L13", the_largest_timeout_is_one),
    TEST("L13", an_open_socket_is_out_of_its_reach),
    TEST("L13", an_answer_that_does_not_end_is_none),
};

TEST_MAIN(tests)
