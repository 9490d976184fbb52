// L1, L8, L26, L28, L29: the life of apps, the default app, and that apps keep to themselves. Limits: limits.c; release
// by place of the call: lifecycle.c.
#include <stdlib.h>

#include "blocked.h"
#include "mini.h"

// --- made and released

struct owned {
    struct latch released;
    long thread;
};

static void releases(void *user_data) {
    struct owned *owned = user_data;
    owned->thread = record_thread();
    latch_hit(&owned->released);
}

static taro_app_options owned_by(struct owned *owned) {
    taro_app_options options = TARO_APP_OPTIONS_INIT;
    latch_init(&owned->released);
    owned->thread = 0;
    options.user_data = owned;
    options.release = releases;
    return options;
}

static void released_at_once_and_once(void) {
    for (MINI_EACH_DELIVERY(delivery)) {
        struct owned owned;
        taro_app_options options = owned_by(&owned);
        taro_app app = 0;
        options.delivery = delivery;
        CHECK_STATUS(taro_app_create(&options, &app), TARO_STATUS_OK);
        CHECK_UINT(app, !=, 0);
        CHECK_UINT(latch_count(&owned.released), ==, 0);
        CHECK_STATUS(taro_app_release(app), TARO_STATUS_OK);
        CHECK_UINT(latch_count(&owned.released), ==, 1);
        CHECK_INT(owned.thread, ==, record_thread());
        CHECK_STATUS(taro_app_release(app), TARO_STATUS_BAD_HANDLE);
        CHECK_STATUS(taro_app_set_background(app, 0), TARO_STATUS_BAD_HANDLE);
        mini_shutdown();
        CHECK_UINT(latch_count(&owned.released), ==, 1);
        latch_destroy(&owned.released);
    }
}

static void ids_are_used_once(void) {
    enum { IDS = 300 };
    taro_app seen[IDS], kept = 0;
    CHECK_STATUS(taro_app_create(NULL, &kept), TARO_STATUS_OK);
    for (size_t at = 0; at < IDS; at++) {
        CHECK_STATUS(taro_app_create(NULL, &seen[at]), TARO_STATUS_OK);
        CHECK_UINT(seen[at], <, UINT64_C(1) << 53);
        CHECK_UINT(seen[at], !=, kept);
        for (size_t before = 0; before < at; before++) {
            CHECK_UINT(seen[at], !=, seen[before]);
        }
        CHECK_STATUS(taro_app_release(seen[at]), TARO_STATUS_OK);
        if (at == IDS / 2) {
            CHECK_STATUS(taro_app_release(kept), TARO_STATUS_OK);
            mini_shutdown();
        }
    }
    mini_shutdown();
}

// --- options out of their range

static void bad_flavour(taro_app_options *options) { options->flavour = TARO_FLAVOUR_RN + 1; }
static void bad_delivery(taro_app_options *options) { options->delivery = 2; }
static void bad_single_socket(taro_app_options *options) { options->single_socket = 2; }
static void bad_forbid_ws(taro_app_options *options) { options->forbid_ws = 2; }
static void bad_tls_insecure(taro_app_options *options) { options->tls_insecure = 2; }
static void bad_max_sockets(taro_app_options *options) { options->max_sockets = 65536; }
static void bad_close_after_error(taro_app_options *options) { options->close_after_error = 2; }
static void bad_referer(taro_app_options *options) { options->referer = TARO_STR("a\nb"); }
static void bad_pem(taro_app_options *options) { options->ca_pem = TARO_STR("no certificate"); }
static void bad_file(taro_app_options *options) { options->ca_file = TARO_STR("/nowhere/ca.pem"); }
static void file_without_certificate(taro_app_options *options) { options->ca_file = TARO_STR("/dev/null"); }

static const struct {
    const char *name;
    void (*spoil)(taro_app_options *options);
} spoilers[] = {
    {"flavour", bad_flavour}, {"delivery", bad_delivery}, {"single_socket", bad_single_socket},
    {"forbid_ws", bad_forbid_ws}, {"tls_insecure", bad_tls_insecure}, {"max_sockets", bad_max_sockets},
    {"close_after_error", bad_close_after_error}, {"referer", bad_referer}, {"ca_pem", bad_pem}, {"ca_file", bad_file},
    {"ca_file without certificate", file_without_certificate},
};

