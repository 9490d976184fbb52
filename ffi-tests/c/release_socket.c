// L8, L26: release of a socket, by the part of its life that it is in, by the callback that does it, and what the
// peer hears of it. From where else a release may be called: lifecycle.c; what it waits for: release.c.
#include "talk.h"

// --- by its part of life

static const struct part {
    const char *name;
    enum talk_place place;
    const char *query;
    uint32_t delivery;
    const char *sequence; // of the socket, in the end
    const char *wire;     // the close frame that the peer gets, NULL for none
} parts[] = {
    {"connecting", TALK_CONNECTING, "stall=request", TARO_DELIVERY_DIRECT, "success complete release", NULL},
    {"connecting, host", TALK_CONNECTING, "stall=request", TARO_DELIVERY_HOST, "release", NULL},
    {"open waits for resume", TALK_PAUSED, "act=text:hi", TARO_DELIVERY_DIRECT, "success complete release",
     "^close 1001$"},
    {"open waits for dispatch", TALK_NOT_TOLD_OPEN, "act=text:hi", TARO_DELIVERY_HOST, "release", "^close 1001$"},
    {"open", TALK_OPEN, "", TARO_DELIVERY_DIRECT, "success complete open release", "^close 1001$"},
    {"open, host", TALK_OPEN, "", TARO_DELIVERY_HOST, "success complete open release", "^close 1001$"},
    {"closing", TALK_CLOSING, "onclose=ignore", TARO_DELIVERY_DIRECT, "success complete open release",
     "^close 1000$"},
    {"closing, host", TALK_CLOSING, "onclose=ignore", TARO_DELIVERY_HOST, "success complete open release",
     "^close 1000$"},
    {"close waits for dispatch", TALK_NOT_TOLD_CLOSED, "", TARO_DELIVERY_HOST, "success complete open release",
     "^close 1000$"},
    {"closed", TALK_CLOSED, "", TARO_DELIVERY_DIRECT, "success complete open close release", "^close 1000$"},
    {"closed by the peer", TALK_PEER_CLOSED, "act=close:1000:", TARO_DELIVERY_HOST,
     "success complete open close release", "^close 1000$"},
    {"broken", TALK_BROKEN, "act=fin", TARO_DELIVERY_DIRECT, "success complete open error close release", NULL},
    {"never open", TALK_NOT_OPENED, "status=403", TARO_DELIVERY_DIRECT, "success complete error release", NULL},
};

static void it_is_silent_in_every_part_of_life(void) {
    for (size_t at = 0; at < sizeof parts / sizeof *parts; at++) {
        const struct part *row = &parts[at];
        struct mini mini;
        uint32_t state = 99;
        mini_row(row->name);
        mini_init_of(&mini, row->delivery);
        struct recording a = RECORDING(&mini.recorder, "a"), turn = RECORDING(&mini.recorder, "turn");
        const taro_socket socket = talk_bring_to(&mini, &a, row->place, "part", row->query);
        CHECK_STATUS(taro_socket_release(socket), TARO_STATUS_OK);
        CHECK_UINT(mini_live(&mini), ==, 0);
        // The id has ended.
        CHECK_STATUS(taro_socket_get_ready_state(socket, &state), TARO_STATUS_BAD_HANDLE);
        CHECK_STATUS(taro_socket_release(socket), TARO_STATUS_BAD_HANDLE);
        mini_wait(&mini, RECORD_RELEASE, "a", 1);
        EVENTUALLY(SERVER_NUMBER("live part") == 0);
        if (row->wire) {
            SERVER_WAIT("part", row->wire);
        }
        CHECK_UINT(SERVER_LOG_COUNT("part", "opcode=8"), ==, row->wire != NULL);
        // Whatever else the app had to tell would have come before this.
        mini_refuse(&mini, &turn);
        mini_wait(&mini, RECORD_RELEASE, "turn", 1);
        CHECK_SEQUENCE(&mini.recorder, "a", row->sequence);
        mini_row(NULL);
        mini_end(&mini);
        SERVER_COMMAND("forget part");
    }
    mini_shutdown();
}

