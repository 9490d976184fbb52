// L18, L28: messages on their way to the peer: their frames, their order, their memory.
#include "sha256.h"
#include "talk.h"

// --- frames

// The number behind `name` in a line, as text.
static const char *field(const char *line, const char *name) {
    const char *at = strstr(line, name);
    CHECK(at != NULL);
    return at + strlen(name);
}

static int compare_keys(const void *a, const void *b) { return memcmp(a, b, 8); }

static void frames_are_masked_with_keys_that_differ(void) {
    enum { FRAMES = 400 };
    struct mini mini;
    char keys[FRAMES][8];
    size_t count = 0, differ = 1;
    mini_init(&mini, NULL);
    struct recording a = RECORDING(&mini.recorder, "a");
    const taro_socket socket = mini_open(&mini, &a, SERVER_URL("ws", "/sink?id=keys"));
    for (size_t n = 0; n < FRAMES; n++) {
        mini_send(socket, "the same each time");
    }
    SERVER_WAIT_N("keys", FRAMES, "^text 18 the same each time$");
    for (const char *line = strstr(SERVER_LOG("keys"), "frame "); line; line = strstr(line + 1, "\nframe ")) {
        const char *key = field(line, "key=");
        CHECK(count < FRAMES);
        CHECK_INT(field(line, "mask=")[0], ==, '1');
        CHECK_INT(field(line, "fin=")[0], ==, '1');
        CHECK_INT(field(line, "rsv=")[0], ==, '0');
        CHECK(memcmp(key, "00000000", 8) != 0);
        memcpy(keys[count++], key, 8);
    }
    CHECK_UINT(count, ==, FRAMES);
    CHECK_UINT(SERVER_LOG_COUNT("keys", "violation"), ==, 0);
    qsort(keys, FRAMES, sizeof *keys, compare_keys);
    for (size_t n = 1; n < FRAMES; n++) {
        differ += memcmp(keys[n - 1], keys[n], 8) != 0;
    }
    // By chance two of them are the same once in fifty thousand runs, and four never.
    CHECK_UINT(differ, >=, FRAMES - 2);
    mini_end(&mini);
    mini_shutdown();
}

// --- order

static uint32_t random_state;

static uint32_t random_below(uint32_t end) {
    random_state ^= random_state << 13;
    random_state ^= random_state >> 17;
    random_state ^= random_state << 5;
    return random_state % end;
}

// Mostly small, of each form of length, some larger than a socket's buffers.
static size_t some_size(void) {
    switch (random_below(16)) {
    case 0:
        return 0;
    case 1:
        return 120 + random_below(12);
    case 2:
        return random_below(20000);
    case 3:
        return random_below(40) == 0 ? 65530 + random_below(300000) : 3;
    default:
        return random_below(200);
    }
}

// One thread, both ways of sending, and a peer that reads late and little by little.
static void order_is_kept_for_a_slow_reader(void) {
    enum { MOST = 3000 };
    static size_t sizes[MOST];
    const size_t messages = wait_slow() > 1 ? MOST / 5 : MOST;
    struct mini mini;
    struct sha256 hash;
    char hex[SHA256_TEXT];
    size_t n = 0, sum = 0;
    unsigned char *data = talk_bytes(400000 + MOST);
    random_state = 4711;
    sha256_init(&hash);
    mini_init(&mini, NULL);
    struct recording a = RECORDING(&mini.recorder, "a"), sent = RECORDING(&mini.recorder, "sent");
    const taro_socket socket = mini_open(&mini, &a, SERVER_URL("ws_small", "/deaf?id=slow"));
    for (; n < messages; n++) {
        const size_t size = sizes[n] = some_size();
        const unsigned char *from = data + n;
        if (n % 3 == 0) {
            const taro_send_options options = record_send_options(&sent, TARO_MESSAGE_BINARY, from, size);
            CHECK_STATUS(taro_socket_send(socket, &options), TARO_STATUS_OK);
        } else {
            CHECK_STATUS(taro_socket_send_binary(socket, from, size), TARO_STATUS_OK);
        }
        sha256_add(&hash, from, size);
        sum += size;
        if (n == messages / 2) {
            SERVER_COMMAND("do slow read");
        }
    }
    RECORD_WAIT(&mini.recorder, RECORD_RELEASE, "sent", messages / 3);
    CHECK_UINT(record_count(&mini.recorder, RECORD_SUCCESS, "sent"), ==, messages / 3);
    SERVER_WAIT_N("slow", (unsigned)messages, "^binary ");
    sha256_text(&hash, hex);
    CHECK_INT(SERVER_NUMBER("bytes slow"), ==, sum);
    CHECK_TEXT(SERVER_COMMAND("hash slow") + strlen("ok "), hex);
    n = 0;
    for (const char *line = SERVER_LOG("slow"); (line = strstr(line, "\nbinary ")); line++) {
        CHECK(n < messages);
        CHECK_UINT(strtoul(line + strlen("\nbinary "), NULL, 10), ==, sizes[n++]);
    }
    CHECK_UINT(n, ==, messages);
    CHECK_UINT(mini_counters(socket).messages_sent, ==, messages);
    CHECK_UINT(mini_counters(socket).payload_bytes_sent, ==, sum);
    CHECK_UINT(mini_buffered(socket), ==, 0);
    mini_end(&mini);
    mini_shutdown();
    free(data);
}

