// The status codes: each has its number, its range and its name, for good.
// label: unit
#include <limits.h>

#include "calls.h"
#include "mini.h"

// --- the codes: a number that was once given out never changes

#define ROW(name, number) {"TARO_STATUS_" #name, TARO_STATUS_##name, number}

static const struct code {
    const char *name;
    taro_status status; // of the header
    taro_status number; // as it was given out
} codes[] = {
    ROW(OK, 0),
    // Misuse.
    ROW(NULL_POINTER, -1), ROW(BAD_STRUCT_SIZE, -2), ROW(BAD_HANDLE, -3), ROW(BAD_ARGUMENT, -4), ROW(BUSY, -5),
    ROW(WOULD_DEADLOCK, -6), ROW(TIMED_OUT, -7), ROW(FORKED, -8), ROW(SHUTTING_DOWN, -9), ROW(WRONG_DELIVERY, -10),
    ROW(IN_NOTICE, -11), ROW(NO_RESOURCES, -12), ROW(UNSUPPORTED, -13),
    // What `fail` and `error` carry.
    ROW(INVALID_URL, -100), ROW(URL_NOT_ALLOWED, -101), ROW(TOO_MANY_SOCKETS, -102), ROW(PARAMETER, -103),
    ROW(INTERRUPTED, -104), ROW(CONNECT_TIMEOUT, -105), ROW(CONNECTION_FAILED, -106), ROW(NOT_CONNECTED, -107),
    ROW(INVALID_CLOSE_CODE, -108), ROW(INVALID_CLOSE_REASON, -109), ROW(FULL, -110), ROW(MESSAGE_TOO_BIG, -111),
    ROW(INTERNAL, -199),
};
enum { CODES = sizeof codes / sizeof *codes, FAIL_FROM = -100, FAIL_TO = -199 };

static void numbers_and_names(void) {
    for (size_t at = 0; at < CODES; at++) {
        CHECK_INT(codes[at].status, ==, codes[at].number);
        CHECK_TEXT(taro_status_name(codes[at].number), codes[at].name);
        for (size_t other = 0; other < at; other++) {
            CHECK_INT(codes[at].status, !=, codes[other].status);
        }
    }
}

static int is_known(int number) {
    int known = 0;
    for (size_t at = 0; at < CODES; at++) {
        known |= codes[at].number == number;
    }
    return known;
}

static void other_numbers_are_unknown(void) {
    static const int far[] = {1, 2, 100, 600000, INT_MAX, INT_MIN, INT_MIN + 1, -1000, -65536, 1 << 16};
    for (int number = -300; number <= 300; number++) {
        if (!is_known(number)) {
            CHECK_TEXT(taro_status_name(number), "TARO_STATUS_UNKNOWN");
        }
    }
    for (size_t at = 0; at < sizeof far / sizeof *far; at++) {
        CHECK_TEXT(taro_status_name(far[at]), "TARO_STATUS_UNKNOWN");
    }
}

// The header has these and no others: a new one fails here until it has a row.
static void the_header_has_no_others(void) {
    char *path = child_support_file("../../include/taro_socket.h"), line[512], name[64];
    FILE *file = fopen(path, "r");
    size_t count = 0;
    int number;
    CHECK(file != NULL);
    while (fgets(line, sizeof line, file)) {
        if (sscanf(line, "#define %63[A-Z0-9_] %d", name, &number) == 2 && strncmp(name, "TARO_STATUS_", 12) == 0) {
            if (!is_known(number)) {
                FAIL("%s has no row here", name);
            }
            CHECK_TEXT(taro_status_name(number), name);
            CHECK(number == 0 || (number <= -1 && number >= -99) || (number <= FAIL_FROM && number >= FAIL_TO));
            count++;
        }
    }
    CHECK_UINT(count, ==, CODES);
    fclose(file);
    free(path);
}

// --- what a call answers, by its range: misuse takes nothing and tells nothing, the rest is what `fail` says

struct spoiled {
    taro_status status;
    void (*spoil)(taro_connect_options *options);
};

static void bad_size(taro_connect_options *options) { options->struct_size = 0; }
static void bad_flag(taro_connect_options *options) { options->start_paused = 2; }
static void bad_reserved(taro_connect_options *options) { options->reserved = 1; }
static void bad_app(taro_connect_options *options) { options->app = UINT64_C(1) << 52; }
static void bad_pointer(taro_connect_options *options) { options->headers_len = 1; }
static void bad_url(taro_connect_options *options) { options->url = TARO_STR("http://refused.test/"); }
static void bad_protocol(taro_connect_options *options) {
    static const taro_str empty = {NULL, 0};
    options->protocols = &empty;
    options->protocols_len = 1;
}

static const struct spoiled spoils[] = {
    {TARO_STATUS_BAD_STRUCT_SIZE, bad_size}, {TARO_STATUS_BAD_ARGUMENT, bad_flag},
    {TARO_STATUS_BAD_ARGUMENT, bad_reserved}, {TARO_STATUS_BAD_HANDLE, bad_app},
    {TARO_STATUS_NULL_POINTER, bad_pointer}, {TARO_STATUS_INVALID_URL, bad_url},
    {TARO_STATUS_PARAMETER, bad_protocol},
};

static void the_range_tells_whether_the_call_happened(void) {
    for (size_t at = 0; at < sizeof spoils / sizeof *spoils; at++) {
        struct mini mini;
        taro_socket socket = 4711;
        mini_init_of(&mini, TARO_DELIVERY_HOST);
        struct recording a = RECORDING(&mini.recorder, "a");
        taro_connect_options options = record_connect_options(&a, "ws://127.0.0.1:9/");
        options.app = mini.app;
        spoils[at].spoil(&options);
        CHECK_STATUS(taro_connect_socket(&options, &socket), spoils[at].status);
        CHECK_UINT(socket, ==, 0);
        const int happened = spoils[at].status <= FAIL_FROM;
        host_drain(mini.app);
        CHECK_SEQUENCE(&mini.recorder, "a", happened ? "fail complete release" : "");
        if (happened) {
            CHECK_INT(mini_find(&mini, RECORD_FAIL, "a", 1)->status, ==, spoils[at].status);
        }
        mini_end(&mini);
    }
    mini_shutdown();
}

static const struct test tests[] = {
    TEST("-", numbers_and_names),
    TEST("-", other_numbers_are_unknown),
    TEST("-", the_header_has_no_others),
    TEST("L1 L2", the_range_tells_whether_the_call_happened),
};

TEST_MAIN(tests)
