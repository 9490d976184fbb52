// L2, L3: callbacks of connect may be NULL in every combination, and those that are not run as ever.
#include <stdatomic.h>

#include "attempt.h"

enum {
    SUCCESS = 1,
    FAIL = 2,
    COMPLETE = 4,
    OPEN = 8,
    MESSAGE = 16,
    ERROR = 32,
    CLOSE = 64,
    DRAIN = 128,
    RELEASE = 256,
    ALL = 511
};

// Not with the kit's recorder, which misses a `success` before its `complete`.
static void saw(void *user_data, unsigned what) {
    const unsigned before = atomic_fetch_or((atomic_uint *)user_data, what);
    CHECK_UINT(before & (what | RELEASE), ==, 0);
}

static void on_success(taro_socket socket, const taro_result *result, void *user_data) {
    (void)socket, (void)result;
    saw(user_data, SUCCESS);
}

static void on_fail(taro_socket socket, const taro_result *result, void *user_data) {
    (void)socket, (void)result;
    saw(user_data, FAIL);
}

static void on_complete(taro_socket socket, const taro_result *result, void *user_data) {
    (void)socket, (void)result;
    saw(user_data, COMPLETE);
}

static void on_open(taro_socket socket, const taro_open_event *event, void *user_data) {
    (void)socket, (void)event;
    saw(user_data, OPEN);
}

static void on_message(taro_socket socket, const taro_message_event *event, void *user_data) {
    (void)socket, (void)event;
    saw(user_data, MESSAGE);
}

static void on_error(taro_socket socket, const taro_result *event, void *user_data) {
    (void)socket, (void)event;
    saw(user_data, ERROR);
}

static void on_close(taro_socket socket, const taro_close_event *event, void *user_data) {
    (void)socket, (void)event;
    saw(user_data, CLOSE);
}

static void on_drain(taro_socket socket, const taro_drain_event *event, void *user_data) {
    (void)socket, (void)event;
    saw(user_data, DRAIN);
}

static void on_release(void *user_data) { saw(user_data, RELEASE); }

// Connects with these callbacks and no others, and waits for those that happen; returns those that ran until the end.
static unsigned run_with(const char *url, unsigned set, unsigned happens) {
    atomic_uint seen = 0;
    taro_socket socket = 0;
    const taro_app app = attempt_app_of(TARO_FLAVOUR_WEAPP);
    taro_connect_options options = TARO_CONNECT_OPTIONS_INIT;
    options.app = app;
    options.url = attempt_str(url);
    options.success = set & SUCCESS ? on_success : NULL;
    options.fail = set & FAIL ? on_fail : NULL;
    options.complete = set & COMPLETE ? on_complete : NULL;
    options.open = set & OPEN ? on_open : NULL;
    options.message = set & MESSAGE ? on_message : NULL;
    options.error = set & ERROR ? on_error : NULL;
    options.close = set & CLOSE ? on_close : NULL;
    options.drain = set & DRAIN ? on_drain : NULL;
    options.release = set & RELEASE ? on_release : NULL;
    options.user_data = &seen;
    if (taro_connect_socket(&options, &socket) == TARO_STATUS_OK) {
        EVENTUALLY(attempt_state(socket) == TARO_READY_STATE_CLOSED);
    }
    // The state is there before the callback.
    EVENTUALLY((atomic_load(&seen) & set & happens) == (set & happens));
    // It waits for the callback that may be running, and for the release function.
    CHECK_STATUS(taro_app_release(app), TARO_STATUS_OK);
    return atomic_load(&seen);
}

// `happens`: the callbacks that run if they are there.
static void every_combination(const char *url, unsigned happens) {
    for (unsigned set = happens;; set = (set - 1) & happens) {
        CHECK_UINT(run_with(url, set, happens & ~RELEASE), ==, set);
        CHECK_UINT(run_with(url, set | (ALL & ~happens), happens & ~RELEASE), ==, set);
        if (set == 0) {
            break;
        }
    }
    attempt_shutdown();
}

static void callbacks_of_an_open_socket(void) {
    every_combination(SERVER_URL("ws", "/echo?act=text:hi;close:1000:"),
                      SUCCESS | COMPLETE | OPEN | MESSAGE | CLOSE | RELEASE);
}

static void callbacks_of_a_failed_handshake(void) {
    every_combination(SERVER_URL("refuse", "/"), SUCCESS | COMPLETE | ERROR | RELEASE);
}

static void callbacks_of_a_refused_connect(void) { every_combination("ws:", FAIL | COMPLETE | RELEASE); }

static const struct test tests[] = {
    TEST("L2 L3", callbacks_of_an_open_socket),
    TEST("L2 L3", callbacks_of_a_failed_handshake),
    TEST("L2 L3", callbacks_of_a_refused_connect),
};

TEST_MAIN(tests)
