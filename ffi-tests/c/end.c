// L5, L21: each way in which an open connection ends without a close frame of either side: what the host is told, and
// what the peer. Ends of a handshake: cut.c; with a close frame: close_peer.c.
#include <errno.h>

#include "talk.h"

#define HEX_126 HEX_16 HEX_16 HEX_16 HEX_16 HEX_16 HEX_16 HEX_16 "61616161616161616161616161616161616161616161"
#define HEX_16 "61616161616161616161616161616161"

static const struct end {
    const char *name;
    const char *actions; // between a message that is good, and one that nobody hears
    const char *wire;    // our close frame; NULL: there is none
    uint32_t cause;
    uint32_t initiator;
    int32_t os_error;
} ends[] = {
#define LOST NULL, TARO_CAUSE_RESET, TARO_INITIATOR_NONE
    {"the end of the stream", "fin", LOST, 0},
    {"the end of both streams", "drop", LOST, 0},
    {"the end within a head", "frame:82;fin", LOST, 0},
    {"the end within a message", "frame:820568;fin", LOST, 0},
    {"the end between fragments", "frame:010568656c6c6f;fin", LOST, 0},
    {"a reset", "rst", LOST, ECONNRESET},
    {"a reset within a message", "head:2:900;rst", LOST, ECONNRESET},

#define WRONG "^close 1002$", TARO_CAUSE_PROTOCOL_ERROR, TARO_INITIATOR_LIBRARY, 0
    {"a masked text", "masked:hello", WRONG},
    {"a masked empty text", "frame:818011223344", WRONG},
    {"a masked ping", "frame:898011223344", WRONG},
    {"a masked close", "frame:888011223344", WRONG},
    {"RSV1", "frame:c1026869", WRONG},
    {"RSV2", "frame:a1026869", WRONG},
    {"RSV3", "frame:91026869", WRONG},
    {"RSV1 of a ping", "frame:c900", WRONG},
    {"RSV2 of a close", "frame:a80203e8", WRONG},
    {"RSV1 of the last fragment", "frame:010161;frame:c00162", WRONG},
    {"opcode 3", "frame:8300", WRONG},
    {"opcode 4", "frame:840161", WRONG},
    {"opcode 5", "frame:8500", WRONG},
    {"opcode 6", "frame:8600", WRONG},
    {"opcode 7", "frame:8700", WRONG},
    {"opcode 7 within a message", "frame:010161;frame:0700", WRONG},
    {"opcode 11", "frame:8b00", WRONG},
    {"opcode 12", "frame:8c0161", WRONG},
    {"opcode 13", "frame:8d00", WRONG},
    {"opcode 14", "frame:8e00", WRONG},
    {"opcode 15", "frame:8f00", WRONG},
    {"a fragmented ping", "frame:090161", WRONG},
    {"a fragmented pong", "frame:0a00", WRONG},
    {"a fragmented close", "frame:080203e8", WRONG},
    {"a ping of 126 bytes", "frame:897e007e" HEX_126, WRONG},
    {"a pong of 126 bytes", "frame:8a7e007e" HEX_126, WRONG},
    {"a close of 126 bytes", "frame:887e007e03e8" HEX_16, WRONG},
    {"a ping that would be large", "head:9:70000", WRONG},
    {"a continuation of nothing", "frame:800161", WRONG},
    {"a first fragment that continues", "frame:000161", WRONG},
    {"a continuation of a whole message", "text:one;frame:8000", WRONG},
    {"a text within a text", "frame:010161;frame:810162", WRONG},
    {"a binary within a text", "frame:010161;frame:820162", WRONG},
    {"a text within a binary, behind a ping", "frame:020161;ping:x;frame:010162", WRONG},
    {"a length with the highest bit", "frame:827f8000000000000000", WRONG},
    {"the largest length", "frame:827fffffffffffffffff", WRONG},
    {"a length of 16 bits that needs 7", "frame:827e007d" HEX_126, WRONG},
    {"a length of 64 bits that needs 16", "frame:827f000000000000ffff" HEX_126, WRONG},
    {"a length of 64 bits that is 0", "frame:827f0000000000000000", WRONG},
    {"a close of one byte", "frame:880103", WRONG},
    {"close code 0", "close:0:", WRONG},
    {"close code 999", "close:999:", WRONG},
    {"close code 1004", "close:1004:", WRONG},
    {"close code 1005", "close:1005:", WRONG},
    {"close code 1006", "close:1006:why", WRONG},
    {"close code 1015", "close:1015:", WRONG},
    {"close code 1016", "close:1016:", WRONG},
    {"close code 2999", "close:2999:", WRONG},
    {"close code 5000", "close:5000:", WRONG},
    {"close code 65535", "close:65535:", WRONG},

#define NO_TEXT "^close 1007$", TARO_CAUSE_BAD_UTF8, TARO_INITIATOR_LIBRARY, 0
    {"a text that is none", "badutf8", NO_TEXT},
    {"a text cut in a character", "text:abc%e2%82", NO_TEXT},
    {"a surrogate", "text:%ed%a0%80", NO_TEXT},
    {"a text in fragments", "frag:ab|%ff|cd", NO_TEXT},
    {"a close reason", "close:1000:%ff", NO_TEXT},
    {"a close reason cut in a character", "close:3000:abc%e2%82", NO_TEXT},

#define LARGE "^close 1009$", TARO_CAUSE_TOO_BIG, TARO_INITIATOR_LIBRARY, 0
    {"a binary over the limit", "fill:1001", LARGE},
    {"a text over the limit", "filltext:1001", LARGE},
    {"the claim of one", "head:2:0x4000000000000000", LARGE},
};

