// L8, L9, L23, L26, L30: what was used is given back, whatever it was used for, and a claim of a peer takes no memory.
// label: stress
#include <stdlib.h>

#include "mini.h"
#include "process.h"

// --- one connection from its beginning to its end, without the kit's recorder, which has memory of its own

struct life {
    const char *url;
    taro_app app;
    uint32_t delivery;
    int keeps; // every message is retained, and released at the next one
    int ends;  // whether its peer ends it, or the host
    taro_message kept;
    struct latch opened, messages, ended, released;
};

static void on_open(taro_socket socket, const taro_open_event *event, void *user_data) {
    (void)socket, (void)event;
    latch_hit(&((struct life *)user_data)->opened);
}

static void on_message(taro_socket socket, const taro_message_event *event, void *user_data) {
    struct life *life = user_data;
    void *data;
    size_t len;
    (void)socket;
    if (life->keeps) {
        CHECK_STATUS(taro_message_release(life->kept), TARO_STATUS_OK);
        CHECK_STATUS(taro_message_retain(event->message, &data, &len), TARO_STATUS_OK);
        life->kept = event->message;
    }
    latch_hit(&life->messages);
}

static void on_error(taro_socket socket, const taro_result *event, void *user_data) {
    (void)socket, (void)event;
    latch_hit(&((struct life *)user_data)->ended);
}

static void on_close(taro_socket socket, const taro_close_event *event, void *user_data) {
    (void)socket, (void)event;
    latch_hit(&((struct life *)user_data)->ended);
}

static void on_release(void *user_data) { latch_hit(&((struct life *)user_data)->released); }

static void life_init(struct life *life, const char *url, uint32_t delivery) {
    memset(life, 0, sizeof *life);
    life->url = url;
    life->delivery = delivery;
    latch_init(&life->opened);
    latch_init(&life->messages);
    latch_init(&life->ended);
    latch_init(&life->released);
}

static void life_end(struct life *life) {
    CHECK_STATUS(taro_message_release(life->kept), TARO_STATUS_OK);
    latch_destroy(&life->opened);
    latch_destroy(&life->messages);
    latch_destroy(&life->ended);
    latch_destroy(&life->released);
}

static void life_wait(struct life *life, struct latch *latch, unsigned long n) {
    if (life->delivery == TARO_DELIVERY_HOST) {
        HOST_LOOP_UNTIL(life->app, latch_count(latch) >= n);
    } else {
        LATCH_WAIT(latch, n);
    }
}

static taro_socket life_connect(struct life *life) {
    taro_connect_options options = TARO_CONNECT_OPTIONS_INIT;
    options.app = life->app;
    options.url = mini_str(life->url);
    options.open = on_open;
    options.message = on_message;
    options.error = on_error;
    options.close = on_close;
    options.user_data = life;
    options.release = on_release;
    return mini_accepted(&options);
}

static void life_make_app(struct life *life, uint64_t message_limit) {
    taro_app_options options = TARO_APP_OPTIONS_INIT;
    options.delivery = life->delivery;
    options.ca_file = mini_str(server_ca_file());
    options.message_limit_bytes = message_limit;
    options.max_sockets = 65535;
    CHECK_STATUS(taro_app_create(&options, &life->app), TARO_STATUS_OK);
}

// --- the measure

static size_t many(size_t plainly) { return wait_slow() > 1 ? plainly / 10 : plainly; }

enum { WINDOWS = 8, SLACK = 16 };

// Runs it in windows of so many times, until one window leaves the heap as it found it, but for SLACK bytes for each of
// the `things` that a run is made of. What leaks grows in every window; what is kept for the next time, in the first
// ones only. Where the heap cannot be measured there is a checker of leaks. Descriptors are counted everywhere.
static void stays_flat(void (*run)(void *context), void *context, size_t times, size_t things) {
    const long long slack = SLACK * (long long)(times * things);
    long long growth = slack + 1;
    for (size_t at = 0; at < 10; at++) {
        run(context);
    }
    EVENTUALLY(process_threads("taro-work") <= 0);
    const long descriptors = process_descriptors();
    for (int window = 0; window < WINDOWS && growth > slack; window++) {
        const long long heap = process_heap_bytes();
        for (size_t at = 0; at < many(times); at++) {
            run(context);
        }
        EVENTUALLY(process_descriptors() <= descriptors);
        growth = process_heap_bytes() - heap;
    }
    CHECK_INT(growth, <=, slack);
}

