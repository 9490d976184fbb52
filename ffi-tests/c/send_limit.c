// L18: the send limit, `drain`, and what `success` and the buffered amount tell of a peer that does not read.
#include "talk.h"

enum { KIB = 1024, MIB = 1024 * KIB };

// Zeros to send.
static const char zeros[16 * MIB + 1];

static void limit_init(struct mini *mini, uint64_t send_limit) {
    taro_app_options options = TARO_APP_OPTIONS_INIT;
    options.send_limit_bytes = send_limit;
    mini_init(mini, &options);
}

// The host has been told all that was posted until now: a message of the server's comes behind it.
static void in_turn(struct mini *mini, const char *id, size_t n) {
    SERVER_COMMAND("do %s text:turn", id);
    mini_wait(mini, RECORD_MESSAGE, "a", n);
}

// --- inside a callback on the I/O thread nothing can leave the buffer, so each step is exact

enum { LIMIT = 100 };

struct filling {
    struct recording full;
    struct recording too_big;
    struct recording parameter;
};

static taro_status send_zeros(taro_socket socket, size_t len) { return taro_socket_send_binary(socket, zeros, len); }

static taro_status send_recorded(taro_socket socket, struct recording *sent, size_t len) {
    const taro_send_options options = record_send_options(sent, TARO_MESSAGE_BINARY, zeros, len);
    return taro_socket_send(socket, &options);
}

static void fills(struct recording *recording, const struct record *record, const void *event) {
    struct filling *filling = recording->context;
    const taro_socket socket = record->socket;
    (void)event;
    if (record->kind != RECORD_OPEN) {
        return;
    }
    CHECK_UINT(mini_buffered(socket), ==, 0);
    CHECK_STATUS(send_zeros(socket, 60), TARO_STATUS_OK);
    CHECK_UINT(mini_buffered(socket), ==, 60);
    CHECK_STATUS(send_zeros(socket, 0), TARO_STATUS_OK);
    CHECK_UINT(mini_buffered(socket), ==, 60);
    CHECK_STATUS(send_zeros(socket, 39), TARO_STATUS_OK);
    CHECK_UINT(mini_buffered(socket), ==, 99);
    // One byte is free: one message may pass the mark.
    CHECK_STATUS(send_zeros(socket, LIMIT), TARO_STATUS_OK);
    CHECK_UINT(mini_buffered(socket), ==, 199);
    CHECK_STATUS(send_zeros(socket, 1), TARO_STATUS_FULL);
    CHECK_STATUS(send_zeros(socket, 0), TARO_STATUS_FULL);
    CHECK_STATUS(taro_socket_send_text(socket, "a", 1), TARO_STATUS_FULL);
    CHECK_STATUS(send_recorded(socket, &filling->full, 1), TARO_STATUS_FULL);
    CHECK_STATUS(send_zeros(socket, LIMIT + 1), TARO_STATUS_MESSAGE_TOO_BIG);
    CHECK_STATUS(send_recorded(socket, &filling->too_big, LIMIT + 1), TARO_STATUS_MESSAGE_TOO_BIG);
    CHECK_STATUS(talk_send(socket, &filling->parameter, "\xff"), TARO_STATUS_PARAMETER);
    // A refused message leaves nothing behind, and the socket lives on.
    CHECK_UINT(mini_buffered(socket), ==, 199);
    CHECK_UINT(mini_counters(socket).messages_sent, ==, 0);
    CHECK_UINT(mini_state(socket), ==, TARO_READY_STATE_OPEN);
}

