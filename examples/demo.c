// link: none
//
// What `scripts/demo.sh c` runs: a host that loads the library with dlopen and does what the second example of Taro's
// documentation of connectSocket does, over ws, then over wss. It prints when each thing happened, and where
// the time of the connect went.
//
//     demo LIBRARY WS_PORT WSS_PORT CA_FILE
//
// An echo server listens on the two ports of 127.0.0.1; its certificate, for echo.websocket.org, was issued
// by a CA of CA_FILE.

#ifndef _GNU_SOURCE
#define _POSIX_C_SOURCE 200809L
#endif

#include <dlfcn.h>
#include <inttypes.h>
#include <pthread.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <time.h>

#include "taro_socket.h"

enum { DEADLINE_S = 20, BAR_WIDTH = 40 };

// The library's functions: each pointer has the type of the header's declaration.
static struct {
    __typeof__(&taro_abi_version) abi_version;
    __typeof__(&taro_version) version;
    __typeof__(&taro_status_name) status_name;
    __typeof__(&taro_init) init;
    __typeof__(&taro_shutdown) shutdown;
    __typeof__(&taro_app_create) app_create;
    __typeof__(&taro_app_release) app_release;
    __typeof__(&taro_connect_socket) connect_socket;
    __typeof__(&taro_socket_send_text) socket_send_text;
    __typeof__(&taro_socket_close) socket_close;
    __typeof__(&taro_socket_release) socket_release;
} taro;

// One connection, from connectSocket to onClose. The callbacks write it, all on one thread; main reads it
// when the library has given it back.
struct connection {
    const char *url;
    double start_ms;
    int succeeded, opened, secure, echoed, closed;
    int ended; // guarded by lock
};

static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
static pthread_cond_t changed = PTHREAD_COND_INITIALIZER;
static _Thread_local char thread_name[32] = "?";

// --- printing

static double now_ms(void) {
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    return (double)now.tv_sec * 1e3 + (double)now.tv_nsec / 1e6;
}

// A line of the timeline.
__attribute__((format(printf, 2, 3)))
static void say(const struct connection *connection, const char *format, ...) {
    char text[512];
    va_list arguments;
    va_start(arguments, format);
    vsnprintf(text, sizeof text, format, arguments);
    va_end(arguments);
    printf("%9.2f  %-12s %s\n", now_ms() - connection->start_ms, thread_name, text);
}

// Always 0, so that a check can end with it.
__attribute__((format(printf, 1, 2)))
static int complain(const char *format, ...) {
    va_list arguments;
    va_start(arguments, format);
    fflush(stdout);
    fputs("demo: ", stderr);
    vfprintf(stderr, format, arguments);
    fputc('\n', stderr);
    va_end(arguments);
    return 0;
}

// A phase of the connect: a bar on a line as long as the whole connect.
static void say_phase(const char *name, int64_t start_us, int64_t duration_us, int64_t cost_us) {
    int64_t scale = cost_us > 0 ? cost_us : 1;
    int64_t from = start_us * BAR_WIDTH / scale;
    int64_t to = (start_us + duration_us) * BAR_WIDTH / scale;
    char bar[BAR_WIDTH + 1];
    for (int64_t at = 0; at < BAR_WIDTH; at++) {
        bar[at] = at >= from && at < to ? '=' : ' ';
    }
    bar[BAR_WIDTH] = '\0';
    printf("%24s%-14s %8.3f ms |%s|\n", "", name, (double)duration_us / 1e3, bar);
}

static void say_profile(const taro_profile *profile) {
    int64_t zero = profile->fetch_start_us, cost = profile->cost_us;
    int64_t lookup = profile->domain_look_up_start_us, connect = profile->connect_start_us;
    say_phase("domainLookUp", lookup - zero, profile->domain_look_up_end_us - lookup, cost);
    say_phase("connect", connect - zero, profile->connect_end_us - connect, cost);
    say_phase("rtt", profile->connect_end_us - zero - profile->rtt_us, profile->rtt_us, cost);
    say_phase("handshakeCost", cost - profile->handshake_cost_us, profile->handshake_cost_us, cost);
    say_phase("cost", 0, cost, cost);
}

// --- notices: they call nothing of the library

static void on_thread_start(const char *name, void *user_data) {
    (void)user_data;
    snprintf(thread_name, sizeof thread_name, "%s", name);
}

static void on_log(uint32_t level, const char *message, size_t message_len, void *user_data) {
    (void)user_data;
    complain("log %" PRIu32 ": %.*s", level, (int)message_len, message);
}

// --- one connection: direct delivery, so all of these run on the library's I/O thread

