// A port that does not answer: its listener's queue is full, so a connect to it goes on until somebody gives up.
#ifndef TARO_TEST_FULL_H
#define TARO_TEST_FULL_H

#include <arpa/inet.h>
#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "check.h"

enum { FULL_FILLERS = 8 };

struct full {
    char address[64]; // `127.0.0.1:PORT` or `[::1]:PORT`
    uint16_t port;
    int listener;
    int fillers[FULL_FILLERS];
};

// At that address; a port of 0 is for the system to pick.
static inline void full_init(struct full *full, const char *address, uint16_t port) {
    struct sockaddr_storage at;
    struct sockaddr_in *const four = (struct sockaddr_in *)&at;
    struct sockaddr_in6 *const six = (struct sockaddr_in6 *)&at;
    memset(&at, 0, sizeof at);
    if (inet_pton(AF_INET, address, &four->sin_addr) == 1) {
        four->sin_family = AF_INET;
        four->sin_port = htons(port);
    } else {
        CHECK_INT(inet_pton(AF_INET6, address, &six->sin6_addr), ==, 1);
        six->sin6_family = AF_INET6;
        six->sin6_port = htons(port);
    }
    const int is_four = at.ss_family == AF_INET;
    socklen_t len = is_four ? sizeof *four : sizeof *six;
    full->listener = socket(at.ss_family, SOCK_STREAM, 0);
    CHECK_INT(bind(full->listener, (struct sockaddr *)&at, len), ==, 0);
    CHECK_INT(listen(full->listener, 0), ==, 0);
    CHECK_INT(getsockname(full->listener, (struct sockaddr *)&at, &len), ==, 0);
    full->port = ntohs(is_four ? four->sin_port : six->sin6_port);
    snprintf(full->address, sizeof full->address, is_four ? "%s:%u" : "[%s]:%u", address, full->port);
    for (int number = 0; number < FULL_FILLERS; number++) {
        full->fillers[number] = socket(at.ss_family, SOCK_STREAM | SOCK_NONBLOCK, 0);
        const int connected = connect(full->fillers[number], (const struct sockaddr *)&at, len);
        CHECK(connected == 0 || errno == EINPROGRESS);
    }
}

static inline void full_end(struct full *full) {
    for (int number = 0; number < FULL_FILLERS; number++) {
        close(full->fillers[number]);
    }
    close(full->listener);
}

#endif
