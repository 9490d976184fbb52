// L20, L21: the host closes an open socket. Closing while it connects: close_connecting.c; closings that come to no
// good end: close_unclean.c; the peer closes: close_peer.c.
#include "talk.h"

// 41 times.
#define REASON_8(text) text text text text text text text text
#define REASON_41(text) REASON_8(text) REASON_8(text) REASON_8(text) REASON_8(text) REASON_8(text) text
#define EURO "\xe2\x82\xac"

static const taro_close_options no_options = TARO_CLOSE_OPTIONS_INIT;

// The ready state inside the last callback of each kind.
struct states {
    uint32_t seen[RECORD_MARK];
};

static void notes_states(struct recording *recording, const struct record *record, const void *event) {
    struct states *states = recording->context;
    (void)event;
    if (record->kind != RECORD_RELEASE) {
        states->seen[record->kind] = mini_state(record->socket);
    }
}

// --- what may be said

static const struct allowed {
    const char *name;
    uint32_t code;
    const char *reason;
    size_t reason_len;
    const char *wire; // what the server logs
} allowed[] = {
    {"0 stands for 1000", 0, "", 0, "^close 1000$"},
    {"1000", 1000, "", 0, "^close 1000$"},
    {"1000 with a reason", 1000, "bye", 3, "^close 1000 bye$"},
    {"0 with a reason", 0, "bye", 3, "^close 1000 bye$"},
    {"3000", 3000, "", 0, "^close 3000$"},
    {"3999", 3999, "library", 7, "^close 3999 library$"},
    {"4000", 4000, EURO, 3, "close 4000 " EURO},
    {"4999", 4999, "\xf0\x9f\x91\x8b", 4, "close 4999 \xf0\x9f\x91\x8b"},
    {"123 bytes", 1000, REASON_41("abc"), 123, "close 1000 " REASON_41("abc")},
    {"41 characters of 3 bytes", 4001, REASON_41(EURO), 123, "close 4001 " REASON_41(EURO)},
    {"a NUL within", 1000, "a\0b", 3, "close 1000 a\\x00b"},
};

static void allow(const struct allowed *row, uint32_t delivery) {
    struct mini mini;
    struct states states = {0};
    mini_init_of(&mini, delivery);
    struct recording a = RECORDING_ON(&mini.recorder, "a", notes_states, &states),
                     closed = RECORDING_ON(&mini.recorder, "closed", notes_states, &states);
    const taro_socket socket = mini_open(&mini, &a, SERVER_URL("ws", "/echo?id=allowed"));
    EVENTUALLY(mini_find(&mini, RECORD_OPEN, "a", 1)->done);
    CHECK_UINT(mini_state(socket), ==, TARO_READY_STATE_OPEN);
    taro_close_options options = record_close_options(&closed, row->code, NULL);
    options.reason = (taro_str){row->reason, row->reason_len};
    CHECK_STATUS(taro_socket_close(socket, &options), TARO_STATUS_OK);
    if (delivery == TARO_DELIVERY_HOST) {
        CHECK_UINT(mini_state(socket), ==, TARO_READY_STATE_CLOSING);
    }
    talk_check_succeeded(&mini, "closed", socket, "closeSocket:ok");
    SERVER_WAIT("allowed", row->wire);
    const struct record *close = mini_wait(&mini, RECORD_CLOSE, "a", 1);
    CHECK_UINT(close->close_code, ==, row->code ? row->code : 1000);
    CHECK_BYTES(close->reason.ptr, close->reason.len, row->reason, row->reason_len);
    CHECK_UINT(close->was_clean, ==, 1);
    CHECK_UINT(close->initiator, ==, TARO_INITIATOR_HOST);
    CHECK_UINT(close->cause, ==, TARO_CAUSE_NONE);
    CHECK_INT(close->os_error, ==, 0);
    CHECK_BEFORE(&mini.recorder, RECORD_COMPLETE, "closed", RECORD_CLOSE, "a");
    mini_wait(&mini, RECORD_RELEASE, "a", 1);
    CHECK_SEQUENCE(&mini.recorder, "a", "success complete open close release");
    CHECK_UINT(states.seen[RECORD_OPEN], ==, TARO_READY_STATE_OPEN);
    CHECK_UINT(states.seen[RECORD_CLOSE], ==, TARO_READY_STATE_CLOSED);
    CHECK_UINT(mini_state(socket), ==, TARO_READY_STATE_CLOSED);
    CHECK_UINT(SERVER_LOG_COUNT("allowed", "opcode=8"), ==, 1);
    CHECK_UINT(SERVER_LOG_COUNT("allowed", "violation"), ==, 0);
    mini_end(&mini);
    SERVER_COMMAND("forget allowed");
}

