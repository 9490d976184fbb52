// libtaro_socket in every scenario.

#define _GNU_SOURCE
#include "common.h"

#include <poll.h>

#include "taro_socket.h"

static struct plan plan;
static struct gate opened, replied, drained, ended;
static taro_app app;
static long received;
static double memory_of_first;
static long asked, connected; // connects that were begun, and that are open

static void check(taro_status status, const char *what) {
    if (status != TARO_STATUS_OK) {
        fprintf(stderr, "%s: %s\n", what, taro_status_name(status));
        exit(1);
    }
}

static void on_failure(taro_socket socket, const taro_result *result, void *user_data) {
    (void)socket, (void)user_data;
    fprintf(stderr, "%.*s %.*s\n", (int)result->err_msg.len, result->err_msg.ptr, (int)result->detail.len,
            result->detail.ptr);
    exit(1);
}

static void on_open(taro_socket socket, const taro_open_event *event, void *user_data) {
    (void)socket, (void)event, (void)user_data;
    gate_add(&opened);
}

static void on_drain(taro_socket socket, const taro_drain_event *event, void *user_data) {
    (void)socket, (void)event, (void)user_data;
    gate_add(&drained);
}

static void send_payload(taro_socket socket) {
    check(taro_socket_send_binary(socket, plan.payload, plan.size), "send");
}

// rtt and rtth: the reply is answered where it arrives.
static void on_reply(taro_socket socket, const taro_message_event *event, void *user_data) {
    (void)user_data;
    if (event->data_len != plan.size) {
        fail("a reply of another size");
    }
    if (++received > plan.warm) {
        plan_lap(&plan);
    }
    if (received == plan.warm) {
        plan_start(&plan);
    }
    if (received < plan.warm + plan.count) {
        send_payload(socket);
    } else {
        gate_add(&ended);
    }
}

// rttx: a thread of the host has sent, and waits.
static void on_awaited_reply(taro_socket socket, const taro_message_event *event, void *user_data) {
    (void)socket, (void)user_data;
    if (event->data_len != plan.size) {
        fail("a reply of another size");
    }
    gate_add(&replied);
}

static void on_count(taro_socket socket, const taro_message_event *event, void *user_data) {
    (void)socket, (void)user_data;
    char digits[32] = "";
    memcpy(digits, event->data, event->data_len < 31 ? event->data_len : 31);
    if (atol(digits) != plan.count) {
        fail("the server counted other than was sent");
    }
    gate_add(&ended);
}

static void on_blast(taro_socket socket, const taro_message_event *event, void *user_data) {
    (void)socket, (void)user_data;
    if (event->data_len != plan.size) {
        fail("a message of another size");
    }
    if (++received == plan.count) {
        gate_add(&ended);
    }
}

static taro_socket connect_to(const char *path, taro_open_fn open, taro_message_fn message) {
    taro_connect_options options = TARO_CONNECT_OPTIONS_INIT;
    taro_socket socket;
    char url[512];
    options.url.ptr = url;
    options.url.len = (size_t)snprintf(url, sizeof url, "%s%s", plan.url, path);
    options.app = app;
    options.tcp_no_delay = 1;
    options.fail = on_failure;
    options.error = on_failure;
    options.open = open;
    options.message = message;
    options.drain = on_drain;
    check(taro_connect_socket(&options, &socket), "connect");
    return socket;
}

static void make_app(uint32_t delivery) {
    taro_app_options options = TARO_APP_OPTIONS_INIT;
    options.delivery = delivery;
    options.max_sockets = plan.count > 1 && plan.scenario == CONNS ? (uint32_t)plan.count : 1;
    if (plan.ca) {
        options.ca_file.ptr = plan.ca;
        options.ca_file.len = strlen(plan.ca);
    }
    check(taro_app_create(&options, &app), "app");
}

static taro_socket open_one(taro_message_fn message) {
    make_app(TARO_DELIVERY_DIRECT);
    taro_socket socket = connect_to(plan_path(&plan), on_open, message);
    gate_wait(&opened, 1);
    return socket;
}

