// label: net
// The kit's own tests: the server as a child, its control channel, and what fails there.
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "process.h"
#include "record.h"
#include "server.h"

static void it_starts_once_and_stops(void) {
    const long before = process_descriptors();
    server_start();
    const uint16_t port = server_port("ws");
    const long started = process_descriptors();
    server_start();
    CHECK_UINT(server_port("ws"), ==, port);
    CHECK_INT(process_descriptors(), ==, started);
    CHECK_INT(SERVER_NUMBER("accepted"), ==, 0);
    CHECK_INT(process_descriptors(), ==, started);
    server_stop();
    CHECK_INT(process_descriptors(), ==, before);
    server_stop();
    CHECK_INT(SERVER_NUMBER("accepted"), ==, 0);
}

static void urls_are_made(void) {
    char expected[200];
    snprintf(expected, sizeof(expected), "ws://127.0.0.1:%d/echo?id=7&act=text:%%41", server_port("ws"));
    CHECK_TEXT(SERVER_URL("ws", "/echo?id=%d&act=text:%%41", 7), expected);
    snprintf(expected, sizeof(expected), "wss://good.test:%d/", server_port("wss_expired"));
    CHECK_TEXT(SERVER_URL_FOR("wss_expired", "good.test", "/"), expected);
    snprintf(expected, sizeof(expected), "ws://[::1]:%d/", server_port("ws6"));
    CHECK_TEXT(SERVER_URL("ws6", "/"), expected);
    snprintf(expected, sizeof(expected), "127.0.0.1:%d", server_port("refuse"));
    CHECK_TEXT(server_address("refuse"), expected);
    CHECK_INT(access(server_ca_file(), R_OK), ==, 0);
    CHECK_INT(access(server_other_ca_file(), R_OK), ==, 0);
}

// --- one connection

static struct recorder recorder;
static struct recording a;
static taro_socket socket_a;

static void connect_a(const char *url) {
    recorder_init(&recorder);
    a = RECORDING(&recorder, "a");
    taro_connect_options options = record_connect_options(&a, url);
    CHECK_STATUS(taro_connect_socket(&options, &socket_a), TARO_STATUS_OK);
}

static void end_a(void) {
    taro_socket_release(socket_a);
    record_wait(&recorder, RECORD_RELEASE, "a", 1);
    CHECK_STATUS(taro_shutdown(WAIT_MS), TARO_STATUS_OK);
    recorder_end(&recorder);
}

static void the_log_tells(void) {
    connect_a(SERVER_URL("ws", "/echo?id=log"));
    record_wait(&recorder, RECORD_OPEN, "a", 1);
    CHECK_STATUS(taro_socket_send_text(socket_a, "one", 3), TARO_STATUS_OK);
    CHECK_STATUS(taro_socket_send_text(socket_a, "three", 5), TARO_STATUS_OK);
    CHECK_TEXT(SERVER_WAIT_N("log", 2, "text "), "text 5 three");
    CHECK_TEXT(SERVER_WAIT("log", "^text [0-9] t.*e$"), "text 5 three");
    CHECK_UINT(SERVER_LOG_COUNT("log", "text "), ==, 2);
    CHECK_UINT(SERVER_LOG_COUNT("log", "no such text"), ==, 0);
    CHECK_TEXT_HAS(SERVER_LOG("log"), "\nopen\n");
    CHECK_INT(strncmp(SERVER_LOG("log"), "accept ws\n", 10), ==, 0);
    CHECK_TEXT(SERVER_LOG("nobody"), "");
    CHECK_TEXT(SERVER_HEADER("log", "Upgrade", 1), "websocket");
    CHECK(!SERVER_HEADER("log", "upgrade", 1));
    CHECK(!SERVER_HEADER("log", "Upgrade", 2));
    CHECK_INT(SERVER_NUMBER("bytes log"), ==, 8);
    CHECK_TEXT_HAS(SERVER_COMMAND("do %s text:hi", "log"), "ok");
    CHECK_STR(record_wait(&recorder, RECORD_MESSAGE, "a", 3)->data, "hi");
    CHECK_INT(SERVER_NUMBER("live log"), ==, 1);
    end_a();
    EVENTUALLY(SERVER_NUMBER("live log") == 0);
}

