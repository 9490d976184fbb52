// L2, L5, L8, L18, L20: ends while large messages are on their way through permessage-deflate, of which a part is
// compressed, and the rest waits for that.
#include <errno.h>

#include "deflate.h"

// Of STUCK several are more than the system takes for a peer that reads nothing.
enum { SOME = 3, LARGE = 400 * KIB, STUCK = 4 * MIB };

// Large ones with callbacks, and a small one behind each; how many were accepted, before the socket has ended.
static size_t try_some(taro_socket socket, struct recording *sent, const unsigned char *data, size_t len) {
    size_t accepted = 0;
    for (int n = 0; n < SOME; n++) {
        const taro_send_options options = record_send_options(sent, TARO_MESSAGE_BINARY, data, len);
        const taro_status large = taro_socket_send(socket, &options), small = talk_send(socket, sent, "small");
        CHECK(large == TARO_STATUS_OK || large == TARO_STATUS_NOT_CONNECTED);
        CHECK(small == TARO_STATUS_OK || small == TARO_STATUS_NOT_CONNECTED);
        accepted += (large == TARO_STATUS_OK) + (small == TARO_STATUS_OK);
    }
    return accepted;
}

static void send_some(taro_socket socket, struct recording *sent, const unsigned char *data, size_t len) {
    CHECK_UINT(try_some(socket, sent, data, len), ==, 2 * SOME);
}

// Each of those calls has had one result, and given its user data back; how many were a success.
static size_t check_results(struct mini *mini, const char *label) {
    mini_wait(mini, RECORD_RELEASE, label, 2 * SOME);
    const size_t went = record_count(&mini->recorder, RECORD_SUCCESS, label);
    CHECK_UINT(went + record_count(&mini->recorder, RECORD_FAIL, label), ==, 2 * SOME);
    CHECK_UINT(record_count(&mini->recorder, RECORD_COMPLETE, label), ==, 2 * SOME);
    CHECK_UINT(record_count(&mini->recorder, RECORD_RELEASE, label), ==, 2 * SOME);
    for (size_t n = 1; n <= 2 * SOME - went; n++) {
        CHECK_INT(mini_find(mini, RECORD_FAIL, label, n)->status, ==, TARO_STATUS_NOT_CONNECTED);
    }
    return went;
}

// --- a close lets them go first

struct closer {
    struct mini mini;
    struct recording a, sent, closed;
    const unsigned char *data;
    int is_inside;
};

static void sends_and_closes(struct closer *closer, taro_socket socket) {
    send_some(socket, &closer->sent, closer->data, LARGE);
    CHECK_STATUS(talk_close(socket, &closer->closed, 3001, "bye"), TARO_STATUS_OK);
    CHECK_STATUS(taro_socket_send_binary(socket, closer->data, LARGE), TARO_STATUS_NOT_CONNECTED);
    CHECK_STATUS(taro_socket_send_text(socket, "late", 4), TARO_STATUS_NOT_CONNECTED);
}

static void closes_in_open(struct recording *recording, const struct record *record, const void *event) {
    struct closer *closer = recording->context;
    (void)event;
    if (record->kind == RECORD_OPEN && closer->is_inside) {
        sends_and_closes(closer, record->socket);
    }
}

static const struct {
    const char *listener;
    const char *path;
    uint32_t delivery;
    int is_inside;
} closes[] = {
    {"ws", "/sink", TARO_DELIVERY_DIRECT, 0},       {"ws", "/sink", TARO_DELIVERY_DIRECT, 1},
    {"wss", "/sink", TARO_DELIVERY_DIRECT, 0},      {"wss", "/sink", TARO_DELIVERY_HOST, 1},
    {"ws_small", "/deaf", TARO_DELIVERY_DIRECT, 0}, {"ws_small", "/deaf", TARO_DELIVERY_HOST, 1},
};

