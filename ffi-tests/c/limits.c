// L14: how many live sockets an app may have, what counts as one, and when its place is free again.
#include "mini.h"

enum { MOST = 8 };

static const char reach[] = "connectSocket:fail fail reach max websocket connect count ";

static void init(struct mini *mini, uint32_t flavour, uint32_t max_sockets, uint32_t delivery) {
    taro_app_options options = TARO_APP_OPTIONS_INIT;
    options.flavour = flavour;
    options.max_sockets = max_sockets;
    options.delivery = delivery;
    mini_init(mini, &options);
}

// A connect that goes on until somebody ends it, and tells nobody.
static taro_socket connect_quietly(const struct mini *mini) {
    taro_connect_options options = TARO_CONNECT_OPTIONS_INIT;
    taro_socket socket = 0;
    options.app = mini->app;
    options.url = mini_str(SERVER_URL("ws", "/echo?stall=request"));
    CHECK_STATUS(taro_connect_socket(&options, &socket), TARO_STATUS_OK);
    return socket;
}

// One more is refused, and the text has the number.
static void check_full(struct mini *mini, unsigned number) {
    char err_msg[100];
    taro_socket socket = 4711;
    struct recording refused = RECORDING(&mini->recorder, "refused");
    taro_connect_options options = record_connect_options(&refused, SERVER_URL("ws", "/echo?id=refused"));
    options.app = mini->app;
    snprintf(err_msg, sizeof err_msg, "%s%u", reach, number);
    const size_t before = record_count(&mini->recorder, RECORD_FAIL, "refused");
    CHECK_STATUS(taro_connect_socket(&options, &socket), TARO_STATUS_TOO_MANY_SOCKETS);
    CHECK_UINT(socket, ==, 0);
    mini_wait(mini, RECORD_RELEASE, "refused", before + 1);
    const struct record *fail = mini_find(mini, RECORD_FAIL, "refused", before + 1);
    CHECK_INT(fail->status, ==, TARO_STATUS_TOO_MANY_SOCKETS);
    CHECK_INT(fail->err_no, ==, 600007);
    CHECK_INT(fail->code, !=, 0); // which number, by flavour: flavours.c
    CHECK_STR(fail->err_msg, err_msg);
    CHECK_STR(fail->reason, err_msg + strlen("connectSocket:fail "));
    CHECK_UINT(fail->cause, ==, TARO_CAUSE_NONE);
    CHECK_UINT(mini_live(mini), ==, number);
}

// --- the number

static void it_is_five_unless_set(void) {
    static const struct {
        uint32_t flavour;
        uint32_t set;
        unsigned number;
    } rows[] = {
        {TARO_FLAVOUR_WEAPP, 0, 5}, {TARO_FLAVOUR_WEAPP, 1, 1}, {TARO_FLAVOUR_WEAPP, 2, 2}, {TARO_FLAVOUR_WEAPP, 7, 7},
        {TARO_FLAVOUR_ALIPAY, 0, 5}, {TARO_FLAVOUR_TT, 0, 5},
    };
    for (size_t at = 0; at < sizeof rows / sizeof *rows; at++) {
        struct mini mini;
        char row[60];
        snprintf(row, sizeof row, "flavour %u, %u set", rows[at].flavour, rows[at].set);
        mini_row(row);
        init(&mini, rows[at].flavour, rows[at].set, TARO_DELIVERY_DIRECT);
        for (unsigned count = 0; count < rows[at].number; count++) {
            connect_quietly(&mini);
        }
        // It stays so however often one tries.
        check_full(&mini, rows[at].number);
        check_full(&mini, rows[at].number);
        mini_end(&mini);
    }
    mini_row(NULL);
    CHECK_TEXT(SERVER_LOG("refused"), "");
    mini_shutdown();
}

static void the_default_app_has_five_too(void) {
    struct mini mini = {.app = 0, .delivery = TARO_DELIVERY_DIRECT};
    recorder_init(&mini.recorder);
    for (unsigned count = 0; count < 5; count++) {
        connect_quietly(&mini);
    }
    check_full(&mini, 5);
    mini_end(&mini);
    mini_shutdown();
}

static void the_number_has_a_range(void) {
    taro_app_options options = TARO_APP_OPTIONS_INIT;
    taro_app app = 4711;
    options.max_sockets = 65536;
    CHECK_STATUS(taro_app_create(&options, &app), TARO_STATUS_BAD_ARGUMENT);
    CHECK_UINT(app, ==, 0);
    options.max_sockets = 65535;
    CHECK_STATUS(taro_app_create(&options, &app), TARO_STATUS_OK);
    CHECK_UINT(app, !=, 0);
    mini_shutdown();
}