static void code_and_reason_go_there_and_back(void) {
    for (size_t at = 0; at < sizeof allowed / sizeof *allowed; at++) {
        mini_row(allowed[at].name);
        allow(&allowed[at], TARO_DELIVERY_DIRECT);
        allow(&allowed[at], TARO_DELIVERY_HOST);
    }
    mini_row(NULL);
    mini_shutdown();
}

static void without_options_it_is_1000(void) {
    for (int with = 0; with <= 1; with++) {
        static const struct talk_end end = {1000, "", 1, TARO_INITIATOR_HOST, TARO_CAUSE_NONE, 0};
        struct mini mini;
        mini_init(&mini, NULL);
        struct recording a = RECORDING(&mini.recorder, "a");
        const taro_socket socket = mini_open(&mini, &a, SERVER_URL("ws", "/echo?id=plain%d", with));
        CHECK_STATUS(taro_socket_close(socket, with ? &no_options : NULL), TARO_STATUS_OK);
        talk_check_close(mini_wait(&mini, RECORD_CLOSE, "a", 1), &end);
        SERVER_WAIT(with ? "plain1" : "plain0", "^close 1000$");
        mini_end(&mini);
    }
    mini_shutdown();
}

// --- what may not

#define BAD_CODE TARO_STATUS_INVALID_CLOSE_CODE, \
    "closeSocket:fail wcwss invalid code, the code must be either 1000, or between 3000 and 4999"
#define LONG_REASON TARO_STATUS_INVALID_CLOSE_REASON, "closeSocket:fail reason must not exceed 123 UTF-8 bytes"
#define BAD_REASON TARO_STATUS_PARAMETER, "closeSocket:fail parameter error: reason"

static const struct refused {
    const char *name;
    uint32_t code;
    taro_str reason;
    taro_status status;
    const char *err_msg;
} refused[] = {
    {"1", 1, {"", 0}, BAD_CODE},
    {"999", 999, {"", 0}, BAD_CODE},
    {"1001", 1001, {"", 0}, BAD_CODE},
    {"1002", 1002, {"", 0}, BAD_CODE},
    {"1005", 1005, {"", 0}, BAD_CODE},
    {"1006", 1006, {"", 0}, BAD_CODE},
    {"1011", 1011, {"", 0}, BAD_CODE},
    {"1015", 1015, {"", 0}, BAD_CODE},
    {"2999", 2999, {"", 0}, BAD_CODE},
    {"5000", 5000, {"bye", 3}, BAD_CODE},
    {"65535", 65535, {"", 0}, BAD_CODE},
    {"1000 beyond 16 bits", 65536 + 1000, {"", 0}, BAD_CODE},
    {"the largest", UINT32_MAX, {"", 0}, BAD_CODE},
    {"124 bytes", 1000, {REASON_41("abc") "d", 124}, LONG_REASON},
    {"124 bytes of 42 characters", 3000, {"a" REASON_41(EURO), 124}, LONG_REASON},
    {"125 bytes, the last character over the border", 3000, {REASON_41("abc") "\xc3\xa9", 125}, LONG_REASON},
    {"126 bytes", 4999, {REASON_41(EURO) EURO, 126}, LONG_REASON},
    {"not UTF-8", 1000, {"\xff", 1}, BAD_REASON},
    {"cut within a character", 1000, {REASON_41(EURO), 122}, BAD_REASON},
    {"a surrogate", 1000, {"\xed\xa0\x80", 3}, BAD_REASON},
};
enum { REFUSED = sizeof refused / sizeof *refused };

