// L12, L15, L16: permessage-deflate (RFC 7692) in the handshake: the offer, every answer to it, and what the host is
// told. What goes over the wire then: deflate_wire.c.
#include "answer.h"

// The value of a query's parameter. The caller frees it.
static char *percent(const char *text) { return attempt_percent(text, strlen(text)); }

// A URL whose server answers with this value of Sec-WebSocket-Extensions. `more`: the rest of the query.
static const char *answering(const char *listener, const char *extension, const char *more) {
    char *value = percent(extension);
    const char *url = SERVER_URL(listener, "/echo?extension=%s%s", value, more);
    free(value);
    return url;
}

static taro_app make_app(void) {
    taro_app_options options = TARO_APP_OPTIONS_INIT;
    options.ca_file = attempt_str(server_ca_file());
    return attempt_app(&options);
}

static void check_extensions(struct attempt *a, const char *expected) {
    char text[200];
    size_t needed = 4711;
    CHECK_STATUS(taro_socket_get_extensions(a->socket, NULL, 0, &needed), TARO_STATUS_OK);
    CHECK_UINT(needed, ==, strlen(expected));
    memset(text, '#', sizeof text);
    CHECK_STATUS(taro_socket_get_extensions(a->socket, text, sizeof text, &needed), TARO_STATUS_OK);
    CHECK_BYTES(text, needed, expected, strlen(expected));
    CHECK_INT(text[needed], ==, '#');
}

// --- the offer

static void the_offer_stands_there_if_asked_for(void) {
    static const char *const listeners[] = {"ws", "wss"};
    const taro_app app = make_app();
    for (size_t at = 0; at < sizeof listeners / sizeof *listeners; at++) {
        for (uint32_t asked = 0; asked <= 1; asked++) {
            char id[20];
            struct attempt a;
            snprintf(id, sizeof id, "%s%u", listeners[at], asked);
            attempt_init(&a, app, SERVER_URL(listeners[at], "/echo?id=%s", id));
            a.options.per_message_deflate = asked;
            const struct record *open = attempt_open(&a);
            if (asked) {
                CHECK_TEXT(SERVER_HEADER(id, "Sec-WebSocket-Extensions", 1),
                           "permessage-deflate; client_max_window_bits");
            }
            CHECK(SERVER_HEADER(id, "Sec-WebSocket-Extensions", 1 + asked) == NULL);
            // Nobody has agreed.
            CHECK_STR(open->extensions, "");
            check_extensions(&a, "");
            attempt_end(&a, "success complete open release");
        }
    }
    attempt_shutdown();
}

// --- answers that agree

#define DEFLATE "permessage-deflate"

static const struct agreement {
    const char *extension;
    int packs; // whether messages go compressed then
} agreements[] = {
    {DEFLATE, 1},
    {DEFLATE "; server_no_context_takeover", 1},
    {DEFLATE "; client_no_context_takeover", 1},
    {DEFLATE "; server_no_context_takeover; client_no_context_takeover", 1},
    {DEFLATE "; server_max_window_bits=8", 1},
    {DEFLATE "; server_max_window_bits=9", 1},
    {DEFLATE "; server_max_window_bits=10", 1},
    {DEFLATE "; server_max_window_bits=15", 1},
    {DEFLATE "; client_max_window_bits=8", 0},
    {DEFLATE "; client_max_window_bits=9", 1},
    {DEFLATE "; client_max_window_bits=14", 1},
    {DEFLATE "; client_max_window_bits=15", 1},
    {DEFLATE "; server_max_window_bits=\"12\"", 1},
    {DEFLATE "; client_max_window_bits=\"8\"", 0},
    {DEFLATE "; client_max_window_bits = 11", 1},
    {DEFLATE ";server_max_window_bits=11;client_max_window_bits=12", 1},
    {DEFLATE " ; client_max_window_bits=10 ; server_max_window_bits=13", 1},
    {DEFLATE "; client_max_window_bits=15; server_max_window_bits=12; client_no_context_takeover; "
             "server_no_context_takeover", 1},
    {DEFLATE "; server_no_context_takeover; client_no_context_takeover; server_max_window_bits=8; "
             "client_max_window_bits=8", 0},
    {DEFLATE ",", 1}, // an empty element of a list is none (RFC 9110, 5.6.1)
    {DEFLATE "; server_no_context_takeover , ,", 1},
};