// Calls of the socket whose results are still to be told, or to come: their user data comes back, before its own.
static void calls_on_their_way_are_silent_too(void) {
    enum { SIZE = 1 << 20, MESSAGES = 12 };
    for (MINI_EACH_DELIVERY(delivery)) {
        struct mini mini;
        unsigned char *data = talk_bytes(SIZE);
        mini_init_of(&mini, delivery);
        struct recording a = RECORDING(&mini.recorder, "a"), sent = RECORDING(&mini.recorder, "sent"),
                         wrong = RECORDING(&mini.recorder, "wrong"), closed = RECORDING(&mini.recorder, "closed");
        const taro_socket socket = mini_open(&mini, &a, SERVER_URL("ws_small", "/deaf"));
        for (int n = 0; n < MESSAGES; n++) {
            const taro_send_options options = record_send_options(&sent, TARO_MESSAGE_BINARY, data, SIZE);
            CHECK_STATUS(taro_socket_send(socket, &options), TARO_STATUS_OK);
        }
        CHECK_STATUS(talk_send(socket, &wrong, "\xff"), TARO_STATUS_PARAMETER);
        CHECK_STATUS(talk_close(socket, &closed, 1000, NULL), TARO_STATUS_OK);
        CHECK_STATUS(taro_socket_release(socket), TARO_STATUS_OK);
        mini_wait(&mini, RECORD_RELEASE, "a", 1);
        CHECK_UINT(record_count(&mini.recorder, RECORD_RELEASE, "sent"), ==, MESSAGES);
        CHECK_UINT(record_count(&mini.recorder, RECORD_RELEASE, "wrong"), ==, 1);
        CHECK_UINT(record_count(&mini.recorder, RECORD_RELEASE, "closed"), ==, 1);
        CHECK_INT(record_index(&mini.recorder, RECORD_RELEASE, "a", 1), ==, record_len(&mini.recorder) - 1);
        CHECK_UINT(record_count(&mini.recorder, RECORD_FAIL, "sent"), ==, 0);
        CHECK_UINT(record_count(&mini.recorder, RECORD_SUCCESS, "sent"), <, MESSAGES);
        CHECK_UINT(record_count(&mini.recorder, RECORD_CLOSE, "a"), ==, 0);
        if (delivery == TARO_DELIVERY_HOST) {
            CHECK_UINT(record_count(&mini.recorder, RECORD_SUCCESS, "sent"), ==, 0);
            CHECK_SEQUENCE(&mini.recorder, "wrong", "release");
            CHECK_SEQUENCE(&mini.recorder, "closed", "release");
        }
        mini_end(&mini);
        free(data);
    }
    mini_shutdown();
}

// What was accepted before the release still goes, and the close frame behind it, if the peer takes it at once.
static void the_last_words_arrive(void) {
    struct mini mini;
    mini_init(&mini, NULL);
    struct recording a = RECORDING(&mini.recorder, "a");
    const taro_socket socket = mini_open(&mini, &a, SERVER_URL("ws", "/sink?id=last"));
    mini_send(socket, "one");
    mini_send(socket, "two");
    CHECK_STATUS(taro_socket_release(socket), TARO_STATUS_OK);
    SERVER_WAIT("last", "^text 3 one$");
    SERVER_WAIT("last", "^text 3 two$");
    SERVER_WAIT("last", "^close 1001$");
    SERVER_WAIT("last", "^end");
    CHECK_UINT(SERVER_LOG_COUNT("last", "violation"), ==, 0);
    mini_end(&mini);
    mini_shutdown();
}

// A host that quits: all in one go, and no thread is left that could write later.
static void the_last_words_of_a_host_that_quits(void) {
    enum { ROUNDS = 40 };
    for (int round = 0; round < ROUNDS; round++) {
        char id[24];
        struct mini mini;
        snprintf(id, sizeof id, "quits%d", round);
        mini_init_of(&mini, round % 2 ? TARO_DELIVERY_HOST : TARO_DELIVERY_DIRECT);
        struct recording a = RECORDING(&mini.recorder, "a");
        const taro_socket socket = mini_open(&mini, &a, SERVER_URL("ws", "/sink?id=%s", id));
        mini_send(socket, "one");
        mini_send(socket, "two");
        CHECK_STATUS(taro_socket_close(socket, NULL), TARO_STATUS_OK);
        mini_end(&mini);
        mini_shutdown();
        SERVER_WAIT(id, "^text 3 one$");
        SERVER_WAIT(id, "^text 3 two$");
        SERVER_WAIT(id, "^close 1000");
        SERVER_WAIT(id, "^e(nd|of)");
        SERVER_COMMAND("forget %s", id);
    }
}

