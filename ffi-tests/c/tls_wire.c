// L4, L5, L9, L13, L21: wss on the wire: handshakes that are none, data both ways, and ends without close_notify.
#include <arpa/inet.h>
#include <errno.h>
#include <sys/socket.h>
#include <unistd.h>

#include "answer.h"
#include "sha256.h"

// Application data of the right length, encrypted with no key of this connection.
#define WRONG_RECORD "1703030020000102030405060708090a0b0c0d0e0f000102030405060708090a0b0c0d0e0f"

static taro_app app_with_ca(void) {
    taro_app_options options = TARO_APP_OPTIONS_INIT;
    options.ca_file = attempt_str(server_ca_file());
    return attempt_app(&options);
}

// --- handshakes that are none

static void bytes_that_are_no_tls(void) {
    struct failing failing;
    failing_init(&failing, app_with_ca(), TARO_FLAVOUR_WEAPP, SERVER_URL("tls_garbage", "/echo"));
    const struct record *error = failing_wait(&failing);
    CHECK_INT(error->status, ==, TARO_STATUS_CONNECTION_FAILED);
    CHECK_UINT(error->cause, ==, TARO_CAUSE_TLS);
    CHECK_UINT(error->tls_error, ==, TARO_TLS_ERROR_PROTOCOL);
    CHECK_INT(error->http_status, ==, 0);
    CHECK_INT(error->os_error, ==, 0);
    failing_end(&failing);
    attempt_shutdown();
}

// An end is no alert and no garbage: it is told as an end.
static void an_end_within_the_handshake(void) {
    static const struct {
        const char *listener;
        int os_error;
    } rows[] = {{"drop", 0}, {"reset", ECONNRESET}};
    const taro_app app = app_with_ca();
    for (size_t at = 0; at < 2; at++) {
        char url[60];
        struct failing failing;
        attempt_row(rows[at].listener);
        snprintf(url, sizeof url, "wss://127.0.0.1:%u/", server_port(rows[at].listener));
        failing_init(&failing, app, TARO_FLAVOUR_WEAPP, url);
        const struct record *error = failing_wait(&failing);
        CHECK_UINT(error->cause, ==, TARO_CAUSE_RESET);
        CHECK_INT(error->os_error, ==, rows[at].os_error);
        failing_end(&failing);
    }
    attempt_row(NULL);
    attempt_shutdown();
}

static void a_server_that_says_nothing(void) {
    const taro_app app = app_with_ca();
    struct failing failing;
    failing_init(&failing, app, TARO_FLAVOUR_WEAPP, SERVER_URL("tls_stall", "/echo"));
    failing.attempt.options.timeout_ms = 100;
    const struct record *error = failing_wait(&failing);
    CHECK_INT(error->status, ==, TARO_STATUS_CONNECT_TIMEOUT);
    CHECK_UINT(error->cause, ==, TARO_CAUSE_TIMEOUT);
    CHECK_INT(error->os_error, ==, 0);
    failing_end(&failing);

    // The host's own end cancels it as well.
    struct attempt a;
    SERVER_COMMAND("forget tls_stall");
    attempt_init(&a, app, SERVER_URL("tls_stall", "/echo"));
    attempt_begin(&a);
    SERVER_WAIT("tls_stall", "^accept");
    CHECK_STATUS(taro_socket_close(a.socket, NULL), TARO_STATUS_OK);
    const struct record *closed = attempt_wait(&a, RECORD_CLOSE, 1);
    CHECK_UINT(closed->close_code, ==, 1000);
    CHECK_UINT(closed->cause, ==, TARO_CAUSE_CANCELLED);
    SERVER_WAIT("tls_stall", "^end");
    attempt_end(&a, "success complete close release");
    attempt_shutdown();
}

// A server whose answer to ClientHello is a fatal alert (RFC 8446, 6.2).
struct alerter {
    int listener;
    unsigned char description;
};