static void check_end(const struct end *row, uint32_t flavour, uint32_t delivery) {
    const struct talk_end end = {1006, flavour == TARO_FLAVOUR_H5 ? "" : "abnormal closure", 0, row->initiator,
                                 row->cause, row->os_error};
    struct mini mini;
    taro_app_options options = TARO_APP_OPTIONS_INIT;
    options.flavour = flavour;
    options.delivery = delivery;
    options.message_limit_bytes = 1000;
    mini_init(&mini, &options);
    struct recording a = RECORDING(&mini.recorder, "a");
    const taro_socket socket =
        mini_connect(&mini, &a, SERVER_URL("ws", "/echo?id=end&act=text:good;%s;text:never", row->actions));
    const struct record *close = mini_wait(&mini, RECORD_CLOSE, "a", 1);
    mini_wait(&mini, RECORD_RELEASE, "a", 1);
    CHECK_SEQUENCE(&mini.recorder, "a",
                   strncmp(row->actions, "text:one;", 9) == 0
                       ? "success complete open message message error close release"
                       : "success complete open message error close release");
    CHECK_STR(mini_find(&mini, RECORD_MESSAGE, "a", 1)->data, "good");
    talk_check_broken(mini_find(&mini, RECORD_ERROR, "a", 1), row->cause, row->os_error);
    talk_check_close(close, &end);
    CHECK_UINT(mini_state(socket), ==, TARO_READY_STATE_CLOSED);
    CHECK_UINT(mini_live(&mini), ==, 0);
    // The record stays until it is released.
    CHECK_UINT(mini_counters(socket).payload_bytes_received, >=, 4);
    if (row->wire) {
        SERVER_WAIT("end", row->wire);
    }
    EVENTUALLY(SERVER_NUMBER("live end") == 0);
    CHECK_UINT(SERVER_LOG_COUNT("end", "opcode=8"), ==, row->wire != NULL);
    CHECK_UINT(SERVER_LOG_COUNT("end", "violation"), ==, 0);
    mini_end(&mini);
    SERVER_COMMAND("forget end");
}