static void check_agreement(taro_app app, const char *listener, const struct agreement *row) {
    char text[300];
    struct attempt a;
    attempt_init(&a, app, answering(listener, row->extension, "&id=agreed&pack=1"));
    a.options.per_message_deflate = 1;
    const struct record *open = attempt_open(&a);
    CHECK_STR(open->extensions, row->extension);
    CHECK_STR(record_header(open, "Sec-WebSocket-Extensions", 1), row->extension);
    check_extensions(&a, row->extension);
    // Both keep to it: the server inflates, and answers with compressed echoes.
    for (size_t n = 1; n <= 2; n++) {
        memset(text, 'a', sizeof text);
        text[100] = (char)('0' + n);
        CHECK_STATUS(taro_socket_send_text(a.socket, text, sizeof text), TARO_STATUS_OK);
        const struct record *message = attempt_wait(&a, RECORD_MESSAGE, n);
        CHECK_UINT(message->message_kind, ==, TARO_MESSAGE_TEXT);
        CHECK_BYTES(message->data.ptr, message->data.len, text, sizeof text);
    }
    CHECK_UINT(SERVER_LOG_COUNT("agreed", "rsv=4 opcode=1"), ==, row->packs ? 2 : 0);
    CHECK_UINT(SERVER_LOG_COUNT("agreed", "rsv=0 opcode=1"), ==, row->packs ? 0 : 2);
    CHECK_UINT(SERVER_LOG_COUNT("agreed", "violation"), ==, 0);
    attempt_end(&a, "success complete open message message release");
    SERVER_COMMAND("forget agreed");
}

static void every_answer_that_agrees(void) {
    const taro_app app = make_app();
    for (size_t at = 0; at < sizeof agreements / sizeof *agreements; at++) {
        attempt_row(agreements[at].extension);
        check_agreement(app, "ws", &agreements[at]);
    }
    check_agreement(app, "wss", &agreements[0]);
    check_agreement(app, "wss", &agreements[3]);
    attempt_row(NULL);
    attempt_shutdown();
}

// Not before `open`, and for as long as there is the id.
static void the_agreement_is_told_from_open_on(void) {
    taro_app_options options = TARO_APP_OPTIONS_INIT;
    options.delivery = TARO_DELIVERY_HOST;
    struct attempt a;
    attempt_init(&a, attempt_app(&options),
                 answering("ws", DEFLATE "; client_max_window_bits=9", "&id=from&act=close:1000:"));
    a.is_host = 1;
    a.options.per_message_deflate = 1;
    attempt_begin(&a);
    SERVER_WAIT("from", "^close");
    check_extensions(&a, "");
    CHECK_STR(attempt_wait(&a, RECORD_OPEN, 1)->extensions, DEFLATE "; client_max_window_bits=9");
    check_extensions(&a, DEFLATE "; client_max_window_bits=9");
    attempt_wait(&a, RECORD_RELEASE, 1);
    check_extensions(&a, DEFLATE "; client_max_window_bits=9");
    attempt_end(&a, "success complete open close release");
    attempt_shutdown();
}

// --- answers that do not fit the offer

#define CLIENT DEFLATE "; client_max_window_bits"
#define SERVER DEFLATE "; server_max_window_bits"

