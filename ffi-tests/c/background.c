// L22: an app in the background: nothing new, and after the grace its sockets are interrupted. Deadlines: slept.c.
// needs: test-hooks
#include "mini.h"

// Moves the library's clock ahead, as a device's sleep would: its timers do not see it.
void taro_test_skew_clock(uint32_t milliseconds);

enum { GRACE_MS = 5000, SHORT_MS = 100 };

static void background(const struct mini *mini) {
    CHECK_STATUS(taro_app_set_background(mini->app, 1), TARO_STATUS_OK);
}

static void foreground(const struct mini *mini) {
    CHECK_STATUS(taro_app_set_background(mini->app, 0), TARO_STATUS_OK);
}

static void mini_init_grace(struct mini *mini, uint32_t delivery, uint32_t grace_ms) {
    taro_app_options options = TARO_APP_OPTIONS_INIT;
    options.delivery = delivery;
    options.background_grace_ms = grace_ms;
    options.pong_timeout_ms = UINT32_MAX; // no answer to a probe is missed because the clock was moved
    mini_init(mini, &options);
}

// The device wakes up: the host tells that the network changed, and the library looks at the clock.
static void device_sleeps(const struct mini *mini, uint32_t milliseconds) {
    taro_test_skew_clock(milliseconds);
    CHECK_STATUS(taro_app_network_changed(mini->app), TARO_STATUS_OK);
}

static void check_interrupted_close(struct mini *mini, const char *label) {
    const struct record *close = mini_wait(mini, RECORD_CLOSE, label, 1);
    CHECK_UINT(close->close_code, ==, 1006);
    CHECK_STR(close->reason, "interrupted");
    CHECK_UINT(close->was_clean, ==, 0);
    CHECK_UINT(close->initiator, ==, TARO_INITIATOR_LIBRARY);
    CHECK_UINT(close->cause, ==, TARO_CAUSE_INTERRUPTED);
    CHECK_INT(close->os_error, ==, 0);
    CHECK_UINT(record_count(&mini->recorder, RECORD_ERROR, label), ==, 0);
}

// It answers, and has not ended.
static void check_alive(struct mini *mini, const char *id) {
    const size_t before = record_count(&mini->recorder, RECORD_MESSAGE, id);
    SERVER_COMMAND("do %s text:alive", id);
    CHECK_STR(mini_wait(mini, RECORD_MESSAGE, id, before + 1)->data, "alive");
    CHECK_UINT(record_count(&mini->recorder, RECORD_CLOSE, id), ==, 0);
}

// --- from the moment it is set

static void check_refused(struct mini *mini, const char *label, const char *err_msg, const char *reason) {
    mini_wait(mini, RECORD_RELEASE, label, 1);
    CHECK_SEQUENCE(&mini->recorder, label, "fail complete release");
    const struct record *fail = mini_find(mini, RECORD_FAIL, label, 1);
    CHECK_INT(fail->status, ==, TARO_STATUS_INTERRUPTED);
    CHECK_INT(fail->err_no, ==, 600003);
    CHECK_INT(fail->code, ==, 600003);
    CHECK_STR(fail->err_msg, err_msg);
    CHECK_STR(fail->reason, reason);
    CHECK_UINT(fail->cause, ==, TARO_CAUSE_NONE);
}

