// L10, L16, L17: address overrides of an app: where a connect goes to, and what stays the URL's all the same.
#include <errno.h>

#include "answer.h"
#include "full.h"

enum { MOST = 4 };

// `froms` and `tos` by turns; an override ends the list with NULL.
static taro_app app_with(const char *const *pairs) {
    taro_address_override overrides[MOST];
    taro_app_options options = TARO_APP_OPTIONS_INIT;
    size_t count = 0;
    for (; pairs[2 * count]; count++) {
        CHECK_UINT(count, <, MOST);
        overrides[count].from = attempt_str(pairs[2 * count]);
        overrides[count].to = attempt_str(pairs[2 * count + 1]);
    }
    options.address_overrides = overrides;
    options.address_overrides_len = count;
    options.ca_file = attempt_str(server_ca_file());
    return attempt_app(&options);
}

static taro_app app_with_one(const char *from, const char *to) {
    const char *const pairs[] = {from, to, NULL};
    return app_with(pairs);
}

// Connects, and is connected to that address.
static void reaches(taro_app app, const char *url, const char *address) {
    struct attempt a;
    attempt_init(&a, app, url);
    const struct record *open = attempt_open(&a);
    CHECK_STR(open->peer_address, address);
    // No name was looked up.
    CHECK_INT(open->profile.domain_look_up_start_us, ==, open->profile.fetch_start_us);
    CHECK_INT(open->profile.domain_look_up_end_us, ==, open->profile.fetch_start_us);
    attempt_end(&a, "success complete open release");
}

static void fails_with(taro_app app, const char *url, uint32_t cause) {
    struct attempt a;
    attempt_init(&a, app, url);
    CHECK_UINT(attempt_error(&a)->cause, ==, cause);
    attempt_end(&a, "success complete error release");
}

// --- which URLs an override is for

static const struct row {
    const char *from;
    const char *url;
    const char *listener;
} rows[] = {
    {"nowhere.invalid:80", "ws://nowhere.invalid/echo", "ws"},
    {"nowhere.invalid:80", "ws://nowhere.invalid:80/echo", "ws"},
    {"nowhere.invalid:8080", "ws://nowhere.invalid:8080/echo", "ws"},
    {"nowhere.invalid:443", "ws://nowhere.invalid:443/echo", "ws"},
    {"good.test:443", "wss://good.test/echo", "wss"},
    {"good.test:8443", "wss://good.test:8443/echo", "wss"},
    {"NoWhere.Invalid:80", "ws://nowhere.invalid/echo", "ws"},
    {"nowhere.invalid:80", "ws://NOWHERE.INVALID/echo", "ws"},
    {"b\xc3\xbc" "cher.invalid:80", "ws://xn--bcher-kva.invalid/echo", "ws"},
    {"192.0.2.1:80", "ws://192.0.2.1/echo", "ws"},
    {"[2001:db8::1]:80", "ws://[2001:DB8:0::1]/echo", "ws"},
    {"nowhere.invalid:80", "ws://user:pw@nowhere.invalid/echo", "ws"},
};

static void host_and_port_of_the_url_decide(void) {
    for (size_t at = 0; at < sizeof rows / sizeof *rows; at++) {
        char name[150];
        snprintf(name, sizeof name, "%s for %s", rows[at].from, rows[at].url);
        attempt_row(name);
        reaches(app_with_one(rows[at].from, server_address(rows[at].listener)), rows[at].url,
                server_address(rows[at].listener));
    }
    attempt_row(NULL);
    attempt_shutdown();
}

static void other_hosts_and_ports_are_looked_up(void) {
    static const char *const urls[] = {
        "ws://nowhere.invalid:81/echo", "wss://nowhere.invalid/echo", "ws://sub.nowhere.invalid/echo",
        "ws://invalid/echo", "ws://nowhere.invalid./echo",
    };
    const taro_app app = app_with_one("nowhere.invalid:80", server_address("ws"));
    for (size_t at = 0; at < sizeof urls / sizeof *urls; at++) {
        attempt_row(urls[at]);
        fails_with(app, urls[at], TARO_CAUSE_RESOLVE);
    }
    attempt_row(NULL);
    // A literal goes where it says.
    reaches(app, SERVER_URL("ws", "/echo"), server_address("ws"));
    attempt_shutdown();
}

