// L6, L29: the log: which lines the host gets, that it may call nothing while it takes one, and that nothing waits for
// it meanwhile.
#include "blocked.h"
#include "calls.h"
#include "mini.h"

enum { LINES = 64, SLOW_MS = 100 };

struct log {
    struct monitor monitor;
    struct {
        uint32_t level;
        long thread;
        char text[256];
    } lines[LINES];
    size_t lines_len;
    uint32_t most; // the level that was asked for
    const struct call_target *target; // NULL: it calls nothing
    // What the first line does that comes on the thread which has made the log, or on another one; NULL: nothing.
    void (*inside)(void);
    int on_another_thread;
    long maker;
};

static void takes_a_line(uint32_t level, const char *message, size_t message_len, void *user_data) {
    struct log *log = user_data;
    CHECK_UINT(level, >=, TARO_LOG_ERROR);
    CHECK_UINT(level, <=, log->most);
    CHECK_UINT(strlen(message), ==, message_len);
    CHECK_UINT(message_len, >, 0);
    if (log->target) {
        calls_check_all(log->target, TARO_STATUS_IN_NOTICE, "in the log");
        CHECK_TEXT(taro_status_name(TARO_STATUS_OK), "TARO_STATUS_OK");
    }
    monitor_lock(&log->monitor);
    void (*const inside)(void) = (record_thread() != log->maker) == log->on_another_thread ? log->inside : NULL;
    if (inside) {
        log->inside = NULL;
    }
    monitor_unlock(&log->monitor);
    if (inside) {
        inside();
    }
    monitor_lock(&log->monitor);
    CHECK_UINT(log->lines_len, <, LINES);
    log->lines[log->lines_len].level = level;
    log->lines[log->lines_len].thread = record_thread();
    snprintf(log->lines[log->lines_len].text, sizeof log->lines->text, "%s", message);
    log->lines_len++;
    monitor_changed(&log->monitor);
    monitor_unlock(&log->monitor);
}

static void log_init(struct log *log, uint32_t level) {
    taro_init_options options = TARO_INIT_OPTIONS_INIT;
    memset(log, 0, sizeof *log);
    monitor_init(&log->monitor);
    log->maker = record_thread();
    log->most = level ? level : TARO_LOG_WARN;
    options.log_level = level;
    options.log = takes_a_line;
    options.user_data = log;
    CHECK_STATUS(taro_init(&options), TARO_STATUS_OK);
}

static void log_end(struct log *log) {
    mini_shutdown();
    const size_t lines = log->lines_len;
    // Nobody is told any more.
    taro_connect_options options = TARO_CONNECT_OPTIONS_INIT;
    options.url = mini_str(SERVER_URL("refuse", "/"));
    mini_accepted(&options);
    mini_shutdown();
    CHECK_UINT(log->lines_len, ==, lines);
    monitor_destroy(&log->monitor);
}

// Number of lines of that level with the text in it; the thread of the last one of them.
static size_t count_lines(struct log *log, uint32_t level, const char *text, long *thread) {
    size_t count = 0;
    monitor_lock(&log->monitor);
    for (size_t at = 0; at < log->lines_len; at++) {
        if (log->lines[at].level == level && strstr(log->lines[at].text, text)) {
            count++;
            *thread = log->lines[at].thread;
        }
    }
    monitor_unlock(&log->monitor);
    return count;
}

static void id_text(char text[32], taro_socket socket) { snprintf(text, 32, "%llu", (unsigned long long)socket); }

// --- what there is to read

// From whichever thread it happens on: the caller's, and the I/O thread.
static void connects_and_failures(void) {
    struct log log;
    struct mini mini;
    char id[32];
    long thread = 0;
    log_init(&log, TARO_LOG_INFO);
    mini_init_of(&mini, TARO_DELIVERY_DIRECT);
    struct recording a = RECORDING(&mini.recorder, "a");
    id_text(id, mini_connect(&mini, &a, SERVER_URL("refuse", "/")));
    CHECK_UINT(count_lines(&log, TARO_LOG_INFO, id, &thread), >=, 1);
    CHECK_INT(log.lines[0].thread, ==, record_thread());
    const long io_thread = mini_wait(&mini, RECORD_ERROR, "a", 1)->thread;
    EVENTUALLY(count_lines(&log, TARO_LOG_INFO, id, &thread) >= 2);
    CHECK_INT(thread, ==, io_thread);
    mini_end(&mini);
    log_end(&log);
}

// "Connects and ends of sockets": of each one, however it ends.
static void ends_of_open_sockets(void) {
    static const char *const paths[] = {"/echo?act=close:1000:", "/echo?act=drop", "/echo?act=masked:bad"};
    struct log log;
    struct mini mini;
    log_init(&log, TARO_LOG_INFO);
    mini_init_of(&mini, TARO_DELIVERY_DIRECT);
    for (size_t at = 0; at < sizeof paths / sizeof *paths; at++) {
        char id[32];
        long thread = 0;
        struct recording a = RECORDING(&mini.recorder, paths[at]);
        mini_row(paths[at]);
        id_text(id, mini_connect(&mini, &a, SERVER_URL("ws", "%s", paths[at])));
        mini_wait(&mini, RECORD_RELEASE, paths[at], 1);
        CHECK_UINT(count_lines(&log, TARO_LOG_INFO, id, &thread), >=, 2);
    }
    mini_row(NULL);
    mini_end(&mini);
    log_end(&log);
}

