// L24: what ends a dead connection in bounded time: pings without an answer, silence, a network that has changed.
// While the library does not read: stalled.c. While the device sleeps: slept.c.
#include "mini.h"

enum { PING_MS = 50, PONG_MS = 500, IDLE_MS = 500 };

static int64_t ns(int64_t milliseconds) { return milliseconds * 1000000; }

// Deadlines of the library that must not pass while the test does something in between.
static uint32_t slow_ms(uint32_t milliseconds) { return milliseconds * wait_slow(); }

static taro_app_options with_pings(void) {
    taro_app_options options = TARO_APP_OPTIONS_INIT;
    options.ping_interval_ms = PING_MS;
    options.pong_timeout_ms = slow_ms(PONG_MS);
    return options;
}

// `close`, not before so many milliseconds after the start.
static const struct record *ends_after(struct mini *mini, const char *label, int64_t start_ns, int64_t milliseconds,
                                       uint32_t cause) {
    const struct record *close = mini_wait(mini, RECORD_CLOSE, label, 1);
    CHECK_UINT(close->close_code, ==, 1006);
    CHECK_STR(close->reason, "abnormal closure");
    CHECK_UINT(close->was_clean, ==, 0);
    CHECK_UINT(close->cause, ==, cause);
    CHECK_INT(close->at_ns - start_ns, >=, ns(milliseconds));
    return close;
}

static void check_broken_by_silence(struct mini *mini, const char *label, int64_t start_ns, int64_t milliseconds) {
    const struct record *close = ends_after(mini, label, start_ns, milliseconds, TARO_CAUSE_PONG_TIMEOUT);
    CHECK_UINT(close->initiator, ==, TARO_INITIATOR_NONE);
    const struct record *error = mini_find(mini, RECORD_ERROR, label, 1);
    CHECK_INT(error->status, ==, TARO_STATUS_CONNECTION_FAILED);
    CHECK_STR(error->err_msg, "connectSocket:fail WebSocket connection failed");
    CHECK_INT(error->err_no, ==, 600000);
    CHECK_UINT(error->cause, ==, TARO_CAUSE_PONG_TIMEOUT);
    CHECK_BEFORE(&mini->recorder, RECORD_ERROR, label, RECORD_CLOSE, label);
}

// --- pings and pongs

static void pings_go_out_and_are_answered(void) {
    struct mini mini;
    taro_app_options options = with_pings();
    options.pong_timeout_ms = slow_ms(5000);
    mini_init(&mini, &options);
    struct recording a = RECORDING(&mini.recorder, "a");
    const int64_t start = clock_ns();
    const taro_socket socket = mini_open(&mini, &a, SERVER_URL("ws", "/echo?id=pings"));
    SERVER_WAIT_N("pings", 4, "^ping");
    CHECK_INT(clock_ns() - start, >=, ns(4 * PING_MS));
    EVENTUALLY(mini_counters(socket).pongs_received >= 4);
    CHECK_UINT(mini_counters(socket).pings_sent, >=, 4);
    CHECK_UINT(mini_counters(socket).messages_received, ==, 0);
    CHECK_SEQUENCE(&mini.recorder, "a", "success complete open");
    mini_end(&mini);
    mini_shutdown();
}

static const struct silence {
    const char *name;
    uint32_t ping_ms;
    uint32_t pong_ms;
    int64_t least_ms; // from the connect on
} silences[] = {
    {"interval and timeout", PING_MS, PONG_MS, PING_MS + PONG_MS},
    {"no timeout: as long as the interval", 150, 0, 300},
};

