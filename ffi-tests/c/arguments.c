// L1, L25: NULL, and lengths that are wrong. Lengths of structs: struct_size.c; ids: ids.c; values: values.c.
#include "misuse.h"

// --- NULL

static void null_where_it_is_not_allowed(void) {
    const taro_connect_options options = misuse_connect_options();
    const taro_app_options app = misuse_app_options();
    taro_socket socket = 4711;
    char text[8], *byte = text;
    void *data = byte;
    size_t len = 4711;
    misuse_begin();
    MISUSE(taro_app_create(&app, NULL), TARO_STATUS_NULL_POINTER);
    MISUSE(taro_app_create(NULL, NULL), TARO_STATUS_NULL_POINTER);
    MISUSE(taro_app_get_sockets(misuse.mini.app, NULL, 0, NULL), TARO_STATUS_NULL_POINTER);
    MISUSE(taro_app_get_sockets(misuse.mini.app, &socket, 1, NULL), TARO_STATUS_NULL_POINTER);
    CHECK_UINT(socket, ==, 4711);
    MISUSE(taro_app_get_sockets(misuse.mini.app, NULL, 1, &len), TARO_STATUS_NULL_POINTER);
    CHECK_UINT(len, ==, 0);
    MISUSE(taro_app_get_global_socket(misuse.mini.app, NULL), TARO_STATUS_NULL_POINTER);
    MISUSE(taro_app_get_descriptor(misuse.mini.app, NULL), TARO_STATUS_NULL_POINTER);
    MISUSE(taro_connect_socket(&options, NULL), TARO_STATUS_NULL_POINTER);
    MISUSE(taro_connect_socket(NULL, NULL), TARO_STATUS_NULL_POINTER);
    MISUSE(misuse_connect(NULL), TARO_STATUS_NULL_POINTER);
    MISUSE(taro_message_retain(misuse.message, NULL, &len), TARO_STATUS_NULL_POINTER);
    MISUSE(taro_message_retain(misuse.message, &data, NULL), TARO_STATUS_NULL_POINTER);
    CHECK(data == NULL);
    MISUSE(taro_socket_send(misuse.socket, NULL), TARO_STATUS_NULL_POINTER);
    MISUSE(taro_socket_get_ready_state(misuse.socket, NULL), TARO_STATUS_NULL_POINTER);
    MISUSE(taro_socket_get_buffered_amount(misuse.socket, NULL), TARO_STATUS_NULL_POINTER);
    MISUSE(taro_socket_get_protocol(misuse.socket, text, sizeof text, NULL), TARO_STATUS_NULL_POINTER);
    MISUSE(taro_socket_get_extensions(misuse.socket, text, sizeof text, NULL), TARO_STATUS_NULL_POINTER);
    MISUSE(taro_socket_get_protocol(misuse.socket, NULL, 1, &len), TARO_STATUS_NULL_POINTER);
    MISUSE(taro_socket_get_extensions(misuse.socket, NULL, 1, &len), TARO_STATUS_NULL_POINTER);
    MISUSE(taro_socket_get_counters(misuse.socket, NULL), TARO_STATUS_NULL_POINTER);
    misuse_end();
}

static void null_where_it_is_allowed(void) {
    size_t len = 4711;
    taro_app app;
    misuse_begin();
    CHECK_STATUS(taro_app_create(NULL, &app), TARO_STATUS_OK);
    CHECK_STATUS(taro_app_release(app), TARO_STATUS_OK);
    CHECK_STATUS(taro_app_dispatch(misuse.mini.app, 0, NULL), TARO_STATUS_OK);
    CHECK_STATUS(taro_app_get_sockets(misuse.mini.app, NULL, 0, &len), TARO_STATUS_OK);
    CHECK_UINT(len, ==, 1);
    CHECK_STATUS(taro_socket_get_protocol(misuse.socket, NULL, 0, &len), TARO_STATUS_OK);
    CHECK_UINT(len, ==, 0);
    CHECK_STATUS(taro_socket_get_extensions(misuse.socket, NULL, 0, &len), TARO_STATUS_OK);
    CHECK_STATUS(taro_socket_ping(misuse.socket, NULL, 0), TARO_STATUS_OK);
    CHECK_STATUS(taro_socket_send_text(misuse.socket, NULL, 0), TARO_STATUS_OK);
    CHECK_STATUS(taro_socket_send_binary(misuse.socket, NULL, 0), TARO_STATUS_OK);
    mini_wait(&misuse.mini, RECORD_MESSAGE, "a", 3);
    CHECK_STATUS(taro_socket_close(misuse.socket, NULL), TARO_STATUS_OK);
    mini_wait(&misuse.mini, RECORD_CLOSE, "a", 1);
    CHECK_STATUS(taro_app_release(misuse.direct), TARO_STATUS_OK);
    mini_end(&misuse.mini);
    mini_shutdown();
    CHECK_STATUS(taro_init(NULL), TARO_STATUS_OK);
    mini_shutdown();
    SERVER_COMMAND("forget world");
}

// --- lengths

