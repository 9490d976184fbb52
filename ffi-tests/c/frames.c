// L9, L23: messages out of frames, in every form that RFC 6455 allows a server. Frames that it does not: end.c.
#include "talk.h"

struct expected {
    uint32_t kind;
    const char *data;
    size_t len;
};

// What comes of these actions, up to the peer's close: in the packet of the answer, or each in a write of its own.
static void check_messages(const char *name, const char *actions, const struct expected *expected, size_t count) {
    mini_row(name);
    for (MINI_EACH_DELIVERY(delivery)) {
        for (int apart = 0; apart <= 1; apart++) {
            struct mini mini;
            mini_init_of(&mini, delivery);
            struct recording a = RECORDING(&mini.recorder, "a");
            mini_connect(&mini, &a, SERVER_URL("ws", "/echo?id=frames&act=%s", apart ? "" : actions));
            SERVER_WAIT("frames", "^open");
            for (const char *at = actions; apart && *at; at += strcspn(at, ";"), at += *at == ';') {
                SERVER_COMMAND("do frames %.*s", (int)strcspn(at, ";"), at);
            }
            SERVER_COMMAND("do frames close:1000:");
            CHECK_UINT(mini_wait(&mini, RECORD_CLOSE, "a", 1)->was_clean, ==, 1);
            CHECK_UINT(record_count(&mini.recorder, RECORD_MESSAGE, "a"), ==, count);
            for (size_t n = 0; n < count; n++) {
                talk_check_message(mini_find(&mini, RECORD_MESSAGE, "a", n + 1), expected[n].kind, expected[n].data,
                                   expected[n].len);
            }
            mini_end(&mini);
            SERVER_COMMAND("forget frames");
        }
    }
    mini_row(NULL);
}

// --- fragments

#define TEXT_OF(text) {TARO_MESSAGE_TEXT, text, sizeof text - 1}
#define BINARY_OF(text) {TARO_MESSAGE_BINARY, text, sizeof text - 1}

static const struct form {
    const char *name;
    const char *actions;
    struct expected expected[3];
    size_t count;
} forms[] = {
    {"three parts, pings between", "frag:one|two|three", {TEXT_OF("onetwothree")}, 1},
    {"a binary in parts", "frame:0201ff;frame:0001fe;frame:8001fd", {BINARY_OF("\xff\xfe\xfd")}, 1},
    {"each byte of a character by itself", "frag:%f0|%9f|%98|%80", {TEXT_OF("\xf0\x9f\x98\x80")}, 1},
    {"cut within characters", "frag:a%c3|%a9b%e2%82|%acc%f0|%9f%98|%80d",
     {TEXT_OF("a\xc3\xa9" "b\xe2\x82\xac" "c\xf0\x9f\x98\x80" "d")}, 1},
    {"no byte at all", "frame:0100;frame:0000;frame:8000", {TEXT_OF("")}, 1},
    {"empty parts within a character", "frame:0101e2;frame:0000;frame:000182;frame:0000;frame:8001ac",
     {TEXT_OF("\xe2\x82\xac")}, 1},
    {"an empty last part", "frame:01026869;frame:8000", {TEXT_OF("hi")}, 1},
    {"an empty first part", "frame:0200;frame:80026869", {BINARY_OF("hi")}, 1},
    {"two in a row, kinds apart", "frame:020161;frame:800162;frame:010163;frame:800164",
     {BINARY_OF("ab"), TEXT_OF("cd")}, 2},
    {"a whole one behind one in parts", "frag:one|two;text:three;bin:00ff",
     {TEXT_OF("onetwo"), TEXT_OF("three"), BINARY_OF("\0\xff")}, 3},
    {"pings and pongs of every length between", "frame:010161;ping:;pong:;ping:0123456789;pong:x;frame:800162",
     {TEXT_OF("ab")}, 1},
    {"an unasked pong", "pong:who;text:asked", {TEXT_OF("asked")}, 1},
    {"a byte order mark", "text:%ef%bb%bfhi", {TEXT_OF("\xef\xbb\xbfhi")}, 1},
    {"the last character", "text:%f4%8f%bf%bf", {TEXT_OF("\xf4\x8f\xbf\xbf")}, 1},
    {"NULs", "text:%00a%00;bin:0000", {TEXT_OF("\0a\0"), BINARY_OF("\0\0")}, 2},
    {"nothing to say", "", {{0, NULL, 0}}, 0},
};