static void a_ping_without_answer_ends_it(void) {
    for (size_t at = 0; at < sizeof silences / sizeof *silences; at++) {
        mini_row(silences[at].name);
        for (MINI_EACH_DELIVERY(delivery)) {
            taro_app_options options = TARO_APP_OPTIONS_INIT;
            struct mini mini;
            options.delivery = delivery;
            options.ping_interval_ms = silences[at].ping_ms;
            options.pong_timeout_ms = silences[at].pong_ms;
            mini_init(&mini, &options);
            struct recording a = RECORDING(&mini.recorder, "a");
            const int64_t start = clock_ns();
            mini_open(&mini, &a, SERVER_URL("ws", "/echo?onping=ignore"));
            check_broken_by_silence(&mini, "a", start, silences[at].least_ms);
            mini_wait(&mini, RECORD_RELEASE, "a", 1);
            CHECK_SEQUENCE(&mini.recorder, "a", "success complete open error close release");
            mini_end(&mini);
        }
    }
    mini_row(NULL);
    mini_shutdown();
}

// Whatever comes is a sign of life; when nothing comes any more the end is near.
static const struct sign {
    const char *id;
    const char *action; // of the server, at each ping
} signs[] = {
    {"pong", "pong:"},
    {"other_pong", "pong:with another payload"},
    {"message", "text:hi"},
    {"ping", "ping:hi"},
};
enum { SIGNS = sizeof signs / sizeof *signs };

static void anything_that_comes_answers_a_ping(void) {
    taro_app_options options = with_pings();
    struct mini mini;
    struct recording recordings[SIGNS];
    unsigned pings = 0;
    mini_init(&mini, &options);
    const int64_t start = clock_ns();
    for (size_t at = 0; at < SIGNS; at++) {
        recordings[at] = RECORDING(&mini.recorder, signs[at].id);
        mini_open(&mini, &recordings[at], SERVER_URL("ws", "/echo?id=%s&onping=ignore", signs[at].id));
    }
    // Twice as long as they would live in silence.
    const int64_t life_ms = PING_MS + options.pong_timeout_ms;
    while (clock_ns() - start < 2 * ns(life_ms)) {
        pings++;
        for (size_t at = 0; at < SIGNS; at++) {
            SERVER_WAIT_N(signs[at].id, pings, "^ping");
            SERVER_COMMAND("do %s %s", signs[at].id, signs[at].action);
        }
    }
    CHECK_UINT(record_count(&mini.recorder, RECORD_ERROR, NULL), ==, 0);
    for (size_t at = 0; at < SIGNS; at++) {
        check_broken_by_silence(&mini, signs[at].id, start, 2 * life_ms);
    }
    mini_end(&mini);
    mini_shutdown();
}

// --- idle: no message in either direction; pings and pongs are none

static void an_idle_socket_is_closed(void) {
    for (MINI_EACH_DELIVERY(delivery)) {
        taro_app_options options = TARO_APP_OPTIONS_INIT;
        struct mini mini;
        options.delivery = delivery;
        options.ping_interval_ms = PING_MS;
        options.pong_timeout_ms = slow_ms(5000);
        options.idle_timeout_ms = IDLE_MS;
        mini_init(&mini, &options);
        struct recording a = RECORDING(&mini.recorder, "a");
        const int64_t start = clock_ns();
        mini_open(&mini, &a, SERVER_URL("ws", "/echo?id=idle"));
        const struct record *close = ends_after(&mini, "a", start, IDLE_MS, TARO_CAUSE_IDLE);
        CHECK_UINT(close->initiator, ==, TARO_INITIATOR_LIBRARY);
        mini_wait(&mini, RECORD_RELEASE, "a", 1);
        CHECK_SEQUENCE(&mini.recorder, "a", "success complete open close release");
        SERVER_WAIT("idle", "^close 1001");
        SERVER_WAIT("idle", "^end");
        mini_end(&mini);
        SERVER_COMMAND("forget idle");
    }
    mini_shutdown();
}

