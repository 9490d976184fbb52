// L20, L21: what comes between an accepted close and the peer's answer to it: nothing, or the end of the connection.
// The host meant to close, so it is no failure: `close` without `error`.
#include <errno.h>

#include "talk.h"

static const struct meanwhile {
    const char *name;
    const char *query;
    const char *actions; // once the server has our close frame
    uint32_t cause;
    int32_t os_error;
} meanwhile[] = {
    {"the end of the stream", "onclose=drop", NULL, TARO_CAUSE_RESET, 0},
    {"a half-close", "onclose=ignore", "fin", TARO_CAUSE_RESET, 0},
    {"a reset", "onclose=rst", NULL, TARO_CAUSE_RESET, ECONNRESET},
    {"a masked frame", "onclose=ignore", "masked:hi", TARO_CAUSE_PROTOCOL_ERROR, 0},
    {"a text that is none", "onclose=ignore", "badutf8", TARO_CAUSE_BAD_UTF8, 0},
    {"a message over the limit", "onclose=ignore", "head:2:0x7fffffffffffffff", TARO_CAUSE_TOO_BIG, 0},
    {"an answer with a code that is none", "onclose=1005:", NULL, TARO_CAUSE_PROTOCOL_ERROR, 0},
    {"an answer of one byte", "onclose=ignore", "frame:880103", TARO_CAUSE_PROTOCOL_ERROR, 0},
    {"no answer", "onclose=ignore", "text:late;ping:late", TARO_CAUSE_TIMEOUT, 0},
};

static void end_meanwhile(const struct meanwhile *row, uint32_t flavour, uint32_t delivery) {
    const int keeps = flavour != TARO_FLAVOUR_H5;
    const struct talk_end end = {keeps ? 3001 : 1006, keeps ? "bye" : "", 0, TARO_INITIATOR_HOST, row->cause,
                                 row->os_error};
    struct mini mini;
    taro_app_options options = TARO_APP_OPTIONS_INIT;
    options.flavour = flavour;
    options.delivery = delivery;
    options.close_timeout_ms = row->cause == TARO_CAUSE_TIMEOUT ? 40 : 0;
    mini_init(&mini, &options);
    struct recording a = RECORDING(&mini.recorder, "a"), closed = RECORDING(&mini.recorder, "closed");
    const taro_socket socket = mini_open(&mini, &a, SERVER_URL("ws", "/echo?id=meanwhile&%s", row->query));
    CHECK_STATUS(talk_close(socket, &closed, 3001, "bye"), TARO_STATUS_OK);
    if (row->actions) {
        SERVER_WAIT("meanwhile", "^close 3001 bye$");
        SERVER_COMMAND("do meanwhile %s", row->actions);
    }
    talk_check_close(mini_wait(&mini, RECORD_CLOSE, "a", 1), &end);
    mini_wait(&mini, RECORD_RELEASE, "a", 1);
    CHECK_SEQUENCE(&mini.recorder, "a", "success complete open close release");
    CHECK_SEQUENCE(&mini.recorder, "closed", "success complete release");
    CHECK_UINT(mini_state(socket), ==, TARO_READY_STATE_CLOSED);
    mini_end(&mini);
    // Nothing follows a close frame on the wire.
    EVENTUALLY(SERVER_NUMBER("live meanwhile") == 0);
    CHECK_UINT(SERVER_LOG_COUNT("meanwhile", "opcode="), ==, 1);
    CHECK_UINT(SERVER_LOG_COUNT("meanwhile", "opcode=8"), ==, 1);
    SERVER_COMMAND("forget meanwhile");
}

static void the_end_meanwhile_is_no_error(void) {
    for (size_t at = 0; at < sizeof meanwhile / sizeof *meanwhile; at++) {
        mini_row(meanwhile[at].name);
        for (MINI_EACH_DELIVERY(delivery)) {
            end_meanwhile(&meanwhile[at], TARO_FLAVOUR_WEAPP, delivery);
            end_meanwhile(&meanwhile[at], TARO_FLAVOUR_H5, delivery);
        }
        end_meanwhile(&meanwhile[at], TARO_FLAVOUR_TT, TARO_DELIVERY_DIRECT);
    }
    mini_row(NULL);
    mini_shutdown();
}