// --- by the callback that does it

static const struct within {
    const char *name;
    const char *label; // of the callback
    int kind;
    const char *query;
    const char *a; // all that is recorded of the socket, and of one send and one close
    const char *sent;
    const char *closed;
} withins[] = {
    {"success of connect", "a", RECORD_SUCCESS, "", "success release", "", ""},
    {"complete of connect", "a", RECORD_COMPLETE, "", "success complete release", "", ""},
    {"open", "a", RECORD_OPEN, "act=text:hi;close:1000:", "success complete open release", "", ""},
    {"message", "a", RECORD_MESSAGE, "act=text:hi;text:ho;close:1000:", "success complete open message release", "",
     ""},
    {"error of a handshake", "a", RECORD_ERROR, "status=403", "success complete error release", "", ""},
    {"error of a broken one", "a", RECORD_ERROR, "act=fin", "success complete open error release", "", ""},
    {"close", "a", RECORD_CLOSE, "act=close:1000:", "success complete open close release", "", ""},
    {"drain", "a", RECORD_DRAIN, "", "success complete open drain release", "", ""},
    {"success of send", "sent", RECORD_SUCCESS, "", "success complete open release", "success release", ""},
    {"complete of send", "sent", RECORD_COMPLETE, "", "success complete open release", "success complete release",
     ""},
    {"success of close", "closed", RECORD_SUCCESS, "", "success complete open release", "success complete release",
     "success release"},
    {"complete of close", "closed", RECORD_COMPLETE, "", "success complete open release",
     "success complete release", "success complete release"},
};

enum { LIMIT = 100 };

struct releaser {
    const struct within *row;
    taro_socket socket; // 0: whose callback it is
    struct latch done;
};

static void releases(struct recording *recording, const struct record *record, const void *event) {
    static const char zeros[LIMIT];
    struct releaser *releaser = recording->context;
    (void)event;
    if (releaser->row->kind == RECORD_DRAIN && record->kind == RECORD_OPEN) {
        // Full, and on the I/O thread sure to stay so until this returns.
        CHECK_STATUS(taro_socket_send_binary(record->socket, zeros, LIMIT), TARO_STATUS_OK);
        CHECK_STATUS(taro_socket_send_binary(record->socket, zeros, LIMIT), TARO_STATUS_FULL);
    }
    if ((int)record->kind == releaser->row->kind && strcmp(record->label, releaser->row->label) == 0) {
        CHECK_STATUS(taro_socket_release(releaser->socket ? releaser->socket : record->socket), TARO_STATUS_OK);
        latch_hit(&releaser->done);
    }
}

static void release_within(const struct within *row, uint32_t delivery) {
    struct mini mini;
    struct releaser releaser = {.row = row};
    taro_app_options options = TARO_APP_OPTIONS_INIT;
    options.delivery = delivery;
    options.send_limit_bytes = LIMIT;
    latch_init(&releaser.done);
    mini_init(&mini, &options);
    struct recording a = RECORDING_ON(&mini.recorder, "a", releases, &releaser),
                     sent = RECORDING_ON(&mini.recorder, "sent", releases, &releaser),
                     closed = RECORDING_ON(&mini.recorder, "closed", releases, &releaser);
    const taro_socket socket = mini_connect(&mini, &a, SERVER_URL("ws", "/sink?id=within&%s", row->query));
    if (*row->sent) {
        mini_wait(&mini, RECORD_OPEN, "a", 1);
        CHECK_STATUS(talk_send(socket, &sent, "sent"), TARO_STATUS_OK);
        if (*row->closed) {
            mini_wait(&mini, RECORD_RELEASE, "sent", 1);
            CHECK_STATUS(talk_close(socket, &closed, 1000, NULL), TARO_STATUS_OK);
        }
    }
    mini_wait(&mini, RECORD_RELEASE, "a", 1);
    CHECK_UINT(latch_count(&releaser.done), ==, 1);
    CHECK_SEQUENCE(&mini.recorder, "a", row->a);
    CHECK_SEQUENCE(&mini.recorder, "sent", row->sent);
    CHECK_SEQUENCE(&mini.recorder, "closed", row->closed);
    CHECK_INT(record_index(&mini.recorder, RECORD_RELEASE, "a", 1), ==, record_len(&mini.recorder) - 1);
    EVENTUALLY(SERVER_NUMBER("live within") == 0);
    mini_end(&mini);
    SERVER_COMMAND("forget within");
    latch_destroy(&releaser.done);
}

