// L29: signals, threads, and what belongs to the whole process. The test that forks before the library was used
// stands first. SIGPIPE: sigpipe.c.
#include <fcntl.h>
#include <locale.h>
#include <signal.h>
#include <stdarg.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/time.h>
#include <unistd.h>

#include "mini.h"
#include "process.h"

extern char **environ;

// --- a session that uses a bit of everything

static taro_app make_app(uint32_t delivery) {
    taro_app_options options = TARO_APP_OPTIONS_INIT;
    taro_app app = 0;
    options.delivery = delivery;
    options.ca_file = mini_str(server_ca_file());
    options.max_sockets = 20;
    CHECK_STATUS(taro_app_create(&options, &app), TARO_STATUS_OK);
    return app;
}

static void end_with(struct mini *mini, const char *label, const char *url, int kind) {
    struct recording recording = RECORDING(&mini->recorder, label);
    mini_connect(mini, &recording, url);
    mini_wait(mini, kind, label, 1);
    mini_wait(mini, RECORD_RELEASE, label, 1);
}

static void session(uint32_t delivery, void (*look)(void)) {
    struct mini mini = {.app = make_app(delivery), .delivery = delivery};
    recorder_init(&mini.recorder);
    struct recording a = RECORDING(&mini.recorder, "a"), b = RECORDING(&mini.recorder, "b"),
                     c = RECORDING(&mini.recorder, "c"), sent = RECORDING(&mini.recorder, "sent");
    const taro_socket plain = mini_open(&mini, &a, SERVER_URL("ws", "/echo?id=session"));
    const taro_socket tls = mini_open(&mini, &b, SERVER_URL("wss", "/echo"));
    mini_open(&mini, &c, SERVER_URL_FOR("ws", "localhost", "/echo"));
    taro_send_options send = record_send_text_options(&sent, "hello");
    CHECK_STATUS(taro_socket_send(plain, &send), TARO_STATUS_OK);
    mini_send(tls, "hello");
    mini_wait(&mini, RECORD_MESSAGE, "a", 1);
    mini_wait(&mini, RECORD_MESSAGE, "b", 1);
    CHECK_STATUS(taro_socket_ping(tls, "ping", 4), TARO_STATUS_OK);
    look();
    end_with(&mini, "refused", SERVER_URL("refuse", "/"), RECORD_ERROR);
    end_with(&mini, "expired", SERVER_URL("wss_expired", "/echo"), RECORD_ERROR);
    end_with(&mini, "status", SERVER_URL("ws", "/echo?status=403"), RECORD_ERROR);
    end_with(&mini, "reset", SERVER_URL("ws", "/echo?act=rst"), RECORD_CLOSE);
    end_with(&mini, "closed", SERVER_URL("wss", "/echo?act=close:1000:"), RECORD_CLOSE);
    mini_close(plain);
    mini_wait(&mini, RECORD_CLOSE, "a", 1);
    CHECK_STATUS(taro_app_set_background(mini.app, 1), TARO_STATUS_OK);
    mini_end(&mini);
    mini_shutdown();
}

// --- what belongs to the process, as one text

struct snapshot {
    char text[65536];
    size_t len;
};

__attribute__((format(printf, 2, 3)))
static void note(struct snapshot *snapshot, const char *format, ...) {
    va_list arguments;
    va_start(arguments, format);
    const int len = vsnprintf(snapshot->text + snapshot->len, sizeof snapshot->text - snapshot->len, format, arguments);
    va_end(arguments);
    CHECK(len >= 0 && snapshot->len + (size_t)len < sizeof snapshot->text);
    snapshot->len += (size_t)len;
}

static void note_signals(struct snapshot *snapshot, const char *what, const sigset_t *set) {
    note(snapshot, "%s", what);
    for (int number = 1; number <= SIGRTMAX; number++) {
        note(snapshot, sigismember(set, number) == 1 ? " %d" : "", number);
    }
    note(snapshot, "\n");
}