static void a_refused_close_leaves_the_socket_open(void) {
    for (MINI_EACH_DELIVERY(delivery)) {
        struct mini mini;
        struct recording closed[REFUSED];
        mini_init_of(&mini, delivery);
        struct recording a = RECORDING(&mini.recorder, "a");
        const taro_socket socket = mini_open(&mini, &a, SERVER_URL("ws", "/echo?id=refused%u", delivery));
        for (size_t at = 0; at < REFUSED; at++) {
            const struct refused *row = &refused[at];
            mini_row(row->name);
            closed[at] = RECORDING(&mini.recorder, row->name);
            taro_close_options options = record_close_options(&closed[at], row->code, NULL);
            options.reason = row->reason;
            CHECK_STATUS(taro_socket_close(socket, &options), row->status);
            CHECK_UINT(mini_state(socket), ==, TARO_READY_STATE_OPEN);
            talk_check_failed(&mini, row->name, socket, row->status, 600005, row->err_msg);
        }
        mini_row(NULL);
        CHECK_UINT(mini_live(&mini), ==, 1);
        mini_send(socket, "still here");
        talk_check_message(mini_wait(&mini, RECORD_MESSAGE, "a", 1), TARO_MESSAGE_TEXT, "still here", 10);
        mini_close(socket);
        CHECK_UINT(mini_wait(&mini, RECORD_CLOSE, "a", 1)->close_code, ==, 1000);
        CHECK_UINT(SERVER_LOG_COUNT(delivery == TARO_DELIVERY_HOST ? "refused1" : "refused0", "opcode=8"), ==, 1);
        mini_end(&mini);
    }
    mini_shutdown();
}

static const struct over {
    const char *name;
    enum talk_place place;
    const char *query;
    uint32_t delivery;
    const char *sequence; // of the socket, in the end
} over[] = {
    {"closing", TALK_CLOSING, "", TARO_DELIVERY_DIRECT, "success complete open close release"},
    {"closed", TALK_CLOSED, "", TARO_DELIVERY_DIRECT, "success complete open close release"},
    {"close waits for dispatch", TALK_NOT_TOLD_CLOSED, "", TARO_DELIVERY_HOST, "success complete open close release"},
    {"closed by the peer", TALK_PEER_CLOSED, "act=close:1000:", TARO_DELIVERY_DIRECT,
     "success complete open close release"},
    {"broken", TALK_BROKEN, "act=rst", TARO_DELIVERY_DIRECT, "success complete open error close release"},
    {"never open", TALK_NOT_OPENED, "status=403", TARO_DELIVERY_DIRECT, "success complete error release"},
};

static void a_second_close_fails(void) {
    for (size_t at = 0; at < sizeof over / sizeof *over; at++) {
        const struct over *row = &over[at];
        struct mini mini;
        mini_row(row->name);
        mini_init_of(&mini, row->delivery);
        struct recording a = RECORDING(&mini.recorder, "a"), second = RECORDING(&mini.recorder, "second");
        const taro_socket socket = talk_bring_to(&mini, &a, row->place, "over", row->query);
        CHECK_STATUS(talk_close(socket, &second, 3002, "second"), TARO_STATUS_NOT_CONNECTED);
        talk_check_failed(&mini, "second", socket, TARO_STATUS_NOT_CONNECTED, 600004,
                          "closeSocket:fail WebSocket is not connected");
        CHECK_STATUS(taro_socket_close(socket, NULL), TARO_STATUS_NOT_CONNECTED);
        mini_wait(&mini, RECORD_RELEASE, "a", 1);
        CHECK_SEQUENCE(&mini.recorder, "a", row->sequence);
        if (row->place != TALK_BROKEN && row->place != TALK_NOT_OPENED) {
            CHECK_UINT(mini_find(&mini, RECORD_CLOSE, "a", 1)->close_code, ==, 1000);
            CHECK_UINT(SERVER_LOG_COUNT("over", "opcode=8"), ==, 1);
        }
        CHECK_UINT(mini_state(socket), ==, TARO_READY_STATE_CLOSED);
        mini_end(&mini);
        SERVER_COMMAND("forget over");
        mini_row(NULL);
    }
    mini_shutdown();
}

// Both before anything of it was told: the results keep the order of the calls.
static void the_first_of_two_counts(void) {
    static const struct talk_end end = {3001, "first", 1, TARO_INITIATOR_HOST, TARO_CAUSE_NONE, 0};
    struct mini mini;
    mini_init_of(&mini, TARO_DELIVERY_HOST);
    struct recording a = RECORDING(&mini.recorder, "a"), first = RECORDING(&mini.recorder, "first"),
                     second = RECORDING(&mini.recorder, "second");
    const taro_socket socket = mini_open(&mini, &a, SERVER_URL("ws", "/echo?id=two"));
    CHECK_STATUS(talk_close(socket, &first, 3001, "first"), TARO_STATUS_OK);
    CHECK_STATUS(talk_close(socket, &second, 3002, "second"), TARO_STATUS_NOT_CONNECTED);
    talk_check_close(mini_wait(&mini, RECORD_CLOSE, "a", 1), &end);
    CHECK_SEQUENCE(&mini.recorder, "first", "success complete release");
    CHECK_SEQUENCE(&mini.recorder, "second", "fail complete release");
    CHECK_BEFORE(&mini.recorder, RECORD_COMPLETE, "first", RECORD_FAIL, "second");
    CHECK_UINT(SERVER_LOG_COUNT("two", "opcode=8"), ==, 1);
    mini_end(&mini);
    mini_shutdown();
}

