// L18: sending through permessage-deflate keeps what sending promises: large messages are compressed little by little,
// behind the call, and nobody notices. How that ends: deflate_close.c.
#include "deflate.h"
#include "sha256.h"

// --- order

static unsigned char *letters(size_t len, uint32_t seed) {
    (void)seed;
    return deflate_letters(len);
}

// Small and large ones, by turns; those from 128 bytes on go compressed.
static const struct part {
    size_t len;
    uint32_t kind;
    unsigned char *(*make)(size_t len, uint32_t seed);
} parts[] = {
    {10, TARO_MESSAGE_TEXT, deflate_prose},       {200, TARO_MESSAGE_BINARY, deflate_noise},
    {MIB + 5, TARO_MESSAGE_TEXT, deflate_prose},  {3, TARO_MESSAGE_BINARY, deflate_noise},
    {127, TARO_MESSAGE_TEXT, letters},            {128, TARO_MESSAGE_TEXT, letters},
    {20000, TARO_MESSAGE_BINARY, deflate_noise},  {0, TARO_MESSAGE_TEXT, letters},
    {300000, TARO_MESSAGE_BINARY, deflate_noise}, {16384, TARO_MESSAGE_BINARY, letters},
    {16385, TARO_MESSAGE_TEXT, letters},          {5, TARO_MESSAGE_TEXT, letters},
    {MIB, TARO_MESSAGE_TEXT, letters},            {32768, TARO_MESSAGE_BINARY, deflate_noise},
    {129, TARO_MESSAGE_BINARY, deflate_noise},
};
enum { PARTS = sizeof parts / sizeof *parts };

struct sender {
    struct mini mini;
    struct recording a;
    struct recording sent;
    int is_inside;
    size_t sum;
    struct sha256 hash;
};

// Sends them all; the memory goes at once.
static void send_parts(struct sender *sender, taro_socket socket) {
    for (uint32_t at = 0; at < PARTS; at++) {
        unsigned char *data = parts[at].make(parts[at].len, at);
        const taro_send_options options = record_send_options(&sender->sent, parts[at].kind, data, parts[at].len);
        sha256_add(&sender->hash, data, parts[at].len);
        sender->sum += parts[at].len;
        CHECK_STATUS(taro_socket_send(socket, &options), TARO_STATUS_OK);
        memset(data, 0xdd, parts[at].len);
        free(data);
        if (sender->is_inside) {
            // On the I/O thread nothing can leave it meanwhile.
            CHECK_UINT(mini_buffered(socket), ==, sender->sum);
        } else {
            CHECK_UINT(mini_buffered(socket), <=, sender->sum);
        }
    }
}

static void sends_in_open(struct recording *recording, const struct record *record, const void *event) {
    struct sender *sender = recording->context;
    (void)event;
    if (record->kind == RECORD_OPEN && sender->is_inside) {
        send_parts(sender, record->socket);
    }
}

static void check_sent(struct sender *sender, taro_socket socket, const char *id) {
    struct mini *mini = &sender->mini;
    char hex[SHA256_TEXT];
    size_t packed = 0, n = 0;
    SERVER_WAIT_N(id, PARTS, "^(text|binary) ");
    sha256_text(&sender->hash, hex);
    CHECK_INT(SERVER_NUMBER("bytes %s", id), ==, sender->sum);
    CHECK_TEXT(SERVER_COMMAND("hash %s", id) + strlen("ok "), hex);
    for (const char *line = SERVER_LOG(id); (line = strchr(line, '\n')) != NULL;) {
        const int is_text = strncmp(++line, "text ", 5) == 0;
        if (is_text || strncmp(line, "binary ", 7) == 0) {
            CHECK_INT(is_text, ==, parts[n].kind == TARO_MESSAGE_TEXT);
            CHECK_UINT(strtoul(strchr(line, ' '), NULL, 10), ==, parts[n].len);
            packed += parts[n++].len >= THRESHOLD;
        }
    }
    CHECK_UINT(n, ==, PARTS);
    CHECK_UINT(SERVER_LOG_COUNT(id, "rsv=4"), ==, packed);
    CHECK_UINT(SERVER_LOG_COUNT(id, "fin=1 rsv=0 opcode=1") + SERVER_LOG_COUNT(id, "fin=1 rsv=0 opcode=2"), ==,
               PARTS - packed);
    CHECK_UINT(SERVER_LOG_COUNT(id, "violation"), ==, 0);
    RECORD_WAIT(&mini->recorder, RECORD_RELEASE, "sent", PARTS);
    CHECK_UINT(record_count(&mini->recorder, RECORD_SUCCESS, "sent"), ==, PARTS);
    CHECK_UINT(mini_buffered(socket), ==, 0);
    CHECK_UINT(mini_counters(socket).messages_sent, ==, PARTS);
    CHECK_UINT(mini_counters(socket).payload_bytes_sent, ==, sender->sum);
}