static void connect_and_send_fail_at_once(void) {
    for (MINI_EACH_DELIVERY(delivery)) {
        struct mini mini;
        taro_socket none = 4711;
        mini_init_of(&mini, delivery);
        struct recording a = RECORDING(&mini.recorder, "a"), sent = RECORDING(&mini.recorder, "sent"),
                         refused = RECORDING(&mini.recorder, "refused");
        const taro_socket socket = mini_open(&mini, &a, SERVER_URL("ws", "/sink?id=a"));
        background(&mini);
        taro_connect_options connect = record_connect_options(&refused, SERVER_URL("ws", "/echo?id=never"));
        connect.app = mini.app;
        CHECK_STATUS(taro_connect_socket(&connect, &none), TARO_STATUS_INTERRUPTED);
        CHECK_UINT(none, ==, 0);
        check_refused(&mini, "refused", "connectSocket:fail interrupted", "interrupted");
        taro_send_options send = record_send_text_options(&sent, "never");
        CHECK_STATUS(taro_socket_send(socket, &send), TARO_STATUS_INTERRUPTED);
        check_refused(&mini, "sent", "sendSocketMessage:fail interrupted", "interrupted");
        CHECK_STATUS(taro_socket_send_text(socket, "never", 5), TARO_STATUS_INTERRUPTED);
        CHECK_STATUS(taro_socket_send_binary(socket, "never", 5), TARO_STATUS_INTERRUPTED);
        CHECK_STATUS(taro_socket_ping(socket, "never", 5), TARO_STATUS_INTERRUPTED);
        CHECK_UINT(mini_live(&mini), ==, 1);

        // Back again, all of it works, and nothing of before has gone out.
        foreground(&mini);
        mini_send(socket, "now");
        SERVER_WAIT("a", "^text 3 now");
        CHECK_UINT(SERVER_LOG_COUNT("a", "never"), ==, 0);
        CHECK_UINT(SERVER_LOG_COUNT("a", "ping"), ==, 0);
        CHECK_TEXT(SERVER_LOG("never"), "");
        struct recording b = RECORDING(&mini.recorder, "b");
        mini_open(&mini, &b, SERVER_URL("ws", "/echo"));
        mini_end(&mini);
        SERVER_COMMAND("forget a");
    }
    mini_shutdown();
}

static void an_app_may_be_set_before_its_first_socket(void) {
    struct mini mini;
    taro_socket none = 4711;
    mini_init_of(&mini, TARO_DELIVERY_DIRECT);
    struct recording a = RECORDING(&mini.recorder, "a"), refused = RECORDING(&mini.recorder, "refused");
    background(&mini);
    taro_connect_options connect = record_connect_options(&refused, SERVER_URL("ws", "/echo"));
    connect.app = mini.app;
    CHECK_STATUS(taro_connect_socket(&connect, &none), TARO_STATUS_INTERRUPTED);
    CHECK_STATUS(taro_app_set_background(mini.app, 2), TARO_STATUS_BAD_ARGUMENT);
    foreground(&mini);
    foreground(&mini);
    mini_open(&mini, &a, SERVER_URL("ws", "/echo"));
    mini_end(&mini);
    mini_shutdown();
}

static void close_works(void) {
    for (MINI_EACH_DELIVERY(delivery)) {
        struct mini mini;
        mini_init_of(&mini, delivery);
        struct recording a = RECORDING(&mini.recorder, "a"), b = RECORDING(&mini.recorder, "b"),
                         closed = RECORDING(&mini.recorder, "closed");
        const taro_socket open = mini_open(&mini, &a, SERVER_URL("ws", "/echo?id=closing"));
        const taro_socket connecting = mini_connect(&mini, &b, SERVER_URL("ws", "/echo?stall=request"));
        background(&mini);
        taro_close_options close = record_close_options(&closed, 3001, "bye");
        CHECK_STATUS(taro_socket_close(open, &close), TARO_STATUS_OK);
        mini_wait(&mini, RECORD_RELEASE, "closed", 1);
        CHECK_SEQUENCE(&mini.recorder, "closed", "success complete release");
        CHECK_UINT(mini_wait(&mini, RECORD_CLOSE, "a", 1)->was_clean, ==, 1);
        SERVER_WAIT("closing", "^close 3001 bye");
        mini_close(connecting);
        CHECK_UINT(mini_wait(&mini, RECORD_CLOSE, "b", 1)->close_code, ==, 1000);
        mini_end(&mini);
        SERVER_COMMAND("forget closing");
    }
    mini_shutdown();
}

// --- until the grace is over

