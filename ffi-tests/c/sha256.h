// SHA-256 (FIPS 180-4), to compare with what the server says it has received.
#ifndef TARO_TEST_SHA256_H
#define TARO_TEST_SHA256_H

#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

struct sha256 {
    uint32_t state[8];
    uint64_t length; // bytes so far
    unsigned char block[64];
};

enum { SHA256_TEXT = 65 }; // hexadecimal, with its NUL

static const uint32_t sha256_first[8] = {0x6a09e667, 0xbb67ae85, 0x3c6ef372, 0xa54ff53a,
                                         0x510e527f, 0x9b05688c, 0x1f83d9ab, 0x5be0cd19};

static const uint32_t sha256_round[64] = {
    0x428a2f98, 0x71374491, 0xb5c0fbcf, 0xe9b5dba5, 0x3956c25b, 0x59f111f1, 0x923f82a4, 0xab1c5ed5,
    0xd807aa98, 0x12835b01, 0x243185be, 0x550c7dc3, 0x72be5d74, 0x80deb1fe, 0x9bdc06a7, 0xc19bf174,
    0xe49b69c1, 0xefbe4786, 0x0fc19dc6, 0x240ca1cc, 0x2de92c6f, 0x4a7484aa, 0x5cb0a9dc, 0x76f988da,
    0x983e5152, 0xa831c66d, 0xb00327c8, 0xbf597fc7, 0xc6e00bf3, 0xd5a79147, 0x06ca6351, 0x14292967,
    0x27b70a85, 0x2e1b2138, 0x4d2c6dfc, 0x53380d13, 0x650a7354, 0x766a0abb, 0x81c2c92e, 0x92722c85,
    0xa2bfe8a1, 0xa81a664b, 0xc24b8b70, 0xc76c51a3, 0xd192e819, 0xd6990624, 0xf40e3585, 0x106aa070,
    0x19a4c116, 0x1e376c08, 0x2748774c, 0x34b0bcb5, 0x391c0cb3, 0x4ed8aa4a, 0x5b9cca4f, 0x682e6ff3,
    0x748f82ee, 0x78a5636f, 0x84c87814, 0x8cc70208, 0x90befffa, 0xa4506ceb, 0xbef9a3f7, 0xc67178f2};

static inline uint32_t sha256_turn(uint32_t word, int by) { return word >> by | word << (32 - by); }

static inline void sha256_mix(struct sha256 *hash) {
    uint32_t words[64], s[8];
    for (int at = 0; at < 16; at++) {
        const unsigned char *from = hash->block + 4 * at;
        words[at] = (uint32_t)from[0] << 24 | (uint32_t)from[1] << 16 | (uint32_t)from[2] << 8 | from[3];
    }
    for (int at = 16; at < 64; at++) {
        const uint32_t a = words[at - 15], b = words[at - 2];
        words[at] = words[at - 16] + (sha256_turn(a, 7) ^ sha256_turn(a, 18) ^ a >> 3) + words[at - 7] +
                    (sha256_turn(b, 17) ^ sha256_turn(b, 19) ^ b >> 10);
    }
    memcpy(s, hash->state, sizeof s);
    for (int at = 0; at < 64; at++) {
        const uint32_t choice = (s[4] & s[5]) ^ (~s[4] & s[6]);
        const uint32_t majority = (s[0] & s[1]) ^ (s[0] & s[2]) ^ (s[1] & s[2]);
        const uint32_t one = s[7] + (sha256_turn(s[4], 6) ^ sha256_turn(s[4], 11) ^ sha256_turn(s[4], 25)) +
                             choice + sha256_round[at] + words[at];
        const uint32_t two = (sha256_turn(s[0], 2) ^ sha256_turn(s[0], 13) ^ sha256_turn(s[0], 22)) + majority;
        memmove(s + 1, s, 7 * sizeof *s);
        s[4] += one;
        s[0] = one + two;
    }
    for (int at = 0; at < 8; at++) {
        hash->state[at] += s[at];
    }
}

static inline void sha256_init(struct sha256 *hash) {
    memcpy(hash->state, sha256_first, sizeof sha256_first);
    hash->length = 0;
}

static inline void sha256_add(struct sha256 *hash, const void *data, size_t len) {
    const unsigned char *from = data;
    while (len > 0) {
        const size_t used = (size_t)(hash->length % 64), room = 64 - used, part = len < room ? len : room;
        memcpy(hash->block + used, from, part);
        hash->length += part;
        from += part;
        len -= part;
        if (hash->length % 64 == 0) {
            sha256_mix(hash);
        }
    }
}

// The end: nothing may be added any more.
static inline void sha256_text(struct sha256 *hash, char text[SHA256_TEXT]) {
    static const unsigned char padding[64] = {0x80};
    const uint64_t bits = 8 * hash->length;
    unsigned char length[8];
    for (int at = 0; at < 8; at++) {
        length[at] = (unsigned char)(bits >> (56 - 8 * at));
    }
    sha256_add(hash, padding, 1 + (size_t)((119 - hash->length % 64) % 64));
    sha256_add(hash, length, sizeof length);
    for (int at = 0; at < 8; at++) {
        snprintf(text + 8 * at, 9, "%08x", (unsigned)hash->state[at]);
    }
}

#endif