static void messages_in_every_form(void) {
    for (size_t at = 0; at < sizeof forms / sizeof *forms; at++) {
        check_messages(forms[at].name, forms[at].actions, forms[at].expected, forms[at].count);
    }
    mini_shutdown();
}

// A stream with all of it, a write for each byte: every state of the reader is entered with nothing behind it.
static void byte_by_byte(void) {
    static const unsigned char stream[] = {
        0x81, 5, 'h', 'e', 'l', 'l', 'o',  // a text
        0x01, 3, 0xc3, 0xa9, 0xe2,         // the start of another, cut within a character
        0x89, 2, 'p', 'z',                 // a ping
        0x00, 2, 0x82, 0xac,               // its middle
        0x8a, 1, 'q',                      // a pong
        0x80, 1, '.',                      // its end
        0x82, 0,                           // an empty binary
        0x82, 126, 0, 126,                 // a binary with a longer head, of 126 bytes
    };
    static const struct talk_end end = {1000, "k", 1, TARO_INITIATOR_PEER, TARO_CAUSE_NONE, 0};
    struct mini mini;
    unsigned char *data = talk_bytes(126);
    mini_init(&mini, NULL);
    struct recording a = RECORDING(&mini.recorder, "a");
    mini_open(&mini, &a, SERVER_URL("ws", "/echo?id=bytes&drip=1"));
    for (size_t at = 0; at < sizeof stream; at++) {
        SERVER_COMMAND("do bytes frame:%02x", stream[at]);
    }
    for (size_t at = 0; at < 126; at++) {
        SERVER_COMMAND("do bytes frame:%02x", data[at]);
    }
    for (const char *at = "880303e86b"; *at; at += 2) {
        SERVER_COMMAND("do bytes frame:%.2s", at);
    }
    talk_check_close(mini_wait(&mini, RECORD_CLOSE, "a", 1), &end);
    mini_wait(&mini, RECORD_RELEASE, "a", 1);
    CHECK_SEQUENCE(&mini.recorder, "a", "success complete open message message message message close release");
    talk_check_message(mini_find(&mini, RECORD_MESSAGE, "a", 1), TARO_MESSAGE_TEXT, "hello", 5);
    talk_check_message(mini_find(&mini, RECORD_MESSAGE, "a", 2), TARO_MESSAGE_TEXT, "\xc3\xa9\xe2\x82\xac.", 6);
    talk_check_message(mini_find(&mini, RECORD_MESSAGE, "a", 3), TARO_MESSAGE_BINARY, "", 0);
    talk_check_message(mini_find(&mini, RECORD_MESSAGE, "a", 4), TARO_MESSAGE_BINARY, data, 126);
    SERVER_WAIT("bytes", "^pong 707a$");
    mini_end(&mini);
    mini_shutdown();
    free(data);
}

// --- many

static void many_in_one_packet(void) {
    enum { BURST = 2000, SIZE = 10, NUMBERS = 3000 };
    unsigned char *data = talk_bytes(SIZE);
    for (MINI_EACH_DELIVERY(delivery)) {
        struct mini mini;
        mini_init_of(&mini, delivery);
        struct recording a = RECORDING(&mini.recorder, "a"), b = RECORDING(&mini.recorder, "b");
        const taro_socket socket =
            mini_connect(&mini, &a, SERVER_URL("ws", "/echo?act=numbers:%d;close:1000:", NUMBERS));
        const taro_socket other =
            mini_connect(&mini, &b, SERVER_URL("ws", "/echo?act=burst:%d:%d;close:1000:", BURST, SIZE));
        mini_wait(&mini, RECORD_CLOSE, "a", 1);
        mini_wait(&mini, RECORD_CLOSE, "b", 1);
        CHECK_UINT(record_count(&mini.recorder, RECORD_MESSAGE, "a"), ==, NUMBERS);
        CHECK_UINT(record_count(&mini.recorder, RECORD_MESSAGE, "b"), ==, BURST);
        CHECK_UINT(mini_counters(socket).messages_received, ==, NUMBERS);
        CHECK_UINT(mini_counters(other).payload_bytes_received, ==, BURST * SIZE);
        size_t numbers = 0;
        for (size_t at = 0; at < record_len(&mini.recorder); at++) {
            const struct record *record = record_at(&mini.recorder, at);
            char number[24];
            if (record->kind != RECORD_MESSAGE) {
                continue;
            }
            if (record->socket == socket) {
                snprintf(number, sizeof number, "%zu", numbers++);
                CHECK_STR(record->data, number);
            } else {
                talk_check_message(record, TARO_MESSAGE_BINARY, data, SIZE);
            }
        }
        mini_end(&mini);
    }
    mini_shutdown();
    free(data);
}