static void command_in_thread(void *context) {
    const char *line = SERVER_WAIT("threads", "text ");
    CHECK_TEXT(line, "text 2 go");
    latch_hit(context);
}

static void a_wait_keeps_nobody_waiting(void) {
    struct latch done;
    struct test_thread thread;
    latch_init(&done);
    thread_start(&thread, command_in_thread, &done);
    connect_a(SERVER_URL("ws", "/sink?id=threads"));
    record_wait(&recorder, RECORD_OPEN, "a", 1);
    CHECK_TEXT_HAS(SERVER_COMMAND("clock"), "ok");
    CHECK_STATUS(taro_socket_send_text(socket_a, "go", 2), TARO_STATUS_OK);
    LATCH_WAIT(&done, 1);
    THREAD_JOIN(&thread);
    latch_destroy(&done);
    end_a();
}

// --- what must fail

static void unknown_listener(void) { server_port("nothing"); }
static void unknown_command(void) { SERVER_COMMAND("dance"); }
static void no_number(void) { SERVER_NUMBER("clock"); }
static void wait_in_vain(void) {
    server_start();
    wait_cap_ms(1);
    SERVER_WAIT("nobody", "anything");
}
static void dump_of_a_log(void) {
    taro_socket socket;
    taro_connect_options options = TARO_CONNECT_OPTIONS_INIT;
    const char *url = SERVER_URL("ws", "/echo?id=dumped");
    options.url.ptr = url;
    options.url.len = strlen(url);
    CHECK_STATUS(taro_connect_socket(&options, &socket), TARO_STATUS_OK);
    SERVER_WAIT("dumped", "open");
    FAIL("now");
}
static void a_peer_without_ports(void) { peer_start("/bin/true", "server.py"); }
static void a_peer_that_is_missing(void) { peer_start("/bin/no/such/program", "server.py"); }

static int run_case(void *context) {
    (*(void (**)(void))context)();
    return 0;
}

// Each in a process with a server of its own.
static void each_call_can_fail(void) {
    static const struct {
        void (*run)(void);
        const char *prints;
    } cases[] = {
        {unknown_listener, "no listener is called nothing"},
        {unknown_command, "server: dance: error"},
        {no_number, "server: no number: ok"},
        {wait_in_vain, "server: wait nobody"},
        {dump_of_a_log, "  request GET /echo?id=dumped HTTP/1.1\n"},
        {a_peer_without_ports, "has ended without saying its ports"},
        {a_peer_that_is_missing, "/bin/no/such/program"},
    };
    server_stop();
    for (size_t at = 0; at < sizeof(cases) / sizeof(*cases); at++) {
        char output[8192];
        void (*run)(void) = cases[at].run;
        CHECK_INT(PROCESS_FORK_OUTPUT(run_case, &run, output, sizeof(output)), ==, 1);
        CHECK_TEXT_HAS(output, cases[at].prints);
    }
}

static void a_peer_is_a_child(void) {
    static const char script[] = "selftest_peer.py";
    struct peer *peer = peer_start(peer_python(), script);
    CHECK_UINT(peer_port(peer, "one"), ==, 1);
    CHECK_UINT(peer_port(peer, "two"), ==, 65535);
    peer_stop(peer);
}

static const struct test tests[] = {
    TEST("-", each_call_can_fail), TEST("-", it_starts_once_and_stops), TEST("-", urls_are_made),
    TEST("-", the_log_tells),      TEST("-", a_wait_keeps_nobody_waiting), TEST("-", a_peer_is_a_child),
};
TEST_MAIN(tests)
