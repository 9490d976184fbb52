// L23, L25, L26: the limit holds for what a compressed message becomes, and so does the bound on memory.
#include "deflate.h"
#include "process.h"

// --- what would become far more than the limit. First of all: the peak of a process never falls.

static const struct bomb {
    const char *name;
    const char *actions;
} bombs[] = {
    {"in one frame", "packed:536870912"},
    {"behind messages that fit", "packed:4194304;packed:1000;packed:536870912"},
};

// At most what vectors grow ahead is used besides the limit, and nothing of it is kept.
static void half_a_gigabyte_of_zeros(void) {
    static const char *const listeners[] = {"ws", "wss"};
    enum { LIMIT = 4 * MIB, KEPT = 200 * KIB };
    const int is_measured = !process_under_valgrind() && !process_under_asan();
    // What the first connection of each kind takes is not counted.
    for (size_t at = 0; at < 2; at++) {
        struct mini mini;
        deflate_init(&mini, NULL);
        struct recording a = RECORDING(&mini.recorder, "a");
        const taro_socket socket = deflate_open(&mini, &a, SERVER_URL(listeners[at], "/echo?" AGREED));
        mini_send(socket, "to and fro");
        mini_wait(&mini, RECORD_MESSAGE, "a", 1);
        mini_close(socket);
        mini_wait(&mini, RECORD_RELEASE, "a", 1);
        mini_end(&mini);
    }
    for (size_t listener = 0; listener < 2; listener++) {
        for (size_t at = 0; at < sizeof bombs / sizeof *bombs; at++) {
            const int is_behind = at == 1;
            struct mini mini;
            taro_app_options options = TARO_APP_OPTIONS_INIT;
            mini_row(bombs[at].name);
            options.message_limit_bytes = LIMIT;
            deflate_init(&mini, &options);
            struct recording a = RECORDING(&mini.recorder, "a");
            const taro_socket socket =
                deflate_open(&mini, &a, SERVER_URL(listeners[listener], "/echo?id=bomb&" AGREED));
            const long long heap = process_heap_bytes(), peak = process_resident_peak_bytes();
            SERVER_COMMAND("do bomb %s", bombs[at].actions);
            const struct record *close = mini_wait(&mini, RECORD_CLOSE, "a", 1);
            CHECK_UINT(close->cause, ==, TARO_CAUSE_TOO_BIG);
            CHECK_UINT(close->close_code, ==, 1006);
            CHECK_UINT(close->initiator, ==, TARO_INITIATOR_LIBRARY);
            SERVER_WAIT("bomb", "^close 1009$");
            mini_wait(&mini, RECORD_RELEASE, "a", 1);
            CHECK_SEQUENCE(&mini.recorder, "a",
                           is_behind ? "success complete open message message error close release"
                                     : "success complete open error close release");
            CHECK_UINT(mini_counters(socket).messages_received, ==, is_behind ? 2 : 0);
            if (is_measured) {
                // With the messages that fit: the record has a copy.
                const long long copies = is_behind ? LIMIT : 0;
                CHECK_INT(process_resident_peak_bytes(), <=, peak + 2 * LIMIT + 2 * copies);
                EVENTUALLY(process_heap_bytes() <= heap + copies + KEPT);
            }
            mini_end(&mini);
            SERVER_COMMAND("forget bomb");
        }
    }
    mini_row(NULL);
    mini_shutdown();
}

// --- the limit, to the byte

static const struct sized {
    const char *name;
    uint64_t limit; // 0: not set
    const char *actions;
    size_t len; // of the message that comes; 0: none, the socket ends with 1009
} sized[] = {
    {"the limit", 1000, "packed:1000", 1000},
    {"one byte more", 1000, "packed:1001", 0},
    {"one byte", 1, "packed:1", 1},
    {"two bytes", 1, "packed:2", 0},
    {"in parts", 8, "packedfrag:abcd|efgh|", 8},
    {"in parts, one byte more", 8, "packedfrag:abcd|efgh|i", 0},
    {"in parts, the second is too much", 8, "frame:410bf248cdc9c907000000ffff;frame:8005f200110000", 0},
    {"of a step", 65536, "packed:65536", 65536},
    {"of a step, one byte more", 65536, "packed:65537", 0},
    {"of several steps", 1000000, "packed:1000000", 1000000},
    {"of several steps, one byte more", 1000000, "packed:1000001", 0},
    {"16 MiB if it is not set", 0, "packed:16777216", 16777216},
    {"one byte more than that", 0, "packed:16777217", 0},
    {"a plain one of the limit", 1000, "fill:1000", 1000},
    {"a plain one, one byte more", 1000, "fill:1001", 0},
    {"one that was packed as it is", 5, "frame:c20a000500faff0001020304", 5},
    {"one that was packed as it is, one byte more", 4, "frame:c20a000500faff0001020304", 0},
    {"the largest claim", 0, "head:0x42:0x7fffffffffffffff", 0},
    {"a claim of 64 MiB", 0, "head:0x42:67108864", 0},
};

