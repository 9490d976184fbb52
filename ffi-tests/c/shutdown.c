// L30: shutdown ends everything, or times out and has freed nothing. By place of the call: lifecycle.c.
#include "blocked.h"
#include "calls.h"
#include "mini.h"
#include "process.h"

static taro_status shutdown_at_leisure(void) { return taro_shutdown(WAIT_MS * wait_slow()); }

// --- what it ends

static void nothing_to_end(void) {
    const long threads = process_threads(NULL);
    CHECK_STATUS(taro_shutdown(0), TARO_STATUS_OK);
    CHECK_STATUS(taro_shutdown(UINT32_MAX), TARO_STATUS_OK);
    CHECK_INT(process_threads(NULL), ==, threads);
}

static void an_app_without_a_thread(void) {
    taro_app_options options = TARO_APP_OPTIONS_INIT;
    struct mini mini;
    struct recording app = RECORDING(&mini.recorder, "app");
    const long threads = process_threads(NULL);
    options.user_data = &app;
    options.release = record_release;
    mini_init(&mini, &options);
    CHECK_STATUS(taro_shutdown(0), TARO_STATUS_OK);
    CHECK_SEQUENCE(&mini.recorder, "app", "release");
    CHECK_STATUS(taro_app_release(mini.app), TARO_STATUS_BAD_HANDLE);
    CHECK_STATUS(taro_shutdown(0), TARO_STATUS_OK);
    CHECK_SEQUENCE(&mini.recorder, "app", "release");
    // Fewer may be: a thread of the test before may have been counted on its way out.
    CHECK_INT(process_threads(NULL), <=, threads);
    recorder_end(&mini.recorder);
}

enum { APPS = 4, ROUNDS = 3 };

// One round of a library's life: apps of both deliveries on three I/O threads, sockets in several states.
static void live_and_end(taro_socket seen[APPS]) {
    taro_init_options init = TARO_INIT_OPTIONS_INIT;
    struct mini minis[APPS];
    struct recording open[APPS], connecting[APPS], sent[APPS];
    init.io_threads = 3;
    CHECK_STATUS(taro_init(&init), TARO_STATUS_OK);
    for (size_t at = 0; at < APPS; at++) {
        struct mini *mini = &minis[at];
        mini_init_of(mini, at % 2 ? TARO_DELIVERY_HOST : TARO_DELIVERY_DIRECT);
        open[at] = RECORDING(&mini->recorder, "open");
        connecting[at] = RECORDING(&mini->recorder, "connecting");
        sent[at] = RECORDING(&mini->recorder, "sent");
        seen[at] = mini_open(mini, &open[at], SERVER_URL("ws", "/deaf"));
        mini_connect(mini, &connecting[at], SERVER_URL("ws", "/echo?stall=request"));
        mini_wait(mini, RECORD_COMPLETE, "connecting", 1);
        CHECK_STATUS(taro_socket_pause(seen[at]), TARO_STATUS_OK);
    }
    if (process_threads(NULL) > 0) {
        CHECK_INT(process_threads("taro-io"), ==, 3);
    }
    static char bytes[8 * 1024 * 1024];
    taro_send_options send = record_send_options(&sent[0], TARO_MESSAGE_BINARY, bytes, sizeof bytes);
    CHECK_STATUS(taro_socket_send(seen[0], &send), TARO_STATUS_OK);
    CHECK_STATUS(shutdown_at_leisure(), TARO_STATUS_OK);
    for (size_t at = 0; at < APPS; at++) {
        // Silent: no event, no result.
        CHECK_SEQUENCE(&minis[at].recorder, "open", "success complete open release");
        CHECK_SEQUENCE(&minis[at].recorder, "connecting", "success complete release");
        CHECK_SEQUENCE(&minis[at].recorder, "sent", at == 0 ? "release" : "");
        CHECK_STATUS(taro_socket_release(seen[at]), TARO_STATUS_BAD_HANDLE);
        CHECK_STATUS(taro_app_release(minis[at].app), TARO_STATUS_BAD_HANDLE);
        recorder_end(&minis[at].recorder);
    }
}