static void a_close_lets_large_messages_go_first(void) {
    static const struct talk_end end = {3001, "bye", 1, TARO_INITIATOR_HOST, TARO_CAUSE_NONE, 0};
    unsigned char *noise = deflate_noise(LARGE, 1);
    for (size_t at = 0; at < sizeof closes / sizeof *closes; at++) {
        struct closer closer = {.data = noise, .is_inside = closes[at].is_inside};
        taro_app_options options = TARO_APP_OPTIONS_INIT;
        mini_row(closes[at].listener);
        options.delivery = closes[at].delivery;
        deflate_init(&closer.mini, &options);
        struct mini *mini = &closer.mini;
        closer.a = RECORDING_ON(&mini->recorder, "a", closes_in_open, &closer);
        closer.sent = RECORDING(&mini->recorder, "sent");
        closer.closed = RECORDING(&mini->recorder, "closed");
        const taro_socket socket =
            deflate_open(mini, &closer.a, SERVER_URL(closes[at].listener, "%s?id=first&" AGREED
                                                     ";client_no_context_takeover", closes[at].path));
        if (!closer.is_inside) {
            sends_and_closes(&closer, socket);
        }
        talk_check_succeeded(mini, "closed", socket, "closeSocket:ok");
        if (closes[at].path[1] == 'd') {
            // The close was accepted although nothing of all that can go.
            CHECK_UINT(record_count(&mini->recorder, RECORD_CLOSE, "a"), ==, 0);
            SERVER_COMMAND("do first read");
        }
        talk_check_close(mini_wait(mini, RECORD_CLOSE, "a", 1), &end);
        CHECK_UINT(check_results(mini, "sent"), ==, 2 * SOME);
        CHECK_INT(record_index(&mini->recorder, RECORD_COMPLETE, "sent", 2 * SOME), <,
                  record_index(&mini->recorder, RECORD_CLOSE, "a", 1));
        SERVER_WAIT("first", "^close 3001 bye$");
        CHECK_UINT(SERVER_LOG_COUNT("first", "binary 409600 "), ==, SOME);
        CHECK_UINT(SERVER_LOG_COUNT("first", "text 5 small"), ==, SOME);
        CHECK_UINT(SERVER_LOG_COUNT("first", "opcode=8"), ==, 1);
        CHECK_UINT(SERVER_LOG_COUNT("first", "violation"), ==, 0);
        mini_end(mini);
        SERVER_COMMAND("forget first");
    }
    mini_row(NULL);
    mini_shutdown();
    free(noise);
}

// --- ends that cannot wait for them

// The server reads nothing, and what waits can never go: the close is bounded all the same.
static void a_close_has_its_bound(void) {
    static const struct talk_end end = {3001, "bye", 0, TARO_INITIATOR_HOST, TARO_CAUSE_TIMEOUT, 0};
    struct closer closer = {.data = deflate_noise(STUCK, 1)};
    struct mini *mini = &closer.mini;
    taro_app_options options = TARO_APP_OPTIONS_INIT;
    options.close_timeout_ms = 100;
    mini_init(mini, &options);
    closer.a = RECORDING(&mini->recorder, "a");
    closer.sent = RECORDING(&mini->recorder, "sent");
    closer.closed = RECORDING(&mini->recorder, "closed");
    const taro_socket socket = deflate_open(mini, &closer.a, SERVER_URL("ws_small", "/deaf?" AGREED));
    send_some(socket, &closer.sent, closer.data, STUCK);
    CHECK_STATUS(talk_close(socket, &closer.closed, 3001, "bye"), TARO_STATUS_OK);
    talk_check_close(mini_wait(mini, RECORD_CLOSE, "a", 1), &end);
    CHECK_UINT(check_results(mini, "sent"), <, 2 * SOME);
    CHECK_UINT(mini_buffered(socket), ==, 0);
    mini_wait(mini, RECORD_RELEASE, "a", 1);
    CHECK_SEQUENCE(&mini->recorder, "a", "success complete open close release");
    mini_end(mini);
    mini_shutdown();
    free((void *)(uintptr_t)closer.data);
}

