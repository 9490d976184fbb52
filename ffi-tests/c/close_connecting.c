// L20: a close before the host was told `open`, wherever the connect is, ends the socket at once.
#include "talk.h"

static const struct phase {
    const char *name;
    const char *listener;
    const char *query;
    const char *reached; // in the log of the server; NULL: closed at once
} phases[] = {
    {"at once", "ws", "stall=request", NULL},
    {"the server does not answer", "ws", "stall=request", "^header "},
    {"half of an answer", "ws", "stall=half", "^header "},
    {"a server without TLS", "tls_stall", "", NULL},
    {"within TLS", "wss", "stall=request", "^header "},
};

static const struct talk_end cancelled = {3001, "bye", 0, TARO_INITIATOR_HOST, TARO_CAUSE_CANCELLED, 0};

static void cancel(const struct phase *row, uint32_t delivery, uint32_t flavour) {
    struct mini mini;
    taro_app_options options = TARO_APP_OPTIONS_INIT;
    options.delivery = delivery;
    options.flavour = flavour;
    options.ca_file = mini_str(server_ca_file());
    mini_init(&mini, &options);
    struct recording a = RECORDING(&mini.recorder, "a"), closed = RECORDING(&mini.recorder, "closed");
    const taro_socket socket = mini_connect(&mini, &a, SERVER_URL(row->listener, "/echo?id=phase&%s", row->query));
    if (row->reached) {
        SERVER_WAIT("phase", row->reached);
    }
    CHECK_STATUS(talk_close(socket, &closed, 3001, "bye"), TARO_STATUS_OK);
    CHECK_UINT(mini_live(&mini), ==, 0);
    if (delivery == TARO_DELIVERY_HOST) {
        CHECK_UINT(mini_state(socket), ==, TARO_READY_STATE_CLOSING);
    }
    talk_check_close(mini_wait(&mini, RECORD_CLOSE, "a", 1), &cancelled);
    talk_check_succeeded(&mini, "closed", socket, "closeSocket:ok");
    mini_wait(&mini, RECORD_RELEASE, "a", 1);
    CHECK_SEQUENCE(&mini.recorder, "a", "success complete close release");
    CHECK_BEFORE(&mini.recorder, RECORD_COMPLETE, "closed", RECORD_CLOSE, "a");
    CHECK_UINT(mini_state(socket), ==, TARO_READY_STATE_CLOSED);
    // The connection goes too.
    EVENTUALLY(SERVER_NUMBER("live") == 0);
    mini_end(&mini);
    SERVER_COMMAND("forget phase");
}

static void it_is_cancelled_in_every_phase(void) {
    for (MINI_EACH_DELIVERY(delivery)) {
        for (size_t at = 0; at < sizeof phases / sizeof *phases; at++) {
            mini_row(phases[at].name);
            cancel(&phases[at], delivery, TARO_FLAVOUR_WEAPP);
            cancel(&phases[at], delivery, TARO_FLAVOUR_H5);
        }
    }
    mini_row(NULL);
    mini_shutdown();
}

// Open on the wire, but the host does not know: for it the socket is connecting. The server hears of the close.
static void an_open_that_was_not_told_is_cancelled(void) {
    for (int is_paused = 0; is_paused <= 1; is_paused++) {
        struct mini mini;
        mini_init_of(&mini, is_paused ? TARO_DELIVERY_DIRECT : TARO_DELIVERY_HOST);
        struct recording a = RECORDING(&mini.recorder, "a"), closed = RECORDING(&mini.recorder, "closed");
        const taro_socket socket = talk_bring_to(&mini, &a, is_paused ? TALK_PAUSED : TALK_NOT_TOLD_OPEN, "untold",
                                                 "act=text:one;text:two");
        CHECK_UINT(mini_state(socket), ==, TARO_READY_STATE_CONNECTING);
        CHECK_STATUS(talk_close(socket, &closed, 3001, "bye"), TARO_STATUS_OK);
        CHECK_UINT(mini_state(socket), ==, TARO_READY_STATE_CLOSING);
        SERVER_WAIT("untold", "^close 3001 bye$");
        EVENTUALLY(SERVER_NUMBER("live untold") == 0);
        if (is_paused) {
            // Results are not held, the event is.
            talk_check_succeeded(&mini, "closed", socket, "closeSocket:ok");
            CHECK_SEQUENCE(&mini.recorder, "a", "success complete");
            CHECK_UINT(mini_state(socket), ==, TARO_READY_STATE_CLOSING);
            CHECK_STATUS(taro_socket_resume(socket), TARO_STATUS_OK);
        }
        talk_check_close(mini_wait(&mini, RECORD_CLOSE, "a", 1), &cancelled);
        mini_wait(&mini, RECORD_RELEASE, "a", 1);
        CHECK_SEQUENCE(&mini.recorder, "a", "success complete close release");
        CHECK_UINT(mini_state(socket), ==, TARO_READY_STATE_CLOSED);
        mini_end(&mini);
        SERVER_COMMAND("forget untold");
    }
    mini_shutdown();
}

