// L9: what is said arrives as it was said, in both directions, and a message that is kept stays. Frames in all
// their forms: frames.c.
#include "talk.h"

enum { MIB = 1 << 20, LARGE = 300000 };

// --- to the server and back

static void there_and_back(struct mini *mini, taro_socket socket, uint32_t kind, size_t len, size_t n) {
    char row[80], pattern[80];
    const int is_text = kind == TARO_MESSAGE_TEXT;
    unsigned char *data = is_text ? talk_text(len) : talk_bytes(len);
    snprintf(row, sizeof row, "%s of %zu bytes", is_text ? "text" : "binary", len);
    mini_row(row);
    CHECK_STATUS(talk_send_quietly(socket, kind, len > 0 ? (const void *)data : NULL, len), TARO_STATUS_OK);
    talk_check_message(mini_wait(mini, RECORD_MESSAGE, "a", n), kind, data, len);
    snprintf(pattern, sizeof pattern, "^%s %zu( |$)", is_text ? "text" : "binary", len);
    SERVER_WAIT("sizes", pattern);
    mini_row(NULL);
    free(data);
}

static void every_size_there_and_back(void) {
    static const size_t sizes[] = {0, 1, 125, 126, 127, 65535, 65536, MIB, 16 * MIB - 1};
    for (MINI_EACH_DELIVERY(delivery)) {
        struct mini mini;
        size_t n = 0;
        uint64_t bytes = 0;
        mini_init_of(&mini, delivery);
        struct recording a = RECORDING(&mini.recorder, "a");
        const taro_socket socket = mini_open(&mini, &a, SERVER_URL("ws", "/echo?id=sizes"));
        for (size_t at = 0; at < sizeof sizes / sizeof *sizes; at++) {
            if (sizes[at] > MIB && delivery == TARO_DELIVERY_HOST && wait_slow() > 3) {
                continue;
            }
            there_and_back(&mini, socket, TARO_MESSAGE_TEXT, sizes[at], ++n);
            there_and_back(&mini, socket, TARO_MESSAGE_BINARY, sizes[at], ++n);
            bytes += 2 * sizes[at];
        }
        CHECK_INT(SERVER_NUMBER("bytes sizes"), ==, bytes);
        CHECK_UINT(SERVER_LOG_COUNT("sizes", "violation"), ==, 0);
        CHECK_UINT(mini_counters(socket).payload_bytes_received, ==, bytes);
        CHECK_UINT(mini_counters(socket).messages_received, ==, n);
        SERVER_COMMAND("forget sizes");
        mini_end(&mini);
    }
    mini_shutdown();
}

static const struct said {
    const char *name;
    uint32_t kind;
    const char *data;
    size_t data_len;
    const char *log; // what the server has of it
} said[] = {
    {"NULs in a text", TARO_MESSAGE_TEXT, "\0a\0\0b\0", 6, "text 6 \\x00a\\x00\\x00b\\x00"},
    {"one NUL", TARO_MESSAGE_TEXT, "\0", 1, "text 1 \\x00"},
    {"characters beyond 16 bits", TARO_MESSAGE_TEXT, "\xf0\x9f\x91\xa9\xe2\x80\x8d\xf0\x9f\x9a\x80", 11, "text 11 "},
    {"the last character of all", TARO_MESSAGE_TEXT, "\xf4\x8f\xbf\xbf", 4, "text 4 "},
    {"a byte order mark stays", TARO_MESSAGE_TEXT, "\xef\xbb\xbfhi", 5, "text 5 "},
    {"a text of digits", TARO_MESSAGE_TEXT, "12", 2, "text 2 12"},
    {"bytes that could be text", TARO_MESSAGE_BINARY, "hello", 5, "binary 5 68656c6c6f"},
    {"bytes that could not", TARO_MESSAGE_BINARY, "\xff\xfe\0\x80", 4, "binary 4 fffe0080"},
    {"no bytes", TARO_MESSAGE_BINARY, "", 0, "binary 0"},
    {"no text", TARO_MESSAGE_TEXT, "", 0, "text 0"},
};

