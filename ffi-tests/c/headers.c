// L11: header fields of the upgrade request: kept as given, refused, or left out.
#include "attempt.h"

enum { FIELDS = 160 };

static struct attempt a;

// Connects with these fields, given as name and value by turns.
static void open_with(taro_app app, const char *id, const char *const *pairs, size_t pairs_len) {
    taro_header headers[FIELDS];
    CHECK_UINT(pairs_len, <=, FIELDS);
    for (size_t at = 0; at < pairs_len; at++) {
        headers[at].name = attempt_str(pairs[2 * at]);
        headers[at].value = attempt_str(pairs[2 * at + 1]);
    }
    attempt_init(&a, app, SERVER_URL("ws", "/echo?id=%s", id));
    a.options.headers = headers;
    a.options.headers_len = pairs_len;
    attempt_open(&a);
}

// The lines of the request's header fields, without those that every handshake has. The caller frees them.
static char *own_fields(const char *id) {
    static const char *const common[] = {"Host: ",
                                         "Upgrade: websocket\n",
                                         "Connection: Upgrade\n",
                                         "Sec-WebSocket-Key: ",
                                         "Sec-WebSocket-Version: 13\n"};
    enum { COMMON = sizeof common / sizeof *common };
    unsigned seen[COMMON] = {0};
    const char *line = SERVER_LOG(id), *end;
    char *fields = calloc(1, strlen(line) + 1);
    CHECK(fields != NULL);
    for (; (end = strchr(line, '\n')) != NULL; line = end + 1) {
        if (strncmp(line, "header ", 7) != 0) {
            continue;
        }
        size_t at = 0;
        while (at < COMMON && strncmp(line + 7, common[at], strlen(common[at])) != 0) {
            at++;
        }
        if (at < COMMON) {
            seen[at]++;
        } else {
            strncat(fields, line + 7, (size_t)(end + 1 - line - 7));
        }
    }
    for (size_t at = 0; at < COMMON; at++) {
        CHECK_UINT(seen[at], ==, 1);
    }
    return fields;
}

static void check_own_fields(const char *id, const char *expected) {
    char *fields = own_fields(id);
    CHECK_TEXT(fields, expected);
    free(fields);
}

// --- kept

static void order_case_and_number_are_kept(void) {
    static const char *const pairs[] = {
        "X-Two", "b", "x-ONE", "a", "X-Two", "c", "Cookie", "a=1; b=2", "X-Empty", "", "x-two", "d",
        "User-Agent", "of the app/1", "X-Two", "b", "Origin", "https://app.test", "X-Quote", "\"a\", 'b'; c:d",
    };
    open_with(0, "kept", pairs, sizeof pairs / sizeof *pairs / 2);
    check_own_fields("kept",
                     "X-Two: b\nx-ONE: a\nX-Two: c\nCookie: a=1; b=2\nX-Empty: \nx-two: d\n"
                     "User-Agent: of the app/1\nX-Two: b\nOrigin: https://app.test\nX-Quote: \"a\", 'b'; c:d\n");
    attempt_end(&a, "success complete open release");
    attempt_shutdown();
}

static void without_headers_there_are_none(void) {
    open_with(0, "none", NULL, 0);
    check_own_fields("none", "");
    attempt_end(&a, "success complete open release");
    attempt_shutdown();
}

// Space around a value is not part of it (RFC 9110, 5.5); inside it is, and so are tabs and bytes beyond ASCII.
static void values_are_kept_to_the_byte(void) {
    static const char *const pairs[] = {
        "X-Around", " \t a \t", "X-Inside", "a \t  b", "X-Utf8", "\xe8\xb7\xaf", "X-Bytes", "\x80 \xff\xfe",
        "X-Space", "  ",
    };
    open_with(0, "bytes", pairs, sizeof pairs / sizeof *pairs / 2);
    CHECK_TEXT(SERVER_HEADER("bytes", "X-Around", 1), "a");
    CHECK_TEXT(SERVER_HEADER("bytes", "X-Inside", 1), "a \\x09  b");
    CHECK_TEXT(SERVER_HEADER("bytes", "X-Utf8", 1), "\xe8\xb7\xaf");
    CHECK_TEXT(SERVER_HEADER("bytes", "X-Bytes", 1), "\\x80 \\xff\\xfe");
    CHECK_TEXT(SERVER_HEADER("bytes", "X-Space", 1), "");
    attempt_end(&a, "success complete open release");
    attempt_shutdown();
}

static const char tchars[] = "!#$%&'*+-.^_`|~0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz";

