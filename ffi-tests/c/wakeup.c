// L6, L7, L29: how a host learns that there is something to dispatch: the wake-up notice and the descriptor.
#include <poll.h>
#include <unistd.h>

#include "calls.h"
#include "mini.h"
#include "process.h"

// --- an app that counts its wake-ups

struct sleeper {
    struct mini mini;
    struct latch woken;
    taro_app woken_app;
};

static void wakes(taro_app app, void *user_data) {
    struct sleeper *sleeper = user_data;
    sleeper->woken_app = app;
    latch_hit(&sleeper->woken);
}

static void sleeper_init(struct sleeper *sleeper, taro_wake_fn wake) {
    taro_app_options options = TARO_APP_OPTIONS_INIT;
    options.delivery = TARO_DELIVERY_HOST;
    options.wake = wake;
    options.user_data = sleeper;
    latch_init(&sleeper->woken);
    sleeper->woken_app = 0;
    mini_init(&sleeper->mini, &options);
}

static void sleeper_end(struct sleeper *sleeper) {
    mini_end(&sleeper->mini);
    latch_destroy(&sleeper->woken);
}

static size_t dispatch(const struct mini *mini, size_t max_events) {
    size_t left = 99;
    CHECK_STATUS(taro_app_dispatch(mini->app, max_events, &left), TARO_STATUS_OK);
    return left;
}

// --- wake-up

// A refused connect is two deliveries: the results, and the end of the user data.
static void it_wakes_when_the_queue_becomes_non_empty(void) {
    struct sleeper sleeper;
    sleeper_init(&sleeper, wakes);
    struct mini *mini = &sleeper.mini;
    struct recording a = RECORDING(&mini->recorder, "a");
    CHECK_UINT(latch_count(&sleeper.woken), ==, 0);
    for (unsigned round = 1; round <= 3; round++) {
        mini_refuse(mini, &a);
        CHECK_UINT(latch_count(&sleeper.woken), ==, round);
        CHECK_UINT(sleeper.woken_app, ==, mini->app);
        mini_refuse(mini, &a);
        mini_refuse(mini, &a);
        CHECK_UINT(latch_count(&sleeper.woken), ==, round);
        CHECK_UINT(dispatch(mini, 0), ==, 0);
        CHECK_UINT(dispatch(mini, 0), ==, 0);
        CHECK_UINT(latch_count(&sleeper.woken), ==, round);
    }
    sleeper_end(&sleeper);
    mini_shutdown();
}

static void it_wakes_when_dispatch_leaves_something(void) {
    struct sleeper sleeper;
    sleeper_init(&sleeper, wakes);
    struct mini *mini = &sleeper.mini;
    struct recording a = RECORDING(&mini->recorder, "a");
    mini_refuse(mini, &a);
    mini_refuse(mini, &a);
    CHECK_UINT(latch_count(&sleeper.woken), ==, 1);
    CHECK_UINT(dispatch(mini, 1), ==, 3);
    CHECK_UINT(latch_count(&sleeper.woken), ==, 2);
    mini_refuse(mini, &a);
    CHECK_UINT(latch_count(&sleeper.woken), ==, 2);
    CHECK_UINT(dispatch(mini, 2), ==, 3);
    CHECK_UINT(latch_count(&sleeper.woken), ==, 3);
    CHECK_UINT(dispatch(mini, 3), ==, 0);
    CHECK_UINT(latch_count(&sleeper.woken), ==, 3);
    sleeper_end(&sleeper);
    mini_shutdown();
}

static void refuses_again(struct recording *recording, const struct record *record, const void *event) {
    struct sleeper *sleeper = recording->context;
    (void)event;
    if (record->kind == RECORD_FAIL) {
        recording->on = NULL;
        mini_refuse(&sleeper->mini, recording);
    }
}

static void it_wakes_for_what_a_callback_has_added(void) {
    struct sleeper sleeper;
    sleeper_init(&sleeper, wakes);
    struct mini *mini = &sleeper.mini;
    struct recording a = RECORDING_ON(&mini->recorder, "a", refuses_again, &sleeper);
    mini_refuse(mini, &a);
    CHECK_UINT(latch_count(&sleeper.woken), ==, 1);
    CHECK_UINT(dispatch(mini, 0), >=, 1);
    CHECK_UINT(latch_count(&sleeper.woken), >=, 2);
    host_drain(mini->app);
    CHECK_UINT(record_count(&mini->recorder, RECORD_RELEASE, "a"), ==, 2);
    sleeper_end(&sleeper);
    mini_shutdown();
}

