// A host's loop for apps of host delivery: polls the app's descriptor and dispatches, on the calling thread.
#ifndef TARO_TEST_HOST_H
#define TARO_TEST_HOST_H

#include "record.h"

#ifdef __cplusplus
extern "C" {
#endif

// Waits for the descriptor and dispatches until the condition holds, which is looked at before each wait: it
// must change by what a dispatch runs. Past the deadline the test fails.
#define HOST_LOOP_UNTIL(app, condition)                                                      \
    do {                                                                                     \
        const int64_t wait_deadline = deadline_in_ms(WAIT_MS);                               \
        while (!(condition)) {                                                               \
            if (!host_loop_turn(__FILE__, __LINE__, (app), 0, wait_deadline)) {              \
                check_fail(__FILE__, __LINE__, "%s", "looped in vain for: " #condition);     \
            }                                                                                \
        }                                                                                    \
        check_pass();                                                                        \
    } while (0)

// The same until there are n such records; returns the n-th.
#define HOST_LOOP_RECORD(app, recorder, kind, label, n) \
    host_loop_record(__FILE__, __LINE__, (app), (recorder), (kind), (label), (n))
const struct record *host_loop_record(const char *file, int line, taro_app app, struct recorder *recorder,
                                      int kind, const char *label, size_t n);

// One turn: waits until the descriptor is readable, then dispatches at most max_events (0: all that wait).
// 0 once the deadline has passed.
int host_loop_turn(const char *file, int line, taro_app app, size_t max_events, int64_t deadline);

// Waits until the descriptor is readable, without a dispatch.
#define HOST_WAIT_READABLE(app) host_wait_readable(__FILE__, __LINE__, (app))
void host_wait_readable(const char *file, int line, taro_app app);
// 1 if it is readable now.
int host_is_readable(taro_app app);

// Dispatches until nothing waits; returns how many dispatches it took.
unsigned host_drain(taro_app app);

#ifdef __cplusplus
}
#endif

#endif