static void rtt(void) {
    taro_socket socket = open_one(on_reply);
    plan_start(&plan); // again after the warm-up, if there is one
    send_payload(socket);
    gate_wait(&ended, 1);
    plan_stop(&plan);
}

static void rttx(void) {
    taro_socket socket = open_one(on_awaited_reply);
    for (long i = 0; i < plan.warm + plan.count; i++) {
        if (i == plan.warm) {
            plan_start(&plan);
        }
        send_payload(socket);
        gate_wait(&replied, i + 1);
        if (i >= plan.warm) {
            plan_lap(&plan);
        }
    }
    plan_stop(&plan);
}

static void on_open_in_loop(taro_socket socket, const taro_open_event *event, void *user_data) {
    (void)event, (void)user_data;
    plan_start(&plan);
    send_payload(socket);
}

static void rtth(void) {
    struct pollfd watched = {-1, POLLIN, 0};
    make_app(TARO_DELIVERY_HOST);
    check(taro_app_get_descriptor(app, &watched.fd), "descriptor");
    connect_to("/echo", on_open_in_loop, on_reply);
    while (received < plan.warm + plan.count) {
        poll(&watched, 1, -1);
        check(taro_app_dispatch(app, 0, NULL), "dispatch");
    }
    plan_stop(&plan);
}

// One call for each message; when the buffer is full it waits for the library to say that there is room.
static void send_all(void) {
    taro_socket socket = open_one(on_count);
    plan_start(&plan);
    for (long i = 0; i <= plan.count; i++) {
        for (;;) {
            long seen = drained.count;
            taro_status status = i < plan.count ? taro_socket_send_binary(socket, plan.payload, plan.size)
                                                : taro_socket_send_text(socket, "?", 1);
            if (status == TARO_STATUS_OK) {
                break;
            }
            if (status != TARO_STATUS_FULL) {
                check(status, "send");
            }
            gate_wait(&drained, seen + 1);
        }
    }
    gate_wait(&ended, 1);
    plan_stop(&plan);
}

static void receive_all(void) {
    taro_socket socket = open_one(on_blast);
    const char *wish = plan_wish(&plan);
    plan_start(&plan);
    check(taro_socket_send_text(socket, wish, strlen(wish)), "send");
    gate_wait(&ended, 1);
    plan_stop(&plan);
}

// The next connect is begun where one has ended. This runs on the library's one thread.
static void on_one_of_many(taro_socket socket, const taro_open_event *event, void *user_data) {
    (void)socket, (void)event, (void)user_data;
    if (asked < plan.count) {
        asked++;
        connect_to("/echo", on_one_of_many, NULL);
    }
    if (++connected == plan.count) {
        gate_add(&ended);
    }
}

static void many(void) {
    make_app(TARO_DELIVERY_DIRECT);
    connect_to("/echo", on_open, NULL);
    gate_wait(&opened, 1);
    memory_of_first = own_memory();
    long under_way = plan.count - 1 < CONNECTS_UNDER_WAY ? plan.count - 1 : CONNECTS_UNDER_WAY;
    connected = 1;
    asked = 1 + under_way; // before the first of them can end
    plan_start(&plan);
    for (long i = 0; i < under_way; i++) {
        connect_to("/echo", on_one_of_many, NULL);
    }
    gate_wait(&ended, 1);
    report_connections(&plan, memory_of_first);
}

static void first(void) {
    taro_socket socket = open_one(on_awaited_reply);
    send_payload(socket);
    gate_wait(&replied, 1);
    report_first(&plan);
}

int main(int argc, char **argv) {
    static void (*const run[SCENARIOS])(void) = {
        [RTT] = rtt,          [RTTX] = rttx,  [RTTH] = rtth,   [SEND] = send_all,
        [RECV] = receive_all, [CONNS] = many, [FIRST] = first,
    };
    plan = plan_read(argc, argv);
    gate_init(&opened), gate_init(&replied), gate_init(&drained), gate_init(&ended);
    run[plan.scenario]();
    check(taro_app_release(app), "release");
    check(taro_shutdown(10000), "shutdown");
    return 0;
}