// What the network brings wakes the host without any call of it; what a paused socket keeps does not.
static void it_wakes_for_events_that_are_not_held_back(void) {
    struct sleeper sleeper;
    sleeper_init(&sleeper, wakes);
    struct mini *mini = &sleeper.mini;
    struct recording a = RECORDING(&mini->recorder, "a");
    const taro_socket socket = mini_open(mini, &a, SERVER_URL("ws", "/echo?id=woken"));
    mini_in_step("woken", 1); // the notice of open is over
    CHECK_UINT(dispatch(mini, 0), ==, 0);
    const unsigned long before = latch_count(&sleeper.woken);
    SERVER_COMMAND("do woken text:one");
    LATCH_WAIT(&sleeper.woken, before + 1);
    SERVER_COMMAND("do woken text:two");
    mini_in_step("woken", 2);
    CHECK_UINT(latch_count(&sleeper.woken), ==, before + 1);
    CHECK_UINT(dispatch(mini, 0), ==, 0);

    CHECK_STATUS(taro_socket_pause(socket), TARO_STATUS_OK);
    SERVER_COMMAND("do woken text:three");
    mini_in_step("woken", 3);
    CHECK_UINT(latch_count(&sleeper.woken), ==, before + 1);
    CHECK_STATUS(taro_socket_resume(socket), TARO_STATUS_OK);
    CHECK_UINT(latch_count(&sleeper.woken), ==, before + 2);
    CHECK_UINT(dispatch(mini, 0), ==, 0);
    CHECK_UINT(record_count(&mini->recorder, RECORD_MESSAGE, "a"), ==, 3);
    sleeper_end(&sleeper);
    mini_shutdown();
}

// --- a notice: any thread, no lock, no function of the library

struct notice {
    struct sleeper sleeper;
    struct call_target target;
    int is_armed;
};

static void wakes_and_calls(taro_app app, void *user_data) {
    struct notice *notice = user_data;
    notice->target.app = app;
    calls_check_all(&notice->target, TARO_STATUS_IN_NOTICE, "in a wake-up");
    CHECK_UINT(taro_abi_version(), ==, TARO_ABI_VERSION);
    CHECK_TEXT(taro_version(), TARO_VERSION_STRING);
    CHECK_TEXT(taro_status_name(TARO_STATUS_IN_NOTICE), "TARO_STATUS_IN_NOTICE");
    latch_hit(&notice->sleeper.woken);
}

static void every_function_knows_that_it_is_in_a_notice(void) {
    struct notice notice = {.target = {0, 0, 1}, .is_armed = 0};
    calls_check_complete();
    sleeper_init(&notice.sleeper, wakes_and_calls);
    struct mini *mini = &notice.sleeper.mini;
    struct recording a = RECORDING(&mini->recorder, "a");
    notice.target.socket = mini_open(mini, &a, SERVER_URL("ws", "/echo?id=notice"));
    mini_in_step("notice", 1); // the notice of open is over
    CHECK_UINT(dispatch(mini, 0), ==, 0);
    // On the I/O thread, and inside a call of this one.
    const unsigned long before = latch_count(&notice.sleeper.woken);
    SERVER_COMMAND("do notice text:hi");
    LATCH_WAIT(&notice.sleeper.woken, before + 1);
    CHECK_UINT(dispatch(mini, 0), ==, 0);
    mini_refuse(mini, &a);
    CHECK_UINT(latch_count(&notice.sleeper.woken), ==, before + 2);
    host_drain(mini->app);
    // None of the calls has done anything.
    CHECK_UINT(mini_state(notice.target.socket), ==, TARO_READY_STATE_OPEN);
    CHECK_UINT(mini_live(mini), ==, 1);
    CHECK_UINT(mini_counters(notice.target.socket).messages_sent, ==, 0);
    sleeper_end(&notice.sleeper);
    mini_shutdown();
}