static void events_go_on_until_then(void) {
    for (MINI_EACH_DELIVERY(delivery)) {
        struct mini mini;
        mini_init_of(&mini, delivery);
        struct recording a = RECORDING(&mini.recorder, "a"), b = RECORDING(&mini.recorder, "b");
        mini_open(&mini, &a, SERVER_URL("ws", "/echo?id=a"));
        mini_connect(&mini, &b, SERVER_URL("ws", "/echo?drip=1"));
        background(&mini);
        check_alive(&mini, "a");
        SERVER_COMMAND("do a text:alive;close:3000:peer");
        CHECK_UINT(mini_wait(&mini, RECORD_CLOSE, "a", 1)->close_code, ==, 3000);
        CHECK_UINT(record_count(&mini.recorder, RECORD_MESSAGE, "a"), ==, 2);
        mini_wait(&mini, RECORD_OPEN, "b", 1);
        mini_end(&mini);
        SERVER_COMMAND("forget a");
    }
    mini_shutdown();
}

// --- the end of the grace

static void open_and_connecting_sockets_are_interrupted(void) {
    for (MINI_EACH_DELIVERY(delivery)) {
        struct mini mini;
        mini_init_grace(&mini, delivery, SHORT_MS);
        struct recording a = RECORDING(&mini.recorder, "a"), b = RECORDING(&mini.recorder, "b");
        mini_open(&mini, &a, SERVER_URL("ws", "/echo?id=a"));
        mini_connect(&mini, &b, SERVER_URL("ws", "/echo?stall=request"));
        const int64_t start = clock_ns();
        background(&mini);
        check_interrupted_close(&mini, "a");
        CHECK_INT(mini_find(&mini, RECORD_CLOSE, "a", 1)->at_ns - start, >=, (int64_t)SHORT_MS * 1000000);
        CHECK_INT(mini_find(&mini, RECORD_CLOSE, "a", 1)->at_ns, <=, start + (int64_t)3000000000 * wait_slow());
        const struct record *error = mini_wait(&mini, RECORD_ERROR, "b", 1);
        CHECK_INT(error->status, ==, TARO_STATUS_INTERRUPTED);
        CHECK_INT(error->err_no, ==, 600003);
        CHECK_STR(error->err_msg, "connectSocket:fail interrupted");
        CHECK_UINT(error->cause, ==, TARO_CAUSE_INTERRUPTED);
        mini_wait(&mini, RECORD_RELEASE, "a", 1);
        mini_wait(&mini, RECORD_RELEASE, "b", 1);
        CHECK_SEQUENCE(&mini.recorder, "a", "success complete open close release");
        CHECK_SEQUENCE(&mini.recorder, "b", "success complete error release");
        SERVER_WAIT("a", "^end");
        CHECK_UINT(mini_live(&mini), ==, 0);

        // It stays in the background, until it comes back.
        taro_socket none;
        struct recording refused = RECORDING(&mini.recorder, "refused"), c = RECORDING(&mini.recorder, "c");
        taro_connect_options connect = record_connect_options(&refused, SERVER_URL("ws", "/echo"));
        connect.app = mini.app;
        CHECK_STATUS(taro_connect_socket(&connect, &none), TARO_STATUS_INTERRUPTED);
        foreground(&mini);
        mini_open(&mini, &c, SERVER_URL("ws", "/echo?id=c"));
        check_alive(&mini, "c");
        mini_end(&mini);
        SERVER_COMMAND("forget a");
        SERVER_COMMAND("forget c");
    }
    mini_shutdown();
}

// What was accepted before fails first.
static void pending_sends_fail_before_close(void) {
    static char bytes[8 * 1024 * 1024];
    struct mini mini;
    mini_init_grace(&mini, TARO_DELIVERY_DIRECT, SHORT_MS);
    struct recording a = RECORDING(&mini.recorder, "a"), sent = RECORDING(&mini.recorder, "sent");
    const taro_socket socket = mini_open(&mini, &a, SERVER_URL("ws_small", "/deaf"));
    taro_send_options send = record_send_options(&sent, TARO_MESSAGE_BINARY, bytes, sizeof bytes);
    CHECK_STATUS(taro_socket_send(socket, &send), TARO_STATUS_OK);
    background(&mini);
    check_interrupted_close(&mini, "a");
    CHECK_BEFORE(&mini.recorder, RECORD_COMPLETE, "sent", RECORD_CLOSE, "a");
    CHECK_INT(mini_find(&mini, RECORD_FAIL, "sent", 1)->status, ==, TARO_STATUS_NOT_CONNECTED);
    CHECK_UINT(mini_buffered(socket), ==, 0);
    mini_end(&mini);
    mini_shutdown();
}