static void take_snapshot(struct snapshot *snapshot) {
    struct sigaction action;
    struct itimerval timer;
    struct rlimit limit;
    struct stat file;
    stack_t stack;
    sigset_t set;
    char cwd[4096];
    snapshot->len = 0;
    for (int number = 1; number <= SIGRTMAX; number++) {
        if (sigaction(number, NULL, &action) == 0) {
            note(snapshot, "signal %d: %p flags %x", number, *(void **)&action.sa_handler, (unsigned)action.sa_flags);
            note_signals(snapshot, "", &action.sa_mask);
        }
    }
    pthread_sigmask(SIG_SETMASK, NULL, &set);
    note_signals(snapshot, "blocked", &set);
    sigpending(&set);
    note_signals(snapshot, "pending", &set);
    CHECK_INT(sigaltstack(NULL, &stack), ==, 0);
    note(snapshot, "stack for signals: %p %x\n", stack.ss_sp, (unsigned)stack.ss_flags);
    CHECK_INT(getitimer(ITIMER_REAL, &timer), ==, 0);
    note(snapshot, "timer %ld\n", (long)timer.it_value.tv_sec);
    note(snapshot, "locale %s\n", setlocale(LC_ALL, NULL));
    for (char **variable = environ; *variable; variable++) {
        note(snapshot, "%p %s\n", (void *)*variable, *variable);
    }
    note(snapshot, "folder %s\n", getcwd(cwd, sizeof cwd));
    const mode_t mask = umask(0);
    umask(mask);
    note(snapshot, "umask %o\n", (unsigned)mask);
    for (int fd = 0; fd <= 2; fd++) {
        CHECK_INT(fstat(fd, &file), ==, 0);
        note(snapshot, "file %d: %lu flags %x, at exec %x\n", fd, (unsigned long)file.st_ino,
             (unsigned)fcntl(fd, F_GETFL), (unsigned)fcntl(fd, F_GETFD));
    }
    for (int resource = 0; resource < RLIMIT_NLIMITS; resource++) {
        CHECK_INT(getrlimit((__rlimit_resource_t)resource, &limit), ==, 0);
        note(snapshot, "limit %d: %llx %llx\n", resource, (unsigned long long)limit.rlim_cur,
             (unsigned long long)limit.rlim_max);
    }
    pthread_getname_np(pthread_self(), cwd, 64);
    note(snapshot, "thread %s, session %d, group %d, priority %d\n", cwd, (int)getsid(0), (int)getpgrp(),
         getpriority(PRIO_PROCESS, 0));
}

static struct snapshot before, now;

static void nothing_has_changed(void) {
    take_snapshot(&now);
    const char *was = before.text, *is = now.text;
    while (*was || *is) {
        const size_t was_len = strcspn(was, "\n"), is_len = strcspn(is, "\n");
        if (is_len != was_len || memcmp(is, was, is_len) != 0) {
            FAIL("was: %.*s\nis: %.*s", (int)was_len, was, (int)is_len, is);
        }
        was += was_len + (was[was_len] != '\0');
        is += is_len + (is[is_len] != '\0');
    }
    check_pass();
}

static int is_observed(void *unused) {
    (void)unused;
    take_snapshot(&before);
    session(TARO_DELIVERY_DIRECT, nothing_has_changed);
    nothing_has_changed();
    session(TARO_DELIVERY_HOST, nothing_has_changed);
    nothing_has_changed();
    return 42;
}

// Of what it may change, and print, there is nothing.
static void nothing_of_the_process_is_touched(void) {
    char printed[8192];
    server_start();
    setlocale(LC_ALL, "C.UTF-8");
    const int status = PROCESS_FORK_OUTPUT(is_observed, NULL, printed, sizeof printed);
    if (status != 42 || printed[0]) {
        FAIL("status %d, and it has printed: %s", status, printed);
    }
    check_pass();
    setlocale(LC_ALL, "C");
}