static void alert(void *context) {
    const struct alerter *alerter = context;
    const unsigned char record[] = {21, 3, 3, 0, 2, 2, alerter->description};
    unsigned char hello[4096];
    const int peer = accept(alerter->listener, NULL, NULL);
    CHECK_INT(peer, >=, 0);
    CHECK_INT(recv(peer, hello, sizeof hello, 0), >, 0);
    CHECK_INT(hello[0], ==, 22); // a handshake record
    CHECK_INT(send(peer, record, sizeof record, MSG_NOSIGNAL), ==, sizeof record);
    // What the client says to that; then its end.
    while (recv(peer, hello, sizeof hello, 0) > 0) {
    }
    close(peer);
}

static void a_fatal_alert_of_the_server(void) {
    static const struct {
        unsigned char description;
        const char *detail;
    } rows[] = {{40, "HandshakeFailure"}, {70, "ProtocolVersion"}, {112, "UnrecognisedName"}};
    struct sockaddr_in address = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    socklen_t len = sizeof address;
    struct alerter alerter = {socket(AF_INET, SOCK_STREAM, 0), 0};
    CHECK_INT(bind(alerter.listener, (struct sockaddr *)&address, len), ==, 0);
    CHECK_INT(listen(alerter.listener, 1), ==, 0);
    CHECK_INT(getsockname(alerter.listener, (struct sockaddr *)&address, &len), ==, 0);
    const taro_app app = app_with_ca();
    for (size_t at = 0; at < sizeof rows / sizeof *rows; at++) {
        char url[60];
        struct test_thread thread;
        struct failing failing;
        attempt_row(rows[at].detail);
        alerter.description = rows[at].description;
        snprintf(url, sizeof url, "wss://127.0.0.1:%u/", ntohs(address.sin_port));
        failing_init(&failing, app, TARO_FLAVOUR_WEAPP, url);
        thread_start(&thread, alert, &alerter);
        const struct record *error = failing_wait(&failing);
        CHECK_UINT(error->cause, ==, TARO_CAUSE_TLS);
        CHECK_UINT(error->tls_error, ==, TARO_TLS_ERROR_PROTOCOL);
        CHECK_STR_HAS(error->tls_detail, rows[at].detail);
        failing_end(&failing);
        THREAD_JOIN(&thread);
    }
    attempt_row(NULL);
    close(alerter.listener);
    attempt_shutdown();
}

// --- data

static void a_large_message_each_way(void) {
    static const char *const listeners[] = {"wss", "wss12"};
    const size_t large = wait_slow() > 5 ? 300000 : 4 * 1024 * 1024 + 1;
    const taro_app app = app_with_ca();
    char *data = malloc(large), ours[SHA256_TEXT], theirs[SHA256_TEXT];
    CHECK(data != NULL);
    for (size_t at = 0; at < large; at++) {
        data[at] = (char)(at * 7 % 253);
    }
    struct sha256 hash;
    sha256_init(&hash);
    sha256_add(&hash, data, large);
    sha256_text(&hash, ours);
    for (size_t at = 0; at < 2; at++) {
        struct attempt a;
        attempt_init(&a, app, SERVER_URL(listeners[at], "/echo?id=large%zu", at));
        attempt_open(&a);
        CHECK_STATUS(taro_socket_send_binary(a.socket, data, large), TARO_STATUS_OK);
        const struct record *message = attempt_wait(&a, RECORD_MESSAGE, 1);
        CHECK_UINT(message->message_kind, ==, TARO_MESSAGE_BINARY);
        CHECK_UINT(message->data.len, ==, large);
        sha256_init(&hash);
        sha256_add(&hash, message->data.ptr, message->data.len);
        sha256_text(&hash, theirs);
        CHECK_TEXT(theirs, ours);
        CHECK_TEXT(SERVER_COMMAND("hash large%zu", at) + strlen("ok "), ours);
        taro_socket_counters counters = TARO_SOCKET_COUNTERS_INIT;
        CHECK_STATUS(taro_socket_get_counters(a.socket, &counters), TARO_STATUS_OK);
        CHECK_UINT(counters.payload_bytes_sent, ==, large);
        CHECK_UINT(counters.payload_bytes_received, ==, large);
        // TLS is counted: each record has a head and a tag.
        CHECK_UINT(counters.wire_bytes_sent, >, large + large / 16384 * 20);
        CHECK_UINT(counters.wire_bytes_received, >, large + large / 16384 * 20);
        attempt_end(&a, "success complete open message release");
    }
    free(data);
    attempt_shutdown();
}

