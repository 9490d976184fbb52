// L1, L2, L25: values that are out of range or cannot be understood. Those that break the ABI's rules are misuse, and
// nothing happens; those that a script may have passed are refused: `fail`, `complete`, and the user data comes back.
#include "misuse.h"
#include "talk.h"

// --- misuse

static void flags_and_numbers_out_of_range(void) {
    taro_connect_options options;
    taro_app_options app;
    taro_send_options send = misuse_send_options();
    unsigned char payload[126] = {0};
    static const uint32_t flags[] = {2, 0x100, 0x80000000, UINT32_MAX};
    misuse_begin();
    for (size_t at = 0; at < sizeof flags / sizeof *flags; at++) {
        MISUSE(CONNECT_WITH(tcp_no_delay, flags[at]), TARO_STATUS_BAD_ARGUMENT);
        MISUSE(CONNECT_WITH(per_message_deflate, flags[at]), TARO_STATUS_BAD_ARGUMENT);
        MISUSE(CONNECT_WITH(start_paused, flags[at]), TARO_STATUS_BAD_ARGUMENT);
        MISUSE(CONNECT_WITH(reserved, flags[at]), TARO_STATUS_BAD_ARGUMENT);
        MISUSE(APP_WITH(delivery, flags[at]), TARO_STATUS_BAD_ARGUMENT);
        MISUSE(APP_WITH(single_socket, flags[at]), TARO_STATUS_BAD_ARGUMENT);
        MISUSE(APP_WITH(forbid_ws, flags[at]), TARO_STATUS_BAD_ARGUMENT);
        MISUSE(APP_WITH(tls_insecure, flags[at]), TARO_STATUS_BAD_ARGUMENT);
        MISUSE(APP_WITH(close_after_error, flags[at]), TARO_STATUS_BAD_ARGUMENT);
        MISUSE(taro_app_set_background(misuse.mini.app, flags[at]), TARO_STATUS_BAD_ARGUMENT);
    }
    MISUSE(CONNECT_WITH(reserved, 1), TARO_STATUS_BAD_ARGUMENT);
    MISUSE(APP_WITH(flavour, TARO_FLAVOUR_RN + 1), TARO_STATUS_BAD_ARGUMENT);
    MISUSE(APP_WITH(flavour, UINT32_MAX), TARO_STATUS_BAD_ARGUMENT);
    MISUSE(APP_WITH(max_sockets, 65536), TARO_STATUS_BAD_ARGUMENT);
    MISUSE(APP_WITH(max_sockets, UINT32_MAX), TARO_STATUS_BAD_ARGUMENT);
    send.kind = TARO_MESSAGE_BINARY + 1;
    MISUSE(taro_socket_send(misuse.socket, &send), TARO_STATUS_BAD_ARGUMENT);
    send.kind = UINT32_MAX;
    MISUSE(taro_socket_send(misuse.socket, &send), TARO_STATUS_BAD_ARGUMENT);
    MISUSE(taro_socket_ping(misuse.socket, payload, sizeof payload), TARO_STATUS_BAD_ARGUMENT);
    MISUSE(taro_socket_ping(misuse.socket, payload, SIZE_MAX), TARO_STATUS_BAD_ARGUMENT);
    misuse_end();
}