static void threads_and_descriptors_are_gone(void) {
    taro_socket seen[ROUNDS][APPS];
    server_start();
    SERVER_NUMBER("accepted"); // the kit's own connection is there
    const long threads = process_threads(NULL), descriptors = process_descriptors();
    for (size_t round = 0; round < ROUNDS; round++) {
        live_and_end(seen[round]);
        CHECK_INT(process_threads("taro-io"), ==, threads < 0 ? -1 : 0);
        CHECK_INT(process_threads(NULL), ==, threads);
        CHECK_INT(process_descriptors(), ==, descriptors);
        // Ids are not used again.
        for (size_t before = 0; before < round; before++) {
            for (size_t at = 0; at < APPS * APPS; at++) {
                CHECK_UINT(seen[before][at / APPS], !=, seen[round][at % APPS]);
            }
        }
    }
}

static void retains(struct recording *recording, const struct record *record, const void *event) {
    struct call_target *target = recording->context;
    void *data;
    size_t data_len;
    (void)event;
    if (record->kind == RECORD_MESSAGE) {
        CHECK_STATUS(taro_message_retain(record->message, &data, &data_len), TARO_STATUS_OK);
        target->message = record->message;
    }
}

static void retained_messages_stay(void) {
    struct call_target target = {0, 0, 0};
    struct mini mini;
    void *data = NULL;
    size_t data_len = 0;
    mini_init_of(&mini, TARO_DELIVERY_HOST);
    struct recording a = RECORDING_ON(&mini.recorder, "a", retains, &target);
    mini_connect(&mini, &a, SERVER_URL("ws", "/echo?act=text:kept"));
    mini_wait(&mini, RECORD_MESSAGE, "a", 1);
    CHECK_STATUS(shutdown_at_leisure(), TARO_STATUS_OK);
    CHECK_STATUS(taro_message_retain(target.message, &data, &data_len), TARO_STATUS_OK);
    CHECK_BYTES(data, data_len, "kept", 4);
    memset(data, 'x', data_len);
    CHECK_STATUS(shutdown_at_leisure(), TARO_STATUS_OK);
    CHECK_BYTES(data, data_len, "xxxx", 4);
    CHECK_STATUS(taro_message_release(target.message), TARO_STATUS_OK);
    CHECK_STATUS(taro_message_release(target.message), TARO_STATUS_BAD_HANDLE);
    recorder_end(&mini.recorder);
}

// --- a callback that does not end

struct stuck {
    struct mini mini, other;
    struct recording a, app, elsewhere;
    struct gate gate;
    struct test_thread dispatcher;
    taro_socket socket;
};

static void stands_at_the_gate(struct recording *recording, const struct record *record, const void *event) {
    struct stuck *stuck = recording->context;
    (void)event;
    if (record->kind == RECORD_OPEN) {
        gate_pass(&stuck->gate);
    }
}

static void dispatches_until_open(void *context) {
    struct stuck *stuck = context;
    HOST_LOOP_UNTIL(stuck->mini.app, record_count(&stuck->mini.recorder, RECORD_OPEN, "a") > 0);
}

// An app whose callback stands at the gate, and another one with an open socket.
static void stuck_begin(struct stuck *stuck, uint32_t delivery) {
    taro_app_options options = TARO_APP_OPTIONS_INIT;
    memset(stuck, 0, sizeof *stuck);
    gate_init(&stuck->gate);
    stuck->app = RECORDING(&stuck->mini.recorder, "app");
    options.delivery = delivery;
    options.user_data = &stuck->app;
    options.release = record_release;
    mini_init(&stuck->mini, &options);
    // On the same I/O thread: before that one is stuck.
    mini_init_of(&stuck->other, TARO_DELIVERY_DIRECT);
    stuck->elsewhere = RECORDING(&stuck->other.recorder, "elsewhere");
    mini_open(&stuck->other, &stuck->elsewhere, SERVER_URL("ws", "/echo"));
    stuck->a = RECORDING_ON(&stuck->mini.recorder, "a", stands_at_the_gate, stuck);
    stuck->socket = mini_connect(&stuck->mini, &stuck->a, SERVER_URL("ws", "/echo?act=text:never"));
    if (delivery == TARO_DELIVERY_HOST) {
        thread_start(&stuck->dispatcher, dispatches_until_open, stuck);
    }
    LATCH_WAIT(&stuck->gate.entered, 1);
}

