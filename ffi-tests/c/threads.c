// L5, L8, L18, L29: many threads use the same sockets and apps at the same time. All of them are mixed in mixed.c.
// label: stress
#include <sched.h>
#include <stdlib.h>

#include "blocked.h"
#include "mini.h"

enum { APPS = 4, SOCKETS = 2, SENDERS = 4, IO_THREADS = 3 };

// --- what each sender sends arrives in its order, whatever else happens

struct line {
    struct fleet *fleet;
    struct mini *mini;
    struct recording recording;
    taro_socket socket;
    struct latch messages;
    unsigned next[SENDERS]; // the number that each sender's next message must have
};

struct fleet {
    struct mini minis[APPS];
    struct line lines[APPS][SOCKETS];
    struct latch opened;
    struct latch ended; // senders; then the others end too
    unsigned count;
};

struct crew {
    struct fleet *fleet;
    unsigned number;
};

static void checks_the_order(struct recording *recording, const struct record *record, const void *event) {
    struct line *line = recording->context;
    unsigned sender, number;
    (void)event;
    if (record->kind == RECORD_MESSAGE) {
        CHECK_INT(sscanf(record->data.ptr, "%u %u", &sender, &number), ==, 2);
        CHECK_UINT(sender, <, SENDERS);
        CHECK_UINT(number, ==, line->next[sender]);
        line->next[sender]++;
        latch_hit(&line->messages);
    } else if (record->kind == RECORD_OPEN) {
        latch_hit(&line->fleet->opened);
    }
}

// Each message to each socket in turn, by any of the functions that send.
static void sends(void *context) {
    const struct crew *crew = context;
    struct fleet *fleet = crew->fleet;
    for (unsigned number = 0; number < fleet->count; number++) {
        for (size_t at = 0; at < APPS * SOCKETS; at++) {
            struct line *line = &fleet->lines[at / SOCKETS][at % SOCKETS];
            char text[64];
            const size_t len = (size_t)snprintf(text, sizeof text, "%u %u", crew->number, number);
            if (number % 8 == crew->number) {
                taro_send_options options = record_send_text_options(&line->recording, text);
                CHECK_STATUS(taro_socket_send(line->socket, &options), TARO_STATUS_OK);
            } else if (number % 8 == 7) {
                CHECK_STATUS(taro_socket_send_binary(line->socket, text, len), TARO_STATUS_OK);
            } else {
                CHECK_STATUS(taro_socket_send_text(line->socket, text, len), TARO_STATUS_OK);
            }
        }
    }
    latch_hit(&fleet->ended);
}

static int is_over(struct fleet *fleet) { return latch_count(&fleet->ended) >= SENDERS; }

static void pauses_and_resumes(void *context) {
    struct fleet *fleet = ((struct crew *)context)->fleet;
    for (size_t turn = 0; !is_over(fleet); turn++) {
        const taro_socket socket = fleet->lines[turn % APPS][turn / APPS % SOCKETS].socket;
        CHECK_STATUS(taro_socket_pause(socket), TARO_STATUS_OK);
        mini_state(socket);
        mini_buffered(socket);
        mini_live(&fleet->minis[turn % APPS]);
        mini_counters(socket);
        CHECK_STATUS(taro_socket_resume(socket), TARO_STATUS_OK);
    }
}

// Of the host's threads only one is in at a time.
static void dispatches(void *context) {
    struct fleet *fleet = ((struct crew *)context)->fleet;
    int complete;
    do {
        complete = is_over(fleet);
        for (size_t at = 0; at < APPS; at++) {
            struct mini *mini = &fleet->minis[at];
            if (mini->delivery == TARO_DELIVERY_HOST) {
                const taro_status status = taro_app_dispatch(mini->app, 5, NULL);
                if (status != TARO_STATUS_BUSY) {
                    CHECK_STATUS(status, TARO_STATUS_OK);
                }
                for (size_t socket = 0; socket < SOCKETS; socket++) {
                    complete &= latch_count(&fleet->lines[at][socket].messages) == SENDERS * fleet->count;
                }
            }
        }
        sched_yield();
    } while (!complete);
}

