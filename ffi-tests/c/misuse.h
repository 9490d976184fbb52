// A world in which nothing may happen while calls are misused: whatever they bring about fails the test.
#ifndef TARO_TEST_MISUSE_H
#define TARO_TEST_MISUSE_H

#include <stdlib.h>

#include "mini.h"

static struct misuse {
    struct mini mini; // of host delivery: whatever would run, waits
    struct recording a;
    taro_socket socket;   // open
    taro_message message; // its callback has returned
    taro_app direct;      // another app, of direct delivery
} misuse;

static inline void misuse_result(taro_socket socket, const taro_result *result, void *user_data) {
    (void)socket, (void)user_data;
    FAIL("a result of misuse: %s", taro_status_name(result->status));
}

static inline void misuse_open(taro_socket socket, const taro_open_event *event, void *user_data) {
    (void)socket, (void)event, (void)user_data;
    FAIL("misuse has opened a socket");
}

static inline void misuse_close(taro_socket socket, const taro_close_event *event, void *user_data) {
    (void)socket, (void)event, (void)user_data;
    FAIL("misuse has closed a socket");
}

static inline void misuse_release(void *user_data) {
    (void)user_data;
    FAIL("misuse has taken user data");
}

static inline void misuse_begin(void) {
    mini_init_of(&misuse.mini, TARO_DELIVERY_HOST);
    misuse.a = RECORDING(&misuse.mini.recorder, "a");
    misuse.socket = mini_open(&misuse.mini, &misuse.a, SERVER_URL("ws", "/echo?id=world"));
    mini_send(misuse.socket, "one");
    misuse.message = mini_wait(&misuse.mini, RECORD_MESSAGE, "a", 1)->message;
    CHECK_STATUS(taro_app_create(NULL, &misuse.direct), TARO_STATUS_OK);
}

static inline void misuse_untouched(void) {
    size_t left = 99;
    taro_socket bound = 0;
    CHECK_STATUS(taro_app_dispatch(misuse.mini.app, 0, &left), TARO_STATUS_OK);
    CHECK_UINT(left, ==, 0);
    CHECK_SEQUENCE(&misuse.mini.recorder, "a", "success complete open message");
    CHECK_UINT(mini_live(&misuse.mini), ==, 1);
    CHECK_STATUS(taro_app_get_global_socket(misuse.mini.app, &bound), TARO_STATUS_OK);
    CHECK_UINT(bound, ==, misuse.socket);
    CHECK_UINT(mini_state(misuse.socket), ==, TARO_READY_STATE_OPEN);
    CHECK_UINT(mini_buffered(misuse.socket), ==, 0);
    CHECK_UINT(mini_counters(misuse.socket).messages_sent, ==, 1);
    CHECK_UINT(mini_counters(misuse.socket).pings_sent, ==, 0);
}

// And all of it goes on as before.
static inline void misuse_end(void) {
    misuse_untouched();
    mini_send(misuse.socket, "two");
    CHECK_STR(mini_wait(&misuse.mini, RECORD_MESSAGE, "a", 2)->data, "two");
    CHECK_STATUS(taro_app_release(misuse.direct), TARO_STATUS_OK);
    mini_end(&misuse.mini);
    mini_shutdown();
    SERVER_COMMAND("forget world");
}

#define MISUSE(call, status)        \
    do {                            \
        CHECK_STATUS(call, status); \
        misuse_untouched();         \
    } while (0)

static inline int misuse_is(taro_status status) { return status < 0 && status >= -99; }

// --- calls that are right but for one thing; `options` is changed in between

static inline taro_app_options misuse_app_options(void) {
    taro_app_options options = TARO_APP_OPTIONS_INIT;
    options.user_data = &misuse;
    options.release = misuse_release;
    return options;
}

static inline taro_status misuse_create(const taro_app_options *options) {
    taro_app app = 4711;
    const taro_status status = taro_app_create(options, &app);
    CHECK_UINT(app, ==, 0);
    return status;
}

static inline taro_connect_options misuse_connect_options(void) {
    taro_connect_options options = TARO_CONNECT_OPTIONS_INIT;
    options.app = misuse.mini.app;
    options.url = TARO_STR("ws://127.0.0.1:9/");
    options.success = options.fail = options.complete = options.error = misuse_result;
    options.open = misuse_open;
    options.close = misuse_close;
    options.user_data = &misuse;
    options.release = misuse_release;
    return options;
}

static inline taro_status misuse_connect(const taro_connect_options *options) {
    taro_socket socket = 4711;
    const taro_status status = taro_connect_socket(options, &socket);
    CHECK_UINT(socket, ==, 0);
    return status;
}

static inline taro_send_options misuse_send_options(void) {
    taro_send_options options = TARO_SEND_OPTIONS_INIT;
    options.data = "hello";
    options.data_len = 5;
    options.success = options.fail = options.complete = misuse_result;
    options.user_data = &misuse;
    options.release = misuse_release;
    return options;
}

static inline taro_close_options misuse_close_options(void) {
    taro_close_options options = TARO_CLOSE_OPTIONS_INIT;
    options.success = options.fail = options.complete = misuse_result;
    options.user_data = &misuse;
    options.release = misuse_release;
    return options;
}

// One field of otherwise right options.
#define APP_WITH(field, value) (app = misuse_app_options(), app.field = (value), misuse_create(&app))
#define CONNECT_WITH(field, value) \
    (options = misuse_connect_options(), options.field = (value), misuse_connect(&options))

#endif
