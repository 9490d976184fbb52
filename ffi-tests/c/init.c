// L29: what holds for the whole library: when it may be set, how many I/O threads there are, and the hooks at their
// beginning and end. The log: log.c.
#include "blocked.h"
#include "calls.h"
#include "mini.h"
#include "process.h"

// --- when it may be set

static void releases(void *user_data) { latch_hit(user_data); }

static taro_init_options owned(struct latch *released) {
    taro_init_options options = TARO_INIT_OPTIONS_INIT;
    options.user_data = released;
    options.release = releases;
    return options;
}

static void once_until_the_shutdown(void) {
    for (int round = 0; round < 2; round++) {
        struct latch released, untaken;
        latch_init(&released);
        latch_init(&untaken);
        taro_init_options options = owned(&released), second = owned(&untaken);
        CHECK_STATUS(taro_init(&options), TARO_STATUS_OK);
        CHECK_STATUS(taro_init(&second), TARO_STATUS_BUSY);
        CHECK_STATUS(taro_init(NULL), TARO_STATUS_BUSY);
        CHECK_UINT(latch_count(&released), ==, 0);
        CHECK_STATUS(taro_shutdown(0), TARO_STATUS_OK);
        CHECK_UINT(latch_count(&released), ==, 1);
        CHECK_STATUS(taro_shutdown(0), TARO_STATUS_OK);
        CHECK_UINT(latch_count(&released), ==, 1);
        CHECK_UINT(latch_count(&untaken), ==, 0);
        latch_destroy(&released);
        latch_destroy(&untaken);
    }
    CHECK_STATUS(taro_init(NULL), TARO_STATUS_OK);
    CHECK_STATUS(taro_shutdown(0), TARO_STATUS_OK);
}

static void app_made(void) {
    taro_app app;
    CHECK_STATUS(taro_app_create(NULL, &app), TARO_STATUS_OK);
    CHECK_STATUS(taro_app_release(app), TARO_STATUS_OK);
}

static void default_app_used(void) {
    size_t count = 99;
    CHECK_STATUS(taro_app_get_sockets(0, NULL, 0, &count), TARO_STATUS_OK);
    CHECK_UINT(count, ==, 0);
}

static void socket_made(void) {
    taro_connect_options options = TARO_CONNECT_OPTIONS_INIT;
    options.url = mini_str(SERVER_URL("refuse", "/"));
    mini_accepted(&options);
}

static void connect_refused(void) {
    taro_connect_options options = TARO_CONNECT_OPTIONS_INIT;
    taro_socket none;
    options.url = TARO_STR("http://refused.test/");
    CHECK_STATUS(taro_connect_socket(&options, &none), TARO_STATUS_INVALID_URL);
}

static void not_after_the_start(void) {
    static void (*const starts[])(void) = {app_made, default_app_used, socket_made, connect_refused};
    struct latch untaken;
    latch_init(&untaken);
    taro_init_options options = owned(&untaken);
    for (size_t at = 0; at < sizeof starts / sizeof *starts; at++) {
        starts[at]();
        CHECK_STATUS(taro_init(&options), TARO_STATUS_BUSY);
        mini_shutdown();
    }
    CHECK_UINT(latch_count(&untaken), ==, 0);
    latch_destroy(&untaken);
}

static void inits(struct recording *recording, const struct record *record, const void *event) {
    (void)recording, (void)record, (void)event;
    CHECK_STATUS(taro_init(NULL), TARO_STATUS_BUSY);
}

static void not_in_callbacks(void) {
    for (MINI_EACH_DELIVERY(delivery)) {
        struct mini mini;
        mini_init_of(&mini, delivery);
        struct recording a = RECORDING_ON(&mini.recorder, "a", inits, NULL);
        mini_refuse(&mini, &a);
        mini_wait(&mini, RECORD_RELEASE, "a", 1);
        mini_end(&mini);
    }
    mini_shutdown();
}

// What is wrong is refused, not taken, and does not count.
static void ranges_are_checked(void) {
    static const struct {
        uint32_t io_threads, log_level, reserved;
        taro_status status;
    } rows[] = {
        {65, 0, 0, TARO_STATUS_BAD_ARGUMENT},
        {UINT32_MAX, 0, 0, TARO_STATUS_BAD_ARGUMENT},
        {0, TARO_LOG_DEBUG + 1, 0, TARO_STATUS_BAD_ARGUMENT},
        {0, UINT32_MAX, 0, TARO_STATUS_BAD_ARGUMENT},
        {0, 0, 1, TARO_STATUS_BAD_ARGUMENT},
        {64, 0, 0, TARO_STATUS_OK},
        {1, TARO_LOG_DEBUG, 0, TARO_STATUS_OK},
        {0, TARO_LOG_ERROR, 0, TARO_STATUS_OK},
    };
    for (size_t at = 0; at < sizeof rows / sizeof *rows; at++) {
        struct latch released;
        latch_init(&released);
        taro_init_options options = owned(&released);
        options.io_threads = rows[at].io_threads;
        options.log_level = rows[at].log_level;
        options.reserved = rows[at].reserved;
        CHECK_STATUS(taro_init(&options), rows[at].status);
        if (rows[at].status != TARO_STATUS_OK) {
            CHECK_STATUS(taro_init(NULL), TARO_STATUS_OK);
        }
        CHECK_STATUS(taro_shutdown(0), TARO_STATUS_OK);
        CHECK_UINT(latch_count(&released), ==, rows[at].status == TARO_STATUS_OK);
        latch_destroy(&released);
    }
}