static void apps_do_not_share(void) {
    struct mini first, second;
    init(&first, TARO_FLAVOUR_WEAPP, 1, TARO_DELIVERY_DIRECT);
    init(&second, TARO_FLAVOUR_WEAPP, 2, TARO_DELIVERY_DIRECT);
    connect_quietly(&first);
    connect_quietly(&second);
    check_full(&first, 1);
    connect_quietly(&second);
    check_full(&second, 2);
    mini_end(&first);
    check_full(&second, 2);
    mini_end(&second);
    mini_shutdown();
}

// --- whoever comes first

struct rush {
    const struct mini *mini;
    const char *url;
    unsigned accepted;
};

static void connects_many(void *context) {
    struct rush *rush = context;
    for (int round = 0; round < MOST; round++) {
        taro_connect_options options = TARO_CONNECT_OPTIONS_INIT;
        taro_socket socket;
        options.app = rush->mini->app;
        options.url = mini_str(rush->url);
        rush->accepted += taro_connect_socket(&options, &socket) == TARO_STATUS_OK;
    }
}

static void threads_share_the_number(void) {
    enum { THREADS = 4 };
    struct mini mini;
    struct test_thread threads[THREADS];
    struct rush rushes[THREADS];
    unsigned accepted = 0;
    init(&mini, TARO_FLAVOUR_WEAPP, 0, TARO_DELIVERY_DIRECT);
    for (size_t at = 0; at < THREADS; at++) {
        rushes[at] = (struct rush){&mini, SERVER_URL("ws", "/echo?stall=request"), 0};
        thread_start(&threads[at], connects_many, &rushes[at]);
    }
    for (size_t at = 0; at < THREADS; at++) {
        THREAD_JOIN(&threads[at]);
        accepted += rushes[at].accepted;
    }
    CHECK_UINT(accepted, ==, 5);
    mini_end(&mini);
    mini_shutdown();
}

// --- its place is free again

enum how { BY_CLOSE, BY_RELEASE, BY_ITSELF };

static const struct freed {
    const char *name;
    const char *listener;
    const char *query;
    int opens; // it is open before it ends
    enum how how;
    const char *actions; // what the open server does then
} freeds[] = {
    {"close while connecting", "ws", "stall=request", 0, BY_CLOSE, ""},
    {"close of an open one", "ws", "onclose=ignore", 1, BY_CLOSE, ""},
    {"release while connecting", "ws", "stall=request", 0, BY_RELEASE, ""},
    {"release of an open one", "ws", "", 1, BY_RELEASE, ""},
    {"another status", "ws", "status=403", 0, BY_ITSELF, ""},
    {"no upgrade", "ws", "accept=wrong", 0, BY_ITSELF, ""},
    {"nobody listens there", "refuse", "", 0, BY_ITSELF, ""},
    {"a certificate", "wss", "", 0, BY_ITSELF, ""},
    {"timeout", "silent", "", 0, BY_ITSELF, ""},
    {"the peer closes", "ws", "", 1, BY_ITSELF, "close:4000:bye"},
    {"the connection is lost", "ws", "", 1, BY_ITSELF, "drop"},
    {"the peer breaks the protocol", "ws", "", 1, BY_ITSELF, "frame:ff00"},
};

static void wait_open(const struct mini *mini, taro_socket socket) {
    if (mini->delivery == TARO_DELIVERY_HOST) {
        HOST_LOOP_UNTIL(mini->app, mini_state(socket) == TARO_READY_STATE_OPEN);
    } else {
        EVENTUALLY(mini_state(socket) == TARO_READY_STATE_OPEN);
    }
}

static void run_freed(const struct freed *row, uint32_t delivery, int listens) {
    struct mini mini;
    init(&mini, TARO_FLAVOUR_WEAPP, 1, delivery);
    struct recording a = RECORDING(&mini.recorder, "a");
    const char *url = SERVER_URL(row->listener, "/echo?id=freed&%s", row->query);
    taro_connect_options options = TARO_CONNECT_OPTIONS_INIT;
    if (listens) {
        options = record_connect_options(&a, url);
    }
    options.url = mini_str(url);
    options.app = mini.app;
    options.timeout_ms = strcmp(row->name, "timeout") == 0 ? 50 : 0;
    const taro_socket socket = mini_accepted(&options);
    if (row->opens) {
        wait_open(&mini, socket);
    }
    if (row->opens || row->how != BY_ITSELF) {
        check_full(&mini, 1);
    }
    // No dispatch from here on: in host delivery nobody hears of the end.
    if (row->how == BY_CLOSE) {
        mini_close(socket);
    } else if (row->how == BY_RELEASE) {
        CHECK_STATUS(taro_socket_release(socket), TARO_STATUS_OK);
    } else {
        if (row->opens) {
            SERVER_COMMAND("do freed %s", row->actions);
        }
        EVENTUALLY(mini_live(&mini) == 0);
    }
    CHECK_UINT(mini_live(&mini), ==, 0);
    connect_quietly(&mini);
    check_full(&mini, 1);
    mini_end(&mini);
}