static void texts_of_an_app_that_cannot_be_understood(void) {
    static const char *const hosts[] = {"", "\xff", "a b", "a/b", "a.test:99999", "http://a.test", "[::1", "a@b"};
    static const char *const from[] = {"a.test", "\xff:1", "", ":1", "a.test:0x1"},
                      *const to[] = {"b.test:1", "\xff:1", "", "127.0.0.1", "127.0.0.1:65536"};
    static const char *const pems[] = {"no certificate", "\xff",
                                       "-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n"};
    taro_app_options app;
    taro_address_override override;
    misuse_begin();
    for (size_t at = 0; at < sizeof hosts / sizeof *hosts; at++) {
        const taro_str list[] = {TARO_STR("a.test"), mini_str(hosts[at])};
        app = misuse_app_options();
        app.allow_list = list;
        app.allow_list_len = 2;
        MISUSE(misuse_create(&app), TARO_STATUS_BAD_ARGUMENT);
    }
    app = misuse_app_options();
    app.address_overrides = &override;
    app.address_overrides_len = 1;
    for (size_t at = 0; at < sizeof from / sizeof *from; at++) {
        override = (taro_address_override){mini_str(from[at]), TARO_STR("127.0.0.1:1")};
        MISUSE(misuse_create(&app), TARO_STATUS_BAD_ARGUMENT);
        override = (taro_address_override){TARO_STR("a.test:1"), mini_str(to[at])};
        MISUSE(misuse_create(&app), TARO_STATUS_BAD_ARGUMENT);
    }
    for (size_t at = 0; at < sizeof pems / sizeof *pems; at++) {
        MISUSE(APP_WITH(ca_pem, mini_str(pems[at])), TARO_STATUS_BAD_ARGUMENT);
    }
    MISUSE(APP_WITH(ca_file, TARO_STR("/dev/null")), TARO_STATUS_BAD_ARGUMENT);
    MISUSE(APP_WITH(ca_file, TARO_STR("/dev/null/none")), TARO_STATUS_BAD_ARGUMENT);
    MISUSE(APP_WITH(ca_file, TARO_STR("\xff")), TARO_STATUS_BAD_ARGUMENT);
    MISUSE(APP_WITH(ca_file, TARO_STR("/dev\0/null")), TARO_STATUS_BAD_ARGUMENT);
    MISUSE(APP_WITH(referer, TARO_STR("a\r\nb: c")), TARO_STATUS_BAD_ARGUMENT);
    MISUSE(APP_WITH(referer, TARO_STR("\xff")), TARO_STATUS_BAD_ARGUMENT);
    misuse_end();
}

static void functions_for_apps_of_host_delivery(void) {
    int32_t descriptor = 4711;
    size_t left = 4711;
    misuse_begin();
    MISUSE(taro_app_dispatch(misuse.direct, 0, &left), TARO_STATUS_WRONG_DELIVERY);
    CHECK_UINT(left, ==, 0);
    MISUSE(taro_app_get_descriptor(misuse.direct, &descriptor), TARO_STATUS_WRONG_DELIVERY);
    CHECK_INT(descriptor, ==, -1);
    MISUSE(taro_app_dispatch(0, 0, NULL), TARO_STATUS_WRONG_DELIVERY);
    MISUSE(taro_app_get_descriptor(0, &descriptor), TARO_STATUS_WRONG_DELIVERY);
    misuse_end();
}

// Whatever else is wrong, a call that is misuse has not happened: there is nobody to tell.
static void misuse_comes_before_all_that_is_refused(void) {
    static const char text[] = "\xff";
    taro_connect_options options = misuse_connect_options();
    taro_send_options send = misuse_send_options();
    taro_close_options close = misuse_close_options();
    misuse_begin();
    CHECK_STATUS(taro_app_set_background(misuse.mini.app, 1), TARO_STATUS_OK);
    options.url = TARO_STR("http://a.test/#part");
    options.app = misuse.mini.app;
    options.reserved = 1;
    MISUSE(misuse_connect(&options), TARO_STATUS_BAD_ARGUMENT);
    options.reserved = 0;
    options.app = misuse.socket;
    MISUSE(misuse_connect(&options), TARO_STATUS_BAD_HANDLE);
    send.data = text;
    send.kind = 3;
    MISUSE(taro_socket_send(misuse.socket, &send), TARO_STATUS_BAD_ARGUMENT);
    send.kind = TARO_MESSAGE_TEXT;
    MISUSE(taro_socket_send(misuse.mini.app, &send), TARO_STATUS_BAD_HANDLE);
    close.code = 1;
    MISUSE(taro_socket_close(misuse.mini.app, &close), TARO_STATUS_BAD_HANDLE);
    close.reason = (taro_str){NULL, 500};
    MISUSE(taro_socket_close(misuse.socket, &close), TARO_STATUS_NULL_POINTER);
    CHECK_STATUS(taro_app_set_background(misuse.mini.app, 0), TARO_STATUS_OK);
    misuse_end();
}