// --- what was said before, and what comes after

static void messages_accepted_before_go_first(void) {
    enum { SIZE = 300000, MESSAGES = 20 };
    static const struct talk_end end = {3000, "that was all", 1, TARO_INITIATOR_HOST, TARO_CAUSE_NONE, 0};
    struct mini mini;
    unsigned char *data = talk_bytes(SIZE);
    mini_init(&mini, NULL);
    struct recording a = RECORDING(&mini.recorder, "a"), sent = RECORDING(&mini.recorder, "sent"),
                     closed = RECORDING(&mini.recorder, "closed");
    const taro_socket socket = mini_open(&mini, &a, SERVER_URL("ws_small", "/deaf?id=first"));
    for (int n = 0; n < MESSAGES; n++) {
        const taro_send_options options = record_send_options(&sent, TARO_MESSAGE_BINARY, data, SIZE);
        CHECK_STATUS(taro_socket_send(socket, &options), TARO_STATUS_OK);
    }
    CHECK_STATUS(talk_close(socket, &closed, 3000, "that was all"), TARO_STATUS_OK);
    // Accepted at once, whatever still has to go.
    talk_check_succeeded(&mini, "closed", socket, "closeSocket:ok");
    CHECK_UINT(mini_state(socket), ==, TARO_READY_STATE_CLOSING);
    CHECK_UINT(mini_buffered(socket), >, 0);
    CHECK_STATUS(taro_socket_send_text(socket, "late", 4), TARO_STATUS_NOT_CONNECTED);
    SERVER_COMMAND("do first read");
    talk_check_close(mini_wait(&mini, RECORD_CLOSE, "a", 1), &end);
    CHECK_UINT(record_count(&mini.recorder, RECORD_SUCCESS, "sent"), ==, MESSAGES);
    CHECK_INT(record_index(&mini.recorder, RECORD_RELEASE, "sent", MESSAGES), <,
              record_index(&mini.recorder, RECORD_CLOSE, "a", 1));
    CHECK_INT(SERVER_NUMBER("bytes first"), ==, MESSAGES * SIZE);
    CHECK_UINT(SERVER_LOG_COUNT("first", "violation"), ==, 0);
    CHECK_TEXT_HAS(SERVER_LOG("first"), "close 3000 that was all");
    mini_end(&mini);
    mini_shutdown();
    free(data);
}

// What waits for the host when the close is accepted, and what comes after it, is dropped.
static void inbound_messages_are_dropped_from_then_on(void) {
    for (MINI_EACH_DELIVERY(delivery)) {
        for (int is_paused = 0; is_paused <= 1; is_paused++) {
            static const struct talk_end end = {3005, "done", 1, TARO_INITIATOR_HOST, TARO_CAUSE_NONE, 0};
            struct mini mini;
            taro_app_options options = TARO_APP_OPTIONS_INIT;
            options.delivery = delivery;
            // So little that reading stops, unless what comes is dropped.
            options.pause_limit_bytes = options.queue_limit_bytes = 1024;
            mini_init(&mini, &options);
            struct recording a = RECORDING(&mini.recorder, "a");
            const taro_socket socket = mini_open(&mini, &a, SERVER_URL("ws", "/echo?id=drop&onclose=ignore"));
            if (is_paused) {
                CHECK_STATUS(taro_socket_pause(socket), TARO_STATUS_OK);
            }
            const int waits = is_paused || delivery == TARO_DELIVERY_HOST;
            if (waits) {
                SERVER_COMMAND("do drop text:waits;text:too");
                mini_in_step("drop", 1);
                CHECK_UINT(record_count(&mini.recorder, RECORD_MESSAGE, "a"), ==, 0);
                SERVER_COMMAND("do drop burst:3:1000");
            }
            mini_close(socket);
            SERVER_WAIT("drop", "^close 1000$");
            SERVER_COMMAND("do drop burst:30:10000;text:late;close:3005:done;fin");
            if (is_paused) {
                // The closing handshake goes on; the host hears of its end when it wants to.
                EVENTUALLY(SERVER_NUMBER("live drop") == 0);
                CHECK_UINT(record_count(&mini.recorder, RECORD_CLOSE, "a"), ==, 0);
                CHECK_STATUS(taro_socket_resume(socket), TARO_STATUS_OK);
            }
            talk_check_close(mini_wait(&mini, RECORD_CLOSE, "a", 1), &end);
            mini_wait(&mini, RECORD_RELEASE, "a", 1);
            CHECK_SEQUENCE(&mini.recorder, "a", "success complete open close release");
            mini_end(&mini);
            SERVER_COMMAND("forget drop");
        }
    }
    mini_shutdown();
}

