// L5, L12, L16: answers to the upgrade request that are none: each fails the handshake, in the same way.
#include "answer.h"

// Of one flavour that tells `error` alone, and of the one that tells `close` too.
static const uint32_t flavours[] = {TARO_FLAVOUR_WEAPP, TARO_FLAVOUR_H5};

enum { FLAVOURS = sizeof flavours / sizeof *flavours };

static taro_app apps[FLAVOURS];

// The apps may have one socket each: every row needs the slot of the one before.
static void make_apps(void) {
    for (size_t at = 0; at < FLAVOURS; at++) {
        taro_app_options options = TARO_APP_OPTIONS_INIT;
        options.flavour = flavours[at];
        options.max_sockets = 1;
        apps[at] = attempt_app(&options);
    }
}

static void check_both(const char *url, uint32_t cause, int32_t http_status) {
    const struct failure expected = {TARO_STATUS_CONNECTION_FAILED, cause, http_status, 0};
    for (size_t at = 0; at < FLAVOURS; at++) {
        failing_check(apps[at], flavours[at], url, expected);
    }
}

// --- another status

static void another_status(void) {
    make_apps();
    static const int statuses[] = {200, 204, 302, 400, 401, 403, 404, 407, 426, 429, 500, 503, 599};
    for (size_t at = 0; at < sizeof statuses / sizeof *statuses; at++) {
        char row[20];
        snprintf(row, sizeof row, "status %d", statuses[at]);
        attempt_row(row);
        check_both(SERVER_URL("ws", "/echo?status=%d", statuses[at]), TARO_CAUSE_HTTP_STATUS, statuses[at]);
    }
    attempt_row(NULL);
    attempt_shutdown();
}

static void another_status_over_tls(void) {
    taro_app_options options = TARO_APP_OPTIONS_INIT;
    options.ca_file = attempt_str(server_ca_file());
    failing_check(attempt_app(&options), TARO_FLAVOUR_WEAPP, SERVER_URL("wss", "/echo?status=403"),
                  (struct failure){TARO_STATUS_CONNECTION_FAILED, TARO_CAUSE_HTTP_STATUS, 403, 0});
    attempt_shutdown();
}

// --- 101, but not to what was asked for

static const char *const no_upgrades[] = {
    "accept=wrong",
    "accept=missing",
    "accept=twice",
    "upgrade=",
    "upgrade=h2c",
    "upgrade=websockets",
    "connection=",
    "connection=close",
    "connection=keep-alive",
    "connection=Upgraded,%20xUpgrade",
    "upgrade=&connection=",
    "extension=permessage-deflate",
    "extension=permessage-deflate%3b%20client_max_window_bits=15",
    "extension=x-unknown",
    "header=sec-websocket-extensions:%20x-unknown",
};

static void a_101_that_is_no_upgrade(void) {
    make_apps();
    for (size_t at = 0; at < sizeof no_upgrades / sizeof *no_upgrades; at++) {
        attempt_row(no_upgrades[at]);
        check_both(SERVER_URL("ws", "/echo?%s", no_upgrades[at]), TARO_CAUSE_UPGRADE, 101);
    }
    attempt_row(NULL);
    attempt_shutdown();
}

// Answers to an offer of compression that RFC 7692 (5.1, 7.1) does not allow.
static const char *const no_agreements[] = {
    "extension=x-unknown",
    "extension=permessage-deflate,%20x-unknown",
    "extension=permessage-deflate,%20permessage-deflate",
    "extension=permessage-deflate%3b%20x-unknown",
    "extension=permessage-deflate%3b%20x-unknown=1",
    "extension=permessage-deflate%3b%20server_no_context_takeover=1",
    "extension=permessage-deflate%3b%20server_max_window_bits",
    "extension=permessage-deflate%3b%20server_max_window_bits=7",
    "extension=permessage-deflate%3b%20server_max_window_bits=16",
    "extension=permessage-deflate%3b%20client_max_window_bits=16",
    "extension=permessage-deflate%3b%20client_max_window_bits=08",
    "extension=permessage-deflate%3b%20server_no_context_takeover%3b%20server_no_context_takeover",
    "extension=permessage-deflate%3b%20",
    "extension=permessage-deflated",
};

