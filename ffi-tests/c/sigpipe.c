// L29: no write to a connection that its peer has left raises SIGPIPE, which has its default here. On a thread of the
// host it would end this process; on a thread of the library, which blocks signals, it would be pending.
#include <arpa/inet.h>
#include <signal.h>
#include <sys/socket.h>
#include <unistd.h>

#include "mini.h"

static void none_is_pending(void) {
    sigset_t set;
    CHECK_INT(sigpending(&set), ==, 0);
    CHECK_INT(sigismember(&set, SIGPIPE), ==, 0);
}

static void sends_in_a_callback(struct recording *recording, const struct record *record, const void *event) {
    (void)recording, (void)event;
    for (int sends = 0; record->kind == RECORD_MESSAGE && sends < 20; sends++) {
        taro_socket_send_text(record->socket, "again", 5);
    }
    none_is_pending();
}

static void mini_begin(struct mini *mini) {
    taro_app_options options = TARO_APP_OPTIONS_INIT;
    options.ca_file = mini_str(server_ca_file());
    mini_init(mini, &options);
}

// Until it has ended. `sends`: so does this thread, without a pause.
static void breaks(struct mini *mini, const char *url, int sends) {
    struct recording a = RECORDING_ON(&mini->recorder, "a", sends_in_a_callback, NULL);
    const size_t ends = record_count(&mini->recorder, RECORD_RELEASE, "a");
    const size_t opens = record_count(&mini->recorder, RECORD_OPEN, "a");
    const taro_socket socket = mini_connect(mini, &a, url);
    if (sends) {
        mini_wait(mini, RECORD_OPEN, "a", opens + 1);
        while (taro_socket_send_text(socket, "hello", 5) != TARO_STATUS_NOT_CONNECTED) {
        }
    }
    mini_wait(mini, RECORD_RELEASE, "a", ends + 1);
    CHECK_STATUS(taro_socket_release(socket), TARO_STATUS_OK);
    none_is_pending();
}

static void of_an_open_connection(void) {
    static const char *const listeners[] = {"ws", "wss"};
    struct mini mini;
    mini_begin(&mini);
    for (int round = 0; round < 5; round++) {
        for (size_t at = 0; at < 2; at++) {
            breaks(&mini, SERVER_URL(listeners[at], "/sink?act=later;rst"), 1);
            breaks(&mini, SERVER_URL(listeners[at], "/sink?act=later;drop"), 1);
            breaks(&mini, SERVER_URL(listeners[at], "/echo?act=text:more;text:more;drop"), 0);
            breaks(&mini, SERVER_URL(listeners[at], "/echo?act=text:more;rst"), 0);
        }
    }
    mini_end(&mini);
    mini_shutdown();
}

static void of_a_handshake(void) {
    static const char *const ends[] = {"drop", "reset", "tls_garbage"};
    struct mini mini;
    char url[64];
    mini_begin(&mini);
    for (int round = 0; round < 5; round++) {
        for (size_t at = 0; at < sizeof ends / sizeof *ends; at++) {
            snprintf(url, sizeof url, "ws://%s/", server_address(ends[at]));
            breaks(&mini, url, 0);
            snprintf(url, sizeof url, "wss://%s/", server_address(ends[at]));
            breaks(&mini, url, 0);
        }
        breaks(&mini, SERVER_URL("ws", "/echo?cut=20&cutmode=rst"), 0);
        breaks(&mini, SERVER_URL("wss", "/echo?cut=20&cutmode=rst"), 0);
        breaks(&mini, SERVER_URL("wss_expired", "/echo"), 0);
    }
    mini_end(&mini);
    mini_shutdown();
}

// --- a peer that has left between its part of the TLS handshake and the client's

struct leaver {
    struct test_thread thread;
    int listener;
    uint16_t target;
    unsigned connections;
};

static int on_this_machine(uint16_t port, int (*what)(int, const struct sockaddr *, socklen_t)) {
    const struct sockaddr_in address = {.sin_family = AF_INET, .sin_port = htons(port),
                                        .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    const int descriptor = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    CHECK(descriptor >= 0);
    CHECK_INT(what(descriptor, (const struct sockaddr *)&address, sizeof address), ==, 0);
    return descriptor;
}

// Carries one flight in each direction, then closes: the client has a FIN, and what it sends is answered with RST.
static void carries_two_flights(void *context) {
    struct leaver *leaver = context;
    for (unsigned at = 0; at < leaver->connections; at++) {
        char flight[16384];
        const int client = accept4(leaver->listener, NULL, NULL, SOCK_CLOEXEC);
        const int server = on_this_machine(leaver->target, connect);
        ssize_t len = recv(client, flight, sizeof flight, 0);
        CHECK_INT(send(server, flight, (size_t)len, MSG_NOSIGNAL), ==, len);
        len = recv(server, flight, sizeof flight, 0);
        CHECK_INT(send(client, flight, (size_t)len, MSG_NOSIGNAL), ==, len);
        close(client);
        close(server);
    }
}

static void of_a_handshake_that_its_peer_has_left(void) {
    static const char *const listeners[] = {"wss", "wss12"};
    struct mini mini;
    mini_begin(&mini);
    for (size_t at = 0; at < 2; at++) {
        struct leaver leaver = {.target = server_port(listeners[at]), .connections = 5};
        struct sockaddr_in address;
        socklen_t len = sizeof address;
        char url[64];
        leaver.listener = on_this_machine(0, bind);
        CHECK_INT(listen(leaver.listener, 5), ==, 0);
        CHECK_INT(getsockname(leaver.listener, (struct sockaddr *)&address, &len), ==, 0);
        thread_start(&leaver.thread, carries_two_flights, &leaver);
        snprintf(url, sizeof url, "wss://127.0.0.1:%u/", ntohs(address.sin_port));
        for (unsigned connection = 0; connection < leaver.connections; connection++) {
            breaks(&mini, url, 0);
        }
        THREAD_JOIN(&leaver.thread);
        close(leaver.listener);
    }
    mini_end(&mini);
    mini_shutdown();
}

static const struct test tests[] = {
    TEST("L29", of_an_open_connection),
    TEST("L29", of_a_handshake),
    TEST("L29", of_a_handshake_that_its_peer_has_left),
};

TEST_MAIN(tests)
