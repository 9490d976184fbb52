// L20, L21: the peer closes. What it says comes to the host as it is, and is answered.
#include "talk.h"

#define REASON_8(text) text text text text text text text text
#define REASON_41(text) REASON_8(text) REASON_8(text) REASON_8(text) REASON_8(text) REASON_8(text) text

static void check_closed_by_peer(struct mini *mini, taro_socket socket, uint32_t code, const char *reason) {
    const struct talk_end end = {code, reason, 1, TARO_INITIATOR_PEER, TARO_CAUSE_NONE, 0};
    talk_check_close(mini_wait(mini, RECORD_CLOSE, "a", 1), &end);
    mini_wait(mini, RECORD_RELEASE, "a", 1);
    CHECK_UINT(mini_state(socket), ==, TARO_READY_STATE_CLOSED);
    CHECK_UINT(mini_live(mini), ==, 0);
}

// --- what it may say

static void close_with(uint32_t code, uint32_t delivery, uint32_t flavour) {
    struct mini mini;
    char wire[40], row[40];
    taro_app_options options = TARO_APP_OPTIONS_INIT;
    options.delivery = delivery;
    options.flavour = flavour;
    snprintf(row, sizeof row, "code %u, flavour %u", code, flavour);
    snprintf(wire, sizeof wire, "^close %u$", code);
    mini_row(row);
    mini_init(&mini, &options);
    struct recording a = RECORDING(&mini.recorder, "a");
    const taro_socket socket = mini_connect(&mini, &a, SERVER_URL("ws", "/echo?id=code&act=close:%u:why%%20not", code));
    check_closed_by_peer(&mini, socket, code, "why not");
    CHECK_SEQUENCE(&mini.recorder, "a", "success complete open close release");
    // Answered with its code.
    SERVER_WAIT("code", wire);
    SERVER_WAIT("code", "^end");
    CHECK_UINT(SERVER_LOG_COUNT("code", "opcode="), ==, 1);
    mini_end(&mini);
    SERVER_COMMAND("forget code");
    mini_row(NULL);
}

static void every_code_that_is_allowed(void) {
    static const uint32_t codes[] = {1000, 1001, 1002, 1003, 1007, 1008, 1009, 1010, 1011, 1012,
                                     1013, 1014, 3000, 3001, 3999, 4000, 4998, 4999};
    for (size_t at = 0; at < sizeof codes / sizeof *codes; at++) {
        close_with(codes[at], TARO_DELIVERY_DIRECT, TARO_FLAVOUR_WEAPP);
        close_with(codes[at], TARO_DELIVERY_HOST, TARO_FLAVOUR_H5);
    }
    mini_shutdown();
}

static const struct said {
    const char *actions;
    uint32_t code;
    const char *reason;
    const char *wire;
} said[] = {
    {"close", 1005, "", "^close$"},
    {"close:1000", 1000, "", "^close 1000$"},
    {"close:1000:" REASON_41("abc"), 1000, REASON_41("abc"), "^close 1000$"},
    {"close:4001:" REASON_41("%e2%82%ac"), 4001, REASON_41("\xe2\x82\xac"), "^close 4001$"},
    {"close:4002:%f0%9f%91%8b", 4002, "\xf0\x9f\x91\x8b", "^close 4002$"},
};

static void every_reason_that_is_allowed(void) {
    for (MINI_EACH_DELIVERY(delivery)) {
        for (size_t at = 0; at < sizeof said / sizeof *said; at++) {
            struct mini mini;
            mini_row(said[at].actions);
            mini_init_of(&mini, delivery);
            struct recording a = RECORDING(&mini.recorder, "a");
            const taro_socket socket = mini_open(&mini, &a, SERVER_URL("ws", "/echo?id=reason"));
            SERVER_COMMAND("do reason %s", said[at].actions);
            check_closed_by_peer(&mini, socket, said[at].code, said[at].reason);
            SERVER_WAIT("reason", said[at].wire);
            CHECK_UINT(SERVER_LOG_COUNT("reason", "violation"), ==, 0);
            mini_end(&mini);
            SERVER_COMMAND("forget reason");
            mini_row(NULL);
        }
    }
    mini_shutdown();
}

// --- around it

static void what_came_before_is_told_what_comes_after_is_not(void) {
    static const char *const late[] = {"text:late", "masked:late", "frame:ffff", "close:4000:late", "ping:late"};
    for (MINI_EACH_DELIVERY(delivery)) {
        for (size_t at = 0; at < sizeof late / sizeof *late; at++) {
            struct mini mini;
            mini_row(late[at]);
            mini_init_of(&mini, delivery);
            struct recording a = RECORDING(&mini.recorder, "a");
            const taro_socket socket = mini_connect(
                &mini, &a, SERVER_URL("ws", "/echo?id=around%zu&act=numbers:30;close:3001:bye;%s", at, late[at]));
            check_closed_by_peer(&mini, socket, 3001, "bye");
            mini_check_numbers(&mini, "a", 0, 30);
            CHECK_UINT(record_count(&mini.recorder, RECORD_MESSAGE, "a"), ==, 30);
            CHECK_UINT(record_count(&mini.recorder, RECORD_ERROR, "a"), ==, 0);
            mini_row(NULL);
            mini_end(&mini);
        }
    }
    mini_shutdown();
}