// --- sockets and apps that come and go

static void one_life(void *context) {
    struct life *life = context;
    const unsigned long opened = latch_count(&life->opened), messages = latch_count(&life->messages),
                        ended = latch_count(&life->ended), released = latch_count(&life->released);
    const taro_socket socket = life_connect(life);
    if (!life->ends) {
        life_wait(life, &life->opened, opened + 1);
        mini_send(socket, "hello");
        life_wait(life, &life->messages, messages + 1);
        mini_close(socket);
    }
    life_wait(life, &life->ended, ended + 1);
    life_wait(life, &life->released, released + 1);
    CHECK_STATUS(taro_socket_release(socket), TARO_STATUS_OK);
}

static const struct row {
    const char *listener;
    const char *path;
    int ends;
    uint32_t delivery;
} rows[] = {
    {"ws", "/echo", 0, TARO_DELIVERY_DIRECT},
    {"wss", "/echo", 0, TARO_DELIVERY_HOST},
    {"ws", "/echo?act=text:hi;close:1000:bye", 1, TARO_DELIVERY_HOST},
    {"refuse", "/", 1, TARO_DELIVERY_DIRECT},
    {"ws", "/echo?status=403", 1, TARO_DELIVERY_DIRECT},
    {"wss_expired", "/echo", 1, TARO_DELIVERY_DIRECT},
    {"drop", "/", 1, TARO_DELIVERY_HOST},
};

static void sockets(void) {
    for (size_t at = 0; at < sizeof rows / sizeof *rows; at++) {
        struct life life;
        mini_row(rows[at].path);
        life_init(&life, SERVER_URL(rows[at].listener, "%s", rows[at].path), rows[at].delivery);
        life.ends = rows[at].ends;
        life_make_app(&life, 0);
        stays_flat(one_life, &life, 100, 1);
        CHECK_STATUS(taro_app_release(life.app), TARO_STATUS_OK);
        life_end(&life);
        mini_row(NULL);
    }
    mini_shutdown();
}

static void one_app(void *context) {
    struct life *life = context;
    life_make_app(life, 0);
    one_life(life);
    life_connect(life);
    CHECK_STATUS(taro_app_release(life->app), TARO_STATUS_OK); // with one that is not over
}

static void one_library(void *context) {
    one_app(context);
    mini_shutdown();
}

static void apps_and_libraries(void) {
    for (MINI_EACH_DELIVERY(delivery)) {
        struct life life;
        life_init(&life, SERVER_URL("ws", "/echo?act=close:1000:"), delivery);
        life.ends = 1;
        stays_flat(one_app, &life, 100, 1);
        stays_flat(one_library, &life, 50, 1);
        life_end(&life);
    }
}

// --- messages

struct stream {
    struct life life;
    taro_socket socket;
    const unsigned char *payload;
    size_t payload_len;
};

enum { BATCH = 40, BATCHES = 10 };

static void one_batch(void *context) {
    struct stream *stream = context;
    const unsigned long before = latch_count(&stream->life.messages);
    for (int at = 0; at < BATCH; at++) {
        CHECK_STATUS(taro_socket_send_binary(stream->socket, stream->payload, stream->payload_len), TARO_STATUS_OK);
    }
    life_wait(&stream->life, &stream->life.messages, before + BATCH);
}

static void a_long_stream(void) {
    static const size_t lengths[] = {10, 3000, 70000};
    static const char *const listeners[] = {"ws", "wss"};
    unsigned char *payload = calloc(1, 70000);
    CHECK(payload != NULL);
    for (MINI_EACH_DELIVERY(delivery)) {
        for (size_t at = 0; at < sizeof lengths / sizeof *lengths; at++) {
            struct stream stream = {.payload = payload, .payload_len = lengths[at]};
            life_init(&stream.life, SERVER_URL(listeners[delivery], "/echo"), delivery);
            stream.life.keeps = at == 1;
            life_make_app(&stream.life, 0);
            stream.socket = life_connect(&stream.life);
            life_wait(&stream.life, &stream.life.opened, 1);
            stays_flat(one_batch, &stream, BATCHES, BATCH);
            CHECK_STATUS(taro_app_release(stream.life.app), TARO_STATUS_OK);
            life_end(&stream.life);
        }
    }
    mini_shutdown();
    free(payload);
}

