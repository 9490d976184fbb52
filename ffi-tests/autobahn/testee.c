// The client that the Autobahn test suite tests: for each case of its fuzzing server one connection, which sends back
// what comes, in kind. What was right and what was not is in the server's reports.
//
//     testee PORT AGENT AT_A_TIME
//
// Exits with 1 if a connection did not open, an echo was refused, or nothing ended for as long as no case lasts.

#include <errno.h>
#include <pthread.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "taro_socket.h"

enum { MOST_AT_A_TIME = 64, PATH_SIZE = 128, SILENCE_SECONDS = 600 };

// One connection. Its callbacks have it to themselves until `ended`.
struct run {
    char path[PATH_SIZE];
    taro_socket socket;
    int used, opened, ended;
    // For the number of cases: what came instead of being sent back.
    char *answer;
    size_t answer_size;
};

static const char *port;
static taro_app app;
static struct run runs[MOST_AT_A_TIME];
static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
static pthread_cond_t some_ended = PTHREAD_COND_INITIALIZER;
static int faults; // under the lock

__attribute__((format(printf, 2, 3))) static void fault(const struct run *run, const char *format, ...) {
    va_list arguments;
    va_start(arguments, format);
    pthread_mutex_lock(&lock);
    faults++;
    fprintf(stderr, "testee: %s: ", run->path);
    vfprintf(stderr, format, arguments);
    fputc('\n', stderr);
    pthread_mutex_unlock(&lock);
    va_end(arguments);
}

// --- callbacks

static void on_failure(taro_socket socket, const taro_result *result, void *user_data) {
    const struct run *run = user_data;
    (void)socket;
    // Most cases break the rules on purpose: once it is open, an error may be what is wanted.
    if (!run->opened) {
        fault(run, "%.*s: %.*s", (int)result->err_msg.len, result->err_msg.ptr, (int)result->detail.len,
              result->detail.ptr);
    }
}

static void on_open(taro_socket socket, const taro_open_event *event, void *user_data) {
    struct run *run = user_data;
    (void)socket, (void)event;
    run->opened = 1;
}

static void on_message(taro_socket socket, const taro_message_event *event, void *user_data) {
    struct run *run = user_data;
    if (run->answer) {
        snprintf(run->answer, run->answer_size, "%.*s", (int)event->data_len, (const char *)event->data);
        return;
    }
    const taro_status status = event->kind == TARO_MESSAGE_TEXT
                                   ? taro_socket_send_text(socket, event->data, event->data_len)
                                   : taro_socket_send_binary(socket, event->data, event->data_len);
    // The server may have ended it meanwhile. Otherwise the case is lost, and need not be waited for.
    if (status != TARO_STATUS_OK && status != TARO_STATUS_NOT_CONNECTED) {
        fault(run, "an echo of %zu bytes was refused: %s", event->data_len, taro_status_name(status));
        taro_socket_close(socket, NULL);
    }
}

static void on_release(void *user_data) {
    struct run *run = user_data;
    pthread_mutex_lock(&lock);
    run->ended = 1;
    pthread_cond_signal(&some_ended);
    pthread_mutex_unlock(&lock);
}

// --- connections

static void start(struct run *run) {
    char url[PATH_SIZE + 64];
    const int length = snprintf(url, sizeof url, "ws://127.0.0.1:%s%s", port, run->path);
    taro_connect_options options = TARO_CONNECT_OPTIONS_INIT;
    options.app = app;
    options.url.ptr = url;
    options.url.len = (size_t)length;
    options.tcp_no_delay = 1;
    options.per_message_deflate = 1;
    options.fail = on_failure;
    options.open = on_open;
    options.message = on_message;
    options.error = on_failure;
    options.user_data = run;
    options.release = on_release;
    run->used = 1;
    run->opened = run->ended = 0;
    const taro_status status = taro_connect_socket(&options, &run->socket);
    if (status < 0 && status > TARO_STATUS_INVALID_URL) {
        fprintf(stderr, "testee: %s: %s\n", run->path, taro_status_name(status));
        exit(1);
    }
}

static struct run *ended_run(void) {
    for (size_t at = 0; at < MOST_AT_A_TIME; at++) {
        if (runs[at].used && runs[at].ended) {
            return &runs[at];
        }
    }
    return NULL;
}

static void give_up(void) {
    fprintf(stderr, "testee: nothing ended in %d seconds:", SILENCE_SECONDS);
    for (size_t at = 0; at < MOST_AT_A_TIME; at++) {
        if (runs[at].used) {
            fprintf(stderr, " %s", runs[at].path);
        }
    }
    fputc('\n', stderr);
    exit(1);
}

// Waits until a connection has ended, and frees its place. Where one did not open, no other will.
static struct run *finish_one(void) {
    struct timespec until;
    struct run *run;
    clock_gettime(CLOCK_REALTIME, &until);
    until.tv_sec += SILENCE_SECONDS;
    pthread_mutex_lock(&lock);
    while (!(run = ended_run())) {
        if (pthread_cond_timedwait(&some_ended, &lock, &until) == ETIMEDOUT) {
            give_up();
        }
    }
    pthread_mutex_unlock(&lock);
    taro_socket_release(run->socket);
    if (!run->opened) {
        exit(1);
    }
    run->used = 0;
    return run;
}

static long ask_case_count(void) {
    char text[32] = "";
    struct run *run = &runs[0];
    snprintf(run->path, sizeof run->path, "/getCaseCount");
    run->answer = text;
    run->answer_size = sizeof text;
    start(run);
    finish_one();
    run->answer = NULL;
    const long count = strtol(text, NULL, 10);
    if (count <= 0) {
        fprintf(stderr, "testee: the server has no cases: `%s`\n", text);
        exit(1);
    }
    return count;
}

static void start_case(struct run *run, long number, const char *agent) {
    snprintf(run->path, sizeof run->path, "/runCase?case=%ld&agent=%s", number, agent);
    start(run);
}

static void run_cases(long count, long at_a_time, const char *agent) {
    long started = 0;
    while (started < count && started < at_a_time) {
        struct run *free_run = &runs[started++];
        start_case(free_run, started, agent);
    }
    for (long ended = 0; ended < count; ended++) {
        struct run *free_run = finish_one();
        if (started < count) {
            start_case(free_run, ++started, agent);
        }
    }
}

int main(int argc, char **argv) {
    const long at_a_time = argc == 4 ? strtol(argv[3], NULL, 10) : 0;
    if (at_a_time < 1 || at_a_time > MOST_AT_A_TIME) {
        fprintf(stderr, "usage: testee PORT AGENT AT_A_TIME (1 to %d)\n", MOST_AT_A_TIME);
        return 2;
    }
    port = argv[1];
    taro_app_options options = TARO_APP_OPTIONS_INIT;
    options.max_sockets = (uint32_t)at_a_time;
    taro_status status = taro_app_create(&options, &app);
    if (status != TARO_STATUS_OK) {
        fprintf(stderr, "testee: app: %s\n", taro_status_name(status));
        return 1;
    }
    run_cases(ask_case_count(), at_a_time, argv[2]);

    snprintf(runs[0].path, sizeof runs[0].path, "/updateReports?agent=%s", argv[2]);
    start(&runs[0]);
    finish_one();
    status = taro_shutdown(5000);
    if (status != TARO_STATUS_OK) {
        fprintf(stderr, "testee: shutdown: %s\n", taro_status_name(status));
    }
    return status == TARO_STATUS_OK && faults == 0 ? 0 : 1;
}
