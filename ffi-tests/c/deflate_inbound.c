// L9, L21: compressed messages (RFC 7692) out of frames, in every form that a server may send them in, and what is
// none. Limits and memory: deflate_limit.c.
#include "deflate.h"

struct expected {
    uint32_t kind;
    const char *data; // NULL: zeros
    size_t len;
};

#define TEXT_OF(text) {TARO_MESSAGE_TEXT, text, sizeof text - 1}
#define BINARY_OF(text) {TARO_MESSAGE_BINARY, text, sizeof text - 1}
#define ZEROS(len) {TARO_MESSAGE_BINARY, NULL, len}

static void check_expected(struct mini *mini, const char *label, const struct expected *expected, size_t count) {
    CHECK_UINT(record_count(&mini->recorder, RECORD_MESSAGE, label), ==, count);
    for (size_t n = 0; n < count; n++) {
        unsigned char *zeros = calloc(1, expected[n].len + 1);
        CHECK(zeros != NULL);
        talk_check_message(mini_find(mini, RECORD_MESSAGE, label, n + 1), expected[n].kind,
                           expected[n].data ? (const void *)expected[n].data : zeros, expected[n].len);
        free(zeros);
    }
}

// --- every form of a message

// "Hello", as in the examples of RFC 7692, 7.2.3.
#define HELLO "f248cdc9c90700"
#define AGAIN "f200110000" // refers to the one before

static const struct form {
    const char *name;
    const char *actions;
    struct expected expected[4];
    size_t count;
    unsigned pings; // of the server
} forms[] = {
    {"one frame", "frame:c107" HELLO, {TEXT_OF("Hello")}, 1, 0},
    {"a binary", "frame:c207" HELLO, {BINARY_OF("Hello")}, 1, 0},
    {"in parts, pings between", "frame:4103f248cd;ping:x;frame:8004c9c90700", {TEXT_OF("Hello")}, 1, 1},
    {"each byte in a frame of its own, controls between",
     "frame:4101f2;ping:;frame:000148;pong:y;frame:0001cd;frame:0001c9;ping:0123456789;frame:0001c9;frame:000107;"
     "frame:800100", {TEXT_OF("Hello")}, 1, 2},
    {"empty parts", "frame:4100;frame:0000;frame:0007" HELLO ";frame:0000;frame:8000", {TEXT_OF("Hello")}, 1, 0},
    {"a window shared", "frame:c107" HELLO ";frame:c105" AGAIN ";frame:4102f200;frame:8003110000",
     {TEXT_OF("Hello"), TEXT_OF("Hello"), TEXT_OF("Hello")}, 3, 0},
    {"a window shared, plain messages between",
     "frame:c107" HELLO ";text:plain;bin:00ff;frame:c105" AGAIN,
     {TEXT_OF("Hello"), TEXT_OF("plain"), BINARY_OF("\0\xff"), TEXT_OF("Hello")}, 4, 0},
    {"a block that is not compressed", "frame:c10b000500faff48656c6c6f00", {TEXT_OF("Hello")}, 1, 0},
    {"a final block", "frame:c108f348cdc9c9070000", {TEXT_OF("Hello")}, 1, 0},
    {"a final block and nothing behind it, twice", "frame:c107f348cdc9c90700;frame:c107f348cdc9c90700;frame:c107" HELLO,
     {TEXT_OF("Hello"), TEXT_OF("Hello"), TEXT_OF("Hello")}, 3, 0},
    {"two blocks", "frame:c10df248050000" "00ffffcac9c90700", {TEXT_OF("Hello")}, 1, 0},
    {"nothing", "frame:c10100;frame:c20100;packedtext:;packed:0",
     {TEXT_OF(""), BINARY_OF(""), TEXT_OF(""), BINARY_OF("")}, 4, 0},
    {"as the server packs it", "packedtext:gr%c3%bc%c3%9fe;packedfrag:one|two||three;packedtext:gr%c3%bc%c3%9fe",
     {TEXT_OF("gr\xc3\xbc\xc3\x9f" "e"), TEXT_OF("onetwothree"), TEXT_OF("gr\xc3\xbc\xc3\x9f" "e")}, 3, 3},
    {"cut within characters", "packedfrag:a%c3|%a9b%e2%82|%acc%f0|%9f%98|%80d",
     {TEXT_OF("a\xc3\xa9" "b\xe2\x82\xac" "c\xf0\x9f\x98\x80" "d")}, 1, 4},
    {"NULs", "packedtext:%00a%00;packed:2", {TEXT_OF("\0a\0"), BINARY_OF("\0\0")}, 2, 0},
    {"of every size", "packed:1;packed:511;packed:70000;packed:1000000", {ZEROS(1), ZEROS(511), ZEROS(70000),
     ZEROS(1000000)}, 4, 0},
    {"large ones", "packed:3000001;text:between;packed:65536;packedtext:Hello",
     {ZEROS(3000001), TEXT_OF("between"), ZEROS(65536), TEXT_OF("Hello")}, 4, 0},
};

