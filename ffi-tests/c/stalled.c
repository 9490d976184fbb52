// L24: while the library itself has stopped reading, silence is not the peer's: deadlines stand still.
#include "mini.h"

enum { PING_MS = 50, PONG_MS = 500, IDLE_MS = 500, ROUNDS = 2 };

// Deadlines of the library that must not pass while the test does something in between.
static uint32_t slow_ms(uint32_t milliseconds) { return milliseconds * wait_slow(); }

// How it comes to stop: a paused socket, or a host that does not dispatch, with as much as may wait.
static const struct stopped {
    const char *name;
    uint32_t delivery;
    uint32_t ping_ms;
    uint32_t idle_ms;
} stops[] = {
    {"paused, pings", TARO_DELIVERY_DIRECT, PING_MS, 0},
    {"paused, idle", TARO_DELIVERY_DIRECT, 0, IDLE_MS},
    {"queue is full, pings", TARO_DELIVERY_HOST, PING_MS, 0},
    {"queue is full, idle", TARO_DELIVERY_HOST, 0, IDLE_MS},
};

// The same deadlines without anything that stops it: when they have passed, and once more.
static void wait_for_a_witness(const struct stopped *row) {
    for (int round = 0; round < ROUNDS; round++) {
        taro_app_options options = TARO_APP_OPTIONS_INIT;
        struct mini witness;
        options.ping_interval_ms = row->ping_ms;
        options.pong_timeout_ms = row->ping_ms ? slow_ms(PONG_MS) : 0;
        options.idle_timeout_ms = slow_ms(row->idle_ms);
        mini_init(&witness, &options);
        struct recording w = RECORDING(&witness.recorder, "w");
        mini_open(&witness, &w, SERVER_URL("ws", "/echo?onping=ignore"));
        RECORD_WAIT(&witness.recorder, RECORD_CLOSE, "w", 1);
        mini_end(&witness);
    }
}

static void stop_reading(const struct stopped *row) {
    taro_app_options options = TARO_APP_OPTIONS_INIT;
    struct mini mini;
    options.delivery = row->delivery;
    options.pause_limit_bytes = options.queue_limit_bytes = 1000;
    options.ping_interval_ms = row->ping_ms;
    options.pong_timeout_ms = row->ping_ms ? slow_ms(PONG_MS) : 0;
    options.idle_timeout_ms = slow_ms(row->idle_ms);
    mini_init(&mini, &options);
    struct recording a = RECORDING(&mini.recorder, "a");
    const taro_socket socket = mini_open(&mini, &a, SERVER_URL("ws", "/sink?id=stopped"));
    const int paused = row->delivery == TARO_DELIVERY_DIRECT;
    if (paused) {
        CHECK_STATUS(taro_socket_pause(socket), TARO_STATUS_OK);
    }
    // More than the system keeps between the two: the server's pongs stand behind it.
    SERVER_COMMAND("do stopped burst:100:100000");
    EVENTUALLY(mini_counters(socket).messages_received == 1);
    wait_for_a_witness(row);
    CHECK_UINT(mini_live(&mini), ==, 1);
    CHECK_UINT(mini_counters(socket).messages_received, ==, 1);
    if (paused) {
        CHECK_STATUS(taro_socket_resume(socket), TARO_STATUS_OK);
    }
    mini_wait(&mini, RECORD_MESSAGE, "a", 100);
    CHECK_UINT(record_count(&mini.recorder, RECORD_ERROR, "a"), ==, 0);
    CHECK_UINT(record_count(&mini.recorder, RECORD_CLOSE, "a"), ==, 0);
    // The clock runs again.
    if (row->idle_ms) {
        CHECK_UINT(mini_wait(&mini, RECORD_CLOSE, "a", 1)->cause, ==, TARO_CAUSE_IDLE);
    } else {
        EVENTUALLY(mini_counters(socket).pongs_received > 0);
    }
    mini_end(&mini);
    SERVER_COMMAND("forget stopped");
}

static void deadlines_stand_still_while_nothing_is_read(void) {
    for (size_t at = 0; at < sizeof stops / sizeof *stops; at++) {
        mini_row(stops[at].name);
        stop_reading(&stops[at]);
    }
    mini_row(NULL);
    mini_shutdown();
}

// A pause alone does not stop it: the end is found, and told after the resume.
static void a_paused_socket_that_reads_is_watched(void) {
    taro_app_options options = TARO_APP_OPTIONS_INIT;
    struct mini mini;
    options.ping_interval_ms = PING_MS;
    options.pong_timeout_ms = PONG_MS;
    mini_init(&mini, &options);
    struct recording a = RECORDING(&mini.recorder, "a");
    const taro_socket socket = mini_connect_paused(&mini, &a, SERVER_URL("ws", "/echo?onping=ignore"));
    EVENTUALLY(mini_live(&mini) == 0);
    CHECK_UINT(record_count(&mini.recorder, RECORD_OPEN, "a"), ==, 0);
    CHECK_STATUS(taro_socket_resume(socket), TARO_STATUS_OK);
    CHECK_UINT(mini_wait(&mini, RECORD_CLOSE, "a", 1)->cause, ==, TARO_CAUSE_PONG_TIMEOUT);
    mini_wait(&mini, RECORD_RELEASE, "a", 1);
    CHECK_SEQUENCE(&mini.recorder, "a", "success complete open error close release");
    mini_end(&mini);
    mini_shutdown();
}

static const struct test tests[] = {
    TEST("L24", deadlines_stand_still_while_nothing_is_read),
    TEST("L7 L24", a_paused_socket_that_reads_is_watched),
};

TEST_MAIN(tests)