static void an_address_of_ipv6(void) {
    char six[40];
    if (server_port("ws6") == 0) {
        test_skip("there is no IPv6 here");
        return;
    }
    snprintf(six, sizeof six, "[::1]:%u", server_port("ws6"));
    reaches(app_with_one("nowhere.invalid:80", six), "ws://nowhere.invalid/echo", six);
    reaches(app_with_one("192.0.2.1:80", six), "ws://192.0.2.1/echo", six);
    attempt_shutdown();
}

static void an_override_is_for_one_app(void) {
    const taro_app first = app_with_one("nowhere.invalid:80", server_address("ws"));
    const taro_app second = app_with_one("nowhere.invalid:80", server_address("refuse"));
    reaches(first, "ws://nowhere.invalid/echo", server_address("ws"));
    fails_with(second, "ws://nowhere.invalid/echo", TARO_CAUSE_CONNECT);
    fails_with(0, "ws://nowhere.invalid/echo", TARO_CAUSE_RESOLVE);
    reaches(first, "ws://nowhere.invalid/echo", server_address("ws"));
    attempt_shutdown();
}

// --- what stays the URL's

static void host_field_and_server_name_are_the_urls(void) {
    static const struct {
        const char *from;
        const char *url;
        const char *host;
        const char *sni;
    } urls[] = {
        {"good.test:443", "wss://good.test/echo?id=same0", "good.test", "good.test"},
        {"good.test:8443", "wss://good.test:8443/echo?id=same1", "good.test:8443", "good.test"},
        {"echo.test:443", "wss://ECHO.test/echo?id=same2", "echo.test", "echo.test"},
    };
    for (size_t at = 0; at < sizeof urls / sizeof *urls; at++) {
        char id[20], tls[60];
        snprintf(id, sizeof id, "same%zu", at);
        snprintf(tls, sizeof tls, "^tls TLSv1.3 %s$", urls[at].sni);
        reaches(app_with_one(urls[at].from, server_address("wss")), urls[at].url, server_address("wss"));
        CHECK_TEXT(SERVER_HEADER(id, "Host", 1), urls[at].host);
        CHECK(SERVER_HEADER(id, "Host", 2) == NULL);
        SERVER_WAIT(id, tls);
    }
    attempt_shutdown();
}

static void the_allow_list_sees_the_urls_host(void) {
    const taro_str allowed = TARO_STR("nowhere.invalid");
    const taro_address_override overrides[] = {
        {TARO_STR("nowhere.invalid:80"), attempt_str(server_address("ws"))},
        {TARO_STR("other.invalid:80"), attempt_str(server_address("ws"))},
    };
    taro_app_options options = TARO_APP_OPTIONS_INIT;
    options.address_overrides = overrides;
    options.address_overrides_len = 2;
    options.allow_list = &allowed;
    options.allow_list_len = 1;
    const taro_app app = attempt_app(&options);
    reaches(app, "ws://nowhere.invalid/echo", server_address("ws"));
    struct attempt a;
    attempt_init(&a, app, "ws://other.invalid/echo");
    attempt_refused(&a, TARO_STATUS_URL_NOT_ALLOWED, 600002, "connectSocket:fail url not in domain list");
    attempt_shutdown();
}

// --- several addresses of one name, like those that a lookup gives

static void the_next_address_after_one_that_refuses(void) {
    const char *const pairs[] = {"nowhere.invalid:80", server_address("refuse"), "other.invalid:80",
                                 server_address("silent"), "nowhere.invalid:80", server_address("ws"), NULL};
    reaches(app_with(pairs), "ws://nowhere.invalid/echo", server_address("ws"));
    attempt_shutdown();
}

// The one that answers wins, however long the first one would have been waited for.
static void the_next_address_beside_one_that_is_silent(void) {
    struct full full;
    full_init(&full, "127.0.0.1", 0);
    const char *const pairs[] = {"nowhere.invalid:80", full.address, "nowhere.invalid:80", server_address("ws"), NULL};
    reaches(app_with(pairs), "ws://nowhere.invalid/echo", server_address("ws"));
    full_end(&full);
    attempt_shutdown();
}

