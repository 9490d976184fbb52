// L18, L19: what a call of send promises. Its way to the peer: send_wire.c; the send limit: send_limit.c.
#include "talk.h"

// --- where a message goes, and where it does not

static void accepted_and_handed_over(void) {
    for (MINI_EACH_DELIVERY(delivery)) {
        struct mini mini;
        mini_init_of(&mini, delivery);
        struct recording a = RECORDING(&mini.recorder, "a"), sent = RECORDING(&mini.recorder, "sent");
        const taro_socket socket = mini_open(&mini, &a, SERVER_URL("ws", "/sink?id=ok"));
        CHECK_STATUS(talk_send(socket, &sent, "hello"), TARO_STATUS_OK);
        talk_check_succeeded(&mini, "sent", socket, "sendSocketMessage:ok");
        SERVER_WAIT("ok", "^text 5 hello$");
        CHECK_UINT(mini_counters(socket).messages_sent, ==, 1);
        CHECK_UINT(mini_counters(socket).payload_bytes_sent, ==, 5);
        SERVER_COMMAND("forget ok");
        mini_end(&mini);
    }
    mini_shutdown();
}

static const struct elsewhere {
    const char *name;
    enum talk_place place;
    const char *query;
    uint32_t delivery;
    uint32_t state;
} elsewhere[] = {
    {"connecting", TALK_CONNECTING, "stall=request", TARO_DELIVERY_DIRECT, TARO_READY_STATE_CONNECTING},
    {"open is held by a pause", TALK_PAUSED, "", TARO_DELIVERY_DIRECT, TARO_READY_STATE_CONNECTING},
    {"open waits for dispatch", TALK_NOT_TOLD_OPEN, "", TARO_DELIVERY_HOST, TARO_READY_STATE_CONNECTING},
    {"closing", TALK_CLOSING, "onclose=ignore", TARO_DELIVERY_DIRECT, TARO_READY_STATE_CLOSING},
    {"closed", TALK_CLOSED, "", TARO_DELIVERY_DIRECT, TARO_READY_STATE_CLOSED},
    {"close waits for dispatch", TALK_NOT_TOLD_CLOSED, "", TARO_DELIVERY_HOST, TARO_READY_STATE_OPEN},
    {"closed by the peer", TALK_PEER_CLOSED, "act=close:1000:", TARO_DELIVERY_DIRECT, TARO_READY_STATE_CLOSED},
    {"broken", TALK_BROKEN, "act=rst", TARO_DELIVERY_DIRECT, TARO_READY_STATE_CLOSED},
    {"never open", TALK_NOT_OPENED, "status=403", TARO_DELIVERY_DIRECT, TARO_READY_STATE_CLOSED},
};

static void a_socket_that_is_not_open_sends_nothing(void) {
    for (size_t at = 0; at < sizeof elsewhere / sizeof *elsewhere; at++) {
        const struct elsewhere *row = &elsewhere[at];
        struct mini mini;
        mini_row(row->name);
        mini_init_of(&mini, row->delivery);
        struct recording a = RECORDING(&mini.recorder, "a"), sent = RECORDING(&mini.recorder, "sent"),
                         bad = RECORDING(&mini.recorder, "bad");
        const taro_socket socket =
            talk_bring_to(&mini, &a, row->place, "elsewhere", row->query);
        CHECK_UINT(mini_state(socket), ==, row->state);
        CHECK_STATUS(taro_socket_send_text(socket, "no", 2), TARO_STATUS_NOT_CONNECTED);
        CHECK_STATUS(taro_socket_send_binary(socket, NULL, 0), TARO_STATUS_NOT_CONNECTED);
        CHECK_STATUS(talk_send(socket, &sent, "no"), TARO_STATUS_NOT_CONNECTED);
        // Whatever else is wrong with it.
        CHECK_STATUS(talk_send(socket, &bad, "\xff"), TARO_STATUS_NOT_CONNECTED);
        CHECK_UINT(mini_buffered(socket), ==, 0);
        talk_check_failed(&mini, "sent", socket, TARO_STATUS_NOT_CONNECTED, 600004,
                          "sendSocketMessage:fail WebSocket is not connected");
        talk_check_failed(&mini, "bad", socket, TARO_STATUS_NOT_CONNECTED, 600004,
                          "sendSocketMessage:fail WebSocket is not connected");
        CHECK_UINT(mini_counters(socket).messages_sent, ==, 0);
        mini_end(&mini);
        EVENTUALLY(SERVER_NUMBER("live elsewhere") == 0);
        CHECK_UINT(SERVER_LOG_COUNT("elsewhere", "text "), ==, 0);
        CHECK_UINT(SERVER_LOG_COUNT("elsewhere", "binary "), ==, 0);
        SERVER_COMMAND("forget elsewhere");
        mini_row(NULL);
    }
    mini_shutdown();
}

