// A mini program of a test: an app, the record of all its callbacks, and its host if it is of host delivery.
#ifndef TARO_TEST_MINI_H
#define TARO_TEST_MINI_H

#include <stdio.h>
#include <string.h>

#include "host.h"
#include "record.h"
#include "server.h"

struct mini {
    struct recorder recorder;
    taro_app app;
    uint32_t delivery; // host: waits dispatch, on the thread that waits
};

static inline taro_str mini_str(const char *text) { return (taro_str){text, strlen(text)}; }

// --- the app

static inline void mini_init(struct mini *mini, const taro_app_options *options) {
    recorder_init(&mini->recorder);
    mini->delivery = options ? options->delivery : TARO_DELIVERY_DIRECT;
    CHECK_STATUS(taro_app_create(options, &mini->app), TARO_STATUS_OK);
}

static inline void mini_init_of(struct mini *mini, uint32_t delivery) {
    taro_app_options options = TARO_APP_OPTIONS_INIT;
    options.delivery = delivery;
    mini_init(mini, &options);
}

// Releases the app, which gives every user_data back, and checks all that was recorded.
static inline void mini_end(struct mini *mini) {
    CHECK_STATUS(taro_app_release(mini->app), TARO_STATUS_OK);
    recorder_end(&mini->recorder);
}

// Ends the library: nothing is left for the next test.
static inline void mini_shutdown(void) { CHECK_STATUS(taro_shutdown(WAIT_MS * wait_slow()), TARO_STATUS_OK); }

// --- waits

static inline const struct record *mini_wait(struct mini *mini, int kind, const char *label, size_t n) {
    if (mini->delivery == TARO_DELIVERY_HOST) {
        return HOST_LOOP_RECORD(mini->app, &mini->recorder, kind, label, n);
    }
    return RECORD_WAIT(&mini->recorder, kind, label, n);
}

static inline const struct record *mini_find(struct mini *mini, int kind, const char *label, size_t n) {
    const struct record *record = record_find(&mini->recorder, kind, label, n);
    CHECK(record != NULL);
    return record;
}

// --- its sockets

static inline taro_socket mini_accepted(const taro_connect_options *options) {
    taro_socket socket = 0;
    CHECK_STATUS(taro_connect_socket(options, &socket), TARO_STATUS_OK);
    CHECK_UINT(socket, !=, 0);
    return socket;
}

// Connects, which must be accepted.
static inline taro_socket mini_connect(struct mini *mini, struct recording *recording, const char *url) {
    taro_connect_options options = record_connect_options(recording, url);
    options.app = mini->app;
    return mini_accepted(&options);
}

static inline taro_socket mini_connect_paused(struct mini *mini, struct recording *recording, const char *url) {
    taro_connect_options options = record_connect_options(recording, url);
    options.app = mini->app;
    options.start_paused = 1;
    return mini_accepted(&options);
}

// Connects and waits for `open`.
static inline taro_socket mini_open(struct mini *mini, struct recording *recording, const char *url) {
    const taro_socket socket = mini_connect(mini, recording, url);
    mini_wait(mini, RECORD_OPEN, recording->label, 1);
    return socket;
}

// A connect that is refused at once: the shortest way to one delivery with its results.
static inline void mini_refuse(struct mini *mini, struct recording *recording) {
    taro_connect_options options = record_connect_options(recording, "http://refused.test/");
    taro_socket socket = 1;
    options.app = mini->app;
    CHECK_STATUS(taro_connect_socket(&options, &socket), TARO_STATUS_INVALID_URL);
    CHECK_UINT(socket, ==, 0);
}

static inline void mini_send(taro_socket socket, const char *text) {
    CHECK_STATUS(taro_socket_send_text(socket, text, strlen(text)), TARO_STATUS_OK);
}

static inline void mini_close(taro_socket socket) { CHECK_STATUS(taro_socket_close(socket, NULL), TARO_STATUS_OK); }

// --- looks

static inline uint32_t mini_state(taro_socket socket) {
    uint32_t state = 99;
    CHECK_STATUS(taro_socket_get_ready_state(socket, &state), TARO_STATUS_OK);
    return state;
}

static inline size_t mini_live(const struct mini *mini) {
    size_t count = 99;
    CHECK_STATUS(taro_app_get_sockets(mini->app, NULL, 0, &count), TARO_STATUS_OK);
    return count;
}

static inline taro_socket_counters mini_counters(taro_socket socket) {
    taro_socket_counters counters = TARO_SOCKET_COUNTERS_INIT;
    CHECK_STATUS(taro_socket_get_counters(socket, &counters), TARO_STATUS_OK);
    return counters;
}

static inline uint64_t mini_buffered(taro_socket socket) {
    uint64_t bytes = 99;
    CHECK_STATUS(taro_socket_get_buffered_amount(socket, &bytes), TARO_STATUS_OK);
    return bytes;
}

// The library has read, and taken to where it waits, all that the server has sent until now on the connection
// of that name: it has answered a ping that came after it. `n`: which of the test's pings this is. A library
// that has stopped reading never answers.
static inline void mini_in_step(const char *id, unsigned n) {
    SERVER_WAIT(id, "^open");
    SERVER_COMMAND("do %s ping:step", id);
    SERVER_WAIT_N(id, n, "^pong 73746570");
}

// Messages that are the numbers from `first` on, in order.
static inline void mini_check_numbers(struct mini *mini, const char *label, size_t from, size_t to) {
    for (size_t at = from; at < to; at++) {
        char number[24];
        snprintf(number, sizeof number, "%zu", at);
        CHECK_STR(mini_find(mini, RECORD_MESSAGE, label, at + 1)->data, number);
    }
}

// --- the row of a table that a failing check shall name

static const char *mini_row_name;

static inline void mini_row_dump(void *context) {
    (void)context;
    fprintf(stderr, "row of the table: %s\n", mini_row_name);
}

// NULL after the last one.
static inline void mini_row(const char *name) {
    if (!mini_row_name && name) {
        check_dump_add(mini_row_dump, NULL);
    }
    if (mini_row_name && !name) {
        check_dump_remove(mini_row_dump, NULL);
    }
    mini_row_name = name;
}

static const uint32_t mini_deliveries[] = {TARO_DELIVERY_DIRECT, TARO_DELIVERY_HOST};

// `for (MINI_EACH_DELIVERY(delivery)) { ... }`
#define MINI_EACH_DELIVERY(name) uint32_t name = mini_deliveries[0]; name <= mini_deliveries[1]; name++

#endif