// --- refused, and told

static void connect_is_refused(struct mini *mini, taro_connect_options *options, taro_status status) {
    taro_socket socket = 4711;
    options->app = mini->app;
    CHECK_STATUS(taro_connect_socket(options, &socket), status);
    CHECK_UINT(socket, ==, 0);
    mini_wait(mini, RECORD_RELEASE, "c", 1);
    CHECK_SEQUENCE(&mini->recorder, "c", "fail complete release");
    CHECK_INT(mini_find(mini, RECORD_FAIL, "c", 1)->status, ==, status);
    CHECK_INT(mini_find(mini, RECORD_COMPLETE, "c", 1)->status, ==, status);
    CHECK_UINT(mini_live(mini), ==, 0);
}

#define CONNECT_REFUSED(change, status)                                                    \
    for (MINI_EACH_DELIVERY(delivery)) {                                                   \
        struct mini mini;                                                                  \
        mini_init_of(&mini, delivery);                                                     \
        struct recording c = RECORDING(&mini.recorder, "c");                               \
        taro_connect_options options = record_connect_options(&c, "ws://127.0.0.1:9/");    \
        change;                                                                            \
        connect_is_refused(&mini, &options, status);                                       \
        mini_end(&mini);                                                                   \
    }

static void a_connect_that_a_script_got_wrong(void) {
    static const taro_str bad = {"\xff\xfe", 2}, none = {NULL, 0}, cut = {"a\0b", 3};
    static const taro_header name = {{"\xff", 1}, {"a", 1}}, empty = {{NULL, 0}, {"a", 1}},
                             value = {{"a", 1}, {"\n", 1}};
    CONNECT_REFUSED(options.url = bad, TARO_STATUS_INVALID_URL)
    CONNECT_REFUSED(options.url = none, TARO_STATUS_INVALID_URL)
    CONNECT_REFUSED(options.url = cut, TARO_STATUS_INVALID_URL)
    CONNECT_REFUSED((options.headers = &name, options.headers_len = 1), TARO_STATUS_PARAMETER)
    CONNECT_REFUSED((options.headers = &empty, options.headers_len = 1), TARO_STATUS_PARAMETER)
    CONNECT_REFUSED((options.headers = &value, options.headers_len = 1), TARO_STATUS_PARAMETER)
    CONNECT_REFUSED((options.protocols = &bad, options.protocols_len = 1), TARO_STATUS_PARAMETER)
    CONNECT_REFUSED((options.protocols = &none, options.protocols_len = 1), TARO_STATUS_PARAMETER)
    CONNECT_REFUSED(options.bind_interface = bad, TARO_STATUS_PARAMETER)
    CONNECT_REFUSED(options.bind_interface = cut, TARO_STATUS_PARAMETER)
    mini_shutdown();
}

static const struct close_refusal {
    uint32_t code;
    const char *reason;
    taro_status status;
} close_refusals[] = {
    {1, NULL, TARO_STATUS_INVALID_CLOSE_CODE},
    {999, NULL, TARO_STATUS_INVALID_CLOSE_CODE},
    {UINT16_MAX + 1 + 1000, NULL, TARO_STATUS_INVALID_CLOSE_CODE},
    {UINT32_MAX, NULL, TARO_STATUS_INVALID_CLOSE_CODE},
    {1000, "\xff", TARO_STATUS_PARAMETER},
    {1000, "cut \xf0\x9f\x98", TARO_STATUS_PARAMETER},
};

