// L7: a paused socket keeps its open, message, error and close until it is resumed, and its results and drain do
// not wait. How much it keeps: pause_limit.c.
#include "blocked.h"
#include "mini.h"

static void pause_it(taro_socket socket) { CHECK_STATUS(taro_socket_pause(socket), TARO_STATUS_OK); }

static void resume_it(taro_socket socket) { CHECK_STATUS(taro_socket_resume(socket), TARO_STATUS_OK); }

// --- created paused

static void open_and_messages_wait(void) {
    for (MINI_EACH_DELIVERY(delivery)) {
        struct mini mini;
        size_t needed = 99;
        mini_init_of(&mini, delivery);
        struct recording a = RECORDING(&mini.recorder, "a");
        const taro_socket socket =
            mini_connect_paused(&mini, &a, SERVER_URL("ws", "/echo?id=created&act=text:one;text:two"));
        mini_wait(&mini, RECORD_COMPLETE, "a", 1);
        mini_in_step("created", 1);
        CHECK_SEQUENCE(&mini.recorder, "a", "success complete");
        // What was not told has not happened.
        CHECK_UINT(mini_state(socket), ==, TARO_READY_STATE_CONNECTING);
        CHECK_STATUS(taro_socket_send_text(socket, "early", 5), TARO_STATUS_NOT_CONNECTED);
        CHECK_STATUS(taro_socket_get_protocol(socket, NULL, 0, &needed), TARO_STATUS_OK);
        CHECK_UINT(needed, ==, 0);
        CHECK_UINT(mini_live(&mini), ==, 1);

        resume_it(socket);
        mini_wait(&mini, RECORD_MESSAGE, "a", 2);
        CHECK_SEQUENCE(&mini.recorder, "a", "success complete open message message");
        CHECK_STR(mini_find(&mini, RECORD_MESSAGE, "a", 1)->data, "one");
        CHECK_STR(mini_find(&mini, RECORD_MESSAGE, "a", 2)->data, "two");
        CHECK_UINT(mini_state(socket), ==, TARO_READY_STATE_OPEN);
        mini_send(socket, "three");
        CHECK_STR(mini_wait(&mini, RECORD_MESSAGE, "a", 3)->data, "three");
        mini_end(&mini);
        SERVER_COMMAND("forget created");
    }
    mini_shutdown();
}

static void a_failed_handshake_waits(void) {
    for (MINI_EACH_DELIVERY(delivery)) {
        struct mini mini;
        mini_init_of(&mini, delivery);
        struct recording a = RECORDING(&mini.recorder, "a");
        const taro_socket socket = mini_connect_paused(&mini, &a, SERVER_URL("ws", "/echo?status=403"));
        mini_wait(&mini, RECORD_COMPLETE, "a", 1);
        EVENTUALLY(mini_live(&mini) == 0);
        CHECK_SEQUENCE(&mini.recorder, "a", "success complete");
        CHECK_UINT(mini_state(socket), ==, TARO_READY_STATE_CONNECTING);
        resume_it(socket);
        CHECK_INT(mini_wait(&mini, RECORD_ERROR, "a", 1)->http_status, ==, 403);
        CHECK_UINT(mini_state(socket), ==, TARO_READY_STATE_CLOSED);
        mini_wait(&mini, RECORD_RELEASE, "a", 1);
        CHECK_SEQUENCE(&mini.recorder, "a", "success complete error release");
        mini_end(&mini);
    }
    mini_shutdown();
}

// It never becomes a socket that could be resumed.
static void a_refused_connect_does_not_wait(void) {
    for (MINI_EACH_DELIVERY(delivery)) {
        struct mini mini;
        taro_socket none = 4711;
        mini_init_of(&mini, delivery);
        struct recording a = RECORDING(&mini.recorder, "a");
        taro_connect_options options = record_connect_options(&a, "http://refused.test/");
        options.app = mini.app;
        options.start_paused = 1;
        CHECK_STATUS(taro_connect_socket(&options, &none), TARO_STATUS_INVALID_URL);
        CHECK_UINT(none, ==, 0);
        mini_wait(&mini, RECORD_COMPLETE, "a", 1);
        CHECK_STATUS(taro_app_release(mini.app), TARO_STATUS_OK);
        CHECK_SEQUENCE(&mini.recorder, "a", "fail complete release");
        recorder_end(&mini.recorder);
    }
    mini_shutdown();
}

static void resumes(struct recording *recording, const struct record *record, const void *event) {
    (void)recording, (void)event;
    if (record->kind == RECORD_COMPLETE) {
        resume_it(record->socket);
    }
}