static void one_message_may_pass_the_mark(void) {
    struct mini mini;
    struct filling filling;
    limit_init(&mini, LIMIT);
    filling.full = RECORDING(&mini.recorder, "full");
    filling.too_big = RECORDING(&mini.recorder, "big");
    filling.parameter = RECORDING(&mini.recorder, "parameter");
    struct recording a = RECORDING_ON(&mini.recorder, "a", fills, &filling);
    const taro_socket socket = mini_connect(&mini, &a, SERVER_URL("ws", "/sink?id=mark"));
    talk_check_failed(&mini, "full", socket, TARO_STATUS_FULL, 600000,
                      "sendSocketMessage:fail exceed max buffered amount");
    talk_check_failed(&mini, "big", socket, TARO_STATUS_MESSAGE_TOO_BIG, 600005,
                      "sendSocketMessage:fail message too big");
    talk_check_failed(&mini, "parameter", socket, TARO_STATUS_PARAMETER, 600005,
                      "sendSocketMessage:fail parameter error: data");
    // However often it was full, one drain tells.
    CHECK_UINT(mini_wait(&mini, RECORD_DRAIN, "a", 1)->buffered_amount_bytes, ==, 0);
    CHECK_STATUS(send_zeros(socket, LIMIT), TARO_STATUS_OK);
    SERVER_WAIT_N("mark", 5, "^binary");
    CHECK_INT(SERVER_NUMBER("bytes mark"), ==, 60 + 39 + LIMIT + LIMIT);
    CHECK_UINT(SERVER_LOG_COUNT("mark", "text"), ==, 0);
    in_turn(&mini, "mark", 1);
    CHECK_SEQUENCE(&mini.recorder, "a", "success complete open drain message");
    CHECK_UINT(mini_counters(socket).messages_sent, ==, 5);
    CHECK_UINT(mini_buffered(socket), ==, 0);
    mini_end(&mini);
    mini_shutdown();
}

enum { ROUNDS = 5 };

static void fills_again(struct recording *recording, const struct record *record, const void *event) {
    unsigned *rounds = recording->context;
    (void)event;
    if ((record->kind == RECORD_OPEN || record->kind == RECORD_DRAIN) && *rounds < ROUNDS) {
        CHECK_UINT(mini_buffered(record->socket), ==, 0);
        CHECK_STATUS(send_zeros(record->socket, LIMIT), TARO_STATUS_OK);
        CHECK_STATUS(send_zeros(record->socket, LIMIT), TARO_STATUS_FULL);
        ++*rounds;
    }
}

static void each_time_it_is_full_a_drain_follows(void) {
    struct mini mini;
    unsigned rounds = 0;
    limit_init(&mini, LIMIT);
    struct recording a = RECORDING_ON(&mini.recorder, "a", fills_again, &rounds);
    mini_connect(&mini, &a, SERVER_URL("ws", "/sink?id=rounds"));
    mini_wait(&mini, RECORD_DRAIN, "a", ROUNDS);
    in_turn(&mini, "rounds", 1);
    CHECK_SEQUENCE(&mini.recorder, "a", "success complete open drain drain drain drain drain message");
    CHECK_INT(SERVER_NUMBER("bytes rounds"), ==, ROUNDS * LIMIT);
    mini_end(&mini);
    mini_shutdown();
}

static void passes_the_mark(struct recording *recording, const struct record *record, const void *event) {
    (void)recording, (void)event;
    if (record->kind == RECORD_OPEN) {
        CHECK_STATUS(send_zeros(record->socket, LIMIT - 1), TARO_STATUS_OK);
        CHECK_STATUS(send_zeros(record->socket, LIMIT), TARO_STATUS_OK);
    }
}

static void who_was_not_refused_gets_no_drain(void) {
    struct mini mini;
    limit_init(&mini, LIMIT);
    struct recording a = RECORDING_ON(&mini.recorder, "a", passes_the_mark, NULL);
    mini_connect(&mini, &a, SERVER_URL("ws", "/sink?id=quiet"));
    SERVER_WAIT_N("quiet", 2, "^binary ");
    in_turn(&mini, "quiet", 1);
    CHECK_SEQUENCE(&mini.recorder, "a", "success complete open message");
    mini_end(&mini);
    mini_shutdown();
}