static void a_length_without_bytes(void) {
    static const size_t lengths[] = {1, 4096, SIZE_MAX / 2, SIZE_MAX};
    taro_connect_options options;
    taro_app_options app;
    taro_header header;
    taro_address_override override;
    misuse_begin();
    for (size_t at = 0; at < sizeof lengths / sizeof *lengths; at++) {
        const size_t len = lengths[at];
        const taro_str none = {NULL, len}, some = TARO_STR("a");
        taro_close_options close = misuse_close_options();
        taro_send_options send = misuse_send_options();
        MISUSE(CONNECT_WITH(url, none), TARO_STATUS_NULL_POINTER);
        MISUSE(CONNECT_WITH(bind_interface, none), TARO_STATUS_NULL_POINTER);
        MISUSE(CONNECT_WITH(headers_len, len), TARO_STATUS_NULL_POINTER);
        MISUSE(CONNECT_WITH(protocols_len, len), TARO_STATUS_NULL_POINTER);
        options = misuse_connect_options();
        options.headers = &header;
        options.headers_len = 1;
        header = (taro_header){none, some};
        MISUSE(misuse_connect(&options), TARO_STATUS_NULL_POINTER);
        header = (taro_header){some, none};
        MISUSE(misuse_connect(&options), TARO_STATUS_NULL_POINTER);
        options = misuse_connect_options();
        options.protocols = &none;
        options.protocols_len = 1;
        MISUSE(misuse_connect(&options), TARO_STATUS_NULL_POINTER);

        MISUSE(APP_WITH(referer, none), TARO_STATUS_NULL_POINTER);
        MISUSE(APP_WITH(ca_pem, none), TARO_STATUS_NULL_POINTER);
        MISUSE(APP_WITH(ca_file, none), TARO_STATUS_NULL_POINTER);
        MISUSE(APP_WITH(allow_list_len, len), TARO_STATUS_NULL_POINTER);
        MISUSE(APP_WITH(address_overrides_len, len), TARO_STATUS_NULL_POINTER);
        app = misuse_app_options();
        app.allow_list = &none;
        app.allow_list_len = 1;
        MISUSE(misuse_create(&app), TARO_STATUS_NULL_POINTER);
        app = misuse_app_options();
        app.address_overrides = &override;
        app.address_overrides_len = 1;
        override = (taro_address_override){none, TARO_STR("127.0.0.1:1")};
        MISUSE(misuse_create(&app), TARO_STATUS_NULL_POINTER);
        override = (taro_address_override){TARO_STR("a.test:1"), none};
        MISUSE(misuse_create(&app), TARO_STATUS_NULL_POINTER);

        send.data = NULL;
        send.data_len = len;
        MISUSE(taro_socket_send(misuse.socket, &send), TARO_STATUS_NULL_POINTER);
        MISUSE(taro_socket_send_text(misuse.socket, NULL, len), TARO_STATUS_NULL_POINTER);
        MISUSE(taro_socket_send_binary(misuse.socket, NULL, len), TARO_STATUS_NULL_POINTER);
        close.reason = none;
        MISUSE(taro_socket_close(misuse.socket, &close), TARO_STATUS_NULL_POINTER);
        CHECK(misuse_is(taro_socket_ping(misuse.socket, NULL, len)));
        misuse_untouched();
    }
    misuse_end();
}

// More than a process can hold, so it is not looked at.
static void a_length_beyond_all_memory(void) {
    taro_connect_options options;
    const taro_str str = {"a", SIZE_MAX};
    const taro_header header = {TARO_STR("a"), TARO_STR("b")};
    taro_send_options send = misuse_send_options();
    misuse_begin();
    CHECK(misuse_is(CONNECT_WITH(url, str)));
    options = misuse_connect_options();
    options.headers = &header;
    options.headers_len = SIZE_MAX / sizeof header + 1;
    CHECK(misuse_is(misuse_connect(&options)));
    send.data_len = SIZE_MAX;
    CHECK(misuse_is(taro_socket_send(misuse.socket, &send)));
    CHECK(misuse_is(taro_socket_send_text(misuse.socket, "a", SIZE_MAX)));
    CHECK(misuse_is(taro_socket_send_binary(misuse.socket, "a", SIZE_MAX)));
    misuse_end();
}

// Room for more than there is: nothing is written beyond it.
static void any_capacity_will_do(void) {
    char buffer[8] = "........";
    taro_socket sockets[2] = {4711, 4711};
    size_t needed = 0;
    misuse_begin();
    const taro_str protocol = TARO_STR("chat");
    taro_connect_options options = record_connect_options(&misuse.a, SERVER_URL("ws", "/echo"));
    options.app = misuse.mini.app;
    options.protocols = &protocol;
    options.protocols_len = 1;
    const taro_socket second = mini_accepted(&options);
    mini_wait(&misuse.mini, RECORD_OPEN, "a", 2);
    CHECK_STATUS(taro_socket_get_protocol(second, buffer, SIZE_MAX, &needed), TARO_STATUS_OK);
    CHECK_UINT(needed, ==, 4);
    CHECK_BYTES(buffer, sizeof buffer, "chat....", sizeof buffer);
    CHECK_STATUS(taro_socket_get_protocol(second, buffer + 4, 2, &needed), TARO_STATUS_OK);
    CHECK_UINT(needed, ==, 4);
    CHECK_BYTES(buffer, sizeof buffer, "chatch..", sizeof buffer);
    CHECK_STATUS(taro_app_get_sockets(misuse.mini.app, sockets, 1, &needed), TARO_STATUS_OK);
    CHECK_UINT(needed, ==, 2);
    CHECK_UINT(sockets[0], ==, misuse.socket);
    CHECK_UINT(sockets[1], ==, 4711);
    CHECK_STATUS(taro_app_get_sockets(misuse.mini.app, sockets, SIZE_MAX, &needed), TARO_STATUS_OK);
    CHECK_UINT(sockets[1], ==, second);
    CHECK_STATUS(taro_app_release(misuse.direct), TARO_STATUS_OK);
    mini_end(&misuse.mini);
    mini_shutdown();
    SERVER_COMMAND("forget world");
}

static const struct test tests[] = {
    TEST("L1 L25", null_where_it_is_not_allowed),
    TEST("L1", null_where_it_is_allowed),
    TEST("L1 L25", a_length_without_bytes),
    TEST("L25", a_length_beyond_all_memory),
    TEST("L25", any_capacity_will_do),
};

TEST_MAIN(tests)
