// L16: the profile of `open`: each phase is measured, where it took its time and nowhere else. The lookup: names.c.
#include <arpa/inet.h>
#include <poll.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

#include "answer.h"

enum { HELD_MS = 30, HELD_US = HELD_MS * 1000 };

static taro_app app_with_ca(void) {
    taro_app_options options = TARO_APP_OPTIONS_INIT;
    options.ca_file = attempt_str(server_ca_file());
    return attempt_app(&options);
}

static int64_t now_us(void) {
    struct timespec now;
    clock_gettime(CLOCK_REALTIME, &now);
    return (int64_t)now.tv_sec * 1000000 + now.tv_nsec / 1000;
}

// Something was held up since that moment of the steady clock, for long enough to be seen.
static void hold_since(int64_t begun_ns) {
    const int64_t until = begun_ns + (int64_t)HELD_MS * 1000000;
    EVENTUALLY(clock_ns() >= until);
}

// What holds of every profile of a literal address.
static void check_profile(const taro_profile *profile) {
    CHECK_UINT(profile->struct_size, ==, sizeof *profile);
    CHECK_UINT(profile->reserved, ==, 0);
    CHECK_INT(profile->domain_look_up_start_us, ==, profile->fetch_start_us);
    CHECK_INT(profile->domain_look_up_end_us, ==, profile->fetch_start_us);
    CHECK_INT(profile->connect_start_us, >=, profile->fetch_start_us);
    CHECK_INT(profile->connect_end_us, >, profile->connect_start_us);
    // A duration and the difference of two points may be rounded apart.
    CHECK_INT(profile->connect_end_us - profile->connect_start_us, <=, profile->rtt_us + 1);
    CHECK_INT(profile->connect_end_us - profile->connect_start_us, >=, profile->rtt_us - 1);
    CHECK_INT(profile->handshake_cost_us, >, 0);
    const int64_t before_us = profile->connect_start_us - profile->fetch_start_us;
    CHECK_INT(profile->cost_us, <=, before_us + profile->rtt_us + profile->handshake_cost_us + 3);
    CHECK_INT(profile->cost_us, >=, before_us + profile->rtt_us + profile->handshake_cost_us - 3);
}

static void points_are_wall_clock_time(void) {
    static const char *const listeners[] = {"ws", "wss"};
    const taro_app app = app_with_ca();
    for (size_t at = 0; at < 2; at++) {
        struct attempt a;
        attempt_row(listeners[at]);
        attempt_init(&a, app, SERVER_URL(listeners[at], "/echo"));
        const int64_t before_us = now_us(), before_ns = clock_ns();
        const taro_profile profile = attempt_open(&a)->profile;
        const int64_t after_us = now_us(), took_us = (clock_ns() - before_ns) / 1000;
        check_profile(&profile);
        CHECK_INT(profile.fetch_start_us, >=, before_us);
        CHECK_INT(profile.connect_end_us + profile.handshake_cost_us, <=, after_us + 3);
        CHECK_INT(profile.cost_us, <=, took_us + 1);
        attempt_end(&a, "success complete open release");
    }
    attempt_row(NULL);
    attempt_shutdown();
}

// The server keeps the last line of its answer back.
static void the_upgrade_is_measured(void) {
    static const char most[] = ANSWER_101 ANSWER_FIELDS;
    static const char *const listeners[] = {"ws", "wss"};
    const taro_app app = app_with_ca();
    for (size_t at = 0; at < 2; at++) {
        struct attempt a;
        char id[20], query[30];
        attempt_row(listeners[at]);
        snprintf(id, sizeof id, "upgrade%zu", at);
        snprintf(query, sizeof query, "&id=%s", id);
        attempt_init(&a, app, answer_url(listeners[at], most, sizeof most - 1, query));
        attempt_begin(&a);
        SERVER_WAIT(id, "^open");
        hold_since(clock_ns());
        SERVER_COMMAND("do %s frame:0d0a", id);
        const taro_profile profile = attempt_wait(&a, RECORD_OPEN, 1)->profile;
        check_profile(&profile);
        CHECK_INT(profile.handshake_cost_us, >=, HELD_US);
        attempt_end(&a, "success complete open release");
    }
    attempt_row(NULL);
    attempt_shutdown();
}

// --- TLS: a relay between both keeps the first bytes of the client back

struct relay {
    int listener;
    uint16_t to;
    struct latch accepted;
    struct latch gate;
};

static int connect_to(uint16_t port) {
    const struct sockaddr_in address = {
        .sin_family = AF_INET, .sin_port = htons(port), .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    const int connection = socket(AF_INET, SOCK_STREAM, 0);
    CHECK_INT(connect(connection, (const struct sockaddr *)&address, sizeof address), ==, 0);
    return connection;
}

static void relay_run(void *context) {
    struct relay *relay = context;
    const int client = accept(relay->listener, NULL, NULL);
    CHECK_INT(client, >=, 0);
    latch_hit(&relay->accepted);
    LATCH_WAIT(&relay->gate, 1);
    const int server = connect_to(relay->to);
    for (int lives = 1; lives;) {
        char bytes[4096];
        struct pollfd ends[] = {{client, POLLIN, 0}, {server, POLLIN, 0}};
        CHECK_INT(poll(ends, 2, -1), >, 0);
        for (size_t at = 0; at < 2 && lives; at++) {
            if (ends[at].revents) {
                const ssize_t len = recv(ends[at].fd, bytes, sizeof bytes, 0);
                lives = len > 0 && send(ends[1 - at].fd, bytes, (size_t)len, MSG_NOSIGNAL) == len;
            }
        }
    }
    close(client);
    close(server);
}

static void tls_belongs_to_the_connect(void) {
    struct sockaddr_in address = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    socklen_t len = sizeof address;
    struct relay relay = {.listener = socket(AF_INET, SOCK_STREAM, 0), .to = server_port("wss")};
    struct test_thread thread;
    struct attempt a;
    char url[60];
    latch_init(&relay.accepted);
    latch_init(&relay.gate);
    CHECK_INT(bind(relay.listener, (struct sockaddr *)&address, len), ==, 0);
    CHECK_INT(listen(relay.listener, 1), ==, 0);
    CHECK_INT(getsockname(relay.listener, (struct sockaddr *)&address, &len), ==, 0);
    thread_start(&thread, relay_run, &relay);

    snprintf(url, sizeof url, "wss://127.0.0.1:%u/echo", ntohs(address.sin_port));
    attempt_init(&a, app_with_ca(), url);
    attempt_begin(&a);
    LATCH_WAIT(&relay.accepted, 1);
    hold_since(clock_ns());
    latch_hit(&relay.gate);
    const taro_profile profile = attempt_wait(&a, RECORD_OPEN, 1)->profile;
    check_profile(&profile);
    CHECK_INT(profile.rtt_us, >=, HELD_US);
    CHECK_INT(profile.connect_end_us - profile.connect_start_us, >=, HELD_US);
    attempt_end(&a, "success complete open release");
    attempt_shutdown();
    THREAD_JOIN(&thread);
    close(relay.listener);
    latch_destroy(&relay.gate);
    latch_destroy(&relay.accepted);
}

static const struct test tests[] = {
    TEST("L16", points_are_wall_clock_time),
    TEST("L16", the_upgrade_is_measured),
    TEST("L16", tls_belongs_to_the_connect),
};

TEST_MAIN(tests)