static void a_message_may_become_as_large_as_the_limit(void) {
    for (size_t at = 0; at < sizeof sized / sizeof *sized; at++) {
        struct mini mini;
        taro_app_options options = TARO_APP_OPTIONS_INIT;
        options.message_limit_bytes = sized[at].limit;
        mini_row(sized[at].name);
        deflate_init(&mini, &options);
        struct recording a = RECORDING(&mini.recorder, "a");
        deflate_connect(&mini, &a, SERVER_URL(at % 4 ? "ws" : "wss", "/echo?id=sized&" AGREED "&act=%s",
                                              sized[at].actions));
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
    }
    mini_row(NULL);
    mini_shutdown();
}

// What does not compress takes more bytes on the wire than the limit has, and fits all the same.
static void noise_of_the_limit(void) {
    static const size_t sizes[] = {THRESHOLD, 1000, 70000};
    for (size_t at = 0; at < sizeof sizes / sizeof *sizes; at++) {
        struct mini mini;
        unsigned char *noise = deflate_noise(sizes[at], 1);
        taro_app_options options = TARO_APP_OPTIONS_INIT;
        options.message_limit_bytes = sizes[at];
        mini_init(&mini, &options);
        struct recording a = RECORDING(&mini.recorder, "a");
        const taro_socket socket = deflate_open(&mini, &a, SERVER_URL("ws", "/echo?pack=1&" AGREED));
        CHECK_STATUS(taro_socket_send_binary(socket, noise, sizes[at]), TARO_STATUS_OK);
        talk_check_message(mini_wait(&mini, RECORD_MESSAGE, "a", 1), TARO_MESSAGE_BINARY, noise, sizes[at]);
        CHECK_UINT(mini_counters(socket).wire_bytes_received, >, sizes[at] + 4);
        mini_end(&mini);
        free(noise);
    }
    mini_shutdown();
}

// No limit: whatever is added to it must not begin at zero again.
static void the_largest_limits(void) {
    static const uint64_t limits[] = {UINT64_MAX, UINT64_MAX - 1, (uint64_t)INT64_MAX, (uint64_t)INT64_MAX + 1,
                                      UINT64_C(1) << 32, UINT32_MAX};
    for (size_t at = 0; at < sizeof limits / sizeof *limits; at++) {
        struct mini mini;
        taro_app_options options = TARO_APP_OPTIONS_INIT;
        options.message_limit_bytes = limits[at];
        mini_init(&mini, &options);
        struct recording a = RECORDING(&mini.recorder, "a");
        deflate_connect(&mini, &a, SERVER_URL("ws", "/echo?" AGREED "&act=packed:3000000;packedfrag:o|n|e;text:two;"
                                              "close:1000:"));
        CHECK_UINT(mini_wait(&mini, RECORD_CLOSE, "a", 1)->was_clean, ==, 1);
        CHECK_UINT(record_count(&mini.recorder, RECORD_MESSAGE, "a"), ==, 3);
        CHECK_UINT(mini_find(&mini, RECORD_MESSAGE, "a", 1)->data.len, ==, 3000000);
        CHECK_STR(mini_find(&mini, RECORD_MESSAGE, "a", 2)->data, "one");
        CHECK_STR(mini_find(&mini, RECORD_MESSAGE, "a", 3)->data, "two");
        mini_end(&mini);
    }
    mini_shutdown();
}

// --- memory

