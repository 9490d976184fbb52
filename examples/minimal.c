// test: ws-echo
//
// The smallest program: connects to an echo server, sends `hello`, prints what comes back, closes.
//
//     minimal URL

#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "taro_socket.h"

// What main waits for: a byte in this pipe, written when the library gives user_data back.
static int ended[2];
static int clean;

static void on_open(taro_socket socket, const taro_open_event *event, void *user_data) {
    (void)event, (void)user_data;
    taro_socket_send_text(socket, "hello", 5);
}

static void on_message(taro_socket socket, const taro_message_event *event, void *user_data) {
    (void)user_data;
    // A length and no NUL; a text message is valid UTF-8.
    printf("%.*s\n", (int)event->data_len, (const char *)event->data);
    taro_socket_close(socket, NULL);
}

// fail of the connect, and error of the socket: the same record.
static void on_failure(taro_socket socket, const taro_result *result, void *user_data) {
    (void)socket, (void)user_data;
    fprintf(stderr, "%.*s %.*s\n", (int)result->err_msg.len, result->err_msg.ptr, (int)result->detail.len,
            result->detail.ptr);
}

static void on_close(taro_socket socket, const taro_close_event *event, void *user_data) {
    (void)socket, (void)user_data;
    clean = event->code == 1000 && event->was_clean;
}

// Runs once, last of all, whatever became of the socket.
static void on_release(void *user_data) {
    if (write(*(int *)user_data, "", 1) != 1) {
        perror("write");
    }
}

int main(int argc, char **argv) {
    taro_connect_options options = TARO_CONNECT_OPTIONS_INIT;
    taro_socket socket;
    char byte;
    if (argc != 2 || pipe(ended) != 0) {
        fprintf(stderr, "usage: minimal URL\n");
        return 2;
    }
    options.url.ptr = argv[1];
    options.url.len = strlen(argv[1]);
    options.timeout_ms = 10000;
    options.fail = on_failure;
    options.open = on_open;
    options.message = on_message;
    options.error = on_failure;
    options.close = on_close;
    options.user_data = &ended[1];
    options.release = on_release;

    taro_status status = taro_connect_socket(&options, &socket);
    if (status < 0 && status > TARO_STATUS_INVALID_URL) {
        // Misuse: nothing happened, no callback follows.
        fprintf(stderr, "connect: %s\n", taro_status_name(status));
        return 1;
    }
    if (read(ended[0], &byte, 1) != 1) {
        perror("read");
    }
    // The id is valid until here, also after the socket has ended. 0, of a failed connect, is fine.
    taro_socket_release(socket);
    status = taro_shutdown(5000);
    return status == TARO_STATUS_OK && clean ? 0 : 1;
}