// --- signals are for the host's threads

static struct {
    atomic_int count[65];
    atomic_long thread; // that ran the last one
} handled;

static void on_signal(int number) {
    atomic_fetch_add(&handled.count[number], 1);
    atomic_store(&handled.thread, record_thread());
}

// They wait while the library lives: were one of its threads ever open to them, it would get them. Those threads start
// while the host's own thread is open to them, as a thread inherits what is blocked.
static void its_threads_get_none(void) {
    static const int numbers[] = {SIGUSR1, SIGUSR2, SIGHUP, SIGINT, SIGTERM, SIGALRM, SIGCHLD, SIGURG, SIGIO};
    enum { NUMBERS = sizeof numbers / sizeof *numbers };
    struct sigaction action = {.sa_handler = on_signal}, old[NUMBERS];
    sigset_t set, mask;
    struct mini mini = {.app = make_app(TARO_DELIVERY_DIRECT), .delivery = TARO_DELIVERY_DIRECT};
    recorder_init(&mini.recorder);
    struct recording a = RECORDING(&mini.recorder, "a"), b = RECORDING(&mini.recorder, "b");
    const taro_socket socket = mini_open(&mini, &a, SERVER_URL("ws", "/echo"));
    sigemptyset(&set);
    for (size_t at = 0; at < NUMBERS; at++) {
        sigaddset(&set, numbers[at]);
        CHECK_INT(sigaction(numbers[at], &action, &old[at]), ==, 0);
    }
    CHECK_INT(pthread_sigmask(SIG_BLOCK, &set, &mask), ==, 0);
    for (size_t at = 0; at < NUMBERS; at++) {
        CHECK_INT(kill(getpid(), numbers[at]), ==, 0);
    }
    mini_open(&mini, &b, SERVER_URL_FOR("ws", "localhost", "/echo"));
    end_with(&mini, "expired", SERVER_URL("wss_expired", "/echo"), RECORD_ERROR);
    mini_send(socket, "hello");
    mini_wait(&mini, RECORD_MESSAGE, "a", 1);
    mini_end(&mini);
    mini_shutdown();
    for (size_t at = 0; at < NUMBERS; at++) {
        CHECK_INT(atomic_load(&handled.count[numbers[at]]), ==, 0);
    }
    CHECK_INT(pthread_sigmask(SIG_SETMASK, &mask, NULL), ==, 0);
    for (size_t at = 0; at < NUMBERS; at++) {
        CHECK_INT(atomic_load(&handled.count[numbers[at]]), ==, 1);
        CHECK_INT(sigaction(numbers[at], &old[at], NULL), ==, 0);
    }
    CHECK_INT(atomic_load(&handled.thread), ==, record_thread());
}

static int blocks_all_it_can(void) {
    sigset_t set;
    pthread_sigmask(SIG_SETMASK, NULL, &set);
    for (int number = 1; number <= SIGRTMAX; number++) {
        // Neither these nor the C library's own, below SIGRTMIN, can be blocked.
        const int cannot = number == SIGKILL || number == SIGSTOP || (number >= 32 && number < SIGRTMIN);
        if (!cannot && sigismember(&set, number) != 1) {
            return 0;
        }
    }
    return 1;
}

static void in_its_thread(struct recording *recording, const struct record *record, const void *event) {
    (void)recording, (void)event;
    CHECK(record->kind == RECORD_RELEASE || blocks_all_it_can()); // that one runs on the releasing thread
}

static void at_its_start(const char *name, void *user_data) {
    CHECK(strncmp(name, "taro-", 5) == 0);
    CHECK(blocks_all_it_can());
    latch_hit(user_data);
}

