// L2, L5: the connection ends within the answer to the upgrade request or the first message, at every byte of it.
#include <errno.h>

#include "answer.h"

enum { AT_ONCE = 8 };

static const char answer[] = ANSWER_RIGHT;

// On the wire the accept value stands for its name.
static size_t wire_len(void) { return sizeof answer - 1 - strlen("{accept}") + 28; }

static void check_cut(struct attempt *a, size_t at, int os_error) {
    if (at < wire_len()) {
        attempt_wait(a, RECORD_RELEASE, 1);
        const struct record *error = attempt_find(a, RECORD_ERROR);
        CHECK(error != NULL);
        CHECK_INT(error->status, ==, TARO_STATUS_CONNECTION_FAILED);
        CHECK_UINT(error->cause, ==, TARO_CAUSE_RESET);
        CHECK_INT(error->http_status, ==, 0);
        CHECK_INT(error->os_error, ==, os_error);
        CHECK_UINT(attempt_state(a->socket), ==, TARO_READY_STATE_CLOSED);
        attempt_end(a, "success complete error release");
    } else {
        // Whole, but nothing comes behind it.
        const struct record *closed = attempt_wait(a, RECORD_CLOSE, 1);
        CHECK_UINT(closed->close_code, ==, 1006);
        CHECK_UINT(closed->cause, ==, TARO_CAUSE_RESET);
        CHECK_INT(closed->os_error, ==, os_error);
        attempt_wait(a, RECORD_RELEASE, 1);
        attempt_end(a, "success complete open error close release");
    }
}

// Every `step`-th byte, several connections at a time.
static void cut_everywhere(const char *listener, const char *mode, size_t step, int os_error) {
    taro_app_options options = TARO_APP_OPTIONS_INIT;
    options.max_sockets = AT_ONCE;
    options.ca_file = attempt_str(server_ca_file());
    const taro_app app = attempt_app(&options);
    static struct attempt attempts[AT_ONCE];
    size_t cuts[AT_ONCE], next = 0;
    const size_t last = wire_len();
    for (int more = 1; more;) {
        size_t count = 0;
        for (; count < AT_ONCE && more; count++) {
            char query[60];
            cuts[count] = next;
            snprintf(query, sizeof query, "&cut=%zu&cutmode=%s", next, mode);
            attempt_init(&attempts[count], app, answer_url(listener, answer, sizeof answer - 1, query));
            attempt_begin(&attempts[count]);
            more = next < last;
            next = next + step < last ? next + step : last;
        }
        for (size_t at = 0; at < count; at++) {
            char row[60];
            snprintf(row, sizeof row, "%s, %s after %zu bytes", listener, mode, cuts[at]);
            attempt_row(row);
            check_cut(&attempts[at], cuts[at], os_error);
            attempt_row(NULL);
        }
        CHECK_UINT(attempt_live(app), ==, 0);
    }
    attempt_shutdown();
}

static void end_of_stream_after_every_byte(void) { cut_everywhere("ws", "fin", 1, 0); }

static void reset_after_every_byte(void) { cut_everywhere("ws", "rst", 1, ECONNRESET); }

static void end_of_stream_within_tls(void) { cut_everywhere("wss", "fin", 9, 0); }

static void reset_within_tls(void) { cut_everywhere("wss", "rst", 9, ECONNRESET); }

// --- with calls on their way: each has its result exactly once, whatever became of the connection

static const char message[] = "hello"; // a frame of two bytes more

struct caller {
    struct attempt attempt;
    struct recording early;  // a send as soon as there is a socket
    struct recording inside; // a send inside `open`
    struct recording close;  // a close inside `message`
};

static void calls_again(struct recording *recording, const struct record *record, const void *event) {
    struct caller *caller = recording->context;
    (void)event;
    if (record->kind == RECORD_OPEN) {
        const taro_send_options options = record_send_text_options(&caller->inside, "inside");
        const taro_status status = taro_socket_send(record->socket, &options);
        CHECK(status == TARO_STATUS_OK || status == TARO_STATUS_NOT_CONNECTED);
    } else if (record->kind == RECORD_MESSAGE) {
        const taro_close_options options = record_close_options(&caller->close, 3333, "mine");
        const taro_status status = taro_socket_close(record->socket, &options);
        CHECK(status == TARO_STATUS_OK || status == TARO_STATUS_NOT_CONNECTED);
    }
}

