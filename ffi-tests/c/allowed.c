// L10: the allow-list of an app: which entry permits which URL, and which entries are none.
#include "attempt.h"

// Everything that a URL below names is at a port where nobody listens: no name is looked up.
static const char *const places[] = {
    "echo.test:80",       "echo.test:443",         "echo.test:8080", "a.echo.test:80", "echo.test.:80",
    "b\xc3\xbc" "cher.test:80", "xn--r8jz45g.xn--zckzah:80", "127.0.0.1:80",   "127.0.0.2:80",   "[::1]:80",
};

enum { PLACES = sizeof places / sizeof *places };

static taro_app make_app(const taro_str *entries, size_t entries_len) {
    taro_address_override overrides[PLACES];
    taro_app_options options = TARO_APP_OPTIONS_INIT;
    for (size_t at = 0; at < PLACES; at++) {
        overrides[at].from = attempt_str(places[at]);
        overrides[at].to = attempt_str(server_address("refuse"));
    }
    options.address_overrides = overrides;
    options.address_overrides_len = PLACES;
    options.allow_list = entries;
    options.allow_list_len = entries_len;
    return attempt_app(&options);
}

static void connect_to(taro_app app, const char *url, int is_permitted) {
    struct attempt a;
    attempt_init(&a, app, url);
    if (is_permitted) {
        CHECK_UINT(attempt_error(&a)->cause, !=, TARO_CAUSE_RESOLVE);
        attempt_end(&a, "success complete error release");
    } else {
        attempt_refused(&a, TARO_STATUS_URL_NOT_ALLOWED, 600002,
                        "connectSocket:fail url not in domain list");
    }
}

static const struct row {
    const char *entry;
    const char *url;
    int is_permitted;
} rows[] = {
    {"echo.test", "ws://echo.test/", 1},
    {"echo.test", "ws://echo.test:8080/any/path?q", 1},
    {"echo.test", "wss://echo.test/", 1},
    {"echo.test", "ws://ECHO.test/", 1},
    {"ECHO.Test", "ws://echo.test/", 1},
    {"echo.test", "ws://user:pw@echo.test/", 1},
    {"echo.test", "ws://a.echo.test/", 0},
    {"a.echo.test", "ws://echo.test/", 0},
    {"echo.test", "ws://echo.test./", 0},
    {"echo.test", "ws://127.0.0.1/", 0},
    {"echo.test", "ws://echo.test@127.0.0.1/", 0},
    {"echo.test:80", "ws://echo.test/", 1},
    {"echo.test:80", "ws://echo.test:80/", 1},
    {"echo.test:80", "wss://echo.test:80/", 1},
    {"echo.test:80", "ws://echo.test:8080/", 0},
    {"echo.test:80", "wss://echo.test/", 0},
    {"echo.test:443", "wss://echo.test/", 1},
    {"echo.test:443", "ws://echo.test/", 0},
    {"echo.test:443", "ws://echo.test:443/", 1},
    {"echo.test:8080", "ws://echo.test:8080/", 1},
    {"ws://echo.test", "ws://echo.test:8080/", 1},
    {"ws://echo.test", "wss://echo.test/", 0},
    {"wss://echo.test", "wss://echo.test/", 1},
    {"wss://echo.test", "ws://echo.test/", 0},
    {"ws://echo.test:8080", "ws://echo.test:8080/", 1},
    {"ws://echo.test:8080", "ws://echo.test/", 0},
    {"wss://echo.test:443", "wss://echo.test/", 1},
    {"wss://echo.test:443", "ws://echo.test:443/", 0},
    {"b\xc3\xbc" "cher.test", "ws://xn--bcher-kva.test/", 1},
    {"xn--bcher-kva.test", "ws://B\xc3\x9c" "CHER.test/", 1},
    {"127.0.0.1", "ws://127.1/", 1},
    {"127.0.0.1", "ws://127.0.0.2/", 0},
    {"[::1]", "ws://[0:0:0:0:0:0:0:1]/", 1},
    {"[::1]:80", "ws://[::1]/", 1},
    {"[::1]:81", "ws://[::1]/", 0},
};

static void an_entry_permits(void) {
    for (size_t at = 0; at < sizeof rows / sizeof *rows; at++) {
        const taro_str entry = attempt_str(rows[at].entry);
        char name[120];
        snprintf(name, sizeof name, "%s for %s", rows[at].entry, rows[at].url);
        attempt_row(name);
        const taro_app app = make_app(&entry, 1);
        connect_to(app, rows[at].url, rows[at].is_permitted);
        CHECK_STATUS(taro_app_release(app), TARO_STATUS_OK);
    }
    attempt_row(NULL);
    attempt_shutdown();
}

static void one_of_several_is_enough(void) {
    const taro_str entries[] = {TARO_STR("a.echo.test"), TARO_STR("wss://127.0.0.1"), TARO_STR("127.0.0.2:80")};
    const taro_app app = make_app(entries, 3);
    connect_to(app, "ws://a.echo.test/", 1);
    connect_to(app, "ws://127.0.0.2/", 1);
    connect_to(app, "ws://127.0.0.1/", 0);
    connect_to(app, "ws://echo.test/", 0);
    attempt_shutdown();
}

// A URL that is none is told as such, not as one that is not on the list.
static void an_invalid_url_is_told_first(void) {
    const taro_str entry = TARO_STR("echo.test");
    struct attempt a;
    attempt_init(&a, make_app(&entry, 1), "http://127.0.0.1/");
    attempt_refused(&a, TARO_STATUS_INVALID_URL, 600009,
                    "connectSocket:fail invalid url \"http://127.0.0.1/\"");
    attempt_shutdown();
}

static void released(void *user_data) { ++*(int *)user_data; }

static void entries_that_are_none(void) {
    static const char *const wrong[] = {
        "", "ws://", "wss://", "http://echo.test", "echo.test/", "ws://echo.test/path", "echo.test?q", "echo.test#",
        "user@echo.test", "echo.test:65536", "echo.test:x", "a b", "[::1", "::1", "1.2.3.256", "echo.test\\", "\xff",
    };
    for (size_t at = 0; at < sizeof wrong / sizeof *wrong; at++) {
        const taro_str entries[] = {TARO_STR("echo.test"), attempt_str(wrong[at])};
        taro_app_options options = TARO_APP_OPTIONS_INIT;
        taro_app app = 4711;
        int releases = 0;
        attempt_row(wrong[at]);
        options.allow_list = entries;
        options.allow_list_len = 2;
        options.user_data = &releases;
        options.release = released;
        CHECK_STATUS(taro_app_create(&options, &app), TARO_STATUS_BAD_ARGUMENT);
        CHECK_UINT(app, ==, 0);
        CHECK_INT(releases, ==, 0);
    }
    attempt_row(NULL);
    attempt_shutdown();
}

static const struct test tests[] = {
    TEST("L4 L10", an_entry_permits),
    TEST("L10", one_of_several_is_enough),
    TEST("L4 L10", an_invalid_url_is_told_first),
    TEST("L1 L10", entries_that_are_none),
};

TEST_MAIN(tests)
