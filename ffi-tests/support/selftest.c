// label: unit
// The kit's own tests: what must fail does, in a forked child whose output is read.
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "process.h"
#include "wait.h"

struct child_case {
    const char *name;
    void (*run)(void);
    int status;
    const char *prints; // text that its output has
};

static int run_case(void *context) {
    const struct child_case *one = context;
    one->run();
    return 0;
}

static void run_cases(const struct child_case *cases, size_t len) {
    for (size_t at = 0; at < len; at++) {
        char output[16384];
        struct child_case one = cases[at];
        const int status = PROCESS_FORK_OUTPUT(run_case, &one, output, sizeof(output));
        if (status != one.status || !strstr(output, one.prints)) {
            FAIL("%s: status %d, not %d; \"%s\" is to be in its output:\n%s", one.name, status, one.status, one.prints,
                 output);
        }
        check_pass();
    }
}

#define RUN_CASES(cases) run_cases((cases), sizeof(cases) / sizeof(*(cases)))
#define FAILS(name, prints) {#name, name, 1, prints}
#define PASSES(name) {#name, name, 0, ""}

// --- checks

struct text {
    const char *ptr;
    size_t len;
};

static const struct text hello = {"hello\0there", 5};
static const struct text dangling = {NULL, 3};

static void check_of_false(void) { CHECK(1 + 1 == 3); }
static void int_unequal(void) { CHECK_INT(-1, ==, 1); }
static void int_less(void) { CHECK_INT(-1, >, 0); }
static void uint_unequal(void) { CHECK_UINT(UINT64_MAX, ==, 1); }
static void str_longer(void) { CHECK_STR(hello, "hell"); }
static void str_shorter(void) { CHECK_STR(hello, "hello there"); }
static void str_different(void) { CHECK_STR(hello, "hallo"); }
static void str_dangling(void) { CHECK_STR(dangling, ""); }
static void str_without(void) { CHECK_STR_HAS(hello, "ello there"); }
static void text_different(void) { CHECK_TEXT("a\n", "a"); }
static void text_null(void) { CHECK_TEXT(NULL, ""); }
static void text_without(void) { CHECK_TEXT_HAS("abc", "ac"); }
static void text_has_null(void) { CHECK_TEXT_HAS(NULL, ""); }
static void bytes_different(void) { CHECK_BYTES("\0a", 2, "\0b", 2); }
static void bytes_longer(void) { CHECK_BYTES("abc", 3, "ab", 2); }
static void bytes_null(void) { CHECK_BYTES(NULL, 2, "ab", 2); }
static void fail_at_once(void) { FAIL("why %d", 17); }

static void what_holds(void) {
    const unsigned long before = check_count();
    const struct text empty = {NULL, 0};
    CHECK(before == before);
    CHECK_INT(-1, <, 1);
    CHECK_UINT(UINT64_MAX, >, 1);
    CHECK_STR(hello, "hello");
    CHECK_STR(empty, "");
    CHECK_STR_HAS(hello, "ell");
    CHECK_STR_HAS(hello, "hello");
    CHECK_STR_HAS(hello, "");
    CHECK_STR_HAS(empty, "");
    CHECK_TEXT("a", "a");
    CHECK_TEXT_HAS("abc", "bc");
    CHECK_BYTES("\0a", 2, "\0a", 2);
    CHECK_BYTES(NULL, 0, "", 0);
    CHECK_UINT(check_count() - before, ==, 13);
}

static void each_check_can_fail(void) {
    static const struct child_case cases[] = {
        FAILS(check_of_false, "CHECK(1 + 1 == 3)"),
        FAILS(int_unequal, "-1 == 1: -1 == 1"),
        FAILS(int_less, "-1 > 0"),
        FAILS(uint_unequal, "18446744073709551615 == 1"),
        FAILS(str_longer, "\"hello\" (5 bytes) is not \"hell\" (4 bytes)"),
        FAILS(str_shorter, "is not"),
        FAILS(str_different, "is not"),
        FAILS(str_dangling, "NULL of 3 bytes"),
        FAILS(str_without, "has no"),
        FAILS(text_different, "\"a\\x0a\" (2 bytes) is not \"a\""),
        FAILS(text_null, "NULL is not"),
        FAILS(text_without, "has no"),
        FAILS(text_has_null, "NULL has no"),
        FAILS(bytes_different, "the first that differs is 1: 0x61, not 0x62"),
        FAILS(bytes_longer, "3 bytes, not 2"),
        FAILS(bytes_null, "NULL"),
        FAILS(fail_at_once, "why 17"),
        PASSES(what_holds),
    };
    RUN_CASES(cases);
}

static void show(void *context) { fprintf(stderr, "dump of %s\n", (const char *)context); }

static void fails_with_dumps(void) {
    static char one[] = "one", two[] = "two", three[] = "three";
    check_dump_add(show, one);
    check_dump_add(show, two);
    check_dump_add(show, three);
    check_dump_remove(show, two);
    FAIL("now");
}