enum { CALLERS = 8 };

struct race {
    struct latch start;
    struct latch ready;
    struct latch taken;
    struct latch released;
};

static void races(void *context) {
    struct race *race = context;
    taro_init_options options = owned(&race->released);
    latch_hit(&race->ready);
    LATCH_WAIT(&race->start, 1);
    const taro_status status = taro_init(&options);
    if (status == TARO_STATUS_OK) {
        latch_hit(&race->taken);
    } else {
        CHECK_STATUS(status, TARO_STATUS_BUSY);
    }
}

static void one_of_many_callers_succeeds(void) {
    for (int round = 0; round < 5; round++) {
        struct test_thread threads[CALLERS];
        struct race race;
        latch_init(&race.start);
        latch_init(&race.ready);
        latch_init(&race.taken);
        latch_init(&race.released);
        for (size_t at = 0; at < CALLERS; at++) {
            thread_start(&threads[at], races, &race);
        }
        LATCH_WAIT(&race.ready, CALLERS);
        latch_hit(&race.start);
        for (size_t at = 0; at < CALLERS; at++) {
            THREAD_JOIN(&threads[at]);
        }
        CHECK_UINT(latch_count(&race.taken), ==, 1);
        CHECK_STATUS(taro_shutdown(0), TARO_STATUS_OK);
        CHECK_UINT(latch_count(&race.released), ==, 1);
        latch_destroy(&race.start);
        latch_destroy(&race.ready);
        latch_destroy(&race.taken);
        latch_destroy(&race.released);
    }
}

// --- the threads, and their hooks

enum { MOST = 8 };

// What the hooks have seen, in order.
struct seen {
    struct monitor monitor;
    struct {
        int starts;
        long thread;
        char name[32];
        int64_t at_ns;
    } calls[2 * MOST];
    size_t calls_len;
    const struct call_target *target; // NULL: the hook calls nothing
};

static void note(struct seen *seen, const char *name, int starts) {
    if (seen->target) {
        calls_check_all(seen->target, TARO_STATUS_IN_NOTICE, "in a thread hook");
    }
    monitor_lock(&seen->monitor);
    CHECK_UINT(seen->calls_len, <, 2 * MOST);
    seen->calls[seen->calls_len].starts = starts;
    seen->calls[seen->calls_len].thread = record_thread();
    snprintf(seen->calls[seen->calls_len].name, sizeof seen->calls->name, "%s", name);
    seen->calls[seen->calls_len].at_ns = clock_ns();
    seen->calls_len++;
    monitor_changed(&seen->monitor);
    monitor_unlock(&seen->monitor);
}

static void on_start(const char *name, void *user_data) { note(user_data, name, 1); }
static void on_stop(const char *name, void *user_data) { note(user_data, name, 0); }

static void seen_init(struct seen *seen) {
    memset(seen, 0, sizeof *seen);
    monitor_init(&seen->monitor);
}

static void init_with(struct seen *seen, uint32_t io_threads) {
    taro_init_options options = TARO_INIT_OPTIONS_INIT;
    options.io_threads = io_threads;
    options.thread_start = on_start;
    options.thread_stop = on_stop;
    options.user_data = seen;
    CHECK_STATUS(taro_init(&options), TARO_STATUS_OK);
}

// Of the threads that were started, the one with that number as the system knows it; how often it was started.
static size_t started_on(const struct seen *seen, long thread, int starts, int64_t *at_ns, const char **name) {
    size_t count = 0;
    for (size_t at = 0; at < seen->calls_len; at++) {
        if (seen->calls[at].thread == thread && seen->calls[at].starts == starts) {
            count++;
            *at_ns = seen->calls[at].at_ns;
            *name = seen->calls[at].name;
        }
    }
    return count;
}