static void an_extension_that_was_not_offered(void) {
    taro_app_options options = TARO_APP_OPTIONS_INIT;
    options.max_sockets = 1;
    const taro_app app = attempt_app(&options);
    for (size_t at = 0; at < sizeof no_agreements / sizeof *no_agreements; at++) {
        struct failing failing;
        attempt_row(no_agreements[at]);
        failing_init(&failing, app, TARO_FLAVOUR_WEAPP, SERVER_URL("ws", "/echo?%s", no_agreements[at]));
        failing.attempt.options.per_message_deflate = 1;
        const struct failure failure = failing_run(&failing);
        CHECK_UINT(failure.cause, ==, TARO_CAUSE_UPGRADE);
        CHECK_INT(failure.http_status, ==, 101);
    }
    attempt_row(NULL);
    attempt_shutdown();
}

// --- no response of HTTP/1.1

#define RAW(name, bytes, http_status) {name, bytes, sizeof(bytes) - 1, http_status}

static const struct raw {
    const char *name;
    const char *bytes;
    size_t bytes_len;
    int32_t http_status;
} raws[] = {
    RAW("HTTP/1.0", "HTTP/1.0 101 Switching Protocols\r\n" ANSWER_FIELDS "\r\n", 0),
    RAW("HTTP/2", "HTTP/2 101 Switching Protocols\r\n" ANSWER_FIELDS "\r\n", 0),
    RAW("HTTP/1.2", "HTTP/1.2 101 Switching Protocols\r\n" ANSWER_FIELDS "\r\n", 0),
    RAW("lower case", "http/1.1 101 Switching Protocols\r\n" ANSWER_FIELDS "\r\n", 0),
    RAW("empty line first", "\r\n" ANSWER_RIGHT, 0),
    RAW("blank first", " " ANSWER_RIGHT, 0),
    RAW("another protocol", "SSH-2.0-OpenSSH_9.2p1\r\n", 0),
    RAW("a page", "<html><body>Log in first</body></html>", 0),
    RAW("a TLS alert", "\x15\x03\x01\x00\x02\x02\x28", 0),
    RAW("a frame", "\x81\x02hi", 0),
    RAW("NULs", "\0\0\0\0", 0),
    RAW("no status", "HTTP/1.1 \r\n" ANSWER_FIELDS "\r\n", 0),
    RAW("status of letters", "HTTP/1.1 1o1 x\r\n" ANSWER_FIELDS "\r\n", 0),
    RAW("status of two digits", "HTTP/1.1 99 x\r\n" ANSWER_FIELDS "\r\n", 0),
    RAW("status of four digits", "HTTP/1.1 1010 x\r\n" ANSWER_FIELDS "\r\n", 0),
    RAW("status 0", "HTTP/1.1 000 x\r\n" ANSWER_FIELDS "\r\n", 0),
    RAW("field without colon", ANSWER_101 "Server\r\n" ANSWER_FIELDS "\r\n", 0),
    RAW("field without name", ANSWER_101 ": value\r\n" ANSWER_FIELDS "\r\n", 0),
    RAW("blank in a name", ANSWER_101 "A b: value\r\n" ANSWER_FIELDS "\r\n", 0),
    RAW("blank before a colon", ANSWER_101 "Server : value\r\n" ANSWER_FIELDS "\r\n", 0),
    RAW("folded line", ANSWER_101 "X-A: b\r\n c\r\n" ANSWER_FIELDS "\r\n", 0),
    RAW("blank before the first field", ANSWER_101 " X-A: b\r\n" ANSWER_FIELDS "\r\n", 0),
    RAW("NUL in a value", ANSWER_101 "X-A: b\0c\r\n" ANSWER_FIELDS "\r\n", 0),
    RAW("NUL in a name", ANSWER_101 "X\0A: b\r\n" ANSWER_FIELDS "\r\n", 0),
    RAW("CR in a value", ANSWER_101 "X-A: b\rc\r\n" ANSWER_FIELDS "\r\n", 0),
    RAW("LF alone after the status", "HTTP/1.1 101 x\n" ANSWER_FIELDS "\r\n", 0),
    RAW("LF alone after a field", ANSWER_101 "X-A: b\n" ANSWER_FIELDS "\r\n", 0),
    RAW("LF alone at the end", ANSWER_101 ANSWER_FIELDS "\n", 0),
    RAW("LF alone everywhere",
        "HTTP/1.1 101 x\nUpgrade: websocket\nConnection: Upgrade\nSec-WebSocket-Accept: {accept}\n\n", 0),
    RAW("LF CR", "HTTP/1.1 101 x\n\r" ANSWER_FIELDS "\n\r", 0),
    RAW("nothing but a 101", ANSWER_101 "\r\n", 101),
    RAW("accept without its last byte",
        ANSWER_101 ANSWER_UPGRADE ANSWER_CONNECTION "Sec-WebSocket-Accept: s3pPLMBiTxaQ9kYGzzhZRbK+xO\r\n\r\n", 101),
};