static void wrong_options_are_refused_and_nothing_is_taken(void) {
    for (size_t at = 0; at < sizeof spoilers / sizeof *spoilers; at++) {
        struct owned owned;
        taro_app_options options = owned_by(&owned);
        taro_app app = 4711;
        mini_row(spoilers[at].name);
        spoilers[at].spoil(&options);
        CHECK_STATUS(taro_app_create(&options, &app), TARO_STATUS_BAD_ARGUMENT);
        CHECK_UINT(app, ==, 0);
        mini_shutdown();
        CHECK_UINT(latch_count(&owned.released), ==, 0);
        latch_destroy(&owned.released);
    }
    mini_row(NULL);
    CHECK_STATUS(taro_app_create(NULL, NULL), TARO_STATUS_NULL_POINTER);
}

// --- the memory of the options is the host's again

// A block of its own, so that a read after the end of the call is a read of freed memory.
static taro_str lent(const char *text) {
    char *copy = malloc(strlen(text));
    CHECK(copy != NULL);
    memcpy(copy, text, strlen(text));
    return (taro_str){copy, strlen(text)};
}

static void take_back(taro_str text) {
    memset((void *)(uintptr_t)text.ptr, 0xdd, text.len);
    free((void *)(uintptr_t)text.ptr);
}

static void the_memory_of_the_options_may_go_at_once(void) {
    struct mini mini;
    taro_app_options *options = malloc(sizeof *options);
    taro_str *allowed = malloc(sizeof *allowed);
    taro_address_override *override = malloc(sizeof *override);
    CHECK(options && allowed && override);
    *options = (taro_app_options)TARO_APP_OPTIONS_INIT;
    *allowed = lent("lent.test");
    override->from = lent("lent.test:80");
    override->to = lent(server_address("ws"));
    options->allow_list = allowed;
    options->allow_list_len = 1;
    options->address_overrides = override;
    options->address_overrides_len = 1;
    options->referer = lent("https://referer.test/");
    options->ca_file = lent(server_ca_file());
    mini_init(&mini, options);
    take_back(*allowed);
    take_back(override->from);
    take_back(override->to);
    take_back(options->referer);
    take_back(options->ca_file);
    free(allowed);
    free(override);
    free(options);
    struct recording a = RECORDING(&mini.recorder, "a"), refused = RECORDING(&mini.recorder, "refused");
    mini_open(&mini, &a, "ws://lent.test/echo?id=lent");
    CHECK_TEXT(SERVER_HEADER("lent", "Referer", 1), "https://referer.test/");
    taro_connect_options connect = record_connect_options(&refused, "ws://elsewhere.test/");
    taro_socket none;
    connect.app = mini.app;
    CHECK_STATUS(taro_connect_socket(&connect, &none), TARO_STATUS_URL_NOT_ALLOWED);
    mini_end(&mini);
    mini_shutdown();
}

// --- the default app

static taro_socket open_in_default(struct recorder *recorder, struct recording *recording) {
    taro_connect_options options = record_connect_options(recording, SERVER_URL("ws", "/echo?act=text:hi"));
    const taro_socket socket = mini_accepted(&options);
    RECORD_WAIT(recorder, RECORD_MESSAGE, recording->label, 1);
    return socket;
}

static void it_is_made_on_first_use_and_again_after_release(void) {
    struct recorder recorder;
    taro_socket sockets[3], found[2] = {0, 0}, bound = 99;
    struct recording recordings[3];
    static const char *const labels[] = {"0", "1", "2"};
    recorder_init(&recorder);
    // There is none yet: that is fine.
    CHECK_STATUS(taro_app_release(0), TARO_STATUS_OK);
    CHECK_STATUS(taro_app_release(0), TARO_STATUS_OK);
    for (size_t round = 0; round < 3; round++) {
        size_t count = 99;
        CHECK_STATUS(taro_app_get_sockets(0, NULL, 0, &count), TARO_STATUS_OK);
        CHECK_UINT(count, ==, 0);
        recordings[round] = RECORDING(&recorder, labels[round]);
        sockets[round] = open_in_default(&recorder, &recordings[round]);
        CHECK_INT(record_find(&recorder, RECORD_MESSAGE, labels[round], 1)->thread, !=, record_thread());
        CHECK_STATUS(taro_app_get_sockets(0, found, 2, &count), TARO_STATUS_OK);
        CHECK_UINT(count, ==, 1);
        CHECK_UINT(found[0], ==, sockets[round]);
        CHECK_STATUS(taro_app_get_global_socket(0, &bound), TARO_STATUS_OK);
        CHECK_UINT(bound, ==, sockets[round]);
        CHECK_STATUS(taro_app_set_background(0, 0), TARO_STATUS_OK);
        CHECK_STATUS(taro_app_network_changed(0), TARO_STATUS_OK);
        CHECK_STATUS(taro_app_dispatch(0, 0, NULL), TARO_STATUS_WRONG_DELIVERY);
        CHECK_STATUS(taro_app_release(0), TARO_STATUS_OK);
        CHECK_SEQUENCE(&recorder, labels[round], "success complete open message release");
        CHECK_STATUS(taro_socket_release(sockets[round]), TARO_STATUS_BAD_HANDLE);
    }
    recorder_end(&recorder);
    mini_shutdown();
}