static const char *const misfits[] = {
    // another extension
    "x-unknown", "x-webkit-deflate-frame", "permessage-bzip2", "permessage-deflated", "permessage", "deflate",
    DEFLATE ", x-unknown", "x-unknown, " DEFLATE, DEFLATE ", permessage-bzip2; a=1", DEFLATE "=1",
    DEFLATE " server_no_context_takeover", "; server_no_context_takeover",
    // twice
    DEFLATE ", " DEFLATE, DEFLATE "; server_no_context_takeover, " DEFLATE "; client_no_context_takeover",
    // a parameter that is not known, or none
    DEFLATE "; x-unknown", DEFLATE "; x-unknown=1", DEFLATE "; server_no_context_takeover; x-unknown",
    DEFLATE "; mem_level=8", DEFLATE "; max_window_bits=15", DEFLATE ";", DEFLATE "; ;", DEFLATE "; =9",
    // one with a value that has none
    DEFLATE "; server_no_context_takeover=1", DEFLATE "; server_no_context_takeover=",
    DEFLATE "; server_no_context_takeover=\"\"", DEFLATE "; client_no_context_takeover=true",
    DEFLATE "; client_no_context_takeover=15",
    // one without that has one, or with a wrong one
    CLIENT, CLIENT "=", CLIENT "=\"\"", CLIENT "=7", CLIENT "=16", CLIENT "=0", CLIENT "=1", CLIENT "=08",
    CLIENT "=015", CLIENT "=+9", CLIENT "=-9", CLIENT "=9.0", CLIENT "=0x9", CLIENT "=9 9", CLIENT "=\"9", CLIENT "=9\"",
    CLIENT "=\"16\"", CLIENT "=\" 9\"", CLIENT "=99999999999999999999", CLIENT "=265", CLIENT "=ten", CLIENT "==9",
    SERVER, SERVER "=", SERVER "=7", SERVER "=16", SERVER "=0", SERVER "=09", SERVER "=-8", SERVER "=8x",
    SERVER "=\"7\"", SERVER "=4294967304",
    // one twice
    DEFLATE "; server_no_context_takeover; server_no_context_takeover",
    DEFLATE "; client_no_context_takeover; client_no_context_takeover",
    SERVER "=10; server_max_window_bits=10", SERVER "=10; server_max_window_bits=11",
    CLIENT "=15; client_max_window_bits=15", CLIENT "=9; server_no_context_takeover; client_max_window_bits=10",
};

static const struct failure refusal = {TARO_STATUS_CONNECTION_FAILED, TARO_CAUSE_UPGRADE, 101, 0};

static void fails(taro_app app, const char *url, uint32_t asked) {
    struct failing failing;
    failing_init(&failing, app, TARO_FLAVOUR_WEAPP, url);
    failing.attempt.options.per_message_deflate = asked;
    const struct failure is = failing_run(&failing);
    CHECK_INT(is.status, ==, refusal.status);
    CHECK_UINT(is.cause, ==, refusal.cause);
    CHECK_INT(is.http_status, ==, refusal.http_status);
    CHECK_INT(is.os_error, ==, refusal.os_error);
}

static void answers_that_do_not_fit_the_offer(void) {
    static const char *const twice = "&header=Sec-WebSocket-Extensions:%20permessage-deflate";
    const taro_app app = make_app();
    for (size_t at = 0; at < sizeof misfits / sizeof *misfits; at++) {
        attempt_row(misfits[at]);
        fails(app, answering("ws", misfits[at], ""), 1);
    }
    attempt_row("in two fields");
    fails(app, answering("ws", DEFLATE, twice), 1);
    attempt_row("over TLS");
    fails(app, answering("wss", DEFLATE "; x-unknown", ""), 1);
    attempt_row(NULL);
    attempt_shutdown();
}

static void answers_without_an_offer(void) {
    const taro_header own = {TARO_STR("sec-websocket-extensions"), TARO_STR("permessage-deflate")};
    const taro_app app = make_app();
    for (size_t at = 0; at < sizeof agreements / sizeof *agreements; at++) {
        attempt_row(agreements[at].extension);
        fails(app, answering("ws", agreements[at].extension, ""), 0);
    }
    attempt_row("a header of the script's own is no offer");
    struct failing failing;
    failing_init(&failing, app, TARO_FLAVOUR_WEAPP, answering("ws", DEFLATE, "&id=own"));
    failing.attempt.options.headers = &own;
    failing.attempt.options.headers_len = 1;
    CHECK_UINT(failing_run(&failing).cause, ==, TARO_CAUSE_UPGRADE);
    CHECK_UINT(SERVER_LOG_COUNT("own", "xtensions"), ==, 0);
    attempt_row(NULL);
    attempt_shutdown();
}

static const struct test tests[] = {
    TEST("L15", the_offer_stands_there_if_asked_for),
    TEST("L12 L15 L16", every_answer_that_agrees),
    TEST("L16", the_agreement_is_told_from_open_on),
    TEST("L12", answers_that_do_not_fit_the_offer),
    TEST("L12", answers_without_an_offer),
};

TEST_MAIN(tests)