// What a peer says that it will send takes none.
static void a_claim_takes_no_memory(void) {
    enum { CONNECTION = 350000 }; // most of it the read buffer of the thread
    static const char *const claims[] = {"head:0x42:0x4000000000000000", "head:0x41:0x7fffffffffffffff",
                                         "frame:4207f248cdc9c90700;head:0:0x4000000000000000"};
    for (size_t at = 0; at < sizeof claims / sizeof *claims; at++) {
        struct mini mini;
        taro_app_options options = TARO_APP_OPTIONS_INIT;
        options.message_limit_bytes = UINT64_MAX;
        mini_row(claims[at]);
        mini_init(&mini, &options);
        struct recording a = RECORDING(&mini.recorder, "a");
        const taro_socket socket = deflate_open(&mini, &a, SERVER_URL("ws", "/sink?id=claims&" AGREED));
        const long long heap = process_heap_bytes(), peak = process_resident_peak_bytes();
        SERVER_COMMAND("do claims %s", claims[at]);
        EVENTUALLY(mini_counters(socket).wire_bytes_received >= 10);
        mini_send(socket, "in turn");
        SERVER_WAIT("claims", "^text 7 in turn$");
        CHECK_UINT(mini_state(socket), ==, TARO_READY_STATE_OPEN);
        CHECK_INT(process_heap_bytes(), <=, heap + 65536 + CONNECTION);
        if (!process_under_valgrind()) {
            CHECK_INT(process_resident_peak_bytes(), <=, peak + 20 * MIB);
        }
        mini_end(&mini);
        SERVER_COMMAND("forget claims");
    }
    mini_row(NULL);
    mini_shutdown();
}

enum { SOCKETS = 20 };

struct many {
    struct mini mini;
    struct recording recordings[SOCKETS];
    taro_socket sockets[SOCKETS];
};

// Connects so many sockets, has each of them compress and inflate, and takes them to their end.
static void talk_and_end(struct many *many, const unsigned char *noise, int is_cut) {
    static const char label[] = "many";
    for (size_t at = 0; at < SOCKETS; at++) {
        many->recordings[at] = RECORDING(&many->mini.recorder, label);
        many->sockets[at] = deflate_connect(&many->mini, &many->recordings[at],
                                            SERVER_URL("ws", "/echo?id=many%zu&pack=1&" AGREED, at));
        RECORD_WAIT(&many->mini.recorder, RECORD_OPEN, label, at + 1);
        CHECK_STATUS(taro_socket_send_binary(many->sockets[at], noise, 40 * KIB), TARO_STATUS_OK);
        RECORD_WAIT(&many->mini.recorder, RECORD_MESSAGE, label, at + 1);
    }
    for (size_t at = 0; at < SOCKETS; at++) {
        if (is_cut) {
            CHECK_STATUS(taro_socket_send_binary(many->sockets[at], noise, 100 * KIB), TARO_STATUS_OK);
            SERVER_COMMAND("do many%zu rst", at);
        } else {
            mini_close(many->sockets[at]);
        }
    }
    RECORD_WAIT(&many->mini.recorder, RECORD_RELEASE, label, SOCKETS);
}

// A compressor takes some 260 KiB, its counterpart 40; of a socket that has ended there is nothing left of them.
static void an_ended_socket_keeps_no_compressor(void) {
    enum { EACH = 20 * KIB }; // most of it the record's
    unsigned char *noise = deflate_noise(100 * KIB, 1);
    for (int is_cut = 0; is_cut <= 1; is_cut++) {
        static struct many many;
        taro_app_options options = TARO_APP_OPTIONS_INIT;
        options.max_sockets = SOCKETS;
        mini_init(&many.mini, &options);
        const long descriptors = process_descriptors();
        const long long heap = process_heap_bytes();
        talk_and_end(&many, noise, is_cut);
        EVENTUALLY(process_descriptors() <= descriptors + 2 * SOCKETS);
        // The record has copies of all messages.
        long long copies = 0;
        for (size_t at = 0; at < record_len(&many.mini.recorder); at++) {
            copies += (long long)record_at(&many.mini.recorder, at)->data.len;
        }
        EVENTUALLY(process_heap_bytes() <= heap + copies + SOCKETS * EACH);
        mini_end(&many.mini);
    }
    mini_shutdown();
    free(noise);
}

static const struct test tests[] = {
    TEST("L23", half_a_gigabyte_of_zeros),
    TEST("L23", a_message_may_become_as_large_as_the_limit),
    TEST("L23", noise_of_the_limit),
    TEST("L23 L25", the_largest_limits),
    TEST("L23", a_claim_takes_no_memory),
    TEST("L26", an_ended_socket_keeps_no_compressor),
};

TEST_MAIN(tests)