// Whoever gets a close frame answers soon, in the middle of a message too (RFC 6455, 5.5.1). Where the host has closed
// as well, what its peer says is told.
static void a_close_of_the_peer_does_not_wait(void) {
    unsigned char *noise = deflate_noise(STUCK, 1);
    for (int closes_too = 0; closes_too <= 1; closes_too++) {
        const struct talk_end end = {
            4001, "go", 1, closes_too ? TARO_INITIATOR_HOST : TARO_INITIATOR_PEER, TARO_CAUSE_NONE, 0};
        struct mini mini;
        mini_init(&mini, NULL);
        struct recording a = RECORDING(&mini.recorder, "a"), sent = RECORDING(&mini.recorder, "sent"),
                         closed = RECORDING(&mini.recorder, "closed");
        const taro_socket socket = deflate_open(&mini, &a, SERVER_URL("ws_small", "/deaf?id=peer&" AGREED));
        send_some(socket, &sent, noise, STUCK);
        if (closes_too) {
            CHECK_STATUS(talk_close(socket, &closed, 3001, "bye"), TARO_STATUS_OK);
        }
        SERVER_COMMAND("do peer close:4001:go");
        // It is heard of before the server has read a byte of all that.
        EVENTUALLY(taro_socket_send_text(socket, "late", 4) == TARO_STATUS_NOT_CONNECTED);
        SERVER_COMMAND("do peer read");
        talk_check_close(mini_wait(&mini, RECORD_CLOSE, "a", 1), &end);
        const size_t went = check_results(&mini, "sent");
        CHECK_UINT(went, <, 2 * SOME);
        SERVER_WAIT("peer", closes_too ? "^close 3001 bye$" : "^close 4001$");
        CHECK_UINT(SERVER_LOG_COUNT("peer", "opcode=8"), ==, 1);
        CHECK_UINT(SERVER_LOG_COUNT("peer", "binary ") + SERVER_LOG_COUNT("peer", "text "), ==, went);
        CHECK_UINT(SERVER_LOG_COUNT("peer", "violation"), ==, 0);
        mini_wait(&mini, RECORD_RELEASE, "a", 1);
        CHECK_SEQUENCE(&mini.recorder, "a", "success complete open close release");
        mini_end(&mini);
        SERVER_COMMAND("forget peer");
    }
    mini_shutdown();
    free(noise);
}

// --- the peer goes, at many places within them

static void check_cut(const unsigned char *noise, const char *listener, size_t bytes, const char *mode,
                      uint32_t delivery) {
    char row[60];
    struct mini mini;
    taro_app_options options = TARO_APP_OPTIONS_INIT;
    snprintf(row, sizeof row, "%s, %s after %zu bytes", listener, mode, bytes);
    mini_row(row);
    options.delivery = delivery;
    deflate_init(&mini, &options);
    struct recording a = RECORDING(&mini.recorder, "a"), sent = RECORDING(&mini.recorder, "sent");
    const taro_socket socket = deflate_open(
        &mini, &a, SERVER_URL(listener, "/sink?id=cut&readcut=%zu&cutmode=%s&" AGREED ";client_no_context_takeover",
                              bytes, mode));
    const size_t accepted = try_some(socket, &sent, noise, LARGE);
    mini_wait(&mini, RECORD_RELEASE, "a", 1);
    CHECK_SEQUENCE(&mini.recorder, "a", "success complete open error close release");
    talk_check_broken(mini_find(&mini, RECORD_ERROR, "a", 1), TARO_CAUSE_RESET,
                      mini_find(&mini, RECORD_ERROR, "a", 1)->os_error);
    // What the peer has got was handed over, and that is what success says.
    const size_t went = check_results(&mini, "sent");
    CHECK_UINT(went, >=, SERVER_LOG_COUNT("cut", "binary ") + SERVER_LOG_COUNT("cut", "text "));
    CHECK_UINT(went, <=, accepted);
    if (accepted == 2 * SOME) {
        CHECK_INT(record_index(&mini.recorder, RECORD_RELEASE, "sent", accepted), <,
                  record_index(&mini.recorder, RECORD_ERROR, "a", 1));
    }
    CHECK_UINT(mini_buffered(socket), ==, 0);
    CHECK_UINT(SERVER_LOG_COUNT("cut", "violation"), ==, 0);
    mini_end(&mini);
    SERVER_COMMAND("forget cut");
}

static void the_peer_goes_in_the_middle(void) {
    static const size_t places[] = {1, 1000, 16 * KIB + 20, 100000, LARGE, LARGE + 300, 2 * LARGE, 3 * LARGE - 1000};
    unsigned char *noise = deflate_noise(LARGE, 1);
    for (size_t at = 0; at < sizeof places / sizeof *places; at++) {
        check_cut(noise, "ws", places[at], "rst", at % 2 ? TARO_DELIVERY_HOST : TARO_DELIVERY_DIRECT);
        check_cut(noise, at % 3 ? "ws" : "wss", places[at], "fin", at % 2 ? TARO_DELIVERY_DIRECT : TARO_DELIVERY_HOST);
    }
    mini_row(NULL);
    mini_shutdown();
    free(noise);
}

// --- release