static void fleet_begin(struct fleet *fleet) {
    taro_init_options init = TARO_INIT_OPTIONS_INIT;
    init.io_threads = IO_THREADS;
    CHECK_STATUS(taro_init(&init), TARO_STATUS_OK);
    latch_init(&fleet->opened);
    latch_init(&fleet->ended);
    for (size_t at = 0; at < APPS; at++) {
        taro_app_options options = TARO_APP_OPTIONS_INIT;
        options.delivery = at % 2 ? TARO_DELIVERY_HOST : TARO_DELIVERY_DIRECT;
        options.queue_limit_bytes = options.pause_limit_bytes = 10000;
        mini_init(&fleet->minis[at], &options);
        for (size_t socket = 0; socket < SOCKETS; socket++) {
            struct line *line = &fleet->lines[at][socket];
            line->fleet = fleet;
            line->mini = &fleet->minis[at];
            latch_init(&line->messages);
            line->recording = RECORDING_ON(&line->mini->recorder, socket ? "one" : "two", checks_the_order, line);
            line->socket = mini_open(line->mini, &line->recording, SERVER_URL("ws", "/echo"));
        }
    }
    LATCH_WAIT(&fleet->opened, APPS * SOCKETS);
}

static void fleet_end(struct fleet *fleet) {
    for (size_t at = 0; at < APPS; at++) {
        for (size_t socket = 0; socket < SOCKETS; socket++) {
            struct line *line = &fleet->lines[at][socket];
            LATCH_WAIT(&line->messages, SENDERS * fleet->count);
            for (size_t sender = 0; sender < SENDERS; sender++) {
                CHECK_UINT(line->next[sender], ==, fleet->count);
            }
            CHECK_UINT(mini_counters(line->socket).messages_sent, ==, SENDERS * fleet->count);
        }
    }
    for (size_t at = 0; at < APPS; at++) {
        mini_end(&fleet->minis[at]);
    }
    for (size_t at = 0; at < APPS * SOCKETS; at++) {
        latch_destroy(&fleet->lines[at / SOCKETS][at % SOCKETS].messages);
    }
    latch_destroy(&fleet->opened);
    latch_destroy(&fleet->ended);
    mini_shutdown();
}

static void each_senders_order_is_kept(void) {
    enum { PAUSERS = 1, DISPATCHERS = 2, CREW = SENDERS + PAUSERS + DISPATCHERS };
    struct fleet *fleet = calloc(1, sizeof *fleet);
    struct test_thread threads[CREW];
    struct crew crew[CREW];
    CHECK(fleet != NULL);
    fleet->count = wait_slow() > 1 ? 50 : 800;
    fleet_begin(fleet);
    for (unsigned at = 0; at < CREW; at++) {
        crew[at] = (struct crew){fleet, at};
        thread_start(&threads[at],
                     at < SENDERS ? sends : at < SENDERS + PAUSERS ? pauses_and_resumes : dispatches, &crew[at]);
    }
    for (size_t at = 0; at < CREW; at++) {
        THREAD_JOIN(&threads[at]);
    }
    fleet_end(fleet);
    free(fleet);
}

// --- of many that release the same thing, one does

enum { RELEASERS = 4, NOISE = 2, ROUNDS = 80 };

struct contest {
    struct latch ready, start, won;
    taro_status (*release)(struct contest *contest);
    struct mini mini;
    taro_socket socket;
};

static taro_status release_app(struct contest *contest) { return taro_app_release(contest->mini.app); }
static taro_status release_socket(struct contest *contest) { return taro_socket_release(contest->socket); }

static void competes(void *context) {
    struct contest *contest = context;
    latch_hit(&contest->ready);
    LATCH_WAIT(&contest->start, 1);
    const taro_status status = contest->release(contest);
    if (status == TARO_STATUS_OK) {
        latch_hit(&contest->won);
    } else {
        CHECK_STATUS(status, TARO_STATUS_BAD_HANDLE);
    }
}