// --- the peer's answer

static const struct answered {
    const char *onclose;
    struct talk_end end;
} answered[] = {
    {"echo", {3001, "mine", 1, TARO_INITIATOR_HOST, TARO_CAUSE_NONE, 0}},
    {"4001:its%20own", {4001, "its own", 1, TARO_INITIATOR_HOST, TARO_CAUSE_NONE, 0}},
    {"1001:", {1001, "", 1, TARO_INITIATOR_HOST, TARO_CAUSE_NONE, 0}},
    {"bare", {1005, "", 1, TARO_INITIATOR_HOST, TARO_CAUSE_NONE, 0}},
};

static void close_tells_what_the_peer_answered(void) {
    for (uint32_t flavour = TARO_FLAVOUR_WEAPP; flavour <= TARO_FLAVOUR_RN; flavour++) {
        for (size_t at = 0; at < sizeof answered / sizeof *answered; at++) {
            struct mini mini;
            taro_app_options options = TARO_APP_OPTIONS_INIT;
            options.flavour = flavour;
            mini_row(answered[at].onclose);
            mini_init(&mini, &options);
            struct recording a = RECORDING(&mini.recorder, "a"), closed = RECORDING(&mini.recorder, "closed");
            const taro_socket socket =
                mini_open(&mini, &a, SERVER_URL("ws", "/echo?onclose=%s", answered[at].onclose));
            CHECK_STATUS(talk_close(socket, &closed, 3001, "mine"), TARO_STATUS_OK);
            talk_check_close(mini_wait(&mini, RECORD_CLOSE, "a", 1), &answered[at].end);
            mini_end(&mini);
            mini_row(NULL);
        }
    }
    mini_shutdown();
}

static void closes_in_open(struct recording *recording, const struct record *record, const void *event) {
    struct recording *closed = recording->context;
    (void)event;
    if (record->kind == RECORD_OPEN) {
        CHECK_STATUS(talk_close(record->socket, closed, 3002, "host"), TARO_STATUS_OK);
        CHECK_UINT(mini_state(record->socket), ==, TARO_READY_STATE_CLOSING);
    }
}

// The peer's close frame has come already, and waits behind `open`: both have begun, neither has answered.
static void both_close_at_the_same_time(void) {
    static const struct talk_end end = {3001, "peer", 1, TARO_INITIATOR_HOST, TARO_CAUSE_NONE, 0};
    struct mini mini;
    mini_init(&mini, NULL);
    struct recording closed = RECORDING(&mini.recorder, "closed"),
                     a = RECORDING_ON(&mini.recorder, "a", closes_in_open, &closed);
    mini_connect(&mini, &a, SERVER_URL("ws", "/echo?id=both&act=close:3001:peer;text:late"));
    talk_check_close(mini_wait(&mini, RECORD_CLOSE, "a", 1), &end);
    mini_wait(&mini, RECORD_RELEASE, "a", 1);
    CHECK_SEQUENCE(&mini.recorder, "a", "success complete open close release");
    CHECK_SEQUENCE(&mini.recorder, "closed", "success complete release");
    SERVER_WAIT("both", "^close 3002 host$");
    SERVER_WAIT("both", "^end");
    CHECK_UINT(SERVER_LOG_COUNT("both", "opcode=8"), ==, 1);
    mini_end(&mini);
    mini_shutdown();
}

static const struct test tests[] = {
    TEST("L2 L4 L20 L21", code_and_reason_go_there_and_back),
    TEST("L20", without_options_it_is_1000),
    TEST("L2 L4 L20", a_refused_close_leaves_the_socket_open),
    TEST("L2 L4 L20", a_second_close_fails),
    TEST("L5 L20", the_first_of_two_counts),
    TEST("L5 L20", messages_accepted_before_go_first),
    TEST("L7 L20", inbound_messages_are_dropped_from_then_on),
    TEST("L20 L21", close_tells_what_the_peer_answered),
    TEST("L20 L21", both_close_at_the_same_time),
};

TEST_MAIN(tests)