// Frames count too, so that what has no bytes of its own is bounded as well.
static void sends_nothing_often(struct recording *recording, const struct record *record, const void *event) {
    size_t *accepted = recording->context;
    taro_status status = TARO_STATUS_OK;
    (void)event;
    if (record->kind == RECORD_OPEN) {
        for (; *accepted < 1000000; ++*accepted) {
            status = send_zeros(record->socket, 0);
            if (status != TARO_STATUS_OK) {
                break;
            }
        }
        CHECK_STATUS(status, TARO_STATUS_FULL);
        CHECK_STATUS(taro_socket_ping(record->socket, NULL, 0), TARO_STATUS_FULL);
        CHECK_UINT(mini_buffered(record->socket), ==, 0);
    }
}

static void messages_without_bytes_are_bounded_too(void) {
    struct mini mini;
    size_t accepted = 0;
    limit_init(&mini, LIMIT);
    struct recording a = RECORDING_ON(&mini.recorder, "a", sends_nothing_often, &accepted);
    const taro_socket socket = mini_connect(&mini, &a, SERVER_URL("ws", "/sink?id=nothing"));
    mini_wait(&mini, RECORD_DRAIN, "a", 1);
    CHECK_STATUS(send_zeros(socket, 1), TARO_STATUS_OK);
    SERVER_WAIT("nothing", "^binary 1 00$");
    CHECK_UINT(SERVER_LOG_COUNT("nothing", "binary 0"), ==, accepted);
    in_turn(&mini, "nothing", 1);
    CHECK_SEQUENCE(&mini.recorder, "a", "success complete open drain message");
    mini_end(&mini);
    mini_shutdown();
}

static void the_limit_is_16_mib_unless_set(void) {
    struct mini mini;
    mini_init(&mini, NULL);
    struct recording a = RECORDING(&mini.recorder, "a"), sent = RECORDING(&mini.recorder, "sent"),
                     big = RECORDING(&mini.recorder, "big");
    const taro_socket socket = mini_open(&mini, &a, SERVER_URL("ws", "/sink?id=default"));
    CHECK_STATUS(send_recorded(socket, &big, 16 * MIB + 1), TARO_STATUS_MESSAGE_TOO_BIG);
    CHECK_STATUS(send_zeros(socket, 16 * MIB + 1), TARO_STATUS_MESSAGE_TOO_BIG);
    CHECK_STATUS(taro_socket_send_text(socket, zeros, 16 * MIB + 1), TARO_STATUS_MESSAGE_TOO_BIG);
    CHECK_STATUS(send_recorded(socket, &sent, 16 * MIB), TARO_STATUS_OK);
    talk_check_failed(&mini, "big", socket, TARO_STATUS_MESSAGE_TOO_BIG, 600005,
                      "sendSocketMessage:fail message too big");
    talk_check_succeeded(&mini, "sent", socket, "sendSocketMessage:ok");
    SERVER_WAIT("default", "^binary 16777216 ");
    CHECK_INT(SERVER_NUMBER("bytes default"), ==, 16 * MIB);
    mini_end(&mini);
    mini_shutdown();
}

// --- a peer that does not read