static void stuck_end(struct stuck *stuck) {
    if (stuck->mini.delivery == TARO_DELIVERY_HOST) {
        THREAD_JOIN(&stuck->dispatcher);
    }
    CHECK_SEQUENCE(&stuck->mini.recorder, "a", "success complete open release");
    CHECK_SEQUENCE(&stuck->mini.recorder, "app", "release");
    CHECK_SEQUENCE(&stuck->other.recorder, "elsewhere", "success complete open release");
    CHECK_TEXT(record_at(&stuck->mini.recorder, record_len(&stuck->mini.recorder) - 1)->label, "app");
    recorder_end(&stuck->mini.recorder);
    recorder_end(&stuck->other.recorder);
    gate_destroy(&stuck->gate);
}

static void check_nothing_is_freed(struct stuck *stuck) {
    CHECK_UINT(record_count(&stuck->mini.recorder, RECORD_RELEASE, NULL), ==, 0);
    CHECK_UINT(record_count(&stuck->other.recorder, RECORD_RELEASE, NULL), ==, 0);
}

static int runs_during_shutdown(const char *name) {
    return strcmp(name, "taro_shutdown") == 0 || strncmp(name, "taro_message_", 13) == 0;
}

static void it_times_out_and_frees_nothing(void) {
    for (MINI_EACH_DELIVERY(delivery)) {
        struct stuck stuck;
        stuck_begin(&stuck, delivery);
        for (uint32_t timeout = 0; timeout < 3; timeout++) {
            const int64_t start = clock_ns();
            CHECK_STATUS(taro_shutdown(10 * timeout), TARO_STATUS_TIMED_OUT);
            CHECK_INT(clock_ns() - start, >=, (int64_t)timeout * 10 * 1000000);
            check_nothing_is_freed(&stuck);
        }
        // It has begun: nothing else is let in until it is over.
        const struct call_target target = {stuck.mini.app, stuck.socket, 1};
        for (size_t at = 0; at < CALLS; at++) {
            if (!runs_during_shutdown(calls[at].name)) {
                const struct call_result result = calls[at].run(&target);
                if (result.status != TARO_STATUS_BAD_HANDLE) {
                    CHECK_STATUS(result.status, TARO_STATUS_SHUTTING_DOWN);
                }
            }
        }
        check_nothing_is_freed(&stuck);
        latch_hit(&stuck.gate.open);
        CHECK_STATUS(shutdown_at_leisure(), TARO_STATUS_OK);
        stuck_end(&stuck);
        CHECK_INT(process_threads("taro-io"), <=, 0);
        // And all begins anew.
        taro_app app;
        CHECK_STATUS(taro_app_create(NULL, &app), TARO_STATUS_OK);
        CHECK_UINT(app, !=, stuck.mini.app);
        CHECK_STATUS(taro_shutdown(0), TARO_STATUS_OK);
    }
}

// Whatever a call is refused for: an id or descriptor that it would have given is none.
static void calls_refused_meanwhile_give_no_id(void) {
    static const char *const given[] = {"taro_app_create", "taro_connect_socket", "taro_app_get_descriptor"};
    struct stuck stuck;
    stuck_begin(&stuck, TARO_DELIVERY_HOST);
    CHECK_STATUS(taro_shutdown(0), TARO_STATUS_TIMED_OUT);
    const struct call_target target = {stuck.mini.app, stuck.socket, 1};
    for (size_t at = 0; at < CALLS; at++) {
        for (size_t name = 0; name < sizeof given / sizeof *given; name++) {
            if (strcmp(calls[at].name, given[name]) == 0 && !calls[at].run(&target).is_cleared) {
                FAIL("%s has left what was there before", given[name]);
            }
        }
    }
    latch_hit(&stuck.gate.open);
    CHECK_STATUS(shutdown_at_leisure(), TARO_STATUS_OK);
    stuck_end(&stuck);
}

