// label: interop
// L9, L12, L15, L20, L21: WebSocket servers that others wrote, over ws and wss, with compression and without: PyPI's
// websockets and npm's ws.
#include "attempt.h"
#include "deflate.h"

enum { LARGE = 1024 * 1024 };

struct talk {
    taro_app app;
    const char *url;
    const char *extensions; // that the server agrees on, empty for none
};

static void begin(struct attempt *a, const struct talk *talk) {
    attempt_init(a, talk->app, talk->url);
    a->options.per_message_deflate = *talk->extensions != '\0';
}

static void send_text(struct attempt *a, const char *text) {
    CHECK_STATUS(taro_socket_send_text(a->socket, text, strlen(text)), TARO_STATUS_OK);
}

// The n-th message is this one.
static void comes(struct attempt *a, size_t n, uint32_t kind, const void *data, size_t len) {
    const struct record *message = attempt_wait(a, RECORD_MESSAGE, n);
    CHECK_UINT(message->message_kind, ==, kind);
    CHECK_BYTES(message->data.ptr, message->data.len, data, len);
}

static void text_comes(struct attempt *a, size_t n, const char *text) {
    comes(a, n, TARO_MESSAGE_TEXT, text, strlen(text));
}

// --- the cases

static void messages(const struct talk *talk) {
    static const char text[] = "gr\xc3\xbc\xc3\x9f\0e \xf0\x9f\x90\xac";
    char *large = malloc(LARGE);
    struct attempt a;
    CHECK(large != NULL);
    for (size_t at = 0; at < LARGE; at++) {
        large[at] = (char)(at % 251);
    }
    begin(&a, talk);
    attempt_open(&a);
    CHECK_STATUS(taro_socket_send_text(a.socket, text, sizeof text - 1), TARO_STATUS_OK);
    CHECK_STATUS(taro_socket_send_text(a.socket, NULL, 0), TARO_STATUS_OK);
    CHECK_STATUS(taro_socket_send_binary(a.socket, large, 256), TARO_STATUS_OK);
    CHECK_STATUS(taro_socket_send_binary(a.socket, NULL, 0), TARO_STATUS_OK);
    CHECK_STATUS(taro_socket_send_binary(a.socket, large, LARGE), TARO_STATUS_OK);
    comes(&a, 1, TARO_MESSAGE_TEXT, text, sizeof text - 1);
    comes(&a, 2, TARO_MESSAGE_TEXT, "", 0);
    comes(&a, 3, TARO_MESSAGE_BINARY, large, 256);
    comes(&a, 4, TARO_MESSAGE_BINARY, "", 0);
    comes(&a, 5, TARO_MESSAGE_BINARY, large, LARGE);
    for (size_t at = 0; at < LARGE; at++) {
        large[at] = (char)('a' + at % 26);
    }
    CHECK_STATUS(taro_socket_send_text(a.socket, large, LARGE), TARO_STATUS_OK);
    comes(&a, 6, TARO_MESSAGE_TEXT, large, LARGE);
    attempt_end(&a, NULL);
    free(large);
}

// Every size there and back, first what compresses well, then what does not.
static void compressed_messages(const struct talk *talk) {
    static const size_t sizes[] = {0, 1, 126, 127, 128, 129, 1000, 16384, 16385, 65535, 65536, 200000, MIB};
    taro_socket_counters counters = {.struct_size = sizeof counters};
    uint64_t sum = 0;
    size_t n = 0;
    struct attempt a;
    if (!*talk->extensions) {
        return;
    }
    begin(&a, talk);
    attempt_open(&a);
    for (size_t at = 0; at < sizeof sizes / sizeof *sizes; at++) {
        unsigned char *prose = deflate_prose(sizes[at], (uint32_t)at);
        CHECK_STATUS(taro_socket_send_text(a.socket, (char *)prose, sizes[at]), TARO_STATUS_OK);
        comes(&a, ++n, TARO_MESSAGE_TEXT, prose, sizes[at]);
        sum += sizes[at];
        free(prose);
    }
    CHECK_STATUS(taro_socket_get_counters(a.socket, &counters), TARO_STATUS_OK);
    CHECK_UINT(counters.payload_bytes_sent, ==, sum);
    CHECK_UINT(counters.payload_bytes_received, ==, sum);
    CHECK_UINT(counters.wire_bytes_sent, <, sum / 2);
    CHECK_UINT(counters.wire_bytes_received, <, sum / 2);
    unsigned char *noise = deflate_noise(MIB, 1);
    CHECK_STATUS(taro_socket_send_binary(a.socket, noise, MIB), TARO_STATUS_OK);
    comes(&a, ++n, TARO_MESSAGE_BINARY, noise, MIB);
    CHECK_STATUS(taro_socket_get_counters(a.socket, &counters), TARO_STATUS_OK);
    CHECK_UINT(counters.wire_bytes_sent, >, MIB);
    CHECK_UINT(counters.wire_bytes_received, >, MIB);
    free(noise);
    attempt_end(&a, NULL);
}

static void fragments_and_pings(const struct talk *talk) {
    taro_socket_counters counters = {.struct_size = sizeof counters};
    struct attempt a;
    begin(&a, talk);
    attempt_open(&a);
    send_text(&a, "fragments:one |tw\xc3\xb6||, three");
    text_comes(&a, 1, "one tw\xc3\xb6, three");
    // It comes back once the library has answered the server's ping.
    send_text(&a, "ping");
    text_comes(&a, 2, "ping");
    CHECK_STATUS(taro_socket_ping(a.socket, "hi", 2), TARO_STATUS_OK);
    send_text(&a, "behind the pong");
    text_comes(&a, 3, "behind the pong");
    CHECK_STATUS(taro_socket_get_counters(a.socket, &counters), TARO_STATUS_OK);
    CHECK_UINT(counters.pongs_received, ==, 1);
    attempt_end(&a, "success complete open message message message release");
}