// The first connected one is the connection: what comes later, such as a wrong answer, is its own.
static void an_address_that_answers_is_not_left_for_another(void) {
    const char *const pairs[] = {"nowhere.invalid:80", server_address("ws"), "nowhere.invalid:80",
                                 server_address("reset"), NULL};
    const taro_app app = app_with(pairs);
    const long long before = SERVER_NUMBER("accepted");
    fails_with(app, "ws://nowhere.invalid/echo?status=403", TARO_CAUSE_HTTP_STATUS);
    CHECK_INT(SERVER_NUMBER("accepted"), ==, before + 1);
    attempt_shutdown();
}

static void no_address_that_answers(void) {
    const char *const pairs[] = {"nowhere.invalid:80", server_address("refuse"), "nowhere.invalid:80",
                                 server_address("refuse"), NULL};
    struct attempt a;
    attempt_init(&a, app_with(pairs), "ws://nowhere.invalid/echo");
    const struct record *error = attempt_error(&a);
    CHECK_UINT(error->cause, ==, TARO_CAUSE_CONNECT);
    CHECK_INT(error->os_error, ==, ECONNREFUSED);
    attempt_end(&a, "success complete error release");
    attempt_shutdown();
}

// --- texts that are none

static void released(void *user_data) { ++*(int *)user_data; }

static void refuse(const char *from, const char *to) {
    const taro_address_override overrides[] = {
        {TARO_STR("fine.test:80"), TARO_STR("127.0.0.1:80")},
        {attempt_str(from), attempt_str(to)},
    };
    taro_app_options options = TARO_APP_OPTIONS_INIT;
    taro_app app = 4711;
    int releases = 0;
    char row[80];
    snprintf(row, sizeof row, "'%s' to '%s'", from, to);
    attempt_row(row);
    options.address_overrides = overrides;
    options.address_overrides_len = 2;
    options.user_data = &releases;
    options.release = released;
    CHECK_STATUS(taro_app_create(&options, &app), TARO_STATUS_BAD_ARGUMENT);
    CHECK_UINT(app, ==, 0);
    CHECK_INT(releases, ==, 0);
    attempt_row(NULL);
}

static void wrong_texts_are_refused(void) {
    static const char *const froms[] = {
        "", ":", ":80", "echo.test", "echo.test:", "echo.test:x", "echo.test:-1", "echo.test:+80", "echo.test:65536",
        "echo.test:80:80", "echo.test:80/", "ws://echo.test:80", "user@echo.test:80", "echo.test:80?q", "echo.test:80#",
        "a b:80", "[::1]", "::1:80", "[::1:80", "1.2.3.256:80", "\xff:80",
    };
    static const char *const tos[] = {
        "", ":", ":80", "127.0.0.1", "127.0.0.1:", "127.0.0.1:x", "127.0.0.1:-1", "127.0.0.1:65536", "127.0.0.1:80/",
        " 127.0.0.1:80", "127.0.0.1:80 ", "1.2.3:80", "1.2.3.256:80", "localhost:80", "echo.test:80", "::1:80", "[::1]",
        "[::1:80", "[1]:80", "ws://127.0.0.1:80", "\xff",
    };
    for (size_t at = 0; at < sizeof froms / sizeof *froms; at++) {
        refuse(froms[at], "127.0.0.1:80");
    }
    for (size_t at = 0; at < sizeof tos / sizeof *tos; at++) {
        refuse("echo.test:80", tos[at]);
    }
    attempt_shutdown();
}

static const struct test tests[] = {
    TEST("L10 L16", host_and_port_of_the_url_decide),
    TEST("-", other_hosts_and_ports_are_looked_up),
    TEST("L16", an_address_of_ipv6),
    TEST("-", an_override_is_for_one_app),
    TEST("L10", host_field_and_server_name_are_the_urls),
    TEST("L10", the_allow_list_sees_the_urls_host),
    TEST("-", an_address_that_answers_is_not_left_for_another),
    TEST("L5", no_address_that_answers),
    TEST("L1", wrong_texts_are_refused),
    TEST("L17", the_next_address_after_one_that_refuses),
    TEST("L17", the_next_address_beside_one_that_is_silent),
};

TEST_MAIN(tests)
