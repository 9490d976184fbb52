// L10: which URLs are accepted, what they become on the wire, and how the others are refused.
#include "attempt.h"

// --- accepted: `%u` stands for the port, `%s` for the connection's name

static const struct accepted {
    const char *url;
    const char *request; // the request line, with the connection's name at `%s`
} accepted[] = {
    {"ws://127.0.0.1:%u/echo?id=%s", "request GET /echo?id=%s HTTP/1.1"},
    {"WS://127.0.0.1:%u/echo?id=%s", "request GET /echo?id=%s HTTP/1.1"},
    {"ws:127.0.0.1:%u/echo?id=%s", "request GET /echo?id=%s HTTP/1.1"},
    {"ws:///127.0.0.1:%u/echo?id=%s", "request GET /echo?id=%s HTTP/1.1"},
    {"ws:\\\\127.0.0.1:%u\\echo?id=%s", "request GET /echo?id=%s HTTP/1.1"},
    {" \t\nws://127.0.0.1:%u/echo?id=%s \r\n", "request GET /echo?id=%s HTTP/1.1"},
    {"w\ns://127.0.\t0.1:%u/ec\r\nho?id=%s", "request GET /echo?id=%s HTTP/1.1"},
    {"ws://127.1:%u/echo?id=%s", "request GET /echo?id=%s HTTP/1.1"},
    {"ws://0x7f.0.0.0x1:%u/echo?id=%s", "request GET /echo?id=%s HTTP/1.1"},
    {"ws://2130706433:%u/echo?id=%s", "request GET /echo?id=%s HTTP/1.1"},
    {"ws://127.0.0.%%31:%u/echo?id=%s", "request GET /echo?id=%s HTTP/1.1"},
    {"ws://127.0.0.1:0%u/echo?id=%s", "request GET /echo?id=%s HTTP/1.1"},
    {"ws://127.0.0.1:%u?id=%s", "request GET /?id=%s HTTP/1.1"},
    {"ws://127.0.0.1:%u/a/./b/../../echo?id=%s", "request GET /echo?id=%s HTTP/1.1"},
    {"ws://127.0.0.1:%u/echo?id=%s&q=a b\"<>", "request GET /echo?id=%s&q=a%%20b%%22%%3C%%3E HTTP/1.1"},
    {"ws://127.0.0.1:%u/echo?id=%s&q=%%23%%zz%%", "request GET /echo?id=%s&q=%%23%%zz%% HTTP/1.1"},
    {"ws://127.0.0.1:%u/echo?id=%s&q=\xe8\xb7\xaf", "request GET /echo?id=%s&q=%%E8%%B7%%AF HTTP/1.1"},
    {"ws://127.0.0.1:%u/%%23?id=%s", "request GET /%%23?id=%s HTTP/1.1"},
};

static void accepted_urls_on_the_wire(void) {
    for (size_t at = 0; at < sizeof accepted / sizeof *accepted; at++) {
        char url[200], name[20], request[200];
        struct attempt a;
        attempt_row(accepted[at].url);
        snprintf(name, sizeof name, "accepted%zu", at);
        snprintf(url, sizeof url, accepted[at].url, server_port("ws"), name);
        snprintf(request, sizeof request, accepted[at].request, name);
        attempt_init(&a, 0, url);
        attempt_begin(&a);
        SERVER_WAIT(name, "^request ");
        CHECK_TEXT_HAS(SERVER_LOG(name), request);
        char host[40];
        snprintf(host, sizeof host, "127.0.0.1:%u", server_port("ws"));
        CHECK_TEXT(SERVER_HEADER(name, "Host", 1), host);
        attempt_end(&a, NULL);
    }
    attempt_row(NULL);
    attempt_shutdown();
}

static void ipv6_literals(void) {
    static const char *const hosts[] = {"[::1]", "[0:0:0:0:0:0:0:1]", "[0000::0.0.0.1]"};
    if (server_port("ws6") == 0) {
        test_skip("there is no IPv6 here");
        return;
    }
    for (size_t at = 0; at < sizeof hosts / sizeof *hosts; at++) {
        char name[20], host[40];
        struct attempt a;
        attempt_row(hosts[at]);
        snprintf(name, sizeof name, "six%zu", at);
        snprintf(host, sizeof host, "[::1]:%u", server_port("ws6"));
        attempt_init(&a, 0, SERVER_URL_FOR("ws6", hosts[at], "/echo?id=%s", name));
        const struct record *open = attempt_open(&a);
        CHECK_STR(open->peer_address, host);
        CHECK_TEXT(SERVER_HEADER(name, "Host", 1), host);
        attempt_end(&a, "success complete open release");
    }
    attempt_row(NULL);
    attempt_shutdown();
}

