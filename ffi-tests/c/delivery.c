// L6, L29: host delivery. Everything runs inside dispatch, on the thread that calls it, and as much of it as was
// asked for. Wake-up and descriptor: wakeup.c; what a full queue does: queue.c.
#include "mini.h"

// --- where callbacks run

static void on_this_thread(struct mini *mini) {
    for (size_t at = 0; at < record_len(&mini->recorder); at++) {
        CHECK_INT(record_at(&mini->recorder, at)->thread, ==, record_thread());
    }
}

struct caller {
    taro_socket socket;
    taro_send_options send;
    taro_close_options close;
};

static void sends_and_closes(void *context) {
    struct caller *caller = context;
    CHECK_STATUS(taro_socket_send(caller->socket, &caller->send), TARO_STATUS_OK);
    CHECK_STATUS(taro_socket_close(caller->socket, &caller->close), TARO_STATUS_OK);
}

// A whole life: each kind of callback waits for dispatch, whoever made the call and whatever the peer did.
static void nothing_runs_outside_dispatch(void) {
    struct mini mini;
    struct test_thread thread;
    mini_init_of(&mini, TARO_DELIVERY_HOST);
    struct recording a = RECORDING(&mini.recorder, "a"), sent = RECORDING(&mini.recorder, "sent"),
                     closed = RECORDING(&mini.recorder, "closed");
    struct caller caller;
    caller.socket = mini_connect(&mini, &a, SERVER_URL("ws", "/echo?id=life&act=text:hi"));
    mini_in_step("life", 1);
    CHECK_UINT(record_len(&mini.recorder), ==, 0);
    CHECK_UINT(mini_state(caller.socket), ==, TARO_READY_STATE_CONNECTING);
    CHECK_STATUS(taro_app_dispatch(mini.app, 0, NULL), TARO_STATUS_OK);
    CHECK_SEQUENCE(&mini.recorder, "a", "success complete open message");

    caller.send = record_send_text_options(&sent, "there");
    caller.close = record_close_options(&closed, 1000, "bye");
    thread_start(&thread, sends_and_closes, &caller);
    THREAD_JOIN(&thread);
    SERVER_WAIT("life", "^close 1000 bye");
    SERVER_WAIT("life", "^end");
    CHECK_UINT(record_len(&mini.recorder), ==, 4);
    mini_wait(&mini, RECORD_RELEASE, "a", 1);
    CHECK_SEQUENCE(&mini.recorder, "a", "success complete open message close release");
    CHECK_SEQUENCE(&mini.recorder, "sent", "success complete release");
    CHECK_SEQUENCE(&mini.recorder, "closed", "success complete release");
    on_this_thread(&mini);
    mini_end(&mini);
    mini_shutdown();
}

static void errors_and_refusals_wait_too(void) {
    struct mini mini;
    mini_init_of(&mini, TARO_DELIVERY_HOST);
    struct recording a = RECORDING(&mini.recorder, "a"), refused = RECORDING(&mini.recorder, "refused");
    mini_connect(&mini, &a, SERVER_URL("refuse", "/"));
    mini_refuse(&mini, &refused);
    EVENTUALLY(mini_live(&mini) == 0);
    CHECK_UINT(record_len(&mini.recorder), ==, 0);
    mini_wait(&mini, RECORD_RELEASE, "a", 1);
    CHECK_SEQUENCE(&mini.recorder, "a", "success complete error release");
    CHECK_SEQUENCE(&mini.recorder, "refused", "fail complete release");
    on_this_thread(&mini);
    mini_end(&mini);
    mini_shutdown();
}

// What is left to release when a socket goes has its turn in dispatch as well.
static void a_released_socket_gives_back_inside_dispatch(void) {
    struct mini mini;
    mini_init_of(&mini, TARO_DELIVERY_HOST);
    struct recording a = RECORDING(&mini.recorder, "a");
    const taro_socket socket = mini_open(&mini, &a, SERVER_URL("ws", "/echo?id=released"));
    CHECK_STATUS(taro_socket_release(socket), TARO_STATUS_OK);
    SERVER_WAIT("released", "^end");
    CHECK_UINT(record_count(&mini.recorder, RECORD_RELEASE, "a"), ==, 0);
    CHECK_STATUS(taro_app_dispatch(mini.app, 0, NULL), TARO_STATUS_OK);
    CHECK_SEQUENCE(&mini.recorder, "a", "success complete open release");
    on_this_thread(&mini);
    mini_end(&mini);
    mini_shutdown();
}

