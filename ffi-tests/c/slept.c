// L22, L24: deadlines count the time that the device slept. The runtime's timers do not, so they are looked at anew
// when the host tells that it is awake: the app comes to the foreground, or the network has changed.
// needs: test-hooks
#include "blocked.h"
#include "mini.h"

// Moves the library's clock ahead, as a device's sleep would: its timers do not see it.
void taro_test_skew_clock(uint32_t milliseconds);

enum { MINUTE_MS = 60 * 1000 };

// --- how the library learns that time has passed

enum awake { NETWORK_CHANGED, FOREGROUND, AWAKES };

static const char *const awake_names[] = {"network changed", "foreground"};

static void mini_init_slept(struct mini *mini, const taro_app_options *more) {
    taro_app_options options = *more;
    options.background_grace_ms = 100 * MINUTE_MS;
    mini_init(mini, &options);
}

static void device_sleeps(struct mini *mini, uint32_t milliseconds, enum awake awake) {
    // The I/O thread has nothing to do: its timers are set for what was known before.
    const long thread = mini_wait(mini, RECORD_COMPLETE, "a", 1)->thread;
    EVENTUALLY(blocked_state(thread) != 'R');
    if (awake == FOREGROUND) {
        CHECK_STATUS(taro_app_set_background(mini->app, 1), TARO_STATUS_OK);
        taro_test_skew_clock(milliseconds);
        CHECK_STATUS(taro_app_set_background(mini->app, 0), TARO_STATUS_OK);
    } else {
        taro_test_skew_clock(milliseconds);
        CHECK_STATUS(taro_app_network_changed(mini->app), TARO_STATUS_OK);
    }
}

static void each_awake(void (*run)(enum awake awake)) {
    for (enum awake awake = 0; awake < AWAKES; awake++) {
        mini_row(awake_names[awake]);
        run(awake);
    }
    mini_row(NULL);
    mini_shutdown();
}

// Far less than the deadline that was slept through.
static void check_at_once(int64_t start_ms) { CHECK_INT(clock_ms() - start_ms, <, 5000 * wait_slow()); }

// --- each deadline

static void connect_slept_through(enum awake awake) {
    const taro_app_options options = TARO_APP_OPTIONS_INIT;
    struct mini mini;
    const int64_t start = clock_ms();
    mini_init_slept(&mini, &options);
    struct recording a = RECORDING(&mini.recorder, "a");
    mini_connect(&mini, &a, SERVER_URL("ws", "/echo?id=connect%d&stall=request", awake));
    SERVER_WAIT(awake ? "connect1" : "connect0", "^request");
    device_sleeps(&mini, MINUTE_MS, awake);
    CHECK_INT(mini_wait(&mini, RECORD_ERROR, "a", 1)->status, ==, TARO_STATUS_CONNECT_TIMEOUT);
    check_at_once(start);
    mini_end(&mini);
}

static void connect_timeout(void) { each_awake(connect_slept_through); }

static void close_slept_through(enum awake awake) {
    const taro_app_options options = TARO_APP_OPTIONS_INIT;
    struct mini mini;
    const int64_t start = clock_ms();
    mini_init_slept(&mini, &options);
    struct recording a = RECORDING(&mini.recorder, "a");
    const taro_socket socket = mini_open(&mini, &a, SERVER_URL("ws", "/echo?id=close%d&onclose=ignore", awake));
    mini_close(socket);
    SERVER_WAIT(awake ? "close1" : "close0", "^close 1000");
    device_sleeps(&mini, 10 * 1000, awake);
    CHECK_UINT(mini_wait(&mini, RECORD_CLOSE, "a", 1)->cause, ==, TARO_CAUSE_TIMEOUT);
    check_at_once(start);
    mini_end(&mini);
}

static void close_timeout(void) { each_awake(close_slept_through); }

static void pong_slept_through(enum awake awake) {
    taro_app_options options = TARO_APP_OPTIONS_INIT;
    struct mini mini;
    const int64_t start = clock_ms();
    options.ping_interval_ms = 50;
    options.pong_timeout_ms = MINUTE_MS;
    mini_init_slept(&mini, &options);
    struct recording a = RECORDING(&mini.recorder, "a");
    mini_open(&mini, &a, SERVER_URL("ws", "/echo?id=pong%d&onping=ignore", awake));
    SERVER_WAIT(awake ? "pong1" : "pong0", "^ping");
    device_sleeps(&mini, MINUTE_MS, awake);
    CHECK_UINT(mini_wait(&mini, RECORD_CLOSE, "a", 1)->cause, ==, TARO_CAUSE_PONG_TIMEOUT);
    check_at_once(start);
    mini_end(&mini);
}