static void in_the_background_nothing_is_sent(void) {
    struct mini mini;
    mini_init(&mini, NULL);
    struct recording a = RECORDING(&mini.recorder, "a"), sent = RECORDING(&mini.recorder, "sent");
    const taro_socket socket = mini_open(&mini, &a, SERVER_URL("ws", "/sink?id=back"));
    CHECK_STATUS(taro_app_set_background(mini.app, 1), TARO_STATUS_OK);
    CHECK_STATUS(talk_send(socket, &sent, "no"), TARO_STATUS_INTERRUPTED);
    CHECK_STATUS(taro_socket_send_text(socket, "no", 2), TARO_STATUS_INTERRUPTED);
    CHECK_STATUS(taro_socket_send_binary(socket, "no", 2), TARO_STATUS_INTERRUPTED);
    talk_check_failed(&mini, "sent", socket, TARO_STATUS_INTERRUPTED, 600003, "sendSocketMessage:fail interrupted");
    CHECK_STATUS(taro_app_set_background(mini.app, 0), TARO_STATUS_OK);
    mini_send(socket, "yes");
    SERVER_WAIT("back", "^text 3 yes$");
    CHECK_INT(SERVER_NUMBER("bytes back"), ==, 3);
    mini_end(&mini);
    mini_shutdown();
}

// --- text

static const struct invalid {
    const char *name;
    const char *text;
    size_t text_len;
} invalid[] = {
    {"no first byte", "\xff", 1},
    {"a first byte alone", "\xc3", 1},
    {"a following byte alone", "\x80", 1},
    {"cut in the last character", "euro \xe2\x82", 7},
    {"cut in the first of two", "\xf0\x9f\x98 \xf0\x9f\x98\x80", 8},
    {"a lone surrogate", "\xed\xa0\x80", 3},
    {"a pair of surrogates", "\xed\xa0\xbd\xed\xb8\x80", 6},
    {"longer than need be", "\xc0\x80", 2},
    {"beyond the last character", "\xf4\x90\x80\x80", 4},
    {"behind a NUL", "a\0\xfe", 3},
};

static void text_that_is_not_utf8_is_refused(void) {
    for (size_t at = 0; at < sizeof invalid / sizeof *invalid; at++) {
        const struct invalid *row = &invalid[at];
        struct mini mini;
        mini_row(row->name);
        mini_init(&mini, NULL);
        struct recording a = RECORDING(&mini.recorder, "a"), sent = RECORDING(&mini.recorder, "sent");
        const taro_socket socket = mini_open(&mini, &a, SERVER_URL("ws", "/echo?id=invalid%zu", at));
        CHECK_STATUS(taro_socket_send_text(socket, row->text, row->text_len), TARO_STATUS_PARAMETER);
        const taro_send_options options = record_send_options(&sent, 0, row->text, row->text_len);
        CHECK_STATUS(taro_socket_send(socket, &options), TARO_STATUS_PARAMETER);
        talk_check_failed(&mini, "sent", socket, TARO_STATUS_PARAMETER, 600005,
                          "sendSocketMessage:fail parameter error: data");
        CHECK_UINT(mini_state(socket), ==, TARO_READY_STATE_OPEN);
        // The same bytes are no text, so they go.
        CHECK_STATUS(taro_socket_send_binary(socket, row->text, row->text_len), TARO_STATUS_OK);
        talk_check_message(mini_wait(&mini, RECORD_MESSAGE, "a", 1), TARO_MESSAGE_BINARY, row->text, row->text_len);
        CHECK_UINT(mini_counters(socket).messages_sent, ==, 1);
        mini_row(NULL);
        mini_end(&mini);
    }
    mini_shutdown();
}