// The thread that dispatches may change from one call to the next.
static void dispatches(void *context) {
    const struct mini *mini = context;
    CHECK_STATUS(taro_app_dispatch(mini->app, 0, NULL), TARO_STATUS_OK);
}

static void callbacks_run_on_whichever_thread_dispatches(void) {
    struct mini mini;
    struct test_thread thread;
    mini_init_of(&mini, TARO_DELIVERY_HOST);
    struct recording a = RECORDING(&mini.recorder, "a"), b = RECORDING(&mini.recorder, "b");
    mini_refuse(&mini, &a);
    thread_start(&thread, dispatches, &mini);
    THREAD_JOIN(&thread);
    mini_refuse(&mini, &b);
    dispatches(&mini);
    CHECK_INT(mini_find(&mini, RECORD_FAIL, "a", 1)->thread, !=, record_thread());
    CHECK_INT(mini_find(&mini, RECORD_FAIL, "b", 1)->thread, ==, record_thread());
    mini_end(&mini);
    mini_shutdown();
}

// --- how many of them

static void max_events_and_left(void) {
    struct mini mini;
    size_t left = 99;
    mini_init_of(&mini, TARO_DELIVERY_HOST);
    struct recording a = RECORDING(&mini.recorder, "a");
    mini_connect(&mini, &a, SERVER_URL("ws", "/echo?id=ten&act=numbers:10"));
    mini_in_step("ten", 1);
    // One delivery of the connect's results, one of open, ten of messages.
    CHECK_STATUS(taro_app_dispatch(mini.app, 1, &left), TARO_STATUS_OK);
    CHECK_UINT(left, ==, 11);
    CHECK_SEQUENCE(&mini.recorder, "a", "success complete");
    CHECK_STATUS(taro_app_dispatch(mini.app, 4, NULL), TARO_STATUS_OK);
    CHECK_SEQUENCE(&mini.recorder, "a", "success complete open message message message");
    CHECK_STATUS(taro_app_dispatch(mini.app, 2, &left), TARO_STATUS_OK);
    CHECK_UINT(left, ==, 5);
    CHECK_STATUS(taro_app_dispatch(mini.app, 0, &left), TARO_STATUS_OK);
    CHECK_UINT(left, ==, 0);
    mini_check_numbers(&mini, "a", 0, 10);
    left = 99;
    CHECK_STATUS(taro_app_dispatch(mini.app, 0, &left), TARO_STATUS_OK);
    CHECK_UINT(left, ==, 0);
    CHECK_STATUS(taro_app_dispatch(mini.app, SIZE_MAX, &left), TARO_STATUS_OK);
    CHECK_UINT(left, ==, 0);
    CHECK_UINT(record_len(&mini.recorder), ==, 13);
    mini_end(&mini);
    mini_shutdown();
}

// Each callback adds a delivery, for ever: yet a dispatch ends.
struct endless {
    struct mini mini;
    struct recording recording;
};

static void adds_another(struct recording *recording, const struct record *record, const void *event) {
    struct endless *endless = recording->context;
    (void)event;
    if (record->kind == RECORD_FAIL) {
        mini_refuse(&endless->mini, &endless->recording);
    }
}

static void what_a_callback_adds_waits_for_the_next_dispatch(void) {
    static const size_t asked[] = {0, 1, 7};
    for (size_t at = 0; at < sizeof asked / sizeof *asked; at++) {
        struct endless endless;
        mini_init_of(&endless.mini, TARO_DELIVERY_HOST);
        endless.recording = RECORDING_ON(&endless.mini.recorder, "a", adds_another, &endless);
        mini_refuse(&endless.mini, &endless.recording);
        for (size_t round = 1; round <= 3; round++) {
            size_t left = 0;
            CHECK_STATUS(taro_app_dispatch(endless.mini.app, asked[at], &left), TARO_STATUS_OK);
            CHECK_UINT(left, >=, 1);
            CHECK_UINT(record_count(&endless.mini.recorder, RECORD_FAIL, "a"), <=, 2 * round);
        }
        CHECK_UINT(record_count(&endless.mini.recorder, RECORD_FAIL, "a"), >=, 2);
        mini_end(&endless.mini);
    }
    mini_shutdown();
}