static void close_ends_tls_too(void) {
    const taro_app app = app_with_ca();
    struct attempt a;
    attempt_init(&a, app, SERVER_URL("wss", "/sink?id=closing"));
    attempt_open(&a);
    CHECK_STATUS(taro_socket_send_text(a.socket, "last", 4), TARO_STATUS_OK);
    CHECK_STATUS(taro_socket_close(a.socket, NULL), TARO_STATUS_OK);
    const struct record *closed = attempt_wait(&a, RECORD_CLOSE, 1);
    CHECK_UINT(closed->close_code, ==, 1000);
    CHECK_UINT(closed->was_clean, ==, 1);
    SERVER_WAIT("closing", "^text 4 last");
    SERVER_WAIT("closing", "^close 1000");
    attempt_end(&a, "success complete open close release");
    // The server stays to hear it: close_notify, no bare end of the stream.
    attempt_init(&a, app, SERVER_URL("wss", "/echo?id=lingering&linger=1"));
    attempt_open(&a);
    CHECK_STATUS(taro_socket_close(a.socket, NULL), TARO_STATUS_OK);
    attempt_wait(&a, RECORD_CLOSE, 1);
    SERVER_WAIT("lingering", "^tlsclose");
    attempt_end(&a, "success complete open close release");
    attempt_shutdown();
}

// --- ends that an attacker on the path can bring about, and bytes that one can change

static const struct cut {
    const char *name;
    const char *listener;
    const char *actions;
    size_t messages;
    uint32_t cause;
    int os_error;
} cuts[] = {
    {"within a message", "wss", "text:one;head:2:100;frame:6162;drop", 1, TARO_CAUSE_RESET, 0},
    {"within a message, TLS 1.2", "wss12", "text:one;head:2:100;frame:6162;drop", 1, TARO_CAUSE_RESET, 0},
    {"within a fragmented message", "wss", "frame:01026162;drop", 0, TARO_CAUSE_RESET, 0},
    {"within a frame's head", "wss", "text:one;frame:82;drop", 1, TARO_CAUSE_RESET, 0},
    {"within a record", "wss", "text:one;under:1703030100aabb;drop", 1, TARO_CAUSE_RESET, 0},
    {"between two messages", "wss", "text:one;text:two;drop", 2, TARO_CAUSE_RESET, 0},
    {"before any message", "wss", "drop", 0, TARO_CAUSE_RESET, 0},
    {"a reset between two", "wss", "text:one;rst", 1, TARO_CAUSE_RESET, ECONNRESET},
    {"a reset between two, TLS 1.2", "wss12", "text:one;rst", 1, TARO_CAUSE_RESET, ECONNRESET},
    {"a reset between two, no TLS", "ws", "text:one;rst", 1, TARO_CAUSE_RESET, ECONNRESET},
    // The peer keeps TCP open, and says that nothing follows.
    {"close_notify within a message", "wss", "text:one;head:2:100;frame:6162;tlsclose", 1, TARO_CAUSE_RESET, 0},
    {"close_notify between two", "wss", "text:one;tlsclose", 1, TARO_CAUSE_RESET, 0},
    {"close_notify alone", "wss", "tlsclose", 0, TARO_CAUSE_RESET, 0},
    {"close_notify alone, TLS 1.2", "wss12", "tlsclose", 0, TARO_CAUSE_RESET, 0},
    {"a record that does not decrypt", "wss", "text:one;under:" WRONG_RECORD, 1, TARO_CAUSE_TLS, 0},
    {"the same, TLS 1.2", "wss12", "text:one;under:" WRONG_RECORD, 1, TARO_CAUSE_TLS, 0},
    {"no record", "wss", "text:one;under:474554202f20485454502f312e310d0a", 1, TARO_CAUSE_TLS, 0},
};

