// L15: permessage-deflate is really used, both ways, and within what was agreed on: which messages go compressed,
// context takeover, windows.
#include "deflate.h"

// --- which messages

// The n-th data frame that the server got from the connection of that name, as far as its first bits.
static void check_head(const char *id, unsigned n, const char *head) {
    const char *line = server_wait(__FILE__, __LINE__, id, n, "^frame fin=. rsv=. opcode=[012]");
    CHECK_BYTES(line, strlen(head), head, strlen(head));
}

static void messages_of_128_bytes_and_more(void) {
    static const size_t sizes[] = {0, 1, 64, 125, 126, 127, 128, 129, 1000, 16000};
    static const char *const listeners[] = {"ws", "wss"};
    unsigned char *text = deflate_letters(16000);
    for (size_t listener = 0; listener < 2; listener++) {
        for (uint32_t kind = TARO_MESSAGE_TEXT; kind <= TARO_MESSAGE_BINARY; kind++) {
            struct mini mini;
            char head[40];
            unsigned n = 0;
            deflate_init(&mini, NULL);
            struct recording a = RECORDING(&mini.recorder, "a");
            const taro_socket socket =
                deflate_open(&mini, &a, SERVER_URL(listeners[listener], "/sink?id=small&" AGREED));
            // Once more the other way around: small ones behind large ones.
            for (size_t at = 0; at < 2 * (sizeof sizes / sizeof *sizes); at++) {
                const size_t count = sizeof sizes / sizeof *sizes;
                const size_t size = at < count ? sizes[at] : sizes[2 * count - at - 1];
                CHECK_STATUS(talk_send_quietly(socket, kind, text, size), TARO_STATUS_OK);
                snprintf(head, sizeof head, "frame fin=1 rsv=%d opcode=%u ", size < THRESHOLD ? 0 : 4, kind);
                check_head("small", ++n, head);
                SERVER_WAIT_N("small", n, "^(text|binary) ");
            }
            CHECK_UINT(SERVER_LOG_COUNT("small", "violation"), ==, 0);
            mini_end(&mini);
            SERVER_COMMAND("forget small");
        }
    }
    mini_shutdown();
    free(text);
}

// The server takes no notice of the offer, or it was not made: then every byte goes as it is.
static void none_without_an_agreement(void) {
    unsigned char *text = deflate_letters(100 * KIB);
    for (uint32_t asked = 0; asked <= 1; asked++) {
        struct mini mini;
        mini_init(&mini, NULL);
        struct recording a = RECORDING(&mini.recorder, "a"), sent = RECORDING(&mini.recorder, "sent");
        const char *url = SERVER_URL("ws", "/sink?id=plain");
        const taro_socket socket = asked ? deflate_connect(&mini, &a, url) : mini_connect(&mini, &a, url);
        CHECK_UINT(mini_wait(&mini, RECORD_OPEN, "a", 1)->extensions.len, ==, 0);
        CHECK_UINT(deflate_weigh(&mini, socket, &sent, 1, TARO_MESSAGE_TEXT, text, 100 * KIB), >, 100 * KIB);
        SERVER_WAIT("plain", "^text 102400 ");
        check_head("plain", 1, "frame fin=1 rsv=0 opcode=1 ");
        mini_end(&mini);
        SERVER_COMMAND("forget plain");
    }
    mini_shutdown();
    free(text);
}

// --- how much it saves

static const struct weight {
    const char *name;
    unsigned char *(*make)(size_t len, uint32_t seed);
    uint32_t kind;
    double least, most; // wire bytes for each byte of the payload
} weights[] = {
    {"prose", deflate_prose, TARO_MESSAGE_TEXT, 0.05, 0.45},
    {"noise", deflate_noise, TARO_MESSAGE_BINARY, 0.99, 1.01},
};

static void large_messages_both_ways(void) {
    static const char *const listeners[] = {"ws", "wss"};
    for (size_t listener = 0; listener < 2; listener++) {
        for (size_t at = 0; at < sizeof weights / sizeof *weights; at++) {
            const struct weight *row = &weights[at];
            const size_t len = MIB + 1;
            unsigned char *data = row->make(len, 1);
            struct mini mini;
            mini_row(row->name);
            deflate_init(&mini, NULL);
            struct recording a = RECORDING(&mini.recorder, "a"), sent = RECORDING(&mini.recorder, "sent");
            const taro_socket socket =
                deflate_open(&mini, &a, SERVER_URL(listeners[listener], "/echo?id=large&pack=1&" AGREED));
            const uint64_t out = deflate_weigh(&mini, socket, &sent, 1, row->kind, data, len);
            talk_check_message(mini_wait(&mini, RECORD_MESSAGE, "a", 1), row->kind, data, len);
            const taro_socket_counters counters = mini_counters(socket);
            CHECK((double)out > row->least * (double)len && (double)out < row->most * (double)len);
            CHECK((double)counters.wire_bytes_received > row->least * (double)len);
            CHECK((double)counters.wire_bytes_received < row->most * (double)len);
            CHECK_UINT(counters.payload_bytes_sent, ==, len);
            CHECK_UINT(counters.payload_bytes_received, ==, len);
            CHECK_UINT(counters.messages_sent, ==, 1);
            CHECK_UINT(counters.messages_received, ==, 1);
            CHECK_UINT(SERVER_LOG_COUNT("large", "violation"), ==, 0);
            mini_end(&mini);
            SERVER_COMMAND("forget large");
            mini_row(NULL);
            free(data);
        }
    }
    mini_shutdown();
}

