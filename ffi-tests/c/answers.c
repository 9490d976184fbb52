// L12, L16: answers to the upgrade request that look odd, and are right.
#include "answer.h"

static const char *const odd[] = {
    "connection=keep-alive,%20Upgrade",
    "connection=Upgrade,%20keep-alive",
    "connection=,%20,upgrade%20,",
    "connection=UPGRADE",
    "connection=upgrade",
    "connection=keep-alive&header=connection:%20Upgrade",
    "upgrade=WebSocket",
    "upgrade=WEBSOCKET",
    "header=Content-Length:%200",
    "header=Set-Cookie:%20a=1&header=Set-Cookie:%20b=2",
    "header=X-Empty:",
    "header=X-Tight:value",
    "header=X-Wide:%20%09%20value%20%09",
    "header=X-Bytes:%20%ff%80%c3",
    "drip=1",
    "split=1",
};

static void odd_fields_and_odd_pace(void) {
    for (size_t at = 0; at < sizeof odd / sizeof *odd; at++) {
        struct attempt a;
        attempt_row(odd[at]);
        attempt_init(&a, 0, SERVER_URL("ws", "/echo?%s&act=text:hi", odd[at]));
        CHECK_INT(attempt_open(&a)->http_status, ==, 101);
        CHECK_STR(attempt_wait(&a, RECORD_MESSAGE, 1)->data, "hi");
        attempt_end(&a, "success complete open message release");
    }
    attempt_row(NULL);
    attempt_shutdown();
}

static const struct raw {
    const char *name;
    const char *answer;
} raws[] = {
    {"plain", ANSWER_RIGHT},
    {"no reason", "HTTP/1.1 101\r\n" ANSWER_FIELDS "\r\n"},
    {"empty reason", "HTTP/1.1 101 \r\n" ANSWER_FIELDS "\r\n"},
    {"another reason", "HTTP/1.1 101 Web Socket Protocol Handshake!\r\n" ANSWER_FIELDS "\r\n"},
    {"names in other cases",
     ANSWER_101 "UPGRADE: websocket\r\nconnection: upgrade\r\nsec-websocket-ACCEPT: {accept}\r\n\r\n"},
    {"no blanks", ANSWER_101 "Upgrade:websocket\r\nConnection:Upgrade\r\nSec-WebSocket-Accept:{accept}\r\n\r\n"},
    {"many blanks",
     ANSWER_101 "Upgrade: \t websocket \r\nConnection:  Upgrade\t\r\nSec-WebSocket-Accept:  {accept} \r\n\r\n"},
    {"another order", ANSWER_101 ANSWER_ACCEPT "Server: x\r\n" ANSWER_CONNECTION ANSWER_UPGRADE "\r\n"},
    {"100 first", "HTTP/1.1 100 Continue\r\n\r\n" ANSWER_RIGHT},
    {"102 and 103 first", "HTTP/1.1 102 Processing\r\n\r\nHTTP/1.1 103 Early Hints\r\nLink: </a>\r\n\r\n" ANSWER_RIGHT},
    {"an interim response that looks like the last one", "HTTP/1.1 100 x\r\n" ANSWER_FIELDS "\r\n" ANSWER_RIGHT},
};

static void open_with(const char *listener, taro_app app, const char *more) {
    for (size_t at = 0; at < sizeof raws / sizeof *raws; at++) {
        struct attempt a;
        attempt_row(raws[at].name);
        attempt_init(&a, app, answer_url(listener, raws[at].answer, strlen(raws[at].answer), more));
        const struct record *open = attempt_open(&a);
        CHECK_INT(open->http_status, ==, 101);
        // Fields of interim responses are not those of the response.
        CHECK_UINT(record_header(open, "Link", 1).len, ==, 0);
        CHECK_STR(attempt_wait(&a, RECORD_MESSAGE, 1)->data, "hi");
        attempt_end(&a, "success complete open message release");
    }
    attempt_row(NULL);
}

static void odd_heads(void) {
    open_with("ws", 0, "&act=text:hi");
    attempt_shutdown();
}

static void odd_heads_byte_by_byte(void) {
    open_with("ws", 0, "&drip=1&act=text:hi");
    attempt_shutdown();
}

static void odd_heads_over_tls(void) {
    taro_app_options options = TARO_APP_OPTIONS_INIT;
    options.ca_file = attempt_str(server_ca_file());
    const taro_app app = attempt_app(&options);
    open_with("wss", app, "&act=text:hi");
    open_with("wss", app, "&drip=1&act=text:hi");
    attempt_shutdown();
}

static void a_hundred_fields_and_60_kib_are_fine(void) {
    enum { LONG = 50000 };
    char *answer = calloc(1, LONG + 10000), *end = answer;
    struct attempt a;
    CHECK(answer != NULL);
    end += sprintf(end, ANSWER_101 "X-Long: ");
    memset(end, 'v', LONG);
    end += LONG;
    end += sprintf(end, "\r\n");
    for (int at = 0; at < 100; at++) {
        end += sprintf(end, "X-Many: number %d of the fields\r\n", at);
    }
    end += sprintf(end, ANSWER_FIELDS "\r\n");
    attempt_init(&a, 0, answer_url("ws", answer, (size_t)(end - answer), ""));
    const struct record *open = attempt_open(&a);
    CHECK_UINT(open->headers_len, ==, 104);
    CHECK_UINT(record_header(open, "X-Long", 1).len, ==, LONG);
    CHECK_STR(record_header(open, "X-Many", 100), "number 99 of the fields");
    attempt_end(&a, "success complete open release");
    free(answer);
    attempt_shutdown();
}

static const struct test tests[] = {
    TEST("L12 L16", odd_fields_and_odd_pace),
    TEST("L12 L16", odd_heads),
    TEST("L12 L16", odd_heads_byte_by_byte),
    TEST("L12 L16", odd_heads_over_tls),
    TEST("L12 L16 L23", a_hundred_fields_and_60_kib_are_fine),
};

TEST_MAIN(tests)