// While the notice runs, another thread uses the app and its socket: it would wait for a lock that is held here.
static void uses_everything(void *context) {
    struct notice *notice = context;
    taro_connect_options options = TARO_CONNECT_OPTIONS_INIT;
    const taro_socket socket = notice->target.socket;
    taro_socket none;
    CHECK_UINT(mini_live(&notice->sleeper.mini), ==, 1);
    mini_send(socket, "from the other thread");
    mini_buffered(socket);
    CHECK_STATUS(taro_socket_pause(socket), TARO_STATUS_OK);
    CHECK_STATUS(taro_socket_resume(socket), TARO_STATUS_OK);
    options.app = notice->sleeper.mini.app;
    options.url = TARO_STR("http://refused.test/");
    CHECK_STATUS(taro_connect_socket(&options, &none), TARO_STATUS_INVALID_URL);
}

static void wakes_another_thread(taro_app app, void *user_data) {
    struct notice *notice = user_data;
    (void)app;
    if (notice->is_armed) {
        struct test_thread thread;
        notice->is_armed = 0; // what that thread does wakes too
        thread_start(&thread, uses_everything, notice);
        THREAD_JOIN(&thread);
        latch_hit(&notice->sleeper.woken);
    }
}

static void no_lock_is_held_in_a_notice(void) {
    for (int on_the_io_thread = 0; on_the_io_thread < 2; on_the_io_thread++) {
        struct notice notice = {.is_armed = 0};
        sleeper_init(&notice.sleeper, wakes_another_thread);
        struct mini *mini = &notice.sleeper.mini;
        struct recording a = RECORDING(&mini->recorder, "a");
        notice.target.socket = mini_open(mini, &a, SERVER_URL("ws", "/echo?id=lock%d", on_the_io_thread));
        mini_in_step(on_the_io_thread ? "lock1" : "lock0", 1);
        CHECK_UINT(dispatch(mini, 0), ==, 0);
        notice.is_armed = 1;
        if (on_the_io_thread) {
            SERVER_COMMAND("do lock1 text:hi");
        } else {
            mini_refuse(mini, &a);
        }
        LATCH_WAIT(&notice.sleeper.woken, 1);
        CHECK_STR(mini_wait(mini, RECORD_MESSAGE, "a", 1 + (size_t)on_the_io_thread)->data, "from the other thread");
        sleeper_end(&notice.sleeper);
    }
    mini_shutdown();
}

// --- the descriptor

static int32_t descriptor_of(const struct mini *mini) {
    int32_t descriptor = -1;
    CHECK_STATUS(taro_app_get_descriptor(mini->app, &descriptor), TARO_STATUS_OK);
    CHECK_INT(descriptor, >=, 0);
    return descriptor;
}

struct watcher {
    struct mini mini;
    struct recording recording;
    int adds;
};

// Inside the last callback nothing waits any more, unless it adds something itself.
static void looks_inside(struct recording *recording, const struct record *record, const void *event) {
    struct watcher *watcher = recording->context;
    (void)event;
    if (record->kind == RECORD_RELEASE) {
        CHECK_INT(host_is_readable(watcher->mini.app), ==, 0);
        if (watcher->adds) {
            watcher->adds = 0;
            mini_refuse(&watcher->mini, &watcher->recording);
            CHECK_INT(host_is_readable(watcher->mini.app), ==, 1);
        }
    } else {
        CHECK_INT(host_is_readable(watcher->mini.app), ==, 1);
    }
}

static void it_is_readable_exactly_while_something_waits(void) {
    struct watcher watcher = {.adds = 1};
    struct mini *mini = &watcher.mini;
    mini_init_of(mini, TARO_DELIVERY_HOST);
    watcher.recording = RECORDING_ON(&mini->recorder, "a", looks_inside, &watcher);
    const int32_t descriptor = descriptor_of(mini);
    CHECK_INT(host_is_readable(mini->app), ==, 0);
    mini_refuse(mini, &watcher.recording);
    // Level-triggered: however often one looks.
    for (int look = 0; look < 3; look++) {
        CHECK_INT(host_is_readable(mini->app), ==, 1);
    }
    CHECK_UINT(dispatch(mini, 1), ==, 1);
    CHECK_INT(host_is_readable(mini->app), ==, 1);
    CHECK_UINT(dispatch(mini, 1), ==, 2);
    CHECK_INT(host_is_readable(mini->app), ==, 1);
    CHECK_UINT(dispatch(mini, 0), ==, 0);
    CHECK_INT(host_is_readable(mini->app), ==, 0);
    CHECK_UINT(dispatch(mini, 0), ==, 0);
    CHECK_INT(host_is_readable(mini->app), ==, 0);
    mini_refuse(mini, &watcher.recording);
    CHECK_INT(host_is_readable(mini->app), ==, 1);
    CHECK_INT(descriptor_of(mini), ==, descriptor);
    host_drain(mini->app);
    CHECK_INT(host_is_readable(mini->app), ==, 0);
    mini_end(mini);
    mini_shutdown();
}