// The callback ends between two calls: what it leaves is finished by the second one, which does not wait.
static void the_second_call_finishes(void) {
    for (MINI_EACH_DELIVERY(delivery)) {
        struct stuck stuck;
        stuck_begin(&stuck, delivery);
        CHECK_STATUS(taro_shutdown(0), TARO_STATUS_TIMED_OUT);
        latch_hit(&stuck.gate.open);
        EVENTUALLY(record_find(&stuck.mini.recorder, RECORD_OPEN, "a", 1)->done);
        check_nothing_is_freed(&stuck);
        CHECK_STATUS(shutdown_at_leisure(), TARO_STATUS_OK);
        stuck_end(&stuck);
    }
}

struct shutting {
    struct latch begun;
    taro_status status;
};

static void shuts_down(void *context) {
    struct shutting *shutting = context;
    latch_hit(&shutting->begun);
    shutting->status = shutdown_at_leisure();
}

static void two_at_a_time(void) {
    for (MINI_EACH_DELIVERY(delivery)) {
        struct stuck stuck;
        struct shutting first;
        struct test_thread thread;
        struct blocked blocked;
        stuck_begin(&stuck, delivery);
        latch_init(&first.begun);
        thread_start(&thread, shuts_down, &first);
        LATCH_WAIT(&first.begun, 1);
        EVENTUALLY(call_app_create(NULL).status == TARO_STATUS_SHUTTING_DOWN);
        CHECK_STATUS(taro_shutdown(0), TARO_STATUS_TIMED_OUT);
        CHECK_STATUS(taro_shutdown(10), TARO_STATUS_TIMED_OUT);
        check_nothing_is_freed(&stuck);
        blocked_begin(&blocked, &stuck.gate.open);
        CHECK_STATUS(shutdown_at_leisure(), TARO_STATUS_OK);
        blocked_end(&blocked);
        THREAD_JOIN(&thread);
        CHECK_STATUS(first.status, TARO_STATUS_OK);
        stuck_end(&stuck);
        latch_destroy(&first.begun);
    }
}

static void releases_the_app(void *context) {
    struct stuck *stuck = context;
    CHECK_STATUS(taro_app_release(stuck->mini.app), TARO_STATUS_OK);
}

// A release waits for the callback; a shutdown that gives up meanwhile must not leave it waiting.
static void a_release_that_waits_beside_it_ends(void) {
    struct stuck stuck;
    struct test_thread thread;
    stuck_begin(&stuck, TARO_DELIVERY_DIRECT);
    thread_start(&thread, releases_the_app, &stuck);
    EVENTUALLY(call_app_network_changed(&(struct call_target){stuck.mini.app, 0, 0}).status ==
               TARO_STATUS_BAD_HANDLE);
    CHECK_STATUS(taro_shutdown(0), TARO_STATUS_TIMED_OUT);
    latch_hit(&stuck.gate.open);
    THREAD_JOIN(&thread);
    CHECK_STATUS(shutdown_at_leisure(), TARO_STATUS_OK);
    stuck_end(&stuck);
}

// --- a hook that does not end

struct hooked {
    struct gate gate;
    struct latch released;
};

static void stays(const char *name, void *user_data) {
    struct hooked *hooked = user_data;
    (void)name;
    gate_pass(&hooked->gate);
}

static void gives_back(void *user_data) {
    struct hooked *hooked = user_data;
    latch_hit(&hooked->released);
}

