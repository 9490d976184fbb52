// L14: the one-socket mode of base libraries before 1.7.0, and the socket that the global functions act on.
#include "mini.h"

static void init(struct mini *mini, uint32_t single_socket, uint32_t delivery) {
    taro_app_options options = TARO_APP_OPTIONS_INIT;
    options.single_socket = single_socket;
    options.delivery = delivery;
    options.close_timeout_ms = 200;
    mini_init(mini, &options);
}

// --- a new connect closes the old socket

static const struct replaced {
    const char *name;
    const char *query;
    int opens;     // the old one is open by then
    uint32_t code; // what its `close` says
    uint32_t was_clean;
    uint32_t cause;
} replaceds[] = {
    {"open", "", 1, 1000, 1, TARO_CAUSE_NONE},
    {"open, the peer answers with its own", "onclose=4000:mine", 1, 4000, 1, TARO_CAUSE_NONE},
    {"open, the peer goes without an answer", "onclose=drop", 1, 1000, 0, TARO_CAUSE_RESET},
    {"open, the peer never answers", "onclose=ignore", 1, 1000, 0, TARO_CAUSE_TIMEOUT},
    {"connecting", "stall=request", 0, 1000, 0, TARO_CAUSE_CANCELLED},
};

static void run_replaced(const struct replaced *row, uint32_t delivery) {
    struct mini mini;
    init(&mini, 1, delivery);
    struct recording old = RECORDING(&mini.recorder, "old"), new = RECORDING(&mini.recorder, "new");
    const char *url = SERVER_URL("ws", "/echo?id=old&%s", row->query);
    const taro_socket first = row->opens ? mini_open(&mini, &old, url) : mini_connect(&mini, &old, url);
    SERVER_WAIT("old", "^request");
    const taro_socket second = mini_connect(&mini, &new, SERVER_URL("ws", "/echo?id=new&act=text:hi"));
    CHECK_UINT(second, !=, first);
    CHECK_UINT(mini_live(&mini), ==, 1);
    if (row->opens) {
        CHECK_TEXT(SERVER_WAIT("old", "^close"), "close 1000");
    }
    mini_wait(&mini, RECORD_MESSAGE, "new", 1);
    const struct record *closed = mini_find(&mini, RECORD_CLOSE, "old", 1);
    CHECK_UINT(closed->close_code, ==, row->code);
    CHECK_UINT(closed->was_clean, ==, row->was_clean);
    CHECK_UINT(closed->initiator, ==, TARO_INITIATOR_LIBRARY);
    CHECK_UINT(closed->cause, ==, row->cause);
    CHECK_BEFORE(&mini.recorder, RECORD_CLOSE, "old", RECORD_OPEN, "new");
    mini_wait(&mini, RECORD_RELEASE, "old", 1);
    CHECK_SEQUENCE(&mini.recorder, "old",
                   row->opens ? "success complete open close release" : "success complete close release");
    CHECK_SEQUENCE(&mini.recorder, "new", "success complete open message");
    SERVER_COMMAND("forget old");
    SERVER_COMMAND("forget new");
    mini_end(&mini);
}

static void a_new_connect_closes_the_old_one_first(void) {
    for (size_t at = 0; at < sizeof replaceds / sizeof *replaceds; at++) {
        for (MINI_EACH_DELIVERY(delivery)) {
            mini_row(replaceds[at].name);
            run_replaced(&replaceds[at], delivery);
        }
    }
    mini_row(NULL);
    mini_shutdown();
}

// Both have ended before the host looks: the order is kept all the same.
static void the_order_is_kept_in_the_queue(void) {
    struct mini mini;
    init(&mini, 1, TARO_DELIVERY_HOST);
    struct recording old = RECORDING(&mini.recorder, "old"), new = RECORDING(&mini.recorder, "new");
    mini_open(&mini, &old, SERVER_URL("ws", "/echo"));
    mini_connect(&mini, &new, SERVER_URL("ws", "/echo?id=queued&act=text:hi;close:1000:"));
    SERVER_WAIT("queued", "^end");
    EVENTUALLY(mini_live(&mini) == 0);
    mini_wait(&mini, RECORD_RELEASE, "new", 1);
    CHECK_BEFORE(&mini.recorder, RECORD_CLOSE, "old", RECORD_OPEN, "new");
    CHECK_SEQUENCE(&mini.recorder, "old", "success complete open close release");
    CHECK_SEQUENCE(&mini.recorder, "new", "success complete open message close release");
    mini_end(&mini);
    mini_shutdown();
}

enum { CHAIN = 5 };