// A close that was accepted is not interrupted: it ends as it would have.
static void a_closing_socket_is_not_interrupted(void) {
    taro_app_options options = TARO_APP_OPTIONS_INIT;
    struct mini mini;
    options.background_grace_ms = 20;
    options.close_timeout_ms = 200;
    mini_init(&mini, &options);
    struct recording a = RECORDING(&mini.recorder, "a");
    const taro_socket socket = mini_open(&mini, &a, SERVER_URL("ws", "/echo?onclose=ignore"));
    taro_close_options close = TARO_CLOSE_OPTIONS_INIT;
    close.code = 3001;
    close.reason = TARO_STR("bye");
    CHECK_STATUS(taro_socket_close(socket, &close), TARO_STATUS_OK);
    background(&mini);
    const struct record *record = mini_wait(&mini, RECORD_CLOSE, "a", 1);
    CHECK_UINT(record->close_code, ==, 3001);
    CHECK_STR(record->reason, "bye");
    CHECK_UINT(record->cause, ==, TARO_CAUSE_TIMEOUT);
    mini_end(&mini);
    mini_shutdown();
}

static void grace_is_five_seconds_and_counts_sleep(void) {
    for (MINI_EACH_DELIVERY(delivery)) {
        struct mini mini;
        mini_init_of(&mini, delivery);
        struct recording a = RECORDING(&mini.recorder, "a");
        mini_open(&mini, &a, SERVER_URL("ws", "/echo?id=a"));
        const int64_t start = clock_ms();
        background(&mini);
        device_sleeps(&mini, GRACE_MS - 1000);
        SERVER_WAIT("a", "^ping");
        SERVER_COMMAND("do a text:alive");
        mini_wait(&mini, RECORD_MESSAGE, "a", 1);
        const int has_ended = record_count(&mini.recorder, RECORD_CLOSE, "a") > 0;
        // A slow machine may have used up the second that was left.
        CHECK(!has_ended || clock_ms() - start >= 1000);
        device_sleeps(&mini, 1000);
        check_interrupted_close(&mini, "a");
        CHECK_INT(clock_ms() - start, <, GRACE_MS * wait_slow());
        mini_end(&mini);
        SERVER_COMMAND("forget a");
    }
    mini_shutdown();
}

// The foreground is where the host learns of it too, if the device slept through the grace.
static void foreground_after_a_long_sleep_is_too_late(void) {
    struct mini mini;
    mini_init_of(&mini, TARO_DELIVERY_DIRECT);
    struct recording a = RECORDING(&mini.recorder, "a"), b = RECORDING(&mini.recorder, "b");
    mini_open(&mini, &a, SERVER_URL("ws", "/echo"));
    background(&mini);
    taro_test_skew_clock(GRACE_MS);
    foreground(&mini);
    check_interrupted_close(&mini, "a");
    mini_open(&mini, &b, SERVER_URL("ws", "/echo"));
    mini_end(&mini);
    mini_shutdown();
}

// --- what cancels it, and what does not

// The second app's grace, of the same length and begun later, is over before the first one's is looked at.
static void foreground_cancels(void) {
    struct mini mini, later;
    mini_init_grace(&mini, TARO_DELIVERY_DIRECT, SHORT_MS);
    mini_init_grace(&later, TARO_DELIVERY_DIRECT, SHORT_MS);
    struct recording a = RECORDING(&mini.recorder, "a"), b = RECORDING(&later.recorder, "b");
    const taro_socket socket = mini_open(&mini, &a, SERVER_URL("ws", "/echo?id=a"));
    mini_open(&later, &b, SERVER_URL("ws", "/echo?id=b"));
    background(&mini);
    foreground(&mini);
    background(&later);
    check_interrupted_close(&later, "b");
    check_alive(&mini, "a");
    mini_send(socket, "alive too");
    CHECK_STR(mini_wait(&mini, RECORD_MESSAGE, "a", 2)->data, "alive too");
    mini_end(&mini);
    mini_end(&later);
    mini_shutdown();
}

