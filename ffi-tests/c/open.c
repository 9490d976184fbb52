// L16: what `open` carries, and that it comes before all that the server sent behind its answer.
#include "attempt.h"

static taro_app app_with_ca(void) {
    taro_app_options options = TARO_APP_OPTIONS_INIT;
    options.ca_file = attempt_str(server_ca_file());
    return attempt_app(&options);
}

// --- header fields

static const struct {
    const char *name;
    const char *value;
} fields[] = {
    {"Upgrade", "websocket"},     {"Connection", "Upgrade"}, {"Sec-WebSocket-Accept", NULL},
    {"X-Two", "b"},               {"x-ONE", "a"},            {"X-Two", "c, d"},
    {"Set-Cookie", "a=1; Path=/"}, {"Set-Cookie", "b=2"},     {"X-Empty", ""},
    {"x-two", "e"},               {"X-Wide", "f \t g"},      {"X-Utf8", "\xe8\xb7\xaf"},
    {"X-Bytes", "\x80 \xff"},     {"X-Two", "b"},
};

static void header_fields_keep_order_case_and_number(void) {
    struct attempt a;
    attempt_init(&a, 0, SERVER_URL("ws", "/echo?%s",
                                   "header=X-Two:b&header=x-ONE:%20a&header=X-Two:%20%20c,%20d"
                                   "&header=Set-Cookie:%20a%3d1%3b%20Path%3d/&header=Set-Cookie:%20b%3d2"
                                   "&header=X-Empty:"
                                   "&header=x-two:%20e&header=X-Wide:%20%09f%20%09%20g%20%09&header=X-Utf8:%20%e8%b7%af"
                                   "&header=X-Bytes:%20%80%20%ff&header=X-Two:%20b"));
    const struct record *open = attempt_open(&a);
    CHECK_UINT(open->headers_len, ==, sizeof fields / sizeof *fields);
    for (size_t at = 0; at < open->headers_len; at++) {
        attempt_row(fields[at].name);
        CHECK_STR(open->headers[at].name, fields[at].name);
        if (fields[at].value) {
            CHECK_STR(open->headers[at].value, fields[at].value);
        }
    }
    attempt_row(NULL);
    attempt_end(&a, "success complete open release");
    attempt_shutdown();
}

// --- the rest of it

static void status_protocol_and_extensions(void) {
    const taro_str protocol = TARO_STR("chat");
    struct attempt a;
    attempt_init(&a, 0, SERVER_URL("ws", "/echo"));
    a.options.protocols = &protocol;
    a.options.protocols_len = 1;
    const struct record *open = attempt_open(&a);
    CHECK_INT(open->http_status, ==, 101);
    CHECK_STR(open->protocol, "chat");
    CHECK_STR(open->extensions, "");
    attempt_end(&a, "success complete open release");
    attempt_shutdown();
}

static void peer_address_of_each_family(void) {
    struct attempt a;
    char six[40];
    attempt_init(&a, 0, SERVER_URL("ws", "/echo"));
    const struct record *open = attempt_open(&a);
    CHECK_STR(open->peer_address, server_address("ws"));
    attempt_end(&a, "success complete open release");
    if (server_port("ws6") == 0) {
        attempt_shutdown();
        test_skip("there is no IPv6 here");
        return;
    }
    snprintf(six, sizeof six, "[::1]:%u", server_port("ws6"));
    attempt_init(&a, 0, SERVER_URL("ws6", "/echo"));
    open = attempt_open(&a);
    CHECK_STR(open->peer_address, six);
    attempt_end(&a, "success complete open release");
    attempt_shutdown();
}