static void fails_in_a_dump(void *context) {
    (void)context;
    FAIL("in the dump");
}

static void fails_twice(void) {
    check_dump_add(fails_in_a_dump, NULL);
    FAIL("first");
}

static void adds_dumps_for_ever(void) {
    for (int at = 0; at < 100; at++) {
        check_dump_add(show, NULL);
    }
}

static void a_failing_check_dumps(void) {
    static const struct child_case cases[] = {
        FAILS(fails_with_dumps, "dump of one\ndump of three\n"),
        FAILS(fails_twice, "first"),
        FAILS(adds_dumps_for_ever, "more than 16 dumps"),
    };
    RUN_CASES(cases);
}

// --- the run of tests

static void checks(void) { CHECK(1); }
static void checks_nothing(void) {}
static void skips(void) { test_skip("because of that"); }
static void ignores_sigpipe(void) {
    CHECK(1);
    signal(SIGPIPE, SIG_IGN);
}
static void blocks_sigpipe(void) {
    sigset_t set;
    CHECK(1);
    sigemptyset(&set);
    sigaddset(&set, SIGPIPE);
    pthread_sigmask(SIG_BLOCK, &set, NULL);
}
static void raises_sigpipe(void) {
    int ends[2];
    CHECK_INT(pipe(ends), ==, 0);
    close(ends[0]);
    CHECK_INT(write(ends[1], "x", 1), ==, 1);
}
static void overruns(void) {
    struct latch never;
    CHECK(1);
    test_limit(0);
    latch_init(&never);
    LATCH_WAIT(&never, 1);
}

static const struct test samples[] = {
    TEST("L1 L20", checks),          TEST("L2", checks_nothing), TEST("L3", skips),
    TEST("L4", ignores_sigpipe),     TEST("L5", blocks_sigpipe), TEST("L6", raises_sigpipe),
    TEST("L7", overruns),
};

static void run_samples(const char *word) {
    char program[] = "samples";
    char *text = strdup(word);
    char *arguments[] = {program, text, NULL};
    const int status = run_tests(2, arguments, samples, sizeof(samples) / sizeof(*samples));
    free(text);
    fflush(stdout);
    _exit(status);
}

static void run_by_name(void) { run_samples("checks"); }
static void run_by_law(void) { run_samples("L20"); }
static void run_unknown(void) { run_samples("L"); }
static void run_list(void) { run_samples("--list"); }
static void run_without_check(void) { run_samples("L2"); }
static void run_skipped(void) { run_samples("L3"); }
static void run_ignores(void) { run_samples("L4"); }
static void run_blocks(void) { run_samples("L5"); }
static void run_raises(void) { run_samples("L6"); }
static void run_overruns(void) { run_samples("L7"); }
static void run_nothing(void) {
    char program[] = "samples";
    char *arguments[] = {program, NULL};
    _exit(run_tests(1, arguments, samples, 0));
}

static void a_run_fails_what_it_must(void) {
    static const struct child_case cases[] = {
        {"by name", run_by_name, 0, "ok checks (L1 L20)\n"},
        {"by law", run_by_law, 0, "ok checks (L1 L20)\n"},
        {"unknown", run_unknown, 2, "no test or law is called L\n"},
        {"none", run_nothing, 2, "no test"},
        {"list", run_list, 0, "checks (L1 L20)\nchecks_nothing (L2)\nskips (L3)\n"},
        {"without a check", run_without_check, 1, "FAIL checks_nothing (L2)"},
        {"skipped", run_skipped, 77, "skip skips (L3): because of that\n"},
        {"SIGPIPE ignored", run_ignores, 1, "another disposition"},
        {"SIGPIPE blocked", run_blocks, 1, "left SIGPIPE blocked"},
        {"SIGPIPE raised", run_raises, -SIGPIPE, ""},
        {"overrun", run_overruns, 1, "FAIL overruns (L7)"},
    };
    RUN_CASES(cases);
}

// --- waits

static struct latch latch;
static struct monitor monitor;
static int state;

static void hit(void *context) { latch_hit(context); }

static void change_state(void *unused) {
    (void)unused;
    monitor_lock(&monitor);
    state = 1;
    monitor_changed(&monitor);
    monitor_unlock(&monitor);
}

static void wait_until_hit(void *unused) {
    (void)unused;
    LATCH_WAIT(&latch, 1);
}

static void what_comes(void) {
    struct test_thread thread;
    latch_init(&latch);
    thread_start(&thread, hit, &latch);
    LATCH_WAIT(&latch, 1);
    CHECK_UINT(latch_count(&latch), ==, 1);
    EVENTUALLY(latch_count(&latch) == 1);
    THREAD_JOIN(&thread);
    thread_start(&thread, change_state, NULL);
    MONITOR_WAIT_UNTIL(&monitor, state == 1);
    THREAD_JOIN(&thread);
    latch_destroy(&latch);
}