static void no_response_of_http_1_1(void) {
    make_apps();
    for (size_t at = 0; at < sizeof raws / sizeof *raws; at++) {
        attempt_row(raws[at].name);
        check_both(answer_url("ws", raws[at].bytes, raws[at].bytes_len, ""), TARO_CAUSE_UPGRADE,
                   raws[at].http_status);
    }
    attempt_row(NULL);
    attempt_shutdown();
}

// The interim response does not count, the last one does.
static void a_failure_after_interim_responses(void) {
    make_apps();
    const char refusal[] = "HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 103 Early Hints\r\nLink: </a>\r\n\r\n"
                           "HTTP/1.1 403 Forbidden\r\nContent-Length: 0\r\n\r\n";
    check_both(answer_url("ws", refusal, sizeof refusal - 1, ""), TARO_CAUSE_HTTP_STATUS, 403);
    const char garbage[] = "HTTP/1.1 100 Continue\r\n\r\nHTTP/1.0 101 x\r\n" ANSWER_FIELDS "\r\n";
    check_both(answer_url("ws", garbage, sizeof garbage - 1, ""), TARO_CAUSE_UPGRADE, 0);
    attempt_shutdown();
}

// --- heads without measure

// `first`, then `part` until 70,000 bytes are reached, then `last`.
static void check_large(const char *first, const char *part, const char *last) {
    enum { LARGE = 70000 };
    char *answer = malloc(LARGE + 1000), *end = answer;
    CHECK(answer != NULL);
    end += sprintf(end, "%s", first);
    while (end < answer + LARGE) {
        end += sprintf(end, "%s", part);
    }
    end += sprintf(end, "%s", last);
    check_both(answer_url("ws", answer, (size_t)(end - answer), ""), TARO_CAUSE_UPGRADE, 0);
    free(answer);
}

static void a_head_over_64_kib(void) {
    make_apps();
    check_large(ANSWER_101 "X-A: ", "0123456789", "\r\n" ANSWER_FIELDS "\r\n");
    check_large(ANSWER_101 ANSWER_FIELDS "X-A: ", "0123456789", "\r\n\r\n");
    check_large("HTTP/1.1 101 ", "0123456789", "\r\n" ANSWER_FIELDS "\r\n");
    check_large(ANSWER_101, "aaaaaaaaaaaaaaaa", ": b\r\n" ANSWER_FIELDS "\r\n");
    check_large(ANSWER_101 "X-A: ", "0123456789", "");
    check_large("", "HTTP/1.1 100 Continue\r\n\r\n", ANSWER_RIGHT);
    attempt_shutdown();
}

static void too_many_fields(void) {
    make_apps();
    char answer[5000] = ANSWER_101;
    for (int at = 0; at < 400; at++) {
        strcat(answer, "a:b\r\n");
    }
    strcat(answer, ANSWER_FIELDS "\r\n");
    check_both(answer_url("ws", answer, strlen(answer), ""), TARO_CAUSE_UPGRADE, 0);
    attempt_shutdown();
}

static const struct test tests[] = {
    TEST("L5 L14 L21", another_status),
    TEST("L5", another_status_over_tls),
    TEST("L12", a_101_that_is_no_upgrade),
    TEST("L12", an_extension_that_was_not_offered),
    TEST("L5 L12", no_response_of_http_1_1),
    TEST("L5 L12", a_failure_after_interim_responses),
    TEST("L5 L23", a_head_over_64_kib),
    TEST("L5 L23", too_many_fields),
};

TEST_MAIN(tests)