// --- names, reached through address overrides

static const struct named {
    const char *url;
    const char *host; // the Host field
    int secure;
} named[] = {
    {"ws://echo.test/echo?id=%s", "echo.test", 0},
    {"ws://echo.test:80/echo?id=%s", "echo.test", 0},
    {"ws://echo.test:/echo?id=%s", "echo.test", 0},
    {"ws://echo.test:443/echo?id=%s", "echo.test:443", 0},
    {"ws://echo.test:8080/echo?id=%s", "echo.test:8080", 0},
    {"wss://echo.test/echo?id=%s", "echo.test", 1},
    {"wss://echo.test:443/echo?id=%s", "echo.test", 1},
    {"wss://echo.test:80/echo?id=%s", "echo.test:80", 1},
    {"ws://ECHO.Test/echo?id=%s", "echo.test", 0},
    {"ws://%%65cho.test/echo?id=%s", "echo.test", 0},
    {"ws://\xef\xbd\x85\xef\xbd\x83\xef\xbd\x88\xef\xbd\x8f.test/echo?id=%s", "echo.test", 0}, // full width
    {"ws://user:pw@echo.test/echo?id=%s", "echo.test", 0},
    {"ws://b\xc3\xbc" "cher.test/echo?id=%s", "xn--bcher-kva.test", 0},
    {"ws://B\xc3\x9c" "CHER.test/echo?id=%s", "xn--bcher-kva.test", 0},
    {"ws://xn--bcher-kva.test/echo?id=%s", "xn--bcher-kva.test", 0},
    {"ws://\xe4\xbe\x8b\xe3\x81\x88.\xe3\x83\x86\xe3\x82\xb9\xe3\x83\x88/echo?id=%s",
     "xn--r8jz45g.xn--zckzah", 0},
};

static taro_app app_with_names(int secure) {
    static const char *const from[] = {"echo.test:80",   "echo.test:443",         "echo.test:8080",
                                       "b\xc3\xbc" "cher.test:80", "xn--r8jz45g.xn--zckzah:80"};
    enum { COUNT = sizeof from / sizeof *from };
    taro_address_override overrides[COUNT];
    taro_app_options options = TARO_APP_OPTIONS_INIT;
    for (size_t at = 0; at < COUNT; at++) {
        overrides[at].from = attempt_str(from[at]);
        overrides[at].to = attempt_str(server_address(secure ? "wss" : "ws"));
    }
    options.address_overrides = overrides;
    options.address_overrides_len = COUNT;
    options.ca_file = attempt_str(server_ca_file());
    return attempt_app(&options);
}

static void names_and_default_ports(void) {
    const taro_app apps[2] = {app_with_names(0), app_with_names(1)};
    for (size_t at = 0; at < sizeof named / sizeof *named; at++) {
        char url[200], name[20];
        struct attempt a;
        attempt_row(named[at].url);
        snprintf(name, sizeof name, "named%zu", at);
        snprintf(url, sizeof url, named[at].url, name);
        attempt_init(&a, apps[named[at].secure], url);
        attempt_open(&a);
        CHECK_TEXT(SERVER_HEADER(name, "Host", 1), named[at].host);
        CHECK(SERVER_HEADER(name, "Host", 2) == NULL);
        attempt_end(&a, "success complete open release");
    }
    attempt_row(NULL);
    attempt_shutdown();
}

static void a_long_url_goes_out_whole(void) {
    enum { LENGTH = 8000 };
    char *filler = malloc(LENGTH + 1);
    struct attempt a;
    CHECK(filler != NULL);
    memset(filler, 'x', LENGTH);
    filler[LENGTH] = '\0';
    attempt_init(&a, 0, SERVER_URL("ws", "/echo?id=long&filler=%s", filler));
    attempt_open(&a);
    CHECK_TEXT_HAS(SERVER_LOG("long"), filler);
    attempt_end(&a, "success complete open release");
    free(filler);
    attempt_shutdown();
}