// A socket that has ended, and was not released, is little more than its numbers.
static void ended_sockets_are_small(void) {
    const size_t count = many(400);
    struct life life;
    life_init(&life, SERVER_URL("ws", "/echo?act=text:hi;close:1000:"), TARO_DELIVERY_DIRECT);
    life.ends = 1;
    life_make_app(&life, 0);
    for (int at = 0; at < 10; at++) {
        one_life(&life);
    }
    const long long heap = process_heap_bytes();
    const long descriptors = process_descriptors();
    for (size_t at = 0; at < count; at++) {
        life_connect(&life);
        LATCH_WAIT(&life.released, 11 + at);
    }
    EVENTUALLY(process_descriptors() <= descriptors);
    EVENTUALLY(process_heap_bytes() <= heap + (long long)count * 1500);
    CHECK_STATUS(taro_app_release(life.app), TARO_STATUS_OK);
    EVENTUALLY(process_heap_bytes() <= heap + (long long)count * 100); // places for ids are kept
    life_end(&life);
    mini_shutdown();
}

// --- claims

static const struct claim {
    const char *name;
    const char *act;
    long long sent; // bytes on the wire
} claims[] = {
    {"2^62 bytes", "head:2:4611686018427387904", 10},
    {"2^63 - 1 bytes of text", "head:1:9223372036854775807", 10},
    {"a gigabyte", "head:2:1073741824", 10},
    {"16 MiB", "head:1:16777216", 10},
    {"a gigabyte, and some of it", "head:2:1073741824;fill:1000000", 10 + 10 + 1000000},
    {"2^62 bytes, and some of it", "head:2:4611686018427387904;fill:3000000", 10 + 10 + 3000000},
    {"2^62 bytes behind a fragment", "frame:020161;head:0:4611686018427387904;fill:100000", 3 + 10 + 10 + 100000},
};

// At most twice what has come, or 64 KiB, and what the connection itself takes.
static void a_claim_takes_no_memory(void) {
    static const struct {
        const char *name;
        long long connection; // most of it the thread's: what it reads into, and with TLS what it decrypts to
    } listeners[] = {{"ws", 350000}, {"wss", 650000}};
    for (size_t at = 0; at < sizeof claims / sizeof *claims; at++) {
        for (size_t listener = 0; listener < 2; listener++) {
            struct life life;
            mini_row(claims[at].name);
            life_init(&life, SERVER_URL(listeners[listener].name, "/echo?id=claims"), TARO_DELIVERY_DIRECT);
            life_make_app(&life, UINT64_MAX);
            const taro_socket socket = life_connect(&life);
            LATCH_WAIT(&life.opened, 1);
            const long long heap = process_heap_bytes(), peak = process_resident_peak_bytes();
            SERVER_COMMAND("do claims %s", claims[at].act);
            EVENTUALLY((long long)mini_counters(socket).wire_bytes_received >= claims[at].sent);
            CHECK_UINT(mini_state(socket), ==, TARO_READY_STATE_OPEN);
            CHECK_INT(process_heap_bytes(), <=, heap + 2 * claims[at].sent + 65536 + listeners[listener].connection);
            CHECK_INT(process_resident_peak_bytes(), <=, peak + 100 * 1000 * 1000);
            CHECK_UINT(latch_count(&life.messages), ==, 0);
            CHECK_STATUS(taro_app_release(life.app), TARO_STATUS_OK);
            life_end(&life);
            SERVER_COMMAND("forget claims");
            mini_row(NULL);
        }
    }
    mini_shutdown();
}

static const struct test tests[] = {
    TEST("L26", sockets),
    TEST("L8 L30", apps_and_libraries),
    TEST("L9", a_long_stream),
    TEST("L26", ended_sockets_are_small),
    TEST("L23", a_claim_takes_no_memory),
};

TEST_MAIN(tests)