static void inside_each_of_its_callbacks(void) {
    for (MINI_EACH_DELIVERY(delivery)) {
        for (size_t at = 0; at < sizeof withins / sizeof *withins; at++) {
            if (withins[at].kind != RECORD_DRAIN || delivery == TARO_DELIVERY_DIRECT) {
                mini_row(withins[at].name);
                release_within(&withins[at], delivery);
            }
        }
    }
    mini_row(NULL);
    mini_shutdown();
}

// In a callback of the one, the other is released: what waits of it for the host is gone.
static void inside_anothers_callback(void) {
    static const struct within row = {"b", "b", RECORD_MESSAGE, "", "", "", ""};
    for (MINI_EACH_DELIVERY(delivery)) {
        for (int other_app = 0; other_app <= 1; other_app++) {
            struct mini minis[2];
            struct releaser releaser = {.row = &row};
            latch_init(&releaser.done);
            mini_init_of(&minis[0], delivery);
            mini_init_of(&minis[1], delivery);
            struct mini *mini = &minis[other_app];
            struct recording a = RECORDING(&minis[0].recorder, "a"),
                             b = RECORDING_ON(&mini->recorder, "b", releases, &releaser);
            const taro_socket socket = mini_open(&minis[0], &a, SERVER_URL("ws", "/echo?id=first"));
            releaser.socket = socket;
            mini_open(mini, &b, SERVER_URL("ws", "/echo?id=second"));
            if (delivery == TARO_DELIVERY_HOST) {
                // They wait behind the message in whose callback it goes, or, in another app, for ever.
                SERVER_COMMAND("do second text:go");
                mini_in_step("second", 1);
                SERVER_COMMAND("do first text:one;text:two;close:1000:");
                SERVER_WAIT("first", "^close 1000$");
            } else {
                SERVER_COMMAND("do second text:go");
            }
            mini_wait(mini, RECORD_MESSAGE, "b", 1);
            LATCH_WAIT(&releaser.done, 1);
            mini_wait(&minis[0], RECORD_RELEASE, "a", 1);
            CHECK_SEQUENCE(&minis[0].recorder, "a", "success complete open release");
            EVENTUALLY(SERVER_NUMBER("live first") == 0);
            mini_end(&minis[0]);
            mini_end(&minis[1]);
            latch_destroy(&releaser.done);
            SERVER_COMMAND("forget first");
            SERVER_COMMAND("forget second");
        }
    }
    mini_shutdown();
}

// --- on another thread

struct held {
    struct latch entered;
    struct latch open;
};

static void waits_in_message(struct recording *recording, const struct record *record, const void *event) {
    struct held *held = recording->context;
    (void)event;
    if (record->kind == RECORD_MESSAGE) {
        latch_hit(&held->entered);
        LATCH_WAIT(&held->open, 1);
    }
}

static void dispatches(void *context) {
    const struct mini *mini = context;
    CHECK_STATUS(taro_app_dispatch(mini->app, 0, NULL), TARO_STATUS_OK);
}