// A binding's usual way: the script has set its handlers when the call's results have been told.
static void resumed_in_complete(void) {
    for (MINI_EACH_DELIVERY(delivery)) {
        struct mini mini;
        mini_init_of(&mini, delivery);
        struct recording a = RECORDING_ON(&mini.recorder, "a", resumes, NULL);
        mini_connect_paused(&mini, &a, SERVER_URL("ws", "/echo?act=text:hi"));
        mini_wait(&mini, RECORD_MESSAGE, "a", 1);
        CHECK_SEQUENCE(&mini.recorder, "a", "success complete open message");
        mini_end(&mini);
    }
    mini_shutdown();
}

// --- paused later: what the peer does waits, and so does what is told of it

static const struct ending {
    const char *name;
    const char *actions; // of the server
    const char *kinds;   // what follows connect's results and open
    uint32_t code;
} endings[] = {
    {"message", "text:hi", "message", 0},
    {"close", "text:hi;close:3001:bye", "message close release", 3001},
    {"reset", "text:hi;drop", "message error close release", 1006},
    {"violation", "text:hi;masked:bad", "message error close release", 1006},
};

static void end_while_paused(const struct ending *row, uint32_t delivery) {
    struct mini mini;
    char kinds[128];
    mini_init_of(&mini, delivery);
    struct recording a = RECORDING(&mini.recorder, "a");
    const taro_socket socket = mini_open(&mini, &a, SERVER_URL("ws", "/echo?id=paused"));
    pause_it(socket);
    pause_it(socket);
    SERVER_COMMAND("do paused %s", row->actions);
    if (row->code == 0) {
        mini_in_step("paused", 1);
    } else {
        EVENTUALLY(mini_live(&mini) == 0);
    }
    if (delivery == TARO_DELIVERY_HOST) {
        CHECK_STATUS(taro_app_dispatch(mini.app, 0, NULL), TARO_STATUS_OK);
    }
    CHECK_SEQUENCE(&mini.recorder, "a", "success complete open");
    CHECK_UINT(mini_state(socket), ==, TARO_READY_STATE_OPEN);
    // However often it was paused, one resume is enough.
    resume_it(socket);
    mini_wait(&mini, row->code ? RECORD_RELEASE : RECORD_MESSAGE, "a", 1);
    snprintf(kinds, sizeof kinds, "success complete open %s", row->kinds);
    CHECK_SEQUENCE(&mini.recorder, "a", kinds);
    if (row->code) {
        CHECK_UINT(mini_find(&mini, RECORD_CLOSE, "a", 1)->close_code, ==, row->code);
        CHECK_UINT(mini_state(socket), ==, TARO_READY_STATE_CLOSED);
    }
    resume_it(socket);
    pause_it(socket);
    resume_it(socket);
    mini_end(&mini);
    SERVER_COMMAND("forget paused");
}

static void what_the_peer_does_waits(void) {
    for (size_t at = 0; at < sizeof endings / sizeof *endings; at++) {
        mini_row(endings[at].name);
        for (MINI_EACH_DELIVERY(delivery)) {
            end_while_paused(&endings[at], delivery);
        }
    }
    mini_row(NULL);
    mini_shutdown();
}

static void pauses_at_three(struct recording *recording, const struct record *record, const void *event) {
    (void)recording, (void)event;
    if (record->kind == RECORD_MESSAGE && record->data.len == 1 && record->data.ptr[0] == '2') {
        pause_it(record->socket);
    }
}

// They come in one read: the rest of it waits too.
static void paused_amid_a_burst(void) {
    for (MINI_EACH_DELIVERY(delivery)) {
        struct mini mini;
        mini_init_of(&mini, delivery);
        struct recording a = RECORDING_ON(&mini.recorder, "a", pauses_at_three, NULL);
        const taro_socket socket = mini_open(&mini, &a, SERVER_URL("ws", "/echo?id=burst&act=numbers:10"));
        mini_wait(&mini, RECORD_MESSAGE, "a", 3);
        mini_in_step("burst", 1);
        if (delivery == TARO_DELIVERY_HOST) {
            CHECK_STATUS(taro_app_dispatch(mini.app, 0, NULL), TARO_STATUS_OK);
        }
        CHECK_UINT(record_count(&mini.recorder, RECORD_MESSAGE, "a"), ==, 3);
        SERVER_COMMAND("do burst numbers:2");
        mini_in_step("burst", 2);
        resume_it(socket);
        // The second '2' of them would pause it again.
        mini_wait(&mini, RECORD_MESSAGE, "a", 12);
        mini_check_numbers(&mini, "a", 0, 10);
        CHECK_STR(mini_find(&mini, RECORD_MESSAGE, "a", 11)->data, "0");
        CHECK_STR(mini_find(&mini, RECORD_MESSAGE, "a", 12)->data, "1");
        mini_end(&mini);
        SERVER_COMMAND("forget burst");
    }
    mini_shutdown();
}

