// L6, L9, L18: what callbacks send in a dispatch leaves together at its end, on the dispatching thread.
#include "talk.h"

enum { LARGE = 40000 };

// Runs inside `message`.
typedef void reply_fn(struct recording *recording, taro_socket socket);

struct replier {
    struct mini mini;
    struct recording recording;
    reply_fn *reply;
};

static void replies(struct recording *recording, const struct record *record, const void *event) {
    struct replier *replier = recording->context;
    (void)event;
    if (record->kind == RECORD_MESSAGE && replier->reply) {
        replier->reply(recording, record->socket);
    }
}

// Opens a socket, and has one message wait for the dispatch.
static taro_socket replier_init(struct replier *replier, const char *listener, const char *id, reply_fn *reply) {
    *replier = (struct replier){.reply = reply};
    taro_app_options options = TARO_APP_OPTIONS_INIT;
    options.delivery = TARO_DELIVERY_HOST;
    options.ca_file = mini_str(server_ca_file());
    mini_init(&replier->mini, &options);
    replier->recording = RECORDING_ON(&replier->mini.recorder, "a", replies, replier);
    const taro_socket socket =
        mini_open(&replier->mini, &replier->recording, SERVER_URL(listener, "/sink?id=%s", id));
    host_drain(replier->mini.app);
    SERVER_COMMAND("do %s text:go", id);
    EVENTUALLY(host_is_readable(replier->mini.app));
    return socket;
}

static void dispatch_all(const struct replier *replier) {
    CHECK_STATUS(taro_app_dispatch(replier->mini.app, 0, NULL), TARO_STATUS_OK);
}

static void replier_end(struct replier *replier) {
    mini_end(&replier->mini);
    mini_shutdown();
}

// --- it is with the operating system when the dispatch returns

static void sends_some(struct recording *recording, taro_socket socket) {
    mini_send(socket, "one");
    CHECK_STATUS(talk_send(socket, recording, "two"), TARO_STATUS_OK);
    CHECK_STATUS(taro_socket_ping(socket, "p", 1), TARO_STATUS_OK);
    mini_send(socket, "three");
}

static void it_has_left_when_the_dispatch_returns(void) {
    static const char *const listeners[] = {"ws", "wss"};
    for (size_t at = 0; at < 2; at++) {
        struct replier replier;
        mini_row(listeners[at]);
        const taro_socket socket = replier_init(&replier, listeners[at], listeners[at], sends_some);
        dispatch_all(&replier);
        CHECK_UINT(mini_buffered(socket), ==, 0);
        CHECK_UINT(mini_counters(socket).messages_sent, ==, 3);
        // The result of the one with callbacks waits for the next dispatch.
        CHECK_UINT(record_count(&replier.mini.recorder, RECORD_SUCCESS, "a"), ==, 1);
        CHECK_INT(host_is_readable(replier.mini.app), ==, 1);
        dispatch_all(&replier);
        CHECK_UINT(record_count(&replier.mini.recorder, RECORD_SUCCESS, "a"), ==, 2);
        SERVER_WAIT(listeners[at], "^text 3 one$");
        SERVER_WAIT(listeners[at], "^text 3 two$");
        SERVER_WAIT(listeners[at], "^ping 70$");
        SERVER_WAIT(listeners[at], "^text 5 three$");
        replier_end(&replier);
    }
    mini_row(NULL);
}

// --- much does not wait for the end of the callback: at most 64 KiB do

static void sends_much(struct recording *recording, taro_socket socket) {
    static const char large[LARGE];
    (void)recording;
    for (int at = 0; at < 3; at++) {
        CHECK_STATUS(taro_socket_send_binary(socket, large, LARGE), TARO_STATUS_OK);
    }
    EVENTUALLY(mini_buffered(socket) <= 65536);
}

static void much_leaves_meanwhile(void) {
    struct replier replier;
    const taro_socket socket = replier_init(&replier, "ws", "much", sends_much);
    dispatch_all(&replier);
    CHECK_UINT(mini_counters(socket).messages_sent, ==, 3);
    replier_end(&replier);
}

// --- what is sent before an end goes before it

static void sends_and_closes(struct recording *recording, taro_socket socket) {
    (void)recording;
    mini_send(socket, "last words");
    mini_close(socket);
}

static void sends_and_releases(struct recording *recording, taro_socket socket) {
    (void)recording;
    mini_send(socket, "last words");
    CHECK_STATUS(taro_socket_release(socket), TARO_STATUS_OK);
}

static void releases_the_app(struct recording *recording, taro_socket socket) {
    struct replier *replier = recording->context;
    mini_send(socket, "last words");
    CHECK_STATUS(taro_app_release(replier->mini.app), TARO_STATUS_OK);
}

static void what_is_sent_goes_before_the_end(void) {
    static const struct {
        const char *name;
        reply_fn *reply;
        const char *close;
    } rows[] = {
        {"close", sends_and_closes, "^close 1000$"},
        {"release", sends_and_releases, "^close 1001$"},
        {"app", releases_the_app, "^close 1001$"},
    };
    for (size_t at = 0; at < sizeof rows / sizeof *rows; at++) {
        struct replier replier;
        mini_row(rows[at].name);
        replier_init(&replier, "ws", rows[at].name, rows[at].reply);
        dispatch_all(&replier);
        SERVER_WAIT(rows[at].name, "^text 10 last words$");
        SERVER_WAIT(rows[at].name, rows[at].close);
        if (rows[at].reply == releases_the_app) {
            recorder_end(&replier.mini.recorder);
            mini_shutdown();
        } else {
            replier_end(&replier);
        }
    }
    mini_row(NULL);
}

// --- another app's dispatch does not write it: that of its own app is not under way

struct pair {
    struct replier inner, outer;
    taro_socket other;
};

static struct pair pair;

static void sends_on_the_other(struct recording *recording, taro_socket socket) {
    (void)recording, (void)socket;
    mini_send(pair.other, "across");
    EVENTUALLY(mini_buffered(pair.other) == 0);
}

static void a_socket_of_another_app_is_sent_for_at_once(void) {
    pair.other = replier_init(&pair.inner, "ws", "inner", NULL);
    replier_init(&pair.outer, "ws", "outer", sends_on_the_other);
    dispatch_all(&pair.outer);
    SERVER_WAIT("inner", "^text 6 across$");
    mini_end(&pair.inner.mini);
    replier_end(&pair.outer);
}

static const struct test tests[] = {
    TEST("L6 L18", it_has_left_when_the_dispatch_returns),
    TEST("L18", much_leaves_meanwhile),
    TEST("L9 L18", what_is_sent_goes_before_the_end),
    TEST("L18", a_socket_of_another_app_is_sent_for_at_once),
};

TEST_MAIN(tests)
