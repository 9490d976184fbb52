// L5, L6: when callbacks run, on which thread, and in which order. What may be called inside them: inside.c.
#include "talk.h"

// --- where they run

static _Thread_local int depth; // callbacks that this thread is in

// In every callback of a test: no other one is below it on the stack, whatever it calls.
static void enter_alone(void) {
    CHECK_INT(depth, ==, 0);
    depth++;
}

static void leave_alone(void) { depth--; }

// Two apps on one thread, each of which calls what it can on the socket of the other one, and on its own.
struct pair {
    struct mini minis[2];
    struct recording a[2];
    struct recording sent[2];
    taro_socket sockets[2];
};

static void calls_both(struct recording *recording, const struct record *record, const void *event) {
    struct pair *pair = recording->context;
    (void)event;
    enter_alone();
    if (record->kind == RECORD_MESSAGE) {
        const int own = record->socket == pair->sockets[1];
        for (int at = 0; at <= 1; at++) {
            const size_t before = record_len(&pair->minis[at].recorder);
            CHECK_STATUS(talk_send(pair->sockets[at], &pair->sent[at], "sent"), TARO_STATUS_OK);
            // That would run a whole lot.
            CHECK_STATUS(taro_socket_pause(pair->sockets[at]), TARO_STATUS_OK);
            CHECK_STATUS(taro_socket_resume(pair->sockets[at]), TARO_STATUS_OK);
            CHECK_UINT(record_len(&pair->minis[at].recorder), ==, before);
        }
        mini_refuse(&pair->minis[own], &pair->sent[own]);
        CHECK_STATUS(talk_close(record->socket, &pair->sent[own], 1000, NULL), TARO_STATUS_OK);
    }
    leave_alone();
}

static void check_thread(struct recorder *recorder, long thread) {
    for (size_t at = 0; at < record_len(recorder); at++) {
        CHECK_INT(record_at(recorder, at)->thread, ==, thread);
    }
}

static void run_pair(uint32_t delivery) {
    struct pair pair = {0};
    for (int at = 0; at <= 1; at++) {
        mini_init_of(&pair.minis[at], delivery);
        pair.a[at] = RECORDING_ON(&pair.minis[at].recorder, "a", calls_both, &pair);
        pair.sent[at] = RECORDING_ON(&pair.minis[at].recorder, "sent", calls_both, &pair);
    }
    for (int at = 0; at <= 1; at++) {
        pair.sockets[at] = mini_open(&pair.minis[at], &pair.a[at], SERVER_URL("ws", "/sink?id=pair%d", at));
    }
    // The first one talks to both; it closes, and the second one is left to itself.
    SERVER_COMMAND("do pair0 text:go");
    mini_wait(&pair.minis[0], RECORD_RELEASE, "a", 1);
    mini_wait(&pair.minis[1], RECORD_RELEASE, "sent", 1);
    CHECK_SEQUENCE(&pair.minis[0].recorder, "a", "success complete open message close release");
    const long thread = record_at(&pair.minis[0].recorder, 0)->thread;
    CHECK(delivery == TARO_DELIVERY_HOST ? thread == record_thread() : thread != record_thread());
    check_thread(&pair.minis[0].recorder, thread);
    check_thread(&pair.minis[1].recorder, thread);
    for (int at = 0; at <= 1; at++) {
        CHECK_STATUS(taro_socket_release(pair.sockets[at]), TARO_STATUS_OK);
        mini_wait(&pair.minis[at], RECORD_RELEASE, "a", 1);
        mini_end(&pair.minis[at]);
    }
    SERVER_COMMAND("forget pair0");
    SERVER_COMMAND("forget pair1");
}

static void on_the_apps_thread_and_never_on_the_callers_stack(void) {
    run_pair(TARO_DELIVERY_DIRECT);
    run_pair(TARO_DELIVERY_HOST);
    mini_shutdown();
}

// Many threads call, one runs the callbacks; another app's may run on another thread.
struct caller {
    struct test_thread thread;
    taro_socket socket;
    struct recording *sent;
    size_t sent_len;
};

enum { CALLERS = 3, CALLS = 120 };

static void calls_often(void *context) {
    const struct caller *caller = context;
    for (size_t at = 0; at < caller->sent_len; at++) {
        CHECK_STATUS(talk_send(caller->socket, &caller->sent[at], "hello"), TARO_STATUS_OK);
    }
}

static void runs_alone(struct recording *recording, const struct record *record, const void *event) {
    (void)recording, (void)record, (void)event;
    enter_alone();
    leave_alone();
}

