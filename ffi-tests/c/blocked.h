// Does a call wait for a callback? The callback stands at a gate, which is opened only once the caller sleeps
// inside its call: a call that does not wait has come back before.
#ifndef TARO_TEST_BLOCKED_H
#define TARO_TEST_BLOCKED_H

#include <stdio.h>
#include <string.h>

#include "record.h"

// The state that the system shows of a thread of this process: S while it sleeps, R while it runs. '?' where
// that is not known, or the thread has gone.
static inline char blocked_state(long thread) {
    char path[64], line[512];
    snprintf(path, sizeof path, "/proc/self/task/%ld/stat", thread);
    FILE *file = fopen(path, "re");
    const char *end = file && fgets(line, sizeof line, file) ? strrchr(line, ')') : NULL;
    const char state = end && end[1] == ' ' ? end[2] : '?';
    if (file) {
        fclose(file);
    }
    return state;
}

struct blocked {
    struct test_thread thread;
    struct latch returned;
    struct latch *gate;
    long caller;
};

static inline void blocked_opens_the_gate(void *context) {
    struct blocked *blocked = context;
    if (blocked_state(blocked->caller) == '?') {
        // Nothing to look at: at least the call has to end once the gate is open.
        latch_hit(blocked->gate);
        return;
    }
    EVENTUALLY(latch_count(&blocked->returned) > 0 || blocked_state(blocked->caller) == 'S');
    if (latch_count(&blocked->returned) > 0) {
        FAIL("the call has not waited for the callback");
    }
    latch_hit(blocked->gate);
}

// Before the call, on the thread that makes it.
static inline void blocked_begin(struct blocked *blocked, struct latch *gate) {
    latch_init(&blocked->returned);
    blocked->gate = gate;
    blocked->caller = record_thread();
    thread_start(&blocked->thread, blocked_opens_the_gate, blocked);
}

// After it.
static inline void blocked_end(struct blocked *blocked) {
    latch_hit(&blocked->returned);
    THREAD_JOIN(&blocked->thread);
    latch_destroy(&blocked->returned);
}

// A place in a callback: it says that it is there, and stays until it is let on.
struct gate {
    struct latch entered;
    struct latch open;
};

static inline void gate_init(struct gate *gate) {
    latch_init(&gate->entered);
    latch_init(&gate->open);
}

static inline void gate_destroy(struct gate *gate) {
    latch_destroy(&gate->entered);
    latch_destroy(&gate->open);
}

static inline void gate_pass(struct gate *gate) {
    latch_hit(&gate->entered);
    LATCH_WAIT(&gate->open, 1);
}

#endif
