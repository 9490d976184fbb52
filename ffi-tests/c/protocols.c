// L12: subprotocols: what is offered, what may be picked, and where the pick shows.
#include "attempt.h"

enum { MOST = 8 };

static struct attempt a;
static taro_str offered[MOST];

// Offers a list of names divided by blanks.
static void init(taro_app app, const char *url, const char *names) {
    size_t count = 0;
    attempt_init(&a, app, url);
    for (const char *at = names; *at; count++) {
        const size_t len = strcspn(at, " ");
        CHECK_UINT(count, <, MOST);
        offered[count] = (taro_str){at, len};
        at += len + (at[len] == ' ');
    }
    a.options.protocols = offered;
    a.options.protocols_len = count;
}

static void check_protocol(taro_socket socket, const char *expected) {
    char buffer[64];
    size_t needed = 99;
    CHECK_STATUS(taro_socket_get_protocol(socket, buffer, sizeof buffer, &needed), TARO_STATUS_OK);
    CHECK_BYTES(buffer, needed, expected, strlen(expected));
}

// --- picked

static void the_list_is_offered_in_order(void) {
    init(0, SERVER_URL("ws", "/echo?id=offer"), "chat Chat chat.v2 !#$%&'*+-.^_`|~ 0");
    const struct record *open = attempt_open(&a);
    CHECK_TEXT(SERVER_HEADER("offer", "Sec-WebSocket-Protocol", 1), "chat, Chat, chat.v2, !#$%&'*+-.^_`|~, 0");
    CHECK(SERVER_HEADER("offer", "Sec-WebSocket-Protocol", 2) == NULL);
    CHECK_STR(open->protocol, "chat");
    check_protocol(a.socket, "chat");
    attempt_end(&a, "success complete open release");
    attempt_shutdown();
}

static void without_protocols_nothing_is_offered(void) {
    for (uint32_t flavour = TARO_FLAVOUR_WEAPP; flavour <= TARO_FLAVOUR_RN; flavour++) {
        init(attempt_app_of(flavour), SERVER_URL("ws", "/echo?id=bare"), "");
        const struct record *open = attempt_open(&a);
        CHECK_STR(open->protocol, "");
        CHECK(SERVER_HEADER("bare", "Sec-WebSocket-Protocol", 1) == NULL);
        check_protocol(a.socket, "");
        attempt_end(&a, "success complete open release");
    }
    attempt_shutdown();
}

static void the_server_picks(void) {
    for (uint32_t flavour = TARO_FLAVOUR_WEAPP; flavour <= TARO_FLAVOUR_RN; flavour++) {
        init(attempt_app_of(flavour), SERVER_URL("ws", "/echo?protocol=second"), "first second third");
        const struct record *open = attempt_open(&a);
        CHECK_STR(open->protocol, "second");
        CHECK_STR(record_header(open, "Sec-WebSocket-Protocol", 1), "second");
        check_protocol(a.socket, "second");
        attempt_end(&a, "success complete open release");
    }
    attempt_shutdown();
}

// --- the getter

static void the_getter_fills_what_fits(void) {
    char buffer[8] = "-------";
    size_t needed = 99;
    init(0, SERVER_URL("ws", "/echo?protocol=second"), "first second");
    attempt_open(&a);
    CHECK_STATUS(taro_socket_get_protocol(a.socket, buffer, 3, &needed), TARO_STATUS_OK);
    CHECK_UINT(needed, ==, 6);
    CHECK_BYTES(buffer, 7, "sec----", 7);
    CHECK_STATUS(taro_socket_get_protocol(a.socket, NULL, 0, &needed), TARO_STATUS_OK);
    CHECK_UINT(needed, ==, 6);
    CHECK_STATUS(taro_socket_get_protocol(a.socket, buffer, 6, &needed), TARO_STATUS_OK);
    CHECK_BYTES(buffer, 7, "second-", 7);
    CHECK_STATUS(taro_socket_get_extensions(a.socket, NULL, 0, &needed), TARO_STATUS_OK);
    CHECK_UINT(needed, ==, 0);
    attempt_end(&a, "success complete open release");
    attempt_shutdown();
}

// The connection is open, and the host has not been told: nothing shows yet.
static void the_pick_shows_with_open(void) {
    taro_app_options options = TARO_APP_OPTIONS_INIT;
    options.delivery = TARO_DELIVERY_HOST;
    init(attempt_app(&options), SERVER_URL("ws", "/echo?id=shows&act=close:1000:"), "chat");
    a.is_host = 1;
    attempt_begin(&a);
    SERVER_WAIT("shows", "^close 1000");
    check_protocol(a.socket, "");
    attempt_wait(&a, RECORD_OPEN, 1);
    check_protocol(a.socket, "chat");
    attempt_wait(&a, RECORD_CLOSE, 1);
    check_protocol(a.socket, "chat");
    attempt_end(&a, "success complete open close release");
    attempt_shutdown();
}

// --- refused

