// L9, L28: messages that the host keeps beyond their callback.
#include <stdlib.h>

#include "mini.h"

// --- a keeper: retains what it is told

struct kept {
    taro_message id;
    unsigned char *data;
    size_t len;
};

struct keeper {
    struct kept kept[64];
    size_t len;
};

static int is_pattern(const unsigned char *data, size_t len, uint32_t kind) {
    for (size_t at = 0; at < len; at++) {
        if (data[at] != (kind == TARO_MESSAGE_TEXT ? 'a' : at % 251)) {
            return 0;
        }
    }
    return 1;
}

static struct kept retain(taro_message id) {
    void *data = NULL, *again = NULL;
    size_t len = 99, len_again = 99;
    CHECK_STATUS(taro_message_retain(id, &data, &len), TARO_STATUS_OK);
    CHECK(data != NULL);
    CHECK_UINT((uintptr_t)data % 16, ==, 0);
    CHECK_STATUS(taro_message_retain(id, &again, &len_again), TARO_STATUS_OK);
    CHECK(again == data);
    CHECK_UINT(len_again, ==, len);
    return (struct kept){id, data, len};
}

static void not_there(taro_message id) {
    void *data = &data;
    size_t len = 99;
    CHECK_STATUS(taro_message_retain(id, &data, &len), TARO_STATUS_BAD_HANDLE);
    CHECK(data == NULL);
    CHECK_UINT(len, ==, 0);
    CHECK_STATUS(taro_message_release(id), id == 0 ? TARO_STATUS_OK : TARO_STATUS_BAD_HANDLE);
}

// Its payload is as the server sent it; from then on every byte of it is the number of the message.
static void keeps(struct recording *recording, const struct record *record, const void *of_message) {
    struct keeper *keeper = recording->context;
    const taro_message_event *event = of_message;
    if (record->kind != RECORD_MESSAGE) {
        return;
    }
    CHECK_UINT(keeper->len, <, sizeof keeper->kept / sizeof *keeper->kept);
    const struct kept kept = retain(event->message);
    CHECK_UINT(kept.len, ==, event->data_len);
    CHECK(is_pattern(kept.data, kept.len, event->kind));
    CHECK(is_pattern(event->data, event->data_len, event->kind));
    memset(kept.data, (int)keeper->len, kept.len);
    keeper->kept[keeper->len++] = kept;
}

static void are_untouched(const struct keeper *keeper) {
    for (size_t at = 0; at < keeper->len; at++) {
        for (size_t byte = 0; byte < keeper->kept[at].len; byte++) {
            if (keeper->kept[at].data[byte] != at) {
                FAIL("message %zu, byte %zu of %zu", at, byte, keeper->kept[at].len);
            }
        }
        check_pass();
    }
}

static void releases(void *context) {
    const struct keeper *keeper = context;
    for (size_t at = 0; at < keeper->len; at++) {
        CHECK_STATUS(taro_message_release(keeper->kept[at].id), TARO_STATUS_OK);
        not_there(keeper->kept[at].id);
    }
}

// --- any length, any way to the host

static const size_t lengths[] = {0, 1, 2, 15, 16, 17, 125, 126, 1000, 65535, 65536, 70001, 1 << 20};
enum { LENGTHS = sizeof lengths / sizeof *lengths };

static void keep_all(const char *listener, uint32_t delivery) {
    taro_app_options options = TARO_APP_OPTIONS_INIT;
    struct keeper keeper = {.len = 0};
    struct mini mini;
    struct test_thread thread;
    options.delivery = delivery;
    options.ca_file = mini_str(server_ca_file());
    mini_init(&mini, &options);
    struct recording a = RECORDING_ON(&mini.recorder, "a", keeps, &keeper);
    const taro_socket socket = mini_open(&mini, &a, SERVER_URL(listener, "/echo?id=kept"));
    for (size_t at = 0; at < LENGTHS; at++) {
        SERVER_COMMAND("do kept fill:%zu;filltext:%zu", lengths[at], lengths[at]);
    }
    mini_wait(&mini, RECORD_MESSAGE, "a", 2 * LENGTHS);
    mini_in_step("kept", 1); // the last callback has returned
    for (size_t at = 0; at < 2 * LENGTHS; at++) {
        CHECK_UINT(keeper.kept[at].len, ==, lengths[at / 2]);
        CHECK_UINT(mini_find(&mini, RECORD_MESSAGE, "a", at + 1)->message, ==, keeper.kept[at].id);
    }
    are_untouched(&keeper);
    // Others that come later, kept or not, get nothing of theirs.
    a.on = NULL;
    SERVER_COMMAND("do kept burst:20:70001");
    mini_wait(&mini, RECORD_MESSAGE, "a", 2 * LENGTHS + 20);
    are_untouched(&keeper);
    CHECK_STATUS(taro_socket_release(socket), TARO_STATUS_OK);
    mini_wait(&mini, RECORD_RELEASE, "a", 1);
    are_untouched(&keeper);
    mini_end(&mini);
    mini_shutdown();
    are_untouched(&keeper);
    thread_start(&thread, releases, &keeper);
    THREAD_JOIN(&thread);
    SERVER_COMMAND("forget kept");
}

