// L1, L25, L26: ids are numbers below 2^53, none is ever given twice, and one that names nothing does no harm.
#include "calls.h"
#include "misuse.h"

#define LIMIT ((uint64_t)1 << 53)

// --- ids that name nothing, or something else

static void check_row(const struct call *call, uint64_t id) {
    const struct call_target target = {id, id, id};
    const struct call_result result = call->run(&target);
    if (result.status != TARO_STATUS_BAD_HANDLE || !result.is_cleared) {
        FAIL("%s of id %llu: %s%s", call->name, (unsigned long long)id, taro_status_name(result.status),
             result.is_cleared ? "" : ", and its result is not cleared");
    }
    check_pass();
}

enum noun { NO_ID, APP, SOCKET, MESSAGE };

static enum noun noun_of(const char *function) {
    static const char *const without[] = {"taro_app_create", "taro_init", "taro_shutdown"};
    for (size_t at = 0; at < sizeof without / sizeof *without; at++) {
        if (strcmp(function, without[at]) == 0) {
            return NO_ID;
        }
    }
    if (strncmp(function, "taro_app_", 9) == 0 || strcmp(function, "taro_connect_socket") == 0) {
        return APP;
    }
    CHECK(strncmp(function, "taro_socket_", 12) == 0 || strncmp(function, "taro_message_", 13) == 0);
    return function[5] == 's' ? SOCKET : MESSAGE;
}

// Every function refuses that id of an object of its kind; but for those of one kind, where it is right.
static void every_call_refuses(uint64_t id, enum noun but) {
    for (size_t at = 0; at < CALLS; at++) {
        const enum noun noun = noun_of(calls[at].name);
        if (noun != NO_ID && noun != but) {
            check_row(&calls[at], id);
        }
    }
}

static void ids_that_were_never_given(void) {
    misuse_begin();
    const uint64_t real[] = {misuse.mini.app, misuse.direct, misuse.socket};
    uint64_t forged[64];
    size_t count = 0;
    static const uint64_t made_up[] = {
        1, 2, 4711, UINT32_MAX, (uint64_t)1 << 51, (uint64_t)1 << 52, LIMIT - 1, LIMIT, LIMIT + 1, INT64_MAX,
        (uint64_t)1 << 63, UINT64_MAX - 1, UINT64_MAX,
    };
    for (size_t at = 0; at < sizeof made_up / sizeof *made_up; at++) {
        forged[count++] = made_up[at];
    }
    // Neighbours of real ones, in whichever part of the number.
    for (size_t at = 0; at < sizeof real / sizeof *real; at++) {
        static const unsigned bits[] = {19, 20, 21, 30, 50, 53, 60, 63};
        for (size_t bit = 0; bit < sizeof bits / sizeof *bits; bit++) {
            forged[count++] = real[at] ^ (uint64_t)1 << bits[bit];
        }
        forged[count++] = real[at] + LIMIT;
        forged[count++] = 0 - real[at];
    }
    CHECK_UINT(count, <=, sizeof forged / sizeof *forged);
    for (size_t at = 0; at < count; at++) {
        if (forged[at] != real[0] && forged[at] != real[1] && forged[at] != real[2]) {
            every_call_refuses(forged[at], NO_ID);
            misuse_untouched();
        }
    }
    misuse_end();
}

static void ids_of_another_kind(void) {
    misuse_begin();
    every_call_refuses(misuse.mini.app, APP);
    every_call_refuses(misuse.direct, APP);
    every_call_refuses(misuse.socket, SOCKET);
    // Its callback has returned, and it was not retained.
    every_call_refuses(misuse.message, NO_ID);
    misuse_end();
}

static void an_app_that_is_not_there_takes_nothing(void) {
    const uint64_t ids[] = {1, LIMIT, UINT64_MAX};
    taro_connect_options options;
    misuse_begin();
    taro_send_options send = misuse_send_options();
    taro_close_options close = misuse_close_options();
    for (size_t at = 0; at < sizeof ids / sizeof *ids; at++) {
        MISUSE(CONNECT_WITH(app, ids[at]), TARO_STATUS_BAD_HANDLE);
        MISUSE(taro_socket_send(ids[at], &send), TARO_STATUS_BAD_HANDLE);
        MISUSE(taro_socket_close(ids[at], &close), TARO_STATUS_BAD_HANDLE);
    }
    MISUSE(CONNECT_WITH(app, misuse.socket), TARO_STATUS_BAD_HANDLE);
    MISUSE(taro_socket_send(misuse.mini.app, &send), TARO_STATUS_BAD_HANDLE);
    MISUSE(taro_socket_close(misuse.message, &close), TARO_STATUS_BAD_HANDLE);
    misuse_end();
}

// 0 is the default app, and never a socket or a message; to release it is nothing.
static void zero(void) {
    misuse_begin();
    for (size_t at = 0; at < CALLS; at++) {
        const enum noun noun = noun_of(calls[at].name);
        if ((noun == SOCKET || noun == MESSAGE) && !strstr(calls[at].name, "_release")) {
            check_row(&calls[at], 0);
        }
    }
    for (int times = 0; times < 2; times++) {
        MISUSE(taro_socket_release(0), TARO_STATUS_OK);
        MISUSE(taro_message_release(0), TARO_STATUS_OK);
        MISUSE(taro_app_release(0), TARO_STATUS_OK);
    }
    misuse_end();
}