static void messages_in_either_direction_keep_it(void) {
    for (int inwards = 0; inwards < 2; inwards++) {
        taro_app_options options = TARO_APP_OPTIONS_INIT;
        struct mini mini;
        unsigned messages = 0;
        options.idle_timeout_ms = slow_ms(IDLE_MS);
        mini_init(&mini, &options);
        struct recording a = RECORDING(&mini.recorder, "a");
        const taro_socket socket = mini_open(&mini, &a, SERVER_URL("ws", "/sink?id=busy"));
        const int64_t start = clock_ns();
        int64_t last = start;
        while (last - start < 3 * ns(options.idle_timeout_ms)) {
            last = clock_ns();
            messages++;
            if (inwards) {
                SERVER_COMMAND("do busy text:hi");
                mini_wait(&mini, RECORD_MESSAGE, "a", messages);
            } else {
                mini_send(socket, "hi");
                SERVER_WAIT_N("busy", messages, "^text 2 hi");
            }
        }
        CHECK_UINT(record_count(&mini.recorder, RECORD_CLOSE, "a"), ==, 0);
        ends_after(&mini, "a", last, options.idle_timeout_ms, TARO_CAUSE_IDLE);
        mini_end(&mini);
        SERVER_COMMAND("forget busy");
    }
    mini_shutdown();
}

// --- the network has changed

static void a_changed_network_is_probed_at_once(void) {
    for (MINI_EACH_DELIVERY(delivery)) {
        taro_app_options options = TARO_APP_OPTIONS_INIT;
        struct mini mini, other;
        options.delivery = delivery;
        options.pong_timeout_ms = slow_ms(PONG_MS);
        mini_init(&mini, &options);
        mini_init(&other, &options);
        struct recording a = RECORDING(&mini.recorder, "a"), lives = RECORDING(&mini.recorder, "lives"),
                         stalls = RECORDING(&mini.recorder, "stalls"), b = RECORDING(&other.recorder, "b");
        mini_open(&mini, &a, SERVER_URL("ws", "/echo?id=dead&onping=ignore"));
        mini_open(&mini, &lives, SERVER_URL("ws", "/echo?id=lives"));
        mini_connect(&mini, &stalls, SERVER_URL("ws", "/echo?id=stalls&stall=request"));
        mini_open(&other, &b, SERVER_URL("ws", "/echo?id=other&onping=ignore"));
        SERVER_WAIT("stalls", "^request");
        const int64_t start = clock_ns();
        CHECK_STATUS(taro_app_network_changed(mini.app), TARO_STATUS_OK);
        SERVER_WAIT("dead", "^ping");
        SERVER_WAIT("lives", "^ping");
        check_broken_by_silence(&mini, "a", start, options.pong_timeout_ms);
        // Of the app that answered, of the one that connects, and of the other app nothing has ended.
        SERVER_COMMAND("do lives text:hi");
        mini_wait(&mini, RECORD_MESSAGE, "lives", 1);
        CHECK_SEQUENCE(&mini.recorder, "lives", "success complete open message");
        CHECK_SEQUENCE(&mini.recorder, "stalls", "success complete");
        SERVER_COMMAND("do other text:hi");
        mini_wait(&other, RECORD_MESSAGE, "b", 1);
        CHECK_UINT(SERVER_LOG_COUNT("other", "opcode=9"), ==, 0);
        // One ping for each change, and the answer is a new beginning.
        CHECK_UINT(SERVER_LOG_COUNT("lives", "opcode=9"), ==, 1);
        CHECK_STATUS(taro_app_network_changed(mini.app), TARO_STATUS_OK);
        SERVER_WAIT_N("lives", 2, "^ping");
        SERVER_COMMAND("do lives text:hi");
        mini_wait(&mini, RECORD_MESSAGE, "lives", 2);
        mini_end(&mini);
        mini_end(&other);
        SERVER_COMMAND("forget dead");
        SERVER_COMMAND("forget lives");
        SERVER_COMMAND("forget stalls");
        SERVER_COMMAND("forget other");
    }
    mini_shutdown();
}

static const struct test tests[] = {
    TEST("L24", pings_go_out_and_are_answered),
    TEST("L5 L21 L24", a_ping_without_answer_ends_it),
    TEST("L24", anything_that_comes_answers_a_ping),
    TEST("L5 L21 L24", an_idle_socket_is_closed),
    TEST("L24", messages_in_either_direction_keep_it),
    TEST("L24", a_changed_network_is_probed_at_once),
};

TEST_MAIN(tests)