static void aligned_writable_and_the_hosts_alone(void) {
    for (MINI_EACH_DELIVERY(delivery)) {
        keep_all("ws", delivery);
        keep_all("wss", delivery);
    }
}

// Put together from frames, of which each came on its own.
static void of_fragments(void) {
    static const char text[] = "first second third";
    for (MINI_EACH_DELIVERY(delivery)) {
        struct keeper keeper = {.len = 0};
        struct mini mini;
        mini_init_of(&mini, delivery);
        struct recording a = RECORDING(&mini.recorder, "a");
        mini_open(&mini, &a, SERVER_URL("ws", "/echo?id=parts"));
        a.on = keeps;
        a.context = &keeper;
        SERVER_COMMAND("do parts frame:0103616161;frame:00026161;frame:800161");
        mini_wait(&mini, RECORD_MESSAGE, "a", 1);
        mini_in_step("parts", 1);
        CHECK_UINT(keeper.kept[0].len, ==, 6);
        are_untouched(&keeper);
        a.on = NULL;
        SERVER_COMMAND("do parts frag:first|%%20second|%%20third");
        CHECK_STR(mini_wait(&mini, RECORD_MESSAGE, "a", 2)->data, text);
        are_untouched(&keeper);
        mini_end(&mini);
        releases(&keeper);
        SERVER_COMMAND("forget parts");
    }
    mini_shutdown();
}

// --- given back inside the callback

static void gives_back(struct recording *recording, const struct record *record, const void *of_message) {
    const taro_message_event *event = of_message;
    (void)recording;
    if (record->kind != RECORD_MESSAGE) {
        return;
    }
    const struct kept kept = retain(event->message);
    CHECK_STATUS(taro_message_release(event->message), TARO_STATUS_OK);
    not_there(event->message);
    // Both stay readable until the callback returns.
    CHECK(is_pattern(event->data, event->data_len, event->kind));
    CHECK(is_pattern(kept.data, kept.len, event->kind));
}

static void given_back_at_once(void) {
    for (MINI_EACH_DELIVERY(delivery)) {
        struct mini mini;
        mini_init_of(&mini, delivery);
        struct recording a = RECORDING_ON(&mini.recorder, "a", gives_back, NULL);
        mini_connect(&mini, &a, SERVER_URL("ws", "/echo?act=fill:0;fill:1;fill:77;fill:70000;filltext:5"));
        mini_wait(&mini, RECORD_MESSAGE, "a", 5);
        mini_end(&mini);
    }
    mini_shutdown();
}

// --- ids

struct wrong {
    taro_message before; // one whose callback has returned
    int retains;
};

static void asks_for_others(struct recording *recording, const struct record *record, const void *of_message) {
    struct wrong *wrong = recording->context;
    const taro_message_event *event = of_message;
    if (record->kind != RECORD_MESSAGE) {
        return;
    }
    const taro_message own = event->message, others[] = {
        0, 1, own + 1, own ^ (uint64_t)1 << 52, own + ((uint64_t)1 << 53), UINT64_MAX, UINT64_MAX - 1, record->socket,
        wrong->before,
    };
    if (wrong->retains) {
        retain(own);
    } else {
        CHECK_STATUS(taro_message_release(own), TARO_STATUS_BAD_HANDLE); // nobody keeps it
    }
    for (size_t at = 0; at < sizeof others / sizeof *others; at++) {
        not_there(others[at]);
    }
    CHECK(is_pattern(event->data, event->data_len, event->kind));
    if (wrong->retains) {
        CHECK_STATUS(taro_message_release(own), TARO_STATUS_OK);
    }
    wrong->before = own;
}

static void of_no_other_message(void) {
    for (int retains = 0; retains < 2; retains++) {
        for (MINI_EACH_DELIVERY(delivery)) {
            struct wrong wrong = {0, retains};
            struct mini mini;
            mini_init_of(&mini, delivery);
            struct recording a = RECORDING_ON(&mini.recorder, "a", asks_for_others, &wrong);
            mini_connect(&mini, &a, SERVER_URL("ws", "/echo?act=fill:10;fill:0;fill:20;fill:70000"));
            mini_wait(&mini, RECORD_MESSAGE, "a", 4);
            mini_end(&mini);
            not_there(wrong.before);
        }
    }
    mini_shutdown();
}