// --- who may dispatch

static void only_apps_of_host_delivery_are_dispatched(void) {
    struct mini direct;
    size_t left = 99;
    int32_t descriptor = 99;
    mini_init_of(&direct, TARO_DELIVERY_DIRECT);
    struct recording a = RECORDING(&direct.recorder, "a");
    mini_refuse(&direct, &a);
    CHECK_STATUS(taro_app_dispatch(direct.app, 0, &left), TARO_STATUS_WRONG_DELIVERY);
    CHECK_UINT(left, ==, 0);
    CHECK_STATUS(taro_app_dispatch(0, 0, NULL), TARO_STATUS_WRONG_DELIVERY);
    CHECK_STATUS(taro_app_get_descriptor(direct.app, &descriptor), TARO_STATUS_WRONG_DELIVERY);
    CHECK_INT(descriptor, ==, -1);
    CHECK_STATUS(taro_app_get_descriptor(0, &descriptor), TARO_STATUS_WRONG_DELIVERY);
    RECORD_WAIT(&direct.recorder, RECORD_RELEASE, "a", 1);
    CHECK_SEQUENCE(&direct.recorder, "a", "fail complete release");
    const taro_app gone = direct.app;
    mini_end(&direct);
    CHECK_STATUS(taro_app_dispatch(gone, 0, &left), TARO_STATUS_BAD_HANDLE);
    CHECK_STATUS(taro_app_get_descriptor(gone, &descriptor), TARO_STATUS_BAD_HANDLE);
    mini_shutdown();
}

// Two apps, each of which tries to dispatch both inside its callbacks.
struct pair {
    struct mini outer;
    struct mini inner;
    struct recording a;
    struct recording b;
};

static void outer_dispatches(struct recording *recording, const struct record *record, const void *event) {
    struct pair *pair = recording->context;
    size_t left = 99;
    (void)event;
    if (record->kind == RECORD_FAIL) {
        CHECK_STATUS(taro_app_dispatch(pair->outer.app, 0, &left), TARO_STATUS_BUSY);
        CHECK_UINT(left, ==, 0);
        CHECK_STATUS(taro_app_dispatch(pair->inner.app, 0, &left), TARO_STATUS_OK);
        CHECK_UINT(left, ==, 0);
        CHECK_SEQUENCE(&pair->inner.recorder, "b", "fail complete release");
        CHECK_SEQUENCE(&pair->outer.recorder, "a", "fail");
    }
}

static void inner_dispatches(struct recording *recording, const struct record *record, const void *event) {
    struct pair *pair = recording->context;
    (void)event;
    if (record->kind == RECORD_FAIL) {
        CHECK_STATUS(taro_app_dispatch(pair->inner.app, 0, NULL), TARO_STATUS_BUSY);
        CHECK_STATUS(taro_app_dispatch(pair->outer.app, 0, NULL), TARO_STATUS_BUSY);
    }
}

static void dispatch_inside_dispatch(void) {
    struct pair pair;
    mini_init_of(&pair.outer, TARO_DELIVERY_HOST);
    mini_init_of(&pair.inner, TARO_DELIVERY_HOST);
    pair.a = RECORDING_ON(&pair.outer.recorder, "a", outer_dispatches, &pair);
    pair.b = RECORDING_ON(&pair.inner.recorder, "b", inner_dispatches, &pair);
    mini_refuse(&pair.outer, &pair.a);
    mini_refuse(&pair.inner, &pair.b);
    CHECK_STATUS(taro_app_dispatch(pair.outer.app, 0, NULL), TARO_STATUS_OK);
    CHECK_SEQUENCE(&pair.outer.recorder, "a", "fail complete release");
    mini_end(&pair.outer);
    mini_end(&pair.inner);
    mini_shutdown();
}

