// L24, L18: pings of the host's own.
#include "mini.h"

static const char payload[125] = "as long as a control frame may be: 125 bytes, of which the rest are zeroes";

static void payloads_go_out_as_given(void) {
    for (MINI_EACH_DELIVERY(delivery)) {
        struct mini mini;
        char hex[2 * sizeof payload + 8] = "^ping ";
        mini_init_of(&mini, delivery);
        struct recording a = RECORDING(&mini.recorder, "a");
        const taro_socket socket = mini_open(&mini, &a, SERVER_URL("ws", "/echo?id=pings"));
        mini_send(socket, "before");
        CHECK_STATUS(taro_socket_ping(socket, NULL, 0), TARO_STATUS_OK);
        SERVER_WAIT("pings", "^ping$");
        CHECK_STATUS(taro_socket_ping(socket, "a\0b", 3), TARO_STATUS_OK);
        SERVER_WAIT("pings", "^ping 610062$");
        CHECK_STATUS(taro_socket_ping(socket, payload, sizeof payload), TARO_STATUS_OK);
        for (size_t at = 0; at < sizeof payload; at++) {
            snprintf(hex + 6 + 2 * at, 3, "%02x", (unsigned char)payload[at]);
        }
        SERVER_WAIT("pings", hex);
        // The pongs are counted, and they are no events.
        EVENTUALLY(mini_counters(socket).pongs_received == 3);
        mini_wait(&mini, RECORD_MESSAGE, "a", 1);
        CHECK_UINT(mini_counters(socket).pings_sent, ==, 3);
        CHECK_UINT(mini_buffered(socket), ==, 0);
        CHECK_SEQUENCE(&mini.recorder, "a", "success complete open message");
        CHECK_UINT(SERVER_LOG_COUNT("pings", "violation"), ==, 0);
        mini_end(&mini);
        SERVER_COMMAND("forget pings");
    }
    mini_shutdown();
}

static void pings_and_pongs_count_as_no_messages(void) {
    struct mini mini;
    mini_init_of(&mini, TARO_DELIVERY_DIRECT);
    struct recording a = RECORDING(&mini.recorder, "a");
    const taro_socket socket = mini_open(&mini, &a, SERVER_URL("ws", "/echo?id=counted"));
    mini_send(socket, "before");
    CHECK_STATUS(taro_socket_ping(socket, payload, sizeof payload), TARO_STATUS_OK);
    EVENTUALLY(mini_counters(socket).pongs_received == 1);
    mini_wait(&mini, RECORD_MESSAGE, "a", 1);
    const taro_socket_counters counters = mini_counters(socket);
    CHECK_UINT(counters.messages_sent, ==, 1);
    CHECK_UINT(counters.messages_received, ==, 1);
    CHECK_UINT(counters.payload_bytes_received, ==, 6);
    CHECK_UINT(counters.payload_bytes_sent, ==, 6);
    mini_end(&mini);
    mini_shutdown();
}

// Behind the messages that were accepted before, and before those that come after.
static void it_keeps_its_place_among_messages(void) {
    struct mini mini;
    mini_init_of(&mini, TARO_DELIVERY_DIRECT);
    struct recording a = RECORDING(&mini.recorder, "a");
    const taro_socket socket = mini_open(&mini, &a, SERVER_URL("ws", "/sink?id=order"));
    for (int round = 0; round < 20; round++) {
        mini_send(socket, "a");
        CHECK_STATUS(taro_socket_ping(socket, "b", 1), TARO_STATUS_OK);
    }
    SERVER_WAIT_N("order", 20, "^ping 62");
    CHECK_UINT(SERVER_LOG_COUNT("order", "text 1 a"), ==, 20);
    const char *at = SERVER_LOG("order");
    for (int round = 0; round < 20; round++) {
        const char *text = strstr(at, "text 1 a"), *ping = strstr(at, "ping 62");
        CHECK(text != NULL && ping != NULL && text < ping);
        at = ping + 1;
    }
    mini_end(&mini);
    mini_shutdown();
}