static void kind_and_bytes_stay(void) {
    for (MINI_EACH_DELIVERY(delivery)) {
        struct mini mini;
        mini_init_of(&mini, delivery);
        struct recording a = RECORDING(&mini.recorder, "a"), sent = RECORDING(&mini.recorder, "sent");
        const taro_socket socket = mini_open(&mini, &a, SERVER_URL("ws", "/echo?id=said"));
        size_t n = 0;
        for (size_t at = 0; at < sizeof said / sizeof *said; at++) {
            const struct said *row = &said[at];
            mini_row(row->name);
            CHECK_STATUS(talk_send_quietly(socket, row->kind, row->data, row->data_len), TARO_STATUS_OK);
            talk_check_message(mini_wait(&mini, RECORD_MESSAGE, "a", ++n), row->kind, row->data, row->data_len);
            SERVER_WAIT("said", row->log);
            const taro_send_options options = record_send_options(&sent, row->kind, row->data, row->data_len);
            CHECK_STATUS(taro_socket_send(socket, &options), TARO_STATUS_OK);
            talk_check_message(mini_wait(&mini, RECORD_MESSAGE, "a", ++n), row->kind, row->data, row->data_len);
            SERVER_WAIT_N("said", 2, row->log);
        }
        mini_row(NULL);
        // 0 stands for text.
        const taro_send_options options = record_send_options(&sent, 0, "hi", 2);
        CHECK_STATUS(taro_socket_send(socket, &options), TARO_STATUS_OK);
        talk_check_message(mini_wait(&mini, RECORD_MESSAGE, "a", ++n), TARO_MESSAGE_TEXT, "hi", 2);
        SERVER_COMMAND("forget said");
        mini_end(&mini);
    }
    mini_shutdown();
}

// --- what comes first

static const struct early {
    const char *listener;
    const char *actions;
    size_t messages;
    const char *sequence;
} early[] = {
    {"ws", "text:0", 1, "success complete open message"},
    {"ws", "numbers:1000", 1000, NULL},
    {"ws", "text:0;close:1000:bye", 1, "success complete open message close release"},
    {"ws", "text:0;fin", 1, "success complete open message error close release"},
    {"wss", "text:0", 1, "success complete open message"},
    {"wss", "numbers:1000", 1000, NULL},
};

// Behind the 101, in the same packet.
static void what_comes_with_the_answer_is_not_lost(void) {
    for (MINI_EACH_DELIVERY(delivery)) {
        for (size_t at = 0; at < sizeof early / sizeof *early; at++) {
            struct mini mini;
            taro_app_options options = TARO_APP_OPTIONS_INIT;
            options.delivery = delivery;
            options.ca_file = mini_str(server_ca_file());
            mini_init(&mini, &options);
            struct recording a = RECORDING(&mini.recorder, "a");
            mini_row(early[at].actions);
            mini_connect(&mini, &a, SERVER_URL(early[at].listener, "/echo?act=%s", early[at].actions));
            mini_wait(&mini, RECORD_MESSAGE, "a", early[at].messages);
            mini_check_numbers(&mini, "a", 0, early[at].messages);
            if (early[at].sequence && strstr(early[at].sequence, "release")) {
                mini_wait(&mini, RECORD_RELEASE, "a", 1);
            }
            if (early[at].sequence) {
                CHECK_SEQUENCE(&mini.recorder, "a", early[at].sequence);
            }
            mini_row(NULL);
            mini_end(&mini);
        }
    }
    mini_shutdown();
}

// The packet ends within a frame.
static void a_part_that_comes_with_the_answer_is_not_lost(void) {
    static const char *const rests[] = {"05;frame:68656c6c6f", "0568;frame:656c6c6f", "0568656c6c;frame:6f"};
    for (MINI_EACH_DELIVERY(delivery)) {
        for (size_t at = 0; at < sizeof rests / sizeof *rests; at++) {
            struct mini mini;
            char now[40], later[40];
            const char *cut = strchr(rests[at], ';');
            snprintf(now, sizeof now, "frame:81%.*s", (int)(cut - rests[at]), rests[at]);
            snprintf(later, sizeof later, "%s", cut + 1);
            mini_init_of(&mini, delivery);
            struct recording a = RECORDING(&mini.recorder, "a");
            mini_open(&mini, &a, SERVER_URL("ws", "/echo?id=part%zu&act=%s", at, now));
            SERVER_COMMAND("do part%zu %s", at, later);
            talk_check_message(mini_wait(&mini, RECORD_MESSAGE, "a", 1), TARO_MESSAGE_TEXT, "hello", 5);
            mini_end(&mini);
        }
        // More than fits into a packet.
        struct mini mini;
        unsigned char *data = talk_bytes(LARGE);
        mini_init_of(&mini, delivery);
        struct recording a = RECORDING(&mini.recorder, "a");
        mini_connect(&mini, &a, SERVER_URL("ws", "/echo?act=fill:%d", LARGE));
        talk_check_message(mini_wait(&mini, RECORD_MESSAGE, "a", 1), TARO_MESSAGE_BINARY, data, LARGE);
        mini_end(&mini);
        free(data);
    }
    mini_shutdown();
}

// --- messages that are kept

static const size_t kept_sizes[] = {0, 1, 15, 16, 17, 125, 126, 5000, 65536, 300000, 0, 16};
enum { KEPT = sizeof kept_sizes / sizeof *kept_sizes };