static void compete(taro_status (*release)(struct contest *contest), uint32_t delivery) {
    struct contest contest;
    struct test_thread threads[RELEASERS];
    struct recording app = RECORDING(&contest.mini.recorder, "app"), a = RECORDING(&contest.mini.recorder, "a"),
                     refused = RECORDING(&contest.mini.recorder, "refused");
    taro_app_options options = TARO_APP_OPTIONS_INIT;
    options.delivery = delivery;
    options.user_data = &app;
    options.release = record_release;
    latch_init(&contest.ready);
    latch_init(&contest.start);
    latch_init(&contest.won);
    contest.release = release;
    mini_init(&contest.mini, &options);
    for (size_t at = 0; at < RELEASERS; at++) {
        thread_start(&threads[at], competes, &contest);
    }
    LATCH_WAIT(&contest.ready, RELEASERS);
    mini_refuse(&contest.mini, &refused);
    contest.socket = mini_connect(&contest.mini, &a, SERVER_URL("refuse", "/"));
    latch_hit(&contest.start);
    for (size_t at = 0; at < RELEASERS; at++) {
        THREAD_JOIN(&threads[at]);
    }
    CHECK_UINT(latch_count(&contest.won), ==, 1);
    CHECK_STATUS(taro_app_release(contest.mini.app),
                 release == release_app ? TARO_STATUS_BAD_HANDLE : TARO_STATUS_OK);
    CHECK_UINT(record_count(&contest.mini.recorder, RECORD_RELEASE, "a"), ==, 1);
    CHECK_UINT(record_count(&contest.mini.recorder, RECORD_RELEASE, "refused"), ==, 1);
    CHECK_UINT(record_count(&contest.mini.recorder, RECORD_RELEASE, "app"), ==, 1);
    CHECK_TEXT(record_at(&contest.mini.recorder, record_len(&contest.mini.recorder) - 1)->label, "app");
    recorder_end(&contest.mini.recorder);
    latch_destroy(&contest.ready);
    latch_destroy(&contest.start);
    latch_destroy(&contest.won);
}

static void one_of_many_releases_counts(void) {
    for (unsigned round = 0; round < ROUNDS / wait_slow(); round++) {
        for (MINI_EACH_DELIVERY(delivery)) {
            compete(release_app, delivery);
            compete(release_socket, delivery);
        }
    }
    mini_shutdown();
}

// --- a call that has found its socket or app just before it is released by another thread

struct beside_row;

struct beside {
    struct mini mini;
    struct recording a, app;
    taro_socket socket;
    struct latch started;
    const struct beside_row *row;
};

static taro_status call_pause(struct beside *beside) { return taro_socket_pause(beside->socket); }
static taro_status call_resume(struct beside *beside) { return taro_socket_resume(beside->socket); }
static taro_status call_release(struct beside *beside) { return taro_socket_release(beside->socket); }
static taro_status call_close(struct beside *beside) { return taro_socket_close(beside->socket, NULL); }
static taro_status call_changed(struct beside *beside) { return taro_app_network_changed(beside->mini.app); }
static taro_status call_dispatch(struct beside *beside) { return taro_app_dispatch(beside->mini.app, 1, NULL); }
static taro_status call_connect(struct beside *beside) {
    taro_connect_options options = TARO_CONNECT_OPTIONS_INIT;
    taro_socket socket;
    options.app = beside->mini.app;
    options.url = TARO_STR("http://refused.test/");
    options.start_paused = 1;
    return taro_connect_socket(&options, &socket);
}

static const struct beside_row {
    const char *name;
    taro_status (*call)(struct beside *beside);
    int releases_the_socket; // first of all, else the app alone
    int has_ended;           // the socket: it is paused, and what is left of it waits for a resume
} besides[] = {
    {"pause", call_pause, 1, 0},
    {"resume", call_resume, 1, 0},
    {"close", call_close, 1, 0},
    {"network changed", call_changed, 0, 0},
    {"dispatch", call_dispatch, 0, 0},
    {"connect", call_connect, 0, 0},
    {"release of the socket", call_release, 0, 0},
    {"pause, ended", call_pause, 1, 1},
    {"resume, ended", call_resume, 0, 1},
    {"release of the socket, ended", call_release, 0, 1},
};

static void calls_on_and_on(void *context) {
    struct beside *beside = context;
    latch_hit(&beside->started);
    while (beside->row->call(beside) != TARO_STATUS_BAD_HANDLE) {
    }
}

// Has the others wait for the socket's locks, in the middle of what they do.
static void looks_on_and_on(void *context) {
    struct beside *beside = context;
    uint64_t bytes;
    latch_hit(&beside->started);
    while (taro_socket_get_buffered_amount(beside->socket, &bytes) != TARO_STATUS_BAD_HANDLE) {
    }
}