// In one write with the answer, or each action in a write of its own.
static void check_form(const struct form *row, const char *listener, uint32_t delivery, int apart) {
    struct mini mini;
    taro_app_options options = TARO_APP_OPTIONS_INIT;
    options.delivery = delivery;
    deflate_init(&mini, &options);
    struct recording a = RECORDING(&mini.recorder, "a");
    deflate_connect(&mini, &a, SERVER_URL(listener, "/echo?id=forms&" AGREED "&act=%s", apart ? "" : row->actions));
    SERVER_WAIT("forms", "^open");
    for (const char *at = row->actions; apart && *at; at += strcspn(at, ";"), at += *at == ';') {
        SERVER_COMMAND("do forms %.*s", (int)strcspn(at, ";"), at);
    }
    SERVER_COMMAND("do forms close:1000:");
    CHECK_UINT(mini_wait(&mini, RECORD_CLOSE, "a", 1)->was_clean, ==, 1);
    check_expected(&mini, "a", row->expected, row->count);
    SERVER_WAIT("forms", "^close 1000$");
    CHECK_UINT(SERVER_LOG_COUNT("forms", "opcode=10"), ==, row->pings);
    mini_end(&mini);
    SERVER_COMMAND("forget forms");
}

static void messages_in_every_form(void) {
    for (size_t at = 0; at < sizeof forms / sizeof *forms; at++) {
        mini_row(forms[at].name);
        check_form(&forms[at], "ws", TARO_DELIVERY_DIRECT, 0);
        check_form(&forms[at], "ws", TARO_DELIVERY_HOST, 1);
        check_form(&forms[at], "wss", at % 2 ? TARO_DELIVERY_HOST : TARO_DELIVERY_DIRECT, at % 4 < 2);
    }
    mini_row(NULL);
    mini_shutdown();
}

static void without_takeover_each_stands_alone(void) {
    static const struct expected hello = TEXT_OF("Hello");
    for (int refers = 0; refers <= 1; refers++) {
        struct mini mini;
        mini_init(&mini, NULL);
        struct recording a = RECORDING(&mini.recorder, "a");
        deflate_connect(&mini, &a, SERVER_URL("ws", "/echo?id=alone&" AGREED ";server_no_context_takeover"
                                              "&act=frame:c107" HELLO ";frame:%s;close:1000:",
                                              refers ? "c105" AGAIN : "c107" HELLO));
        const struct record *close = mini_wait(&mini, RECORD_CLOSE, "a", 1);
        CHECK_UINT(close->cause, ==, refers ? TARO_CAUSE_PROTOCOL_ERROR : TARO_CAUSE_NONE);
        for (int n = 1; n <= 2 - refers; n++) {
            talk_check_message(mini_find(&mini, RECORD_MESSAGE, "a", (size_t)n), hello.kind, hello.data, hello.len);
        }
        mini_end(&mini);
    }
    mini_shutdown();
}

// A write for each byte: every state of the reader is entered with nothing behind it.
static void byte_by_byte(void) {
    static const char stream[] = "c107" HELLO "4103f248cd" "890170" "0002c9c9" "80020700" "8a00" "c105" AGAIN "810161"
                                 "c107f348cdc9c90700" "c10100" "880203e8";
    static const struct expected expected[] = {TEXT_OF("Hello"), TEXT_OF("Hello"), TEXT_OF("Hello"), TEXT_OF("a"),
                                               TEXT_OF("Hello"), TEXT_OF("")};
    struct mini mini;
    mini_init(&mini, NULL);
    struct recording a = RECORDING(&mini.recorder, "a");
    deflate_open(&mini, &a, SERVER_URL("ws", "/echo?id=bytes&" AGREED));
    for (const char *at = stream; *at; at += 2) {
        SERVER_COMMAND("do bytes frame:%.2s", at);
    }
    CHECK_UINT(mini_wait(&mini, RECORD_CLOSE, "a", 1)->was_clean, ==, 1);
    check_expected(&mini, "a", expected, sizeof expected / sizeof *expected);
    SERVER_WAIT("bytes", "^pong 70$");
    mini_end(&mini);
    mini_shutdown();
}

