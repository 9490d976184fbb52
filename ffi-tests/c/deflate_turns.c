// L7, L24: a message that takes long to compress or to inflate takes turns with all else: with other sockets of its
// thread, with a pause in the middle of it, and with deadlines.
#include "deflate.h"

// --- one socket has a message that takes long, another one of the thread goes on

enum { HUGE_LEN = 16 * MIB, BEGUN = 1000 };

struct turns {
    struct mini mini;
    struct recording large; // a socket, and its recordings of calls
    struct recording sent;
    struct recording small; // another one of the same app
    struct recording again;
    struct recording reply;
    taro_socket large_socket;
    taro_socket small_socket;
    unsigned char *data;
    int inflates; // else it compresses
    int pauses;   // in the middle of it
    int acted;
};

// The end of the long message, in the record.
static int is_over(struct turns *turns) {
    return turns->inflates ? record_count(&turns->mini.recorder, RECORD_MESSAGE, "large") > 1
                           : record_count(&turns->mini.recorder, RECORD_SUCCESS, "sent") > 0;
}

// A part of it is done.
static int has_begun(struct turns *turns) {
    const taro_socket_counters counters = mini_counters(turns->large_socket);
    return (turns->inflates ? counters.wire_bytes_received : counters.wire_bytes_sent) > BEGUN;
}

static void on_large(struct recording *recording, const struct record *record, const void *event) {
    struct turns *turns = recording->context;
    (void)event;
    if (record->kind != RECORD_MESSAGE || record->data.len != strlen("go")) {
        return;
    }
    if (turns->inflates) {
        SERVER_COMMAND("do large packed:%d;packedtext:end", HUGE_LEN);
    } else {
        const taro_send_options options = record_send_options(&turns->sent, TARO_MESSAGE_TEXT, turns->data, HUGE_LEN);
        CHECK_STATUS(taro_socket_send(turns->large_socket, &options), TARO_STATUS_OK);
    }
    CHECK_STATUS(talk_send(turns->small_socket, &turns->again, "again"), TARO_STATUS_OK);
}

// One send after the other, each handed over, until the long message is half done. Then something comes in.
static void on_again(struct recording *recording, const struct record *record, const void *event) {
    struct turns *turns = recording->context;
    (void)event;
    if (record->kind != RECORD_SUCCESS || turns->acted) {
        return;
    }
    turns->acted = has_begun(turns);
    if (!turns->acted) {
        CHECK_STATUS(talk_send(turns->small_socket, &turns->again, "again"), TARO_STATUS_OK);
        return;
    }
    CHECK(!is_over(turns));
    if (turns->pauses) {
        CHECK_STATUS(taro_socket_pause(turns->large_socket), TARO_STATUS_OK);
    }
    SERVER_COMMAND("do small text:hello");
}

static void on_small(struct recording *recording, const struct record *record, const void *event) {
    struct turns *turns = recording->context;
    (void)event;
    if (record->kind == RECORD_MESSAGE) {
        CHECK_STATUS(talk_send(turns->small_socket, &turns->reply, "reply"), TARO_STATUS_OK);
    }
}

static void turns_begin(struct turns *turns, const char *listener) {
    struct recorder *recorder = &turns->mini.recorder;
    mini_row(listener);
    deflate_init(&turns->mini, NULL);
    turns->large = RECORDING_ON(recorder, "large", on_large, turns);
    turns->sent = RECORDING(recorder, "sent");
    turns->small = RECORDING_ON(recorder, "small", on_small, turns);
    turns->again = RECORDING_ON(recorder, "again", on_again, turns);
    turns->reply = RECORDING(recorder, "reply");
    turns->large_socket = deflate_open(&turns->mini, &turns->large, SERVER_URL(listener, "/sink?id=large&" AGREED));
    turns->small_socket = mini_open(&turns->mini, &turns->small, SERVER_URL(listener, "/sink?id=small"));
    SERVER_COMMAND("do large text:go");
}

