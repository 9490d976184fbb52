// The run of a program's tests.
#include <pthread.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "check.h"
#include "check_parts.h"
#include "wait.h"

enum { LIMIT_SECONDS = 50, SKIPPED = 77 };

// --- the watchdog: a thread, so that no signal of the process is touched

static struct {
    struct monitor monitor;
    pthread_t thread;
    int64_t deadline; // of the running test; 0 between two
    int ends;
} watchdog;

static void *watchdog_body(void *unused) {
    (void)unused;
    monitor_lock(&watchdog.monitor);
    while (!watchdog.ends) {
        if (watchdog.deadline == 0) {
            monitor_wait(&watchdog.monitor, clock_ns() + (int64_t)3600 * 1000000000);
        } else if (!monitor_wait(&watchdog.monitor, watchdog.deadline)) {
            FAIL("the test has overrun its limit");
        }
    }
    monitor_unlock(&watchdog.monitor);
    return NULL;
}

static void watchdog_set(int64_t deadline, int ends) {
    monitor_lock(&watchdog.monitor);
    watchdog.deadline = deadline;
    watchdog.ends = ends;
    monitor_changed(&watchdog.monitor);
    monitor_unlock(&watchdog.monitor);
}

void test_limit(unsigned seconds) {
    watchdog_set(clock_ns() + (int64_t)seconds * wait_slow() * 1000000000, 0);
}

static void watchdog_start(void) {
    sigset_t all, before;
    monitor_init(&watchdog.monitor);
    watchdog.deadline = 0;
    watchdog.ends = 0;
    // Signals are for the test's threads.
    sigfillset(&all);
    pthread_sigmask(SIG_SETMASK, &all, &before);
    const int error = pthread_create(&watchdog.thread, NULL, watchdog_body, NULL);
    pthread_sigmask(SIG_SETMASK, &before, NULL);
    if (error != 0) {
        FAIL("no thread for the watchdog: error %d", error);
    }
    // Named from here: no test begins to count threads before it can be told from them.
    pthread_setname_np(watchdog.thread, CHECK_WATCHDOG);
}

static void watchdog_end(void) {
    watchdog_set(0, 1);
    pthread_join(watchdog.thread, NULL);
    monitor_destroy(&watchdog.monitor);
}

// --- SIGPIPE at its default: a write that raises it ends the test

static void sigpipe_default(void) {
    sigset_t set;
    sigemptyset(&set);
    sigaddset(&set, SIGPIPE);
    signal(SIGPIPE, SIG_DFL);
    pthread_sigmask(SIG_UNBLOCK, &set, NULL);
}

static void sigpipe_check(void) {
    struct sigaction now;
    sigset_t blocked;
    sigaction(SIGPIPE, NULL, &now);
    if (now.sa_handler != SIG_DFL) {
        FAIL("the test has left SIGPIPE with another disposition");
    }
    pthread_sigmask(SIG_SETMASK, NULL, &blocked);
    if (sigismember(&blocked, SIGPIPE)) {
        FAIL("the test has left SIGPIPE blocked");
    }
}

// --- one test

static const char *why_skipped;

void test_skip(const char *why) {
    why_skipped = why;
    check_pass();
}

static void run_test(const struct test *test) {
    const unsigned long before = check_count();
    why_skipped = NULL;
    check_subject(test);
    test_limit(LIMIT_SECONDS);
    test->run();
    if (check_count() == before) {
        FAIL("the test has checked nothing");
    }
    sigpipe_check();
    watchdog_set(0, 0);
    check_subject(NULL);
    if (why_skipped) {
        printf("skip %s (%s): %s\n", test->name, test->laws, why_skipped);
    } else {
        printf("ok %s (%s)\n", test->name, test->laws);
    }
    fflush(stdout);
}

// --- which of them

static int has_word(const char *words, const char *word) {
    const size_t len = strlen(word);
    for (const char *at = words; len > 0 && (at = strstr(at, word)) != NULL; at += len) {
        const int begins = at == words || at[-1] == ' ';
        if (begins && (at[len] == ' ' || at[len] == '\0')) {
            return 1;
        }
    }
    return 0;
}

static int is_called(const struct test *test, const char *word) {
    return strcmp(test->name, word) == 0 || has_word(test->laws, word);
}

static int is_wanted(const struct test *test, int argc, char **argv) {
    for (int at = 1; at < argc; at++) {
        if (is_called(test, argv[at])) {
            return 1;
        }
    }
    return argc <= 1;
}

// A filter that means nothing would look like a pass.
static const char *unknown_word(int argc, char **argv, const struct test *tests, size_t tests_len) {
    for (int at = 1; at < argc; at++) {
        size_t test = 0;
        while (test < tests_len && !is_called(&tests[test], argv[at])) {
            test++;
        }
        if (test == tests_len) {
            return argv[at];
        }
    }
    return NULL;
}

int run_tests(int argc, char **argv, const struct test *tests, size_t tests_len) {
    int skipped = 0;
    if (argc == 2 && strcmp(argv[1], "--list") == 0) {
        for (size_t at = 0; at < tests_len; at++) {
            printf("%s (%s)\n", tests[at].name, tests[at].laws);
        }
        return 0;
    }
    const char *unknown = unknown_word(argc, argv, tests, tests_len);
    if (unknown || tests_len == 0) {
        fprintf(stderr, "no test or law is called %s\n", unknown ? unknown : "anything");
        return 2;
    }
    sigpipe_default();
    watchdog_start();
    for (size_t at = 0; at < tests_len; at++) {
        if (is_wanted(&tests[at], argc, argv)) {
            run_test(&tests[at]);
            skipped |= why_skipped != NULL;
        }
    }
    watchdog_end();
    return skipped ? SKIPPED : 0;
}