struct again {
    struct recorder old, young;
    struct recording a, b;
    struct latch made;
};

static void releases_and_connects(struct recording *recording, const struct record *record, const void *event) {
    struct again *again = recording->context;
    (void)event;
    if (record->kind == RECORD_OPEN) {
        size_t count = 99;
        CHECK_STATUS(taro_app_release(0), TARO_STATUS_OK);
        CHECK_STATUS(taro_app_get_sockets(0, NULL, 0, &count), TARO_STATUS_OK);
        CHECK_UINT(count, ==, 0);
        taro_connect_options options = record_connect_options(&again->b, SERVER_URL("ws", "/echo?act=text:hi"));
        mini_accepted(&options);
        latch_hit(&again->made);
    }
}

// The next one begins its life while the old one is still in a callback.
static void released_in_its_own_callback_it_is_made_again(void) {
    struct again again;
    recorder_init(&again.old);
    recorder_init(&again.young);
    latch_init(&again.made);
    again.a = RECORDING_ON(&again.old, "a", releases_and_connects, &again);
    again.b = RECORDING(&again.young, "b");
    taro_connect_options options = record_connect_options(&again.a, SERVER_URL("ws", "/echo?act=text:never"));
    mini_accepted(&options);
    LATCH_WAIT(&again.made, 1);
    RECORD_WAIT(&again.old, RECORD_RELEASE, "a", 1);
    CHECK_SEQUENCE(&again.old, "a", "success complete open release");
    RECORD_WAIT(&again.young, RECORD_MESSAGE, "b", 1);
    CHECK_STATUS(taro_app_release(0), TARO_STATUS_OK);
    CHECK_SEQUENCE(&again.young, "b", "success complete open message release");
    recorder_end(&again.old);
    recorder_end(&again.young);
    latch_destroy(&again.made);
    mini_shutdown();
}

// --- each app for itself

static void policy_is_of_one_app(void) {
    const taro_str allowed = TARO_STR("elsewhere.test");
    taro_app_options options = TARO_APP_OPTIONS_INIT;
    struct mini strict, listed, open;
    taro_socket none;
    options.forbid_ws = 1;
    mini_init(&strict, &options);
    options.forbid_ws = 0;
    options.allow_list = &allowed;
    options.allow_list_len = 1;
    mini_init(&listed, &options);
    mini_init(&open, NULL);
    struct recording a = RECORDING(&strict.recorder, "a"), b = RECORDING(&listed.recorder, "b"),
                     c = RECORDING(&open.recorder, "c");
    const char *url = SERVER_URL("ws", "/echo?id=open");
    taro_connect_options connect = record_connect_options(&a, url);
    connect.app = strict.app;
    CHECK_STATUS(taro_connect_socket(&connect, &none), TARO_STATUS_INVALID_URL);
    connect = record_connect_options(&b, url);
    connect.app = listed.app;
    CHECK_STATUS(taro_connect_socket(&connect, &none), TARO_STATUS_URL_NOT_ALLOWED);
    mini_open(&open, &c, url);
    // The end of one is no end of another.
    mini_end(&strict);
    mini_end(&listed);
    SERVER_COMMAND("do open text:hi");
    mini_wait(&open, RECORD_MESSAGE, "c", 1);
    CHECK_UINT(mini_live(&open), ==, 1);
    mini_end(&open);
    mini_shutdown();
}