struct keeper {
    struct kept {
        taro_message message;
        unsigned char *data;
        size_t len;
    } kept[KEPT];
    size_t count;
};

static void keeps(struct recording *recording, const struct record *record, const void *event) {
    struct keeper *keeper = recording->context;
    const taro_message_event *message = event;
    void *data = NULL, *again = NULL;
    size_t len = 99, again_len = 99;
    if (record->kind != RECORD_MESSAGE) {
        return;
    }
    CHECK(message->data != NULL);
    CHECK_STATUS(taro_message_retain(message->message, &data, &len), TARO_STATUS_OK);
    CHECK(data != NULL);
    CHECK_UINT((uintptr_t)data % 16, ==, 0);
    CHECK_BYTES(data, len, record->data.ptr, record->data.len);
    CHECK_STATUS(taro_message_retain(message->message, &again, &again_len), TARO_STATUS_OK);
    CHECK(again == data && again_len == len);
    // The callback's own pointer stays good.
    CHECK_BYTES(message->data, message->data_len, record->data.ptr, record->data.len);
    CHECK(keeper->count < KEPT);
    keeper->kept[keeper->count++] = (struct kept){message->message, data, len};
}

// Writes the whole of each message, after a look at the ones before: none may share memory with another.
static void write_all(struct keeper *keeper, unsigned round) {
    for (size_t at = 0; at < keeper->count; at++) {
        memset(keeper->kept[at].data, (int)(at + round), keeper->kept[at].len);
    }
    for (size_t at = 0; at < keeper->count; at++) {
        for (size_t byte = 0; byte < keeper->kept[at].len; byte++) {
            if (keeper->kept[at].data[byte] != (unsigned char)(at + round)) {
                FAIL("byte %zu of message %zu is written by another one", byte, at);
            }
        }
        for (size_t other = 0; other < at; other++) {
            CHECK(keeper->kept[at].data != keeper->kept[other].data);
            CHECK_UINT(keeper->kept[at].message, !=, keeper->kept[other].message);
        }
    }
}

static void what_is_kept_outlives_everything(void) {
    for (MINI_EACH_DELIVERY(delivery)) {
        struct mini mini;
        struct keeper keeper = {0};
        char actions[400] = "";
        mini_init_of(&mini, delivery);
        for (size_t at = 0; at < KEPT; at++) {
            snprintf(actions + strlen(actions), sizeof actions - strlen(actions), "%s:%zu;",
                     at % 2 ? "filltext" : "fill", kept_sizes[at]);
        }
        struct recording a = RECORDING_ON(&mini.recorder, "a", keeps, &keeper);
        const taro_socket socket = mini_connect(&mini, &a, SERVER_URL("ws", "/echo?id=kept&act=%s", actions));
        mini_wait(&mini, RECORD_MESSAGE, "a", KEPT);
        EVENTUALLY(record_at(&mini.recorder, record_len(&mini.recorder) - 1)->done);
        for (size_t at = 0; at < KEPT; at++) {
            CHECK_UINT(keeper.kept[at].len, ==, kept_sizes[at]);
            CHECK_UINT(mini_find(&mini, RECORD_MESSAGE, "a", at + 1)->message_kind, ==,
                       at % 2 ? TARO_MESSAGE_TEXT : TARO_MESSAGE_BINARY);
        }
        write_all(&keeper, 1);
        CHECK_STATUS(taro_socket_release(socket), TARO_STATUS_OK);
        mini_wait(&mini, RECORD_RELEASE, "a", 1);
        write_all(&keeper, 2);
        mini_end(&mini);
        write_all(&keeper, 3);
        mini_shutdown();
        write_all(&keeper, 4);
        for (size_t at = 0; at < KEPT; at++) {
            void *data = NULL;
            size_t len = 99;
            CHECK_STATUS(taro_message_retain(keeper.kept[at].message, &data, &len), TARO_STATUS_OK);
            CHECK(data == keeper.kept[at].data && len == keeper.kept[at].len);
            CHECK_STATUS(taro_message_release(keeper.kept[at].message), TARO_STATUS_OK);
            CHECK_STATUS(taro_message_release(keeper.kept[at].message), TARO_STATUS_BAD_HANDLE);
            CHECK_STATUS(taro_message_retain(keeper.kept[at].message, &data, &len), TARO_STATUS_BAD_HANDLE);
        }
    }
}

struct elsewhere {
    struct keeper keeper;
    taro_message message;
};

static void retains(void *context) {
    struct elsewhere *elsewhere = context;
    void *data = NULL;
    size_t len = 99;
    CHECK_STATUS(taro_message_retain(elsewhere->message, &data, &len), TARO_STATUS_OK);
    elsewhere->keeper.kept[0] = (struct kept){elsewhere->message, data, len};
}

