// L6: every function may be called inside results and events, on any socket: on the one whose callback it is, on
// another one of the app, on one of another app. None of it runs a callback on the spot.
#include "talk.h"

enum { LIMIT = 10000 };

struct inside {
    struct mini minis[2];          // two apps of the same delivery; the callbacks are those of the first
    struct recording a;            // a socket of the first app
    struct recording calls[2];     // calls on sockets of each app
    struct recording rest[2];      // a socket of each app that stays open
    taro_socket open[2];           // those
    size_t calls_made[2];          // that have results
    int fills;                     // in `open`, so that a drain comes
};

static void call_library(const struct inside *inside) {
    taro_app app = 0;
    CHECK_INT(taro_abi_version(), ==, TARO_ABI_VERSION);
    CHECK_TEXT(taro_version(), TARO_VERSION_STRING);
    CHECK_TEXT(taro_status_name(TARO_STATUS_OK), "TARO_STATUS_OK");
    CHECK_STATUS(taro_init(NULL), TARO_STATUS_BUSY);
    CHECK_STATUS(taro_shutdown(1000), TARO_STATUS_WOULD_DEADLOCK);
    CHECK_STATUS(taro_app_create(NULL, &app), TARO_STATUS_OK);
    CHECK_STATUS(taro_app_release(app), TARO_STATUS_OK);
    for (int at = 0; at <= 1; at++) {
        const taro_app this_app = inside->minis[at].app;
        const int is_host = inside->minis[at].delivery == TARO_DELIVERY_HOST;
        taro_socket sockets[8], bound = 0;
        size_t count = 0;
        int32_t descriptor = -1;
        CHECK_STATUS(taro_app_set_background(this_app, 1), TARO_STATUS_OK);
        CHECK_STATUS(taro_app_set_background(this_app, 0), TARO_STATUS_OK);
        CHECK_STATUS(taro_app_network_changed(this_app), TARO_STATUS_OK);
        CHECK_STATUS(taro_app_get_sockets(this_app, sockets, 8, &count), TARO_STATUS_OK);
        CHECK_UINT(count, >=, 1);
        CHECK_STATUS(taro_app_get_global_socket(this_app, &bound), TARO_STATUS_OK);
        CHECK_STATUS(taro_app_get_descriptor(this_app, &descriptor),
                     is_host ? TARO_STATUS_OK : TARO_STATUS_WRONG_DELIVERY);
    }
}

static void call_dispatch(struct inside *inside, int own) {
    size_t left = 99;
    const int is_host = inside->minis[own].delivery == TARO_DELIVERY_HOST;
    CHECK_STATUS(taro_app_dispatch(inside->minis[own].app, 0, &left),
                 is_host ? TARO_STATUS_BUSY : TARO_STATUS_WRONG_DELIVERY);
    CHECK_UINT(left, ==, 0);
}

static void call_socket_quietly(taro_socket socket, taro_status sends) {
    uint32_t state = 99;
    uint64_t buffered = 99;
    size_t needed = 99;
    taro_socket_counters counters = TARO_SOCKET_COUNTERS_INIT;
    CHECK_STATUS(taro_socket_get_ready_state(socket, &state), TARO_STATUS_OK);
    CHECK_STATUS(taro_socket_get_buffered_amount(socket, &buffered), TARO_STATUS_OK);
    CHECK_STATUS(taro_socket_get_protocol(socket, NULL, 0, &needed), TARO_STATUS_OK);
    CHECK_STATUS(taro_socket_get_extensions(socket, NULL, 0, &needed), TARO_STATUS_OK);
    CHECK_STATUS(taro_socket_get_counters(socket, &counters), TARO_STATUS_OK);
    CHECK_STATUS(taro_socket_pause(socket), TARO_STATUS_OK);
    CHECK_STATUS(taro_socket_resume(socket), TARO_STATUS_OK);
    CHECK_STATUS(taro_socket_send_text(socket, "t", 1), sends);
    CHECK_STATUS(taro_socket_send_binary(socket, "b", 1), sends);
    CHECK_STATUS(taro_socket_ping(socket, "p", 1), sends);
}

static void call_socket(struct inside *inside, int app, taro_socket socket, taro_status sends) {
    call_socket_quietly(socket, sends);
    CHECK_STATUS(talk_close(socket, &inside->calls[app], 1, NULL), TARO_STATUS_INVALID_CLOSE_CODE);
    CHECK_STATUS(talk_send(socket, &inside->calls[app], "s"), sends);
    inside->calls_made[app] += 2;
}