// `opened`: the host was told of `open`, so it is told of all that came before the end.
static void check_cut_off(struct attempt *a, const struct cut *row, int opened) {
    char kinds[100] = "success complete open";
    attempt_wait(a, RECORD_RELEASE, 1);
    const struct record *error = attempt_find(a, RECORD_ERROR), *closed = attempt_find(a, RECORD_CLOSE);
    for (size_t at = 0; at < row->messages; at++) {
        strcat(kinds, " message");
    }
    CHECK(error != NULL);
    CHECK_INT(error->status, ==, TARO_STATUS_CONNECTION_FAILED);
    CHECK_STR(error->err_msg, "connectSocket:fail WebSocket connection failed");
    CHECK_UINT(error->cause, ==, row->cause);
    CHECK_INT(error->os_error, ==, row->os_error);
    CHECK_UINT(error->tls_error, ==, row->cause == TARO_CAUSE_TLS ? TARO_TLS_ERROR_PROTOCOL : TARO_TLS_ERROR_NONE);
    CHECK_INT(error->tls_detail.len > 0, ==, row->cause == TARO_CAUSE_TLS);
    if (!opened) {
        attempt_end(a, "success complete error release");
        return;
    }
    CHECK(closed != NULL);
    CHECK_STR(attempt_find(a, RECORD_OPEN)->peer_address, server_address(row->listener));
    CHECK_UINT(closed->close_code, ==, 1006);
    CHECK_STR(closed->reason, "abnormal closure");
    CHECK_UINT(closed->was_clean, ==, 0);
    CHECK_UINT(closed->initiator, ==, TARO_INITIATOR_NONE);
    CHECK_UINT(closed->cause, ==, row->cause);
    CHECK_INT(closed->os_error, ==, row->os_error);
    attempt_end(a, strcat(kinds, " error close release"));
}

// Another socket of the same app, whose callback keeps the library's thread: what the server sends meanwhile
// comes in one read.
struct blocker {
    struct attempt attempt;
    struct latch gate;
    char id[20];
};

static void blocks(struct recording *recording, const struct record *record, const void *event) {
    (void)event;
    if (record->kind == RECORD_MESSAGE) {
        LATCH_WAIT((struct latch *)recording->context, 1);
    }
}

static void blocker_init(struct blocker *blocker, taro_app app, size_t number) {
    snprintf(blocker->id, sizeof blocker->id, "blocker%zu", number);
    latch_init(&blocker->gate);
    attempt_init_on(&blocker->attempt, app, SERVER_URL("ws", "/echo?id=%s", blocker->id), blocks);
    blocker->attempt.recording.context = &blocker->gate;
    attempt_open(&blocker->attempt);
}

static void blocker_block(struct blocker *blocker) {
    SERVER_COMMAND("do %s text:block", blocker->id);
    attempt_wait(&blocker->attempt, RECORD_MESSAGE, 1);
}

// The server acts on that connection, and has done so when the library's thread goes on.
static void blocker_act(struct blocker *blocker, const char *id, const char *first, const struct cut *row) {
    blocker_block(blocker);
    SERVER_COMMAND("do %s %s%s", id, first, row->actions);
    if (row->os_error) {
        SERVER_WAIT(id, "^end");
    }
    latch_hit(&blocker->gate);
}

static void blocker_end(struct blocker *blocker) {
    attempt_end(&blocker->attempt, "success complete open message release");
    latch_destroy(&blocker->gate);
}

static void an_end_without_close_is_unclean(void) {
    const taro_app app = app_with_ca();
    for (size_t at = 0; at < sizeof cuts / sizeof *cuts; at++) {
        struct attempt a;
        struct blocker blocker;
        char id[20];
        attempt_row(cuts[at].name);
        blocker_init(&blocker, app, at);
        snprintf(id, sizeof id, "open%zu", at);
        attempt_init(&a, app, SERVER_URL(cuts[at].listener, "/echo?id=%s", id));
        attempt_open(&a);
        blocker_act(&blocker, id, "", &cuts[at]);
        check_cut_off(&a, &cuts[at], 1);
        blocker_end(&blocker);
    }
    attempt_row(NULL);
    attempt_shutdown();
}