static void each_time_in_the_background_has_its_own_grace(void) {
    struct mini mini;
    mini_init_grace(&mini, TARO_DELIVERY_DIRECT, 60000 * wait_slow());
    struct recording a = RECORDING(&mini.recorder, "a");
    mini_open(&mini, &a, SERVER_URL("ws", "/echo?id=a"));
    for (int time = 0; time < 3; time++) {
        background(&mini);
        device_sleeps(&mini, 40000 * wait_slow());
        check_alive(&mini, "a");
        foreground(&mini);
    }
    // To set it again is not a new beginning.
    background(&mini);
    device_sleeps(&mini, 40000 * wait_slow());
    background(&mini);
    device_sleeps(&mini, 20000 * wait_slow());
    check_interrupted_close(&mini, "a");
    mini_end(&mini);
    mini_shutdown();
}

static void other_apps_do_not_notice(void) {
    struct mini mini, other;
    mini_init_grace(&mini, TARO_DELIVERY_DIRECT, SHORT_MS);
    mini_init_grace(&other, TARO_DELIVERY_DIRECT, SHORT_MS);
    struct recording a = RECORDING(&mini.recorder, "a"), b = RECORDING(&other.recorder, "b"),
                     c = RECORDING(&other.recorder, "c");
    mini_open(&mini, &a, SERVER_URL("ws", "/echo?id=a"));
    const taro_socket socket = mini_open(&other, &b, SERVER_URL("ws", "/echo?id=b"));
    background(&mini);
    mini_send(socket, "works");
    mini_open(&other, &c, SERVER_URL("ws", "/echo"));
    check_interrupted_close(&mini, "a");
    check_alive(&other, "b");
    mini_end(&mini);
    mini_end(&other);

    // The default app is one like the others; made anew it is in the foreground.
    struct recorder recorder;
    taro_socket none;
    recorder_init(&recorder);
    struct recording d = RECORDING(&recorder, "d"), e = RECORDING(&recorder, "e");
    CHECK_STATUS(taro_app_set_background(0, 1), TARO_STATUS_OK);
    taro_connect_options connect = record_connect_options(&d, SERVER_URL("ws", "/echo"));
    CHECK_STATUS(taro_connect_socket(&connect, &none), TARO_STATUS_INTERRUPTED);
    RECORD_WAIT(&recorder, RECORD_RELEASE, "d", 1);
    CHECK_STATUS(taro_app_release(0), TARO_STATUS_OK);
    connect = record_connect_options(&e, SERVER_URL("ws", "/echo"));
    mini_accepted(&connect);
    RECORD_WAIT(&recorder, RECORD_OPEN, "e", 1);
    CHECK_STATUS(taro_app_release(0), TARO_STATUS_OK);
    recorder_end(&recorder);
    mini_shutdown();
}

static const struct test tests[] = {
    TEST("L22", connect_and_send_fail_at_once),
    TEST("L22", an_app_may_be_set_before_its_first_socket),
    TEST("L22", close_works),
    TEST("L22", events_go_on_until_then),
    TEST("L5 L21 L22", open_and_connecting_sockets_are_interrupted),
    TEST("L2 L5 L22", pending_sends_fail_before_close),
    TEST("L20 L22", a_closing_socket_is_not_interrupted),
    TEST("L22", grace_is_five_seconds_and_counts_sleep),
    TEST("L22", foreground_after_a_long_sleep_is_too_late),
    TEST("L22", foreground_cancels),
    TEST("L22", each_time_in_the_background_has_its_own_grace),
    TEST("L22", other_apps_do_not_notice),
};

TEST_MAIN(tests)
