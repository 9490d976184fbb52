// The server's side of RFC 6455: the upgrade, frame headers, masks. Only what well-behaved clients need.
#ifndef BENCH_SERVER_FRAME_H
#define BENCH_SERVER_FRAME_H

#include <ctype.h>
#include <openssl/evp.h>
#include <openssl/sha.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <strings.h>

enum { TEXT = 1, BINARY = 2, CLOSE = 8, PING = 9, PONG = 10, FIN = 0x80, MASKED = 0x80, LONGEST_HEADER = 14 };

struct frame {
    uint8_t first; // FIN and opcode, as it stands on the wire
    uint8_t key[4];
    size_t header_len;
    uint64_t payload_len;
};

// 1: a header was read; 0: more bytes are needed; -1: the client does not mask.
static inline int frame_parse(const uint8_t *data, size_t len, struct frame *frame) {
    size_t at = 2;
    if (len < 2) {
        return 0;
    }
    uint64_t payload_len = data[1] & 0x7f;
    size_t extended = payload_len == 126 ? 2 : payload_len == 127 ? 8 : 0;
    if (!(data[1] & MASKED)) {
        return -1;
    }
    if (len < 2 + extended + 4) {
        return 0;
    }
    if (extended) {
        payload_len = 0;
        for (; at < 2 + extended; at++) {
            payload_len = payload_len << 8 | data[at];
        }
    }
    memcpy(frame->key, data + at, 4);
    frame->first = data[0];
    frame->header_len = at + 4;
    frame->payload_len = payload_len;
    return 1;
}

// Writes an unmasked header of at most 10 bytes; its length.
static inline size_t frame_header(uint8_t *out, uint8_t first, uint64_t payload_len) {
    size_t extended = payload_len < 126 ? 0 : payload_len < 65536 ? 2 : 8;
    out[0] = first;
    out[1] = (uint8_t)(extended == 0 ? payload_len : extended == 2 ? 126 : 127);
    for (size_t i = 0; i < extended; i++) {
        out[2 + i] = (uint8_t)(payload_len >> 8 * (extended - 1 - i));
    }
    return 2 + extended;
}

static inline void frame_unmask(uint8_t *out, const uint8_t *in, size_t len, const uint8_t key[4]) {
    uint64_t wide;
    size_t i = 0;
    memcpy(&wide, key, 4);
    memcpy((uint8_t *)&wide + 4, key, 4);
    for (; i + 8 <= len; i += 8) {
        uint64_t word;
        memcpy(&word, in + i, 8);
        word ^= wide;
        memcpy(out + i, &word, 8);
    }
    for (; i < len; i++) {
        out[i] = in[i] ^ key[i & 3];
    }
}

// Answers an upgrade request of `len` bytes that ends with an empty line. The answer's length; 0: no upgrade.
static inline size_t upgrade_answer(char *request, size_t len, char *out, size_t room) {
    static const char name[] = "sec-websocket-key:", guid[] = "258EAFA5-E914-47DA-95CA-C5AB0DC85B11";
    char joined[128], accept[32];
    uint8_t digest[SHA_DIGEST_LENGTH];
    request[len - 1] = 0;
    for (char *line = request; (line = strchr(line, '\n')) != NULL;) {
        if (strncasecmp(++line, name, sizeof name - 1) != 0) {
            continue;
        }
        const char *key = line + sizeof name - 1;
        key += strspn(key, " \t");
        int joined_len = snprintf(joined, sizeof joined, "%.*s%s", (int)strcspn(key, " \t\r\n"), key, guid);
        SHA1((const uint8_t *)joined, (size_t)joined_len, digest);
        EVP_EncodeBlock((uint8_t *)accept, digest, sizeof digest);
        return (size_t)snprintf(out, room,
                                "HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\n"
                                "Connection: Upgrade\r\nSec-WebSocket-Accept: %s\r\n\r\n",
                                accept);
    }
    return 0;
}

#endif
