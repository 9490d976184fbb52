// What a host adds to a library that has no thread and no queue of its own: a host thread puts messages into an
// outbox and waits for replies, the library's loop runs on another one.
#ifndef BENCH_HOST_H
#define BENCH_HOST_H

#include <poll.h>
#include <sys/eventfd.h>

#include "common.h"

enum { OUTBOX_BYTES = 16 << 20 };

struct host {
    struct plan *plan;
    int by_descriptor; // how replies are handed over
    int bell;
    struct gate replied;
    pthread_mutex_t mutex;
    pthread_cond_t room;
    long waiting;  // messages in the outbox: all have the plan's payload
    int full;      // the host waits for room
    int question;  // the sink is to be asked, behind the messages
    void (*wake)(void); // makes the loop look into the outbox; from any thread
};

static inline void host_init(struct host *host, struct plan *plan, void (*wake)(void)) {
    memset(host, 0, sizeof *host);
    host->plan = plan;
    host->wake = wake;
    host->by_descriptor = plan->scenario == RTTH;
    host->bell = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
    gate_init(&host->replied);
    pthread_mutex_init(&host->mutex, NULL);
    pthread_cond_init(&host->room, NULL);
}

static inline void outbox_put(struct host *host, int question) {
    pthread_mutex_lock(&host->mutex);
    while (!question && (size_t)host->waiting * host->plan->size >= OUTBOX_BYTES) {
        host->full = 1;
        pthread_cond_wait(&host->room, &host->mutex);
    }
    int was_empty = host->waiting == 0;
    host->waiting += !question;
    host->question |= question;
    pthread_mutex_unlock(&host->mutex);
    if (was_empty) {
        host->wake();
    }
}

// One message of the outbox, on the loop's thread: 0 for none, 1 for the payload, 2 for the question.
static inline int outbox_take(struct host *host) {
    int taken = 0, has_room = 0;
    pthread_mutex_lock(&host->mutex);
    if (host->waiting) {
        host->waiting--;
        taken = 1;
        has_room = host->full && (size_t)host->waiting * host->plan->size <= OUTBOX_BYTES / 2;
        host->full &= !has_room;
    } else if (host->question) {
        host->question = 0;
        taken = 2;
    }
    pthread_mutex_unlock(&host->mutex);
    if (has_room) {
        pthread_cond_signal(&host->room);
    }
    return taken;
}

// A reply, on the loop's thread.
static inline void host_reply(struct host *host) {
    uint64_t one = 1;
    if (!host->by_descriptor) {
        gate_add(&host->replied);
    } else if (write(host->bell, &one, sizeof one) != sizeof one) {
        fail("eventfd");
    }
}

// rttx and rtth, on the host's thread.
static inline void host_round_trips(struct host *host) {
    struct plan *plan = host->plan;
    plan_start(plan);
    for (long i = 0; i < plan->warm + plan->count; i++) {
        struct pollfd watched;
        uint64_t seen;
        watched.fd = host->bell;
        watched.events = POLLIN;
        if (i == plan->warm) {
            plan_start(plan);
        }
        outbox_put(host, 0);
        if (!host->by_descriptor) {
            gate_wait(&host->replied, i + 1);
        } else if (poll(&watched, 1, -1) != 1 || read(host->bell, &seen, sizeof seen) != sizeof seen) {
            fail("eventfd");
        }
        if (i >= plan->warm) {
            plan_lap(plan);
        }
    }
    plan_stop(plan);
}

// send, on the host's thread.
static inline void host_sends(struct host *host) {
    plan_start(host->plan);
    for (long i = 0; i < host->plan->count; i++) {
        outbox_put(host, 0);
    }
    outbox_put(host, 1);
    gate_wait(&host->replied, 1);
    plan_stop(host->plan);
}

#endif