// Whether our answer still goes is a matter of luck; what the peer said is not.
static void a_reset_behind_it_changes_nothing_of_it(void) {
    for (int n = 0; n < 10; n++) {
        struct mini mini;
        mini_init(&mini, NULL);
        struct recording a = RECORDING(&mini.recorder, "a");
        mini_connect(&mini, &a, SERVER_URL("ws", "/echo?act=text:hi;close:3001:bye;rst"));
        const struct record *close = mini_wait(&mini, RECORD_CLOSE, "a", 1);
        CHECK_UINT(close->close_code, ==, 3001);
        CHECK_STR(close->reason, "bye");
        CHECK_UINT(close->initiator, ==, TARO_INITIATOR_PEER);
        CHECK_UINT(close->cause, ==, close->was_clean ? TARO_CAUSE_NONE : TARO_CAUSE_RESET);
        mini_wait(&mini, RECORD_RELEASE, "a", 1);
        CHECK_SEQUENCE(&mini.recorder, "a", "success complete open message close release");
        mini_end(&mini);
    }
    mini_shutdown();
}

static void within_a_fragmented_message(void) {
    struct mini mini;
    mini_init(&mini, NULL);
    struct recording a = RECORDING(&mini.recorder, "a");
    const taro_socket socket =
        mini_connect(&mini, &a, SERVER_URL("ws", "/echo?act=frame:010568616c662d;close:1001:gone;frame:8000"));
    check_closed_by_peer(&mini, socket, 1001, "gone");
    CHECK_SEQUENCE(&mini.recorder, "a", "success complete open close release");
    mini_end(&mini);
    mini_shutdown();
}

static void what_was_accepted_before_goes_before_the_answer(void) {
    enum { SIZE = 1 << 20, MESSAGES = 8 };
    struct mini mini;
    unsigned char *data = talk_bytes(SIZE);
    mini_init(&mini, NULL);
    struct recording a = RECORDING(&mini.recorder, "a"), sent = RECORDING(&mini.recorder, "sent");
    const taro_socket socket = mini_open(&mini, &a, SERVER_URL("ws_small", "/deaf?id=answer"));
    for (int n = 0; n < MESSAGES; n++) {
        const taro_send_options options = record_send_options(&sent, TARO_MESSAGE_BINARY, data, SIZE);
        CHECK_STATUS(taro_socket_send(socket, &options), TARO_STATUS_OK);
    }
    SERVER_COMMAND("do answer close:1001:gone;read");
    check_closed_by_peer(&mini, socket, 1001, "gone");
    CHECK_UINT(record_count(&mini.recorder, RECORD_SUCCESS, "sent"), ==, MESSAGES);
    CHECK_INT(record_index(&mini.recorder, RECORD_RELEASE, "sent", MESSAGES), <,
              record_index(&mini.recorder, RECORD_CLOSE, "a", 1));
    SERVER_WAIT("answer", "^close 1001$");
    CHECK_INT(SERVER_NUMBER("bytes answer"), ==, MESSAGES * SIZE);
    CHECK_UINT(SERVER_LOG_COUNT("answer", "violation"), ==, 0);
    mini_end(&mini);
    mini_shutdown();
    free(data);
}

// The peer said goodbye, and then reads nothing: its code counts, but the closing was not clean.
static void an_answer_that_cannot_go_is_not_clean(void) {
    enum { SIZE = 1 << 20, MESSAGES = 12 };
    static const struct talk_end end = {1001, "gone", 0, TARO_INITIATOR_PEER, TARO_CAUSE_TIMEOUT, 0};
    struct mini mini;
    taro_app_options options = TARO_APP_OPTIONS_INIT;
    unsigned char *data = talk_bytes(SIZE);
    options.close_timeout_ms = 60;
    mini_init(&mini, &options);
    struct recording a = RECORDING(&mini.recorder, "a");
    const taro_socket socket = mini_open(&mini, &a, SERVER_URL("ws_small", "/deaf?id=stuck"));
    for (int n = 0; n < MESSAGES; n++) {
        CHECK_STATUS(taro_socket_send_binary(socket, data, SIZE), TARO_STATUS_OK);
    }
    SERVER_COMMAND("do stuck close:1001:gone");
    talk_check_close(mini_wait(&mini, RECORD_CLOSE, "a", 1), &end);
    mini_wait(&mini, RECORD_RELEASE, "a", 1);
    CHECK_SEQUENCE(&mini.recorder, "a", "success complete open close release");
    mini_end(&mini);
    mini_shutdown();
    free(data);
}

// --- the ready state is what was told