static void success_means_handed_to_the_system(void) {
    struct mini mini;
    mini_init(&mini, NULL);
    struct recording a = RECORDING(&mini.recorder, "a"), small = RECORDING(&mini.recorder, "small"),
                     large = RECORDING(&mini.recorder, "large"), last = RECORDING(&mini.recorder, "last");
    const taro_socket socket = mini_open(&mini, &a, SERVER_URL("ws_small", "/deaf?id=handed"));
    // The system takes this, though the peer does not.
    CHECK_STATUS(send_recorded(socket, &small, 100), TARO_STATUS_OK);
    talk_check_succeeded(&mini, "small", socket, "sendSocketMessage:ok");
    CHECK_UINT(mini_buffered(socket), ==, 0);
    // Not that, nor what comes behind it.
    CHECK_STATUS(send_recorded(socket, &large, 15 * MIB), TARO_STATUS_OK);
    CHECK_STATUS(send_recorded(socket, &last, 1), TARO_STATUS_OK);
    in_turn(&mini, "handed", 1);
    CHECK_UINT(mini_buffered(socket), ==, 15 * MIB + 1);
    CHECK_SEQUENCE(&mini.recorder, "large", "");
    CHECK_SEQUENCE(&mini.recorder, "last", "");
    CHECK_UINT(mini_counters(socket).messages_sent, ==, 1);
    CHECK_UINT(mini_counters(socket).payload_bytes_sent, ==, 100);
    SERVER_COMMAND("do handed read");
    talk_check_succeeded(&mini, "large", socket, "sendSocketMessage:ok");
    talk_check_succeeded(&mini, "last", socket, "sendSocketMessage:ok");
    CHECK_BEFORE(&mini.recorder, RECORD_RELEASE, "large", RECORD_SUCCESS, "last");
    CHECK_UINT(mini_buffered(socket), ==, 0);
    CHECK_UINT(mini_counters(socket).messages_sent, ==, 3);
    CHECK_UINT(mini_counters(socket).payload_bytes_sent, ==, 15 * MIB + 101);
    SERVER_WAIT_N("handed", 3, "^binary ");
    CHECK_INT(SERVER_NUMBER("bytes handed"), ==, 15 * MIB + 101);
    mini_end(&mini);
    mini_shutdown();
}

enum { SMALL_LIMIT = MIB, CHUNK = 32 * KIB };

struct flood {
    struct mini mini;
    struct recording a;
    struct recording sent;
    taro_socket socket;
    size_t accepted; // of them
    size_t refused;
    size_t turns;
};

// Sends until it is full and stays so: the system takes no more. Every fourth message has callbacks.
static void flood(struct flood *flood) {
    for (uint64_t before = 1, after = 0; before != after; flood->turns++) {
        for (;;) {
            const taro_status status = flood->accepted % 4 == 3 ? send_recorded(flood->socket, &flood->sent, CHUNK)
                                                                : send_zeros(flood->socket, CHUNK);
            if (status != TARO_STATUS_OK) {
                CHECK_STATUS(status, TARO_STATUS_FULL);
                flood->refused += flood->accepted % 4 == 3;
                break;
            }
            flood->accepted++;
        }
        before = mini_buffered(flood->socket);
        in_turn(&flood->mini, "flood", flood->turns + 1);
        after = mini_buffered(flood->socket);
    }
    CHECK_UINT(mini_buffered(flood->socket), >=, SMALL_LIMIT);
    CHECK_UINT(mini_buffered(flood->socket), <, SMALL_LIMIT + CHUNK);
}