// New sockets, for the ends that a call can make.
static void call_new_sockets(const struct inside *inside) {
    for (int at = 0; at <= 1; at++) {
        taro_connect_options options = TARO_CONNECT_OPTIONS_INIT;
        options.url = mini_str(SERVER_URL("ws", "/sink"));
        options.app = inside->minis[at].app;
        const taro_socket closed = mini_accepted(&options), gone = mini_accepted(&options);
        mini_close(closed);
        CHECK_STATUS(taro_socket_release(gone), TARO_STATUS_OK);
        CHECK_STATUS(taro_socket_release(closed), TARO_STATUS_OK);
        CHECK_STATUS(taro_socket_release(gone), TARO_STATUS_BAD_HANDLE);
        CHECK_STATUS(taro_socket_release(0), TARO_STATUS_OK);
    }
}

static void calls_everything(struct recording *recording, const struct record *record, const void *event) {
    struct inside *inside = recording->context;
    const size_t before[2] = {record_len(&inside->minis[0].recorder), record_len(&inside->minis[1].recorder)};
    (void)event;
    if (record->kind == RECORD_RELEASE) {
        return;
    }
    const int is_open = record->kind == RECORD_OPEN || record->kind == RECORD_MESSAGE || record->kind == RECORD_DRAIN;
    call_library(inside);
    call_dispatch(inside, 0);
    call_new_sockets(inside);
    if (record->kind == RECORD_MESSAGE) {
        void *data = NULL;
        size_t len = 0;
        CHECK_STATUS(taro_message_retain(record->message, &data, &len), TARO_STATUS_OK);
        CHECK_STATUS(taro_message_release(record->message), TARO_STATUS_OK);
    }
    mini_refuse(&inside->minis[0], &inside->calls[0]);
    mini_refuse(&inside->minis[1], &inside->calls[1]);
    inside->calls_made[0]++;
    inside->calls_made[1]++;
    for (int at = 0; at <= 1; at++) {
        call_socket(inside, at, inside->open[at], TARO_STATUS_OK);
    }
    // The last of it, since the server may have waited for this.
    call_socket(inside, 0, record->socket, is_open ? TARO_STATUS_OK : TARO_STATUS_NOT_CONNECTED);
    if (inside->fills && record->kind == RECORD_OPEN) {
        static const char zeros[LIMIT];
        CHECK_STATUS(taro_socket_send_binary(record->socket, zeros, LIMIT), TARO_STATUS_OK);
        CHECK_STATUS(taro_socket_send_binary(record->socket, zeros, LIMIT), TARO_STATUS_FULL);
    }
    CHECK_UINT(record_len(&inside->minis[0].recorder), ==, before[0]);
    // The other app's callbacks, if they have a thread of their own, go on meanwhile.
    CHECK_UINT(record_len(&inside->minis[1].recorder), ==, before[1]);
}

// Inside the results of those calls.
static void calls_more(struct recording *recording, const struct record *record, const void *event) {
    struct inside *inside = recording->context;
    (void)event;
    if (record->kind != RECORD_RELEASE) {
        call_library(inside);
        call_dispatch(inside, recording == &inside->calls[1]);
        call_socket_quietly(inside->open[0], TARO_STATUS_OK);
        call_socket_quietly(inside->open[1], TARO_STATUS_OK);
        call_new_sockets(inside);
    }
}

static struct inside inside;

static void inside_begin(uint32_t delivery) {
    taro_app_options options = TARO_APP_OPTIONS_INIT;
    memset(&inside, 0, sizeof inside);
    options.delivery = delivery;
    options.max_sockets = 100;
    options.send_limit_bytes = LIMIT;
    for (int at = 0; at <= 1; at++) {
        mini_init(&inside.minis[at], &options);
        inside.calls[at] = RECORDING_ON(&inside.minis[at].recorder, "calls", calls_more, &inside);
        inside.rest[at] = RECORDING(&inside.minis[at].recorder, "rest");
    }
    inside.a = RECORDING_ON(&inside.minis[0].recorder, "a", calls_everything, &inside);
    for (int at = 0; at <= 1; at++) {
        inside.open[at] = mini_open(&inside.minis[at], &inside.rest[at], SERVER_URL("ws", "/sink"));
    }
}

