// The server of the benchmark: one thread, epoll, on a port of the system's choice, which it prints. It ends when
// its standard input does.
//
//     server [--tls CERTIFICATE KEY]
//
// /echo   sends every frame back.
// /sink   counts binary messages; a text message is answered with the number of them so far.
// /blast  a text message `COUNT SIZE text|binary` is answered with that many messages of that size.

#define _GNU_SOURCE
#include <arpa/inet.h>
#include <errno.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <openssl/err.h>
#include <openssl/ssl.h>
#include <signal.h>
#include <stdlib.h>
#include <sys/epoll.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <unistd.h>

#include "server_frame.h"

enum { READ_SIZE = 256 << 10, PATTERN_SIZE = 256 << 10, EVENTS = 256, BACKLOG = 4096 };
enum mode { UPGRADING, ECHO, SINK, BLAST };

struct bytes {
    uint8_t *data;
    size_t len, room;
};

struct connection {
    int fd, ending;
    uint32_t watched;
    SSL *ssl;
    enum mode mode;
    struct bytes in, out; // a frame that is not complete yet; what the system would not take
    size_t out_at;
    uint64_t skip;    // payload bytes of the sink that are still to come
    uint64_t counted; // messages of the sink
    struct bytes pattern;
    size_t pattern_at;
    uint64_t blast_left; // bytes
};

static int loop;
static SSL_CTX *tls;
static uint8_t shared[READ_SIZE];

static void fatal(const char *what) {
    perror(what);
    exit(1);
}

static uint8_t *reserve(struct bytes *bytes, size_t more) {
    if (bytes->len + more > bytes->room) {
        bytes->room = (bytes->len + more) * 2;
        bytes->data = realloc(bytes->data, bytes->room);
        if (!bytes->data) {
            fatal("realloc");
        }
    }
    return bytes->data + bytes->len;
}

static void drop(struct connection *c) {
    SSL_free(c->ssl);
    close(c->fd);
    free(c->in.data), free(c->out.data), free(c->pattern.data), free(c);
}

// Like read and write: -1 with EAGAIN if it would block, 0 at the end of the stream.
static ssize_t tls_result(struct connection *c, int result) {
    int error = SSL_get_error(c->ssl, result);
    if (result > 0) {
        return result;
    }
    ERR_clear_error();
    errno = error == SSL_ERROR_WANT_READ || error == SSL_ERROR_WANT_WRITE ? EAGAIN : EIO;
    return error == SSL_ERROR_ZERO_RETURN ? 0 : -1;
}
static ssize_t take(struct connection *c, void *data, size_t room) {
    return c->ssl ? tls_result(c, SSL_read(c->ssl, data, (int)room)) : read(c->fd, data, room);
}
static ssize_t give(struct connection *c, const void *data, size_t len) {
    return c->ssl ? tls_result(c, SSL_write(c->ssl, data, (int)len)) : write(c->fd, data, len);
}

static void watch(struct connection *c, uint32_t events) {
    struct epoll_event event = {events, {.ptr = c}};
    if (c->watched != events) {
        epoll_ctl(loop, c->watched ? EPOLL_CTL_MOD : EPOLL_CTL_ADD, c->fd, &event);
        c->watched = events;
    }
}

// Writes what waits; 0 if the connection is to be dropped.
static int flush(struct connection *c) {
    ssize_t n = 1;
    while (n > 0 && c->out_at < c->out.len) {
        n = give(c, c->out.data + c->out_at, c->out.len - c->out_at);
        c->out_at += n > 0 ? (size_t)n : 0;
    }
    if (c->out_at == c->out.len) {
        c->out_at = c->out.len = 0;
    }
    while (n > 0 && c->blast_left) {
        size_t len = c->pattern.len - c->pattern_at;
        n = give(c, c->pattern.data + c->pattern_at, len < c->blast_left ? len : c->blast_left);
        if (n > 0) {
            c->pattern_at = (c->pattern_at + (size_t)n) % c->pattern.len;
            c->blast_left -= (uint64_t)n;
        }
    }
    if (n <= 0 && !(n < 0 && errno == EAGAIN)) {
        return 0;
    }
    watch(c, c->out.len || c->blast_left ? EPOLLIN | EPOLLOUT : EPOLLIN);
    return !c->ending || c->out.len;
}