static void begin_with_calls(struct caller *caller, taro_app app, const char *mode, size_t at) {
    struct recorder *recorder = &caller->attempt.recorder;
    char *raw = attempt_percent(answer, sizeof answer - 1);
    attempt_init_on(&caller->attempt, app,
                    SERVER_URL("ws", "/sink?raw=%s&act=text:%s&cut=%zu&cutmode=%s", raw, message, at, mode),
                    calls_again);
    free(raw);
    caller->attempt.recording.context = caller;
    caller->early = RECORDING(recorder, "early");
    caller->inside = RECORDING(recorder, "inside");
    caller->close = RECORDING(recorder, "close");
    attempt_begin(&caller->attempt);
    const taro_send_options options = record_send_text_options(&caller->early, "early");
    const taro_status status = taro_socket_send(caller->attempt.socket, &options);
    CHECK(status == TARO_STATUS_OK || status == TARO_STATUS_NOT_CONNECTED);
}

static void check_one_result(struct recorder *recorder, const char *label, int made) {
    if (!made) {
        CHECK_SEQUENCE(recorder, label, "");
        return;
    }
    const struct record *complete = RECORD_WAIT(recorder, RECORD_COMPLETE, label, 1);
    RECORD_WAIT(recorder, RECORD_RELEASE, label, 1);
    CHECK_SEQUENCE(recorder, label,
                   complete->status == TARO_STATUS_OK ? "success complete release" : "fail complete release");
}

static void check_calls(struct caller *caller, size_t at) {
    struct attempt *a = &caller->attempt;
    const int opens = at >= wire_len(), brings = at >= wire_len() + 2 + strlen(message);
    attempt_wait(a, RECORD_RELEASE, 1);
    check_one_result(&a->recorder, "early", 1);
    check_one_result(&a->recorder, "inside", opens);
    check_one_result(&a->recorder, "close", brings);
    if (brings) {
        // It closed on purpose: no failure, and its own code.
        const struct record *closed = attempt_find(a, RECORD_CLOSE);
        CHECK(closed != NULL);
        CHECK_UINT(closed->close_code, ==, 3333);
        CHECK_UINT(closed->was_clean, ==, 0);
        CHECK_STR(attempt_find(a, RECORD_MESSAGE)->data, message);
        CHECK_BEFORE(&a->recorder, RECORD_COMPLETE, "close", RECORD_CLOSE, "a");
    }
    if (opens) {
        // The call was made before the end, and so its result comes before it.
        CHECK_BEFORE(&a->recorder, RECORD_COMPLETE, "inside", RECORD_CLOSE, "a");
    }
    attempt_end(a, brings  ? "success complete open message close release"
                   : opens ? "success complete open error close release"
                           : "success complete error release");
}

static void cut_with_calls(const char *mode) {
    static struct caller callers[AT_ONCE];
    taro_app_options options = TARO_APP_OPTIONS_INIT;
    options.max_sockets = AT_ONCE;
    const taro_app app = attempt_app(&options);
    const size_t last = wire_len() + 2 + strlen(message);
    for (size_t first = 0; first <= last; first += AT_ONCE) {
        for (size_t at = first; at < first + AT_ONCE && at <= last; at++) {
            begin_with_calls(&callers[at - first], app, mode, at);
        }
        for (size_t at = first; at < first + AT_ONCE && at <= last; at++) {
            char row[60];
            snprintf(row, sizeof row, "%s after %zu bytes", mode, at);
            attempt_row(row);
            check_calls(&callers[at - first], at);
            attempt_row(NULL);
        }
        CHECK_UINT(attempt_live(app), ==, 0);
    }
    attempt_shutdown();
}

static void calls_and_an_end_of_stream(void) { cut_with_calls("fin"); }

static void calls_and_a_reset(void) { cut_with_calls("rst"); }

static const struct test tests[] = {
    TEST("L5 L14", end_of_stream_after_every_byte),
    TEST("L5 L14", reset_after_every_byte),
    TEST("L5", end_of_stream_within_tls),
    TEST("L5", reset_within_tls),
    TEST("L2 L5 L20", calls_and_an_end_of_stream),
    TEST("L2 L5 L20", calls_and_a_reset),
};

TEST_MAIN(tests)
