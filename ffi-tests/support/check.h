// Checks, and the run of a program's tests. A failing check prints where, what and the values, dumps what the
// kit knows (records, logs of the server) and ends the process: the first failure is the one to read.
//
//     static void close_is_last(void) { CHECK_INT(1 + 1, ==, 2); }
//     static const struct test tests[] = {
//         TEST("L5 L20", close_is_last),
//     };
//     TEST_MAIN(tests)
#ifndef TARO_TEST_CHECK_H
#define TARO_TEST_CHECK_H

#include <stddef.h>
#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

struct test {
    const char *laws; // those that the test holds the library to, such as "L5 L20"; "-" for none
    const char *name;
    void (*run)(void);
};

#define TEST(laws, function) {laws, #function, function}

// `program`: runs all tests. `program NAME...`: those of that name or law. `program --list`: names them.
// A test without a check fails, and so does one that leaves SIGPIPE's disposition changed. Returns the exit
// status: 0, or 77 if a test was skipped, which CTest shows as such.
int run_tests(int argc, char **argv, const struct test *tests, size_t tests_len);

#define TEST_MAIN(tests)                                                         \
    int main(int argc, char **argv) {                                            \
        return run_tests(argc, argv, (tests), sizeof(tests) / sizeof(*(tests))); \
    }

// The running test may take that long, in seconds, times TARO_TEST_SLOW; 50 if it does not ask.
void test_limit(unsigned seconds);

// The running test cannot be run here: prints why. Counts as a check. The test returns by itself.
void test_skip(const char *why);

// Any condition. The others print the values too, so they are worth their names.
#define CHECK(condition)                                                     \
    do {                                                                     \
        if (condition) {                                                     \
            check_pass();                                                    \
        } else {                                                             \
            check_fail(__FILE__, __LINE__, "%s", "CHECK(" #condition ")");   \
        }                                                                    \
    } while (0)

// CHECK_INT(count, ==, 3): signed, and whatever fits into 63 bits.
#define CHECK_INT(a, op, b)                                                                             \
    do {                                                                                                \
        const long long check_a = (long long)(a);                                                       \
        const long long check_b = (long long)(b);                                                       \
        if (check_a op check_b) {                                                                       \
            check_pass();                                                                               \
        } else {                                                                                        \
            check_fail(__FILE__, __LINE__, "%s: %lld %s %lld", #a " " #op " " #b, check_a, #op, check_b); \
        }                                                                                               \
    } while (0)

// The same for 64 bits without a sign: sizes and ids.
#define CHECK_UINT(a, op, b)                                                                            \
    do {                                                                                                \
        const unsigned long long check_a = (unsigned long long)(a);                                     \
        const unsigned long long check_b = (unsigned long long)(b);                                     \
        if (check_a op check_b) {                                                                       \
            check_pass();                                                                               \
        } else {                                                                                        \
            check_fail(__FILE__, __LINE__, "%s: %llu %s %llu", #a " " #op " " #b, check_a, #op, check_b); \
        }                                                                                               \
    } while (0)

// A taro_str, or whatever else has ptr and len, equals a C string. `string` is evaluated twice.
#define CHECK_STR(string, text) check_str(__FILE__, __LINE__, #string, (string).ptr, (string).len, (text))

// It has that text somewhere.
#define CHECK_STR_HAS(string, text) \
    check_str_has(__FILE__, __LINE__, #string, (string).ptr, (string).len, (text))

// The same two for NUL-terminated strings; NULL is no string.
#define CHECK_TEXT(a, text) check_text(__FILE__, __LINE__, #a, (a), (text))
#define CHECK_TEXT_HAS(a, text) check_text_has(__FILE__, __LINE__, #a, (a), (text))

#define CHECK_BYTES(a, a_len, b, b_len) \
    check_bytes(__FILE__, __LINE__, #a, (a), (a_len), (b), (b_len))

// FAIL("why %d", number)
#define FAIL(...) check_fail(__FILE__, __LINE__, __VA_ARGS__)

// --- what the macros call

void check_pass(void);

__attribute__((noreturn, format(printf, 3, 4)))
void check_fail(const char *file, int line, const char *format, ...);

void check_str(const char *file, int line, const char *what, const char *ptr, size_t len, const char *text);
void check_str_has(const char *file, int line, const char *what, const char *ptr, size_t len, const char *text);
void check_text(const char *file, int line, const char *what, const char *a, const char *text);
void check_text_has(const char *file, int line, const char *what, const char *a, const char *text);
void check_bytes(const char *file, int line, const char *what, const void *a, size_t a_len, const void *b,
                 size_t b_len);

// Number of checks of this process so far, from every thread.
unsigned long check_count(void);

// A failing check calls dump(context) before the process ends; at most 16 at a time. It must not wait for
// locks: the failing thread may hold them.
void check_dump_add(void (*dump)(void *context), void *context);
void check_dump_remove(void (*dump)(void *context), void *context);

#ifdef __cplusplus
}
#endif

#endif