static void its_threads_block_all(void) {
    struct latch hooks;
    taro_init_options init = TARO_INIT_OPTIONS_INIT;
    latch_init(&hooks);
    init.thread_start = init.thread_stop = at_its_start;
    init.user_data = &hooks;
    init.io_threads = 2;
    CHECK_STATUS(taro_init(&init), TARO_STATUS_OK);
    struct mini minis[2];
    struct recording recordings[2];
    for (size_t at = 0; at < 2; at++) {
        mini_init(&minis[at], NULL);
        recordings[at] = RECORDING_ON(&minis[at].recorder, "a", in_its_thread, NULL);
        mini_open(&minis[at], &recordings[at], SERVER_URL("ws", "/echo"));
    }
    if (!process_under_valgrind() && process_threads(NULL) > 0) {
        const uint64_t can = ~(uint64_t)0 & ~((uint64_t)1 << (SIGKILL - 1)) & ~((uint64_t)1 << (SIGSTOP - 1)) &
                             ~((uint64_t)3 << (32 - 1));
        CHECK_UINT(process_blocked_signals("taro-") & can, ==, can);
    }
    CHECK(!blocks_all_it_can()); // this one does not
    mini_end(&minis[0]);
    mini_end(&minis[1]);
    mini_shutdown();
    CHECK_UINT(latch_count(&hooks), ==, 4);
    latch_destroy(&hooks);
}

// --- threads

static void few_named_and_late(void) {
    const long alone = process_threads(NULL);
    if (alone < 0) {
        test_skip("the number of threads is not known here");
        return;
    }
    server_start();
    CHECK_INT(process_threads("taro"), ==, 0);
    taro_init_options init = TARO_INIT_OPTIONS_INIT;
    init.io_threads = 2;
    CHECK_STATUS(taro_init(&init), TARO_STATUS_OK);
    struct mini mini = {.app = make_app(TARO_DELIVERY_DIRECT), .delivery = TARO_DELIVERY_DIRECT}, host;
    recorder_init(&mini.recorder);
    mini_init_of(&host, TARO_DELIVERY_HOST);
    int32_t descriptor;
    CHECK_STATUS(taro_app_get_descriptor(host.app, &descriptor), TARO_STATUS_OK);
    CHECK_STATUS(taro_app_dispatch(host.app, 0, NULL), TARO_STATUS_OK);
    CHECK_UINT(mini_live(&mini), ==, 0);
    CHECK_STATUS(taro_app_network_changed(mini.app), TARO_STATUS_OK);
    CHECK_INT(process_threads(NULL), ==, alone);

    struct recording a = RECORDING(&mini.recorder, "a"), h = RECORDING(&host.recorder, "h");
    mini_open(&mini, &a, SERVER_URL("ws", "/echo"));
    CHECK_INT(process_threads(NULL), ==, alone + 1);
    CHECK_INT(process_threads("taro-io-0"), ==, 1);
    mini_open(&host, &h, SERVER_URL("ws", "/echo"));
    CHECK_INT(process_threads(NULL), ==, alone + 2);
    CHECK_INT(process_threads("taro-io-1"), ==, 1);

    // Names are looked up elsewhere, by threads that end when there is nothing to look up.
    struct recording names = RECORDING(&mini.recorder, "name");
    for (int at = 0; at < 15; at++) {
        taro_connect_options options = record_connect_options(&names, SERVER_URL_FOR("ws", "localhost", "/echo"));
        options.app = mini.app;
        mini_accepted(&options);
    }
    mini_wait(&mini, RECORD_OPEN, "name", 15);
    EVENTUALLY(process_threads(NULL) == alone + 2);
    mini_end(&host);
    mini_end(&mini);
    mini_shutdown();
    CHECK_INT(process_threads(NULL), ==, alone);
}

static const struct test tests[] = {
    TEST("L29", nothing_of_the_process_is_touched),
    TEST("L29", its_threads_get_none),
    TEST("L29", its_threads_block_all),
    TEST("L29", few_named_and_late),
};

TEST_MAIN(tests)