// Results of one thread's calls come in the order of the calls; the end comes behind all of them.
static void callbacks_are_serial_and_ordered(void) {
    static struct recording sent[2][CALLERS][CALLS];
    static char labels[CALLERS][CALLS][8];
    taro_init_options init = TARO_INIT_OPTIONS_INIT;
    init.io_threads = 2;
    CHECK_STATUS(taro_init(&init), TARO_STATUS_OK);
    struct mini minis[2];
    struct recording a[2];
    struct caller callers[2][CALLERS];
    for (int app = 0; app <= 1; app++) {
        mini_init(&minis[app], NULL);
        a[app] = RECORDING_ON(&minis[app].recorder, "a", runs_alone, NULL);
        const taro_socket socket =
            mini_open(&minis[app], &a[app], SERVER_URL("ws", "/echo?id=serial%d&act=numbers:2000", app));
        for (int at = 0; at < CALLERS; at++) {
            for (int n = 0; n < CALLS; n++) {
                snprintf(labels[at][n], sizeof labels[at][n], "%d %d", at, n);
                sent[app][at][n] = RECORDING_ON(&minis[app].recorder, labels[at][n], runs_alone, NULL);
            }
            callers[app][at] = (struct caller){.socket = socket, .sent = sent[app][at], .sent_len = CALLS};
        }
    }
    for (int app = 0; app <= 1; app++) {
        for (int at = 0; at < CALLERS; at++) {
            thread_start(&callers[app][at].thread, calls_often, &callers[app][at]);
        }
    }
    for (int app = 0; app <= 1; app++) {
        for (int at = 0; at < CALLERS; at++) {
            THREAD_JOIN(&callers[app][at].thread);
        }
        mini_close(callers[app][0].socket);
        mini_wait(&minis[app], RECORD_RELEASE, "a", 1);
        for (int at = 0; at < CALLERS; at++) {
            long last = -1;
            for (int n = 0; n < CALLS; n++) {
                const long index = record_index(&minis[app].recorder, RECORD_SUCCESS, labels[at][n], 1);
                CHECK_INT(index, >, last);
                last = record_index(&minis[app].recorder, RECORD_RELEASE, labels[at][n], 1);
                CHECK_INT(last, >, index);
            }
            CHECK_INT(last, <, record_index(&minis[app].recorder, RECORD_CLOSE, "a", 1));
        }
        CHECK_INT(record_index(&minis[app].recorder, RECORD_RELEASE, "a", 1), ==,
                  record_len(&minis[app].recorder) - 1);
        const long thread = record_at(&minis[app].recorder, 0)->thread;
        CHECK_INT(thread, !=, record_thread());
        check_thread(&minis[app].recorder, thread);
        mini_end(&minis[app]);
    }
    mini_shutdown();
}

// --- results and the end

static const struct ending {
    const char *name;
    const char *actions;
    const char *sequence;
} endings[] = {
    {"closed", "close:1001:", "success complete open close release"},
    {"end of stream", "fin", "success complete open error close release"},
    {"reset", "rst", "success complete open error close release"},
    {"broken rules", "masked:hi", "success complete open error close release"},
};

static void results_of_calls_before_the_end_come_before_it(void) {
    for (size_t at = 0; at < sizeof endings / sizeof *endings; at++) {
        struct mini mini;
        char id[16];
        mini_row(endings[at].name);
        mini_init_of(&mini, TARO_DELIVERY_HOST);
        struct recording a = RECORDING(&mini.recorder, "a"), early = RECORDING(&mini.recorder, "early"),
                         wrong = RECORDING(&mini.recorder, "wrong"), late = RECORDING(&mini.recorder, "late"),
                         closed = RECORDING(&mini.recorder, "closed");
        snprintf(id, sizeof id, "ending%zu", at);
        const taro_socket socket = mini_open(&mini, &a, SERVER_URL("ws", "/sink?id=%s", id));
        for (int n = 0; n < 3; n++) {
            CHECK_STATUS(talk_send(socket, &early, "early"), TARO_STATUS_OK);
            CHECK_STATUS(talk_send(socket, &wrong, "\xff"), TARO_STATUS_PARAMETER);
        }
        CHECK_STATUS(talk_close(socket, &wrong, 1001, NULL), TARO_STATUS_INVALID_CLOSE_CODE);
        SERVER_WAIT_N(id, 3, "^text 5 early$");
        SERVER_COMMAND("do %s %s", id, endings[at].actions);
        EVENTUALLY(mini_live(&mini) == 0);
        // Nothing was told yet; for the host it is open.
        CHECK_STATUS(talk_send(socket, &late, "late"), TARO_STATUS_NOT_CONNECTED);
        CHECK_STATUS(talk_close(socket, &closed, 1000, NULL), TARO_STATUS_NOT_CONNECTED);
        mini_wait(&mini, RECORD_RELEASE, "a", 1);
        mini_wait(&mini, RECORD_RELEASE, "closed", 1);
        CHECK_SEQUENCE(&mini.recorder, "a", endings[at].sequence);
        CHECK_SEQUENCE(&mini.recorder, "late", "fail complete release");
        CHECK_SEQUENCE(&mini.recorder, "closed", "fail complete release");
        CHECK_UINT(record_count(&mini.recorder, RECORD_SUCCESS, "early"), ==, 3);
        const int first = record_count(&mini.recorder, RECORD_ERROR, "a") > 0 ? RECORD_ERROR : RECORD_CLOSE;
        CHECK_INT(record_index(&mini.recorder, RECORD_RELEASE, "early", 3), <,
                  record_index(&mini.recorder, first, "a", 1));
        CHECK_INT(record_index(&mini.recorder, RECORD_RELEASE, "wrong", 4), <,
                  record_index(&mini.recorder, first, "a", 1));
        mini_row(NULL);
        mini_end(&mini);
    }
    mini_shutdown();
}