static void arguments_are_checked(void) {
    struct mini mini;
    mini_init_of(&mini, TARO_DELIVERY_DIRECT);
    struct recording a = RECORDING(&mini.recorder, "a");
    const taro_socket socket = mini_open(&mini, &a, SERVER_URL("ws", "/echo?id=arguments"));
    char longer[sizeof payload + 1] = "";
    CHECK_STATUS(taro_socket_ping(socket, longer, sizeof longer), TARO_STATUS_BAD_ARGUMENT);
    CHECK_STATUS(taro_socket_ping(socket, NULL, 1), TARO_STATUS_NULL_POINTER);
    CHECK_STATUS(taro_socket_ping(0, "", 0), TARO_STATUS_BAD_HANDLE);
    mini_in_step("arguments", 1);
    CHECK_UINT(SERVER_LOG_COUNT("arguments", "opcode=9"), ==, 0);
    CHECK_UINT(mini_counters(socket).pings_sent, ==, 0);
    mini_end(&mini);
    mini_shutdown();
}

static void only_an_open_socket_pings(void) {
    struct mini mini;
    mini_init_of(&mini, TARO_DELIVERY_DIRECT);
    struct recording a = RECORDING(&mini.recorder, "a"), b = RECORDING(&mini.recorder, "b");
    const taro_socket connecting = mini_connect(&mini, &a, SERVER_URL("ws", "/echo?stall=request"));
    CHECK_STATUS(taro_socket_ping(connecting, "", 0), TARO_STATUS_NOT_CONNECTED);
    const taro_socket socket = mini_open(&mini, &b, SERVER_URL("ws", "/echo?id=closes&onclose=ignore"));
    mini_close(socket);
    CHECK_STATUS(taro_socket_ping(socket, "", 0), TARO_STATUS_NOT_CONNECTED);
    SERVER_COMMAND("do closes close:1000:;drop");
    mini_wait(&mini, RECORD_CLOSE, "b", 1);
    CHECK_STATUS(taro_socket_ping(socket, "", 0), TARO_STATUS_NOT_CONNECTED);
    CHECK_STATUS(taro_socket_release(socket), TARO_STATUS_OK);
    CHECK_STATUS(taro_socket_ping(socket, "", 0), TARO_STATUS_BAD_HANDLE);
    mini_end(&mini);
    mini_shutdown();
}

// More than the system takes for a peer that does not read.
enum { SEND_LIMIT = 8 * 1024 * 1024 };

static void a_full_buffer_takes_none(void) {
    static char bytes[SEND_LIMIT];
    taro_app_options options = TARO_APP_OPTIONS_INIT;
    struct mini mini;
    options.send_limit_bytes = SEND_LIMIT;
    mini_init(&mini, &options);
    struct recording a = RECORDING(&mini.recorder, "a");
    const taro_socket socket = mini_open(&mini, &a, SERVER_URL("ws_small", "/deaf?id=deaf"));
    CHECK_STATUS(taro_socket_send_binary(socket, bytes, sizeof bytes), TARO_STATUS_OK);
    CHECK_STATUS(taro_socket_ping(socket, "full", 4), TARO_STATUS_FULL);
    CHECK_STATUS(taro_socket_send_text(socket, "full", 4), TARO_STATUS_FULL);
    SERVER_COMMAND("do deaf read");
    mini_wait(&mini, RECORD_DRAIN, "a", 1);
    CHECK_STATUS(taro_socket_ping(socket, "free", 4), TARO_STATUS_OK);
    SERVER_WAIT("deaf", "^ping 66726565");
    CHECK_UINT(mini_counters(socket).pings_sent, ==, 1);
    mini_end(&mini);
    mini_shutdown();
}

static const struct test tests[] = {
    TEST("L24", payloads_go_out_as_given),
    TEST("-", pings_and_pongs_count_as_no_messages),
    TEST("L18", it_keeps_its_place_among_messages),
    TEST("L1 L24", arguments_are_checked),
    TEST("L19 L24", only_an_open_socket_pings),
    TEST("L18", a_full_buffer_takes_none),
};

TEST_MAIN(tests)
