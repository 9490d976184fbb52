#include "control.h"

#include <errno.h>
#include <netinet/in.h>
#include <poll.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "wait.h"

struct reply {
    char *text;
    size_t len;
    size_t capacity;
};

static int connected(uint16_t port) {
    struct sockaddr_in address;
    const int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    memset(&address, 0, sizeof(address));
    address.sin_family = AF_INET;
    address.sin_port = htons(port);
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    if (fd >= 0 && connect(fd, (const struct sockaddr *)&address, sizeof(address)) != 0) {
        close(fd);
        return -1;
    }
    return fd;
}

static int send_all(int fd, const char *data, size_t len) {
    while (len > 0) {
        const ssize_t sent = send(fd, data, len, MSG_NOSIGNAL);
        if (sent < 0 && errno != EINTR) {
            return 0;
        }
        data += sent > 0 ? sent : 0;
        len -= sent > 0 ? (size_t)sent : 0;
    }
    return 1;
}

static int is_whole(const struct reply *reply, int is_log) {
    const char *end = reply->len > 0 ? memchr(reply->text, '\n', reply->len) : NULL;
    unsigned long lines = 0;
    if (end && is_log && strncmp(reply->text, "ok ", 3) == 0) {
        lines = strtoul(reply->text + 3, NULL, 10);
    }
    while (end && lines > 0) {
        end++;
        end = memchr(end, '\n', reply->len - (size_t)(end - reply->text));
        lines--;
    }
    return end != NULL;
}

static const char *read_some(int fd, struct reply *reply, int64_t deadline) {
    struct pollfd ready = {fd, POLLIN, 0};
    const int64_t left = wait_left_ms(deadline);
    if (left == 0) {
        return "no reply in time";
    }
    if (poll(&ready, 1, (int)left) <= 0) {
        return NULL;
    }
    if (reply->capacity - reply->len < 4096) {
        reply->capacity = reply->capacity * 2 + 8192;
        reply->text = realloc(reply->text, reply->capacity);
        if (!reply->text) {
            return "out of memory";
        }
    }
    const ssize_t got = recv(fd, reply->text + reply->len, reply->capacity - reply->len - 1, 0);
    if (got == 0) {
        return "the server has closed the control connection";
    }
    if (got < 0 && errno != EINTR) {
        return strerror(errno);
    }
    reply->len += got > 0 ? (size_t)got : 0;
    reply->text[reply->len] = '\0';
    return NULL;
}

char *control_exchange(uint16_t port, const char *command, int64_t deadline, const char **why) {
    const int is_log = strncmp(command, "log ", 4) == 0;
    struct reply reply = {NULL, 0, 0};
    const int fd = connected(port);
    *why = NULL;
    if (fd < 0 || !send_all(fd, command, strlen(command)) || !send_all(fd, "\n", 1)) {
        *why = strerror(errno);
    }
    while (!*why && !is_whole(&reply, is_log)) {
        *why = read_some(fd, &reply, deadline);
    }
    if (fd >= 0) {
        close(fd);
    }
    if (*why) {
        free(reply.text);
        return NULL;
    }
    reply.text[reply.len - 1] = '\0';
    return reply.text;
}