// --- what is none

static const struct fault {
    const char *name;
    const char *extension; // of the answer
    const char *actions;
    const char *wire; // the close frame that the server gets
    uint32_t cause;
} faults[] = {
    {"compressed, which nobody agreed on", "", "frame:c107" HELLO, "^close 1002$", TARO_CAUSE_PROTOCOL_ERROR},
    {"the empty message, which nobody agreed on", "", "frame:c10100", "^close 1002$", TARO_CAUSE_PROTOCOL_ERROR},
    {"a continuation with the bit", AGREED, "frame:4103f248cd;frame:c004c9c90700", "^close 1002$",
     TARO_CAUSE_PROTOCOL_ERROR},
    {"a continuation with the bit, of a plain message", AGREED, "frame:010161;frame:c00162", "^close 1002$",
     TARO_CAUSE_PROTOCOL_ERROR},
    {"a continuation of nothing, with the bit", AGREED, "frame:c00162", "^close 1002$", TARO_CAUSE_PROTOCOL_ERROR},
    {"a ping with the bit", AGREED, "frame:c900", "^close 1002$", TARO_CAUSE_PROTOCOL_ERROR},
    {"a pong with the bit", AGREED, "frame:ca00", "^close 1002$", TARO_CAUSE_PROTOCOL_ERROR},
    {"a close with the bit", AGREED, "frame:c80203e8", "^close 1002$", TARO_CAUSE_PROTOCOL_ERROR},
    {"the second bit", AGREED, "frame:a107" HELLO, "^close 1002$", TARO_CAUSE_PROTOCOL_ERROR},
    {"the third bit", AGREED, "frame:9107" HELLO, "^close 1002$", TARO_CAUSE_PROTOCOL_ERROR},
    {"the first and the second", AGREED, "frame:e107" HELLO, "^close 1002$", TARO_CAUSE_PROTOCOL_ERROR},
    {"the first and the third", AGREED, "frame:d207" HELLO, "^close 1002$", TARO_CAUSE_PROTOCOL_ERROR},
    {"an unknown opcode with the bit", AGREED, "frame:c300", "^close 1002$", TARO_CAUSE_PROTOCOL_ERROR},
    {"a masked one", AGREED, "frame:c18100000000", "^close 1002$", TARO_CAUSE_PROTOCOL_ERROR},
    {"a message within a compressed one", AGREED, "frame:4103f248cd;text:a", "^close 1002$", TARO_CAUSE_PROTOCOL_ERROR},
    {"a compressed one within another", AGREED, "frame:4103f248cd;frame:c107" HELLO, "^close 1002$",
     TARO_CAUSE_PROTOCOL_ERROR},
    {"a compressed one within a plain one", AGREED, "frame:010161;frame:c107" HELLO, "^close 1002$",
     TARO_CAUSE_PROTOCOL_ERROR},
    {"a ping in parts within it", AGREED, "frame:4103f248cd;frame:0900", "^close 1002$", TARO_CAUSE_PROTOCOL_ERROR},
    {"a block of no kind", AGREED, "frame:c101ff", "^close 1007$", TARO_CAUSE_PROTOCOL_ERROR},
    {"text that is not compressed", AGREED, "frame:c10548656c6c6f", "^close 1007$", TARO_CAUSE_PROTOCOL_ERROR},
    {"a wrong length in it", AGREED, "frame:c20a00050000000102030405", "^close 1007$", TARO_CAUSE_PROTOCOL_ERROR},
    {"a reference to nothing", AGREED, "frame:c105" AGAIN, "^close 1007$", TARO_CAUSE_PROTOCOL_ERROR},
    {"the same in the second part", AGREED, "frame:4100;ping:x;frame:8005" AGAIN, "^close 1007$",
     TARO_CAUSE_PROTOCOL_ERROR},
    {"bad behind what is good", AGREED, "packedtext:good;packed:100000;frame:c201ff", "^close 1007$",
     TARO_CAUSE_PROTOCOL_ERROR},
    {"not UTF-8", AGREED, "packedtext:%ff", "^close 1007$", TARO_CAUSE_BAD_UTF8},
    {"not UTF-8, in parts", AGREED, "packedfrag:good|%c3|(", "^close 1007$", TARO_CAUSE_BAD_UTF8},
    {"cut at the end", AGREED, "packedtext:abc%e2%82", "^close 1007$", TARO_CAUSE_BAD_UTF8},
    {"cut, and an empty last part", AGREED, "packedfrag:abc%e2%82|", "^close 1007$", TARO_CAUSE_BAD_UTF8},
    {"a surrogate", AGREED, "packedfrag:%ed|%a0|%80", "^close 1007$", TARO_CAUSE_BAD_UTF8},
};