// All of it comes in one read with the end of the answer to the upgrade request.
static void an_end_behind_the_answer_is_unclean_too(void) {
    static const char most[] = ANSWER_101 ANSWER_FIELDS;
    const taro_app app = app_with_ca();
    for (size_t at = 0; at < sizeof cuts / sizeof *cuts; at++) {
        struct attempt a;
        struct blocker blocker;
        char id[20], query[30];
        attempt_row(cuts[at].name);
        blocker_init(&blocker, app, sizeof cuts / sizeof *cuts + at);
        snprintf(id, sizeof id, "early%zu", at);
        snprintf(query, sizeof query, "&id=%s", id);
        attempt_init(&a, app, answer_url(cuts[at].listener, most, sizeof most - 1, query));
        attempt_begin(&a);
        SERVER_WAIT(id, "^open");
        blocker_act(&blocker, id, "frame:0d0a;", &cuts[at]);
        attempt_wait(&a, RECORD_ERROR, 1);
        // A record that is wrong may spoil the handshake with which it was read; an end may not.
        const int opened = record_count(&a.recorder, RECORD_OPEN, "a") == 1;
        CHECK(opened || cuts[at].cause == TARO_CAUSE_TLS);
        check_cut_off(&a, &cuts[at], opened);
        blocker_end(&blocker);
    }
    attempt_row(NULL);
    attempt_shutdown();
}

// Whoever finds a record wrong says so before it ends the connection (RFC 8446, 6.2).
static void a_wrong_record_is_answered_with_an_alert(void) {
    static const char *const listeners[] = {"wss", "wss12"};
    const taro_app app = app_with_ca();
    for (size_t at = 0; at < 2; at++) {
        struct attempt a;
        char id[20];
        snprintf(id, sizeof id, "alert%zu", at);
        attempt_init(&a, app, SERVER_URL(listeners[at], "/echo?id=%s", id));
        attempt_open(&a);
        SERVER_COMMAND("do %s under:" WRONG_RECORD, id);
        attempt_wait(&a, RECORD_CLOSE, 1);
        CHECK_TEXT_HAS(SERVER_WAIT(id, "^(tlsalert|eof|reset)"), "BAD_RECORD_MAC");
        attempt_end(&a, "success complete open error close release");
    }
    attempt_shutdown();
}

// What ends the connection is the close frame, which nobody on the path can forge.
static void a_close_frame_without_close_notify_is_clean(void) {
    struct attempt a;
    attempt_init(&a, app_with_ca(), SERVER_URL("wss", "/echo?act=text:one;close:4000:bye;fin"));
    attempt_begin(&a);
    const struct record *closed = attempt_wait(&a, RECORD_CLOSE, 1);
    CHECK_UINT(closed->close_code, ==, 4000);
    CHECK_STR(closed->reason, "bye");
    CHECK_UINT(closed->was_clean, ==, 1);
    CHECK_UINT(closed->initiator, ==, TARO_INITIATOR_PEER);
    CHECK_UINT(closed->cause, ==, TARO_CAUSE_NONE);
    attempt_end(&a, "success complete open message close release");
    attempt_shutdown();
}

static const struct test tests[] = {
    TEST("L4 L5", bytes_that_are_no_tls),
    TEST("L13 L20", a_server_that_says_nothing),
    TEST("L4 L5", a_fatal_alert_of_the_server),
    TEST("L9", a_large_message_each_way),
    TEST("L20 L21", close_ends_tls_too),
    TEST("L4 L5 L21", an_end_without_close_is_unclean),
    TEST("L21", a_close_frame_without_close_notify_is_clean),
    TEST("L4 L5 L21", an_end_behind_the_answer_is_unclean_too),
    TEST("-", a_wrong_record_is_answered_with_an_alert),
    TEST("L4 L5", an_end_within_the_handshake),
};

TEST_MAIN(tests)