// --- context takeover

enum { NOISE = 2000, FEW = 100 };

// What cannot be compressed by itself, three times: with takeover the second one is a reference to the first.
static void the_window_is_taken_over_unless_refused(void) {
    unsigned char *noise = deflate_noise(NOISE, 2);
    for (int client = 0; client <= 1; client++) {
        for (int server = 0; server <= 1; server++) {
            struct mini mini;
            char row[60];
            snprintf(row, sizeof row, "takeover: client %d, server %d", client, server);
            mini_row(row);
            deflate_init(&mini, NULL);
            struct recording a = RECORDING(&mini.recorder, "a"), sent = RECORDING(&mini.recorder, "sent");
            const taro_socket socket = deflate_open(
                &mini, &a, SERVER_URL("ws", "/echo?id=takeover&pack=1&" AGREED "%s%s",
                                      client ? "" : ";client_no_context_takeover",
                                      server ? "" : ";server_no_context_takeover"));
            for (size_t n = 1; n <= 3; n++) {
                const uint64_t before = mini_counters(socket).wire_bytes_received;
                const uint64_t out = deflate_weigh(&mini, socket, &sent, n, TARO_MESSAGE_BINARY, noise, NOISE);
                talk_check_message(mini_wait(&mini, RECORD_MESSAGE, "a", n), TARO_MESSAGE_BINARY, noise, NOISE);
                const uint64_t in = mini_counters(socket).wire_bytes_received - before;
                CHECK(client && n > 1 ? out < FEW : out > NOISE);
                CHECK(server && n > 1 ? in < FEW : in > NOISE);
            }
            CHECK_UINT(SERVER_LOG_COUNT("takeover", "rsv=4"), ==, 3);
            CHECK_UINT(SERVER_LOG_COUNT("takeover", "violation"), ==, 0);
            mini_end(&mini);
            SERVER_COMMAND("forget takeover");
        }
    }
    mini_row(NULL);
    mini_shutdown();
    free(noise);
}

// Messages that go as they are leave the window alone, whatever their size and kind.
static void messages_as_they_are_leave_the_window_alone(void) {
    unsigned char *noise = deflate_noise(NOISE, 3);
    struct mini mini;
    deflate_init(&mini, NULL);
    struct recording a = RECORDING(&mini.recorder, "a"), sent = RECORDING(&mini.recorder, "sent");
    const taro_socket socket = deflate_open(&mini, &a, SERVER_URL("ws", "/echo?id=between&pack=1&" AGREED));
    CHECK_UINT(deflate_weigh(&mini, socket, &sent, 1, TARO_MESSAGE_BINARY, noise, NOISE), >, NOISE);
    mini_wait(&mini, RECORD_MESSAGE, "a", 1);
    mini_send(socket, "small");
    CHECK_STATUS(taro_socket_ping(socket, noise, 125), TARO_STATUS_OK);
    CHECK_STR(mini_wait(&mini, RECORD_MESSAGE, "a", 2)->data, "small");
    SERVER_COMMAND("do between text:plain;fill:50000;ping:x");
    EVENTUALLY(mini_buffered(socket) == 0); // the ping is not to be weighed
    CHECK_UINT(deflate_weigh(&mini, socket, &sent, 2, TARO_MESSAGE_BINARY, noise, NOISE), <, FEW);
    talk_check_message(mini_wait(&mini, RECORD_MESSAGE, "a", 5), TARO_MESSAGE_BINARY, noise, NOISE);
    CHECK_UINT(SERVER_LOG_COUNT("between", "violation"), ==, 0);
    mini_end(&mini);
    mini_shutdown();
    free(noise);
}

// --- windows

// The same noise twice, so far apart.
static unsigned char *twice(size_t distance, uint32_t seed) {
    unsigned char *noise = deflate_noise(2 * distance, seed);
    memcpy(noise + distance, noise, distance);
    return noise;
}

