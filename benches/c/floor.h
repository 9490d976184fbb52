// Blocking TCP, the upgrade, and frames that were masked beforehand: what the clients without a library share.
#ifndef BENCH_FLOOR_H
#define BENCH_FLOOR_H

#include <arpa/inet.h>
#include <errno.h>
#include <netinet/tcp.h>
#include <sys/socket.h>

#include "common.h"

enum { WIRE_TEXT = 0x81, WIRE_BINARY = 0x82, LONGEST_HEADER = 14 };

struct wire {
    uint8_t *data;
    size_t len;
};

// A frame under a mask key of zeroes: the mask is valid, and there is nothing to compute.
static inline struct wire frame_masked(uint8_t first, const void *payload, size_t len) {
    struct wire wire;
    size_t extended = len < 126 ? 0 : len < 65536 ? 2 : 8;
    wire.data = (uint8_t *)calloc(1, LONGEST_HEADER + len);
    wire.data[0] = first;
    wire.data[1] = (uint8_t)(0x80 | (extended == 0 ? len : extended == 2 ? 126 : 127));
    for (size_t i = 0; i < extended; i++) {
        wire.data[2 + i] = (uint8_t)((uint64_t)len >> 8 * (extended - 1 - i));
    }
    memcpy(wire.data + 2 + extended + 4, payload, len);
    wire.len = 2 + extended + 4 + len;
    return wire;
}

// Length of a frame of the server with such a payload.
static inline size_t reply_len(size_t len) { return len + (len < 126 ? 2 : len < 65536 ? 4 : 10); }

static inline void write_whole(int fd, const uint8_t *data, size_t len) {
    while (len > 0) {
        ssize_t n = write(fd, data, len);
        if (n <= 0) {
            fail("write");
        }
        data += n;
        len -= (size_t)n;
    }
}

static inline void read_whole(int fd, uint8_t *data, size_t len) {
    while (len > 0) {
        ssize_t n = read(fd, data, len);
        if (n <= 0) {
            fail("read");
        }
        data += n;
        len -= (size_t)n;
    }
}

static inline int connect_tcp(const struct plan *plan) {
    struct sockaddr_in address;
    int yes = 1, fd = socket(AF_INET, SOCK_STREAM, 0);
    memset(&address, 0, sizeof address);
    address.sin_family = AF_INET;
    address.sin_port = htons((uint16_t)plan->port);
    inet_pton(AF_INET, plan->address, &address.sin_addr);
    if (fd < 0 || connect(fd, (struct sockaddr *)&address, sizeof address) != 0) {
        fail("connect");
    }
    setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &yes, sizeof yes);
    return fd;
}

// A connection after the upgrade. The answer is read to its end and not looked at; the server says nothing behind it.
static inline int connect_upgraded(const struct plan *plan, const char *path) {
    char text[1024];
    size_t len = 0;
    int fd = connect_tcp(plan);
    int request = snprintf(text, sizeof text,
                           "GET %s HTTP/1.1\r\nHost: %s:%d\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
                           "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\nSec-WebSocket-Version: 13\r\n\r\n",
                           path, plan->address, plan->port);
    write_whole(fd, (uint8_t *)text, (size_t)request);
    while (len < 4 || memcmp(text + len - 4, "\r\n\r\n", 4) != 0) {
        ssize_t n = read(fd, text + len, sizeof text - len);
        if (n <= 0) {
            fail("no upgrade");
        }
        len += (size_t)n;
    }
    return fd;
}

#endif