static void each_of_several_goes_for_the_next(void) {
    static const char *const labels[CHAIN] = {"0", "1", "2", "3", "4"};
    for (MINI_EACH_DELIVERY(delivery)) {
        struct mini mini;
        struct recording recordings[CHAIN];
        init(&mini, 1, delivery);
        for (size_t at = 0; at < CHAIN; at++) {
            recordings[at] = RECORDING(&mini.recorder, labels[at]);
            mini_connect(&mini, &recordings[at], SERVER_URL("ws", "/echo"));
            CHECK_UINT(mini_live(&mini), ==, 1);
        }
        mini_wait(&mini, RECORD_OPEN, labels[CHAIN - 1], 1);
        for (size_t at = 0; at + 1 < CHAIN; at++) {
            CHECK_UINT(mini_find(&mini, RECORD_CLOSE, labels[at], 1)->close_code, ==, 1000);
            CHECK_BEFORE(&mini.recorder, RECORD_CLOSE, labels[at], RECORD_OPEN, labels[CHAIN - 1]);
            CHECK_UINT(record_count(&mini.recorder, RECORD_ERROR, labels[at]), ==, 0);
        }
        mini_end(&mini);
    }
    mini_shutdown();
}

// `open` of the new one waits for the end of the old one, which is paused; its results do not.
static void a_paused_old_one_is_waited_for(void) {
    for (MINI_EACH_DELIVERY(delivery)) {
        struct mini mini;
        init(&mini, 1, delivery);
        struct recording old = RECORDING(&mini.recorder, "old"), new = RECORDING(&mini.recorder, "new");
        const taro_socket first = mini_open(&mini, &old, SERVER_URL("ws", "/echo"));
        CHECK_STATUS(taro_socket_pause(first), TARO_STATUS_OK);
        mini_connect(&mini, &new, SERVER_URL("ws", "/echo?id=waits"));
        mini_in_step("waits", 1);
        mini_wait(&mini, RECORD_COMPLETE, "new", 1);
        CHECK_SEQUENCE(&mini.recorder, "old", "success complete open");
        CHECK_SEQUENCE(&mini.recorder, "new", "success complete");
        CHECK_STATUS(taro_socket_resume(first), TARO_STATUS_OK);
        mini_wait(&mini, RECORD_OPEN, "new", 1);
        CHECK_BEFORE(&mini.recorder, RECORD_CLOSE, "old", RECORD_OPEN, "new");
        SERVER_COMMAND("forget waits");
        mini_end(&mini);
    }
    mini_shutdown();
}

// A release is silent: there is no `close` to wait for.
static void a_released_old_one_is_not_waited_for(void) {
    for (MINI_EACH_DELIVERY(delivery)) {
        struct mini mini;
        init(&mini, 1, delivery);
        struct recording old = RECORDING(&mini.recorder, "old"), new = RECORDING(&mini.recorder, "new");
        const taro_socket first = mini_open(&mini, &old, SERVER_URL("ws", "/echo?onclose=ignore"));
        CHECK_STATUS(taro_socket_pause(first), TARO_STATUS_OK);
        mini_connect(&mini, &new, SERVER_URL("ws", "/echo"));
        CHECK_STATUS(taro_socket_release(first), TARO_STATUS_OK);
        mini_wait(&mini, RECORD_OPEN, "new", 1);
        CHECK_SEQUENCE(&mini.recorder, "old", "success complete open release");
        mini_end(&mini);
    }
    mini_shutdown();
}

// A connect that is refused changes nothing.
static void a_refused_connect_closes_nothing(void) {
    struct mini mini;
    init(&mini, 1, TARO_DELIVERY_DIRECT);
    struct recording old = RECORDING(&mini.recorder, "old"), refused = RECORDING(&mini.recorder, "refused");
    const taro_socket first = mini_open(&mini, &old, SERVER_URL("ws", "/echo"));
    mini_refuse(&mini, &refused);
    mini_wait(&mini, RECORD_RELEASE, "refused", 1);
    CHECK_UINT(mini_state(first), ==, TARO_READY_STATE_OPEN);
    mini_send(first, "still");
    CHECK_STR(mini_wait(&mini, RECORD_MESSAGE, "old", 1)->data, "still");
    CHECK_UINT(mini_live(&mini), ==, 1);
    mini_end(&mini);
    mini_shutdown();
}

// The old one is closed for the new one, whatever then becomes of that.
static void the_new_one_may_fail(void) {
    struct mini mini;
    init(&mini, 1, TARO_DELIVERY_DIRECT);
    struct recording old = RECORDING(&mini.recorder, "old"), new = RECORDING(&mini.recorder, "new");
    mini_open(&mini, &old, SERVER_URL("ws", "/echo"));
    mini_connect(&mini, &new, SERVER_URL("refuse", "/"));
    mini_wait(&mini, RECORD_RELEASE, "new", 1);
    mini_wait(&mini, RECORD_RELEASE, "old", 1);
    CHECK_SEQUENCE(&mini.recorder, "old", "success complete open close release");
    CHECK_SEQUENCE(&mini.recorder, "new", "success complete error release");
    CHECK_UINT(mini_live(&mini), ==, 0);
    mini_end(&mini);
    mini_shutdown();
}

// --- the socket of the global functions

static taro_socket global(const struct mini *mini) {
    taro_socket socket = 4711;
    CHECK_STATUS(taro_app_get_global_socket(mini->app, &socket), TARO_STATUS_OK);
    return socket;
}