static void order_is_kept_around_large_messages(void) {
    static const char *const listeners[] = {"ws", "wss"};
    for (size_t listener = 0; listener < 2; listener++) {
        for (int is_inside = 0; is_inside <= 1; is_inside++) {
            struct sender sender = {.is_inside = is_inside};
            mini_row(is_inside ? "inside open" : "on the host's thread");
            deflate_init(&sender.mini, NULL);
            sha256_init(&sender.hash);
            sender.a = RECORDING_ON(&sender.mini.recorder, "a", sends_in_open, &sender);
            sender.sent = RECORDING(&sender.mini.recorder, "sent");
            const taro_socket socket =
                deflate_open(&sender.mini, &sender.a, SERVER_URL(listeners[listener], "/sink?id=order&" AGREED));
            if (!is_inside) {
                send_parts(&sender, socket);
            }
            check_sent(&sender, socket, "order");
            mini_end(&sender.mini);
            SERVER_COMMAND("forget order");
        }
    }
    mini_row(NULL);
    mini_shutdown();
}

enum { SENDERS = 3, EACH = 40, LARGE = 20000 };

struct thread {
    struct test_thread thread;
    taro_socket socket;
    char name;
};

// Every third one is large, every other one too small to be compressed.
static void sends_each(void *context) {
    const struct thread *thread = context;
    char *text = (char *)deflate_letters(LARGE);
    for (int n = 0; n < EACH; n++) {
        const int len = snprintf(text, LARGE, "%c %03d.", thread->name, n);
        text[len] = 'z';
        CHECK_STATUS(taro_socket_send_text(thread->socket, text, n % 3 ? (size_t)len : LARGE), TARO_STATUS_OK);
    }
    free(text);
}

static void each_thread_keeps_its_order(void) {
    struct mini mini;
    struct thread threads[SENDERS];
    mini_init(&mini, NULL);
    struct recording a = RECORDING(&mini.recorder, "a");
    const taro_socket socket = deflate_open(&mini, &a, SERVER_URL("ws", "/sink?id=threads&" AGREED));
    for (int at = 0; at < SENDERS; at++) {
        threads[at] = (struct thread){.socket = socket, .name = (char)('a' + at)};
        thread_start(&threads[at].thread, sends_each, &threads[at]);
    }
    for (int at = 0; at < SENDERS; at++) {
        THREAD_JOIN(&threads[at].thread);
    }
    SERVER_WAIT_N("threads", SENDERS * EACH, "^text ");
    const char *log = SERVER_LOG("threads");
    for (int at = 0; at < SENDERS; at++) {
        const char *line = log;
        for (int n = 0; n < EACH; n++) {
            char text[40];
            snprintf(text, sizeof text, "\ntext %d %c %03d.", n % 3 ? 6 : LARGE, threads[at].name, n);
            line = strstr(line, text);
            CHECK(line != NULL);
        }
    }
    CHECK_UINT(SERVER_LOG_COUNT("threads", "violation"), ==, 0);
    mini_end(&mini);
    mini_shutdown();
}

// --- a peer that does not read

// The host has been told all that was posted until now: a message of the server's comes behind it.
static void in_turn(struct mini *mini, const char *id, size_t n) {
    SERVER_COMMAND("do %s text:turn", id);
    mini_wait(mini, RECORD_MESSAGE, "a", n);
}