static void a_refused_close_lets_it_connect(void) {
    struct mini mini;
    mini_init_of(&mini, TARO_DELIVERY_HOST);
    struct recording a = RECORDING(&mini.recorder, "a"), closed = RECORDING(&mini.recorder, "closed");
    const taro_socket socket = mini_connect(&mini, &a, SERVER_URL("ws", "/echo"));
    CHECK_STATUS(talk_close(socket, &closed, 1001, NULL), TARO_STATUS_INVALID_CLOSE_CODE);
    CHECK_UINT(mini_state(socket), ==, TARO_READY_STATE_CONNECTING);
    CHECK_UINT(mini_live(&mini), ==, 1);
    mini_wait(&mini, RECORD_OPEN, "a", 1);
    CHECK_SEQUENCE(&mini.recorder, "a", "success complete open");
    CHECK_SEQUENCE(&mini.recorder, "closed", "fail complete release");
    mini_end(&mini);
    mini_shutdown();
}

static void closes_in_complete(struct recording *recording, const struct record *record, const void *event) {
    struct recording *closed = recording->context;
    (void)event;
    if (record->kind == RECORD_COMPLETE) {
        CHECK_STATUS(talk_close(record->socket, closed, 3001, "bye"), TARO_STATUS_OK);
        CHECK_STATUS(taro_socket_close(record->socket, NULL), TARO_STATUS_NOT_CONNECTED);
    }
}

static void inside_the_results_of_connect(void) {
    for (MINI_EACH_DELIVERY(delivery)) {
        struct mini mini;
        mini_init_of(&mini, delivery);
        struct recording closed = RECORDING(&mini.recorder, "closed"),
                         a = RECORDING_ON(&mini.recorder, "a", closes_in_complete, &closed);
        mini_connect(&mini, &a, SERVER_URL("ws", "/echo"));
        talk_check_close(mini_wait(&mini, RECORD_CLOSE, "a", 1), &cancelled);
        mini_wait(&mini, RECORD_RELEASE, "a", 1);
        CHECK_SEQUENCE(&mini.recorder, "a", "success complete close release");
        CHECK_SEQUENCE(&mini.recorder, "closed", "success complete release");
        mini_end(&mini);
    }
    mini_shutdown();
}

static void its_place_is_free_at_once(void) {
    static const struct talk_end end = {1000, "", 0, TARO_INITIATOR_HOST, TARO_CAUSE_CANCELLED, 0};
    struct mini mini;
    taro_app_options options = TARO_APP_OPTIONS_INIT;
    options.delivery = TARO_DELIVERY_HOST;
    options.max_sockets = 1;
    mini_init(&mini, &options);
    struct recording a = RECORDING(&mini.recorder, "a"), b = RECORDING(&mini.recorder, "b");
    mini_close(mini_connect(&mini, &a, SERVER_URL("ws", "/echo?stall=request")));
    mini_connect(&mini, &b, SERVER_URL("ws", "/echo"));
    CHECK_UINT(record_len(&mini.recorder), ==, 0);
    mini_wait(&mini, RECORD_OPEN, "b", 1);
    talk_check_close(mini_find(&mini, RECORD_CLOSE, "a", 1), &end);
    mini_end(&mini);
    mini_shutdown();
}

static const struct test tests[] = {
    TEST("L2 L20", it_is_cancelled_in_every_phase),
    TEST("L7 L20 L21", an_open_that_was_not_told_is_cancelled),
    TEST("L20", a_refused_close_lets_it_connect),
    TEST("L6 L20", inside_the_results_of_connect),
    TEST("L14 L20", its_place_is_free_at_once),
};

TEST_MAIN(tests)