// --- inside callbacks

static void sends_there(struct recording *recording, const struct record *record, const void *event) {
    struct recording *sent = recording->context;
    (void)event;
    if (record->kind == RECORD_OPEN || (record->kind == RECORD_MESSAGE && record->data.len < 5)) {
        char text[8];
        snprintf(text, sizeof text, "%zu", record->data.len);
        CHECK_STATUS(taro_socket_send_text(record->socket, "*****", record->data.len + 1), TARO_STATUS_OK);
        CHECK_STATUS(talk_send(record->socket, sent, text), TARO_STATUS_OK);
    }
}

// What the first callback sends brings the next one, and so on; none of it runs a result on the spot.
static void sending_inside_callbacks(void) {
    for (MINI_EACH_DELIVERY(delivery)) {
        struct mini mini;
        mini_init_of(&mini, delivery);
        struct recording sent = RECORDING(&mini.recorder, "sent"),
                         a = RECORDING_ON(&mini.recorder, "a", sends_there, &sent);
        mini_connect(&mini, &a, SERVER_URL("ws", "/sink?id=inside&act=text:1;text:12;text:123;text:1234"));
        mini_wait(&mini, RECORD_RELEASE, "sent", 5);
        SERVER_WAIT_N("inside", 10, "^text ");
        CHECK_UINT(record_count(&mini.recorder, RECORD_SUCCESS, "sent"), ==, 5);
        const char *line = SERVER_LOG("inside");
        for (int n = 0; n < 5; n++) {
            char text[40];
            snprintf(text, sizeof text, "\ntext %d %.*s\n", n + 1, n + 1, "*****");
            line = strstr(line, text);
            CHECK(line != NULL);
            snprintf(text, sizeof text, "\ntext 1 %d", n);
            line = strstr(line, text);
            CHECK(line != NULL);
        }
        SERVER_COMMAND("forget inside");
        mini_end(&mini);
    }
    mini_shutdown();
}

// --- the result of a send stands before what the peer answers to it

enum { ROUNDS = 300 };

static void sends_the_next(struct recording *recording, const struct record *record, const void *event) {
    struct recording *sent = recording->context;
    (void)event;
    if (record->kind == RECORD_MESSAGE && record_count(recording->recorder, RECORD_MESSAGE, "a") < ROUNDS) {
        CHECK_STATUS(talk_send(record->socket, sent, "again"), TARO_STATUS_OK);
    }
}

static void the_result_stands_before_the_answer(void) {
    for (MINI_EACH_DELIVERY(delivery)) {
        for (int inside = 0; inside < 2; inside++) {
            struct mini mini;
            mini_row(inside ? "sent inside callbacks" : "sent by the host's thread");
            mini_init_of(&mini, delivery);
            struct recording sent = RECORDING(&mini.recorder, "sent"),
                             a = RECORDING_ON(&mini.recorder, "a", inside ? sends_the_next : NULL, &sent);
            const taro_socket socket = mini_open(&mini, &a, SERVER_URL("ws", "/echo"));
            for (size_t n = 1; n <= (inside ? 1 : ROUNDS); n++) {
                CHECK_STATUS(talk_send(socket, &sent, "first"), TARO_STATUS_OK);
                mini_wait(&mini, RECORD_MESSAGE, "a", n);
            }
            mini_wait(&mini, RECORD_MESSAGE, "a", ROUNDS);
            for (size_t n = 1; n <= ROUNDS; n++) {
                const long result = record_index(&mini.recorder, RECORD_SUCCESS, "sent", n);
                CHECK_INT(result, >=, 0);
                CHECK_INT(result, <, record_index(&mini.recorder, RECORD_MESSAGE, "a", n));
            }
            mini_end(&mini);
        }
    }
    mini_row(NULL);
    mini_shutdown();
}

static const struct test tests[] = {
    TEST("L2 L4 L18", accepted_and_handed_over),
    TEST("L2 L4 L19", a_socket_that_is_not_open_sends_nothing),
    TEST("L2 L4 L22", in_the_background_nothing_is_sent),
    TEST("L2 L4 L19", text_that_is_not_utf8_is_refused),
    TEST("L6 L18", sending_inside_callbacks),
    TEST("L18", the_result_stands_before_the_answer),
};

TEST_MAIN(tests)