// --- from another thread, and inside another callback

struct gate {
    struct latch entered;
    struct latch open;
};

static void waits(struct recording *recording, const struct record *record, const void *event) {
    struct gate *gate = recording->context;
    (void)event;
    if (record->kind == RECORD_MESSAGE) {
        latch_hit(&gate->entered);
        LATCH_WAIT(&gate->open, latch_count(&gate->entered));
    }
}

static void from_another_thread(void) {
    struct mini mini;
    struct gate gate;
    mini_init(&mini, NULL);
    latch_init(&gate.entered);
    latch_init(&gate.open);
    struct recording a = RECORDING_ON(&mini.recorder, "a", waits, &gate);
    mini_connect(&mini, &a, SERVER_URL("ws", "/echo?act=fill:300;fill:301"));
    LATCH_WAIT(&gate.entered, 1);
    const struct kept first = retain(mini_wait(&mini, RECORD_MESSAGE, "a", 1)->message);
    latch_hit(&gate.open);
    LATCH_WAIT(&gate.entered, 2);
    CHECK_UINT(first.len, ==, 300);
    CHECK(is_pattern(first.data, first.len, TARO_MESSAGE_BINARY));
    const taro_message second = mini_wait(&mini, RECORD_MESSAGE, "a", 2)->message;
    latch_hit(&gate.open);
    mini_end(&mini);
    not_there(second);
    CHECK(is_pattern(first.data, first.len, TARO_MESSAGE_BINARY));
    CHECK_STATUS(taro_message_release(first.id), TARO_STATUS_OK);
    latch_destroy(&gate.entered);
    latch_destroy(&gate.open);
    mini_shutdown();
}

struct nested {
    struct mini *inner;
    struct keeper *keeper;
    taro_message outer;
};

// Two messages are lent on one thread, one callback inside the other's dispatch.
static void dispatches_another_app(struct recording *recording, const struct record *record, const void *event) {
    struct nested *nested = recording->context;
    (void)event;
    if (record->kind == RECORD_MESSAGE) {
        nested->outer = record->message;
        CHECK_STATUS(taro_app_dispatch(nested->inner->app, 0, NULL), TARO_STATUS_OK);
        CHECK_UINT(nested->keeper->len, ==, 3);
        not_there(nested->keeper->kept[2].id + 1);
        const struct kept again = retain(nested->outer);
        CHECK(again.data == nested->keeper->kept[1].data);
    }
}

static void keeps_both(struct recording *recording, const struct record *record, const void *event) {
    struct nested *nested = recording->context;
    struct recording of_keeper = {.context = nested->keeper};
    if (record->kind == RECORD_MESSAGE && nested->outer != 0) {
        struct keeper *keeper = nested->keeper;
        keeper->kept[1] = retain(nested->outer);
        CHECK(is_pattern(keeper->kept[1].data, keeper->kept[1].len, TARO_MESSAGE_BINARY));
        memset(keeper->kept[1].data, 1, keeper->kept[1].len);
        keeper->len = 2;
        keeps(&of_keeper, record, event);
    }
}

static void inside_another_callback(void) {
    struct keeper keeper = {.len = 0};
    struct mini inner, outer;
    mini_init_of(&inner, TARO_DELIVERY_HOST);
    mini_init_of(&outer, TARO_DELIVERY_HOST);
    struct nested nested = {&inner, &keeper, 0};
    struct recording i = RECORDING_ON(&inner.recorder, "i", keeps_both, &nested),
                     o = RECORDING_ON(&outer.recorder, "o", dispatches_another_app, &nested);
    mini_open(&inner, &i, SERVER_URL("ws", "/echo?id=inner"));
    SERVER_COMMAND("do inner fill:50");
    mini_in_step("inner", 1);
    mini_connect(&outer, &o, SERVER_URL("ws", "/echo?act=fill:40"));
    mini_wait(&outer, RECORD_MESSAGE, "o", 1);
    CHECK_UINT(keeper.kept[1].len, ==, 40);
    CHECK_UINT(keeper.kept[2].len, ==, 50);
    are_untouched(&keeper);
    mini_end(&outer);
    mini_end(&inner);
    mini_shutdown();
    are_untouched(&keeper);
    CHECK_STATUS(taro_message_release(keeper.kept[1].id), TARO_STATUS_OK);
    CHECK_STATUS(taro_message_release(keeper.kept[2].id), TARO_STATUS_OK);
}

static const struct test tests[] = {
    TEST("L9 L28", aligned_writable_and_the_hosts_alone),
    TEST("L9", of_fragments),
    TEST("L9", given_back_at_once),
    TEST("L9 L25", of_no_other_message),
    TEST("L9 L29", from_another_thread),
    TEST("L9", inside_another_callback),
};

TEST_MAIN(tests)