// A callback on the I/O thread is also a place to dispatch from.
static void dispatches_inner(struct recording *recording, const struct record *record, const void *event) {
    struct pair *pair = recording->context;
    (void)event;
    if (record->kind == RECORD_FAIL) {
        CHECK_STATUS(taro_app_dispatch(pair->outer.app, 0, NULL), TARO_STATUS_WRONG_DELIVERY);
        CHECK_STATUS(taro_app_dispatch(pair->inner.app, 0, NULL), TARO_STATUS_OK);
        CHECK_SEQUENCE(&pair->inner.recorder, "b", "fail complete release");
        CHECK_INT(mini_find(&pair->inner, RECORD_FAIL, "b", 1)->thread, ==, record_thread());
    }
}

static void dispatch_inside_a_callback_of_a_direct_app(void) {
    struct pair pair;
    mini_init_of(&pair.outer, TARO_DELIVERY_DIRECT);
    mini_init_of(&pair.inner, TARO_DELIVERY_HOST);
    pair.a = RECORDING_ON(&pair.outer.recorder, "a", dispatches_inner, &pair);
    pair.b = RECORDING(&pair.inner.recorder, "b");
    mini_refuse(&pair.inner, &pair.b);
    mini_refuse(&pair.outer, &pair.a);
    RECORD_WAIT(&pair.outer.recorder, RECORD_RELEASE, "a", 1);
    mini_end(&pair.outer);
    mini_end(&pair.inner);
    mini_shutdown();
}

struct held {
    struct latch entered;
    struct latch open;
};

static void waits_for_the_gate(struct recording *recording, const struct record *record, const void *event) {
    struct held *held = recording->context;
    (void)event;
    if (record->kind == RECORD_FAIL) {
        latch_hit(&held->entered);
        LATCH_WAIT(&held->open, 1);
    }
}

static void one_thread_at_a_time(void) {
    struct mini mini, other;
    struct held held;
    struct test_thread thread;
    size_t left = 99;
    mini_init_of(&mini, TARO_DELIVERY_HOST);
    mini_init_of(&other, TARO_DELIVERY_HOST);
    latch_init(&held.entered);
    latch_init(&held.open);
    struct recording a = RECORDING_ON(&mini.recorder, "a", waits_for_the_gate, &held),
                     b = RECORDING(&mini.recorder, "b"), c = RECORDING(&other.recorder, "c");
    mini_refuse(&mini, &a);
    mini_refuse(&mini, &b);
    mini_refuse(&other, &c);
    thread_start(&thread, dispatches, &mini);
    LATCH_WAIT(&held.entered, 1);
    CHECK_STATUS(taro_app_dispatch(mini.app, 0, &left), TARO_STATUS_BUSY);
    CHECK_UINT(left, ==, 0);
    CHECK_SEQUENCE(&mini.recorder, "b", "");
    CHECK_STATUS(taro_app_dispatch(other.app, 0, &left), TARO_STATUS_OK);
    CHECK_SEQUENCE(&other.recorder, "c", "fail complete release");
    latch_hit(&held.open);
    THREAD_JOIN(&thread);
    CHECK_SEQUENCE(&mini.recorder, "b", "fail complete release");
    CHECK_STATUS(taro_app_dispatch(mini.app, 0, &left), TARO_STATUS_OK);
    mini_end(&mini);
    mini_end(&other);
    latch_destroy(&held.entered);
    latch_destroy(&held.open);
    mini_shutdown();
}

static const struct test tests[] = {
    TEST("L6", nothing_runs_outside_dispatch),
    TEST("L6", errors_and_refusals_wait_too),
    TEST("L6 L8", a_released_socket_gives_back_inside_dispatch),
    TEST("L6", callbacks_run_on_whichever_thread_dispatches),
    TEST("L6", max_events_and_left),
    TEST("L6", what_a_callback_adds_waits_for_the_next_dispatch),
    TEST("L1 L6", only_apps_of_host_delivery_are_dispatched),
    TEST("L6 L29", dispatch_inside_dispatch),
    TEST("L6", dispatch_inside_a_callback_of_a_direct_app),
    TEST("L6 L29", one_thread_at_a_time),
};

TEST_MAIN(tests)