static void check_fault(const struct fault *row, const char *listener, uint32_t delivery) {
    static const struct talk_end end = {1006, "abnormal closure", 0, TARO_INITIATOR_LIBRARY, 0, 0};
    struct talk_end expected = end;
    struct mini mini;
    taro_app_options options = TARO_APP_OPTIONS_INIT;
    options.delivery = delivery;
    expected.cause = row->cause;
    deflate_init(&mini, &options);
    struct recording a = RECORDING(&mini.recorder, "a");
    deflate_connect(&mini, &a, SERVER_URL(listener, "/echo?id=fault&%s&act=text:before;%s;text:never", row->extension,
                                          row->actions));
    talk_check_close(mini_wait(&mini, RECORD_CLOSE, "a", 1), &expected);
    talk_check_broken(mini_find(&mini, RECORD_ERROR, "a", 1), row->cause, 0);
    SERVER_WAIT("fault", row->wire);
    CHECK_UINT(SERVER_LOG_COUNT("fault", "opcode=8"), ==, 1);
    CHECK_STR(mini_find(&mini, RECORD_MESSAGE, "a", 1)->data, "before");
    const size_t messages = record_count(&mini.recorder, RECORD_MESSAGE, "a");
    CHECK_UINT(messages, ==, strstr(row->actions, "good;") ? 3 : 1);
    mini_wait(&mini, RECORD_RELEASE, "a", 1);
    CHECK_SEQUENCE(&mini.recorder, "a",
                   messages == 3 ? "success complete open message message message error close release"
                                 : "success complete open message error close release");
    mini_end(&mini);
    SERVER_COMMAND("forget fault");
}

static void what_is_no_message(void) {
    for (size_t at = 0; at < sizeof faults / sizeof *faults; at++) {
        mini_row(faults[at].name);
        check_fault(&faults[at], "ws", TARO_DELIVERY_DIRECT);
        check_fault(&faults[at], at % 4 ? "ws" : "wss", TARO_DELIVERY_HOST);
    }
    mini_row(NULL);
    mini_shutdown();
}

// Larger than what is inflated at once, and only its last byte is wrong.
static void one_bad_byte_in_a_large_text(void) {
    enum { LARGE = 200000 };
    char *text = (char *)deflate_letters(LARGE);
    text[LARGE] = '\0';
    for (int is_bad = 0; is_bad <= 1; is_bad++) {
        struct mini mini;
        mini_init(&mini, NULL);
        struct recording a = RECORDING(&mini.recorder, "a");
        deflate_open(&mini, &a, SERVER_URL("ws", "/echo?id=bad%d&" AGREED, is_bad));
        SERVER_COMMAND("do bad%d packedtext:%s%s;close:1000:", is_bad, text, is_bad ? "%ff" : "!");
        CHECK_UINT(mini_wait(&mini, RECORD_CLOSE, "a", 1)->cause, ==, is_bad ? TARO_CAUSE_BAD_UTF8 : TARO_CAUSE_NONE);
        CHECK_UINT(record_count(&mini.recorder, RECORD_MESSAGE, "a"), ==, !is_bad);
        if (!is_bad) {
            text[LARGE] = '!';
            talk_check_message(mini_find(&mini, RECORD_MESSAGE, "a", 1), TARO_MESSAGE_TEXT, text, LARGE + 1);
            text[LARGE] = '\0';
        }
        mini_end(&mini);
    }
    mini_shutdown();
    free(text);
}

// --- what stands behind a message that is inflated in several steps, in the same packet