static void an_end_frees_the_place_whoever_listens(void) {
    for (size_t at = 0; at < sizeof freeds / sizeof *freeds; at++) {
        for (MINI_EACH_DELIVERY(delivery)) {
            mini_row(freeds[at].name);
            run_freed(&freeds[at], delivery, 1);
            run_freed(&freeds[at], delivery, 0);
        }
    }
    mini_row(NULL);
    mini_shutdown();
}

// --- inside the last event the place is free already

enum { ROUNDS = 8 };

struct chain {
    struct mini mini;
    struct recording recordings[ROUNDS];
    const char *url;
    int event;
    unsigned begun;
};

static void begin_next(struct chain *chain) {
    struct recording *recording = &chain->recordings[chain->begun++];
    taro_connect_options options = record_connect_options(recording, chain->url);
    options.app = chain->mini.app;
    mini_accepted(&options);
}

static void connects_at_the_end(struct recording *recording, const struct record *record, const void *event) {
    struct chain *chain = recording->context;
    (void)event;
    if ((int)record->kind == chain->event && chain->begun < ROUNDS) {
        begin_next(chain);
    }
}

static void run_chain(uint32_t delivery, const char *url, int event) {
    struct chain chain = {.url = url, .event = event};
    init(&chain.mini, TARO_FLAVOUR_WEAPP, 1, delivery);
    for (unsigned at = 0; at < ROUNDS; at++) {
        chain.recordings[at] = RECORDING_ON(&chain.mini.recorder, "chain", connects_at_the_end, &chain);
    }
    begin_next(&chain);
    mini_wait(&chain.mini, event, "chain", ROUNDS);
    mini_end(&chain.mini);
}

static void a_connect_inside_the_last_event_has_room(void) {
    for (MINI_EACH_DELIVERY(delivery)) {
        run_chain(delivery, SERVER_URL("refuse", "/"), RECORD_ERROR);
        run_chain(delivery, SERVER_URL("ws", "/echo?act=close:1000:"), RECORD_CLOSE);
        run_chain(delivery, SERVER_URL("ws", "/echo?act=drop"), RECORD_CLOSE);
    }
    mini_shutdown();
}

// --- the list of those that count

static void check_list(const struct mini *mini, const taro_socket *expected, size_t count) {
    taro_socket ids[MOST] = {0};
    size_t told = 99;
    for (size_t capacity = 0; capacity <= count + 1; capacity++) {
        memset(ids, 0, sizeof ids);
        CHECK_STATUS(taro_app_get_sockets(mini->app, capacity ? ids : NULL, capacity, &told), TARO_STATUS_OK);
        CHECK_UINT(told, ==, count);
        for (size_t at = 0; at < MOST; at++) {
            CHECK_UINT(ids[at], ==, at < capacity && at < count ? expected[at] : 0);
        }
    }
}

static void the_list_is_oldest_first(void) {
    struct mini mini;
    taro_socket sockets[5];
    init(&mini, TARO_FLAVOUR_WEAPP, 0, TARO_DELIVERY_DIRECT);
    check_list(&mini, NULL, 0);
    for (size_t at = 0; at < 4; at++) {
        sockets[at] = connect_quietly(&mini);
    }
    check_list(&mini, sockets, 4);
    mini_close(sockets[1]);
    CHECK_STATUS(taro_socket_release(sockets[0]), TARO_STATUS_OK);
    sockets[4] = connect_quietly(&mini);
    check_list(&mini, sockets + 2, 3);
    mini_end(&mini);
    mini_shutdown();
}

static const struct test tests[] = {
    TEST("L4 L14", it_is_five_unless_set),
    TEST("L14", the_default_app_has_five_too),
    TEST("L14", the_number_has_a_range),
    TEST("L14", apps_do_not_share),
    TEST("L14 L29", threads_share_the_number),
    TEST("L14", an_end_frees_the_place_whoever_listens),
    TEST("L6 L14", a_connect_inside_the_last_event_has_room),
    TEST("L14", the_list_is_oldest_first),
};

TEST_MAIN(tests)