// All that was called has been told, and nothing else.
static void inside_end(void) {
    for (int at = 0; at <= 1; at++) {
        mini_wait(&inside.minis[at], RECORD_RELEASE, "calls", inside.calls_made[at]);
    }
    for (int at = 0; at <= 1; at++) {
        struct recorder *recorder = &inside.minis[at].recorder;
        CHECK_UINT(record_count(recorder, RECORD_COMPLETE, "calls"), ==, inside.calls_made[at]);
        CHECK_UINT(record_count(recorder, RECORD_SUCCESS, "calls") + record_count(recorder, RECORD_FAIL, "calls"), ==,
                   inside.calls_made[at]);
        CHECK_SEQUENCE(recorder, "rest", "success complete open");
        mini_end(&inside.minis[at]);
    }
}

#define AFTER_3 "later;later;later;"

static const struct life {
    const char *name;
    const char *query; // the server waits for the last call of each callback
    const char *sequence;
} lives[] = {
    {"closed by the peer", "act=" AFTER_3 "text:one;" AFTER_3 "close:1000:",
     "success complete open message close release"},
    {"broken", "act=" AFTER_3 "text:one;" AFTER_3 "fin", "success complete open message error close release"},
    {"not opened", "status=403", "success complete error release"},
};

static void inside_every_event(void) {
    for (MINI_EACH_DELIVERY(delivery)) {
        for (size_t at = 0; at < sizeof lives / sizeof *lives; at++) {
            mini_row(lives[at].name);
            inside_begin(delivery);
            mini_connect(&inside.minis[0], &inside.a, SERVER_URL("ws", "/sink?%s", lives[at].query));
            mini_wait(&inside.minis[0], RECORD_RELEASE, "a", 1);
            CHECK_SEQUENCE(&inside.minis[0].recorder, "a", lives[at].sequence);
            inside_end();
            mini_row(NULL);
        }
    }
    mini_shutdown();
}

// Only on the I/O thread a buffer is sure to stay full until the callback returns.
static void inside_drain(void) {
    inside_begin(TARO_DELIVERY_DIRECT);
    inside.fills = 1;
    const taro_socket socket = mini_connect(&inside.minis[0], &inside.a, SERVER_URL("ws", "/sink"));
    const struct record *drain = mini_wait(&inside.minis[0], RECORD_DRAIN, "a", 1);
    EVENTUALLY(drain->done);
    CHECK_STATUS(taro_socket_release(socket), TARO_STATUS_OK);
    mini_wait(&inside.minis[0], RECORD_RELEASE, "a", 1);
    CHECK_SEQUENCE(&inside.minis[0].recorder, "a", "success complete open drain release");
    for (int at = 0; at <= 1; at++) {
        mini_wait(&inside.minis[at], RECORD_RELEASE, "calls", inside.calls_made[at]);
    }
    for (int at = 0; at <= 1; at++) {
        mini_end(&inside.minis[at]);
    }
    mini_shutdown();
}

// An app that a callback releases, its own too: the callback goes on, and it is the last one.
static void releases_the_app(struct recording *recording, const struct record *record, const void *event) {
    const struct mini *mini = recording->context;
    (void)event;
    if (record->kind == RECORD_MESSAGE) {
        CHECK_STATUS(taro_app_release(mini->app), TARO_STATUS_OK);
        CHECK_STATUS(taro_app_release(mini->app), TARO_STATUS_BAD_HANDLE);
        CHECK_STATUS(taro_socket_release(record->socket), TARO_STATUS_BAD_HANDLE);
        CHECK_STATUS(taro_socket_send_text(record->socket, "late", 4), TARO_STATUS_BAD_HANDLE);
    }
}

static void the_app_may_be_released_inside(void) {
    for (MINI_EACH_DELIVERY(delivery)) {
        struct mini mini;
        mini_init_of(&mini, delivery);
        struct recording a = RECORDING_ON(&mini.recorder, "a", releases_the_app, &mini);
        mini_connect(&mini, &a, SERVER_URL("ws", "/sink?act=text:one;text:two;close:1000:"));
        if (delivery == TARO_DELIVERY_HOST) {
            // There is no app to wait for in the end.
            EVENTUALLY(taro_app_dispatch(mini.app, 0, NULL) == TARO_STATUS_BAD_HANDLE);
        }
        RECORD_WAIT(&mini.recorder, RECORD_RELEASE, "a", 1);
        CHECK_SEQUENCE(&mini.recorder, "a", "success complete open message release");
        recorder_end(&mini.recorder);
    }
    mini_shutdown();
}

static const struct test tests[] = {
    TEST("L6 L29", inside_every_event),
    TEST("L6 L18", inside_drain),
    TEST("L6 L8", the_app_may_be_released_inside),
};

TEST_MAIN(tests)
