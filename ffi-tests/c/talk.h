// What the tests of messages, sending and closing share: payloads, calls with callbacks, what an end must be.
#ifndef TARO_TEST_TALK_H
#define TARO_TEST_TALK_H

#include <stdlib.h>

#include "mini.h"

// --- payloads

// Byte i is i mod 251, as the server's own.
static inline unsigned char *talk_bytes(size_t len) {
    unsigned char *bytes = malloc(len + 1);
    CHECK(bytes != NULL);
    for (size_t at = 0; at < len; at++) {
        bytes[at] = (unsigned char)(at % 251);
    }
    return bytes;
}

// UTF-8 of exactly that length, characters of every width in it.
static inline unsigned char *talk_text(size_t len) {
    static const char unit[] = "\xc3\xa9\xe2\x82\xac\xf0\x9f\x98\x80";
    enum { UNIT = sizeof unit }; // with one letter
    unsigned char *text = malloc(len + 1);
    CHECK(text != NULL);
    size_t at = 0;
    for (; at + UNIT <= len; at += UNIT) {
        memcpy(text + at, unit, UNIT - 1);
        text[at + UNIT - 1] = (unsigned char)('a' + at / UNIT % 23);
    }
    for (; at < len; at++) {
        text[at] = (unsigned char)('0' + at % 10);
    }
    return text;
}

static inline void talk_check_message(const struct record *message, uint32_t kind, const void *data, size_t len) {
    CHECK_UINT(message->message_kind, ==, kind);
    CHECK_BYTES(message->data.ptr, message->data.len, data, len);
}

// --- calls

static inline taro_status talk_send_quietly(taro_socket socket, uint32_t kind, const void *data, size_t len) {
    return kind == TARO_MESSAGE_TEXT ? taro_socket_send_text(socket, data, len)
                                     : taro_socket_send_binary(socket, data, len);
}

static inline taro_status talk_send(taro_socket socket, struct recording *sent, const char *text) {
    const taro_send_options options = record_send_text_options(sent, text);
    return taro_socket_send(socket, &options);
}

static inline taro_status talk_close(taro_socket socket, struct recording *closed, uint32_t code, const char *reason) {
    const taro_close_options options = record_close_options(closed, code, reason);
    return taro_socket_close(socket, &options);
}

// The results of a call that was refused, or accepted and not carried out: fail and complete with this record.
static inline void talk_check_failed(struct mini *mini, const char *label, taro_socket socket, taro_status status,
                                     int32_t err_no, const char *err_msg) {
    mini_wait(mini, RECORD_RELEASE, label, 1);
    CHECK_SEQUENCE(&mini->recorder, label, "fail complete release");
    const struct record *fail = mini_find(mini, RECORD_FAIL, label, 1);
    CHECK_UINT(fail->socket, ==, socket);
    CHECK_INT(fail->status, ==, status);
    CHECK_INT(fail->err_no, ==, err_no);
    CHECK_INT(fail->code, ==, err_no);
    CHECK_STR(fail->err_msg, err_msg);
    CHECK(strstr(err_msg, ":fail ") != NULL);
    CHECK_STR(fail->reason, strstr(err_msg, ":fail ") + strlen(":fail "));
    CHECK_UINT(fail->cause, ==, TARO_CAUSE_NONE);
    CHECK_INT(fail->http_status, ==, 0);
    CHECK_INT(fail->os_error, ==, 0);
}

// The results of a call that went well.
static inline void talk_check_succeeded(struct mini *mini, const char *label, taro_socket socket,
                                        const char *err_msg) {
    mini_wait(mini, RECORD_RELEASE, label, 1);
    CHECK_SEQUENCE(&mini->recorder, label, "success complete release");
    const struct record *success = mini_find(mini, RECORD_SUCCESS, label, 1);
    CHECK_UINT(success->socket, ==, socket);
    CHECK_INT(success->status, ==, TARO_STATUS_OK);
    CHECK_INT(success->err_no, ==, 0);
    CHECK_INT(success->code, ==, 0);
    CHECK_STR(success->err_msg, err_msg);
    CHECK_STR(success->reason, "");
    CHECK_UINT(success->cause, ==, TARO_CAUSE_NONE);
}

// --- parts of a socket's life

enum talk_place {
    TALK_CONNECTING,
    TALK_PAUSED,          // open, which a pause holds back
    TALK_NOT_TOLD_OPEN,   // open, which waits for dispatch
    TALK_OPEN,
    TALK_CLOSING,
    TALK_CLOSED,
    TALK_NOT_TOLD_CLOSED, // closed by the peer, which waits for dispatch
    TALK_PEER_CLOSED,
    TALK_BROKEN,
    TALK_NOT_OPENED
};

// Connects to the server and brings the socket there. `query`: what the place needs of the server.
static inline taro_socket talk_bring_to(struct mini *mini, struct recording *a, enum talk_place place, const char *id,
                                        const char *query) {
    const char *url = SERVER_URL("ws", "/echo?id=%s&%s", id, query);
    const taro_socket socket =
        place == TALK_PAUSED ? mini_connect_paused(mini, a, url) : mini_connect(mini, a, url);
    if (place == TALK_CONNECTING) {
        SERVER_WAIT(id, "request GET");
    } else if (place == TALK_PAUSED || place == TALK_NOT_TOLD_OPEN) {
        mini_in_step(id, 1);
    } else if (place == TALK_NOT_OPENED) {
        mini_wait(mini, RECORD_ERROR, a->label, 1);
    } else {
        mini_wait(mini, RECORD_OPEN, a->label, 1);
    }
    if (place == TALK_CLOSING || place == TALK_CLOSED) {
        mini_close(socket);
    }
    if (place == TALK_NOT_TOLD_CLOSED) {
        SERVER_COMMAND("do %s close:1000:", id);
        SERVER_WAIT(id, "^close 1000");
    }
    if (place == TALK_CLOSED || place == TALK_PEER_CLOSED || place == TALK_BROKEN) {
        mini_wait(mini, RECORD_CLOSE, a->label, 1);
    }
    return socket;
}

// --- ends

struct talk_end {
    uint32_t code;
    const char *reason;
    uint32_t was_clean;
    uint32_t initiator;
    uint32_t cause;
    int32_t os_error;
};

static inline void talk_check_close(const struct record *close, const struct talk_end *end) {
    CHECK_UINT(close->close_code, ==, end->code);
    CHECK_STR(close->reason, end->reason);
    CHECK_UINT(close->was_clean, ==, end->was_clean);
    CHECK_UINT(close->initiator, ==, end->initiator);
    CHECK_UINT(close->cause, ==, end->cause);
    CHECK_INT(close->os_error, ==, end->os_error);
}

// `error` of a connection that was open and broke.
static inline void talk_check_broken(const struct record *error, uint32_t cause, int32_t os_error) {
    CHECK_INT(error->status, ==, TARO_STATUS_CONNECTION_FAILED);
    CHECK_INT(error->err_no, ==, 600000);
    CHECK_INT(error->code, ==, 600000);
    CHECK_STR(error->err_msg, "connectSocket:fail WebSocket connection failed");
    CHECK_STR(error->reason, "WebSocket connection failed");
    CHECK_UINT(error->cause, ==, cause);
    CHECK_INT(error->http_status, ==, 0);
    CHECK_INT(error->os_error, ==, os_error);
    CHECK_UINT(error->tls_error, ==, TARO_TLS_ERROR_NONE);
}

#endif