static void success_means_handed_to_the_system(void) {
    enum { SIZE = 4 * MIB };
    unsigned char *noise = deflate_noise(SIZE, 1);
    struct mini mini;
    mini_init(&mini, NULL);
    struct recording a = RECORDING(&mini.recorder, "a"), large = RECORDING(&mini.recorder, "large"),
                     last = RECORDING(&mini.recorder, "last");
    const taro_socket socket = deflate_open(&mini, &a, SERVER_URL("ws_small", "/deaf?id=handed&" AGREED));
    const taro_send_options options = record_send_options(&large, TARO_MESSAGE_BINARY, noise, SIZE);
    CHECK_STATUS(taro_socket_send(socket, &options), TARO_STATUS_OK);
    CHECK_STATUS(talk_send(socket, &last, "last"), TARO_STATUS_OK);
    in_turn(&mini, "handed", 1);
    // The system has some of it, which does not count before it has it all.
    EVENTUALLY(mini_counters(socket).wire_bytes_sent > 0);
    CHECK_UINT(mini_buffered(socket), ==, SIZE + 4);
    CHECK_SEQUENCE(&mini.recorder, "large", "");
    CHECK_SEQUENCE(&mini.recorder, "last", "");
    CHECK_UINT(mini_counters(socket).messages_sent, ==, 0);
    CHECK_UINT(mini_counters(socket).payload_bytes_sent, ==, 0);
    SERVER_COMMAND("do handed read");
    talk_check_succeeded(&mini, "large", socket, "sendSocketMessage:ok");
    talk_check_succeeded(&mini, "last", socket, "sendSocketMessage:ok");
    CHECK_BEFORE(&mini.recorder, RECORD_RELEASE, "large", RECORD_SUCCESS, "last");
    CHECK_UINT(mini_buffered(socket), ==, 0);
    SERVER_WAIT("handed", "^text 4 last$");
    CHECK_INT(SERVER_NUMBER("bytes handed"), ==, SIZE + 4);
    CHECK_UINT(SERVER_LOG_COUNT("handed", "violation"), ==, 0);
    mini_end(&mini);
    mini_shutdown();
    free(noise);
}

// --- the limit; inside a callback on the I/O thread nothing can leave the buffer, so each step is exact

enum { LIMIT = 100000 };

static const unsigned char zeros[LIMIT + 1];

static taro_status send_zeros(taro_socket socket, size_t len) { return taro_socket_send_binary(socket, zeros, len); }

static void fills(struct recording *recording, const struct record *record, const void *event) {
    const taro_socket socket = record->socket;
    (void)recording, (void)event;
    if (record->kind != RECORD_OPEN) {
        return;
    }
    // It is the payload that counts, not what becomes of it, whether it waits to be compressed or is already.
    CHECK_STATUS(send_zeros(socket, 10000), TARO_STATUS_OK);
    CHECK_UINT(mini_buffered(socket), ==, 10000);
    CHECK_STATUS(send_zeros(socket, 50000), TARO_STATUS_OK);
    CHECK_UINT(mini_buffered(socket), ==, 60000);
    CHECK_STATUS(send_zeros(socket, 30000), TARO_STATUS_OK);
    CHECK_STATUS(send_zeros(socket, 9999), TARO_STATUS_OK);
    CHECK_UINT(mini_buffered(socket), ==, 99999);
    // One byte is free: one message may pass the mark.
    CHECK_STATUS(send_zeros(socket, LIMIT), TARO_STATUS_OK);
    CHECK_UINT(mini_buffered(socket), ==, 199999);
    CHECK_STATUS(send_zeros(socket, 1), TARO_STATUS_FULL);
    CHECK_STATUS(send_zeros(socket, 50000), TARO_STATUS_FULL);
    CHECK_STATUS(taro_socket_ping(socket, NULL, 0), TARO_STATUS_FULL);
    CHECK_STATUS(send_zeros(socket, LIMIT + 1), TARO_STATUS_MESSAGE_TOO_BIG);
    CHECK_UINT(mini_buffered(socket), ==, 199999);
}

