// The floor for whoever has a loop: epoll, without a library, frames masked beforehand.
//
// rtt:  one thread, which answers a reply where it read it.
// rttx: the loop has a thread of its own; a host thread writes to the socket itself and waits on a condition variable.
// rtth: the loop's thread hands replies over through an eventfd that the host thread polls, which writes itself.

#define _GNU_SOURCE
#include "floor.h"

#include <fcntl.h>
#include <poll.h>
#include <sys/epoll.h>
#include <sys/eventfd.h>

static struct plan plan;
static int fd, loop, signalled;
static struct wire ping;
static struct gate replied;
static uint8_t *reply;
static size_t reply_at;

static void start(void) {
    struct epoll_event event;
    fd = connect_upgraded(&plan, "/echo");
    fcntl(fd, F_SETFL, O_NONBLOCK);
    loop = epoll_create1(EPOLL_CLOEXEC);
    event.events = EPOLLIN;
    event.data.fd = fd;
    epoll_ctl(loop, EPOLL_CTL_ADD, fd, &event);
    ping = frame_masked(WIRE_BINARY, plan.payload, plan.size);
    reply = malloc(reply_len(plan.size));
}

// The rest of a frame that the system does not take at once waits until it does.
static void send_ping(void) {
    size_t at = 0;
    while (at < ping.len) {
        ssize_t n = write(fd, ping.data + at, ping.len - at);
        if (n > 0) {
            at += (size_t)n;
        } else if (errno == EAGAIN) {
            struct pollfd watched = {fd, POLLOUT, 0};
            poll(&watched, 1, -1);
        } else {
            fail("write");
        }
    }
}

// Turns the loop until a whole reply is there.
static void await_reply(void) {
    struct epoll_event event;
    while (reply_at < reply_len(plan.size)) {
        if (epoll_wait(loop, &event, 1, -1) < 0) {
            fail("epoll_wait");
        }
        ssize_t n = read(fd, reply + reply_at, reply_len(plan.size) - reply_at);
        if (n <= 0) {
            fail("read");
        }
        reply_at += (size_t)n;
    }
    reply_at = 0;
}

static void rtt(void) {
    start();
    plan_start(&plan);
    for (long i = 0; i < plan.warm + plan.count; i++) {
        if (i == plan.warm) {
            plan_start(&plan);
        }
        send_ping();
        await_reply();
        if (i >= plan.warm) {
            plan_lap(&plan);
        }
    }
    plan_stop(&plan);
}

static void *turn(void *by_descriptor) {
    uint64_t one = 1;
    for (long i = 0; i < plan.warm + plan.count; i++) {
        await_reply();
        if (!by_descriptor) {
            gate_add(&replied);
        } else if (write(signalled, &one, sizeof one) != sizeof one) {
            fail("eventfd");
        }
    }
    return NULL;
}

static void across_threads(int by_descriptor) {
    pthread_t thread;
    struct pollfd watched;
    uint64_t seen;
    start();
    gate_init(&replied);
    signalled = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
    watched.fd = signalled;
    watched.events = POLLIN;
    pthread_create(&thread, NULL, turn, by_descriptor ? &signalled : NULL);
    plan_start(&plan);
    for (long i = 0; i < plan.warm + plan.count; i++) {
        if (i == plan.warm) {
            plan_start(&plan);
        }
        send_ping();
        if (!by_descriptor) {
            gate_wait(&replied, i + 1);
        } else if (poll(&watched, 1, -1) != 1 || read(signalled, &seen, sizeof seen) != sizeof seen) {
            fail("eventfd");
        }
        if (i >= plan.warm) {
            plan_lap(&plan);
        }
    }
    plan_stop(&plan);
    pthread_join(thread, NULL);
}

int main(int argc, char **argv) {
    plan = plan_read(argc, argv);
    if (plan.tls || plan.scenario > RTTH) {
        return NO_SUCH_SCENARIO;
    }
    if (plan.scenario == RTT) {
        rtt();
    } else {
        across_threads(plan.scenario == RTTH);
    }
    return 0;
}
