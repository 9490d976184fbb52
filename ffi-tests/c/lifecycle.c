// L8, L30, L6: release and shutdown, by where the caller stands and how the app delivers. No server: the
// callbacks are the results of connects that are refused.
#define _GNU_SOURCE
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "taro_socket.h"

static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
static pthread_cond_t changed;
static char trace[64]; // one letter for each thing that happened, in order
static const char *current;

static void fail(const char *what) {
    fprintf(stderr, "%s: %s; happened: %s\n", current, what, trace);
    _Exit(1);
}

static void happened(char letter) {
    pthread_mutex_lock(&lock);
    size_t length = strlen(trace);
    if (length + 1 < sizeof trace) trace[length] = letter;
    pthread_cond_broadcast(&changed);
    pthread_mutex_unlock(&lock);
}

static void wait_for(char letter) {
    struct timespec until;
    clock_gettime(CLOCK_MONOTONIC, &until);
    until.tv_sec += 60;
    pthread_mutex_lock(&lock);
    while (!strchr(trace, letter))
        if (pthread_cond_timedwait(&changed, &lock, &until)) fail("waited in vain");
    pthread_mutex_unlock(&lock);
}

static unsigned count(char letter) {
    unsigned found = 0;
    for (const char *at = trace; *at; at++) found += *at == letter;
    return found;
}

enum place { OUTSIDE, OWN_CALLBACK, OTHER_CALLBACK, WHILE_CALLBACK_RUNS };
enum what { RELEASE, SHUTDOWN };

static const struct row {
    const char *name;
    enum what what;
    enum place place;
    taro_status expected;
    const char *order; // of these: r the call returned, c connect's user data was released, a the app's was
} rows[] = {
    {"release outside", RELEASE, OUTSIDE, TARO_STATUS_OK, "car"},
    {"release in own callback", RELEASE, OWN_CALLBACK, TARO_STATUS_OK, "rca"},
    {"release in another app's callback", RELEASE, OTHER_CALLBACK, TARO_STATUS_OK, "car"},
    {"release while a callback runs", RELEASE, WHILE_CALLBACK_RUNS, TARO_STATUS_OK, "car"},
    {"shutdown outside", SHUTDOWN, OUTSIDE, TARO_STATUS_OK, "car"},
    {"shutdown in own callback", SHUTDOWN, OWN_CALLBACK, TARO_STATUS_WOULD_DEADLOCK, "rca"},
    {"shutdown in another app's callback", SHUTDOWN, OTHER_CALLBACK, TARO_STATUS_WOULD_DEADLOCK, "cra"},
    {"shutdown while a callback runs", SHUTDOWN, WHILE_CALLBACK_RUNS, TARO_STATUS_OK, "car"},
};

static const struct row *row;
static taro_app subject, other;

static void act(void) {
    taro_status status = row->what == RELEASE ? taro_app_release(subject) : taro_shutdown(60000);
    if (status != row->expected) fail(taro_status_name(status));
    happened('r');
}

static void connect_released(void *user_data) { (void)user_data; happened('c'); }
static void app_released(void *user_data) { (void)user_data; happened('a'); }

static void on_fail(taro_socket socket, const taro_result *result, void *user_data) {
    (void)user_data;
    if (socket != 0 || result->status != TARO_STATUS_INVALID_URL) fail("wrong result");
    happened('f');
    if (row->place == OWN_CALLBACK) act();
    if (row->place == WHILE_CALLBACK_RUNS) {
        wait_for('s'); // the other thread is about to call
        happened('e');
    }
}

static void on_complete(taro_socket socket, const taro_result *result, void *user_data) {
    (void)socket, (void)result, (void)user_data;
    happened('k');
}

static void on_other(taro_socket socket, const taro_result *result, void *user_data) {
    (void)socket, (void)result, (void)user_data;
    act();
    happened('o');
}