// One of its callbacks runs: the release does not wait for it, and none comes behind it.
static void it_never_waits_for_a_callback(void) {
    for (MINI_EACH_DELIVERY(delivery)) {
        struct mini mini;
        struct held held;
        struct test_thread thread;
        latch_init(&held.entered);
        latch_init(&held.open);
        mini_init_of(&mini, delivery);
        struct recording a = RECORDING_ON(&mini.recorder, "a", waits_in_message, &held);
        const taro_socket socket = mini_open(&mini, &a, SERVER_URL("ws", "/echo?id=held"));
        SERVER_COMMAND("do held numbers:50;close:1000:");
        if (delivery == TARO_DELIVERY_HOST) {
            SERVER_WAIT("held", "^close 1000$");
            thread_start(&thread, dispatches, &mini);
        }
        LATCH_WAIT(&held.entered, 1);
        CHECK_STATUS(taro_socket_release(socket), TARO_STATUS_OK);
        record_mark(&mini.recorder, "released");
        CHECK_UINT(record_count(&mini.recorder, RECORD_RELEASE, "a"), ==, 0);
        latch_hit(&held.open);
        if (delivery == TARO_DELIVERY_HOST) {
            THREAD_JOIN(&thread);
        }
        mini_wait(&mini, RECORD_RELEASE, "a", 1);
        CHECK_SEQUENCE(&mini.recorder, "a", "success complete open message release");
        CHECK_INT(record_index(&mini.recorder, RECORD_MARK, "released", 1), ==, 4);
        mini_end(&mini);
        latch_destroy(&held.entered);
        latch_destroy(&held.open);
    }
    mini_shutdown();
}

// Again and again in the middle of a stream of messages: at most the callback that runs is recorded behind it.
static void none_starts_after_it_has_returned(void) {
    const int rounds = wait_slow() > 1 ? 5 : 60;
    for (int round = 0; round < rounds; round++) {
        struct mini mini;
        mini_init(&mini, NULL);
        struct recording a = RECORDING(&mini.recorder, "a");
        const taro_socket socket = mini_connect(&mini, &a, SERVER_URL("ws", "/echo?act=numbers:3000"));
        mini_wait(&mini, RECORD_MESSAGE, "a", 1 + (size_t)round * 7);
        CHECK_STATUS(taro_socket_release(socket), TARO_STATUS_OK);
        record_mark(&mini.recorder, "released");
        mini_wait(&mini, RECORD_RELEASE, "a", 1);
        const long mark = record_index(&mini.recorder, RECORD_MARK, "released", 1);
        CHECK_INT((long)record_len(&mini.recorder) - 1 - mark, <=, 2);
        CHECK_UINT(record_count(&mini.recorder, RECORD_RELEASE, "a"), ==, 1);
        mini_end(&mini);
    }
    mini_shutdown();
}

static void ids_that_are_none(void) {
    struct mini mini;
    mini_init(&mini, NULL);
    struct recording a = RECORDING(&mini.recorder, "a");
    const taro_socket socket = mini_open(&mini, &a, SERVER_URL("ws", "/echo"));
    CHECK_STATUS(taro_socket_release(0), TARO_STATUS_OK);
    CHECK_STATUS(taro_socket_release(0), TARO_STATUS_OK);
    CHECK_STATUS(taro_socket_release(socket + 1), TARO_STATUS_BAD_HANDLE);
    CHECK_STATUS(taro_socket_release(mini.app), TARO_STATUS_BAD_HANDLE);
    CHECK_STATUS(taro_socket_release(UINT64_MAX), TARO_STATUS_BAD_HANDLE);
    CHECK_UINT(mini_state(socket), ==, TARO_READY_STATE_OPEN);
    mini_send(socket, "still here");
    mini_wait(&mini, RECORD_MESSAGE, "a", 1);
    mini_end(&mini);
    mini_shutdown();
}

static const struct test tests[] = {
    TEST("-", the_last_words_of_a_host_that_quits),
    TEST("L8 L26", it_is_silent_in_every_part_of_life),
    TEST("L8", calls_on_their_way_are_silent_too),
    TEST("-", the_last_words_arrive),
    TEST("L8", inside_each_of_its_callbacks),
    TEST("L8", inside_anothers_callback),
    TEST("L8 L26", it_never_waits_for_a_callback),
    TEST("L8", none_starts_after_it_has_returned),
    TEST("L1 L26", ids_that_are_none),
};

TEST_MAIN(tests)