static void notes_state(struct recording *recording, const struct record *record, const void *event) {
    uint32_t *seen = recording->context;
    (void)event;
    if (record->kind != RECORD_RELEASE) {
        seen[record->kind] = mini_state(record->socket);
    }
}

static const struct lagging {
    const char *name;
    uint32_t flavour;
    const char *query;
    const char *sequence;
    uint32_t in_open; // 99: there is none
    uint32_t in_error;
    uint32_t in_close;
    uint32_t close_after_error;
} lagging[] = {
    {"closed", TARO_FLAVOUR_WEAPP, "act=text:hi;close:1000:", "success complete open message close release",
     TARO_READY_STATE_OPEN, 99, TARO_READY_STATE_CLOSED, 0},
    {"broken", TARO_FLAVOUR_WEAPP, "act=text:hi;fin", "success complete open message error close release",
     TARO_READY_STATE_OPEN, TARO_READY_STATE_OPEN, TARO_READY_STATE_CLOSED, 0},
    {"not opened", TARO_FLAVOUR_WEAPP, "status=403", "success complete error release", 99, TARO_READY_STATE_CLOSED,
     99, 0},
    {"not opened, h5", TARO_FLAVOUR_H5, "status=403", "success complete error close release", 99,
     TARO_READY_STATE_CONNECTING, TARO_READY_STATE_CLOSED, 0},
    {"not opened, rn", TARO_FLAVOUR_RN, "status=403", "success complete error close release", 99,
     TARO_READY_STATE_CONNECTING, TARO_READY_STATE_CLOSED, 0},
    {"not opened, and close is wanted", TARO_FLAVOUR_WEAPP, "status=403", "success complete error close release", 99,
     TARO_READY_STATE_CONNECTING, TARO_READY_STATE_CLOSED, 1},
};

// All of it has happened before the host looks: the state waits for dispatch as the events do.
static void ready_state_is_what_was_delivered(void) {
    for (size_t at = 0; at < sizeof lagging / sizeof *lagging; at++) {
        const struct lagging *row = &lagging[at];
        uint32_t seen[RECORD_MARK], in_turn = TARO_READY_STATE_CONNECTING;
        struct mini mini;
        taro_app_options options = TARO_APP_OPTIONS_INIT;
        options.flavour = row->flavour;
        options.close_after_error = row->close_after_error;
        options.delivery = TARO_DELIVERY_HOST;
        memset(seen, 99, sizeof seen);
        mini_row(row->name);
        mini_init(&mini, &options);
        struct recording a = RECORDING_ON(&mini.recorder, "a", notes_state, seen);
        const taro_socket socket = mini_connect(&mini, &a, SERVER_URL("ws", "/echo?id=lag&%s", row->query));
        EVENTUALLY(mini_live(&mini) == 0);
        CHECK_UINT(mini_state(socket), ==, TARO_READY_STATE_CONNECTING);
        while (record_count(&mini.recorder, RECORD_RELEASE, "a") == 0) {
            HOST_WAIT_READABLE(mini.app);
            CHECK_UINT(mini_state(socket), ==, in_turn);
            CHECK_STATUS(taro_app_dispatch(mini.app, 1, NULL), TARO_STATUS_OK);
            const struct record *last = record_at(&mini.recorder, record_len(&mini.recorder) - 1);
            in_turn = last->kind == RECORD_RELEASE ? TARO_READY_STATE_CLOSED : seen[last->kind];
        }
        CHECK_SEQUENCE(&mini.recorder, "a", row->sequence);
        CHECK_UINT(seen[RECORD_SUCCESS], ==, TARO_READY_STATE_CONNECTING);
        CHECK_UINT(seen[RECORD_COMPLETE], ==, TARO_READY_STATE_CONNECTING);
        if (row->in_open != 99) {
            CHECK_UINT(seen[RECORD_OPEN], ==, row->in_open);
            CHECK_UINT(seen[RECORD_MESSAGE], ==, row->in_open);
        }
        if (row->in_error != 99) {
            CHECK_UINT(seen[RECORD_ERROR], ==, row->in_error);
        }
        if (row->in_close != 99) {
            CHECK_UINT(seen[RECORD_CLOSE], ==, row->in_close);
        }
        CHECK_UINT(mini_state(socket), ==, TARO_READY_STATE_CLOSED);
        mini_row(NULL);
        mini_end(&mini);
    }
    mini_shutdown();
}

static const struct test tests[] = {
    TEST("L5 L20 L21", every_code_that_is_allowed),
    TEST("L20 L21", every_reason_that_is_allowed),
    TEST("L5 L20", what_came_before_is_told_what_comes_after_is_not),
    TEST("L5 L20", a_reset_behind_it_changes_nothing_of_it),
    TEST("L20", within_a_fragmented_message),
    TEST("L18 L20", what_was_accepted_before_goes_before_the_answer),
    TEST("L20 L21", an_answer_that_cannot_go_is_not_clean),
    TEST("L21", ready_state_is_what_was_delivered),
};

TEST_MAIN(tests)