static void refuse(taro_app app, taro_result_fn on_result, int owned) {
    taro_connect_options options = TARO_CONNECT_OPTIONS_INIT;
    taro_socket socket = 1;
    options.app = app;
    options.url = TARO_STR("http://example.org/");
    options.fail = on_result;
    if (owned) {
        options.complete = on_complete;
        options.release = connect_released;
    }
    if (taro_connect_socket(&options, &socket) != TARO_STATUS_INVALID_URL || socket != 0) fail("accepted");
}

static taro_app make_app(uint32_t delivery, taro_release_fn release) {
    taro_app_options options = TARO_APP_OPTIONS_INIT;
    taro_app app = 0;
    options.delivery = delivery;
    options.release = release;
    if (taro_app_create(&options, &app) != TARO_STATUS_OK) fail("no app");
    return app;
}

static void *dispatching(void *unused) {
    (void)unused;
    size_t left = 1;
    taro_status status = taro_app_dispatch(subject, 0, &left);
    if (status != TARO_STATUS_OK && status != TARO_STATUS_BAD_HANDLE) fail("dispatch");
    return NULL;
}

static void run(uint32_t delivery) {
    memset(trace, 0, sizeof trace);
    subject = make_app(delivery, app_released);
    int in_thread = delivery == TARO_DELIVERY_HOST && row->place == WHILE_CALLBACK_RUNS;
    pthread_t thread;
    refuse(subject, on_fail, 1);
    if (in_thread) pthread_create(&thread, NULL, dispatching, NULL);
    else if (delivery == TARO_DELIVERY_HOST && row->place != OTHER_CALLBACK) dispatching(NULL);
    if (row->place == WHILE_CALLBACK_RUNS) {
        wait_for('f');
        happened('s');
        act();
    } else if (row->place == OUTSIDE) {
        wait_for('c');
        act();
    } else if (row->place == OTHER_CALLBACK) {
        if (delivery == TARO_DELIVERY_DIRECT) wait_for('c');
        other = make_app(TARO_DELIVERY_DIRECT, NULL);
        refuse(other, on_other, 0);
        wait_for('o');
    }
    if (row->place == OWN_CALLBACK) wait_for('r');
    if (row->expected == TARO_STATUS_WOULD_DEADLOCK) {
        if (delivery == TARO_DELIVERY_DIRECT) wait_for('c');
    }
    if (in_thread) pthread_join(thread, NULL);
    if (taro_shutdown(60000) != TARO_STATUS_OK) fail("shutdown");

    if (count('c') != 1 || count('a') != 1 || count('r') != 1) fail("not exactly once");
    char order[4] = "", *end = order;
    for (const char *at = trace; *at; at++)
        if (strchr("car", *at)) *end++ = *at;
    // Host delivery, nothing dispatched: connect's user data goes with the app's.
    int undelivered = delivery == TARO_DELIVERY_HOST && row->place == OTHER_CALLBACK;
    const char *expected = undelivered && row->what == SHUTDOWN ? "rca" : row->order;
    if (strcmp(order, expected) != 0) fail(expected);
    if (undelivered && count('f') != 0) fail("a callback after release");
    // Released between `fail` and `complete`, nobody is told any more.
    int silenced = row->what == RELEASE && row->place == OWN_CALLBACK;
    if (silenced && count('k') != 0) fail("complete after release");
}

int main(void) {
    pthread_condattr_t attributes;
    pthread_condattr_init(&attributes);
    pthread_condattr_setclock(&attributes, CLOCK_MONOTONIC);
    pthread_cond_init(&changed, &attributes);
    for (size_t at = 0; at < sizeof rows / sizeof *rows; at++) {
        row = &rows[at];
        current = row->name;
        for (uint32_t delivery = TARO_DELIVERY_DIRECT; delivery <= TARO_DELIVERY_HOST; delivery++) {
            run(delivery);
            printf("ok: %s, %s\n", row->name, delivery == TARO_DELIVERY_HOST ? "host" : "direct");
        }
    }
    return 0;
}