// --- ids that have ended

static void check_stale(taro_socket socket) {
    CHECK_STATUS(taro_socket_release(socket), TARO_STATUS_BAD_HANDLE);
    for (size_t at = 0; at < CALLS; at++) {
        if (noun_of(calls[at].name) == SOCKET) {
            check_row(&calls[at], socket);
        }
    }
}

static void a_socket_ends_with_its_release(void) {
    for (MINI_EACH_DELIVERY(delivery)) {
        struct mini mini;
        mini_init_of(&mini, delivery);
        struct recording a = RECORDING(&mini.recorder, "a"), b = RECORDING(&mini.recorder, "b");
        const taro_socket socket = mini_open(&mini, &a, SERVER_URL("ws", "/echo?id=stale"));
        CHECK_STATUS(taro_socket_release(socket), TARO_STATUS_OK);
        check_stale(socket);
        // A new one in its place is another one.
        const taro_socket other = mini_open(&mini, &b, SERVER_URL("ws", "/echo"));
        CHECK_UINT(other, !=, socket);
        check_stale(socket);
        CHECK_UINT(mini_state(other), ==, TARO_READY_STATE_OPEN);
        SERVER_WAIT("stale", "^end");
        mini_wait(&mini, RECORD_RELEASE, "a", 1);
        CHECK_SEQUENCE(&mini.recorder, "a", "success complete open release");
        mini_end(&mini);
        check_stale(other);
        SERVER_COMMAND("forget stale");
    }
    mini_shutdown();
}

static void the_default_app_is_made_again_and_its_sockets_are_not(void) {
    taro_connect_options options = TARO_CONNECT_OPTIONS_INIT;
    size_t live = 99;
    options.url = mini_str(SERVER_URL("silent", "/"));
    const taro_socket first = mini_accepted(&options);
    CHECK_STATUS(taro_app_release(0), TARO_STATUS_OK);
    check_stale(first);
    CHECK_STATUS(taro_app_get_sockets(0, NULL, 0, &live), TARO_STATUS_OK);
    CHECK_UINT(live, ==, 0);
    const taro_socket second = mini_accepted(&options);
    CHECK_UINT(second, !=, first);
    check_stale(first);
    CHECK_STATUS(taro_app_get_sockets(0, NULL, 0, &live), TARO_STATUS_OK);
    CHECK_UINT(live, ==, 1);
    mini_shutdown();
    check_stale(second);
    mini_shutdown();
}

static void an_app_ends_with_its_release(void) {
    struct mini mini;
    mini_init(&mini, NULL);
    const taro_app app = mini.app;
    mini_end(&mini);
    every_call_refuses(app, NO_ID);
    mini_init(&mini, NULL);
    every_call_refuses(app, NO_ID);
    CHECK_UINT(mini_live(&mini), ==, 0);
    mini_end(&mini);
    mini_shutdown();
    every_call_refuses(app, NO_ID);
    mini_shutdown();
}

// --- an ended socket keeps what little there is to ask

static void an_ended_socket_is_remembered_until_its_release(void) {
    struct mini mini;
    const taro_str chat = TARO_STR("chat");
    char protocol[8];
    size_t needed = 0;
    mini_init(&mini, NULL);
    struct recording a = RECORDING(&mini.recorder, "a");
    taro_connect_options options = record_connect_options(&a, SERVER_URL("ws", "/echo"));
    options.app = mini.app;
    options.protocols = &chat;
    options.protocols_len = 1;
    const taro_socket socket = mini_accepted(&options);
    mini_wait(&mini, RECORD_OPEN, "a", 1);
    mini_send(socket, "hello");
    mini_wait(&mini, RECORD_MESSAGE, "a", 1);
    const taro_socket_counters before = mini_counters(socket);
    mini_close(socket);
    mini_wait(&mini, RECORD_RELEASE, "a", 1);
    for (int times = 0; times < 2; times++) {
        const taro_socket_counters counters = mini_counters(socket);
        CHECK_UINT(mini_state(socket), ==, TARO_READY_STATE_CLOSED);
        CHECK_UINT(mini_buffered(socket), ==, 0);
        CHECK_UINT(counters.messages_sent, ==, 1);
        CHECK_UINT(counters.messages_received, ==, 1);
        CHECK_UINT(counters.payload_bytes_sent, ==, 5);
        CHECK_UINT(counters.payload_bytes_received, ==, 5);
        CHECK_UINT(counters.wire_bytes_sent, ==, before.wire_bytes_sent + 8);
        CHECK_UINT(counters.wire_bytes_received, ==, before.wire_bytes_received + 4);
        CHECK_STATUS(taro_socket_get_protocol(socket, protocol, sizeof protocol, &needed), TARO_STATUS_OK);
        CHECK_BYTES(protocol, needed, "chat", 4);
        CHECK_STATUS(taro_socket_send_text(socket, "a", 1), TARO_STATUS_NOT_CONNECTED);
        CHECK_STATUS(taro_socket_ping(socket, NULL, 0), TARO_STATUS_NOT_CONNECTED);
        CHECK_STATUS(taro_socket_close(socket, NULL), TARO_STATUS_NOT_CONNECTED);
        CHECK_STATUS(taro_socket_pause(socket), TARO_STATUS_OK);
        CHECK_STATUS(taro_socket_resume(socket), TARO_STATUS_OK);
    }
    CHECK_STATUS(taro_socket_release(socket), TARO_STATUS_OK);
    check_stale(socket);
    CHECK_SEQUENCE(&mini.recorder, "a", "success complete open message close release");
    mini_end(&mini);
    mini_shutdown();
}