// One field for each of them.
static void every_token_character_may_be_in_a_name(void) {
    enum { COUNT = sizeof tchars - 1 };
    char names[COUNT][4], expected[COUNT * 8] = "";
    const char *pairs[2 * COUNT];
    for (size_t at = 0; at < COUNT; at++) {
        snprintf(names[at], sizeof names[at], "x%c", tchars[at]);
        pairs[2 * at] = names[at];
        pairs[2 * at + 1] = "v";
        snprintf(expected + strlen(expected), 8, "x%c: v\n", tchars[at]);
    }
    open_with(0, "tokens", pairs, COUNT);
    check_own_fields("tokens", expected);
    attempt_end(&a, "success complete open release");
    attempt_shutdown();
}

static void long_values_and_many_fields(void) {
    enum { LENGTH = 8000, COUNT = 150 };
    char *value = malloc(LENGTH + 1);
    const char *pairs[2 * COUNT];
    CHECK(value != NULL);
    memset(value, 'v', LENGTH);
    value[LENGTH] = '\0';
    for (size_t at = 0; at < COUNT; at++) {
        pairs[2 * at] = "X-Many";
        pairs[2 * at + 1] = at == 70 ? value : "short";
    }
    open_with(0, "many", pairs, COUNT);
    CHECK_TEXT(SERVER_HEADER("many", "X-Many", 71), value);
    CHECK_TEXT(SERVER_HEADER("many", "X-Many", COUNT), "short");
    CHECK(SERVER_HEADER("many", "X-Many", COUNT + 1) == NULL);
    attempt_end(&a, "success complete open release");
    free(value);
    attempt_shutdown();
}

// --- refused

// The wrong field is the second of three, so that it is not the first or the last alone that is looked at.
static void refuse(taro_str name, taro_str value) {
    const taro_header headers[] = {{TARO_STR("X-First"), TARO_STR("1")},
                                   {name, value},
                                   {TARO_STR("X-Last"), TARO_STR("2")}};
    attempt_init(&a, 0, SERVER_URL("ws", "/echo?id=refused"));
    a.options.headers = headers;
    a.options.headers_len = 3;
    attempt_refused(&a, TARO_STATUS_PARAMETER, 600005, "connectSocket:fail parameter error: header");
}

static void names_that_are_no_tokens(void) {
    static const char *const names[] = {
        "", " ", "a b", "a:", "a: b", " a", "a ", "a\t", "a\r\n", "a\r\nX-Evil: 1\r\nb", "a\n", "\xc3\xa9", "a\xff",
        "a,b", "(a)",
    };
    const long long before = SERVER_NUMBER("accepted");
    for (size_t at = 0; at < sizeof names / sizeof *names; at++) {
        attempt_row(names[at]);
        refuse(attempt_str(names[at]), TARO_STR("v"));
    }
    for (int byte = 0; byte < 256; byte++) {
        if (byte == 0 || !strchr(tchars, byte)) {
            const char name[] = {'x', (char)byte, 'x'};
            char row[40];
            snprintf(row, sizeof row, "name with byte %d", byte);
            attempt_row(row);
            refuse((taro_str){name, sizeof name}, TARO_STR("v"));
        }
    }
    attempt_row(NULL);
    CHECK_INT(SERVER_NUMBER("accepted"), ==, before);
    attempt_shutdown();
}

static void values_with_control_characters(void) {
    static const char *const values[] = {
        "\r", "\n", "a\r\n", "a\r\nX-Evil: 1", "a\nX-Evil: 1", "a\rX-Evil: 1",
        "a\r\n\r\nGET /evil HTTP/1.1\r\n", "a\r\n b",
    };
    const long long before = SERVER_NUMBER("accepted");
    for (size_t at = 0; at < sizeof values / sizeof *values; at++) {
        attempt_row(values[at]);
        refuse(TARO_STR("X-Value"), attempt_str(values[at]));
        // Of a field that would be left out as well.
        refuse(TARO_STR("Referer"), attempt_str(values[at]));
    }
    for (int byte = 0; byte < 128; byte++) {
        if ((byte < 32 && byte != '\t') || byte == 127) {
            const char value[] = {'x', (char)byte, 'x'};
            char row[40];
            snprintf(row, sizeof row, "value with byte %d", byte);
            attempt_row(row);
            refuse(TARO_STR("X-Value"), (taro_str){value, sizeof value});
            refuse(TARO_STR("X-Value"), (taro_str){value + 1, 1});
        }
    }
    attempt_row(NULL);
    CHECK_INT(SERVER_NUMBER("accepted"), ==, before);
    attempt_shutdown();
}

// --- left out