static void protocols(const struct talk *talk) {
    const taro_str offered[] = {TARO_STR("superchat"), TARO_STR("chat")};
    for (size_t count = 0; count <= 2; count++) {
        char name[8] = "";
        size_t needed = 99;
        struct attempt a;
        begin(&a, talk);
        a.options.protocols = offered;
        a.options.protocols_len = count;
        const struct record *open = attempt_open(&a);
        const char *picked = count == 2 ? "chat" : "";
        CHECK_STR(open->protocol, picked);
        CHECK_STR(open->extensions, talk->extensions);
        CHECK_STATUS(taro_socket_get_protocol(a.socket, name, sizeof name - 1, &needed), TARO_STATUS_OK);
        CHECK_UINT(needed, ==, strlen(picked));
        CHECK_TEXT(name, picked);
        attempt_end(&a, "success complete open release");
    }
}

static void closes(struct attempt *a, uint32_t code, const char *reason, uint32_t initiator) {
    const struct record *closed = attempt_wait(a, RECORD_CLOSE, 1);
    CHECK_UINT(closed->close_code, ==, code);
    CHECK_STR(closed->reason, reason);
    CHECK_UINT(closed->was_clean, ==, 1);
    CHECK_UINT(closed->initiator, ==, initiator);
    CHECK_UINT(closed->cause, ==, TARO_CAUSE_NONE);
}

// The server's answer repeats code and reason.
static void close_by_the_host(const struct talk *talk) {
    static const struct {
        uint32_t code;
        const char *reason;
        uint32_t told;
    } rows[] = {{3001, "bye", 3001}, {4999, "gr\xc3\xbc\xc3\x9f", 4999}, {0, "", 1000}};
    for (size_t row = 0; row < sizeof rows / sizeof *rows; row++) {
        struct attempt a;
        begin(&a, talk);
        struct recording closing = RECORDING(&a.recorder, "closing");
        const taro_close_options options = record_close_options(&closing, rows[row].code, rows[row].reason);
        attempt_open(&a);
        send_text(&a, "before it");
        CHECK_STATUS(taro_socket_close(a.socket, &options), TARO_STATUS_OK);
        closes(&a, rows[row].told, rows[row].reason, TARO_INITIATOR_HOST);
        CHECK_SEQUENCE(&a.recorder, "closing", "success complete release");
        attempt_end(&a, NULL);
    }
}

static void close_by_the_server(const struct talk *talk) {
    struct attempt a;
    begin(&a, talk);
    attempt_open(&a);
    send_text(&a, "last");
    send_text(&a, "close:4001:go");
    closes(&a, 4001, "go", TARO_INITIATOR_PEER);
    text_comes(&a, 1, "last");
    attempt_end(&a, "success complete open message close release");
}

static const struct {
    const char *name;
    void (*run)(const struct talk *talk);
} cases[] = {
    {"messages", messages},
    {"compressed messages", compressed_messages},
    {"fragments and pings", fragments_and_pings},
    {"protocols", protocols},
    {"close by the host", close_by_the_host},
    {"close by the server", close_by_the_server},
};

// --- the servers

struct place {
    const char *listener; // of the server
    const char *path;
    const char *extensions;
};

static void run_cases(const char *runtime, const char *script, const struct place *places, size_t places_len) {
    struct peer *peer = peer_start(runtime, script);
    taro_app_options options = TARO_APP_OPTIONS_INIT;
    options.ca_file = attempt_str(server_ca_file());
    const taro_app app = attempt_app(&options);
    for (size_t at = 0; at < places_len; at++) {
        const struct place *place = &places[at];
        char url[64], row[128];
        snprintf(url, sizeof url, "%.*s://127.0.0.1:%u%s", (int)strcspn(place->listener, "_"), place->listener,
                 peer_port(peer, place->listener), place->path);
        const struct talk talk = {app, url, place->extensions};
        for (size_t index = 0; index < sizeof cases / sizeof *cases; index++) {
            snprintf(row, sizeof row, "%s, %s%s: %s", script, place->listener, place->path, cases[index].name);
            attempt_row(row);
            cases[index].run(&talk);
        }
    }
    attempt_row(NULL);
    attempt_shutdown();
    peer_stop(peer);
}

static void pypi_websockets(void) {
    static const struct place places[] = {
        {"ws", "/", ""},
        {"wss", "/", ""},
        {"ws_deflate", "/", "permessage-deflate; server_max_window_bits=12; client_max_window_bits=12"},
        {"wss_deflate", "/", "permessage-deflate; server_max_window_bits=12; client_max_window_bits=12"},
    };
    run_cases(peer_python(), "interop_websockets.py", places, sizeof places / sizeof *places);
}

static void npm_ws(void) {
    static const struct place places[] = {
        {"ws", "/", ""},
        {"wss", "/", ""},
        {"ws_deflate", "/", "permessage-deflate"},
        {"wss_deflate", "/", "permessage-deflate"},
        {"ws_deflate", "/no-takeover", "permessage-deflate; server_no_context_takeover; client_no_context_takeover"},
        {"ws_deflate", "/windows", "permessage-deflate; client_max_window_bits=11; server_max_window_bits=10"},
    };
    run_cases(peer_node(), "interop_ws.js", places, sizeof places / sizeof *places);
}

static const struct test tests[] = {
    TEST("L9 L12 L15 L20 L21", pypi_websockets),
    TEST("L9 L12 L15 L20 L21", npm_ws),
};
TEST_MAIN(tests)
