// L1, L4, L5, L7, L11, L15: the options of a connect: what each one does, and that it does nothing unless asked for.
#include <arpa/inet.h>
#include <errno.h>
#include <net/if.h>
#include <netinet/tcp.h>
#include <sys/socket.h>
#include <unistd.h>

#include "attempt.h"

static taro_app app_with_ca(void) {
    taro_app_options options = TARO_APP_OPTIONS_INIT;
    options.ca_file = attempt_str(server_ca_file());
    return attempt_app(&options);
}

// --- options of the socket of the operating system

// The only descriptor of this process that is connected to that port; -1 if there is none.
static int descriptor_to(uint16_t port) {
    int found = -1;
    for (int number = 0; number < 1024; number++) {
        struct sockaddr_in peer;
        socklen_t len = sizeof peer;
        if (getpeername(number, (struct sockaddr *)&peer, &len) == 0 && peer.sin_family == AF_INET &&
            ntohs(peer.sin_port) == port) {
            CHECK_INT(found, ==, -1);
            found = number;
        }
    }
    return found;
}

static void tcp_no_delay_is_off_unless_asked_for(void) {
    static const char *const listeners[] = {"ws", "wss"};
    const taro_app app = app_with_ca();
    for (size_t at = 0; at < 2; at++) {
        const uint16_t port = server_port(listeners[at]);
        for (uint32_t asked = 0; asked <= 1; asked++) {
            struct attempt a;
            int is_on = 99;
            socklen_t len = sizeof is_on;
            char row[40];
            snprintf(row, sizeof row, "%s, asked for: %u", listeners[at], asked);
            attempt_row(row);
            attempt_init(&a, app, SERVER_URL(listeners[at], "/echo"));
            a.options.tcp_no_delay = asked;
            attempt_open(&a);
            CHECK_INT(getsockopt(descriptor_to(port), IPPROTO_TCP, TCP_NODELAY, &is_on, &len), ==, 0);
            CHECK_INT(is_on != 0, ==, asked == 1);
            attempt_end(&a, "success complete open release");
            EVENTUALLY(descriptor_to(port) == -1);
        }
    }
    attempt_row(NULL);
    attempt_shutdown();
}

static void an_interface_is_bound_to_if_asked_for(void) {
    static const char *const names[] = {"", "lo"};
    const uint16_t port = server_port("ws");
    for (size_t at = 0; at < 2; at++) {
        struct attempt a;
        char is[IF_NAMESIZE] = "";
        socklen_t len = sizeof is;
        attempt_row(names[at]);
        attempt_init(&a, 0, SERVER_URL("ws", "/echo?act=text:hi"));
        a.options.bind_interface = attempt_str(names[at]);
        attempt_open(&a);
        CHECK_STR(attempt_wait(&a, RECORD_MESSAGE, 1)->data, "hi");
        CHECK_INT(getsockopt(descriptor_to(port), SOL_SOCKET, SO_BINDTODEVICE, is, &len), ==, 0);
        CHECK_TEXT(is, names[at]);
        attempt_end(&a, "success complete open message release");
        EVENTUALLY(descriptor_to(port) == -1);
    }
    attempt_row(NULL);
    attempt_shutdown();
}

// A name that may be one but is none: only the system can tell.
static void an_interface_that_is_not_there(void) {
    static const char *const names[] = {"nowhere0", "fifteen-letters", "127.0.0.1"};
    const long long before = SERVER_NUMBER("accepted");
    for (size_t at = 0; at < sizeof names / sizeof *names; at++) {
        struct attempt a;
        attempt_row(names[at]);
        attempt_init(&a, 0, SERVER_URL("ws", "/echo"));
        a.options.bind_interface = attempt_str(names[at]);
        const struct record *error = attempt_error(&a);
        CHECK_INT(error->status, ==, TARO_STATUS_CONNECTION_FAILED);
        CHECK_STR(error->err_msg, "connectSocket:fail WebSocket connection failed");
        CHECK_UINT(error->cause, ==, TARO_CAUSE_CONNECT);
        CHECK_INT(error->os_error, ==, ENODEV);
        attempt_end(&a, "success complete error release");
    }
    attempt_row(NULL);
    CHECK_INT(SERVER_NUMBER("accepted"), ==, before);
    attempt_shutdown();
}

