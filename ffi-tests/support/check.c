#include "check_parts.h"

#include <poll.h>
#include <pthread.h>
#include <stdarg.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

// --- what fails

enum { DUMPS = 16, FAILED = 1, SHOWN_BYTES = 400 };

static atomic_ulong checks;
static atomic_flag failing = ATOMIC_FLAG_INIT;
static pthread_t failing_thread;
static const struct test *_Atomic subject;

static pthread_mutex_t dumps_lock = PTHREAD_MUTEX_INITIALIZER;
static struct {
    void (*dump)(void *context);
    void *context;
} dumps[DUMPS];

void check_subject(const struct test *test) { atomic_store(&subject, test); }

void check_pass(void) { atomic_fetch_add_explicit(&checks, 1, memory_order_relaxed); }

unsigned long check_count(void) { return atomic_load(&checks); }

void check_dump_add(void (*dump)(void *context), void *context) {
    size_t at = 0;
    pthread_mutex_lock(&dumps_lock);
    while (at < DUMPS && dumps[at].dump) {
        at++;
    }
    if (at < DUMPS) {
        dumps[at].dump = dump;
        dumps[at].context = context;
    }
    pthread_mutex_unlock(&dumps_lock);
    if (at == DUMPS) {
        FAIL("more than %d dumps: is a recorder_end missing?", DUMPS);
    }
}

void check_dump_remove(void (*dump)(void *context), void *context) {
    pthread_mutex_lock(&dumps_lock);
    for (size_t at = 0; at < DUMPS; at++) {
        if (dumps[at].dump == dump && dumps[at].context == context) {
            dumps[at].dump = NULL;
            break;
        }
    }
    pthread_mutex_unlock(&dumps_lock);
}

int check_under_valgrind(void) {
    const char *preload = getenv("LD_PRELOAD");
    return preload && strstr(preload, "vgpreload_") != NULL;
}

void check_exit(int status) {
    fflush(stdout);
    fflush(stderr);
    if (check_under_valgrind()) {
        char command[32];
        snprintf(command, sizeof(command), "exit %d", status & 0xff);
        execl("/bin/sh", "sh", "-c", command, (char *)NULL);
    }
    _exit(status);
}

// Without the lock: a thread that holds it may wait for the one that fails.
static void dump_all(void) {
    for (size_t at = 0; at < DUMPS; at++) {
        if (dumps[at].dump) {
            dumps[at].dump(dumps[at].context);
        }
    }
}

// The first failure is the one to read: a second one only sees to it that the process ends, should a dump hang.
static void fail_once(void) {
    if (!atomic_flag_test_and_set(&failing)) {
        failing_thread = pthread_self();
        return;
    }
    if (!pthread_equal(failing_thread, pthread_self())) {
        poll(NULL, 0, 10000);
    }
    check_exit(FAILED);
}

void check_fail(const char *file, int line, const char *format, ...) {
    const struct test *test = atomic_load(&subject);
    va_list arguments;
    fail_once();
    fflush(stdout);
    if (test) {
        fprintf(stderr, "FAIL %s (%s)\n", test->name, test->laws);
    }
    fprintf(stderr, "%s:%d: ", file, line);
    va_start(arguments, format);
    vfprintf(stderr, format, arguments);
    va_end(arguments);
    fputc('\n', stderr);
    dump_all();
    check_exit(FAILED);
}

// --- texts and bytes

// `\xNN` for what a terminal would not show; cut where it gets long.
static void show(char *out, size_t out_size, const char *ptr, size_t len) {
    size_t used = 0;
    for (size_t at = 0; at < len; at++) {
        const unsigned char byte = (unsigned char)ptr[at];
        if (used + 8 > out_size) {
            memcpy(out + used, "...", 3);
            used += 3;
            break;
        }
        if (byte >= 0x20 && byte < 0x7f && byte != '\\') {
            out[used++] = (char)byte;
        } else {
            used += (size_t)snprintf(out + used, out_size - used, "\\x%02x", byte);
        }
    }
    out[used] = '\0';
}

static void fail_texts(const char *file, int line, const char *what, const char *ptr, size_t len,
                       const char *how, const char *text, size_t text_len) {
    char is[SHOWN_BYTES], expected[SHOWN_BYTES];
    show(is, sizeof(is), ptr, len);
    show(expected, sizeof(expected), text, text_len);
    check_fail(file, line, "%s: \"%s\" (%zu bytes) %s \"%s\" (%zu bytes)", what, is, len, how, expected, text_len);
}

void check_str(const char *file, int line, const char *what, const char *ptr, size_t len, const char *text) {
    const size_t text_len = strlen(text);
    if (!ptr && len > 0) {
        check_fail(file, line, "%s: NULL of %zu bytes", what, len);
    }
    if (len != text_len || (len > 0 && memcmp(ptr, text, len) != 0)) {
        fail_texts(file, line, what, ptr, len, "is not", text, text_len);
    }
    check_pass();
}

void check_str_has(const char *file, int line, const char *what, const char *ptr, size_t len, const char *text) {
    const size_t text_len = strlen(text);
    if (!ptr && len > 0) {
        check_fail(file, line, "%s: NULL of %zu bytes", what, len);
    }
    for (size_t at = 0; at + text_len <= len; at++) {
        if (text_len == 0 || memcmp(ptr + at, text, text_len) == 0) {
            check_pass();
            return;
        }
    }
    fail_texts(file, line, what, ptr, len, "has no", text, text_len);
}

void check_text(const char *file, int line, const char *what, const char *a, const char *text) {
    if (!a) {
        check_fail(file, line, "%s: NULL is not \"%s\"", what, text);
    }
    check_str(file, line, what, a, strlen(a), text);
}

void check_text_has(const char *file, int line, const char *what, const char *a, const char *text) {
    if (!a) {
        check_fail(file, line, "%s: NULL has no \"%s\"", what, text);
    }
    check_str_has(file, line, what, a, strlen(a), text);
}

void check_bytes(const char *file, int line, const char *what, const void *a, size_t a_len, const void *b,
                 size_t b_len) {
    const unsigned char *is = a, *expected = b;
    size_t at = 0;
    if ((!a && a_len > 0) || (!b && b_len > 0)) {
        check_fail(file, line, "%s: NULL of %zu bytes", what, a ? b_len : a_len);
    }
    while (at < a_len && at < b_len && is[at] == expected[at]) {
        at++;
    }
    if (at < a_len && at < b_len) {
        check_fail(file, line, "%s: %zu and %zu bytes, the first that differs is %zu: 0x%02x, not 0x%02x", what, a_len,
                   b_len, at, is[at], expected[at]);
    }
    if (a_len != b_len) {
        check_fail(file, line, "%s: %zu bytes, not %zu; the first %zu are equal", what, a_len, b_len, at);
    }
    check_pass();
}
