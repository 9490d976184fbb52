// L28: what a host passes in is copied, or sent, before the call returns: here it is overwritten and freed at once.
// The options of apps: apps.c, of connect: connect.c; messages: send_wire.c.
#include <stdlib.h>

#include "mini.h"

// A block of its own, so that a later look is one into freed memory.
static void *lend(const void *from, size_t len) {
    void *block = malloc(len);
    CHECK(block != NULL);
    memcpy(block, from, len);
    return block;
}

static void take_back(const void *lent, size_t len) {
    void *block = (void *)(uintptr_t)lent;
    memset(block, 0xdd, len);
    free(block);
}

// The first goes out at once, the other waits for messages before it.
static void reason_of_a_close(void) {
    enum { LARGE = 8 << 20 };
    for (int waits = 0; waits < 2; waits++) {
        struct mini mini;
        mini_init(&mini, NULL);
        struct recording a = RECORDING(&mini.recorder, "a"), closed = RECORDING(&mini.recorder, "closed");
        const taro_socket socket = mini_open(&mini, &a, SERVER_URL("ws_small", "/%s?id=r", waits ? "deaf" : "sink"));
        if (waits) {
            unsigned char *large = calloc(1, LARGE);
            CHECK(large != NULL);
            CHECK_STATUS(taro_socket_send_binary(socket, large, LARGE), TARO_STATUS_OK);
            take_back(large, LARGE);
        }
        taro_close_options options = record_close_options(&closed, 4321, NULL);
        options.reason = (taro_str){lend("until we meet again", 19), 19};
        const taro_close_options *lent = lend(&options, sizeof options);
        CHECK_STATUS(taro_socket_close(socket, lent), TARO_STATUS_OK);
        take_back(lent, sizeof options);
        take_back(options.reason.ptr, options.reason.len);
        if (waits) {
            SERVER_COMMAND("do r read");
        }
        SERVER_WAIT("r", "^close 4321 until we meet again$");
        const struct record *close = mini_wait(&mini, RECORD_CLOSE, "a", 1);
        CHECK_UINT(close->close_code, ==, 4321);
        CHECK_STR(close->reason, "until we meet again");
        mini_wait(&mini, RECORD_RELEASE, "closed", 1);
        mini_end(&mini);
        SERVER_COMMAND("forget r");
    }
    mini_shutdown();
}

static void payload_of_a_ping(void) {
    struct mini mini;
    mini_init(&mini, NULL);
    struct recording a = RECORDING(&mini.recorder, "a");
    const taro_socket socket = mini_open(&mini, &a, SERVER_URL("ws", "/sink?id=pinged"));
    for (int round = 0; round < 20; round++) {
        void *payload = lend("ping", 4);
        CHECK_STATUS(taro_socket_ping(socket, payload, 4), TARO_STATUS_OK);
        take_back(payload, 4);
    }
    SERVER_WAIT_N("pinged", 20, "^ping 70696e67$");
    mini_end(&mini);
    mini_shutdown();
}

// Trust that the caller's memory has given.
static void certificates_of_an_app(void) {
    char pem[16384];
    taro_app_options options = TARO_APP_OPTIONS_INIT;
    struct mini mini;
    FILE *file = fopen(server_ca_file(), "r");
    CHECK(file != NULL);
    options.ca_pem.len = fread(pem, 1, sizeof pem, file);
    fclose(file);
    CHECK_UINT(options.ca_pem.len, <, sizeof pem);
    options.ca_pem.ptr = lend(pem, options.ca_pem.len);
    const taro_app_options *lent = lend(&options, sizeof options);
    mini_init(&mini, lent);
    take_back(lent, sizeof options);
    take_back(options.ca_pem.ptr, options.ca_pem.len);
    struct recording a = RECORDING(&mini.recorder, "a");
    mini_open(&mini, &a, SERVER_URL("wss", "/echo"));
    mini_end(&mini);
    mini_shutdown();
}

static void counts(const char *name, void *user_data) {
    (void)name;
    latch_hit(user_data);
}

static void releases(void *user_data) { latch_hit(user_data); }

static void options_of_the_library(void) {
    struct latch hits;
    taro_init_options options = TARO_INIT_OPTIONS_INIT;
    latch_init(&hits);
    options.thread_start = options.thread_stop = counts;
    options.user_data = &hits;
    options.release = releases;
    const taro_init_options *lent = lend(&options, sizeof options);
    CHECK_STATUS(taro_init(lent), TARO_STATUS_OK);
    take_back(lent, sizeof options);
    struct mini mini;
    mini_init(&mini, NULL);
    struct recording a = RECORDING(&mini.recorder, "a");
    mini_open(&mini, &a, SERVER_URL("ws", "/echo"));
    CHECK_UINT(latch_count(&hits), ==, 1);
    mini_end(&mini);
    mini_shutdown();
    CHECK_UINT(latch_count(&hits), ==, 3);
    latch_destroy(&hits);
}

static const struct test tests[] = {
    TEST("L28", reason_of_a_close),
    TEST("L28", payload_of_a_ping),
    TEST("L28", certificates_of_an_app),
    TEST("L28", options_of_the_library),
};

TEST_MAIN(tests)