// --- pings

static void a_pong_has_what_the_ping_had(void) {
    static const char *const payloads[] = {"", "61", "00", "00ff80fe", "7a", "c328"};
    enum { PAYLOADS = sizeof payloads / sizeof *payloads, LARGEST = 125 };
    char actions[1200] = "", hex[2 * LARGEST + 1], line[2 * LARGEST + 40];
    struct mini mini;
    for (size_t at = 0; at < PAYLOADS; at++) {
        const size_t len = strlen(payloads[at]) / 2;
        sprintf(actions + strlen(actions), "frame:89%02zx%s;", len, payloads[at]);
    }
    for (size_t at = 0; at < LARGEST; at++) {
        sprintf(hex + 2 * at, "%02zx", 255 - at);
    }
    sprintf(actions + strlen(actions), "frame:897d%s", hex);
    mini_init(&mini, NULL);
    struct recording a = RECORDING(&mini.recorder, "a");
    const taro_socket socket = mini_open(&mini, &a, SERVER_URL("ws", "/echo?id=pongs&act=%s", actions));
    SERVER_WAIT_N("pongs", PAYLOADS + 1, "^pong");
    // In their order.
    const char *log = SERVER_LOG("pongs");
    for (size_t at = 0; at <= PAYLOADS; at++) {
        const char *payload = at < PAYLOADS ? payloads[at] : hex;
        snprintf(line, sizeof line, "\npong%s%s", *payload ? " " : "", payload);
        log = strstr(log, line);
        CHECK(log != NULL);
        CHECK(log[strlen(line)] == '\n' || log[strlen(line)] == '\0');
        log += strlen(line);
    }
    CHECK_UINT(SERVER_LOG_COUNT("pongs", "violation"), ==, 0);
    CHECK_UINT(SERVER_LOG_COUNT("pongs", "opcode=10"), ==, PAYLOADS + 1);
    // They are no events, and no messages.
    CHECK_SEQUENCE(&mini.recorder, "a", "success complete open");
    CHECK_UINT(mini_counters(socket).messages_received, ==, 0);
    CHECK_UINT(mini_counters(socket).messages_sent, ==, 0);
    mini_end(&mini);
    mini_shutdown();
}

static void pongs_are_counted_and_nothing_more(void) {
    struct mini mini;
    mini_init(&mini, NULL);
    struct recording a = RECORDING(&mini.recorder, "a");
    const taro_socket socket = mini_open(&mini, &a, SERVER_URL("ws", "/echo?id=unasked&act=pong:;pong:one"));
    CHECK_STATUS(taro_socket_ping(socket, "two", 3), TARO_STATUS_OK);
    SERVER_WAIT("unasked", "^ping 74776f$");
    mini_in_step("unasked", 1);
    CHECK_SEQUENCE(&mini.recorder, "a", "success complete open");
    CHECK_UINT(mini_counters(socket).pongs_received, ==, 3);
    CHECK_UINT(mini_counters(socket).pings_sent, ==, 1);
    mini_end(&mini);
    mini_shutdown();
}