// No results, and each user data comes back once, those of the calls before the socket's own.
static void a_release_in_the_middle_is_silent(void) {
    unsigned char *noise = deflate_noise(LARGE, 1);
    for (MINI_EACH_DELIVERY(delivery)) {
        for (int of_the_app = 0; of_the_app <= 1; of_the_app++) {
            for (int closes_first = 0; closes_first <= 1; closes_first++) {
                struct mini mini;
                mini_init_of(&mini, delivery);
                struct recording a = RECORDING(&mini.recorder, "a"), sent = RECORDING(&mini.recorder, "sent"),
                                 closed = RECORDING(&mini.recorder, "closed");
                const taro_socket socket = deflate_open(&mini, &a, SERVER_URL("ws_small", "/deaf?id=gone&" AGREED));
                send_some(socket, &sent, noise, LARGE);
                if (closes_first) {
                    CHECK_STATUS(talk_close(socket, &closed, 3001, NULL), TARO_STATUS_OK);
                }
                CHECK_STATUS(of_the_app ? taro_app_release(mini.app) : taro_socket_release(socket), TARO_STATUS_OK);
                if (!of_the_app) {
                    mini_wait(&mini, RECORD_RELEASE, "a", 1);
                }
                CHECK_UINT(record_count(&mini.recorder, RECORD_RELEASE, "sent"), ==, 2 * SOME);
                CHECK_UINT(record_count(&mini.recorder, RECORD_FAIL, "sent"), ==, 0);
                CHECK_UINT(record_count(&mini.recorder, RECORD_RELEASE, "closed"), ==, closes_first);
                CHECK_INT(record_index(&mini.recorder, RECORD_RELEASE, "a", 1), ==, record_len(&mini.recorder) - 1);
                CHECK_SEQUENCE(&mini.recorder, "a", "success complete open release");
                SERVER_COMMAND("do gone read");
                EVENTUALLY(SERVER_NUMBER("live gone") == 0);
                CHECK_UINT(SERVER_LOG_COUNT("gone", "violation"), ==, 0);
                if (of_the_app) {
                    recorder_end(&mini.recorder);
                } else {
                    mini_end(&mini);
                }
                SERVER_COMMAND("forget gone");
            }
        }
    }
    mini_shutdown();
    free(noise);
}

struct last {
    const unsigned char *text;
    int closes_first;
};

static void says_its_last(struct recording *recording, const struct record *record, const void *event) {
    const struct last *last = recording->context;
    (void)event;
    if (record->kind == RECORD_OPEN) {
        mini_send(record->socket, "one");
        CHECK_STATUS(taro_socket_send_text(record->socket, (const char *)last->text, MIB), TARO_STATUS_OK);
        mini_send(record->socket, "two");
        if (last->closes_first) {
            mini_close(record->socket);
        }
        CHECK_STATUS(taro_socket_release(record->socket), TARO_STATUS_OK);
    }
}

// What was accepted before the release still goes, and a close frame behind it: here nobody has to wait for the peer,
// for all of it is next to nothing on the wire. On the I/O thread, none of it is compressed before the release.
static void the_last_words_arrive(void) {
    struct last last = {.text = deflate_letters(MIB)};
    for (last.closes_first = 0; last.closes_first <= 1; last.closes_first++) {
        struct mini mini;
        mini_row(last.closes_first ? "closed before" : "open");
        mini_init(&mini, NULL);
        struct recording a = RECORDING_ON(&mini.recorder, "a", says_its_last, &last);
        deflate_connect(&mini, &a, SERVER_URL("ws", "/sink?id=last&" AGREED));
        mini_wait(&mini, RECORD_RELEASE, "a", 1);
        SERVER_WAIT("last", "^end");
        CHECK_UINT(SERVER_LOG_COUNT("last", "text 3 one"), ==, 1);
        CHECK_UINT(SERVER_LOG_COUNT("last", "text 1048576 zzz"), ==, 1);
        CHECK_UINT(SERVER_LOG_COUNT("last", "text 3 two"), ==, 1);
        CHECK_UINT(SERVER_LOG_COUNT("last", last.closes_first ? "close 1000" : "close 1001"), ==, 1);
        CHECK_UINT(SERVER_LOG_COUNT("last", "violation"), ==, 0);
        mini_end(&mini);
        SERVER_COMMAND("forget last");
    }
    mini_row(NULL);
    mini_shutdown();
    free((void *)(uintptr_t)last.text);
}

static const struct test tests[] = {
    TEST("L2 L18 L20", a_close_lets_large_messages_go_first),
    TEST("L2 L20", a_close_has_its_bound),
    TEST("L2 L5 L20", a_close_of_the_peer_does_not_wait),
    TEST("L2 L5 L18", the_peer_goes_in_the_middle),
    TEST("L8", a_release_in_the_middle_is_silent),
    TEST("-", the_last_words_arrive),
};

TEST_MAIN(tests)