static void one_message_may_pass_the_mark(void) {
    struct mini mini;
    taro_app_options options = TARO_APP_OPTIONS_INIT;
    options.send_limit_bytes = LIMIT;
    mini_init(&mini, &options);
    struct recording a = RECORDING_ON(&mini.recorder, "a", fills, NULL);
    const taro_socket socket = deflate_connect(&mini, &a, SERVER_URL("ws", "/sink?id=mark&" AGREED));
    CHECK_UINT(mini_wait(&mini, RECORD_DRAIN, "a", 1)->buffered_amount_bytes, <=, LIMIT / 2);
    CHECK_STATUS(send_zeros(socket, LIMIT), TARO_STATUS_OK);
    SERVER_WAIT_N("mark", 6, "^binary ");
    CHECK_INT(SERVER_NUMBER("bytes mark"), ==, 199999 + LIMIT);
    in_turn(&mini, "mark", 1);
    CHECK_SEQUENCE(&mini.recorder, "a", "success complete open drain message");
    CHECK_UINT(mini_counters(socket).messages_sent, ==, 6);
    CHECK_UINT(mini_buffered(socket), ==, 0);
    mini_end(&mini);
    mini_shutdown();
}

// A peer that reads nothing: it fills up, and nothing of what was refused ever goes.
static void drain_comes_when_half_is_free(void) {
    enum { CHUNK = 60000, SMALL_LIMIT = 4 * MIB };
    struct mini mini;
    size_t accepted = 0;
    unsigned char *noise = deflate_noise(CHUNK, 1);
    taro_app_options options = TARO_APP_OPTIONS_INIT;
    options.send_limit_bytes = SMALL_LIMIT;
    mini_init(&mini, &options);
    struct recording a = RECORDING(&mini.recorder, "a");
    // Without takeover, or the second one would shrink to nothing.
    const taro_socket socket =
        deflate_open(&mini, &a, SERVER_URL("ws_small", "/deaf?id=flood&" AGREED ";client_no_context_takeover"));
    // Until the system takes nothing more, three turns long.
    uint64_t wire = 0;
    for (size_t turns = 1, still = 0; still < 3; turns++) {
        taro_status status = TARO_STATUS_OK;
        for (; (status = taro_socket_send_binary(socket, noise, CHUNK)) == TARO_STATUS_OK; accepted++) {
        }
        CHECK_STATUS(status, TARO_STATUS_FULL);
        in_turn(&mini, "flood", turns);
        still = mini_counters(socket).wire_bytes_sent == wire ? still + 1 : 0;
        wire = mini_counters(socket).wire_bytes_sent;
        CHECK_UINT(turns, <, 1000);
    }
    const size_t drains = record_count(&mini.recorder, RECORD_DRAIN, "a");
    const taro_socket_counters counters = mini_counters(socket);
    CHECK_UINT(mini_buffered(socket), >=, SMALL_LIMIT);
    CHECK_UINT(mini_buffered(socket), <, SMALL_LIMIT + CHUNK);
    CHECK_UINT(mini_buffered(socket) + counters.payload_bytes_sent, ==, accepted * CHUNK);
    CHECK_UINT(mini_buffered(socket) % CHUNK, ==, 0);
    SERVER_COMMAND("do flood read");
    CHECK_UINT(mini_wait(&mini, RECORD_DRAIN, "a", drains + 1)->buffered_amount_bytes, <=, SMALL_LIMIT / 2);
    CHECK_STATUS(taro_socket_send_text(socket, "the last one", 12), TARO_STATUS_OK);
    SERVER_WAIT("flood", "^text 12 the last one$");
    EVENTUALLY(mini_buffered(socket) == 0);
    CHECK_UINT(SERVER_LOG_COUNT("flood", "binary 60000 "), ==, accepted);
    CHECK_UINT(SERVER_LOG_COUNT("flood", "violation"), ==, 0);
    CHECK_UINT(mini_counters(socket).payload_bytes_sent, ==, accepted * CHUNK + 12);
    CHECK_UINT(record_count(&mini.recorder, RECORD_DRAIN, "a"), ==, drains + 1);
    mini_end(&mini);
    mini_shutdown();
    free(noise);
}

static const struct test tests[] = {
    TEST("L18 L28", order_is_kept_around_large_messages),
    TEST("L18", each_thread_keeps_its_order),
    TEST("L18", success_means_handed_to_the_system),
    TEST("L18", one_message_may_pass_the_mark),
    TEST("L18", drain_comes_when_half_is_free),
};

TEST_MAIN(tests)
