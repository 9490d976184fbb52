// test: ws-echo
//
// Host delivery, for a script engine that is bound to one thread: the library does the network on a thread of
// its own, and every callback runs inside taro_app_dispatch, on the thread that has the loop. So nothing here
// needs a lock. The loop polls the app's descriptor, beside whatever else it polls.
//
//     host_loop URL

#include <errno.h>
#include <poll.h>
#include <stdio.h>
#include <string.h>

#include "taro_socket.h"

enum { SILENCE_MS = 30000, MOST_EVENTS = 64 };

struct page {
    taro_message kept; // a retained message, like the ArrayBuffer that a script holds
    const char *kept_data;
    size_t kept_len;
    int clean;
    int ended;
};

static void on_sent(taro_socket socket, const taro_result *result, void *user_data) {
    (void)socket, (void)user_data;
    printf("%.*s\n", (int)result->err_msg.len, result->err_msg.ptr);
}

static void on_open(taro_socket socket, const taro_open_event *event, void *user_data) {
    taro_send_options options = TARO_SEND_OPTIONS_INIT;
    (void)event;
    printf("open\n");
    options.kind = TARO_MESSAGE_BINARY;
    options.data = "\0\1\2";
    options.data_len = 3;
    options.complete = on_sent; // after success or fail
    options.user_data = user_data;
    taro_socket_send(socket, &options);
}

static void on_message(taro_socket socket, const taro_message_event *event, void *user_data) {
    struct page *page = user_data;
    taro_close_options options = TARO_CLOSE_OPTIONS_INIT;
    void *data;
    printf("message: %zu bytes\n", event->data_len);
    // Beyond this callback the payload lives only if it is retained.
    if (page->kept == 0 && taro_message_retain(event->message, &data, &page->kept_len) == TARO_STATUS_OK) {
        page->kept = event->message;
        page->kept_data = data;
    }
    options.code = 3000;
    options.reason = TARO_STR("enough");
    taro_socket_close(socket, &options);
}

static void on_failure(taro_socket socket, const taro_result *result, void *user_data) {
    (void)socket, (void)user_data;
    fprintf(stderr, "%.*s %.*s\n", (int)result->err_msg.len, result->err_msg.ptr, (int)result->detail.len,
            result->detail.ptr);
}

static void on_close(taro_socket socket, const taro_close_event *event, void *user_data) {
    struct page *page = user_data;
    (void)socket;
    printf("close: %u %.*s\n", (unsigned)event->code, (int)event->reason.len, event->reason.ptr);
    page->clean = event->code == 3000 && event->was_clean;
}

static void on_release(void *user_data) {
    struct page *page = user_data;
    page->ended = 1;
}

static int complain(const char *what, taro_status status) {
    fprintf(stderr, "%s: %s\n", what, taro_status_name(status));
    return 0;
}

static int loop(taro_app app, struct page *page) {
    int32_t descriptor;
    taro_status status = taro_app_get_descriptor(app, &descriptor);
    if (status != TARO_STATUS_OK) {
        return complain("descriptor", status);
    }
    while (!page->ended) {
        struct pollfd watched = {descriptor, POLLIN, 0};
        int ready = poll(&watched, 1, SILENCE_MS);
        if (ready < 0 && errno == EINTR) {
            continue;
        }
        if (ready <= 0) {
            fprintf(stderr, "%s\n", ready == 0 ? "nothing happened" : strerror(errno));
            return 0;
        }
        // A bounded number, so that other work of the loop has its turn: what is left keeps the descriptor
        // readable.
        status = taro_app_dispatch(app, MOST_EVENTS, NULL);
        if (status != TARO_STATUS_OK) {
            return complain("dispatch", status);
        }
    }
    return page->clean;
}

static int run(const char *url, taro_app app, struct page *page) {
    taro_connect_options options = TARO_CONNECT_OPTIONS_INIT;
    taro_socket socket;
    options.app = app;
    options.url.ptr = url;
    options.url.len = strlen(url);
    options.timeout_ms = 10000;
    options.fail = on_failure;
    options.open = on_open;
    options.message = on_message;
    options.error = on_failure;
    options.close = on_close;
    options.user_data = page;
    options.release = on_release;
    taro_status status = taro_connect_socket(&options, &socket);
    // An accepted connect and a failed one both go on in the loop: fail is a callback like any other.
    if (status < 0 && status > TARO_STATUS_INVALID_URL) {
        return complain("connect", status);
    }
    int ok = loop(app, page);
    taro_socket_release(socket);
    return ok;
}

int main(int argc, char **argv) {
    taro_app_options options = TARO_APP_OPTIONS_INIT;
    taro_app app;
    struct page page = {0, NULL, 0, 0, 0};
    if (argc != 2) {
        fprintf(stderr, "usage: host_loop URL\n");
        return 2;
    }
    options.delivery = TARO_DELIVERY_HOST;
    taro_status status = taro_app_create(&options, &app);
    if (status != TARO_STATUS_OK) {
        complain("app", status);
        return 1;
    }
    int ok = run(argv[1], app, &page);

    // On the thread that dispatches: here the last release functions run.
    taro_app_release(app);
    status = taro_shutdown(5000);
    if (status != TARO_STATUS_OK) {
        ok = complain("shutdown", status);
    }

    // The message outlives socket, app and shutdown.
    ok = ok && page.kept_len == 3 && memcmp(page.kept_data, "\0\1\2", 3) == 0;
    taro_message_release(page.kept);
    return ok ? 0 : 1;
}
