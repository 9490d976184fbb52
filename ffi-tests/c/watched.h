// An app, and the calls whose callbacks it runs, watched by these callbacks for what holds for all of them: they do not
// overlap, they come in their order and as often as they may, and nothing comes after a release. Both are kept until
// the test frees them, so that what comes too late is found.
#ifndef TARO_TEST_WATCHED_H
#define TARO_TEST_WATCHED_H

#include <stdatomic.h>
#include <stdlib.h>

#include "record.h"

// An app.
struct tenant {
    struct tenant *next;
    taro_app app;
    int is_made;
    atomic_int running;  // callbacks
    atomic_int releases; // of its own user data
    struct taken *_Atomic taken;
};

// A call that may have taken user data.
struct taken {
    struct taken *next;
    struct tenant *tenant;
    taro_status status; // of the call
    unsigned results, completes, opens, errors, closes, releases;
};

static inline int is_misuse(taro_status status) { return status < TARO_STATUS_OK && status > TARO_STATUS_INVALID_URL; }

static inline void *watched_made(size_t size) {
    void *memory = calloc(1, size);
    if (!memory) {
        FAIL("out of memory");
    }
    return memory;
}

static inline struct taken *watched_new(struct tenant *tenant) {
    struct taken *taken = watched_made(sizeof *taken);
    taken->tenant = tenant;
    taken->next = tenant->taken;
    while (!atomic_compare_exchange_weak(&tenant->taken, &taken->next, taken)) {
    }
    return taken;
}

// --- what holds for every callback

// What the test does inside events.
static inline void watched_acts(void);

static inline void watched_enter(struct taken *taken) {
    CHECK_INT(atomic_fetch_add(&taken->tenant->running, 1), ==, 0);
    CHECK_INT(taken->tenant->releases, ==, 0);
    CHECK_UINT(taken->releases, ==, 0);
}

static inline void watched_leave(struct taken *taken) { atomic_fetch_sub(&taken->tenant->running, 1); }

static inline void watched_result(taro_socket socket, const taro_result *result, void *user_data) {
    struct taken *taken = user_data;
    (void)socket, (void)result;
    watched_enter(taken);
    CHECK_UINT(++taken->results, ==, 1);
    watched_leave(taken);
}

static inline void watched_complete(taro_socket socket, const taro_result *result, void *user_data) {
    struct taken *taken = user_data;
    (void)socket, (void)result;
    watched_enter(taken);
    CHECK_UINT(taken->results, ==, 1);
    CHECK_UINT(++taken->completes, ==, 1);
    watched_leave(taken);
}

static inline void watched_enter_event(struct taken *taken) {
    watched_enter(taken);
    CHECK_UINT(taken->completes, ==, 1);
    CHECK_UINT(taken->closes, ==, 0);
}

static inline void watched_open(taro_socket socket, const taro_open_event *event, void *user_data) {
    struct taken *taken = user_data;
    (void)socket, (void)event;
    watched_enter_event(taken);
    CHECK_UINT(taken->errors, ==, 0);
    CHECK_UINT(++taken->opens, ==, 1);
    watched_acts();
    watched_leave(taken);
}

static inline void watched_message(taro_socket socket, const taro_message_event *event, void *user_data) {
    struct taken *taken = user_data;
    (void)socket, (void)event;
    watched_enter_event(taken);
    CHECK_UINT(taken->opens, ==, 1);
    CHECK_UINT(taken->errors, ==, 0);
    watched_acts();
    watched_leave(taken);
}

static inline void watched_drain(taro_socket socket, const taro_drain_event *event, void *user_data) {
    (void)socket, (void)event;
    watched_enter_event(user_data);
    watched_leave(user_data);
}

static inline void watched_error(taro_socket socket, const taro_result *result, void *user_data) {
    struct taken *taken = user_data;
    (void)socket, (void)result;
    watched_enter_event(taken);
    CHECK_UINT(++taken->errors, ==, 1);
    watched_acts();
    watched_leave(taken);
}

static inline void watched_close(taro_socket socket, const taro_close_event *event, void *user_data) {
    struct taken *taken = user_data;
    (void)socket, (void)event;
    watched_enter_event(taken);
    CHECK_UINT(++taken->closes, ==, 1);
    watched_acts();
    watched_leave(taken);
}

static inline void watched_release(void *user_data) {
    struct taken *taken = user_data;
    watched_enter(taken);
    taken->releases++;
    watched_leave(taken);
}

static inline void tenant_release(void *user_data) {
    struct tenant *tenant = user_data;
    CHECK_INT(tenant->running, ==, 0);
    CHECK_INT(atomic_fetch_add(&tenant->releases, 1), ==, 0);
}

// --- options with these callbacks

static inline taro_connect_options watched_connect_options(struct taken *taken) {
    taro_connect_options options = TARO_CONNECT_OPTIONS_INIT;
    options.success = options.fail = watched_result;
    options.complete = watched_complete;
    options.open = watched_open;
    options.message = watched_message;
    options.drain = watched_drain;
    options.error = watched_error;
    options.close = watched_close;
    options.user_data = taken;
    options.release = watched_release;
    return options;
}

static inline taro_send_options watched_send_options(struct taken *taken) {
    taro_send_options options = TARO_SEND_OPTIONS_INIT;
    options.success = options.fail = watched_result;
    options.complete = watched_complete;
    options.user_data = taken;
    options.release = watched_release;
    return options;
}

static inline taro_close_options watched_close_options(struct taken *taken) {
    taro_close_options options = TARO_CLOSE_OPTIONS_INIT;
    options.success = options.fail = watched_result;
    options.complete = watched_complete;
    options.user_data = taken;
    options.release = watched_release;
    return options;
}

// --- the end: all that was taken has been given back

static inline void tenant_check_and_free(struct tenant *tenant) {
    struct taken *taken = tenant->taken;
    CHECK_INT(tenant->releases, ==, tenant->is_made);
    while (taken) {
        struct taken *next = taken->next;
        CHECK_UINT(taken->releases, ==, !is_misuse(taken->status));
        CHECK_UINT(taken->results, <=, !is_misuse(taken->status));
        CHECK_UINT(taken->completes, <=, taken->results);
        free(taken);
        taken = next;
    }
    free(tenant);
}

#endif