static void latch_in_vain(void) {
    wait_cap_ms(1);
    LATCH_WAIT(&latch, 2);
}
static void monitor_in_vain(void) {
    wait_cap_ms(1);
    MONITOR_WAIT_UNTIL(&monitor, state == 7);
}
static void eventually_in_vain(void) {
    wait_cap_ms(1);
    EVENTUALLY(state == 8);
}
static void join_in_vain(void) {
    struct test_thread thread;
    thread_start(&thread, wait_until_hit, NULL);
    wait_cap_ms(1);
    THREAD_JOIN(&thread);
}
static int hang(void *unused) {
    (void)unused;
    while (pause() == -1) {
    }
    return 0;
}
static void fork_in_vain(void) {
    wait_cap_ms(1);
    PROCESS_FORK(hang, NULL);
}

static void a_missed_deadline_fails(void) {
    static const struct child_case cases[] = {
        FAILS(latch_in_vain, "waited in vain for a latch: 0 of 2"),
        FAILS(monitor_in_vain, "waited in vain for: state == 7"),
        FAILS(eventually_in_vain, "waited in vain for: state == 8"),
        FAILS(join_in_vain, "waited in vain for a latch: 0 of 1"),
        FAILS(fork_in_vain, "a forked child did not end in time"),
        PASSES(what_comes),
    };
    latch_init(&latch);
    monitor_init(&monitor);
    RUN_CASES(cases);
    monitor_destroy(&monitor);
    latch_destroy(&latch);
}

// --- processes

static int exit_three(void *context) { return context ? 3 : 0; }

static int end_by_signal(void *context) {
    (void)context;
    raise(SIGKILL);
    return 0;
}

static void children_tell_how_they_ended(void) {
    static const char *const shell[] = {"/bin/sh", "-c", "exit 5", NULL};
    int any = 0;
    CHECK_INT(PROCESS_FORK(exit_three, &any), ==, 3);
    CHECK_INT(PROCESS_FORK(end_by_signal, NULL), ==, -SIGKILL);
    CHECK_INT(PROCESS_SPAWN(shell), ==, 5);
}

static void descriptors_are_counted(void) {
    const long before = process_descriptors();
    CHECK_INT(before, >=, 3);
    const int opened = open("/dev/null", O_RDONLY | O_CLOEXEC);
    CHECK_INT(process_descriptors(), ==, before + 1);
    close(opened);
    CHECK_INT(process_descriptors(), ==, before);
}

static void nap(void *context) {
    sigset_t set;
    pthread_setname_np(pthread_self(), "napper");
    sigemptyset(&set);
    sigaddset(&set, SIGUSR1);
    pthread_sigmask(SIG_BLOCK, &set, NULL);
    latch_hit(context);
    LATCH_WAIT(&latch, 1);
    latch_hit(context);
    LATCH_WAIT(&latch, 2);
}

static void threads_are_seen(void) {
    const long before = process_threads(NULL);
    struct latch naps;
    struct test_thread thread;
    latch_init(&latch);
    latch_init(&naps);
    CHECK_INT(process_threads("napper"), ==, 0);
    thread_start(&thread, nap, &naps);
    LATCH_WAIT(&naps, 1);
    CHECK_INT(process_threads("nap"), ==, 1);
    CHECK_INT(process_threads(NULL), ==, before + 1);
    CHECK_UINT(process_blocked_signals("nap") >> (SIGUSR1 - 1) & 1, ==, 1);
    CHECK_UINT(process_blocked_signals("nobody"), ==, 0);
    CHECK_INT(process_ticks("nap"), >=, 0);
    const long long wakeups = process_wakeups("nap");
    latch_hit(&latch);
    LATCH_WAIT(&naps, 2);
    EVENTUALLY(process_wakeups("nap") > wakeups);
    latch_hit(&latch);
    THREAD_JOIN(&thread);
    EVENTUALLY(process_threads(NULL) == before);
    latch_destroy(&naps);
    latch_destroy(&latch);
}

static void memory_is_seen(void) {
    enum { BYTES = 32 * 1024 * 1024 };
    const long long heap = process_heap_bytes();
    const long long resident = process_resident_bytes();
    char *memory = malloc(BYTES);
    CHECK(memory);
    memset(memory, 1, BYTES);
    CHECK_INT(process_resident_bytes() - resident, >, BYTES / 2);
    CHECK_INT(process_resident_peak_bytes(), >=, BYTES / 2);
    if (heap >= 0) {
        CHECK_INT(process_heap_bytes() - heap, >=, BYTES);
    } else {
        CHECK(process_under_valgrind() || process_under_asan());
    }
    free(memory);
    CHECK_INT(process_is_mapped("/libc.so.6"), ==, 1);
    CHECK_INT(process_is_mapped("/libc.so.6.not"), ==, 0);
}

static const struct test tests[] = {
    TEST("-", each_check_can_fail),     TEST("-", a_failing_check_dumps),
    TEST("-", a_run_fails_what_it_must), TEST("-", a_missed_deadline_fails),
    TEST("-", children_tell_how_they_ended), TEST("-", descriptors_are_counted),
    TEST("-", threads_are_seen),        TEST("-", memory_is_seen),
};
TEST_MAIN(tests)