static void takes_long(struct recording *recording, const struct record *record, const void *event) {
    (void)recording, (void)event;
    if (record->kind == RECORD_FAIL) {
        const int64_t start = clock_ms();
        EVENTUALLY(clock_ms() - start > SLOW_MS + 20);
    }
}

// A callback that takes long is worth a warning, which is what the host gets unless it asks for another level.
static void slow_callbacks(void) {
    static const uint32_t levels[] = {0, TARO_LOG_ERROR, TARO_LOG_WARN, TARO_LOG_DEBUG};
    for (size_t at = 0; at < sizeof levels / sizeof *levels; at++) {
        for (MINI_EACH_DELIVERY(delivery)) {
            struct log log;
            struct mini mini;
            long thread = 0;
            log_init(&log, levels[at]);
            mini_init_of(&mini, delivery);
            struct recording a = RECORDING_ON(&mini.recorder, "a", takes_long, NULL);
            mini_refuse(&mini, &a);
            mini_wait(&mini, RECORD_RELEASE, "a", 1);
            const size_t warnings = count_lines(&log, TARO_LOG_WARN, "callback", &thread);
            CHECK_UINT(warnings, ==, levels[at] != TARO_LOG_ERROR);
            if (warnings) {
                CHECK_INT(thread, ==, mini_find(&mini, RECORD_FAIL, "a", 1)->thread);
            } else {
                CHECK_UINT(log.lines_len, ==, 0);
            }
            mini_end(&mini);
            log_end(&log);
        }
    }
}

// --- inside of it

static void it_may_call_nothing(void) {
    struct log log;
    struct mini mini;
    struct call_target target = {0, 0, 1};
    log_init(&log, TARO_LOG_DEBUG);
    mini_init_of(&mini, TARO_DELIVERY_HOST);
    target.app = mini.app;
    struct recording a = RECORDING(&mini.recorder, "a"), b = RECORDING(&mini.recorder, "b");
    target.socket = mini_open(&mini, &a, SERVER_URL("ws", "/echo"));
    log.target = &target;
    mini_connect(&mini, &b, SERVER_URL("refuse", "/"));
    mini_wait(&mini, RECORD_ERROR, "b", 1);
    CHECK_UINT(log.lines_len, >=, 2);
    CHECK_UINT(mini_state(target.socket), ==, TARO_READY_STATE_OPEN);
    CHECK_UINT(mini_live(&mini), ==, 1);
    mini_end(&mini);
    log_end(&log);
}

// Another thread may use all of the library meanwhile: it would wait for a lock that is held here.
static void uses_everything(void *context) {
    const struct call_target *target = context;
    struct mini mini;
    for (size_t at = 0; at < CALLS; at++) {
        if (strcmp(calls[at].name, "taro_shutdown") != 0 && strstr(calls[at].name, "_release") == NULL) {
            calls[at].run(target);
        }
    }
    mini_init_of(&mini, TARO_DELIVERY_HOST);
    struct recording recording = RECORDING(&mini.recorder, "beside");
    mini_refuse(&mini, &recording);
    mini_end(&mini);
}

static struct call_target used;
static struct latch been_used;

static void has_it_used(void) {
    struct test_thread thread;
    thread_start(&thread, uses_everything, &used);
    THREAD_JOIN(&thread);
    latch_hit(&been_used);
}

static void no_lock_is_held(void) {
    for (int on_the_io_thread = 0; on_the_io_thread < 2; on_the_io_thread++) {
        struct log log;
        struct mini mini;
        taro_app_options options = TARO_APP_OPTIONS_INIT;
        latch_init(&been_used);
        log_init(&log, TARO_LOG_INFO);
        options.delivery = TARO_DELIVERY_HOST;
        options.max_sockets = 100;
        mini_init(&mini, &options);
        struct recording a = RECORDING(&mini.recorder, "a"), b = RECORDING(&mini.recorder, "b");
        used = (struct call_target){mini.app, mini_open(&mini, &a, SERVER_URL("ws", "/sink")), 1};
        monitor_lock(&log.monitor);
        log.on_another_thread = on_the_io_thread;
        log.inside = has_it_used;
        monitor_unlock(&log.monitor);
        mini_connect(&mini, &b, SERVER_URL("refuse", "/"));
        mini_wait(&mini, RECORD_ERROR, "b", 1);
        LATCH_WAIT(&been_used, 1);
        mini_end(&mini);
        log_end(&log);
        latch_destroy(&been_used);
    }
}

static const struct test tests[] = {
    TEST("L29", connects_and_failures),
    TEST("-", ends_of_open_sockets),
    TEST("L29", slow_callbacks),
    TEST("L29", it_may_call_nothing),
    TEST("L6", no_lock_is_held),
};

TEST_MAIN(tests)