// A peer that asks and does not listen: what it asked last is answered when it does, and all that was said before it.
static void a_peer_that_does_not_read_gets_the_last_pong(void) {
    enum { PINGS = 3000, SIZE = 1 << 20, MESSAGES = 6 };
    struct mini mini;
    unsigned char *data = talk_bytes(SIZE);
    mini_init(&mini, NULL);
    struct recording a = RECORDING(&mini.recorder, "a");
    const taro_socket socket = mini_open(&mini, &a, SERVER_URL("ws_small", "/deaf?id=deaf"));
    for (int n = 0; n < MESSAGES; n++) {
        CHECK_STATUS(taro_socket_send_binary(socket, data, SIZE), TARO_STATUS_OK);
    }
    char *pings = malloc(PINGS * strlen("ping:0000;") + 1), *end = pings;
    CHECK(pings != NULL);
    for (int n = 0; n < PINGS; n++) {
        end += sprintf(end, "ping:%04d;", n);
    }
    SERVER_COMMAND("do deaf %s", pings);
    SERVER_COMMAND("do deaf text:asked");
    mini_wait(&mini, RECORD_MESSAGE, "a", 1);
    SERVER_COMMAND("do deaf read");
    SERVER_WAIT("deaf", "^pong 32393939$");
    CHECK_INT(SERVER_NUMBER("bytes deaf"), ==, MESSAGES * SIZE);
    CHECK_UINT(SERVER_LOG_COUNT("deaf", "violation"), ==, 0);
    CHECK_SEQUENCE(&mini.recorder, "a", "success complete open message");
    mini_end(&mini);
    mini_shutdown();
    free(pings);
    free(data);
}

// --- text that is none

static const struct bad_text {
    const char *name;
    const char *actions;
} bad_texts[] = {
    {"longer than need be", "text:%c0%80"},
    {"the same in parts", "frag:%c0|%80"},
    {"a surrogate in parts", "frag:%ed|%a0|%80"},
    {"beyond the last character, in parts", "frag:%f4|%90|%80|%80"},
    {"cut at the end", "frag:abc|%e2%82"},
    {"cut, and an empty last part", "frame:0101e2;frame:8000"},
    {"cut by a letter of the next part", "frag:%e2|(%a1"},
    {"a good part and a bad one", "frag:good|%80|good"},
    {"an empty part before", "frame:0100;frame:8001ff"},
    {"bad, with a ping behind", "frame:0101ff;ping:x;frame:8000"},
};

static void text_that_is_none_is_never_delivered(void) {
    for (MINI_EACH_DELIVERY(delivery)) {
        for (size_t at = 0; at < sizeof bad_texts / sizeof *bad_texts; at++) {
            struct mini mini;
            mini_row(bad_texts[at].name);
            mini_init_of(&mini, delivery);
            struct recording a = RECORDING(&mini.recorder, "a");
            mini_connect(&mini, &a, SERVER_URL("ws", "/echo?id=bad&act=%s;text:never", bad_texts[at].actions));
            CHECK_UINT(mini_wait(&mini, RECORD_CLOSE, "a", 1)->cause, ==, TARO_CAUSE_BAD_UTF8);
            mini_wait(&mini, RECORD_RELEASE, "a", 1);
            CHECK_SEQUENCE(&mini.recorder, "a", "success complete open error close release");
            SERVER_WAIT("bad", "^close 1007$");
            mini_end(&mini);
            SERVER_COMMAND("forget bad");
            mini_row(NULL);
        }
    }
    mini_shutdown();
}

// Larger than a read, and only its last byte is wrong; as a binary it is fine.
static void one_bad_byte_in_a_large_text(void) {
    enum { SIZE = 100000 };
    char *hex = malloc(2 * SIZE + 1);
    CHECK(hex != NULL);
    for (size_t at = 0; at < SIZE; at++) {
        memcpy(hex + 2 * at, at + 1 < SIZE ? "61" : "ff", 3);
    }
    for (int is_text = 0; is_text <= 1; is_text++) {
        struct mini mini;
        mini_init(&mini, NULL);
        struct recording a = RECORDING(&mini.recorder, "a");
        mini_open(&mini, &a, SERVER_URL("ws", "/echo?id=large%d", is_text));
        SERVER_COMMAND("do large%d head:%d:%d;frame:%s", is_text, is_text ? 1 : 2, SIZE, hex);
        if (is_text) {
            CHECK_UINT(mini_wait(&mini, RECORD_CLOSE, "a", 1)->cause, ==, TARO_CAUSE_BAD_UTF8);
            mini_wait(&mini, RECORD_RELEASE, "a", 1);
            CHECK_SEQUENCE(&mini.recorder, "a", "success complete open error close release");
        } else {
            const struct record *message = mini_wait(&mini, RECORD_MESSAGE, "a", 1);
            CHECK_UINT(message->data.len, ==, SIZE);
            CHECK_INT((unsigned char)message->data.ptr[SIZE - 1], ==, 0xff);
        }
        mini_end(&mini);
    }
    mini_shutdown();
    free(hex);
}