static void turns_end(struct turns *turns) {
    mini_end(&turns->mini);
    SERVER_COMMAND("forget large");
    SERVER_COMMAND("forget small");
    mini_row(NULL);
}

static void go_on_meanwhile(const char *listener, int inflates) {
    struct turns turns = {.inflates = inflates, .data = deflate_letters(HUGE_LEN)};
    turns_begin(&turns, listener);
    if (inflates) {
        CHECK_UINT(mini_wait(&turns.mini, RECORD_MESSAGE, "large", 2)->data.len, ==, HUGE_LEN);
        CHECK_STR(mini_wait(&turns.mini, RECORD_MESSAGE, "large", 3)->data, "end");
    } else {
        mini_wait(&turns.mini, RECORD_RELEASE, "sent", 1);
        SERVER_WAIT("large", "^text 16777216 zzz");
    }
    mini_wait(&turns.mini, RECORD_RELEASE, "reply", 1);
    const long end = inflates ? record_index(&turns.mini.recorder, RECORD_MESSAGE, "large", 2)
                              : record_index(&turns.mini.recorder, RECORD_SUCCESS, "sent", 1);
    CHECK_INT(turns.acted, ==, 1);
    // What arrived for the other one in the middle of it was read, and answered.
    CHECK_INT(record_index(&turns.mini.recorder, RECORD_MESSAGE, "small", 1), <, end);
    CHECK_INT(record_index(&turns.mini.recorder, RECORD_SUCCESS, "reply", 1), <, end);
    turns_end(&turns);
    free(turns.data);
}

static void others_go_on_while_one_compresses(void) {
    go_on_meanwhile("ws", 0);
    go_on_meanwhile("wss", 0);
    mini_shutdown();
}

static void others_go_on_while_one_inflates(void) {
    go_on_meanwhile("ws", 1);
    go_on_meanwhile("wss", 1);
    mini_shutdown();
}

// --- a pause in the middle

static void a_pause_in_the_middle_of_it(void) {
    static const char *const listeners[] = {"ws", "wss"};
    for (size_t at = 0; at < 2; at++) {
        struct turns turns = {.inflates = 1, .pauses = 1};
        turns_begin(&turns, listeners[at]);
        // It is whole in the end, and more than may wait: what stands behind it is left where it is.
        EVENTUALLY(mini_counters(turns.large_socket).messages_received == 2);
        mini_wait(&turns.mini, RECORD_RELEASE, "reply", 1);
        CHECK_UINT(mini_counters(turns.large_socket).messages_received, ==, 2);
        CHECK_UINT(record_count(&turns.mini.recorder, RECORD_MESSAGE, "large"), ==, 1);
        CHECK_STATUS(taro_socket_resume(turns.large_socket), TARO_STATUS_OK);
        CHECK_UINT(mini_wait(&turns.mini, RECORD_MESSAGE, "large", 2)->data.len, ==, HUGE_LEN);
        CHECK_STR(mini_wait(&turns.mini, RECORD_MESSAGE, "large", 3)->data, "end");
        CHECK_SEQUENCE(&turns.mini.recorder, "large", "success complete open message message message");
        turns_end(&turns);
    }
    mini_shutdown();
}