static void a_thread_hook_that_does_not_end(void) {
    for (int at_the_end = 0; at_the_end < 2; at_the_end++) {
        taro_init_options init = TARO_INIT_OPTIONS_INIT;
        struct hooked hooked;
        struct mini mini;
        mini_row(at_the_end ? "thread_stop" : "thread_start");
        gate_init(&hooked.gate);
        latch_init(&hooked.released);
        init.thread_start = at_the_end ? NULL : stays;
        init.thread_stop = at_the_end ? stays : NULL;
        init.user_data = &hooked;
        init.release = gives_back;
        CHECK_STATUS(taro_init(&init), TARO_STATUS_OK);
        mini_init_of(&mini, TARO_DELIVERY_DIRECT);
        struct recording a = RECORDING(&mini.recorder, "a");
        if (at_the_end) {
            mini_open(&mini, &a, SERVER_URL("ws", "/echo"));
        } else {
            mini_connect(&mini, &a, SERVER_URL("ws", "/echo"));
            LATCH_WAIT(&hooked.gate.entered, 1);
        }
        for (uint32_t timeout = 0; timeout < 3; timeout++) {
            CHECK_STATUS(taro_shutdown(10 * timeout), TARO_STATUS_TIMED_OUT);
            CHECK_UINT(record_count(&mini.recorder, RECORD_RELEASE, "a"), ==, 0);
            CHECK_UINT(latch_count(&hooked.released), ==, 0);
        }
        latch_hit(&hooked.gate.open);
        CHECK_STATUS(shutdown_at_leisure(), TARO_STATUS_OK);
        CHECK_UINT(record_count(&mini.recorder, RECORD_RELEASE, "a"), ==, 1);
        CHECK_UINT(latch_count(&hooked.released), ==, 1);
        recorder_end(&mini.recorder);
        latch_destroy(&hooked.released);
        gate_destroy(&hooked.gate);
    }
    mini_row(NULL);
}

// --- the very last of it: the release function of what taro_init was given

struct last {
    struct gate gate;
    taro_status inside;
};

static void is_released_last(void *user_data) {
    struct last *last = user_data;
    last->inside = taro_shutdown(0);
    gate_pass(&last->gate);
}

// Until that has returned the shutdown is not over, for whoever waits for it.
static void the_last_release_belongs_to_it(void) {
    taro_init_options init = TARO_INIT_OPTIONS_INIT;
    struct last last;
    struct shutting first;
    struct test_thread thread;
    struct blocked blocked;
    gate_init(&last.gate);
    latch_init(&first.begun);
    last.inside = TARO_STATUS_OK;
    init.user_data = &last;
    init.release = is_released_last;
    CHECK_STATUS(taro_init(&init), TARO_STATUS_OK);
    thread_start(&thread, shuts_down, &first);
    LATCH_WAIT(&last.gate.entered, 1);
    CHECK_STATUS(last.inside, TARO_STATUS_WOULD_DEADLOCK);
    CHECK_STATUS(taro_init(NULL), TARO_STATUS_SHUTTING_DOWN);
    CHECK_STATUS(taro_shutdown(0), TARO_STATUS_TIMED_OUT);
    blocked_begin(&blocked, &last.gate.open);
    CHECK_STATUS(shutdown_at_leisure(), TARO_STATUS_OK);
    blocked_end(&blocked);
    THREAD_JOIN(&thread);
    CHECK_STATUS(first.status, TARO_STATUS_OK);
    gate_destroy(&last.gate);
    latch_destroy(&first.begun);
}

static const struct test tests[] = {
    TEST("L30", nothing_to_end),
    TEST("L8 L30", an_app_without_a_thread),
    TEST("L8 L26 L30", threads_and_descriptors_are_gone),
    TEST("L9 L30", retained_messages_stay),
    TEST("L8 L30", it_times_out_and_frees_nothing),
    TEST("L3", calls_refused_meanwhile_give_no_id),
    TEST("L30", the_second_call_finishes),
    TEST("L30", two_at_a_time),
    TEST("L8", a_release_that_waits_beside_it_ends),
    TEST("L30", a_thread_hook_that_does_not_end),
    TEST("L30", the_last_release_belongs_to_it),
};

TEST_MAIN(tests)