static void sends_and_closes_that_a_script_got_wrong(void) {
    for (MINI_EACH_DELIVERY(delivery)) {
        struct mini mini;
        mini_init_of(&mini, delivery);
        struct recording a = RECORDING(&mini.recorder, "a"), sent = RECORDING(&mini.recorder, "sent");
        const taro_socket socket = mini_open(&mini, &a, SERVER_URL("ws", "/echo?id=wrong"));
        CHECK_STATUS(talk_send(socket, &sent, "\xff"), TARO_STATUS_PARAMETER);
        talk_check_failed(&mini, "sent", socket, TARO_STATUS_PARAMETER, 600005,
                          "sendSocketMessage:fail parameter error: data");
        for (size_t at = 0; at < sizeof close_refusals / sizeof *close_refusals; at++) {
            const struct close_refusal *row = &close_refusals[at];
            char label[24];
            snprintf(label, sizeof label, "close %zu", at);
            struct recording closed = RECORDING(&mini.recorder, label);
            CHECK_STATUS(talk_close(socket, &closed, row->code, row->reason), row->status);
            mini_wait(&mini, RECORD_RELEASE, label, 1);
            CHECK_SEQUENCE(&mini.recorder, label, "fail complete release");
            CHECK_INT(mini_find(&mini, RECORD_FAIL, label, 1)->status, ==, row->status);
            CHECK_UINT(mini_find(&mini, RECORD_FAIL, label, 1)->socket, ==, socket);
        }
        // The socket lives on.
        mini_send(socket, "still here");
        CHECK_STR(mini_wait(&mini, RECORD_MESSAGE, "a", 1)->data, "still here");
        mini_end(&mini);
    }
    CHECK_UINT(SERVER_LOG_COUNT("wrong", "violation"), ==, 0);
    mini_shutdown();
}

// --- callbacks that are not there

static unsigned released;

static void counts_release(void *user_data) {
    CHECK(user_data == NULL);
    released++;
}

// In each combination with the release function, for a call that goes well and for one that does not.
static void sends_and_closes_without_callbacks(void) {
    struct mini mini;
    mini_init_of(&mini, TARO_DELIVERY_HOST);
    struct recording a = RECORDING(&mini.recorder, "a");
    const taro_socket socket = mini_open(&mini, &a, SERVER_URL("ws", "/echo"));
    taro_send_options send = TARO_SEND_OPTIONS_INIT;
    taro_close_options close = TARO_CLOSE_OPTIONS_INIT;
    for (int with_release = 0; with_release < 2; with_release++) {
        released = 0;
        send.release = close.release = with_release ? counts_release : NULL;
        send.data_len = 1;
        send.data = "a";
        CHECK_STATUS(taro_socket_send(socket, &send), TARO_STATUS_OK);
        mini_wait(&mini, RECORD_MESSAGE, "a", 1 + (size_t)with_release);
        send.data = "\xff";
        CHECK_STATUS(taro_socket_send(socket, &send), TARO_STATUS_PARAMETER);
        close.code = 1;
        CHECK_STATUS(taro_socket_close(socket, &close), TARO_STATUS_INVALID_CLOSE_CODE);
        host_drain(mini.app);
        CHECK_UINT(released, ==, 3 * with_release);
    }
    close.code = 0;
    CHECK_STATUS(taro_socket_close(socket, &close), TARO_STATUS_OK);
    CHECK_STATUS(taro_socket_close(socket, &close), TARO_STATUS_NOT_CONNECTED);
    host_drain(mini.app);
    CHECK_UINT(released, ==, 5);
    mini_wait(&mini, RECORD_CLOSE, "a", 1);
    mini_end(&mini);
    mini_shutdown();
}

static const struct test tests[] = {
    TEST("L1 L25", flags_and_numbers_out_of_range),
    TEST("L1 L25", texts_of_an_app_that_cannot_be_understood),
    TEST("L1", functions_for_apps_of_host_delivery),
    TEST("L1", misuse_comes_before_all_that_is_refused),
    TEST("L2 L3 L25", a_connect_that_a_script_got_wrong),
    TEST("L2 L25", sends_and_closes_that_a_script_got_wrong),
    TEST("L2", sends_and_closes_without_callbacks),
};

TEST_MAIN(tests)
