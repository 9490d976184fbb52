// L7: a paused socket keeps as much as its app's limit, then it stops reading; nothing is lost.
#include "mini.h"
#include "sha256.h"

enum { MESSAGES = 128, MESSAGE_BYTES = 16 * 1024, TOTAL = MESSAGES * MESSAGE_BYTES, DEFAULT_LIMIT = 1024 * 1024 };

// --- a stream of messages, each one another

// Fills with numbers that depend on seed and place (xorshift).
static void fill(unsigned char *bytes, size_t len, uint32_t seed) {
    uint32_t state = seed * 2654435761u + 1;
    for (size_t at = 0; at < len; at++) {
        state ^= state << 13;
        state ^= state >> 17;
        state ^= state << 5;
        bytes[at] = (unsigned char)state;
    }
}

// What has come, as a hash in the order of arrival.
struct stream {
    struct mini mini;
    struct recording recording;
    struct recording beside; // of another socket of the app
    struct monitor monitor;
    struct sha256 hash;
    size_t messages;
    taro_socket socket;
    taro_socket neighbour;
    unsigned turns;
};

static void takes(taro_socket socket, const taro_message_event *event, void *user_data) {
    struct recording *recording = user_data;
    struct stream *stream = recording->context;
    (void)socket;
    CHECK_UINT(event->kind, ==, TARO_MESSAGE_BINARY);
    monitor_lock(&stream->monitor);
    sha256_add(&stream->hash, event->data, event->data_len);
    stream->messages++;
    monitor_changed(&stream->monitor);
    monitor_unlock(&stream->monitor);
}

static size_t taken(struct stream *stream) {
    monitor_lock(&stream->monitor);
    const size_t messages = stream->messages;
    monitor_unlock(&stream->monitor);
    return messages;
}

static void stream_wait(struct stream *stream, size_t messages) {
    if (stream->mini.delivery == TARO_DELIVERY_HOST) {
        HOST_LOOP_UNTIL(stream->mini.app, taken(stream) >= messages);
    } else {
        MONITOR_WAIT_UNTIL(&stream->monitor, stream->messages >= messages);
    }
    CHECK_UINT(taken(stream), ==, messages);
}

// Opens a socket and its neighbour, and pauses the socket.
static void stream_begin(struct stream *stream, const taro_app_options *options, const char *url) {
    memset(stream, 0, sizeof *stream);
    mini_init(&stream->mini, options);
    monitor_init(&stream->monitor);
    sha256_init(&stream->hash);
    stream->recording = RECORDING_ON(&stream->mini.recorder, "stream", NULL, stream);
    stream->beside = RECORDING(&stream->mini.recorder, "beside");
    taro_connect_options connect = record_connect_options(&stream->recording, url);
    connect.app = stream->mini.app;
    connect.message = takes;
    stream->socket = mini_accepted(&connect);
    mini_wait(&stream->mini, RECORD_OPEN, "stream", 1);
    CHECK_STATUS(taro_socket_pause(stream->socket), TARO_STATUS_OK);
    stream->neighbour = mini_open(&stream->mini, &stream->beside, SERVER_URL("ws", "/echo"));
}

static void stream_end(struct stream *stream) {
    mini_end(&stream->mini);
    monitor_destroy(&stream->monitor);
    mini_shutdown();
}

// The I/O thread takes turns with the neighbour: a socket that reads would read, too.
static void give_turns(struct stream *stream) {
    for (unsigned turn = 0; turn < (wait_slow() > 3 ? 8 : 25); turn++) {
        mini_send(stream->neighbour, "turn");
        mini_wait(&stream->mini, RECORD_MESSAGE, "beside", ++stream->turns);
    }
}

// --- the bound

static const struct bound {
    uint64_t limit; // 0: the default
    size_t least;   // payload bytes that are kept; each message costs a little beside its payload
    size_t most;    // one message may pass the limit
} bounds[] = {
    {0, DEFAULT_LIMIT / 2, DEFAULT_LIMIT + MESSAGE_BYTES},
    {100 * 1000, 50 * 1000, 100 * 1000 + MESSAGE_BYTES},
    {1, 1, MESSAGE_BYTES},
};