// --- the limit of a message

static const struct sized {
    const char *name;
    uint64_t limit; // 0: not set
    const char *actions;
    size_t len; // of the message that comes; 0: none, the socket ends with 1009
} sized[] = {
    {"a binary of the limit", 1000, "fill:1000", 1000},
    {"one byte more", 1000, "fill:1001", 0},
    {"a text of the limit", 1000, "filltext:1000", 1000},
    {"one byte more, text", 1000, "filltext:1001", 0},
    {"the claim is enough", 1000, "head:2:1001", 0},
    {"a short head", 100, "fill:100", 100},
    {"a short head, one byte more", 100, "fill:101", 0},
    {"a limit of one byte", 1, "bin:ff", 1},
    {"two bytes", 1, "bin:ffff", 0},
    {"parts that are the limit", 8, "frame:020461616161;ping:0123456789;frame:800461616161", 8},
    {"an empty part behind it", 8, "frame:020461616161;frame:000461616161;frame:8000", 8},
    {"parts that are more", 8, "frame:020461616161;frame:8005", 0},
    {"the third is too much", 8, "frame:020461616161;frame:000461616161;frame:000161", 0},
    {"a claim that overflows with the part before", 8, "frame:020161;head:0:0x7fffffffffffffff", 0},
    {"16 MiB if it is not set", 0, "fill:16777216", 16777216},
    {"one byte more than that", 0, "head:2:16777217", 0},
    {"the claim of 2^62 bytes", 0, "head:2:0x4000000000000000", 0},
    {"the largest claim", 0, "head:1:0x7fffffffffffffff", 0},
};

static void a_message_may_have_as_many_bytes_as_the_limit(void) {
    for (size_t at = 0; at < sizeof sized / sizeof *sized; at++) {
        struct mini mini;
        taro_app_options options = TARO_APP_OPTIONS_INIT;
        options.message_limit_bytes = sized[at].limit;
        mini_row(sized[at].name);
        mini_init(&mini, &options);
        struct recording a = RECORDING(&mini.recorder, "a");
        mini_connect(&mini, &a, SERVER_URL("ws", "/echo?id=sized&act=%s", sized[at].actions));
        if (sized[at].len > 0) {
            CHECK_UINT(mini_wait(&mini, RECORD_MESSAGE, "a", 1)->data.len, ==, sized[at].len);
            mini_in_step("sized", 1);
            CHECK_SEQUENCE(&mini.recorder, "a", "success complete open message");
        } else {
            const struct record *close = mini_wait(&mini, RECORD_CLOSE, "a", 1);
            CHECK_UINT(close->close_code, ==, 1006);
            CHECK_UINT(close->cause, ==, TARO_CAUSE_TOO_BIG);
            CHECK_UINT(close->initiator, ==, TARO_INITIATOR_LIBRARY);
            SERVER_WAIT("sized", "^close 1009$");
            mini_wait(&mini, RECORD_RELEASE, "a", 1);
            CHECK_SEQUENCE(&mini.recorder, "a", "success complete open error close release");
        }
        mini_end(&mini);
        SERVER_COMMAND("forget sized");
        mini_row(NULL);
    }
    mini_shutdown();
}

static const struct test tests[] = {
    TEST("L9", messages_in_every_form),
    TEST("L9", byte_by_byte),
    TEST("L5 L9", many_in_one_packet),
    TEST("-", a_pong_has_what_the_ping_had),
    TEST("L5", pongs_are_counted_and_nothing_more),
    TEST("-", a_peer_that_does_not_read_gets_the_last_pong),
    TEST("L9 L21", text_that_is_none_is_never_delivered),
    TEST("L9", one_bad_byte_in_a_large_text),
    TEST("L23", a_message_may_have_as_many_bytes_as_the_limit),
};

TEST_MAIN(tests)