static void stays_at_the_gate(struct recording *recording, const struct record *record, const void *event) {
    (void)event;
    if (record->kind == RECORD_MESSAGE && record->data.len == 4) {
        gate_pass(recording->context);
    }
}

// A pause does not wait for the callback that runs, and nothing comes after that one.
static void paused_while_a_callback_runs(void) {
    struct mini mini;
    struct gate gate;
    gate_init(&gate);
    mini_init_of(&mini, TARO_DELIVERY_DIRECT);
    struct recording a = RECORDING_ON(&mini.recorder, "a", stays_at_the_gate, &gate);
    const taro_socket socket = mini_open(&mini, &a, SERVER_URL("ws", "/echo?id=gate&act=text:stay;text:on;text:off"));
    LATCH_WAIT(&gate.entered, 1);
    pause_it(socket);
    latch_hit(&gate.open);
    mini_in_step("gate", 1);
    CHECK_SEQUENCE(&mini.recorder, "a", "success complete open message");
    resume_it(socket);
    mini_wait(&mini, RECORD_MESSAGE, "a", 3);
    CHECK_STR(mini_find(&mini, RECORD_MESSAGE, "a", 2)->data, "on");
    mini_end(&mini);
    gate_destroy(&gate);
    mini_shutdown();
}

// --- results and drain do not wait

static void results_do_not_wait(void) {
    for (MINI_EACH_DELIVERY(delivery)) {
        struct mini mini;
        mini_init_of(&mini, delivery);
        struct recording a = RECORDING(&mini.recorder, "a"), sent = RECORDING(&mini.recorder, "sent"),
                         refused = RECORDING(&mini.recorder, "refused");
        const taro_socket socket = mini_open(&mini, &a, SERVER_URL("ws", "/sink?id=results"));
        pause_it(socket);
        taro_send_options send = record_send_text_options(&sent, "while paused");
        CHECK_STATUS(taro_socket_send(socket, &send), TARO_STATUS_OK);
        mini_wait(&mini, RECORD_RELEASE, "sent", 1);
        CHECK_SEQUENCE(&mini.recorder, "sent", "success complete release");
        SERVER_WAIT("results", "^text 12 while paused");
        taro_close_options close = record_close_options(&refused, 999, NULL);
        CHECK_STATUS(taro_socket_close(socket, &close), TARO_STATUS_INVALID_CLOSE_CODE);
        mini_wait(&mini, RECORD_RELEASE, "refused", 1);
        CHECK_SEQUENCE(&mini.recorder, "refused", "fail complete release");
        CHECK_SEQUENCE(&mini.recorder, "a", "success complete open");
        mini_end(&mini);
        SERVER_COMMAND("forget results");
    }
    mini_shutdown();
}

enum { SEND_LIMIT = 64 * 1024 };

static void drain_does_not_wait(void) {
    static char bytes[SEND_LIMIT];
    for (MINI_EACH_DELIVERY(delivery)) {
        taro_app_options options = TARO_APP_OPTIONS_INIT;
        struct mini mini;
        taro_status status;
        options.delivery = delivery;
        options.send_limit_bytes = SEND_LIMIT;
        mini_init(&mini, &options);
        struct recording a = RECORDING(&mini.recorder, "a");
        const taro_socket socket = mini_open(&mini, &a, SERVER_URL("ws_small", "/deaf?id=deaf"));
        pause_it(socket);
        // Until neither the system nor the library takes more: at the latest when nothing leaves any more.
        do {
            status = taro_socket_send_binary(socket, bytes, sizeof bytes);
        } while (status == TARO_STATUS_OK);
        CHECK_STATUS(status, TARO_STATUS_FULL);
        SERVER_COMMAND("do deaf read");
        mini_wait(&mini, RECORD_DRAIN, "a", 1);
        CHECK_SEQUENCE(&mini.recorder, "a", "success complete open drain");
        mini_end(&mini);
        SERVER_COMMAND("forget deaf");
    }
    mini_shutdown();
}

// --- close and release of a paused socket