static void sockets_are_of_one_app(void) {
    struct mini one, two;
    taro_socket found[4], bound = 0;
    size_t count = 99;
    mini_init_of(&one, TARO_DELIVERY_DIRECT);
    mini_init_of(&two, TARO_DELIVERY_HOST);
    struct recording a = RECORDING(&one.recorder, "a"), b = RECORDING(&one.recorder, "b"),
                     c = RECORDING(&two.recorder, "c");
    const taro_socket first = mini_open(&one, &a, SERVER_URL("ws", "/echo"));
    const taro_socket second = mini_open(&one, &b, SERVER_URL("ws", "/echo"));
    const taro_socket third = mini_open(&two, &c, SERVER_URL("ws", "/echo"));
    CHECK_STATUS(taro_app_get_sockets(one.app, found, 4, &count), TARO_STATUS_OK);
    CHECK_UINT(count, ==, 2);
    CHECK_UINT(found[0], ==, first);
    CHECK_UINT(found[1], ==, second);
    CHECK_STATUS(taro_app_get_sockets(two.app, found, 4, &count), TARO_STATUS_OK);
    CHECK_UINT(count, ==, 1);
    CHECK_UINT(found[0], ==, third);
    // As many as there is room for, and how many there are.
    found[0] = found[1] = 4711;
    CHECK_STATUS(taro_app_get_sockets(one.app, found, 1, &count), TARO_STATUS_OK);
    CHECK_UINT(count, ==, 2);
    CHECK_UINT(found[0], ==, first);
    CHECK_UINT(found[1], ==, 4711);
    CHECK_STATUS(taro_app_get_global_socket(one.app, &bound), TARO_STATUS_OK);
    CHECK_UINT(bound, ==, first);
    CHECK_STATUS(taro_app_get_global_socket(two.app, &bound), TARO_STATUS_OK);
    CHECK_UINT(bound, ==, third);
    mini_end(&one);
    CHECK_UINT(mini_state(third), ==, TARO_READY_STATE_OPEN);
    CHECK_STATUS(taro_socket_get_ready_state(second, &(uint32_t){0}), TARO_STATUS_BAD_HANDLE);
    mini_end(&two);
    mini_shutdown();
}

// --- apps of host delivery: a descriptor, a wake-up and a queue for each

struct sleeper {
    struct mini mini;
    struct latch woken;
    struct recording recording;
};

static void wakes(taro_app app, void *user_data) {
    struct sleeper *sleeper = user_data;
    CHECK_UINT(app, ==, sleeper->mini.app);
    latch_hit(&sleeper->woken);
}

static void sleeper_init(struct sleeper *sleeper, const char *label) {
    taro_app_options options = TARO_APP_OPTIONS_INIT;
    options.delivery = TARO_DELIVERY_HOST;
    options.wake = wakes;
    options.user_data = sleeper;
    latch_init(&sleeper->woken);
    mini_init(&sleeper->mini, &options);
    sleeper->recording = RECORDING(&sleeper->mini.recorder, label);
}

static void a_queue_for_each_host_app(void) {
    struct sleeper one, two;
    int32_t descriptors[2] = {-1, -1};
    sleeper_init(&one, "a");
    sleeper_init(&two, "b");
    CHECK_STATUS(taro_app_get_descriptor(one.mini.app, &descriptors[0]), TARO_STATUS_OK);
    CHECK_STATUS(taro_app_get_descriptor(two.mini.app, &descriptors[1]), TARO_STATUS_OK);
    CHECK_INT(descriptors[0], !=, descriptors[1]);
    mini_refuse(&one.mini, &one.recording);
    CHECK_UINT(latch_count(&one.woken), ==, 1);
    CHECK_UINT(latch_count(&two.woken), ==, 0);
    CHECK_INT(host_is_readable(one.mini.app), ==, 1);
    CHECK_INT(host_is_readable(two.mini.app), ==, 0);
    mini_refuse(&two.mini, &two.recording);
    CHECK_UINT(latch_count(&one.woken), ==, 1);
    CHECK_UINT(latch_count(&two.woken), ==, 1);
    CHECK_STATUS(taro_app_dispatch(two.mini.app, 0, NULL), TARO_STATUS_OK);
    CHECK_SEQUENCE(&two.mini.recorder, "b", "fail complete release");
    CHECK_UINT(record_len(&one.mini.recorder), ==, 0);
    CHECK_INT(host_is_readable(one.mini.app), ==, 1);
    CHECK_INT(host_is_readable(two.mini.app), ==, 0);
    mini_end(&two.mini);
    CHECK_STATUS(taro_app_dispatch(one.mini.app, 0, NULL), TARO_STATUS_OK);
    CHECK_SEQUENCE(&one.mini.recorder, "a", "fail complete release");
    mini_end(&one.mini);
    latch_destroy(&one.woken);
    latch_destroy(&two.woken);
    mini_shutdown();
}

static const struct test tests[] = {
    TEST("L8", released_at_once_and_once),
    TEST("L26", ids_are_used_once),
    TEST("L1", wrong_options_are_refused_and_nothing_is_taken),
    TEST("L28", the_memory_of_the_options_may_go_at_once),
    TEST("L8 L26", it_is_made_on_first_use_and_again_after_release),
    TEST("L6 L8", released_in_its_own_callback_it_is_made_again),
    TEST("L10", policy_is_of_one_app),
    TEST("L8 L26", sockets_are_of_one_app),
    TEST("L29", a_queue_for_each_host_app),
};

TEST_MAIN(tests)