// --- userinfo

static const struct userinfo {
    const char *userinfo;
    const char *header;   // Authorization that the app sets, or NULL
    const char *expected; // NULL for none
} userinfos[] = {
    {"", NULL, NULL},
    {"@", NULL, NULL},
    {"user:pw@", NULL, "Basic dXNlcjpwdw=="},
    {"user@", NULL, "Basic dXNlcjo="},
    {"user:@", NULL, "Basic dXNlcjo="},
    {":pw@", NULL, "Basic OnB3"},
    {"a:b:c@", NULL, "Basic YTpiOmM="},
    {"Aladdin:open%20sesame@", NULL, "Basic QWxhZGRpbjpvcGVuIHNlc2FtZQ=="},
    {"us\xc3\xa9r:p%40ss@", NULL, "Basic dXPDqXI6cEBzcw=="},
    {"%zz:100%@", NULL, "Basic JXp6OjEwMCU="},
    {"user:pw@", "Bearer token", "Bearer token"},
    {"", "Bearer token", "Bearer token"},
};

static void userinfo_becomes_basic_authorization(void) {
    for (size_t at = 0; at < sizeof userinfos / sizeof *userinfos; at++) {
        const struct userinfo *row = &userinfos[at];
        char host[80], name[20];
        struct attempt a;
        attempt_row(row->userinfo);
        snprintf(host, sizeof host, "%s127.0.0.1", row->userinfo);
        snprintf(name, sizeof name, "userinfo%zu", at);
        const taro_header header = {TARO_STR("Authorization"), attempt_str(row->header ? row->header : "")};
        attempt_init(&a, 0, SERVER_URL_FOR("ws", host, "/echo?id=%s", name));
        a.options.headers = &header;
        a.options.headers_len = row->header != NULL;
        attempt_open(&a);
        const char *sent = SERVER_HEADER(name, "Authorization", 1);
        CHECK_INT(sent != NULL, ==, row->expected != NULL);
        if (sent) {
            CHECK_TEXT(sent, row->expected);
        }
        CHECK(SERVER_HEADER(name, "Authorization", 2) == NULL);
        CHECK(SERVER_HEADER(name, "Referer", 1) == NULL);
        attempt_end(&a, "success complete open release");
    }
    attempt_row(NULL);
    attempt_shutdown();
}

// The app's field wins in any case of letters.
static void an_authorization_of_the_app_wins(void) {
    const taro_header header = {TARO_STR("aUTHORIZATION"), TARO_STR("Bearer token")};
    struct attempt a;
    attempt_init(&a, 0, SERVER_URL_FOR("ws", "user:pw@127.0.0.1", "/echo?id=wins"));
    a.options.headers = &header;
    a.options.headers_len = 1;
    attempt_open(&a);
    CHECK_TEXT(SERVER_HEADER("wins", "aUTHORIZATION", 1), "Bearer token");
    CHECK(SERVER_HEADER("wins", "Authorization", 1) == NULL);
    attempt_end(&a, "success complete open release");
    attempt_shutdown();
}

// --- refused

static const char *const refused[] = {
    "", " ", "h", "//127.0.0.1", "/echo", "?q", "ws", "127.0.0.1:80/echo",
    // schemes
    "http://127.0.0.1/", "https://127.0.0.1/", "ftp://127.0.0.1/", "file:///echo", "data:,", "mailto:a@b.test",
    "javascript:0", "about:blank", "wsss://127.0.0.1/", "ws-a://127.0.0.1/", "blob:ws://127.0.0.1/",
    // no host
    "ws:", "ws://", "wss://", "ws:///", "ws://?q", "ws://#", "ws://:80/", "ws://user@/", "ws://user:pw@:80/",
    // wrong hosts and ports
    "ws://a b/", "ws://a%00b/", "ws://a^b/", "ws://a<b/", "ws://a%2fb/", "ws://[::1/", "ws://::1/", "ws://[]/",
    "ws://[1]/", "ws://[::1%25lo]/", "ws://1.2.3.256/", "ws://1.2.3.4.5/", "ws://0x100000000/", "ws://xn--/",
    "ws://h:65536/", "ws://h:x/", "ws://h:-1/", "ws://h:80:80/",
    // fragments
    "ws://127.0.0.1/#", "ws://127.0.0.1/echo#part", "ws://127.0.0.1#part", "wss://127.0.0.1/?q#part",
};