static void check_hooks_of(const struct seen *seen, struct mini *mini) {
    const struct record *first = record_at(&mini->recorder, 0);
    int64_t started_ns = 0, stopped_ns = 0;
    const char *name = NULL, *same = NULL;
    CHECK_UINT(started_on(seen, first->thread, 1, &started_ns, &name), ==, 1);
    CHECK_UINT(started_on(seen, first->thread, 0, &stopped_ns, &same), ==, 1);
    CHECK_TEXT(name, same);
    for (size_t at = 0; at < record_len(&mini->recorder); at++) {
        const struct record *record = record_at(&mini->recorder, at);
        if (record->kind != RECORD_RELEASE) { // these are the shutdown's
            CHECK_INT(record->thread, ==, first->thread);
            CHECK_INT(record->at_ns, >=, started_ns);
            CHECK_INT(record->at_ns, <=, stopped_ns);
        }
    }
}

static void run_with_threads(uint32_t io_threads, size_t apps) {
    const size_t threads = io_threads ? io_threads : 1, expected = apps < threads ? apps : threads;
    struct seen seen;
    struct mini minis[MOST];
    struct recording recordings[MOST], seconds[MOST];
    seen_init(&seen);
    init_with(&seen, io_threads);
    for (size_t at = 0; at < apps; at++) {
        mini_init_of(&minis[at], TARO_DELIVERY_DIRECT);
    }
    // None before the first connect, and then as many as are needed.
    CHECK_UINT(seen.calls_len, ==, 0);
    CHECK_INT(process_threads("taro"), <=, 0);
    for (size_t at = 0; at < apps; at++) {
        recordings[at] = RECORDING(&minis[at].recorder, "first");
        mini_open(&minis[at], &recordings[at], SERVER_URL("ws", "/echo"));
        if (process_threads(NULL) > 0) {
            CHECK_INT(process_threads("taro-io"), ==, at < threads ? at + 1 : threads);
        }
    }
    for (size_t at = 0; at < apps; at++) {
        seconds[at] = RECORDING(&minis[at].recorder, "second");
        mini_open(&minis[at], &seconds[at], SERVER_URL("ws", "/echo"));
    }
    mini_shutdown();
    CHECK_UINT(seen.calls_len, ==, 2 * expected);
    for (size_t at = 0; at < apps; at++) {
        check_hooks_of(&seen, &minis[at]);
        // Spread evenly: each thread has one more than another at most.
        size_t same = 0;
        for (size_t other = 0; other < apps; other++) {
            same += record_at(&minis[other].recorder, 0)->thread == record_at(&minis[at].recorder, 0)->thread;
        }
        CHECK_UINT(same, >=, apps / threads);
        CHECK_UINT(same, <=, (apps + threads - 1) / threads);
    }
    for (size_t at = 0; at < apps; at++) {
        recorder_end(&minis[at].recorder);
    }
    for (size_t at = 0; at < seen.calls_len; at++) {
        for (size_t other = 0; other < at; other++) {
            const int same = seen.calls[at].thread == seen.calls[other].thread;
            CHECK_INT(strcmp(seen.calls[at].name, seen.calls[other].name) == 0, ==, same);
        }
    }
    monitor_destroy(&seen.monitor);
}

static void threads_and_hooks(void) {
    run_with_threads(0, 2);
    run_with_threads(1, 2);
    run_with_threads(3, 2);
    run_with_threads(3, MOST);
}

// Of threads that never were, there is nothing to hook.
static void no_thread_no_hook(void) {
    struct seen seen;
    taro_app app;
    seen_init(&seen);
    init_with(&seen, 2);
    CHECK_STATUS(taro_app_create(NULL, &app), TARO_STATUS_OK);
    CHECK_STATUS(taro_app_network_changed(app), TARO_STATUS_OK);
    CHECK_STATUS(taro_app_set_background(app, 1), TARO_STATUS_OK);
    CHECK_STATUS(taro_shutdown(0), TARO_STATUS_OK);
    CHECK_UINT(seen.calls_len, ==, 0);
    monitor_destroy(&seen.monitor);
}

static void hooks_may_call_nothing(void) {
    struct seen seen;
    struct mini mini;
    struct call_target target = {0, 0, 1};
    seen_init(&seen);
    seen.target = &target;
    init_with(&seen, 1);
    mini_init_of(&mini, TARO_DELIVERY_DIRECT);
    target.app = mini.app;
    struct recording a = RECORDING(&mini.recorder, "a");
    target.socket = mini_open(&mini, &a, SERVER_URL("ws", "/echo"));
    mini_shutdown();
    CHECK_UINT(seen.calls_len, ==, 2);
    recorder_end(&mini.recorder);
    monitor_destroy(&seen.monitor);
}

static const struct test tests[] = {
    TEST("L29 L30", once_until_the_shutdown),
    TEST("L1 L29", not_after_the_start),
    TEST("L6 L29", not_in_callbacks),
    TEST("L1 L29", ranges_are_checked),
    TEST("L29", one_of_many_callers_succeeds),
    TEST("L29", threads_and_hooks),
    TEST("L29", no_thread_no_hook),
    TEST("L29", hooks_may_call_nothing),
};

TEST_MAIN(tests)