static void fields_of_the_handshake_and_referer_are_left_out(void) {
    static const char *const pairs[] = {
        "Referer", "evil", "REFERER", "evil", "referer", "evil", "Host", "evil", "hOsT", "evil",
        "Connection", "close", "CONNECTION", "evil", "Upgrade", "h2c", "upgrade", "evil",
        "Content-Length", "5", "content-length", "5", "Sec-WebSocket-Key", "evil", "sec-websocket-key", "evil",
        "Sec-WebSocket-Version", "8", "SEC-WEBSOCKET-VERSION", "8", "Sec-WebSocket-Protocol", "evil",
        "sec-websocket-extensions", "permessage-deflate", "Sec-WebSocket-Accept", "evil", "Sec-WebSocket-Other", "evil",
        "Referrer", "1", "X-Host", "2", "Hosts", "3", "Sec-WebSocket", "4", "Sec-Fetch-Mode", "5", "Connection2", "6",
    };
    open_with(0, "left", pairs, sizeof pairs / sizeof *pairs / 2);
    CHECK_TEXT(SERVER_HEADER("left", "Host", 1), server_address("ws"));
    check_own_fields("left", "Referrer: 1\nX-Host: 2\nHosts: 3\nSec-WebSocket: 4\nSec-Fetch-Mode: 5\nConnection2: 6\n");
    attempt_end(&a, "success complete open release");
    attempt_shutdown();
}

static void the_referer_is_the_hosts(void) {
    static const char *const pairs[] = {"X-A", "1", "referer", "https://evil.test/", "Referer", "evil", "X-B", "2"};
    taro_app_options options = TARO_APP_OPTIONS_INIT;
    options.referer = TARO_STR("https://servicewechat.com/wx1/0/page-frame.html");
    open_with(attempt_app(&options), "referer", pairs, 4);
    CHECK_TEXT(SERVER_HEADER("referer", "Referer", 1), "https://servicewechat.com/wx1/0/page-frame.html");
    CHECK(SERVER_HEADER("referer", "Referer", 2) == NULL);
    CHECK(SERVER_HEADER("referer", "referer", 1) == NULL);
    CHECK(strstr(SERVER_LOG("referer"), "evil") == NULL);
    attempt_end(&a, "success complete open release");
    attempt_shutdown();
}

static void a_referer_that_is_no_field_value(void) {
    static const char *const wrong[] = {"a\r\nX-Evil: 1", "a\n", "a\r", "\x01", "\x7f", "\xff"};
    for (size_t at = 0; at < sizeof wrong / sizeof *wrong; at++) {
        taro_app_options options = TARO_APP_OPTIONS_INIT;
        taro_app app = 4711;
        options.referer = attempt_str(wrong[at]);
        CHECK_STATUS(taro_app_create(&options, &app), TARO_STATUS_BAD_ARGUMENT);
        CHECK_UINT(app, ==, 0);
    }
    attempt_shutdown();
}

// --- nothing that an app passes ends a line

static void nothing_in_a_url_ends_a_line(void) {
    static const char *const hosts[] = {"127.0.0.1", "a%0d%0aX-Evil:1:p%0d%0aX-Evil:1@127.0.0.1",
                                        "a\r\nX-Evil:1:p\r\n@127.0.0.1", "127.\r\n0.0.1"};
    static const char *const queries[] = {"a\r\nX-Evil: 1", "a%0d%0aX-Evil:%201", "a\r\n\r\nGET /evil HTTP/1.1",
                                          "a HTTP/1.1\r\nX-Evil: 1", "\x7f\x01"};
    const char *const id = "lines";
    for (size_t host = 0; host < sizeof hosts / sizeof *hosts; host++) {
        for (size_t query = 0; query < sizeof queries / sizeof *queries; query++) {
            attempt_row(queries[query]);
            attempt_init(&a, 0, SERVER_URL_FOR("ws", hosts[host], "/echo?q=%s&id=%s", queries[query], id));
            attempt_open(&a);
            char *fields = own_fields(id);
            CHECK(fields[0] == '\0' || strncmp(fields, "Authorization: Basic ", 21) == 0);
            CHECK(strstr(fields, "Evil") == NULL);
            free(fields);
            CHECK_UINT(SERVER_LOG_COUNT(id, "request GET /echo?q="), ==, 1);
            attempt_end(&a, "success complete open release");
            SERVER_COMMAND("forget %s", id);
        }
    }
    attempt_row(NULL);
    attempt_shutdown();
}

static const struct test tests[] = {
    TEST("L11", order_case_and_number_are_kept),
    TEST("L11", without_headers_there_are_none),
    TEST("L11", values_are_kept_to_the_byte),
    TEST("L11", every_token_character_may_be_in_a_name),
    TEST("L11", long_values_and_many_fields),
    TEST("L4 L11", names_that_are_no_tokens),
    TEST("L4 L11", values_with_control_characters),
    TEST("L11", fields_of_the_handshake_and_referer_are_left_out),
    TEST("L11", the_referer_is_the_hosts),
    TEST("L1 L11", a_referer_that_is_no_field_value),
    TEST("L11", nothing_in_a_url_ends_a_line),
};

TEST_MAIN(tests)