static void refuse(taro_app app, const char *url) {
    char err_msg[200];
    struct attempt a;
    attempt_row(url);
    snprintf(err_msg, sizeof err_msg, "connectSocket:fail invalid url \"%s\"", url);
    attempt_init(&a, app, url);
    attempt_refused(&a, TARO_STATUS_INVALID_URL, 600009, err_msg);
    attempt_row(NULL);
}

static void refused_urls(void) {
    const long long before = SERVER_NUMBER("accepted");
    for (size_t at = 0; at < sizeof refused / sizeof *refused; at++) {
        refuse(0, refused[at]);
    }
    CHECK_INT(SERVER_NUMBER("accepted"), ==, before);
    attempt_shutdown();
}

// The record's texts are bytes with a length, and UTF-8 whatever came in.
static void refused_urls_that_are_no_text(void) {
    struct attempt a;
    attempt_init(&a, 0, "");
    a.options.url = TARO_STR("ws://a\0b/");
    a.socket = 4711;
    CHECK_STATUS(taro_connect_socket(&a.options, &a.socket), TARO_STATUS_INVALID_URL);
    CHECK_UINT(a.socket, ==, 0);
    attempt_wait(&a, RECORD_RELEASE, 1);
    const struct record *fail = attempt_find(&a, RECORD_FAIL);
    const char with_nul[] = "connectSocket:fail invalid url \"ws://a\0b/\"";
    CHECK_BYTES(fail->err_msg.ptr, fail->err_msg.len, with_nul, sizeof with_nul - 1);
    attempt_end(&a, "fail complete release");

    attempt_init(&a, 0, "ws://127.0.0.1/\xff");
    attempt_refused(&a, TARO_STATUS_INVALID_URL, 600009,
                    "connectSocket:fail invalid url \"ws://127.0.0.1/\xef\xbf\xbd\"");
    attempt_shutdown();
}

static void forbid_ws_leaves_wss(void) {
    taro_app_options options = TARO_APP_OPTIONS_INIT;
    options.forbid_ws = 1;
    options.ca_file = attempt_str(server_ca_file());
    const taro_app app = attempt_app(&options);
    const long long before = SERVER_NUMBER("accepted");
    refuse(app, SERVER_URL("ws", "/echo"));
    refuse(app, "WS://127.0.0.1/");
    CHECK_INT(SERVER_NUMBER("accepted"), ==, before);
    struct attempt a;
    attempt_init(&a, app, SERVER_URL("wss", "/echo"));
    attempt_open(&a);
    attempt_end(&a, "success complete open release");
    attempt_shutdown();
}

// --- redirects

static void redirects_are_not_followed(void) {
    static const int statuses[] = {300, 301, 302, 303, 307, 308};
    for (size_t at = 0; at < sizeof statuses / sizeof *statuses; at++) {
        const long long before = SERVER_NUMBER("accepted");
        struct attempt a;
        attempt_init(&a, 0, SERVER_URL("ws", "/echo?status=%d", statuses[at]));
        const struct record *error = attempt_error(&a);
        CHECK_UINT(error->cause, ==, TARO_CAUSE_HTTP_STATUS);
        CHECK_INT(error->http_status, ==, statuses[at]);
        CHECK_STR(error->err_msg, "connectSocket:fail WebSocket connection failed");
        attempt_end(&a, "success complete error release");
        CHECK_INT(SERVER_NUMBER("accepted"), ==, before + 1);
    }
    attempt_shutdown();
}

static const struct test tests[] = {
    TEST("L10", accepted_urls_on_the_wire),
    TEST("L10", ipv6_literals),
    TEST("L10", names_and_default_ports),
    TEST("L10", a_long_url_goes_out_whole),
    TEST("L10", userinfo_becomes_basic_authorization),
    TEST("L10", an_authorization_of_the_app_wins),
    TEST("L4 L10", refused_urls),
    TEST("L4 L10 L25", refused_urls_that_are_no_text),
    TEST("L4 L10", forbid_ws_leaves_wss),
    TEST("L10", redirects_are_not_followed),
};

TEST_MAIN(tests)