// Over and over, at any place: nothing is lost, and it goes on with nothing else that wakes it.
static void pauses_lose_nothing(void) {
    enum { MESSAGES = 30, SIZE = 300000 };
    for (MINI_EACH_DELIVERY(delivery)) {
        struct mini mini;
        taro_app_options options = TARO_APP_OPTIONS_INIT;
        char actions[30 * MESSAGES] = "";
        options.delivery = delivery;
        options.pause_limit_bytes = options.queue_limit_bytes = 2 * SIZE;
        mini_init(&mini, &options);
        for (int n = 0; n < MESSAGES; n++) {
            sprintf(actions + strlen(actions), "packed:%d;packedtext:%d;", SIZE + n, n);
        }
        struct recording a = RECORDING(&mini.recorder, "a");
        const taro_socket socket = deflate_open(&mini, &a, SERVER_URL("ws", "/sink?id=often&" AGREED));
        SERVER_COMMAND("do often %s", actions);
        for (size_t n = 1; n <= 2 * MESSAGES; n++) {
            CHECK_STATUS(taro_socket_pause(socket), TARO_STATUS_OK);
            CHECK_STATUS(taro_socket_resume(socket), TARO_STATUS_OK);
            const struct record *message = mini_wait(&mini, RECORD_MESSAGE, "a", n);
            char number[12];
            snprintf(number, sizeof number, "%zu", (n - 1) / 2);
            if (n % 2) {
                CHECK_UINT(message->data.len, ==, SIZE + n / 2);
            } else {
                CHECK_STR(message->data, number);
            }
            CHECK_STATUS(taro_socket_pause(socket), TARO_STATUS_OK);
        }
        CHECK_STATUS(taro_socket_resume(socket), TARO_STATUS_OK);
        mini_end(&mini);
        SERVER_COMMAND("forget often");
    }
    mini_shutdown();
}

// --- deadlines

// While the library has stopped reading, silence is not the peer's: pongs stand behind messages of which it inflates
// no more.
static void deadlines_stand_still_while_it_waits(void) {
    enum { PING_MS = 50, PONG_MS = 200, MESSAGES = 5, SIZE = 300000 };
    for (MINI_EACH_DELIVERY(delivery)) {
        struct mini mini;
        taro_app_options options = TARO_APP_OPTIONS_INIT;
        options.delivery = delivery;
        options.pause_limit_bytes = options.queue_limit_bytes = 1000;
        options.ping_interval_ms = PING_MS;
        options.pong_timeout_ms = PONG_MS * wait_slow();
        mini_init(&mini, &options);
        struct recording a = RECORDING(&mini.recorder, "a");
        const taro_socket socket = deflate_open(&mini, &a, SERVER_URL("ws", "/sink?id=stopped&" AGREED));
        if (delivery == TARO_DELIVERY_DIRECT) {
            CHECK_STATUS(taro_socket_pause(socket), TARO_STATUS_OK);
        }
        SERVER_COMMAND("do stopped packed:%d;packed:%d;packed:%d;packed:%d;packed:%d", SIZE, SIZE, SIZE, SIZE, SIZE);
        EVENTUALLY(mini_counters(socket).messages_received == 1);
        // The same deadlines, of a socket that does read, pass twice.
        for (int round = 0; round < 2; round++) {
            struct mini witness;
            options.delivery = TARO_DELIVERY_DIRECT;
            mini_init(&witness, &options);
            struct recording w = RECORDING(&witness.recorder, "w");
            mini_open(&witness, &w, SERVER_URL("ws", "/echo?onping=ignore"));
            CHECK_UINT(RECORD_WAIT(&witness.recorder, RECORD_CLOSE, "w", 1)->cause, ==, TARO_CAUSE_PONG_TIMEOUT);
            mini_end(&witness);
        }
        CHECK_UINT(mini_live(&mini), ==, 1);
        CHECK_UINT(mini_counters(socket).messages_received, ==, 1);
        const uint64_t pongs = mini_counters(socket).pongs_received;
        if (delivery == TARO_DELIVERY_DIRECT) {
            CHECK_STATUS(taro_socket_resume(socket), TARO_STATUS_OK);
        }
        mini_wait(&mini, RECORD_MESSAGE, "a", MESSAGES);
        CHECK_UINT(record_count(&mini.recorder, RECORD_CLOSE, "a"), ==, 0);
        // The clock runs again, and the peer answers.
        EVENTUALLY(mini_counters(socket).pongs_received > pongs);
        mini_end(&mini);
        SERVER_COMMAND("forget stopped");
    }
    mini_shutdown();
}

static const struct test tests[] = {
    TEST("-", others_go_on_while_one_compresses),
    TEST("-", others_go_on_while_one_inflates),
    TEST("L7", a_pause_in_the_middle_of_it),
    TEST("L7", pauses_lose_nothing),
    TEST("L24", deadlines_stand_still_while_it_waits),
};

TEST_MAIN(tests)
