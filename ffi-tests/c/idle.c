// L29: threads that have nothing to do sleep: no ticks, and nothing is looked at again and again.
#include <sched.h>
#include <stdlib.h>
#include <sys/timerfd.h>
#include <unistd.h>

#include "mini.h"
#include "process.h"

enum { REST_MS = 20, WINDOW_MS = 400, LARGE = 8 << 20, BURST = 40 * 500000 };

// --- how often the library's threads have run

static int is_unknown(void) {
    if (process_wakeups("taro-") < 0) {
        test_skip("how often a thread runs is not known here");
        return 1;
    }
    return 0;
}

static void window(long milliseconds) {
    const struct itimerspec after = {.it_value = {.tv_sec = 0, .tv_nsec = milliseconds * 1000000}};
    uint64_t expirations = 0;
    const int timer = timerfd_create(CLOCK_MONOTONIC, TFD_CLOEXEC);
    CHECK_INT(timerfd_settime(timer, 0, &after, NULL), ==, 0);
    CHECK_INT(read(timer, &expirations, sizeof expirations), ==, sizeof expirations);
    close(timer);
}

static int is_at_rest(void) {
    const long long before = process_wakeups("taro-");
    window(REST_MS);
    return process_wakeups("taro-") == before;
}

// But for `most` times that they are woken from outside.
static void sleeps(long long most) {
    EVENTUALLY(is_at_rest());
    const long long before = process_wakeups("taro-");
    CHECK_INT(before, >, 0);
    window(WINDOW_MS);
    CHECK_INT(process_wakeups("taro-"), <=, before + most);
}

// --- whatever may be open meanwhile

static taro_socket connect_in(const taro_app_options *with, const char *url, uint32_t is_paused) {
    taro_app_options options = *with;
    taro_connect_options connect = TARO_CONNECT_OPTIONS_INIT;
    options.ca_file = mini_str(server_ca_file());
    CHECK_STATUS(taro_app_create(&options, &connect.app), TARO_STATUS_OK);
    connect.url = mini_str(url);
    connect.start_paused = is_paused;
    return mini_accepted(&connect);
}

static taro_socket open_in(const taro_app_options *with, const char *url) {
    const taro_socket socket = connect_in(with, url, 0);
    EVENTUALLY(mini_state(socket) == TARO_READY_STATE_OPEN);
    return socket;
}

static void with_open_connections(void) {
    const taro_app_options plain = TARO_APP_OPTIONS_INIT;
    if (is_unknown()) {
        return;
    }
    open_in(&plain, SERVER_URL("ws", "/echo"));
    open_in(&plain, SERVER_URL("wss", "/echo"));
    sleeps(0);
    mini_shutdown();
}

// Connects and closes under way have deadlines, which are far away.
static void with_handshakes_under_way(void) {
    const taro_app_options plain = TARO_APP_OPTIONS_INIT;
    if (is_unknown()) {
        return;
    }
    connect_in(&plain, SERVER_URL("ws", "/echo?id=stall&stall=request"), 0);
    connect_in(&plain, SERVER_URL("tls_stall", "/"), 0);
    const taro_socket closing = open_in(&plain, SERVER_URL("ws", "/echo?id=closing&onclose=ignore"));
    mini_close(closing);
    SERVER_WAIT("stall", "^request");
    SERVER_WAIT("closing", "^close");
    sleeps(0);
    mini_shutdown();
}

// The peer has more to say, and the host takes nothing; the peer takes nothing, and the host has more to say.
static void with_full_queues_and_buffers(void) {
    taro_app_options host = TARO_APP_OPTIONS_INIT, direct = TARO_APP_OPTIONS_INIT;
    if (is_unknown()) {
        return;
    }
    unsigned char *large = calloc(1, LARGE);
    CHECK(large != NULL);
    host.delivery = TARO_DELIVERY_HOST;
    host.queue_limit_bytes = direct.pause_limit_bytes = 1000;
    const taro_socket flooded[] = {
        connect_in(&host, SERVER_URL("ws", "/echo?act=burst:40:500000"), 0),
        connect_in(&host, SERVER_URL("wss", "/echo?act=burst:40:500000"), 0),
        connect_in(&direct, SERVER_URL("ws", "/echo?act=burst:40:500000"), 1),
    };
    const taro_socket deaf = open_in(&direct, SERVER_URL("ws_small", "/deaf"));
    CHECK_STATUS(taro_socket_send_binary(deaf, large, LARGE), TARO_STATUS_OK);
    free(large);
    for (size_t at = 0; at < sizeof flooded / sizeof *flooded; at++) {
        EVENTUALLY(mini_counters(flooded[at]).wire_bytes_received > 0);
    }
    sleeps(30); // the system goes on for a while to fill its own buffers
    CHECK_UINT(mini_buffered(deaf), ==, LARGE);
    for (size_t at = 0; at < sizeof flooded / sizeof *flooded; at++) {
        CHECK_UINT(mini_counters(flooded[at]).wire_bytes_received, <, BURST);
    }
    mini_shutdown();
}

// They go when the system takes more: until then there is nothing to be woken for.
static void sends_behind_a_full_connection(void) {
    enum { SENDS = 500, WAKEUPS = 50 }; // the system goes on filling its own buffers meanwhile
    const taro_app_options plain = TARO_APP_OPTIONS_INIT;
    if (is_unknown()) {
        return;
    }
    unsigned char *large = calloc(1, LARGE);
    CHECK(large != NULL);
    const taro_socket deaf = open_in(&plain, SERVER_URL("ws_small", "/deaf"));
    CHECK_STATUS(taro_socket_send_binary(deaf, large, LARGE), TARO_STATUS_OK);
    free(large);
    sleeps(30);
    const long long before = process_wakeups("taro-");
    for (int sent = 0; sent < SENDS; sent++) {
        CHECK_STATUS(taro_socket_send_binary(deaf, "more", 4), TARO_STATUS_OK);
        sched_yield();
    }
    CHECK_INT(process_wakeups("taro-"), <=, before + WAKEUPS);
    CHECK_UINT(mini_buffered(deaf), ==, LARGE + 4 * SENDS);
    mini_shutdown();
}

// What is measured is there to be measured.
static void pings_are_seen(void) {
    taro_app_options options = TARO_APP_OPTIONS_INIT;
    if (is_unknown()) {
        return;
    }
    options.ping_interval_ms = 20;
    options.pong_timeout_ms = UINT32_MAX;
    const taro_socket socket = open_in(&options, SERVER_URL("ws", "/echo"));
    const uint64_t pongs = mini_counters(socket).pongs_received;
    const long long before = process_wakeups("taro-");
    EVENTUALLY(mini_counters(socket).pongs_received >= pongs + 3);
    CHECK_INT(process_wakeups("taro-"), >=, before + 3);
    mini_shutdown();
}

static const struct test tests[] = {
    TEST("L29", with_open_connections),
    TEST("L29", with_handshakes_under_way),
    TEST("L29", with_full_queues_and_buffers),
    TEST("L29", sends_behind_a_full_connection),
    TEST("-", pings_are_seen),
};

TEST_MAIN(tests)