static void tls_version_and_cipher(void) {
    static const struct {
        const char *listener;
        const char *version;
        const char *cipher; // what it begins with
    } rows[] = {
        {"ws", "", ""},
        {"wss", "TLSv1.3", "TLS_"},
        {"wss12", "TLSv1.2", "TLS_ECDHE_"},
    };
    const taro_app app = app_with_ca();
    for (size_t at = 0; at < sizeof rows / sizeof *rows; at++) {
        struct attempt a;
        attempt_row(rows[at].listener);
        attempt_init(&a, app, SERVER_URL(rows[at].listener, "/echo?id=%s", rows[at].listener));
        const struct record *open = attempt_open(&a);
        CHECK_STR(open->tls_version, rows[at].version);
        CHECK_INT(strncmp(open->tls_cipher.ptr, rows[at].cipher, strlen(rows[at].cipher)), ==, 0);
        CHECK_INT(open->tls_cipher.len > 0, ==, rows[at].version[0] != '\0');
        CHECK(strstr(open->tls_cipher.ptr, "TLS13_") == NULL);
        CHECK_UINT(SERVER_LOG_COUNT(rows[at].listener, "tls "), ==, rows[at].version[0] != '\0');
        attempt_end(&a, "success complete open release");
    }
    SERVER_WAIT("wss", "^tls TLSv1.3 ");
    SERVER_WAIT("wss12", "^tls TLSv1.2 ");
    attempt_row(NULL);
    attempt_shutdown();
}

// --- what comes with the answer, in the same segment

static const struct early {
    const char *actions;
    size_t messages;
    const char *end; // what is told after them
} earlies[] = {
    {"", 0, ""},
    {"text:one", 1, ""},
    {"text:one;bin:00ff;text:", 3, ""},
    {"numbers:20;close:1000:", 20, " close"},
    {"close:4001:bye", 0, " close"},
    {"text:one;close", 1, " close"},
    {"text:one;drop", 1, " error close"},
    {"text:one;frame:ff00", 1, " error close"},
};

static void run_early(taro_app app, const struct early *row, const char *listener, const char *pace) {
    struct attempt a;
    char kinds[400] = "success complete open";
    attempt_init(&a, app, SERVER_URL(listener, "/echo?act=%s%s", row->actions, pace));
    attempt_open(&a);
    for (size_t at = 0; at < row->messages; at++) {
        attempt_wait(&a, RECORD_MESSAGE, at + 1);
        strcat(kinds, " message");
    }
    if (row->end[0]) {
        attempt_wait(&a, RECORD_RELEASE, 1);
        strcat(kinds, row->end);
    }
    attempt_end(&a, strcat(kinds, " release"));
}

static void frames_behind_the_answer_come_after_open(void) {
    static const char *const listeners[] = {"ws", "wss"};
    static const char *const pace[] = {"", "&drip=1", "&split=1"};
    const taro_app app = app_with_ca();
    for (size_t at = 0; at < sizeof earlies / sizeof *earlies; at++) {
        attempt_row(earlies[at].actions);
        for (size_t of = 0; of < 6; of++) {
            run_early(app, &earlies[at], listeners[of / 3], pace[of % 3]);
        }
    }
    attempt_row(NULL);
    attempt_shutdown();
}

// Half of a frame comes with the answer, the other half when the host has been told of `open`.
static void a_frame_in_two_parts(void) {
    const taro_app app = app_with_ca();
    for (size_t listener = 0; listener < 2; listener++) {
        struct attempt a;
        attempt_init(&a, app, SERVER_URL(listener ? "wss" : "ws", "/echo?id=parts%zu&act=frame:810568656c", listener));
        attempt_open(&a);
        SERVER_COMMAND("do parts%zu frame:6c6f", listener);
        const struct record *message = attempt_wait(&a, RECORD_MESSAGE, 1);
        CHECK_STR(message->data, "hello");
        attempt_end(&a, "success complete open message release");
    }
    attempt_shutdown();
}

static const struct test tests[] = {
    TEST("L16", header_fields_keep_order_case_and_number),
    TEST("L16", status_protocol_and_extensions),
    TEST("L16", peer_address_of_each_family),
    TEST("L16", tls_version_and_cipher),
    TEST("L5 L16", frames_behind_the_answer_come_after_open),
    TEST("L16", a_frame_in_two_parts),
};

TEST_MAIN(tests)
