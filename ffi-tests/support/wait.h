// Waits: on a condition, with a deadline on the steady clock. Past the deadline the test fails; nothing here
// sleeps for a time in the hope that something has happened by then.
#ifndef TARO_TEST_WAIT_H
#define TARO_TEST_WAIT_H

#include <pthread.h>
#include <stdint.h>

#include "check.h"

#ifdef __cplusplus
extern "C" {
#endif

// How long a wait may take unless it says otherwise, before TARO_TEST_SLOW.
enum { WAIT_MS = 20000 };

// TARO_TEST_SLOW: how many times slower this run is than a plain one (valgrind). At least 1.
unsigned wait_slow(void);

// The steady clock. Times measured with it are bounds, so give them room: `* wait_slow()`.
int64_t clock_ns(void);
int64_t clock_ms(void);

// A point on the steady clock, `ms * wait_slow()` from now, in nanoseconds as clock_ns() counts them.
int64_t deadline_in_ms(int64_t ms);
// Milliseconds until then, for poll and the like: at least 1 until it has passed, then 0.
int64_t wait_left_ms(int64_t deadline);
// For the kit's own tests: no deadline from now on is farther away. 0: as far as it was asked for.
void wait_cap_ms(int64_t ms);

// --- a mutex with a condition: for state of a test's own, shared with callbacks

struct monitor {
    pthread_mutex_t mutex;
    pthread_cond_t changed;
};

void monitor_init(struct monitor *monitor);
void monitor_destroy(struct monitor *monitor);
void monitor_lock(struct monitor *monitor);
void monitor_unlock(struct monitor *monitor);
// Under the lock: the state has changed, waiters look again.
void monitor_changed(struct monitor *monitor);
// Under the lock: waits for a change; 0 once the deadline has passed.
int monitor_wait(struct monitor *monitor, int64_t deadline);

// Takes the lock, waits until the condition holds, gives the lock back. The condition is evaluated under the
// lock only.
#define MONITOR_WAIT_UNTIL(monitor, condition)                                                \
    do {                                                                                      \
        const int64_t wait_deadline = deadline_in_ms(WAIT_MS);                                \
        monitor_lock(monitor);                                                                \
        while (!(condition)) {                                                                \
            if (!monitor_wait((monitor), wait_deadline)) {                                    \
                check_fail(__FILE__, __LINE__, "%s", "waited in vain for: " #condition);      \
            }                                                                                 \
        }                                                                                     \
        monitor_unlock(monitor);                                                              \
        check_pass();                                                                         \
    } while (0)

// --- a counter to wait for: also a gate that holds a callback until the test opens it

struct latch {
    struct monitor monitor;
    unsigned long count;
};

void latch_init(struct latch *latch);
void latch_destroy(struct latch *latch);
void latch_hit(struct latch *latch);
unsigned long latch_count(struct latch *latch);
#define LATCH_WAIT(latch, n) latch_wait(__FILE__, __LINE__, (latch), (n))
// Until it was hit n times or more.
void latch_wait(const char *file, int line, struct latch *latch, unsigned long n);

// --- threads of the test

// Starts a thread that thread_join must join; a thread that does not end in time fails the test there.
struct test_thread {
    pthread_t thread;
    void (*run)(void *context);
    void *context;
    struct latch ended;
};

void thread_start(struct test_thread *thread, void (*run)(void *context), void *context);
#define THREAD_JOIN(thread) thread_join(__FILE__, __LINE__, (thread))
void thread_join(const char *file, int line, struct test_thread *thread);

// --- what nobody announces: a thread has gone, a file is closed

// Looks again and again, giving the processor away in between, until the condition holds.
#define EVENTUALLY(condition)                                                                 \
    do {                                                                                      \
        const int64_t wait_deadline = deadline_in_ms(WAIT_MS);                                \
        while (!(condition)) {                                                                \
            if (!wait_look_again(wait_deadline)) {                                            \
                check_fail(__FILE__, __LINE__, "%s", "waited in vain for: " #condition);      \
            }                                                                                 \
        }                                                                                     \
        check_pass();                                                                         \
    } while (0)

// 0 once the deadline has passed.
int wait_look_again(int64_t deadline);

#ifdef __cplusplus
}
#endif

#endif