// Sends it and gets it back; how much of it went over the wire, each way.
static void weigh(struct mini *mini, taro_socket socket, struct recording *sent, size_t nth, size_t distance,
                  uint64_t *out, uint64_t *in) {
    unsigned char *data = twice(distance, (uint32_t)nth);
    const uint64_t before = mini_counters(socket).wire_bytes_received;
    *out = deflate_weigh(mini, socket, sent, nth, TARO_MESSAGE_BINARY, data, 2 * distance);
    talk_check_message(mini_wait(mini, RECORD_MESSAGE, "a", nth), TARO_MESSAGE_BINARY, data, 2 * distance);
    *in = mini_counters(socket).wire_bytes_received - before;
    free(data);
}

// What lies just within the window is found, what lies beyond it is not.
static void windows_of_every_size(void) {
    for (int bits = 8; bits <= 15; bits++) {
        const size_t window = (size_t)1 << bits, near = bits < 10 ? 210 : window - 300, far = window + window / 2;
        uint64_t out, in;
        char answer[100];
        struct mini mini;
        snprintf(answer, sizeof answer, ";client_max_window_bits=%d;server_max_window_bits=%d", bits, bits);
        mini_row(answer);
        deflate_init(&mini, NULL);
        struct recording a = RECORDING(&mini.recorder, "a"), sent = RECORDING(&mini.recorder, "sent");
        const taro_socket socket =
            deflate_open(&mini, &a, SERVER_URL("ws", "/echo?id=window&pack=1&" AGREED "%s", answer));
        weigh(&mini, socket, &sent, 1, near, &out, &in);
        CHECK_UINT(in, <, near + near / 3);
        // For a window of 8 bits the library compresses nothing, which it may (RFC 7692, 6).
        CHECK(bits == 8 ? out > 2 * near : out < near + near / 3);
        weigh(&mini, socket, &sent, 2, far, &out, &in);
        CHECK_UINT(in, >, 2 * far);
        CHECK_UINT(out, >, 2 * far);
        CHECK_UINT(SERVER_LOG_COUNT("window", "rsv=4"), ==, bits == 8 ? 0 : 2);
        CHECK_UINT(SERVER_LOG_COUNT("window", "violation"), ==, 0);
        mini_end(&mini);
        SERVER_COMMAND("forget window");
    }
    mini_row(NULL);
    mini_shutdown();
}

// --- many messages, of every size, there and back

static void a_mixed_stream(void) {
    enum { MESSAGES = 120 };
    static const char *const answers[] = {
        "", ";client_no_context_takeover;server_no_context_takeover",
        ";server_max_window_bits=9;client_max_window_bits=10",
    };
    for (size_t at = 0; at < sizeof answers / sizeof *answers; at++) {
        struct mini mini;
        uint32_t state = 4711;
        unsigned char *datas[MESSAGES];
        size_t lens[MESSAGES];
        mini_row(answers[at]);
        deflate_init(&mini, NULL);
        struct recording a = RECORDING(&mini.recorder, "a");
        const taro_socket socket = deflate_open(
            &mini, &a, SERVER_URL(at == 0 ? "wss" : "ws", "/echo?id=mixed&pack=1&" AGREED "%s", answers[at]));
        for (uint32_t n = 0; n < MESSAGES; n++) {
            const size_t most = n % 30 == 7 ? 100000 : n % 5 == 0 ? 5000 : 300;
            lens[n] = deflate_next(&state) % most;
            datas[n] = n % 3 == 0 ? deflate_noise(lens[n], n % 4) : deflate_prose(lens[n], n % 4);
            CHECK_STATUS(talk_send_quietly(socket, n % 3 == 0 ? TARO_MESSAGE_BINARY : TARO_MESSAGE_TEXT, datas[n],
                                           lens[n]), TARO_STATUS_OK);
        }
        for (size_t n = 0; n < MESSAGES; n++) {
            talk_check_message(mini_wait(&mini, RECORD_MESSAGE, "a", n + 1),
                               n % 3 == 0 ? TARO_MESSAGE_BINARY : TARO_MESSAGE_TEXT, datas[n], lens[n]);
            free(datas[n]);
        }
        CHECK_UINT(SERVER_LOG_COUNT("mixed", "violation"), ==, 0);
        mini_end(&mini);
        SERVER_COMMAND("forget mixed");
    }
    mini_row(NULL);
    mini_shutdown();
}

static const struct test tests[] = {
    TEST("L15", messages_of_128_bytes_and_more),
    TEST("L15", none_without_an_agreement),
    TEST("L9 L15", large_messages_both_ways),
    TEST("L15", the_window_is_taken_over_unless_refused),
    TEST("L15", messages_as_they_are_leave_the_window_alone),
    TEST("L15", windows_of_every_size),
    TEST("L9 L15 L18", a_mixed_stream),
};

TEST_MAIN(tests)
