// L5, L8, L18, L29: many threads use the same sockets and apps at the same time. All of them are mixed in mixed.c.
// label: stress
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

enum { RELEASERS = 4, ROUNDS = 100 };

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
    TEST("L8", no_callback_after_a_release),
};

TEST_MAIN(tests)
