// libwebsockets. It writes only when it says that the socket is writable; other threads reach its loop by
// lws_cancel_service. Messages that arrive in pieces are put together.

#define _GNU_SOURCE
#include <libwebsockets.h>

#include "host.h"

static struct plan plan;
static struct host host;
static struct lws_context *context;
static struct lws *first_wsi;
static volatile int over;
static struct gate opened;
static uint8_t *out, *message;
static size_t message_len;
static long received, asked, connected;
static int must_send; // rtt and recv: what the loop itself wants to send
static int crosses;   // a host thread sends
static double memory_of_first;

static void end(void) {
    over = 1;
    lws_cancel_service(context);
}

static void begin_connect(void) {
    struct lws_client_connect_info info;
    memset(&info, 0, sizeof info);
    info.context = context;
    info.address = info.host = info.origin = plan.address;
    info.port = plan.port;
    info.path = plan_path(&plan);
    info.local_protocol_name = "bench";
    info.ssl_connection = plan.tls ? LCCSCF_USE_SSL : 0;
    if (!lws_client_connect_via_info(&info)) {
        fail("connect");
    }
}

static void write_one(struct lws *wsi, const void *data, size_t len, enum lws_write_protocol kind) {
    // It is masked in place, so the caller's bytes must be copied.
    memcpy(out + LWS_PRE, data, len);
    if (lws_write(wsi, out + LWS_PRE, len, kind) < (int)len) {
        fail("write");
    }
}

static void on_writable(struct lws *wsi) {
    if (must_send) {
        must_send = 0;
        if (plan.scenario == RECV) {
            const char *wish = plan_wish(&plan);
            write_one(wsi, wish, strlen(wish), LWS_WRITE_TEXT);
        } else {
            write_one(wsi, plan.payload, plan.size, LWS_WRITE_BINARY);
        }
    }
    while (crosses) {
        // The rest of a write that the system did not take whole goes first.
        if (lws_partial_buffered(wsi)) {
            lws_callback_on_writable(wsi);
            return;
        }
        int taken = outbox_take(&host);
        if (taken == 0) {
            return;
        }
        if (taken == 1) {
            write_one(wsi, plan.payload, plan.size, LWS_WRITE_BINARY);
        } else {
            write_one(wsi, "?", 1, LWS_WRITE_TEXT);
        }
    }
}

static void send_soon(struct lws *wsi) {
    must_send = 1;
    lws_callback_on_writable(wsi);
}

static void on_round_trip(struct lws *wsi) {
    if (++received > plan.warm) {
        plan_lap(&plan);
    }
    if (received == plan.warm) {
        plan_start(&plan);
    }
    if (received < plan.warm + plan.count) {
        send_soon(wsi);
    } else {
        plan_stop(&plan);
        end();
    }
}

static void on_message(struct lws *wsi) {
    if (plan.scenario == SEND) {
        message[message_len] = 0;
        if (atol((char *)message) != plan.count) {
            fail("the server counted other than was sent");
        }
        host_reply(&host);
        return;
    }
    if (message_len != plan.size) {
        fail("a message of another size");
    }
    if (crosses) {
        host_reply(&host);
    } else if (plan.scenario == RTT) {
        on_round_trip(wsi);
    } else if (plan.scenario == FIRST) {
        report_first(&plan);
        end();
    } else if (++received == plan.count) {
        plan_stop(&plan);
        end();
    }
}

static void on_open(struct lws *wsi) {
    connected++;
    if (crosses) {
        first_wsi = wsi;
        gate_add(&opened);
    } else if (plan.scenario != CONNS) {
        plan_start(&plan);
        send_soon(wsi);
    } else if (connected == 1) {
        memory_of_first = own_memory();
        plan_start(&plan);
        for (asked = 1; asked < plan.count && asked <= CONNECTS_UNDER_WAY; asked++) {
            begin_connect();
        }
    } else if (asked < plan.count) {
        asked++;
        begin_connect();
    } else if (connected == plan.count) {
        end();
    }
}

static int callback(struct lws *wsi, enum lws_callback_reasons reason, void *user, void *in, size_t len) {
    (void)user;
    switch (reason) {
    case LWS_CALLBACK_CLIENT_CONNECTION_ERROR:
        fail(in ? (const char *)in : "connection error");
        break;
    case LWS_CALLBACK_CLIENT_ESTABLISHED:
        on_open(wsi);
        break;
    case LWS_CALLBACK_CLIENT_WRITEABLE:
        on_writable(wsi);
        break;
    case LWS_CALLBACK_EVENT_WAIT_CANCELLED:
        if (first_wsi) {
            lws_callback_on_writable(first_wsi);
        }
        break;
    case LWS_CALLBACK_CLIENT_RECEIVE:
        if (plan.scenario != SEND && message_len == 0 && lws_is_final_fragment(wsi) && len == plan.size) {
            // Whole already: handed on from where it is.
            message_len = len;
            on_message(wsi);
            message_len = 0;
            break;
        }
        if (message_len + len > plan.size + 63) {
            fail("a message of another size");
        }
        memcpy(message + message_len, in, len);
        message_len += len;
        if (lws_is_final_fragment(wsi)) {
            on_message(wsi);
            message_len = 0;
        }
        break;
    default:
        break;
    }
    return 0;
}

static void make_context(void) {
    static struct lws_protocols protocols[2];
    struct lws_context_creation_info info;
    int many = plan.scenario == CONNS;
    memset(&info, 0, sizeof info);
    protocols[0].name = "bench";
    protocols[0].callback = callback;
    protocols[0].rx_buffer_size = many ? 1 << 10 : 128 << 10;
    info.port = CONTEXT_PORT_NO_LISTEN;
    info.protocols = protocols;
    info.pt_serv_buf_size = many ? 4 << 10 : 128 << 10;
    info.fd_limit_per_thread = many ? (unsigned)plan.count + 64 : 0;
    info.options = LWS_SERVER_OPTION_VALIDATE_UTF8 | (plan.tls ? LWS_SERVER_OPTION_DO_SSL_GLOBAL_INIT : 0);
    info.client_ssl_ca_filepath = plan.ca;
    context = lws_create_context(&info);
    if (!context) {
        fail("context");
    }
}

static void *serve(void *unused) {
    while (!over && lws_service(context, 0) >= 0) {
    }
    return unused;
}

static void wake(void) { lws_cancel_service(context); }

int main(int argc, char **argv) {
    pthread_t thread;
    plan = plan_read(argc, argv);
    lws_set_log_level(LLL_ERR, NULL);
    out = malloc(LWS_PRE + plan.size + 64);
    message = malloc(plan.size + 64);
    crosses = plan.scenario == SEND || plan.scenario == RTTX || plan.scenario == RTTH;
    gate_init(&opened);
    host_init(&host, &plan, wake);
    make_context();
    begin_connect();
    if (crosses) {
        pthread_create(&thread, NULL, serve, NULL);
        gate_wait(&opened, 1);
        if (plan.scenario == SEND) {
            host_sends(&host);
        } else {
            host_round_trips(&host);
        }
        end();
        pthread_join(thread, NULL);
    } else {
        serve(NULL);
    }
    if (plan.scenario == CONNS) {
        over = 0;
        pthread_create(&thread, NULL, serve, NULL);
        report_connections(&plan, memory_of_first);
        end();
        pthread_join(thread, NULL);
    }
    lws_context_destroy(context);
    return 0;
}