static void each_end(uint32_t flavour, uint32_t delivery) {
    for (size_t at = 0; at < sizeof ends / sizeof *ends; at++) {
        mini_row(ends[at].name);
        check_end(&ends[at], flavour, delivery);
    }
    mini_row(NULL);
    mini_shutdown();
}

static void what_weapp_is_told(void) { each_end(TARO_FLAVOUR_WEAPP, TARO_DELIVERY_DIRECT); }

static void what_weapp_is_told_in_host_delivery(void) { each_end(TARO_FLAVOUR_WEAPP, TARO_DELIVERY_HOST); }

static void what_h5_is_told(void) { each_end(TARO_FLAVOUR_H5, TARO_DELIVERY_DIRECT); }

// --- over TLS, and while messages are on their way

static void the_same_over_tls(void) {
    static const struct end rows[] = {
        {"the end of the stream", "fin", LOST, 0},
        {"close_notify", "tlsclose", LOST, 0},
        {"a masked text", "masked:hello", WRONG},
        {"a text that is none", "badutf8", NO_TEXT},
        {"the claim of too much", "head:2:0x4000000000000000", LARGE},
    };
    for (size_t at = 0; at < sizeof rows / sizeof *rows; at++) {
        const struct talk_end end = {1006, "abnormal closure", 0, rows[at].initiator, rows[at].cause, 0};
        struct mini mini;
        taro_app_options options = TARO_APP_OPTIONS_INIT;
        options.ca_file = mini_str(server_ca_file());
        mini_row(rows[at].name);
        mini_init(&mini, &options);
        struct recording a = RECORDING(&mini.recorder, "a");
        mini_open(&mini, &a, SERVER_URL("wss", "/echo?id=tls%zu", at));
        SERVER_COMMAND("do tls%zu text:good;%s", at, rows[at].actions);
        talk_check_close(mini_wait(&mini, RECORD_CLOSE, "a", 1), &end);
        mini_wait(&mini, RECORD_RELEASE, "a", 1);
        CHECK_SEQUENCE(&mini.recorder, "a", "success complete open message error close release");
        talk_check_broken(mini_find(&mini, RECORD_ERROR, "a", 1), rows[at].cause, 0);
        if (rows[at].wire) {
            char id[8];
            snprintf(id, sizeof id, "tls%zu", at);
            SERVER_WAIT(id, rows[at].wire);
        }
        mini_row(NULL);
        mini_end(&mini);
    }
    mini_shutdown();
}

// Our close frame stands behind what was accepted before.
static void messages_on_their_way_come_before_the_close_frame(void) {
    enum { SIZE = 200000, MESSAGES = 3 };
    struct mini mini;
    unsigned char *data = talk_bytes(SIZE);
    mini_init(&mini, NULL);
    struct recording a = RECORDING(&mini.recorder, "a");
    const taro_socket socket = mini_open(&mini, &a, SERVER_URL("ws_small", "/deaf?id=way&onclose=ignore"));
    for (int n = 0; n < MESSAGES; n++) {
        CHECK_STATUS(taro_socket_send_binary(socket, data, SIZE), TARO_STATUS_OK);
    }
    SERVER_COMMAND("do way masked:hello");
    mini_wait(&mini, RECORD_CLOSE, "a", 1);
    // Not held up by them.
    SERVER_COMMAND("do way read");
    SERVER_WAIT("way", "^close 1002$");
    CHECK_INT(SERVER_NUMBER("bytes way"), ==, MESSAGES * SIZE);
    CHECK_UINT(SERVER_LOG_COUNT("way", "violation"), ==, 0);
    mini_end(&mini);
    mini_shutdown();
    free(data);
}

static const struct test tests[] = {
    TEST("L4 L5 L21 L23", what_weapp_is_told),
    TEST("L4 L5 L21", what_weapp_is_told_in_host_delivery),
    TEST("L5 L21", what_h5_is_told),
    TEST("L5 L21", the_same_over_tls),
    TEST("-", messages_on_their_way_come_before_the_close_frame),
};

TEST_MAIN(tests)