static void the_first_live_one_is_bound(void) {
    struct mini mini, other;
    init(&mini, 0, TARO_DELIVERY_DIRECT);
    init(&other, 0, TARO_DELIVERY_DIRECT);
    struct recording a = RECORDING(&mini.recorder, "a"), b = RECORDING(&mini.recorder, "b"),
                     c = RECORDING(&mini.recorder, "c"), d = RECORDING(&mini.recorder, "d"),
                     refused = RECORDING(&mini.recorder, "refused");
    CHECK_UINT(global(&mini), ==, 0);
    mini_refuse(&mini, &refused);
    CHECK_UINT(global(&mini), ==, 0);
    // At connect, not at open.
    const taro_socket first = mini_connect(&mini, &a, SERVER_URL("ws", "/echo?stall=request"));
    CHECK_UINT(global(&mini), ==, first);
    const taro_socket second = mini_open(&mini, &b, SERVER_URL("ws", "/echo"));
    CHECK_UINT(global(&mini), ==, first);
    CHECK_UINT(global(&other), ==, 0);
    // The end of another one changes nothing; that of the bound one leaves none, also while others live.
    mini_close(second);
    mini_wait(&mini, RECORD_CLOSE, "b", 1);
    CHECK_UINT(global(&mini), ==, first);
    const taro_socket third = mini_open(&mini, &c, SERVER_URL("ws", "/echo"));
    CHECK_UINT(global(&mini), ==, first);
    mini_close(first);
    CHECK_UINT(global(&mini), ==, 0);
    mini_wait(&mini, RECORD_CLOSE, "a", 1);
    CHECK_UINT(global(&mini), ==, 0);
    CHECK_UINT(mini_state(third), ==, TARO_READY_STATE_OPEN);
    // The next connect is bound, though an older one lives.
    const taro_socket fourth = mini_open(&mini, &d, SERVER_URL("ws", "/echo"));
    CHECK_UINT(global(&mini), ==, fourth);
    CHECK_STATUS(taro_socket_release(fourth), TARO_STATUS_OK);
    CHECK_UINT(global(&mini), ==, 0);
    CHECK_UINT(mini_live(&mini), ==, 1);
    mini_end(&other);
    mini_end(&mini);
    mini_shutdown();
}

static void an_end_of_any_kind_unbinds(void) {
    static const char *const queries[] = {"status=403", "act=close:1000:", "act=drop", "act=frame:ff00"};
    struct mini mini;
    init(&mini, 0, TARO_DELIVERY_DIRECT);
    for (size_t at = 0; at < sizeof queries / sizeof *queries; at++) {
        struct recording a = RECORDING(&mini.recorder, queries[at]);
        mini_row(queries[at]);
        const taro_socket socket = mini_connect(&mini, &a, SERVER_URL("ws", "/echo?%s", queries[at]));
        mini_wait(&mini, RECORD_RELEASE, queries[at], 1);
        CHECK_UINT(mini_state(socket), ==, TARO_READY_STATE_CLOSED);
        CHECK_UINT(global(&mini), ==, 0);
    }
    mini_row(NULL);
    mini_end(&mini);
    mini_shutdown();
}

// In the one-socket mode there are the global functions alone: they act on the socket that there is.
static void in_the_one_socket_mode_it_is_the_newest(void) {
    struct mini mini;
    init(&mini, 1, TARO_DELIVERY_DIRECT);
    struct recording a = RECORDING(&mini.recorder, "a"), b = RECORDING(&mini.recorder, "b"),
                     c = RECORDING(&mini.recorder, "c");
    const taro_socket first = mini_open(&mini, &a, SERVER_URL("ws", "/echo"));
    CHECK_UINT(global(&mini), ==, first);
    const taro_socket second = mini_connect(&mini, &b, SERVER_URL("ws", "/echo?stall=request"));
    CHECK_UINT(global(&mini), ==, second);
    const taro_socket third = mini_open(&mini, &c, SERVER_URL("ws", "/echo"));
    CHECK_UINT(global(&mini), ==, third);
    mini_wait(&mini, RECORD_RELEASE, "a", 1);
    mini_wait(&mini, RECORD_RELEASE, "b", 1);
    mini_end(&mini);
    mini_shutdown();
}

static const struct test tests[] = {
    TEST("L14", a_new_connect_closes_the_old_one_first),
    TEST("L14", the_order_is_kept_in_the_queue),
    TEST("L14", each_of_several_goes_for_the_next),
    TEST("L7 L14", a_paused_old_one_is_waited_for),
    TEST("L8 L14", a_released_old_one_is_not_waited_for),
    TEST("L14", a_refused_connect_closes_nothing),
    TEST("L14", the_new_one_may_fail),
    TEST("-", the_first_live_one_is_bound),
    TEST("-", an_end_of_any_kind_unbinds),
    TEST("-", in_the_one_socket_mode_it_is_the_newest),
};

TEST_MAIN(tests)
