// The floor: blocking reads and writes of frames that were masked beforehand, one thread. No library can do less for
// one message at a time; `send` gathers frames, which is the least for many.

#define _GNU_SOURCE
#include "floor.h"

// Larger blocks save system calls, and lose as much again to the processor's caches.
enum { GATHERED = 64 << 10, READ_SIZE = 64 << 10 };

static struct plan plan;

static void rtt(void) {
    int fd = connect_upgraded(&plan, "/echo");
    struct wire ping = frame_masked(WIRE_BINARY, plan.payload, plan.size);
    size_t len = reply_len(plan.size);
    uint8_t *reply = malloc(len);
    plan_start(&plan);
    for (long i = 0; i < plan.warm + plan.count; i++) {
        if (i == plan.warm) {
            plan_start(&plan);
        }
        write_whole(fd, ping.data, ping.len);
        read_whole(fd, reply, len);
        if (i >= plan.warm) {
            plan_lap(&plan);
        }
    }
    plan_stop(&plan);
}

static void send_all(void) {
    int fd = connect_upgraded(&plan, "/sink");
    struct wire frame = frame_masked(WIRE_BINARY, plan.payload, plan.size), question = frame_masked(WIRE_TEXT, "?", 1);
    long in_block = frame.len < GATHERED ? GATHERED / (long)frame.len : 1, left = plan.count;
    uint8_t *block = malloc((size_t)in_block * frame.len), answer[64];
    for (long i = 0; i < in_block; i++) {
        memcpy(block + (size_t)i * frame.len, frame.data, frame.len);
    }
    plan_start(&plan);
    while (left > 0) {
        long now = left < in_block ? left : in_block;
        write_whole(fd, block, (size_t)now * frame.len);
        left -= now;
    }
    write_whole(fd, question.data, question.len);
    read_whole(fd, answer, 2);
    read_whole(fd, answer + 2, answer[1]);
    plan_stop(&plan);
    answer[2 + answer[1]] = 0;
    if (atol((char *)answer + 2) != plan.count) {
        fail("the server counted other than was sent");
    }
}

static void receive_all(void) {
    int fd = connect_upgraded(&plan, "/blast");
    const char *text = plan_wish(&plan);
    struct wire wish = frame_masked(WIRE_TEXT, text, strlen(text));
    uint64_t left = (uint64_t)plan.count * reply_len(plan.size);
    uint8_t *block = malloc(READ_SIZE);
    plan_start(&plan);
    write_whole(fd, wish.data, wish.len);
    while (left > 0) {
        ssize_t n = read(fd, block, READ_SIZE);
        if (n <= 0) {
            fail("read");
        }
        left -= (uint64_t)n;
    }
    plan_stop(&plan);
}

static void many(void) {
    connect_upgraded(&plan, "/echo");
    double memory_of_first = own_memory();
    plan_start(&plan);
    for (long i = 1; i < plan.count; i++) {
        connect_upgraded(&plan, "/echo");
    }
    report_connections(&plan, memory_of_first);
}

static void first(void) {
    int fd = connect_upgraded(&plan, "/echo");
    struct wire ping = frame_masked(WIRE_BINARY, plan.payload, plan.size);
    uint8_t *reply = malloc(reply_len(plan.size));
    write_whole(fd, ping.data, ping.len);
    read_whole(fd, reply, reply_len(plan.size));
    report_first(&plan);
}

int main(int argc, char **argv) {
    static void (*const run[SCENARIOS])(void) = {
        [RTT] = rtt, [SEND] = send_all, [RECV] = receive_all, [CONNS] = many, [FIRST] = first,
    };
    plan = plan_read(argc, argv);
    if (plan.tls || !run[plan.scenario]) {
        return NO_SUCH_SCENARIO;
    }
    run[plan.scenario]();
    return 0;
}