// Asked for only when something waits already.
static void it_may_be_asked_for_late(void) {
    struct mini mini;
    mini_init_of(&mini, TARO_DELIVERY_HOST);
    struct recording a = RECORDING(&mini.recorder, "a");
    mini_refuse(&mini, &a);
    CHECK_INT(host_is_readable(mini.app), ==, 1);
    host_drain(mini.app);
    CHECK_INT(host_is_readable(mini.app), ==, 0);
    mini_end(&mini);
    mini_shutdown();
}

// What is taken back does not wait: by a pause, by a release.
static void it_follows_pause_and_release(void) {
    struct mini mini;
    mini_init_of(&mini, TARO_DELIVERY_HOST);
    struct recording a = RECORDING(&mini.recorder, "a");
    const taro_socket socket = mini_connect_paused(&mini, &a, SERVER_URL("ws", "/echo?id=held&act=text:hi"));
    mini_in_step("held", 1);
    host_drain(mini.app); // connect's results
    CHECK_SEQUENCE(&mini.recorder, "a", "success complete");
    CHECK_INT(host_is_readable(mini.app), ==, 0);
    CHECK_STATUS(taro_socket_resume(socket), TARO_STATUS_OK);
    CHECK_INT(host_is_readable(mini.app), ==, 1);
    CHECK_STATUS(taro_socket_pause(socket), TARO_STATUS_OK);
    CHECK_INT(host_is_readable(mini.app), ==, 0);
    CHECK_UINT(dispatch(&mini, 0), ==, 0);
    CHECK_SEQUENCE(&mini.recorder, "a", "success complete");
    CHECK_STATUS(taro_socket_resume(socket), TARO_STATUS_OK);
    CHECK_INT(host_is_readable(mini.app), ==, 1);
    // The events are gone, the end of the user data waits.
    CHECK_STATUS(taro_socket_release(socket), TARO_STATUS_OK);
    CHECK_INT(host_is_readable(mini.app), ==, 1);
    CHECK_UINT(dispatch(&mini, 0), ==, 0);
    CHECK_INT(host_is_readable(mini.app), ==, 0);
    CHECK_SEQUENCE(&mini.recorder, "a", "success complete release");
    mini_end(&mini);
    mini_shutdown();
}

static void the_library_closes_it(void) {
    const long before = process_descriptors();
    struct mini mini;
    if (before < 0) {
        test_skip("the number of descriptors is not known here");
        return;
    }
    mini_init_of(&mini, TARO_DELIVERY_HOST);
    CHECK_INT(process_descriptors(), ==, before);
    const int32_t descriptor = descriptor_of(&mini);
    CHECK_INT(process_descriptors(), >, before);
    mini_end(&mini);
    CHECK_INT(process_descriptors(), ==, before);
    struct pollfd closed = {descriptor, POLLIN, 0};
    CHECK_INT(poll(&closed, 1, 0), ==, 1);
    CHECK_INT(closed.revents, ==, POLLNVAL);
    mini_shutdown();
}

static const struct test tests[] = {
    TEST("L29", it_wakes_when_the_queue_becomes_non_empty),
    TEST("L29", it_wakes_when_dispatch_leaves_something),
    TEST("L29", it_wakes_for_what_a_callback_has_added),
    TEST("L7 L29", it_wakes_for_events_that_are_not_held_back),
    TEST("L29", every_function_knows_that_it_is_in_a_notice),
    TEST("L6", no_lock_is_held_in_a_notice),
    TEST("L29", it_is_readable_exactly_while_something_waits),
    TEST("L29", it_may_be_asked_for_late),
    TEST("L7 L29", it_follows_pause_and_release),
    TEST("L29", the_library_closes_it),
};

TEST_MAIN(tests)