static void names_that_no_interface_has(void) {
    const taro_str names[] = {TARO_STR("a/b"), TARO_STR("sixteen-letters."), TARO_STR("l\0o"), TARO_STR("\xff")};
    for (size_t at = 0; at < sizeof names / sizeof *names; at++) {
        struct attempt a;
        attempt_row(names[at].ptr);
        attempt_init(&a, 0, SERVER_URL("ws", "/echo"));
        a.options.bind_interface = names[at];
        attempt_refused(&a, TARO_STATUS_PARAMETER, 600005, "connectSocket:fail parameter error: interface");
    }
    attempt_row(NULL);
    attempt_shutdown();
}

// --- started paused

static void nothing_but_results_comes_before_resume(void) {
    static const struct {
        const char *path;
        const char *kinds;
    } rows[] = {
        {"/echo?id=paused0&act=text:hi;close:1000:", "success complete open message close release"},
        {"/echo?id=paused1&status=403", "success complete error release"},
        {"/echo?id=paused2&act=text:hi;drop", "success complete open message error close release"},
    };
    for (uint32_t delivery = TARO_DELIVERY_DIRECT; delivery <= TARO_DELIVERY_HOST; delivery++) {
        taro_app_options options = TARO_APP_OPTIONS_INIT;
        options.delivery = delivery;
        const taro_app app = attempt_app(&options);
        for (size_t at = 0; at < sizeof rows / sizeof *rows; at++) {
            struct attempt a;
            char id[20];
            snprintf(id, sizeof id, "paused%zu", at);
            attempt_row(id);
            attempt_init(&a, app, SERVER_URL("ws", "%s", rows[at].path));
            a.is_host = delivery == TARO_DELIVERY_HOST;
            a.options.start_paused = 1;
            attempt_begin(&a);
            attempt_wait(&a, RECORD_COMPLETE, 1);
            // By then all of it has happened.
            SERVER_WAIT(id, "^end");
            EVENTUALLY(attempt_live(app) == 0);
            CHECK_SEQUENCE(&a.recorder, "a", "success complete");
            CHECK_UINT(attempt_state(a.socket), ==, TARO_READY_STATE_CONNECTING);
            CHECK_STATUS(taro_socket_resume(a.socket), TARO_STATUS_OK);
            attempt_wait(&a, RECORD_RELEASE, 1);
            attempt_end(&a, rows[at].kinds);
            SERVER_COMMAND("forget %s", id);
        }
    }
    attempt_row(NULL);
    attempt_shutdown();
}

static void resumed_at_once_it_is_as_any_other(void) {
    struct attempt a;
    attempt_init(&a, 0, SERVER_URL("ws", "/echo?act=text:hi"));
    a.options.start_paused = 1;
    attempt_begin(&a);
    CHECK_STATUS(taro_socket_resume(a.socket), TARO_STATUS_OK);
    CHECK_STR(attempt_wait(&a, RECORD_MESSAGE, 1)->data, "hi");
    attempt_end(&a, "success complete open message release");
    attempt_shutdown();
}

// --- the rest

// The Referer is an option of the app, and of this one alone.
static void each_app_has_a_referer_of_its_own(void) {
    static const char *const referers[] = {"", "https://servicewechat.com/wx1/0/page-frame.html", "https://b.test/"};
    for (size_t at = 0; at < 3; at++) {
        struct attempt a;
        char id[20];
        taro_app_options options = TARO_APP_OPTIONS_INIT;
        options.referer = attempt_str(referers[at]);
        snprintf(id, sizeof id, "referer%zu", at);
        attempt_init(&a, attempt_app(&options), SERVER_URL("ws", "/echo?id=%s", id));
        attempt_open(&a);
        const char *sent = SERVER_HEADER(id, "Referer", 1);
        if (at == 0) {
            CHECK(sent == NULL);
        } else {
            CHECK_TEXT(sent, referers[at]);
        }
        CHECK(SERVER_HEADER(id, "Referer", 2) == NULL);
        attempt_end(&a, "success complete open release");
    }
    attempt_shutdown();
}