static void close_of_a_paused_socket(void) {
    for (MINI_EACH_DELIVERY(delivery)) {
        struct mini mini;
        mini_init_of(&mini, delivery);
        struct recording a = RECORDING(&mini.recorder, "a"), closed = RECORDING(&mini.recorder, "closed");
        const taro_socket socket = mini_open(&mini, &a, SERVER_URL("ws", "/echo?id=closing&onclose=3002:yes"));
        pause_it(socket);
        SERVER_COMMAND("do closing text:dropped");
        mini_in_step("closing", 1);
        taro_close_options close = record_close_options(&closed, 3001, "bye");
        CHECK_STATUS(taro_socket_close(socket, &close), TARO_STATUS_OK);
        mini_wait(&mini, RECORD_RELEASE, "closed", 1);
        CHECK_SEQUENCE(&mini.recorder, "closed", "success complete release");
        SERVER_WAIT("closing", "^close 3001 bye");
        SERVER_WAIT("closing", "^end");
        CHECK_UINT(mini_live(&mini), ==, 0);
        CHECK_SEQUENCE(&mini.recorder, "a", "success complete open");
        CHECK_UINT(mini_state(socket), ==, TARO_READY_STATE_CLOSING);
        resume_it(socket);
        mini_wait(&mini, RECORD_RELEASE, "a", 1);
        CHECK_SEQUENCE(&mini.recorder, "a", "success complete open close release");
        const struct record *record = mini_find(&mini, RECORD_CLOSE, "a", 1);
        CHECK_UINT(record->close_code, ==, 3002);
        CHECK_STR(record->reason, "yes");
        CHECK_UINT(record->was_clean, ==, 1);
        mini_end(&mini);
        SERVER_COMMAND("forget closing");
    }
    mini_shutdown();
}

static void close_before_open_was_told(void) {
    for (MINI_EACH_DELIVERY(delivery)) {
        struct mini mini;
        mini_init_of(&mini, delivery);
        struct recording a = RECORDING(&mini.recorder, "a");
        const taro_socket socket = mini_connect_paused(&mini, &a, SERVER_URL("ws", "/echo?id=untold&act=text:hi"));
        mini_wait(&mini, RECORD_COMPLETE, "a", 1);
        mini_in_step("untold", 1);
        mini_close(socket);
        SERVER_WAIT("untold", "^end");
        CHECK_SEQUENCE(&mini.recorder, "a", "success complete");
        resume_it(socket);
        mini_wait(&mini, RECORD_RELEASE, "a", 1);
        CHECK_SEQUENCE(&mini.recorder, "a", "success complete close release");
        CHECK_UINT(mini_find(&mini, RECORD_CLOSE, "a", 1)->close_code, ==, 1000);
        CHECK_UINT(mini_find(&mini, RECORD_CLOSE, "a", 1)->cause, ==, TARO_CAUSE_CANCELLED);
        mini_end(&mini);
        SERVER_COMMAND("forget untold");
    }
    mini_shutdown();
}

static void release_of_a_paused_socket(void) {
    for (int has_ended = 0; has_ended < 2; has_ended++) {
        for (MINI_EACH_DELIVERY(delivery)) {
            struct mini mini;
            mini_init_of(&mini, delivery);
            struct recording a = RECORDING(&mini.recorder, "a");
            const taro_socket socket = mini_connect_paused(
                &mini, &a, SERVER_URL("ws", "/echo?id=released&act=text:hi%s", has_ended ? ";drop" : ""));
            mini_wait(&mini, RECORD_COMPLETE, "a", 1);
            if (has_ended) {
                EVENTUALLY(mini_live(&mini) == 0);
            } else {
                mini_in_step("released", 1);
            }
            CHECK_STATUS(taro_socket_release(socket), TARO_STATUS_OK);
            mini_wait(&mini, RECORD_RELEASE, "a", 1);
            CHECK_SEQUENCE(&mini.recorder, "a", "success complete release");
            mini_end(&mini);
            SERVER_COMMAND("forget released");
        }
    }
    mini_shutdown();
}

static const struct test tests[] = {
    TEST("L7", open_and_messages_wait),
    TEST("L7", a_failed_handshake_waits),
    TEST("L2 L8", a_refused_connect_does_not_wait),
    TEST("L7", resumed_in_complete),
    TEST("L7", what_the_peer_does_waits),
    TEST("L7", paused_amid_a_burst),
    TEST("L7", paused_while_a_callback_runs),
    TEST("L7", results_do_not_wait),
    TEST("L7", drain_does_not_wait),
    TEST("L7 L20", close_of_a_paused_socket),
    TEST("L7 L20", close_before_open_was_told),
    TEST("L7 L8", release_of_a_paused_socket),
};

TEST_MAIN(tests)
