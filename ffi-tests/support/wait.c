#include "wait.h"

#include <poll.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <time.h>

static _Atomic int64_t cap_ms;

unsigned wait_slow(void) {
    static atomic_uint known;
    unsigned slow = atomic_load(&known);
    if (slow == 0) {
        const char *text = getenv("TARO_TEST_SLOW");
        const long given = text ? strtol(text, NULL, 10) : 1;
        slow = given < 1 ? 1 : given > 1000 ? 1000 : (unsigned)given;
        atomic_store(&known, slow);
    }
    return slow;
}

void wait_cap_ms(int64_t ms) { atomic_store(&cap_ms, ms); }

int64_t clock_ns(void) {
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    return (int64_t)now.tv_sec * 1000000000 + now.tv_nsec;
}

int64_t clock_ms(void) { return clock_ns() / 1000000; }

int64_t deadline_in_ms(int64_t ms) {
    const int64_t cap = atomic_load(&cap_ms);
    int64_t away = ms * (int64_t)wait_slow();
    if (cap > 0 && away > cap) {
        away = cap;
    }
    return clock_ns() + away * 1000000;
}

int64_t wait_left_ms(int64_t deadline) {
    const int64_t left = deadline - clock_ns();
    return left <= 0 ? 0 : left / 1000000 + 1;
}

// --- monitor

void monitor_init(struct monitor *monitor) {
    pthread_condattr_t attributes;
    pthread_mutex_init(&monitor->mutex, NULL);
    pthread_condattr_init(&attributes);
    pthread_condattr_setclock(&attributes, CLOCK_MONOTONIC);
    pthread_cond_init(&monitor->changed, &attributes);
    pthread_condattr_destroy(&attributes);
}

void monitor_destroy(struct monitor *monitor) {
    pthread_cond_destroy(&monitor->changed);
    pthread_mutex_destroy(&monitor->mutex);
}

void monitor_lock(struct monitor *monitor) { pthread_mutex_lock(&monitor->mutex); }

void monitor_unlock(struct monitor *monitor) { pthread_mutex_unlock(&monitor->mutex); }

void monitor_changed(struct monitor *monitor) { pthread_cond_broadcast(&monitor->changed); }

// 0 only if the deadline had passed before: so the caller has looked once more after it.
int monitor_wait(struct monitor *monitor, int64_t deadline) {
    const struct timespec until = {(time_t)(deadline / 1000000000), (long)(deadline % 1000000000)};
    if (clock_ns() >= deadline) {
        return 0;
    }
    pthread_cond_timedwait(&monitor->changed, &monitor->mutex, &until);
    return 1;
}

int wait_look_again(int64_t deadline) {
    if (clock_ns() >= deadline) {
        return 0;
    }
    poll(NULL, 0, 1);
    return 1;
}

// --- latch

void latch_init(struct latch *latch) {
    monitor_init(&latch->monitor);
    latch->count = 0;
}

void latch_destroy(struct latch *latch) {
    // The one that hit it last may still be about to give the lock back.
    monitor_lock(&latch->monitor);
    monitor_unlock(&latch->monitor);
    monitor_destroy(&latch->monitor);
}

void latch_hit(struct latch *latch) {
    monitor_lock(&latch->monitor);
    latch->count++;
    monitor_changed(&latch->monitor);
    monitor_unlock(&latch->monitor);
}

unsigned long latch_count(struct latch *latch) {
    monitor_lock(&latch->monitor);
    const unsigned long count = latch->count;
    monitor_unlock(&latch->monitor);
    return count;
}

void latch_wait(const char *file, int line, struct latch *latch, unsigned long n) {
    const int64_t deadline = deadline_in_ms(WAIT_MS);
    monitor_lock(&latch->monitor);
    while (latch->count < n) {
        if (!monitor_wait(&latch->monitor, deadline)) {
            check_fail(file, line, "waited in vain for a latch: %lu of %lu", latch->count, n);
        }
    }
    monitor_unlock(&latch->monitor);
    check_pass();
}

// --- threads

static void *thread_body(void *context) {
    struct test_thread *thread = context;
    thread->run(thread->context);
    latch_hit(&thread->ended);
    return NULL;
}

void thread_start(struct test_thread *thread, void (*run)(void *context), void *context) {
    thread->run = run;
    thread->context = context;
    latch_init(&thread->ended);
    const int error = pthread_create(&thread->thread, NULL, thread_body, thread);
    if (error != 0) {
        FAIL("no thread: error %d", error);
    }
}

void thread_join(const char *file, int line, struct test_thread *thread) {
    latch_wait(file, line, &thread->ended, 1);
    pthread_join(thread->thread, NULL);
    latch_destroy(&thread->ended);
}