// The server takes no notice: then there is none, and nothing is compressed.
static void compression_is_offered_if_asked_for(void) {
    for (uint32_t asked = 0; asked <= 1; asked++) {
        struct attempt a;
        char id[20];
        size_t needed = 99;
        snprintf(id, sizeof id, "deflate%u", asked);
        attempt_init(&a, 0, SERVER_URL("ws", "/echo?id=%s&act=text:hi", id));
        a.options.per_message_deflate = asked;
        const struct record *open = attempt_open(&a);
        const char *offer = SERVER_HEADER(id, "Sec-WebSocket-Extensions", 1);
        if (asked) {
            CHECK_TEXT_HAS(offer, "permessage-deflate");
        } else {
            CHECK(offer == NULL);
        }
        CHECK(SERVER_HEADER(id, "Sec-WebSocket-Extensions", 2) == NULL);
        CHECK_STR(open->extensions, "");
        CHECK_STATUS(taro_socket_get_extensions(a.socket, NULL, 0, &needed), TARO_STATUS_OK);
        CHECK_UINT(needed, ==, 0);
        CHECK_STR(attempt_wait(&a, RECORD_MESSAGE, 1)->data, "hi");
        attempt_end(&a, "success complete open message release");
    }
    attempt_shutdown();
}

// --- out of range: the call did not happen

static void flags_are_0_or_1(void) {
    static const uint32_t values[] = {2, 3, 256, 0x80000000u, 0xffffffffu};
    static const size_t fields[] = {
        offsetof(taro_connect_options, tcp_no_delay),
        offsetof(taro_connect_options, per_message_deflate),
        offsetof(taro_connect_options, start_paused),
        offsetof(taro_connect_options, reserved),
    };
    const long long before = SERVER_NUMBER("accepted");
    struct attempt a;
    attempt_init(&a, 0, SERVER_URL("ws", "/echo"));
    for (size_t field = 0; field < sizeof fields / sizeof *fields; field++) {
        for (size_t at = 0; at < sizeof values / sizeof *values; at++) {
            char row[40];
            taro_connect_options options = a.options;
            snprintf(row, sizeof row, "offset %zu, value %u", fields[field], values[at]);
            attempt_row(row);
            memcpy((char *)&options + fields[field], &values[at], sizeof values[at]);
            taro_socket socket = 4711;
            CHECK_STATUS(taro_connect_socket(&options, &socket), TARO_STATUS_BAD_ARGUMENT);
            CHECK_UINT(socket, ==, 0);
        }
    }
    attempt_row(NULL);
    // A connect that is right goes through the app's thread behind whatever the others might have posted.
    attempt_open(&a);
    attempt_end(&a, "success complete open release");
    CHECK_INT(SERVER_NUMBER("accepted"), ==, before + 1);
    attempt_shutdown();
}

static const struct test tests[] = {
    TEST("L15", tcp_no_delay_is_off_unless_asked_for),
    TEST("-", an_interface_is_bound_to_if_asked_for),
    TEST("L4", an_interface_that_is_not_there),
    TEST("L4", names_that_no_interface_has),
    TEST("L5 L7", nothing_but_results_comes_before_resume),
    TEST("L7", resumed_at_once_it_is_as_any_other),
    TEST("L11", each_app_has_a_referer_of_its_own),
    TEST("L15", compression_is_offered_if_asked_for),
    TEST("L1", flags_are_0_or_1),
};

TEST_MAIN(tests)