static void on_success(taro_socket socket, const taro_result *result, void *user_data) {
    struct connection *connection = user_data;
    (void)socket, (void)result;
    connection->succeeded = 1;
    say(connection, "connect success");
}

static void on_fail(taro_socket socket, const taro_result *result, void *user_data) {
    (void)socket;
    say(user_data, "connect fail: %.*s", (int)result->err_msg.len, result->err_msg.ptr);
}

static void on_open(taro_socket socket, const taro_open_event *event, void *user_data) {
    struct connection *connection = user_data;
    connection->opened = 1;
    connection->secure = event->tls_version.len > 0;
    say(connection, "onOpen");
    printf("%24sHTTP %" PRId32 " from %.*s %.*s %.*s\n", "", event->http_status,
           (int)event->peer_address.len, event->peer_address.ptr, (int)event->tls_version.len,
           event->tls_version.ptr, (int)event->tls_cipher.len, event->tls_cipher.ptr);
    say_profile(event->profile);

    say(connection, "send: xxx");
    taro_status status = taro.socket_send_text(socket, "xxx", 3);
    if (status != TARO_STATUS_OK) {
        say(connection, "send fail: %s", taro.status_name(status));
        taro.socket_close(socket, NULL);
    }
}

static void on_message(taro_socket socket, const taro_message_event *event, void *user_data) {
    struct connection *connection = user_data;
    connection->echoed = event->kind == TARO_MESSAGE_TEXT && event->data_len == 3
        && memcmp(event->data, "xxx", 3) == 0;
    say(connection, "onMessage: %.*s", (int)event->data_len, (const char *)event->data);

    say(connection, "close");
    taro_status status = taro.socket_close(socket, NULL);
    if (status != TARO_STATUS_OK) {
        say(connection, "close fail: %s", taro.status_name(status));
    }
}

static void on_error(taro_socket socket, const taro_result *event, void *user_data) {
    (void)socket;
    say(user_data, "onError: %.*s %.*s %.*s", (int)event->err_msg.len, event->err_msg.ptr,
        (int)event->tls_detail.len, event->tls_detail.ptr, (int)event->detail.len, event->detail.ptr);
}

static void on_close(taro_socket socket, const taro_close_event *event, void *user_data) {
    struct connection *connection = user_data;
    (void)socket;
    connection->closed = event->code == 1000 && event->was_clean;
    say(connection, "onClose: %" PRIu32 "%s", event->code, event->was_clean ? "" : " (not clean)");
}

// The last of all, however the connection ended.
static void on_release(void *user_data) {
    struct connection *connection = user_data;
    pthread_mutex_lock(&lock);
    connection->ended = 1;
    pthread_cond_signal(&changed);
    pthread_mutex_unlock(&lock);
}

static int wait_for_end(struct connection *connection) {
    struct timespec until;
    int error = 0;
    clock_gettime(CLOCK_REALTIME, &until);
    until.tv_sec += DEADLINE_S;
    pthread_mutex_lock(&lock);
    while (!connection->ended && error == 0) {
        error = pthread_cond_timedwait(&changed, &lock, &until);
    }
    int ended = connection->ended;
    pthread_mutex_unlock(&lock);
    return ended;
}

static int run_connection(struct connection *connection, taro_app app, int secure) {
    taro_connect_options options = TARO_CONNECT_OPTIONS_INIT;
    taro_socket socket;
    options.app = app;
    options.url = (taro_str){connection->url, strlen(connection->url)};
    options.timeout_ms = DEADLINE_S * 1000 / 2;
    options.success = on_success;
    options.fail = on_fail;
    options.open = on_open;
    options.message = on_message;
    options.error = on_error;
    options.close = on_close;
    options.user_data = connection;
    options.release = on_release;

    printf("\n%s\n%9s  %s\n", connection->url, "ms", "thread");
    connection->start_ms = now_ms();
    say(connection, "connectSocket");
    taro_status status = taro.connect_socket(&options, &socket);
    if (status < 0 && status > TARO_STATUS_INVALID_URL) {
        // Misuse: nothing was taken and no callback follows. After any other failure on_fail says more.
        return complain("%s: connectSocket: %s", connection->url, taro.status_name(status));
    }
    if (!wait_for_end(connection)) {
        return complain("%s: not done within %d seconds", connection->url, DEADLINE_S);
    }
    status = taro.socket_release(socket);
    if (status != TARO_STATUS_OK) {
        return complain("%s: release: %s", connection->url, taro.status_name(status));
    }

    const char *missing = !connection->succeeded ? "connect success"
        : !connection->opened ? "onOpen"
        : connection->secure != secure ? (secure ? "TLS" : "a connection without TLS")
        : !connection->echoed ? "onMessage: xxx"
        : !connection->closed ? "a clean onClose: 1000"
        : NULL;
    return missing == NULL ? 1 : complain("%s: there was no %s", connection->url, missing);
}