static void drain_comes_when_half_is_free(void) {
    struct flood f = {0};
    limit_init(&f.mini, SMALL_LIMIT);
    f.a = RECORDING(&f.mini.recorder, "a");
    f.sent = RECORDING(&f.mini.recorder, "sent");
    f.socket = mini_open(&f.mini, &f.a, SERVER_URL("ws_small", "/deaf?id=flood"));
    flood(&f);
    // Not one while it stays full; those of before may have been told while the system took its share.
    const size_t drains = record_count(&f.mini.recorder, RECORD_DRAIN, "a");
    in_turn(&f.mini, "flood", f.turns + 1);
    CHECK_UINT(record_count(&f.mini.recorder, RECORD_DRAIN, "a"), ==, drains);
    CHECK_UINT(mini_buffered(f.socket) + mini_counters(f.socket).payload_bytes_sent, ==, f.accepted * CHUNK);
    CHECK_STATUS(send_zeros(f.socket, 1), TARO_STATUS_FULL);
    CHECK_STATUS(taro_socket_ping(f.socket, NULL, 0), TARO_STATUS_FULL);

    SERVER_COMMAND("do flood read");
    const struct record *drain = mini_wait(&f.mini, RECORD_DRAIN, "a", drains + 1);
    CHECK_UINT(drain->buffered_amount_bytes, <=, SMALL_LIMIT / 2);
    CHECK_STATUS(send_zeros(f.socket, 1), TARO_STATUS_OK);
    CHECK_UINT(mini_state(f.socket), ==, TARO_READY_STATE_OPEN);
    EVENTUALLY(mini_buffered(f.socket) == 0);
    CHECK_UINT(mini_counters(f.socket).messages_sent, ==, f.accepted + 1);
    CHECK_UINT(mini_counters(f.socket).payload_bytes_sent, ==, f.accepted * CHUNK + 1);

    // Whole messages arrived, and nothing of those that were refused.
    SERVER_WAIT_N("flood", (unsigned)f.accepted + 1, "^binary ");
    CHECK_INT(SERVER_NUMBER("bytes flood"), ==, f.accepted * CHUNK + 1);
    CHECK_UINT(SERVER_LOG_COUNT("flood", "binary "), ==, f.accepted + 1);
    CHECK_UINT(SERVER_LOG_COUNT("flood", "violation"), ==, 0);
    in_turn(&f.mini, "flood", f.turns + 2);
    CHECK_UINT(record_count(&f.mini.recorder, RECORD_DRAIN, "a"), ==, drains + 1);
    CHECK_UINT(record_count(&f.mini.recorder, RECORD_FAIL, "sent"), ==, f.refused);
    CHECK_UINT(record_count(&f.mini.recorder, RECORD_SUCCESS, "sent"), ==, f.accepted / 4);
    mini_end(&f.mini);
    mini_shutdown();
}

// Nothing that waits keeps the socket from its end.
static void what_waits_fails_with_the_socket(void) {
    struct flood f = {0};
    limit_init(&f.mini, SMALL_LIMIT);
    f.a = RECORDING(&f.mini.recorder, "a");
    f.sent = RECORDING(&f.mini.recorder, "sent");
    f.socket = mini_open(&f.mini, &f.a, SERVER_URL("ws_small", "/deaf?id=flood"));
    flood(&f);
    const size_t told = record_count(&f.mini.recorder, RECORD_SUCCESS, "sent");
    const size_t waiting = f.accepted / 4 - told;
    CHECK_UINT(waiting, >, 0);
    SERVER_COMMAND("do flood rst");
    mini_wait(&f.mini, RECORD_RELEASE, "a", 1);
    CHECK_UINT(mini_buffered(f.socket), ==, 0);
    CHECK_UINT(record_count(&f.mini.recorder, RECORD_SUCCESS, "sent"), ==, told);
    CHECK_UINT(record_count(&f.mini.recorder, RECORD_FAIL, "sent"), ==, f.refused + waiting);
    CHECK_UINT(record_count(&f.mini.recorder, RECORD_COMPLETE, "sent"), ==, f.accepted / 4 + f.refused);
    const struct record *fail = mini_find(&f.mini, RECORD_FAIL, "sent", f.refused + waiting);
    CHECK_INT(fail->status, ==, TARO_STATUS_NOT_CONNECTED);
    CHECK_STR(fail->err_msg, "sendSocketMessage:fail WebSocket is not connected");
    CHECK_INT(fail->err_no, ==, 600004);
    // All of them before the host hears of the end.
    CHECK_INT(record_index(&f.mini.recorder, RECORD_RELEASE, "sent", f.accepted / 4 + f.refused), <,
              record_index(&f.mini.recorder, RECORD_ERROR, "a", 1));
    mini_end(&f.mini);
    mini_shutdown();
}

static const struct test tests[] = {
    TEST("L2 L4 L18", one_message_may_pass_the_mark),
    TEST("L18", each_time_it_is_full_a_drain_follows),
    TEST("L18", who_was_not_refused_gets_no_drain),
    TEST("L18", messages_without_bytes_are_bounded_too),
    TEST("L18", the_limit_is_16_mib_unless_set),
    TEST("L18", success_means_handed_to_the_system),
    TEST("L18", drain_comes_when_half_is_free),
    TEST("L2 L5", what_waits_fails_with_the_socket),
};

TEST_MAIN(tests)