static void check_bound(struct stream *stream, const struct bound *bound) {
    const taro_socket_counters counters = mini_counters(stream->socket);
    CHECK_UINT(counters.payload_bytes_received, >=, bound->least);
    CHECK_UINT(counters.payload_bytes_received, <=, bound->most);
    // What two reads of up to 256 KiB brought beyond that, and what is not decoded.
    CHECK_UINT(counters.wire_bytes_received, <=, bound->most + 2 * 256 * 1024 + MESSAGE_BYTES);
}

static void fill_and_resume(const struct bound *bound, uint32_t delivery) {
    static unsigned char bytes[MESSAGE_BYTES];
    taro_app_options options = TARO_APP_OPTIONS_INIT;
    struct stream stream;
    char hash[SHA256_TEXT];
    options.delivery = delivery;
    options.pause_limit_bytes = bound->limit;
    stream_begin(&stream, &options, SERVER_URL("ws_small", "/echo?id=full"));
    for (uint32_t message = 0; message < MESSAGES; message++) {
        fill(bytes, sizeof bytes, message);
        CHECK_STATUS(taro_socket_send_binary(stream.socket, bytes, sizeof bytes), TARO_STATUS_OK);
    }
    // The server has it all, and has sent back what went.
    EVENTUALLY(SERVER_NUMBER("bytes full") == TOTAL);
    EVENTUALLY(mini_counters(stream.socket).payload_bytes_received >= bound->least);
    give_turns(&stream);
    check_bound(&stream, bound);
    SERVER_COMMAND("do full ping:step");
    give_turns(&stream);
    check_bound(&stream, bound);
    CHECK_UINT(SERVER_LOG_COUNT("full", "pong "), ==, 0);
    CHECK_UINT(taken(&stream), ==, 0);
    CHECK_UINT(mini_live(&stream.mini), ==, 2);

    CHECK_STATUS(taro_socket_resume(stream.socket), TARO_STATUS_OK);
    stream_wait(&stream, MESSAGES);
    SERVER_WAIT("full", "^pong ");
    sha256_text(&stream.hash, hash);
    CHECK_TEXT_HAS(SERVER_COMMAND("hash full"), hash);
    CHECK_SEQUENCE(&stream.mini.recorder, "stream", "success complete open");
    stream_end(&stream);
    SERVER_COMMAND("forget full");
}

static void it_stops_reading_and_drops_nothing(void) {
    for (size_t at = 0; at < sizeof bounds / sizeof *bounds; at++) {
        for (MINI_EACH_DELIVERY(delivery)) {
            fill_and_resume(&bounds[at], delivery);
        }
    }
}

// Paused and resumed over and over while the stream goes on.
static void pause_and_resume_lose_nothing(void) {
    for (MINI_EACH_DELIVERY(delivery)) {
        static unsigned char bytes[MESSAGE_BYTES];
        taro_app_options options = TARO_APP_OPTIONS_INIT;
        struct stream stream;
        char hash[SHA256_TEXT];
        options.delivery = delivery;
        options.pause_limit_bytes = options.queue_limit_bytes = 2 * MESSAGE_BYTES;
        stream_begin(&stream, &options, SERVER_URL("ws", "/echo?id=often"));
        for (uint32_t message = 0; message < MESSAGES; message++) {
            fill(bytes, sizeof bytes, message);
            CHECK_STATUS(taro_socket_send_binary(stream.socket, bytes, 1 + message * 31), TARO_STATUS_OK);
            if (message % 5 == 0) {
                CHECK_STATUS(taro_socket_resume(stream.socket), TARO_STATUS_OK);
            } else if (message % 5 == 3) {
                CHECK_STATUS(taro_socket_pause(stream.socket), TARO_STATUS_OK);
            }
            if (delivery == TARO_DELIVERY_HOST && message % 7 == 0) {
                CHECK_STATUS(taro_app_dispatch(stream.mini.app, 3, NULL), TARO_STATUS_OK);
            }
        }
        CHECK_STATUS(taro_socket_resume(stream.socket), TARO_STATUS_OK);
        stream_wait(&stream, MESSAGES);
        sha256_text(&stream.hash, hash);
        CHECK_TEXT_HAS(SERVER_COMMAND("hash often"), hash);
        stream_end(&stream);
        SERVER_COMMAND("forget often");
    }
}