// From the call on, though our close frame cannot even go: the peer reads nothing.
static void it_is_bounded_from_the_call_on(void) {
    enum { SIZE = 1 << 20, MESSAGES = 12, BOUND_MS = 150 };
    static const struct talk_end end = {1000, "", 0, TARO_INITIATOR_HOST, TARO_CAUSE_TIMEOUT, 0};
    struct mini mini;
    taro_app_options options = TARO_APP_OPTIONS_INIT;
    unsigned char *data = talk_bytes(SIZE);
    options.close_timeout_ms = BOUND_MS;
    mini_init(&mini, &options);
    struct recording a = RECORDING(&mini.recorder, "a"), sent = RECORDING(&mini.recorder, "sent");
    const taro_socket socket = mini_open(&mini, &a, SERVER_URL("ws_small", "/deaf?id=bound"));
    for (int n = 0; n < MESSAGES; n++) {
        const taro_send_options send = record_send_options(&sent, TARO_MESSAGE_BINARY, data, SIZE);
        CHECK_STATUS(taro_socket_send(socket, &send), TARO_STATUS_OK);
    }
    const int64_t begin = clock_ns();
    mini_close(socket);
    CHECK_UINT(mini_buffered(socket), >, 0);
    const struct record *close = mini_wait(&mini, RECORD_CLOSE, "a", 1);
    talk_check_close(close, &end);
    CHECK_INT((close->at_ns - begin) / 1000000, >=, BOUND_MS);
    CHECK_INT((close->at_ns - begin) / 1000000, <, BOUND_MS + 5000 * (int64_t)wait_slow());
    // What could not go has failed, before the end was told.
    CHECK_UINT(record_count(&mini.recorder, RECORD_RELEASE, "sent"), ==, MESSAGES);
    CHECK_UINT(record_count(&mini.recorder, RECORD_FAIL, "sent"), >, 0);
    const struct record *fail = mini_find(&mini, RECORD_FAIL, "sent", 1);
    CHECK_INT(fail->status, ==, TARO_STATUS_NOT_CONNECTED);
    CHECK_STR(fail->err_msg, "sendSocketMessage:fail WebSocket is not connected");
    CHECK_INT(record_index(&mini.recorder, RECORD_RELEASE, "sent", MESSAGES), <,
              record_index(&mini.recorder, RECORD_CLOSE, "a", 1));
    CHECK_UINT(mini_buffered(socket), ==, 0);
    mini_end(&mini);
    mini_shutdown();
    free(data);
}

// The answer counts if it comes in time, however late that is.
static void an_answer_in_time_is_clean(void) {
    static const struct talk_end end = {4321, "late", 1, TARO_INITIATOR_HOST, TARO_CAUSE_NONE, 0};
    struct mini mini;
    taro_app_options options = TARO_APP_OPTIONS_INIT;
    options.close_timeout_ms = (uint32_t)WAIT_MS;
    mini_init(&mini, &options);
    struct recording a = RECORDING(&mini.recorder, "a");
    const taro_socket socket = mini_open(&mini, &a, SERVER_URL("ws", "/echo?id=late&onclose=ignore"));
    mini_close(socket);
    SERVER_WAIT("late", "^close 1000$");
    // Its text is read, and dropped, before.
    SERVER_COMMAND("do late text:one");
    SERVER_COMMAND("do late text:two");
    CHECK_UINT(mini_state(socket), ==, TARO_READY_STATE_CLOSING);
    SERVER_COMMAND("do late close:4321:late;fin");
    talk_check_close(mini_wait(&mini, RECORD_CLOSE, "a", 1), &end);
    mini_wait(&mini, RECORD_RELEASE, "a", 1);
    CHECK_SEQUENCE(&mini.recorder, "a", "success complete open close release");
    CHECK_UINT(SERVER_LOG_COUNT("late", "opcode=8"), ==, 1);
    mini_end(&mini);
    mini_shutdown();
}

static const struct test tests[] = {
    TEST("L20 L21", the_end_meanwhile_is_no_error),
    TEST("L2 L5 L20", it_is_bounded_from_the_call_on),
    TEST("L20 L21", an_answer_in_time_is_clean),
};

TEST_MAIN(tests)