static void answer(struct connection *c, uint8_t first, const void *data, size_t len) {
    uint8_t *out = reserve(&c->out, LONGEST_HEADER + len);
    size_t header_len = frame_header(out, first, len);
    memcpy(out + header_len, data, len);
    c->out.len += header_len + len;
}

static void prepare_blast(struct connection *c, const char *wish) {
    unsigned long long count = 0;
    size_t size = 0;
    char kind[8] = "";
    sscanf(wish, "%llu %zu %7s", &count, &size, kind);
    uint8_t first = FIN | (strcmp(kind, "text") == 0 ? TEXT : BINARY);
    c->pattern.len = c->pattern_at = 0;
    do {
        uint8_t *out = reserve(&c->pattern, LONGEST_HEADER + size);
        size_t header_len = frame_header(out, first, size);
        memset(out + header_len, 'x', size);
        c->pattern.len += header_len + size;
        c->blast_left = count * (header_len + size);
    } while (c->pattern.len + LONGEST_HEADER + size <= PATTERN_SIZE);
}

static void on_frame(struct connection *c, const struct frame *frame, const uint8_t *masked) {
    char text[128];
    size_t len = (size_t)frame->payload_len, text_len = len < sizeof text - 1 ? len : sizeof text - 1;
    uint8_t opcode = frame->first & 0x0f;
    frame_unmask((uint8_t *)text, masked, text_len, frame->key);
    text[text_len] = 0;
    if (opcode == CLOSE || opcode == PING) {
        answer(c, opcode == PING ? FIN | PONG : FIN | CLOSE, text, text_len);
        c->ending |= opcode == CLOSE;
    } else if (opcode == PONG) {
        return;
    } else if (c->mode == ECHO) {
        uint8_t *out = reserve(&c->out, LONGEST_HEADER + len);
        size_t header_len = frame_header(out, frame->first, len);
        frame_unmask(out + header_len, masked, len, frame->key);
        c->out.len += header_len + len;
    } else if (c->mode == SINK && opcode == TEXT) {
        int digits = snprintf(text, sizeof text, "%llu", (unsigned long long)c->counted);
        answer(c, FIN | TEXT, text, (size_t)digits);
    } else if (c->mode == BLAST) {
        prepare_blast(c, text);
    }
}

// Takes whole frames out of `data`; how many bytes they were, or -1.
static ssize_t take_frames(struct connection *c, const uint8_t *data, size_t len) {
    size_t at = 0;
    for (;;) {
        struct frame frame;
        size_t skipped = c->skip < len - at ? (size_t)c->skip : len - at;
        at += skipped;
        c->skip -= skipped;
        int parsed = frame_parse(data + at, len - at, &frame);
        if (parsed <= 0) {
            return parsed < 0 ? -1 : (ssize_t)at;
        }
        if (c->mode == SINK && ((frame.first & 0x0f) == BINARY || (frame.first & 0x0f) == 0)) {
            c->counted += frame.first >> 7;
            c->skip = frame.payload_len;
            at += frame.header_len;
            continue;
        }
        if (frame.payload_len > len - at - frame.header_len) {
            return (ssize_t)at;
        }
        on_frame(c, &frame, data + at + frame.header_len);
        at += frame.header_len + (size_t)frame.payload_len;
    }
}

static ssize_t take_upgrade(struct connection *c, uint8_t *data, size_t len) {
    uint8_t *end = memmem(data, len, "\r\n\r\n", 4);
    if (!end) {
        return 0;
    }
    size_t request_len = (size_t)(end + 4 - data);
    const char *path = (const char *)data + 4;
    c->mode = strncmp(path, "/sink", 5) == 0 ? SINK : strncmp(path, "/blast", 6) == 0 ? BLAST : ECHO;
    c->out.len += upgrade_answer((char *)data, request_len, (char *)reserve(&c->out, 256), 256);
    return c->out.len ? (ssize_t)request_len : -1;
}

// Takes what it can out of `data`, and keeps the rest; 0 if the connection is to be dropped.
static int consume(struct connection *c, uint8_t *data, size_t len) {
    ssize_t used = 0;
    if (c->mode == UPGRADING) {
        used = take_upgrade(c, data, len);
    }
    if (c->mode != UPGRADING && used >= 0) {
        ssize_t more = take_frames(c, data + used, len - (size_t)used);
        used = more < 0 ? -1 : used + more;
    }
    if (used < 0) {
        return 0;
    }
    size_t left = len - (size_t)used;
    if (data == c->in.data) {
        memmove(data, data + used, left);
    } else if (left) {
        memcpy(reserve(&c->in, left), data + used, left);
    }
    c->in.len = left;
    return 1;
}