// The limit is a high-water mark: what is larger than all of it comes whole.
static void one_message_may_pass_the_limit(void) {
    for (MINI_EACH_DELIVERY(delivery)) {
        taro_app_options options = TARO_APP_OPTIONS_INIT;
        struct stream stream;
        options.delivery = delivery;
        options.pause_limit_bytes = 1000;
        stream_begin(&stream, &options, SERVER_URL("ws", "/sink?id=large"));
        SERVER_COMMAND("do large fill:300000;fill:300000");
        EVENTUALLY(mini_counters(stream.socket).messages_received == 1);
        give_turns(&stream);
        CHECK_UINT(mini_counters(stream.socket).messages_received, ==, 1);
        CHECK_STATUS(taro_socket_resume(stream.socket), TARO_STATUS_OK);
        stream_wait(&stream, 2);
        CHECK_UINT(mini_counters(stream.socket).payload_bytes_received, ==, 600000);
        stream_end(&stream);
        SERVER_COMMAND("forget large");
    }
}

// --- the end of a socket that has stopped reading

// From an accepted close on it reads again, and drops: the peer's answer stands behind all that.
static void close_reads_on(void) {
    for (MINI_EACH_DELIVERY(delivery)) {
        taro_app_options options = TARO_APP_OPTIONS_INIT;
        struct stream stream;
        options.delivery = delivery;
        options.pause_limit_bytes = 1000;
        stream_begin(&stream, &options, SERVER_URL("ws", "/sink?id=closed"));
        SERVER_COMMAND("do closed burst:100:100000");
        EVENTUALLY(mini_counters(stream.socket).messages_received >= 1);
        give_turns(&stream);
        CHECK_UINT(mini_counters(stream.socket).messages_received, ==, 1);
        mini_close(stream.socket);
        SERVER_WAIT("closed", "^close 1000");
        SERVER_WAIT("closed", "^end");
        CHECK_STATUS(taro_socket_resume(stream.socket), TARO_STATUS_OK);
        const struct record *close = mini_wait(&stream.mini, RECORD_CLOSE, "stream", 1);
        CHECK_UINT(close->close_code, ==, 1000);
        CHECK_UINT(close->was_clean, ==, 1);
        CHECK_UINT(taken(&stream), ==, 0);
        stream_end(&stream);
        SERVER_COMMAND("forget closed");
    }
}

// The peer's close frame stands behind what has not been read: it is found after the resume, and all before it.
static void the_peers_close_waits_behind_the_rest(void) {
    for (MINI_EACH_DELIVERY(delivery)) {
        taro_app_options options = TARO_APP_OPTIONS_INIT;
        struct stream stream;
        options.delivery = delivery;
        options.pause_limit_bytes = 1000;
        stream_begin(&stream, &options, SERVER_URL("ws", "/sink?id=behind"));
        SERVER_COMMAND("do behind burst:20:100000;close:3003:over");
        EVENTUALLY(mini_counters(stream.socket).messages_received >= 1);
        give_turns(&stream);
        CHECK_UINT(mini_live(&stream.mini), ==, 2);
        CHECK_STATUS(taro_socket_resume(stream.socket), TARO_STATUS_OK);
        CHECK_UINT(mini_wait(&stream.mini, RECORD_CLOSE, "stream", 1)->close_code, ==, 3003);
        CHECK_UINT(taken(&stream), ==, 20);
        stream_end(&stream);
        SERVER_COMMAND("forget behind");
    }
}

static const struct test tests[] = {
    TEST("L7 L9", it_stops_reading_and_drops_nothing),
    TEST("L7 L9", pause_and_resume_lose_nothing),
    TEST("L7", one_message_may_pass_the_limit),
    TEST("L7 L20", close_reads_on),
    TEST("L7", the_peers_close_waits_behind_the_rest),
};

TEST_MAIN(tests)
