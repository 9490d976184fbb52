// What the tests of permessage-deflate (RFC 7692) share: connects that ask for it, and payloads that compress well,
// badly or not at all.
#ifndef TARO_TEST_DEFLATE_H
#define TARO_TEST_DEFLATE_H

#include "talk.h"

// In a query of the server; parameters may follow, each behind a `;`.
#define AGREED "extension=permessage-deflate"

enum { KIB = 1024, MIB = 1024 * KIB };

// What the library promises: a message of so many bytes is compressed.
enum { THRESHOLD = 128 };

// --- connects

// An app that trusts the server's certificate; `options` may be NULL.
static inline void deflate_init(struct mini *mini, const taro_app_options *options) {
    taro_app_options own = TARO_APP_OPTIONS_INIT;
    own = options ? *options : own;
    own.ca_file = mini_str(server_ca_file());
    mini_init(mini, &own);
}

static inline taro_socket deflate_connect(struct mini *mini, struct recording *recording, const char *url) {
    taro_connect_options options = record_connect_options(recording, url);
    options.app = mini->app;
    options.per_message_deflate = 1;
    return mini_accepted(&options);
}

// It must be agreed on.
static inline taro_socket deflate_open(struct mini *mini, struct recording *recording, const char *url) {
    const taro_socket socket = deflate_connect(mini, recording, url);
    CHECK_UINT(mini_wait(mini, RECORD_OPEN, recording->label, 1)->extensions.len, >, 0);
    return socket;
}

// --- payloads; the caller frees them

static inline uint32_t deflate_next(uint32_t *state) {
    *state ^= *state << 13;
    *state ^= *state >> 17;
    *state ^= *state << 5;
    return *state;
}

// Bytes that do not compress, other ones for each seed.
static inline unsigned char *deflate_noise(size_t len, uint32_t seed) {
    unsigned char *bytes = malloc(len + 1);
    uint32_t state = seed * 2654435761u + 1;
    CHECK(bytes != NULL);
    for (size_t at = 0; at < len; at++) {
        bytes[at] = (unsigned char)(deflate_next(&state) >> 11);
    }
    return bytes;
}

// Words in no order: a third is left of it, and that takes its time.
static inline unsigned char *deflate_prose(size_t len, uint32_t seed) {
    static const char *const words[] = {"open", "message ", " error", "close,", "gr\xc3\xbc\xc3\x9f", "socket. ", "a",
                                        " to "};
    unsigned char *text = malloc(len + 1);
    uint32_t state = seed * 2654435761u + 1;
    size_t at = 0;
    CHECK(text != NULL);
    while (at < len) {
        const char *word = words[deflate_next(&state) >> 7 & 7];
        const size_t word_len = strlen(word);
        if (word_len <= len - at) {
            memcpy(text + at, word, word_len);
            at += word_len;
        } else {
            text[at++] = '.';
        }
    }
    return text;
}

// The same letter over and over: next to nothing is left of it.
static inline unsigned char *deflate_letters(size_t len) {
    unsigned char *text = malloc(len + 1);
    CHECK(text != NULL);
    memset(text, 'z', len);
    return text;
}

// --- the wire

// Wire bytes that one message takes on its way to the system: sends it, and waits for its success. `sent` was given
// to `nth - 1` such calls before.
static inline uint64_t deflate_weigh(struct mini *mini, taro_socket socket, struct recording *sent, size_t nth,
                                     uint32_t kind, const void *data, size_t len) {
    const uint64_t before = mini_counters(socket).wire_bytes_sent;
    const taro_send_options options = record_send_options(sent, kind, data, len);
    CHECK_STATUS(taro_socket_send(socket, &options), TARO_STATUS_OK);
    mini_wait(mini, RECORD_SUCCESS, sent->label, nth);
    return mini_counters(socket).wire_bytes_sent - before;
}

#endif