// --- loading

// ISO C has no cast from the void * of dlsym to a function pointer.
static int find(void *library, const char *name, void *function, size_t size) {
    void *address = dlsym(library, name);
    if (address == NULL) {
        return complain("%s", dlerror());
    }
    memcpy(function, &address, size);
    return 1;
}

#define FIND(name) find(library, "taro_" #name, &taro.name, sizeof taro.name)

static int find_all(void *library) {
    // The number first: with another one, the other functions may have another meaning.
    if (!FIND(abi_version)) {
        return 0;
    }
    if (taro.abi_version() != TARO_ABI_VERSION) {
        return complain("the library has ABI %" PRIu32 ", this program was built for %d", taro.abi_version(),
                        TARO_ABI_VERSION);
    }
    return FIND(version) && FIND(status_name) && FIND(init) && FIND(shutdown) && FIND(app_create)
        && FIND(app_release) && FIND(connect_socket) && FIND(socket_send_text) && FIND(socket_close)
        && FIND(socket_release);
}

// --- the whole

// An app that finds echo.websocket.org on this machine, and trusts the CA of the file.
static int create_app(char **ports, const char *ca_file, taro_app *app) {
    char ws[32], wss[32];
    int ws_len = snprintf(ws, sizeof ws, "127.0.0.1:%s", ports[0]);
    int wss_len = snprintf(wss, sizeof wss, "127.0.0.1:%s", ports[1]);
    taro_address_override overrides[] = {
        {TARO_STR("echo.websocket.org:80"), {ws, (size_t)ws_len}},
        {TARO_STR("echo.websocket.org:443"), {wss, (size_t)wss_len}},
    };
    taro_app_options options = TARO_APP_OPTIONS_INIT;
    options.address_overrides = overrides;
    options.address_overrides_len = sizeof overrides / sizeof overrides[0];
    options.ca_file = (taro_str){ca_file, strlen(ca_file)};
    if ((size_t)ws_len >= sizeof ws || (size_t)wss_len >= sizeof wss) {
        return complain("%s and %s are no ports", ports[0], ports[1]);
    }
    taro_status status = taro.app_create(&options, app);
    if (status != TARO_STATUS_OK) {
        return complain("app_create: %s (ports %s and %s, CA file %s)", taro.status_name(status), ports[0],
                        ports[1], ca_file);
    }
    return 1;
}

static int run(char **ports, const char *ca_file, struct connection *connections) {
    taro_init_options options = TARO_INIT_OPTIONS_INIT;
    taro_app app;
    options.log = on_log;
    options.thread_start = on_thread_start;
    taro_status status = taro.init(&options);
    if (status != TARO_STATUS_OK) {
        return complain("init: %s", taro.status_name(status));
    }
    if (!create_app(ports, ca_file, &app)) {
        return 0;
    }
    if (!run_connection(&connections[0], app, 0) || !run_connection(&connections[1], app, 1)) {
        return 0;
    }
    status = taro.app_release(app);
    return status == TARO_STATUS_OK ? 1 : complain("app_release: %s", taro.status_name(status));
}

int main(int argc, char **argv) {
    struct connection connections[] = {
        {.url = "ws://echo.websocket.org/echo"},
        {.url = "wss://echo.websocket.org/echo"},
    };
    if (argc != 5) {
        complain("usage: demo LIBRARY WS_PORT WSS_PORT CA_FILE");
        return 2;
    }
    snprintf(thread_name, sizeof thread_name, "main");
    void *library = dlopen(argv[1], RTLD_NOW | RTLD_LOCAL);
    if (library == NULL) {
        complain("%s", dlerror());
        return 1;
    }
    if (!find_all(library)) {
        return 1;
    }
    printf("libtaro_socket %s, ABI %" PRIu32 ", from %s\n", taro.version(), taro.abi_version(), argv[1]);

    int ok = run(&argv[2], argv[4], connections);

    // Also after a failure: until it says OK, the library may still use the connections.
    taro_status status = taro.shutdown(DEADLINE_S * 1000);
    if (status != TARO_STATUS_OK) {
        complain("shutdown: %s", taro.status_name(status));
        return 1;
    }
    dlclose(library);
    if (ok) {
        printf("\nAll done: each socket was closed and released, the library was shut down.\n");
    }
    return ok ? 0 : 1;
}