static void refuse(const taro_str *protocols, size_t protocols_len) {
    attempt_init(&a, 0, SERVER_URL("ws", "/echo"));
    a.options.protocols = protocols;
    a.options.protocols_len = protocols_len;
    attempt_refused(&a, TARO_STATUS_PARAMETER, 600005, "connectSocket:fail parameter error: protocols");
}

static void wrong_protocols_are_refused(void) {
    static const char *const wrong[] = {
        "", " ", "a b", "a,b", "a, b", "a\r\nX-Evil: 1", "\xc3\xa9", "\xff", "a/b", "(a)", "a;q=1", "\"a\"",
        "first", "last",
    };
    const long long before = SERVER_NUMBER("accepted");
    for (size_t at = 0; at < sizeof wrong / sizeof *wrong; at++) {
        const taro_str protocols[] = {TARO_STR("first"), attempt_str(wrong[at]), TARO_STR("last")};
        attempt_row(wrong[at]);
        refuse(protocols, 3);
    }
    for (int byte = 0; byte < 256; byte++) {
        const int letter = (byte | 32) >= 'a' && (byte | 32) <= 'z' && byte < 128;
        const int digit = byte >= '0' && byte <= '9';
        if (!letter && !digit && (byte == 0 || !strchr("!#$%&'*+-.^_`|~", byte))) {
            const char name[] = {'a', (char)byte, 'b'};
            const taro_str protocol = {name, sizeof name};
            char row[40];
            snprintf(row, sizeof row, "protocol with byte %d", byte);
            attempt_row(row);
            refuse(&protocol, 1);
        }
    }
    attempt_row(NULL);
    CHECK_INT(SERVER_NUMBER("accepted"), ==, before);
    attempt_shutdown();
}

// --- the server breaks the rules

static const struct pick {
    const char *path;
    const char *offered;
} wrong_picks[] = {
    {"/echo?protocol=other", "chat"},
    {"/echo?protocol=chat", ""},
    {"/echo?protocol=CHAT", "chat"},
    {"/echo?protocol=chat2", "chat"},
    {"/echo?protocol=cha", "chat"},
    {"/echo?protocol=chat%2c%20more", "chat more"},
    {"/echo?protocol=chat%2cchat", "chat"},
    {"/echo?protocol=chat&header=Sec-WebSocket-Protocol:%20more", "chat more"},
    {"/echo?protocol=chat&header=sec-websocket-protocol:%20chat", "chat"},
};

static void a_wrong_pick_fails_the_handshake(void) {
    for (uint32_t flavour = TARO_FLAVOUR_WEAPP; flavour <= TARO_FLAVOUR_RN; flavour++) {
        const taro_app app = attempt_app_of(flavour);
        for (size_t at = 0; at < sizeof wrong_picks / sizeof *wrong_picks; at++) {
            attempt_row(wrong_picks[at].path);
            init(app, SERVER_URL("ws", "%s", wrong_picks[at].path), wrong_picks[at].offered);
            const struct record *error = attempt_error(&a);
            CHECK_INT(error->status, ==, TARO_STATUS_CONNECTION_FAILED);
            CHECK_UINT(error->cause, ==, TARO_CAUSE_UPGRADE);
            CHECK_INT(error->http_status, ==, 101);
            check_protocol(a.socket, "");
            attempt_end(&a, NULL);
        }
    }
    attempt_row(NULL);
    attempt_shutdown();
}

static void none_picked_is_for_the_flavour_to_judge(void) {
    static const struct {
        uint32_t flavour;
        const char *kinds;
    } rows[] = {
        {TARO_FLAVOUR_WEAPP, "success complete open release"},
        {TARO_FLAVOUR_TT, "success complete error release"},
        {TARO_FLAVOUR_H5, "success complete error close release"},
    };
    for (size_t at = 0; at < sizeof rows / sizeof *rows; at++) {
        init(attempt_app_of(rows[at].flavour), SERVER_URL("ws", "/echo?protocol="), "chat more");
        attempt_begin(&a);
        if (rows[at].flavour == TARO_FLAVOUR_WEAPP) {
            CHECK_STR(attempt_wait(&a, RECORD_OPEN, 1)->protocol, "");
            check_protocol(a.socket, "");
        } else {
            CHECK_UINT(attempt_wait(&a, RECORD_ERROR, 1)->cause, ==, TARO_CAUSE_UPGRADE);
            attempt_wait(&a, RECORD_RELEASE, 1);
        }
        attempt_end(&a, rows[at].kinds);
    }
    attempt_shutdown();
}

static const struct test tests[] = {
    TEST("L12", the_list_is_offered_in_order),
    TEST("L12", without_protocols_nothing_is_offered),
    TEST("L12 L16", the_server_picks),
    TEST("L12", the_getter_fills_what_fits),
    TEST("L12 L21", the_pick_shows_with_open),
    TEST("L4 L12", wrong_protocols_are_refused),
    TEST("L12", a_wrong_pick_fails_the_handshake),
    TEST("L12", none_picked_is_for_the_flavour_to_judge),
};

TEST_MAIN(tests)