// --- callbacks that are not there

static void only_one_callback(int kind, uint32_t delivery) {
    struct mini mini;
    taro_app_options app_options = TARO_APP_OPTIONS_INIT;
    app_options.delivery = delivery;
    mini_init(&mini, &app_options);
    mini.recorder.partial = 1;
    struct recording a = RECORDING(&mini.recorder, "a"), sent = RECORDING(&mini.recorder, "sent"),
                     closed = RECORDING(&mini.recorder, "closed"), other = RECORDING(&mini.recorder, "other");
    taro_connect_options options = record_connect_options(&a, SERVER_URL("ws", "/sink?id=one&act=text:hi"));
    options.app = mini.app;
#define KEEP(options, field, of_kind) (options).field = kind == (of_kind) ? (options).field : NULL
    KEEP(options, success, RECORD_SUCCESS);
    KEEP(options, fail, RECORD_FAIL);
    KEEP(options, complete, RECORD_COMPLETE);
    KEEP(options, open, RECORD_OPEN);
    KEEP(options, message, RECORD_MESSAGE);
    KEEP(options, error, RECORD_ERROR);
    KEEP(options, close, RECORD_CLOSE);
    KEEP(options, drain, RECORD_DRAIN);
    const taro_socket socket = mini_accepted(&options);
    mini_in_step("one", 1);
    // Another socket of the app, which tells all: this one has had its turn before.
    CHECK_STATUS(taro_socket_release(mini_open(&mini, &other, SERVER_URL("ws", "/sink"))), TARO_STATUS_OK);
    CHECK_UINT(mini_state(socket), ==, TARO_READY_STATE_OPEN);
    taro_send_options send = record_send_text_options(&sent, "hi");
    KEEP(send, success, RECORD_SUCCESS);
    KEEP(send, fail, RECORD_FAIL);
    KEEP(send, complete, RECORD_COMPLETE);
    CHECK_STATUS(taro_socket_send(socket, &send), TARO_STATUS_OK);
    taro_close_options close = record_close_options(&closed, 1000, NULL);
    KEEP(close, success, RECORD_SUCCESS);
    KEEP(close, fail, RECORD_FAIL);
    KEEP(close, complete, RECORD_COMPLETE);
    CHECK_STATUS(taro_socket_close(socket, &close), TARO_STATUS_OK);
    mini_wait(&mini, RECORD_RELEASE, "a", 1);
    mini_wait(&mini, RECORD_RELEASE, "sent", 1);
    mini_wait(&mini, RECORD_RELEASE, "closed", 1);
    mini_wait(&mini, RECORD_RELEASE, "other", 1);
    const int is_result = kind == RECORD_SUCCESS || kind == RECORD_COMPLETE;
    const int is_event = kind == RECORD_OPEN || kind == RECORD_MESSAGE || kind == RECORD_CLOSE;
    CHECK_UINT(record_count(&mini.recorder, kind, "a"), ==, is_result || is_event);
    CHECK_UINT(record_count(&mini.recorder, kind, "sent"), ==, is_result);
    CHECK_UINT(record_count(&mini.recorder, kind, "closed"), ==, is_result);
    CHECK_SEQUENCE(&mini.recorder, "other", "success complete open release");
    CHECK_UINT(record_len(&mini.recorder) - 4, ==, 3 + 3 * is_result + is_event);
    mini_end(&mini);
    SERVER_COMMAND("forget one");
}

static void every_callback_may_be_left_out(void) {
    for (MINI_EACH_DELIVERY(delivery)) {
        for (int kind = RECORD_SUCCESS; kind <= RECORD_DRAIN; kind++) {
            mini_row(record_kind_name(kind));
            only_one_callback(kind, delivery);
        }
    }
    mini_row(NULL);
    mini_shutdown();
}

static const struct test tests[] = {
    TEST("L6", on_the_apps_thread_and_never_on_the_callers_stack),
    TEST("L5 L6", callbacks_are_serial_and_ordered),
    TEST("L2 L5", results_of_calls_before_the_end_come_before_it),
    TEST("L5", every_callback_may_be_left_out),
};

TEST_MAIN(tests)