static void has_it_retained(struct recording *recording, const struct record *record, const void *event) {
    struct elsewhere *elsewhere = recording->context;
    struct test_thread thread;
    (void)event;
    if (record->kind == RECORD_MESSAGE) {
        elsewhere->message = record->message;
        thread_start(&thread, retains, elsewhere);
        THREAD_JOIN(&thread);
    }
}

static void another_thread_may_keep_it(void) {
    for (MINI_EACH_DELIVERY(delivery)) {
        struct mini mini;
        struct elsewhere elsewhere = {0};
        mini_init_of(&mini, delivery);
        struct recording a = RECORDING_ON(&mini.recorder, "a", has_it_retained, &elsewhere);
        const taro_socket socket = mini_connect(&mini, &a, SERVER_URL("ws", "/echo?act=text:hello"));
        mini_wait(&mini, RECORD_MESSAGE, "a", 1);
        CHECK_STATUS(taro_socket_release(socket), TARO_STATUS_OK);
        mini_wait(&mini, RECORD_RELEASE, "a", 1);
        const struct kept *kept = &elsewhere.keeper.kept[0];
        CHECK_BYTES(kept->data, kept->len, "hello", 5);
        CHECK_STATUS(taro_message_release(kept->message), TARO_STATUS_OK);
        mini_end(&mini);
    }
    mini_shutdown();
}

// Kept and given back at once: it is readable until the callback returns, and no longer there for a retain.
static void gives_back_at_once(struct recording *recording, const struct record *record, const void *event) {
    const taro_message_event *message = event;
    void *data = NULL;
    size_t len = 99;
    (void)recording;
    if (record->kind == RECORD_MESSAGE) {
        CHECK_STATUS(taro_message_release(message->message), TARO_STATUS_BAD_HANDLE);
        CHECK_STATUS(taro_message_retain(message->message, &data, &len), TARO_STATUS_OK);
        CHECK_STATUS(taro_message_release(message->message), TARO_STATUS_OK);
        CHECK_BYTES(message->data, message->data_len, record->data.ptr, record->data.len);
        CHECK_BYTES(data, len, record->data.ptr, record->data.len);
        CHECK_STATUS(taro_message_release(message->message), TARO_STATUS_BAD_HANDLE);
        CHECK_STATUS(taro_message_retain(message->message, &data, &len), TARO_STATUS_BAD_HANDLE);
    }
}

static void an_id_ends_with_its_callback_or_its_release(void) {
    for (MINI_EACH_DELIVERY(delivery)) {
        struct mini mini;
        mini_init_of(&mini, delivery);
        struct recording a = RECORDING(&mini.recorder, "a"),
                         b = RECORDING_ON(&mini.recorder, "b", gives_back_at_once, NULL);
        mini_connect(&mini, &a, SERVER_URL("ws", "/echo?act=text:hello;fill:70000;text:last"));
        mini_connect(&mini, &b, SERVER_URL("ws", "/echo?act=text:hello;fill:0;fill:70000;text:last"));
        mini_wait(&mini, RECORD_MESSAGE, "a", 3);
        mini_wait(&mini, RECORD_MESSAGE, "b", 4);
        // Their callbacks are over: the last one's has begun.
        for (size_t n = 1; n <= 2; n++) {
            void *data = &mini;
            size_t len = 99;
            const taro_message message = mini_find(&mini, RECORD_MESSAGE, "a", n)->message;
            CHECK_STATUS(taro_message_retain(message, &data, &len), TARO_STATUS_BAD_HANDLE);
            CHECK(data == NULL);
            CHECK_UINT(len, ==, 0);
            CHECK_STATUS(taro_message_release(message), TARO_STATUS_BAD_HANDLE);
        }
        for (size_t n = 1; n <= 3; n++) {
            const taro_message message = mini_find(&mini, RECORD_MESSAGE, "b", n)->message;
            CHECK_STATUS(taro_message_release(message), TARO_STATUS_BAD_HANDLE);
        }
        mini_end(&mini);
    }
    CHECK_STATUS(taro_message_release(0), TARO_STATUS_OK);
    mini_shutdown();
}

static const struct test tests[] = {
    TEST("L9", every_size_there_and_back),
    TEST("L9", kind_and_bytes_stay),
    TEST("L5 L9", what_comes_with_the_answer_is_not_lost),
    TEST("L9", a_part_that_comes_with_the_answer_is_not_lost),
    TEST("L9", what_is_kept_outlives_everything),
    TEST("L9", another_thread_may_keep_it),
    TEST("L9", an_id_ends_with_its_callback_or_its_release),
};

TEST_MAIN(tests)