// User data comes back once and in order, whatever that call has done to what was being released.
static void release_beside(const struct beside_row *row, unsigned round) {
    struct beside beside = {.row = row};
    struct mini *mini = &beside.mini;
    struct test_thread thread, noise[NOISE];
    taro_app_options options = TARO_APP_OPTIONS_INIT;
    const int is_host = round % 2 || row->call == call_dispatch;
    beside.app = RECORDING(&mini->recorder, "app");
    beside.a = RECORDING(&mini->recorder, "a");
    options.delivery = is_host ? TARO_DELIVERY_HOST : TARO_DELIVERY_DIRECT;
    options.user_data = &beside.app;
    options.release = record_release;
    mini_init(mini, &options);
    if (row->has_ended) {
        beside.socket = mini_connect_paused(mini, &beside.a, SERVER_URL("refuse", "/"));
        EVENTUALLY(mini_live(mini) == 0);
    } else {
        beside.socket = mini_connect(mini, &beside.a, SERVER_URL("silent", "/"));
    }
    latch_init(&beside.started);
    thread_start(&thread, calls_on_and_on, &beside);
    for (size_t at = 0; at < NOISE; at++) {
        thread_start(&noise[at], looks_on_and_on, &beside);
    }
    LATCH_WAIT(&beside.started, 1 + NOISE);
    if (row->releases_the_socket) {
        CHECK_STATUS(taro_socket_release(beside.socket), TARO_STATUS_OK);
        THREAD_JOIN(&thread);
    }
    CHECK_STATUS(taro_app_release(mini->app), TARO_STATUS_OK);
    if (!row->releases_the_socket) {
        THREAD_JOIN(&thread);
    }
    for (size_t at = 0; at < NOISE; at++) {
        THREAD_JOIN(&noise[at]);
    }
    CHECK_UINT(record_count(&mini->recorder, RECORD_RELEASE, "a"), ==, 1);
    CHECK_UINT(record_count(&mini->recorder, RECORD_RELEASE, "app"), ==, 1);
    CHECK_TEXT(record_at(&mini->recorder, record_len(&mini->recorder) - 1)->label, "app");
    recorder_end(&mini->recorder);
    latch_destroy(&beside.started);
}

static void whatever_runs_beside_a_release(void) {
    for (size_t at = 0; at < sizeof besides / sizeof *besides; at++) {
        mini_row(besides[at].name);
        const unsigned rounds = besides[at].has_ended ? ROUNDS : ROUNDS / 5;
        for (unsigned round = 0; round < rounds / wait_slow() + 2; round++) {
            release_beside(&besides[at], round);
        }
    }
    mini_row(NULL);
    mini_shutdown();
}

// --- a release while callbacks come as fast as they can: none begins after it has returned

struct flood {
    struct mini mini;
    struct recording a;
    _Atomic int released;
    _Atomic int late;
    struct latch messages;
};

static void comes_too_late(struct recording *recording, const struct record *record, const void *event) {
    struct flood *flood = recording->context;
    (void)event;
    if (record->kind != RECORD_RELEASE && flood->released) {
        flood->late++;
    }
    latch_hit(&flood->messages);
}

static void no_callback_after_a_release(void) {
    for (unsigned round = 0; round < ROUNDS / wait_slow(); round++) {
        struct flood flood = {.released = 0, .late = 0};
        const int of_the_app = round % 2 == 0;
        mini_init_of(&flood.mini, TARO_DELIVERY_DIRECT);
        latch_init(&flood.messages);
        flood.a = RECORDING_ON(&flood.mini.recorder, "a", comes_too_late, &flood);
        const taro_socket socket = mini_connect(&flood.mini, &flood.a, SERVER_URL("ws", "/echo?act=numbers:2000"));
        LATCH_WAIT(&flood.messages, 10 + round);
        if (of_the_app) {
            CHECK_STATUS(taro_app_release(flood.mini.app), TARO_STATUS_OK);
            flood.released = 1;
            CHECK_UINT(record_count(&flood.mini.recorder, RECORD_RELEASE, "a"), ==, 1);
        } else {
            // The one that runs may still be about to begin its own work: it is not waited for.
            CHECK_STATUS(taro_socket_release(socket), TARO_STATUS_OK);
            RECORD_WAIT(&flood.mini.recorder, RECORD_RELEASE, "a", 1);
            flood.released = 1;
            CHECK_STATUS(taro_app_release(flood.mini.app), TARO_STATUS_OK);
        }
        recorder_end(&flood.mini.recorder);
        CHECK_INT(flood.late, ==, 0);
        latch_destroy(&flood.messages);
    }
    mini_shutdown();
}

static const struct test tests[] = {
    TEST("L5 L8 L18 L29", each_senders_order_is_kept),
    TEST("L8 L26 L29", one_of_many_releases_counts),
    TEST("L8 L29", whatever_runs_beside_a_release),
    TEST("L8", no_callback_after_a_release),
};

TEST_MAIN(tests)
