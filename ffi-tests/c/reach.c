// L5, L16: servers that cannot be reached, or go before they have said a word.
#include <errno.h>

#include "answer.h"

static const uint32_t flavours[] = {TARO_FLAVOUR_WEAPP, TARO_FLAVOUR_H5};

static struct failure run(uint32_t flavour, const char *url) {
    struct failing failing;
    failing_init(&failing, attempt_app_of(flavour), flavour, url);
    const struct failure failure = failing_run(&failing);
    CHECK_INT(failure.status, ==, TARO_STATUS_CONNECTION_FAILED);
    CHECK_INT(failure.http_status, ==, 0);
    return failure;
}

static void a_port_where_nobody_listens(void) {
    for (size_t at = 0; at < 2; at++) {
        const struct failure failure = run(flavours[at], SERVER_URL("refuse", "/echo"));
        CHECK_UINT(failure.cause, ==, TARO_CAUSE_CONNECT);
        CHECK_INT(failure.os_error, ==, ECONNREFUSED);
    }
    attempt_shutdown();
}

// The top-level domain that never exists (RFC 2606).
static void a_name_that_does_not_resolve(void) {
    for (size_t at = 0; at < 2; at++) {
        const struct failure failure = run(flavours[at], "ws://nowhere.invalid/echo");
        CHECK_UINT(failure.cause, ==, TARO_CAUSE_RESOLVE);
    }
    attempt_shutdown();
}

// Over once the request was read: the reset cannot overtake the connect.
static void a_reset_after_the_request(void) {
    for (size_t at = 0; at < 2; at++) {
        const struct failure failure = run(flavours[at], SERVER_URL("ws", "/echo?cut=0&cutmode=rst"));
        CHECK_UINT(failure.cause, ==, TARO_CAUSE_RESET);
        CHECK_INT(failure.os_error, ==, ECONNRESET);
    }
    attempt_shutdown();
}

static void an_end_after_the_request(void) {
    for (size_t at = 0; at < 2; at++) {
        const struct failure failure = run(flavours[at], SERVER_URL("ws", "/echo?cut=0"));
        CHECK_UINT(failure.cause, ==, TARO_CAUSE_RESET);
        CHECK_INT(failure.os_error, ==, 0);
    }
    attempt_shutdown();
}

// Over before the request was read: whether the connect, the write or the read meets it is for the network to say.
static void a_reset_at_once(void) {
    for (size_t at = 0; at < 2; at++) {
        const struct failure failure = run(flavours[at], SERVER_URL("reset", "/echo"));
        CHECK(failure.cause == TARO_CAUSE_RESET || failure.cause == TARO_CAUSE_CONNECT);
        CHECK(failure.os_error == ECONNRESET || failure.os_error == EPIPE);
    }
    attempt_shutdown();
}

static void an_end_at_once(void) {
    for (size_t at = 0; at < 2; at++) {
        const struct failure failure = run(flavours[at], SERVER_URL("drop", "/echo"));
        CHECK_UINT(failure.cause, ==, TARO_CAUSE_RESET);
        CHECK(failure.os_error == 0 || failure.os_error == ECONNRESET || failure.os_error == EPIPE);
    }
    attempt_shutdown();
}

static const struct test tests[] = {
    TEST("L5 L21", a_port_where_nobody_listens),
    TEST("L5 L21", a_name_that_does_not_resolve),
    TEST("L5 L21", a_reset_after_the_request),
    TEST("L5 L21", an_end_after_the_request),
    TEST("L5 L21", a_reset_at_once),
    TEST("L5 L21", an_end_at_once),
};

TEST_MAIN(tests)