enum { SENDERS = 3, EACH = 300 };

struct sender {
    struct test_thread thread;
    taro_socket socket;
    char name;
};

static void sends_each(void *context) {
    const struct sender *sender = context;
    for (int n = 0; n < EACH; n++) {
        char text[24];
        snprintf(text, sizeof text, "%c %03d", sender->name, n);
        mini_send(sender->socket, text);
    }
}

static void each_thread_keeps_its_order(void) {
    struct mini mini;
    struct sender senders[SENDERS];
    mini_init(&mini, NULL);
    struct recording a = RECORDING(&mini.recorder, "a");
    const taro_socket socket = mini_open(&mini, &a, SERVER_URL("ws", "/sink?id=threads"));
    for (int at = 0; at < SENDERS; at++) {
        senders[at] = (struct sender){.socket = socket, .name = (char)('a' + at)};
        thread_start(&senders[at].thread, sends_each, &senders[at]);
    }
    for (int at = 0; at < SENDERS; at++) {
        THREAD_JOIN(&senders[at].thread);
    }
    SERVER_WAIT_N("threads", SENDERS * EACH, "^text ");
    const char *log = SERVER_LOG("threads");
    for (int at = 0; at < SENDERS; at++) {
        const char *line = log;
        for (int n = 0; n < EACH; n++) {
            char text[24];
            snprintf(text, sizeof text, "\ntext 5 %c %03d", senders[at].name, n);
            line = strstr(line, text);
            CHECK(line != NULL);
        }
    }
    CHECK_UINT(SERVER_LOG_COUNT("threads", "violation"), ==, 0);
    mini_end(&mini);
    mini_shutdown();
}

// --- what the call was lent

enum { LENT_SIZE = 300000, LENT = 20 };

// Sends more than the system takes, so that some of it waits in the library. `lends`: it may keep the memory no
// longer than each call; else until the peer has read.
static void send_lent(struct mini *mini, struct recording *sent, taro_socket socket, int lends) {
    unsigned char *kept[LENT];
    for (int n = 0; n < LENT; n++) {
        const uint32_t kind = n % 2 ? TARO_MESSAGE_TEXT : TARO_MESSAGE_BINARY;
        unsigned char *data = kept[n] = n % 2 ? talk_text(LENT_SIZE) : talk_bytes(LENT_SIZE);
        data[9] = (unsigned char)('a' + n); // where a text has a letter
        taro_send_options *options = malloc(sizeof *options);
        CHECK(options != NULL);
        if (n % 4 < 2) {
            CHECK_STATUS(talk_send_quietly(socket, kind, data, LENT_SIZE), TARO_STATUS_OK);
        } else {
            *options = record_send_options(sent, kind, data, LENT_SIZE);
            CHECK_STATUS(taro_socket_send(socket, options), TARO_STATUS_OK);
        }
        if (lends) {
            memset(options, 0xdd, sizeof *options);
            memset(data, 0xdd, LENT_SIZE);
            free(data);
        }
        free(options);
    }
    CHECK_UINT(mini_buffered(socket), >, 0);
    SERVER_COMMAND("do lent%d read", lends);
    SERVER_WAIT_N(lends ? "lent1" : "lent0", LENT, "^(text|binary) ");
    mini_wait(mini, RECORD_RELEASE, sent->label, LENT / 2);
    for (int n = 0; n < LENT && !lends; n++) {
        free(kept[n]);
    }
}

static void the_memory_of_a_message_may_go_at_once(void) {
    for (int lends = 0; lends <= 1; lends++) {
        struct mini mini;
        mini_init(&mini, NULL);
        struct recording a = RECORDING(&mini.recorder, "a"), sent = RECORDING(&mini.recorder, "sent");
        const taro_socket socket = mini_open(&mini, &a, SERVER_URL("ws_small", "/deaf?id=lent%d", lends));
        send_lent(&mini, &sent, socket, lends);
        mini_end(&mini);
    }
    CHECK_INT(SERVER_NUMBER("bytes lent1"), ==, LENT * LENT_SIZE);
    CHECK_TEXT(SERVER_COMMAND("hash lent1"), SERVER_COMMAND("hash lent0"));
    CHECK_UINT(SERVER_LOG_COUNT("lent1", "violation"), ==, 0);
    mini_shutdown();
}

static const struct test tests[] = {
    TEST("L18", frames_are_masked_with_keys_that_differ),
    TEST("L18", order_is_kept_for_a_slow_reader),
    TEST("L18", each_thread_keeps_its_order),
    TEST("L18 L28", the_memory_of_a_message_may_go_at_once),
};

TEST_MAIN(tests)
