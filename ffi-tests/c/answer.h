// Answers to the upgrade request that a test writes itself, and what every failed handshake has in common.
#ifndef TARO_TEST_ANSWER_H
#define TARO_TEST_ANSWER_H

#include "attempt.h"

// The lines of a right answer.
#define ANSWER_101 "HTTP/1.1 101 Switching Protocols\r\n"
#define ANSWER_UPGRADE "Upgrade: websocket\r\n"
#define ANSWER_CONNECTION "Connection: Upgrade\r\n"
#define ANSWER_ACCEPT "Sec-WebSocket-Accept: {accept}\r\n"
#define ANSWER_FIELDS ANSWER_UPGRADE ANSWER_CONNECTION ANSWER_ACCEPT
#define ANSWER_RIGHT ANSWER_101 ANSWER_FIELDS "\r\n"

// A URL whose connection gets these bytes as the whole answer, in which `{accept}` stands for the right value.
// `more`: the rest of the query, such as `&drip=1`.
static inline const char *answer_url(const char *listener, const char *bytes, size_t bytes_len, const char *more) {
    char *raw = attempt_percent(bytes, bytes_len);
    const char *url = SERVER_URL(listener, "/echo?raw=%s%s", raw, more);
    free(raw);
    return url;
}

// --- a failed handshake

struct failure {
    taro_status status; // TARO_STATUS_CONNECTION_FAILED or TARO_STATUS_CONNECT_TIMEOUT
    uint32_t cause;
    int32_t http_status;
    int32_t os_error;
};

struct failing {
    struct attempt attempt;
    int closes; // `close` follows `error`
};

// Inside the events: the slot is free already, and the ready state is CLOSED from the terminal event on.
static inline void failing_look(struct recording *recording, const struct record *record, const void *event) {
    const struct failing *failing = recording->context;
    (void)event;
    if (record->kind == RECORD_ERROR || record->kind == RECORD_CLOSE) {
        const int is_last = record->kind == RECORD_CLOSE || !failing->closes;
        CHECK_UINT(attempt_state(record->socket), ==,
                   is_last ? TARO_READY_STATE_CLOSED : TARO_READY_STATE_CONNECTING);
        CHECK_UINT(attempt_live(failing->attempt.options.app), ==, 0);
    }
}

// Prepares a connect that will fail; the app has no other one.
static inline void failing_init(struct failing *failing, taro_app app, uint32_t flavour, const char *url) {
    attempt_init_on(&failing->attempt, app, url, failing_look);
    failing->attempt.recording.context = failing;
    failing->closes = flavour == TARO_FLAVOUR_H5;
}

// Connects, waits for the end, and checks all that does not depend on why: weapp has `error` alone, h5 a `close`
// 1006 after it. Returns `error`.
static inline const struct record *failing_wait(struct failing *failing) {
    struct attempt *attempt = &failing->attempt;
    attempt_begin(attempt);
    // No function was called in between, and no id was released: the end comes by itself.
    const struct record *error = attempt_wait(attempt, RECORD_ERROR, 1);
    attempt_wait(attempt, RECORD_RELEASE, 1);
    CHECK_UINT(attempt_state(attempt->socket), ==, TARO_READY_STATE_CLOSED);
    const int timeout = error->status == TARO_STATUS_CONNECT_TIMEOUT;
    CHECK_STR(error->err_msg,
              timeout ? "connectSocket:fail timeout" : "connectSocket:fail WebSocket connection failed");
    CHECK_STR(error->reason, timeout ? "timeout" : "WebSocket connection failed");
    CHECK_INT(error->err_no, ==, timeout ? 5 : 600000);
    CHECK_INT(error->code, ==, error->err_no);
    CHECK_INT(error->tls_error != TARO_TLS_ERROR_NONE, ==, error->cause == TARO_CAUSE_TLS);
    CHECK_INT(error->tls_detail.len > 0, ==, error->cause == TARO_CAUSE_TLS);
    if (failing->closes) {
        const struct record *closed = attempt_find(attempt, RECORD_CLOSE);
        CHECK(closed != NULL);
        CHECK_UINT(closed->close_code, ==, 1006);
        CHECK_STR(closed->reason, "");
        CHECK_UINT(closed->was_clean, ==, 0);
        CHECK_UINT(closed->initiator, ==, TARO_INITIATOR_NONE);
        CHECK_UINT(closed->cause, ==, error->cause);
        CHECK_INT(closed->os_error, ==, error->os_error);
    }
    return error;
}

static inline void failing_end(struct failing *failing) {
    attempt_end(&failing->attempt,
                failing->closes ? "success complete error close release" : "success complete error release");
}

// Both, for a test that wants the numbers alone.
static inline struct failure failing_run(struct failing *failing) {
    const struct record *error = failing_wait(failing);
    const struct failure failure = {error->status, error->cause, error->http_status, error->os_error};
    failing_end(failing);
    return failure;
}

static inline void failing_check(taro_app app, uint32_t flavour, const char *url, struct failure expected) {
    struct failing failing;
    failing_init(&failing, app, flavour, url);
    const struct failure is = failing_run(&failing);
    CHECK_INT(is.status, ==, expected.status);
    CHECK_UINT(is.cause, ==, expected.cause);
    CHECK_INT(is.http_status, ==, expected.http_status);
    CHECK_INT(is.os_error, ==, expected.os_error);
}

#endif