// --- release is for finalizers: from any thread, at any time, and it never waits

struct finalizer {
    struct latch *go;
    const taro_socket *sockets;
    size_t sockets_len;
    size_t first;
    unsigned ok;
};

static void finalizes(void *context) {
    struct finalizer *finalizer = context;
    LATCH_WAIT(finalizer->go, 1);
    for (size_t at = 0; at < finalizer->sockets_len; at++) {
        const taro_status status =
            taro_socket_release(finalizer->sockets[(finalizer->first + at) % finalizer->sockets_len]);
        CHECK(status == TARO_STATUS_OK || status == TARO_STATUS_BAD_HANDLE);
        finalizer->ok += status == TARO_STATUS_OK;
    }
}

// Of several threads that release the same sockets, for each socket one has done it.
static void each_is_released_once(void) {
    enum { THREADS = 4, SOCKETS = 40 };
    taro_app_options options = TARO_APP_OPTIONS_INIT;
    struct mini mini;
    struct latch go;
    struct test_thread threads[THREADS];
    struct finalizer finalizers[THREADS];
    struct recording recordings[SOCKETS];
    taro_socket sockets[SOCKETS];
    unsigned ok = 0;
    options.max_sockets = SOCKETS;
    mini_init(&mini, &options);
    latch_init(&go);
    for (size_t at = 0; at < SOCKETS; at++) {
        recordings[at] = RECORDING(&mini.recorder, "a");
        sockets[at] = mini_connect(&mini, &recordings[at], SERVER_URL("ws", "/echo"));
    }
    for (size_t at = 0; at < THREADS; at++) {
        finalizers[at] = (struct finalizer){&go, sockets, SOCKETS, at, 0};
        thread_start(&threads[at], finalizes, &finalizers[at]);
    }
    latch_hit(&go);
    for (size_t at = 0; at < THREADS; at++) {
        THREAD_JOIN(&threads[at]);
        ok += finalizers[at].ok;
    }
    CHECK_UINT(ok, ==, SOCKETS);
    CHECK_UINT(mini_live(&mini), ==, 0);
    mini_wait(&mini, RECORD_RELEASE, "a", SOCKETS);
    mini_end(&mini);
    latch_destroy(&go);
    mini_shutdown();
}

struct gate {
    struct latch entered;
    struct latch open;
};

static void waits_in_open(struct recording *recording, const struct record *record, const void *event) {
    struct gate *gate = recording->context;
    (void)event;
    if (record->kind == RECORD_OPEN) {
        latch_hit(&gate->entered);
        LATCH_WAIT(&gate->open, 1);
    }
}

static void a_callback_that_runs_is_not_waited_for(void) {
    struct mini mini;
    struct gate gate;
    mini_init(&mini, NULL);
    latch_init(&gate.entered);
    latch_init(&gate.open);
    struct recording a = RECORDING_ON(&mini.recorder, "a", waits_in_open, &gate);
    const taro_socket socket = mini_connect(&mini, &a, SERVER_URL("ws", "/echo?act=text:hi"));
    LATCH_WAIT(&gate.entered, 1);
    CHECK_STATUS(taro_socket_release(socket), TARO_STATUS_OK); // with the gate shut
    check_stale(socket);
    CHECK_UINT(record_count(&mini.recorder, RECORD_RELEASE, "a"), ==, 0);
    latch_hit(&gate.open);
    mini_wait(&mini, RECORD_RELEASE, "a", 1);
    CHECK_SEQUENCE(&mini.recorder, "a", "success complete open release");
    mini_end(&mini);
    latch_destroy(&gate.entered);
    latch_destroy(&gate.open);
    mini_shutdown();
}

static const struct test tests[] = {
    TEST("L1 L25", ids_that_were_never_given),
    TEST("L1 L25", ids_of_another_kind),
    TEST("L1", an_app_that_is_not_there_takes_nothing),
    TEST("L26", zero),
    TEST("L26", a_socket_ends_with_its_release),
    TEST("L26", the_default_app_is_made_again_and_its_sockets_are_not),
    TEST("L26", an_app_ends_with_its_release),
    TEST("L26", an_ended_socket_is_remembered_until_its_release),
    TEST("L26 L29", each_is_released_once),
    TEST("L26", a_callback_that_runs_is_not_waited_for),
};

TEST_MAIN(tests)