static const struct behind {
    const char *name;
    const char *listener;
    const char *actions;
    const char *sequence;
    uint32_t code;
} behinds[] = {
    {"a close", "ws", "packed:200000;close:3001:bye", "success complete open message close release", 3001},
    {"a close and the end", "ws", "packed:200000;close:3001:bye;fin", "success complete open message close release",
     3001},
    {"a close and the end, TLS", "wss", "packed:200000;close:3001:bye;tlsclose;fin",
     "success complete open message close release", 3001},
    {"messages and a close and the end, TLS", "wss", "packed:200000;packedtext:a;packed:100000;close:3001:bye;tlsclose",
     "success complete open message message message close release", 3001},
    {"the end", "ws", "packed:200000;fin", "success complete open message error close release", 1006},
    {"the end, TLS", "wss", "packed:200000;packedtext:a;tlsclose;fin",
     "success complete open message message error close release", 1006},
    {"what is no TLS", "wss", "packed:200000;text:a;under:1503030002022a",
     "success complete open message message error close release", 1006},
    {"a fault", "ws", "packed:200000;frame:ff00", "success complete open message error close release", 1006},
    {"a ping and a message", "ws", "packed:200000;ping:x;packed:300000;close:3001:bye",
     "success complete open message message close release", 3001},
};

// `holds`: as little as can be may wait for the host, which takes it late. `apart`: not in one packet with the answer.
static void check_behind(const struct behind *row, uint32_t delivery, int holds, int apart) {
    struct mini mini;
    taro_app_options options = TARO_APP_OPTIONS_INIT;
    options.delivery = delivery;
    options.queue_limit_bytes = options.pause_limit_bytes = holds ? 1 : 0;
    deflate_init(&mini, &options);
    struct recording a = RECORDING(&mini.recorder, "a");
    const char *url = SERVER_URL(row->listener, "/echo?id=behind&linger=1&" AGREED "%s%s",
                                 apart ? "" : "&act=", apart ? "" : row->actions);
    taro_connect_options connect = record_connect_options(&a, url);
    connect.app = mini.app;
    connect.per_message_deflate = 1;
    connect.start_paused = holds != 0;
    const taro_socket socket = mini_accepted(&connect);
    SERVER_WAIT("behind", "^open");
    if (apart) {
        mini_in_step("behind", 1);
        SERVER_COMMAND("do behind %s", row->actions);
    }
    if (holds) {
        // The first message is there, and nothing of the rest.
        EVENTUALLY(mini_counters(socket).messages_received == 1);
        CHECK_STATUS(taro_socket_resume(socket), TARO_STATUS_OK);
    }
    const struct record *close = mini_wait(&mini, RECORD_CLOSE, "a", 1);
    CHECK_UINT(close->close_code, ==, row->code);
    CHECK_UINT(close->was_clean, ==, row->code == 3001);
    mini_wait(&mini, RECORD_RELEASE, "a", 1);
    CHECK_SEQUENCE(&mini.recorder, "a", row->sequence);
    CHECK_UINT(mini_find(&mini, RECORD_MESSAGE, "a", 1)->data.len, ==, 200000);
    mini_end(&mini);
    SERVER_COMMAND("forget behind");
}

static void nothing_behind_a_large_message_is_lost(void) {
    for (size_t at = 0; at < sizeof behinds / sizeof *behinds; at++) {
        mini_row(behinds[at].name);
        // A record that is wrong spoils the handshake if it is read with it.
        for (int apart = strstr(behinds[at].actions, "under:") != NULL; apart <= 1; apart++) {
            check_behind(&behinds[at], TARO_DELIVERY_DIRECT, 0, apart);
            check_behind(&behinds[at], TARO_DELIVERY_HOST, 1, apart);
            check_behind(&behinds[at], TARO_DELIVERY_DIRECT, 1, apart);
        }
    }
    mini_row(NULL);
    mini_shutdown();
}

static const struct test tests[] = {
    TEST("L9", messages_in_every_form),
    TEST("L12", without_takeover_each_stands_alone),
    TEST("L9", byte_by_byte),
    TEST("L5 L9 L21", what_is_no_message),
    TEST("L9 L21", one_bad_byte_in_a_large_text),
    TEST("L5 L7 L9", nothing_behind_a_large_message_is_lost),
};

TEST_MAIN(tests)