static void pong_timeout(void) { each_awake(pong_slept_through); }

static void idle_slept_through(enum awake awake) {
    taro_app_options options = TARO_APP_OPTIONS_INIT;
    struct mini mini;
    const int64_t start = clock_ms();
    options.idle_timeout_ms = MINUTE_MS;
    mini_init_slept(&mini, &options);
    struct recording a = RECORDING(&mini.recorder, "a");
    mini_open(&mini, &a, SERVER_URL("ws", "/echo"));
    device_sleeps(&mini, MINUTE_MS, awake);
    CHECK_UINT(mini_wait(&mini, RECORD_CLOSE, "a", 1)->cause, ==, TARO_CAUSE_IDLE);
    check_at_once(start);
    mini_end(&mini);
}

static void idle_timeout(void) { each_awake(idle_slept_through); }

// --- and no more than that

// Asleep for less than any of them: nothing has ended.
static void a_short_sleep_ends_nothing(void) {
    taro_app_options options = TARO_APP_OPTIONS_INIT;
    struct mini mini;
    options.pong_timeout_ms = options.idle_timeout_ms = 2 * MINUTE_MS;
    mini_init_slept(&mini, &options);
    struct recording a = RECORDING(&mini.recorder, "a"), b = RECORDING(&mini.recorder, "b");
    mini_open(&mini, &a, SERVER_URL("ws", "/echo?id=short"));
    taro_connect_options connect = record_connect_options(&b, SERVER_URL("ws", "/echo?id=stalled&stall=request"));
    connect.app = mini.app;
    connect.timeout_ms = 2 * MINUTE_MS;
    mini_accepted(&connect);
    SERVER_WAIT("stalled", "^request");
    for (enum awake awake = 0; awake < AWAKES; awake++) {
        device_sleeps(&mini, MINUTE_MS / 2, awake);
        SERVER_COMMAND("do short text:alive");
        mini_wait(&mini, RECORD_MESSAGE, "a", 1 + (size_t)awake);
    }
    CHECK_SEQUENCE(&mini.recorder, "a", "success complete open message message");
    CHECK_SEQUENCE(&mini.recorder, "b", "success complete");
    mini_end(&mini);
    mini_shutdown();
}

// Without a pong timeout of its own an app gives the probe of "network changed" five seconds.
static void a_probe_has_five_seconds(void) {
    const taro_app_options options = TARO_APP_OPTIONS_INIT;
    struct mini mini;
    mini_init_slept(&mini, &options);
    struct recording a = RECORDING(&mini.recorder, "a");
    mini_open(&mini, &a, SERVER_URL("ws", "/echo?id=probe&onping=ignore"));
    const int64_t start = clock_ms();
    device_sleeps(&mini, 0, NETWORK_CHANGED);
    SERVER_WAIT("probe", "^ping");
    device_sleeps(&mini, 4000, NETWORK_CHANGED);
    SERVER_WAIT_N("probe", 2, "^ping");
    const int has_ended = record_count(&mini.recorder, RECORD_CLOSE, "a") > 0;
    // A slow machine may have used up the second that was left.
    CHECK(!has_ended || clock_ms() - start >= 1000);
    device_sleeps(&mini, 1000, NETWORK_CHANGED);
    CHECK_UINT(mini_wait(&mini, RECORD_CLOSE, "a", 1)->cause, ==, TARO_CAUSE_PONG_TIMEOUT);
    CHECK_INT(clock_ms() - start, <, 4000 * wait_slow());
    mini_end(&mini);
    mini_shutdown();
}

static const struct test tests[] = {
    TEST("L13 L22", connect_timeout),
    TEST("L20 L22", close_timeout),
    TEST("L22 L24", pong_timeout),
    TEST("L22 L24", idle_timeout),
    TEST("L22", a_short_sleep_ends_nothing),
    TEST("L24", a_probe_has_five_seconds),
};

TEST_MAIN(tests)
