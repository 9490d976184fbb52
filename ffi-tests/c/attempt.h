// One connect of a test: its recorder, its options, and what becomes of it. Of one app there may be several at
// a time.
#ifndef TARO_TEST_ATTEMPT_H
#define TARO_TEST_ATTEMPT_H

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "host.h"
#include "record.h"
#include "server.h"

struct attempt {
    struct recorder recorder;
    struct recording recording;   // its label is "a"
    taro_connect_options options; // to be changed before it begins
    taro_socket socket;
    int is_host; // its app is of host delivery: waits dispatch
};

// --- the app, and the end of a test

static inline taro_app attempt_app(const taro_app_options *options) {
    taro_app app = 0;
    CHECK_STATUS(taro_app_create(options, &app), TARO_STATUS_OK);
    CHECK_UINT(app, !=, 0);
    return app;
}

static inline taro_app attempt_app_of(uint32_t flavour) {
    taro_app_options options = TARO_APP_OPTIONS_INIT;
    options.flavour = flavour;
    return attempt_app(&options);
}

// Releases every app, and ends the library's threads: nothing is left for the next test.
static inline void attempt_shutdown(void) {
    CHECK_STATUS(taro_shutdown(WAIT_MS * wait_slow()), TARO_STATUS_OK);
}

// --- the row of a table that a failing check shall name

static const char *attempt_row_name;

static inline void attempt_row_dump(void *context) {
    (void)context;
    fprintf(stderr, "row of the table: %s\n", attempt_row_name);
}

// NULL after the last one.
static inline void attempt_row(const char *name) {
    if (!attempt_row_name && name) {
        check_dump_add(attempt_row_dump, NULL);
    }
    if (attempt_row_name && !name) {
        check_dump_remove(attempt_row_dump, NULL);
    }
    attempt_row_name = name;
}

// --- one connect

static inline void attempt_init(struct attempt *attempt, taro_app app, const char *url) {
    recorder_init(&attempt->recorder);
    attempt->recording = RECORDING(&attempt->recorder, "a");
    attempt->options = record_connect_options(&attempt->recording, url);
    attempt->options.app = app;
    attempt->socket = 0;
    attempt->is_host = 0;
}

static inline void attempt_init_on(struct attempt *attempt, taro_app app, const char *url, recording_fn on) {
    attempt_init(attempt, app, url);
    attempt->recording.on = on;
    attempt->recording.context = attempt;
}

// Connects; it must be accepted.
static inline void attempt_begin(struct attempt *attempt) {
    CHECK_STATUS(taro_connect_socket(&attempt->options, &attempt->socket), TARO_STATUS_OK);
    CHECK_UINT(attempt->socket, !=, 0);
}

static inline const struct record *attempt_wait(struct attempt *attempt, int kind, size_t n) {
    if (attempt->is_host) {
        return HOST_LOOP_RECORD(attempt->options.app, &attempt->recorder, kind, "a", n);
    }
    return RECORD_WAIT(&attempt->recorder, kind, "a", n);
}

static inline const struct record *attempt_find(struct attempt *attempt, int kind) {
    return record_find(&attempt->recorder, kind, "a", 1);
}

static inline const struct record *attempt_open(struct attempt *attempt) {
    attempt_begin(attempt);
    return attempt_wait(attempt, RECORD_OPEN, 1);
}

// Connects, and waits until that has failed.
static inline const struct record *attempt_error(struct attempt *attempt) {
    attempt_begin(attempt);
    return attempt_wait(attempt, RECORD_ERROR, 1);
}

// Releases the socket and waits for the end of its user data. `kinds`: all that was told, NULL for whatever.
static inline void attempt_end(struct attempt *attempt, const char *kinds) {
    CHECK_STATUS(taro_socket_release(attempt->socket), TARO_STATUS_OK);
    attempt_wait(attempt, RECORD_RELEASE, 1);
    if (kinds) {
        CHECK_SEQUENCE(&attempt->recorder, "a", kinds);
    }
    recorder_end(&attempt->recorder);
}

// Connects, which must be refused: fail and complete with one and the same record, no id and no event.
// Whatever the attempt is, it is over then.
static inline void attempt_refused(struct attempt *attempt, taro_status status, int32_t err_no,
                                   const char *err_msg) {
    attempt->socket = 4711;
    CHECK_STATUS(taro_connect_socket(&attempt->options, &attempt->socket), status);
    CHECK_UINT(attempt->socket, ==, 0);
    attempt_wait(attempt, RECORD_RELEASE, 1);
    CHECK_SEQUENCE(&attempt->recorder, "a", "fail complete release");
    const struct record *fail = attempt_find(attempt, RECORD_FAIL);
    CHECK_UINT(fail->socket, ==, 0);
    CHECK_INT(fail->status, ==, status);
    CHECK_INT(fail->err_no, ==, err_no);
    CHECK_INT(fail->code, ==, err_no);
    CHECK_STR(fail->err_msg, err_msg);
    CHECK_STR(fail->reason, err_msg + strlen("connectSocket:fail "));
    CHECK_UINT(fail->cause, ==, TARO_CAUSE_NONE);
    CHECK_INT(fail->http_status, ==, 0);
    CHECK_INT(fail->os_error, ==, 0);
    CHECK_UINT(fail->tls_error, ==, TARO_TLS_ERROR_NONE);
    recorder_end(&attempt->recorder);
}

// --- looks

static inline uint32_t attempt_state(taro_socket socket) {
    uint32_t state = 99;
    CHECK_STATUS(taro_socket_get_ready_state(socket, &state), TARO_STATUS_OK);
    return state;
}

static inline size_t attempt_live(taro_app app) {
    size_t count = 99;
    CHECK_STATUS(taro_app_get_sockets(app, NULL, 0, &count), TARO_STATUS_OK);
    return count;
}

static inline taro_str attempt_str(const char *text) { return (taro_str){text, strlen(text)}; }

// For a query of the server: every byte that is no letter and no digit as %xx. The caller frees it.
static inline char *attempt_percent(const void *bytes, size_t len) {
    const unsigned char *from = bytes;
    char *text = malloc(3 * len + 1), *to = text;
    CHECK(text != NULL);
    for (size_t at = 0; at < len; at++) {
        const int plain = (from[at] | 32) >= 'a' && (from[at] | 32) <= 'z' && from[at] < 128;
        if (plain || (from[at] >= '0' && from[at] <= '9')) {
            *to++ = (char)from[at];
        } else {
            to += sprintf(to, "%%%02x", from[at]);
        }
    }
    *to = '\0';
    return text;
}

#endif