// Reads until nothing is there for now; 0 if the connection is to be dropped.
static int on_readable(struct connection *c) {
    ssize_t n;
    size_t room;
    do {
        // Whole frames are taken from the shared buffer; a frame that came in part is gathered in its own.
        int gathers = c->in.len > 0;
        uint8_t *target = gathers ? reserve(&c->in, READ_SIZE) : shared;
        room = gathers ? c->in.room - c->in.len : sizeof shared;
        n = take(c, target, room);
        if (n > 0 && !(gathers ? consume(c, c->in.data, c->in.len + (size_t)n) : consume(c, shared, (size_t)n))) {
            return 0;
        }
    } while (n > 0 && (c->ssl || (size_t)n == room));
    return n > 0 || (n < 0 && errno == EAGAIN);
}

static void on_connection(int listener) {
    int fd, yes = 1;
    while ((fd = accept4(listener, NULL, NULL, SOCK_NONBLOCK | SOCK_CLOEXEC)) >= 0) {
        struct connection *c = calloc(1, sizeof *c);
        setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &yes, sizeof yes);
        c->fd = fd;
        if (tls) {
            c->ssl = SSL_new(tls);
            SSL_set_fd(c->ssl, fd);
            SSL_set_accept_state(c->ssl);
        }
        watch(c, EPOLLIN);
    }
}

static void load_tls(const char *certificate, const char *key) {
    tls = SSL_CTX_new(TLS_server_method());
    SSL_CTX_set_mode(tls, SSL_MODE_ENABLE_PARTIAL_WRITE | SSL_MODE_ACCEPT_MOVING_WRITE_BUFFER |
                              SSL_MODE_RELEASE_BUFFERS);
    if (SSL_CTX_use_certificate_chain_file(tls, certificate) != 1 ||
        SSL_CTX_use_PrivateKey_file(tls, key, SSL_FILETYPE_PEM) != 1) {
        ERR_print_errors_fp(stderr);
        exit(1);
    }
}

static int listen_somewhere(void) {
    struct sockaddr_in address = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    socklen_t len = sizeof address;
    int fd = socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
    if (fd < 0 || bind(fd, (struct sockaddr *)&address, len) != 0 || listen(fd, BACKLOG) != 0 ||
        getsockname(fd, (struct sockaddr *)&address, &len) != 0) {
        fatal("listen");
    }
    printf("port %d\n", ntohs(address.sin_port));
    fflush(stdout);
    return fd;
}

int main(int argc, char **argv) {
    struct rlimit files;
    struct epoll_event events[EVENTS];
    // Told apart from connections by their addresses.
    static int listener_mark, input_mark;
    signal(SIGPIPE, SIG_IGN);
    if (getrlimit(RLIMIT_NOFILE, &files) == 0) {
        files.rlim_cur = files.rlim_max;
        setrlimit(RLIMIT_NOFILE, &files);
    }
    if (argc == 4 && strcmp(argv[1], "--tls") == 0) {
        load_tls(argv[2], argv[3]);
    } else if (argc != 1) {
        fprintf(stderr, "usage: server [--tls CERTIFICATE KEY]\n");
        return 2;
    }
    loop = epoll_create1(EPOLL_CLOEXEC);
    int listener = listen_somewhere();
    struct epoll_event listening = {EPOLLIN, {.ptr = &listener_mark}}, input = {EPOLLIN, {.ptr = &input_mark}};
    epoll_ctl(loop, EPOLL_CTL_ADD, listener, &listening);
    // Standard input cannot be watched if it is a file: then only a signal ends the server.
    epoll_ctl(loop, EPOLL_CTL_ADD, STDIN_FILENO, &input);
    for (;;) {
        int n = epoll_wait(loop, events, EVENTS, -1);
        for (int i = 0; i < n; i++) {
            struct connection *c = events[i].data.ptr;
            if (events[i].data.ptr == &input_mark) {
                return 0;
            }
            if (events[i].data.ptr == &listener_mark) {
                on_connection(listener);
            } else if (((events[i].events & ~(uint32_t)EPOLLOUT) && !on_readable(c)) || !flush(c)) {
                drop(c);
            }
        }
    }
}
