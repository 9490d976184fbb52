// Every function of the header as a row of a table: its name, and a call of it that is right in itself, for
// places in which each of them must be refused.
#ifndef TARO_TEST_CALLS_H
#define TARO_TEST_CALLS_H

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "child.h"
#include "record.h"

// What the calls act on.
struct call_target {
    taro_app app; // of host delivery
    taro_socket socket;
    taro_message message;
};

struct call_result {
    taro_status status;
    int is_cleared; // where results go there is nothing of before: 0, NULL, and -1 for the descriptor
};

struct call {
    const char *name;
    struct call_result (*run)(const struct call_target *target);
};

// A place for a result, with something of before in it.
enum { CALL_BEFORE = 4711 };

#define CALL(function) static inline struct call_result call_##function(const struct call_target *target)

#define CALL_PLAIN(function, ...)                                                          \
    CALL(function) {                                                                       \
        (void)target;                                                                      \
        return (struct call_result){taro_##function(__VA_ARGS__), 1};                      \
    }

#define CALL_OUT(type, function, ...)                                                      \
    CALL(function) {                                                                       \
        type out = CALL_BEFORE;                                                            \
        const taro_status status = taro_##function(__VA_ARGS__, &out);                     \
        return (struct call_result){status, out == 0};                                     \
    }

CALL_OUT(taro_app, app_create, ((void)target, NULL))
CALL(app_refuse_call) {
    taro_refuse_options options = TARO_REFUSE_OPTIONS_INIT;
    options.app = target->app;
    options.call = TARO_CALL_SEND;
    options.status = TARO_STATUS_PARAMETER;
    return (struct call_result){taro_app_refuse_call(&options), 1};
}
CALL_PLAIN(app_release, target->app)
CALL_PLAIN(app_set_background, target->app, 0)
CALL_PLAIN(app_network_changed, target->app)
CALL_OUT(size_t, app_get_sockets, target->app, NULL, 0)
CALL_OUT(taro_socket, app_get_global_socket, target->app)
CALL_OUT(size_t, app_dispatch, target->app, 0)
CALL(app_get_descriptor) {
    int32_t descriptor = CALL_BEFORE;
    const taro_status status = taro_app_get_descriptor(target->app, &descriptor);
    return (struct call_result){status, descriptor == -1};
}
CALL(connect_socket) {
    taro_connect_options options = TARO_CONNECT_OPTIONS_INIT;
    taro_socket socket = CALL_BEFORE;
    options.app = target->app;
    options.url = TARO_STR("ws://127.0.0.1:9/");
    const taro_status status = taro_connect_socket(&options, &socket);
    return (struct call_result){status, socket == 0};
}
CALL_PLAIN(init, NULL)
CALL_PLAIN(shutdown, 0)
CALL(message_retain) {
    char before;
    void *data = &before;
    size_t data_len = CALL_BEFORE;
    const taro_status status = taro_message_retain(target->message, &data, &data_len);
    return (struct call_result){status, data == NULL && data_len == 0};
}
CALL_PLAIN(message_release, target->message)
CALL(socket_send) {
    taro_send_options options = TARO_SEND_OPTIONS_INIT;
    options.data = "refused";
    options.data_len = 7;
    return (struct call_result){taro_socket_send(target->socket, &options), 1};
}
CALL_PLAIN(socket_send_text, target->socket, "refused", 7)
CALL_PLAIN(socket_send_binary, target->socket, "refused", 7)
CALL_PLAIN(socket_close, target->socket, NULL)
CALL_PLAIN(socket_release, target->socket)
CALL_OUT(uint32_t, socket_get_ready_state, target->socket)
CALL_OUT(uint64_t, socket_get_buffered_amount, target->socket)
CALL_OUT(size_t, socket_get_protocol, target->socket, NULL, 0)
CALL_OUT(size_t, socket_get_extensions, target->socket, NULL, 0)
CALL(socket_get_counters) {
    taro_socket_counters counters, none;
    memset(&counters, 1, sizeof(counters));
    memset(&none, 0, sizeof(none));
    counters.struct_size = none.struct_size = (uint32_t)sizeof(counters);
    const taro_status status = taro_socket_get_counters(target->socket, &counters);
    return (struct call_result){status, memcmp(&counters, &none, sizeof(none)) == 0};
}
CALL_PLAIN(socket_pause, target->socket)
CALL_PLAIN(socket_resume, target->socket)
CALL_PLAIN(socket_ping, target->socket, NULL, 0)

#define CALL_ROW(function) {"taro_" #function, call_##function}

// Those that answer with a status.
static const struct call calls[] = {
    CALL_ROW(app_create), CALL_ROW(app_refuse_call), CALL_ROW(app_release), CALL_ROW(app_set_background),
    CALL_ROW(app_network_changed),
    CALL_ROW(app_get_sockets), CALL_ROW(app_get_global_socket), CALL_ROW(app_dispatch),
    CALL_ROW(app_get_descriptor), CALL_ROW(connect_socket), CALL_ROW(init), CALL_ROW(shutdown),
    CALL_ROW(message_retain), CALL_ROW(message_release), CALL_ROW(socket_send), CALL_ROW(socket_send_text),
    CALL_ROW(socket_send_binary), CALL_ROW(socket_close), CALL_ROW(socket_release),
    CALL_ROW(socket_get_ready_state), CALL_ROW(socket_get_buffered_amount), CALL_ROW(socket_get_protocol),
    CALL_ROW(socket_get_extensions), CALL_ROW(socket_get_counters), CALL_ROW(socket_pause),
    CALL_ROW(socket_resume), CALL_ROW(socket_ping),
};
enum { CALLS = sizeof(calls) / sizeof(*calls) };

// Those that answer with something else, in any place.
static const char *const calls_without_status[] = {"taro_abi_version", "taro_status_name", "taro_version"};
enum { CALLS_WITHOUT_STATUS = sizeof(calls_without_status) / sizeof(*calls_without_status) };

static inline int call_is_known(const char *name) {
    int found = 0;
    for (size_t at = 0; at < CALLS; at++) {
        found += strcmp(calls[at].name, name) == 0;
    }
    for (size_t at = 0; at < CALLS_WITHOUT_STATUS; at++) {
        found += strcmp(calls_without_status[at], name) == 0;
    }
    return found == 1;
}

// The rows are all that the library exports: a new function fails here until it has one.
static inline void calls_check_complete(void) {
    char *path = child_support_file("../abi/exports.txt"), line[128];
    FILE *file = fopen(path, "r");
    unsigned count = 0;
    CHECK(file != NULL);
    while (fgets(line, sizeof(line), file)) {
        line[strcspn(line, "\n")] = '\0';
        if (!call_is_known(line)) {
            FAIL("%s has no row in calls.h", line);
        }
        count++;
    }
    CHECK_UINT(count, ==, CALLS + CALLS_WITHOUT_STATUS);
    fclose(file);
    free(path);
}

// Every call gives that status. `context` says where, for a failing check.
static inline void calls_check_all(const struct call_target *target, taro_status status, const char *context) {
    for (size_t at = 0; at < CALLS; at++) {
        const taro_status is = calls[at].run(target).status;
        if (is != status) {
            FAIL("%s %s: %s, not %s", calls[at].name, context, taro_status_name(is), taro_status_name(status));
        }
        check_pass();
    }
}

#endif
