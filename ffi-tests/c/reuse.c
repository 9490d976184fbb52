// L26: no id is ever given twice, whatever was released in between, taro_shutdown included.
#include <stdlib.h>

#include "mini.h"

// --- all ids of a test

struct ids {
    uint64_t *given;
    size_t len;
    size_t capacity;
};

static void note(struct ids *ids, uint64_t id) {
    if (ids->len == ids->capacity) {
        ids->capacity = ids->capacity ? 2 * ids->capacity : 1024;
        ids->given = realloc(ids->given, ids->capacity * sizeof *ids->given);
        CHECK(ids->given != NULL);
    }
    CHECK_UINT(id, >, 0);
    CHECK_UINT(id, <, (uint64_t)1 << 53);
    ids->given[ids->len++] = id;
}

static int by_number(const void *a, const void *b) {
    const uint64_t left = *(const uint64_t *)a, right = *(const uint64_t *)b;
    return (left > right) - (left < right);
}

static void all_differ(struct ids *ids, size_t expected) {
    CHECK_UINT(ids->len, ==, expected);
    qsort(ids->given, ids->len, sizeof *ids->given, by_number);
    for (size_t at = 1; at < ids->len; at++) {
        CHECK_UINT(ids->given[at - 1], <, ids->given[at]);
    }
    free(ids->given);
}

static size_t many(size_t plainly) { return wait_slow() > 3 ? plainly / 10 : plainly; }

// --- sockets

static taro_socket connect_to_nothing(taro_app app) {
    taro_connect_options options = TARO_CONNECT_OPTIONS_INIT;
    options.app = app;
    options.url = mini_str(SERVER_URL("refuse", "/"));
    return mini_accepted(&options);
}

static taro_app make_app(void) {
    taro_app_options options = TARO_APP_OPTIONS_INIT;
    taro_app app = 0;
    options.max_sockets = 65535;
    CHECK_STATUS(taro_app_create(&options, &app), TARO_STATUS_OK);
    return app;
}

// Released one at a time, so that there is always one place to take again.
static void sockets_released_at_once(void) {
    struct ids ids = {0};
    const size_t count = many(3000);
    const taro_app app = make_app();
    for (size_t at = 0; at < count; at++) {
        const taro_socket socket = connect_to_nothing(app);
        note(&ids, socket);
        CHECK_STATUS(taro_socket_release(socket), TARO_STATUS_OK);
    }
    mini_shutdown();
    all_differ(&ids, count);
}

// Three ways in which they go: one after the other, with their app, with the library.
static void sockets_of_apps_and_libraries_that_have_gone(void) {
    enum { EACH = 20 };
    struct ids ids = {0};
    const size_t rounds = many(30);
    for (size_t round = 0; round < rounds; round++) {
        for (int apps = 0; apps < 2; apps++) {
            taro_socket sockets[EACH];
            const taro_app app = make_app();
            note(&ids, app);
            for (size_t at = 0; at < EACH; at++) {
                sockets[at] = connect_to_nothing(app);
                note(&ids, sockets[at]);
            }
            for (size_t at = 0; at < EACH; at += 3) {
                CHECK_STATUS(taro_socket_release(sockets[at]), TARO_STATUS_OK);
            }
            if (apps == 0) {
                CHECK_STATUS(taro_app_release(app), TARO_STATUS_OK);
            }
        }
        for (size_t at = 0; at < 3; at++) {
            note(&ids, connect_to_nothing(0));
        }
        if (round % 2) {
            CHECK_STATUS(taro_app_release(0), TARO_STATUS_OK);
        }
        mini_shutdown();
    }
    all_differ(&ids, rounds * (2 * (EACH + 1) + 3));
}

// --- apps

static void apps(void) {
    struct ids ids = {0};
    const size_t count = many(5000);
    for (size_t at = 0; at < count; at++) {
        const taro_app app = make_app();
        note(&ids, app);
        CHECK_STATUS(taro_app_release(app), TARO_STATUS_OK);
        if (at % 1000 == 0) {
            mini_shutdown();
        }
    }
    mini_shutdown();
    all_differ(&ids, count);
}

// --- messages

static void retains_every_other(struct recording *recording, const struct record *record, const void *event) {
    void *data;
    size_t data_len;
    (void)event;
    if (record->kind == RECORD_MESSAGE && record->message % 2) {
        CHECK_STATUS(taro_message_retain(record->message, &data, &data_len), TARO_STATUS_OK);
        if (record->message % 4 == 1) {
            CHECK_STATUS(taro_message_release(record->message), TARO_STATUS_OK);
        } else {
            latch_hit(recording->context);
        }
    }
}

// Of several apps, threads and libraries; kept, given back at once, or neither.
static void messages(void) {
    enum { APPS = 3, MESSAGES = 200, ROUNDS = 3 };
    struct ids ids = {0};
    struct latch kept;
    latch_init(&kept);
    for (int round = 0; round < ROUNDS; round++) {
        taro_init_options init = TARO_INIT_OPTIONS_INIT;
        struct mini minis[APPS];
        struct recording recordings[APPS];
        init.io_threads = 2;
        CHECK_STATUS(taro_init(&init), TARO_STATUS_OK);
        for (size_t at = 0; at < APPS; at++) {
            mini_init_of(&minis[at], at == 0 ? TARO_DELIVERY_HOST : TARO_DELIVERY_DIRECT);
            recordings[at] = RECORDING_ON(&minis[at].recorder, "a", retains_every_other, &kept);
            mini_connect(&minis[at], &recordings[at], SERVER_URL("ws", "/echo?act=numbers:%d", MESSAGES));
        }
        for (size_t at = 0; at < APPS; at++) {
            mini_wait(&minis[at], RECORD_MESSAGE, "a", MESSAGES);
            for (size_t n = 1; n <= MESSAGES; n++) {
                note(&ids, mini_find(&minis[at], RECORD_MESSAGE, "a", n)->message);
            }
            mini_end(&minis[at]);
        }
        mini_shutdown();
    }
    size_t released = 0;
    for (size_t at = 0; at < ids.len; at++) {
        const int is_kept = ids.given[at] % 4 == 3;
        CHECK_STATUS(taro_message_release(ids.given[at]), is_kept ? TARO_STATUS_OK : TARO_STATUS_BAD_HANDLE);
        released += (size_t)is_kept;
    }
    CHECK_UINT(released, ==, latch_count(&kept));
    CHECK_UINT(released, >, 0);
    latch_destroy(&kept);
    all_differ(&ids, (size_t)APPS * MESSAGES * ROUNDS);
}

static const struct test tests[] = {
    TEST("L26", sockets_released_at_once),
    TEST("L26", sockets_of_apps_and_libraries_that_have_gone),
    TEST("L26", apps),
    TEST("L26", messages),
};

TEST_MAIN(tests)
