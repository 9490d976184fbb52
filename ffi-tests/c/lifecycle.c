// L6, L8, L30: the matrix of release, shutdown, dispatch and close: what is done, where it is called from, and how
// the app delivers that it is done to.
//
// That app, the subject, has an open socket "s" which is paused while a message is on its way, the result of a send
// "p", the refusal of a connect "q", and user data of its own, "app". A callback of the subject that runs is `open`
// of "s"; then p and q wait behind it. In direct delivery nothing waits otherwise; in host delivery p and q wait for
// a dispatch.
#include "blocked.h"
#include "mini.h"

// --- the axes

enum what { APP_RELEASE, SHUTDOWN, SOCKET_RELEASE, DISPATCH, CLOSE };

// `_BUSY`: while a callback of the subject runs on another thread.
enum place {
    OUTSIDE, OUTSIDE_BUSY, // the main thread, in no callback
    OWN,                   // in a callback of the subject: on its I/O thread, or in its dispatch
    SAME_THREAD,           // in one of a direct app on the same I/O thread
    OTHER_THREAD, OTHER_THREAD_BUSY,     // ... on another I/O thread
    OTHER_DISPATCH, OTHER_DISPATCH_BUSY, // in the dispatch of another app of host delivery
    PLACES,
};

static const char *const what_names[] = {"app_release", "shutdown", "socket_release", "dispatch", "close"};
static const char *const place_names[] = {
    "outside", "outside, busy", "in its own callback", "in another app's, same thread",
    "in another app's, other thread", "in another app's, other thread, busy", "in another app's dispatch",
    "in another app's dispatch, busy",
};

// --- what is expected

enum outcome {
    ENDS,    // every release function of the subject has run when the call returns, and no callback more
    ENDS_ON, // the same, but when the running callback returns, and on its thread
    NOTHING, // all goes on as if there had been no call
    RUNS,    // what waits runs inside the call
    SILENCE, // no callback of the socket and its calls any more; the rest goes on
    CLOSES,  // results and `close`; the message is dropped
};

// The kinds of all that is recorded in the end. `waiting`: p and q waited when the call was made.
static const struct story {
    const char *s;
    const char *p_waiting;
    const char *q_waiting;
} stories[] = {
    [ENDS] = {"success complete open release", "release", "release"},
    [ENDS_ON] = {"success complete open release", "release", "release"},
    [NOTHING] = {"success complete open message release", "success complete release", "fail complete release"},
    [RUNS] = {"success complete open message release", "success complete release", "fail complete release"},
    [SILENCE] = {"success complete open release", "release", "fail complete release"},
    [CLOSES] = {"success complete open close release", "success complete release", "fail complete release"},
};

struct expected {
    taro_status status;
    enum outcome outcome;
};

#define OK TARO_STATUS_OK
#define NO(status) {TARO_STATUS_##status, NOTHING}

#define AT(place) (1u << (place))
// No callback of the subject runs; one runs, the caller's own or another thread's.
#define QUIET (AT(OUTSIDE) | AT(SAME_THREAD) | AT(OTHER_THREAD) | AT(OTHER_DISPATCH))
#define BUSY_INSIDE (AT(OWN) | AT(OTHER_THREAD_BUSY) | AT(OTHER_DISPATCH_BUSY))
#define BUSY (AT(OUTSIDE_BUSY) | BUSY_INSIDE)
#define IN_CALLBACKS (AT(SAME_THREAD) | AT(OTHER_THREAD) | AT(OTHER_DISPATCH) | BUSY_INSIDE)
#define EVERYWHERE (QUIET | BUSY)

static const struct row {
    enum what what;
    unsigned places;
    int waits; // for the running callback
    struct expected direct;
    struct expected host;
} rows[] = {
    {APP_RELEASE, QUIET, 0, {OK, ENDS}, {OK, ENDS}},
    {APP_RELEASE, AT(OUTSIDE_BUSY), 1, {OK, ENDS}, {OK, ENDS}},
    {APP_RELEASE, BUSY_INSIDE, 0, {OK, ENDS_ON}, {OK, ENDS_ON}},

    {SHUTDOWN, AT(OUTSIDE), 0, {OK, ENDS}, {OK, ENDS}},
    {SHUTDOWN, AT(OUTSIDE_BUSY), 1, {OK, ENDS}, {OK, ENDS}},
    {SHUTDOWN, IN_CALLBACKS, 0, NO(WOULD_DEADLOCK), NO(WOULD_DEADLOCK)},

    {SOCKET_RELEASE, EVERYWHERE, 0, {OK, SILENCE}, {OK, SILENCE}},

    {DISPATCH, QUIET, 0, NO(WRONG_DELIVERY), {OK, RUNS}},
    {DISPATCH, BUSY, 0, NO(WRONG_DELIVERY), NO(BUSY)},

    {CLOSE, EVERYWHERE, 0, {OK, CLOSES}, {OK, CLOSES}},
};
enum { ROWS = sizeof rows / sizeof *rows };

// --- one cell

struct cell {
    const struct row *row;
    enum place place;
    uint32_t delivery;
    struct expected expected;
    char name[128];
    struct mini subject, other;
    struct recording s, p, q, c, app, otherwise;
    taro_socket socket;
    struct gate gate;  // in `open` of "s"
    struct latch done; // the call has been made, and looked at
    struct test_thread dispatcher;
    long acted_on; // the thread of the call
};

static int is_busy(const struct cell *cell) { return cell->place != OWN && (AT(cell->place) & BUSY) != 0; }

static int is_host(const struct cell *cell) { return cell->delivery == TARO_DELIVERY_HOST; }

// Whether p and q wait when the call is made.
static int has_waiting(const struct cell *cell) {
    return is_host(cell) || (AT(cell->place) & BUSY) != 0;
}

// --- the call, and what holds at the moment of its return

static taro_status call(struct cell *cell) {
    taro_close_options close;
    size_t left;
    switch (cell->row->what) {
    case APP_RELEASE:
        return taro_app_release(cell->subject.app);
    case SHUTDOWN:
        return taro_shutdown(WAIT_MS * wait_slow());
    case SOCKET_RELEASE:
        return taro_socket_release(cell->socket);
    case DISPATCH:
        return taro_app_dispatch(cell->subject.app, 0, &left);
    default:
        close = record_close_options(&cell->c, 3000, "bye");
        return taro_socket_close(cell->socket, &close);
    }
}

static void check_that_all_is_released(struct cell *cell) {
    struct recorder *recorder = &cell->subject.recorder;
    static const char *const labels[] = {"s", "p", "q", "app"};
    for (size_t at = 0; at < sizeof labels / sizeof *labels; at++) {
        CHECK_UINT(record_count(recorder, RECORD_RELEASE, labels[at]), ==, 1);
    }
    CHECK_TEXT(record_at(recorder, record_len(recorder) - 1)->label, "app");
    CHECK_STATUS(taro_socket_pause(cell->socket), TARO_STATUS_BAD_HANDLE);
    CHECK_STATUS(taro_app_set_background(cell->subject.app, 0), TARO_STATUS_BAD_HANDLE);
}

static void act(struct cell *cell) {
    struct recorder *recorder = &cell->subject.recorder;
    const size_t before = record_len(recorder);
    struct blocked blocked;
    cell->acted_on = record_thread();
    if (cell->row->waits) {
        blocked_begin(&blocked, &cell->gate.open);
    }
    CHECK_STATUS(call(cell), cell->expected.status);
    if (cell->row->waits) {
        CHECK(mini_find(&cell->subject, RECORD_OPEN, "s", 1)->done);
        blocked_end(&blocked);
    }
    switch (cell->expected.outcome) {
    case ENDS:
        check_that_all_is_released(cell);
        break;
    case RUNS:
        CHECK_SEQUENCE(recorder, "p", "success complete release");
        CHECK_SEQUENCE(recorder, "q", "fail complete release");
        CHECK_INT(mini_find(&cell->subject, RECORD_FAIL, "q", 1)->thread, ==, record_thread());
        break;
    default:
        // Nothing has run on the stack of the call, nor elsewhere while a callback of the subject runs.
        if (has_waiting(cell)) {
            CHECK_UINT(record_len(recorder), ==, before);
        }
        break;
    }
    latch_hit(&cell->done);
}

// --- callbacks

static void adds_what_waits(struct cell *cell) {
    taro_send_options send = record_send_text_options(&cell->p, "p");
    CHECK_STATUS(taro_socket_send(cell->socket, &send), TARO_STATUS_OK);
    mini_refuse(&cell->subject, &cell->q);
}

static void on_subject(struct recording *recording, const struct record *record, const void *event) {
    struct cell *cell = recording->context;
    (void)event;
    if (record->kind != RECORD_OPEN) {
        return;
    }
    cell->socket = record->socket;
    CHECK_STATUS(taro_socket_pause(cell->socket), TARO_STATUS_OK);
    if (cell->place == OWN) {
        adds_what_waits(cell);
        act(cell);
    } else if (is_busy(cell)) {
        adds_what_waits(cell);
        gate_pass(&cell->gate);
    } else {
        latch_hit(&cell->gate.entered);
    }
}

static void on_other(struct recording *recording, const struct record *record, const void *event) {
    (void)event;
    if (record->kind == RECORD_FAIL) {
        act(recording->context);
    }
}

static void dispatches_once(void *context) {
    CHECK_STATUS(taro_app_dispatch(((struct cell *)context)->subject.app, 0, NULL), TARO_STATUS_OK);
}

// --- the cell from its beginning to its end

// The first app to connect is on the first I/O thread, the second on the second, the third on the first again.
static void start_the_other(struct cell *cell) {
    const enum place place = cell->place;
    struct mini filler;
    if (place == SAME_THREAD) {
        mini_init_of(&filler, TARO_DELIVERY_DIRECT);
        struct recording recording = RECORDING(&filler.recorder, "filler");
        mini_refuse(&filler, &recording);
        RECORD_WAIT(&filler.recorder, RECORD_RELEASE, "filler", 1);
        mini_end(&filler);
    }
    const int dispatched = place == OTHER_DISPATCH || place == OTHER_DISPATCH_BUSY;
    mini_init_of(&cell->other, dispatched ? TARO_DELIVERY_HOST : TARO_DELIVERY_DIRECT);
    cell->otherwise = RECORDING_ON(&cell->other.recorder, "other", on_other, cell);
    mini_refuse(&cell->other, &cell->otherwise);
    if (dispatched) {
        CHECK_STATUS(taro_app_dispatch(cell->other.app, 1, NULL), TARO_STATUS_OK);
    }
    mini_wait(&cell->other, RECORD_RELEASE, "other", 1);
    CHECK_UINT(latch_count(&cell->done), ==, 1);
    if (!is_host(cell) && !dispatched) {
        const int same = cell->acted_on == mini_find(&cell->subject, RECORD_OPEN, "s", 1)->thread;
        CHECK_INT(same, ==, place == SAME_THREAD);
    }
}

static void begin(struct cell *cell) {
    taro_init_options init = TARO_INIT_OPTIONS_INIT;
    taro_app_options options = TARO_APP_OPTIONS_INIT;
    struct recorder *recorder = &cell->subject.recorder;
    init.io_threads = 2;
    CHECK_STATUS(taro_init(&init), TARO_STATUS_OK);
    latch_init(&cell->done);
    gate_init(&cell->gate);
    cell->s = RECORDING_ON(recorder, "s", on_subject, cell);
    cell->p = RECORDING(recorder, "p");
    cell->q = RECORDING(recorder, "q");
    cell->c = RECORDING(recorder, "c");
    cell->app = RECORDING(recorder, "app");
    options.delivery = cell->delivery;
    options.user_data = &cell->app;
    options.release = record_release;
    mini_init(&cell->subject, &options);
}

// Has `open` of "s" run, or begun to, and p and q where they belong.
static void prepare(struct cell *cell) {
    const int busy = is_busy(cell);
    mini_connect(&cell->subject, &cell->s, SERVER_URL("ws", "/sink?id=s&act=text:held"));
    SERVER_WAIT("s", "sent text:held");
    if (is_host(cell)) {
        HOST_WAIT_READABLE(cell->subject.app);
        CHECK_STATUS(taro_app_dispatch(cell->subject.app, 1, NULL), TARO_STATUS_OK); // connect's results
        HOST_WAIT_READABLE(cell->subject.app);
        if (busy) {
            thread_start(&cell->dispatcher, dispatches_once, cell);
        } else {
            dispatches_once(cell);
        }
    }
    LATCH_WAIT(cell->place == OWN ? &cell->done : &cell->gate.entered, 1);
    if (!busy && cell->place != OWN) {
        adds_what_waits(cell);
        if (is_host(cell)) {
            SERVER_WAIT("s", "^text 1 p");
            EVENTUALLY(mini_buffered(cell->socket) == 0);
        } else {
            RECORD_WAIT(&cell->subject.recorder, RECORD_RELEASE, "p", 1);
            RECORD_WAIT(&cell->subject.recorder, RECORD_RELEASE, "q", 1);
            mini_in_step("s", 1); // and have returned
        }
    }
}

static void check_the_story(struct cell *cell) {
    const struct story *story = &stories[cell->expected.outcome];
    struct recorder *recorder = &cell->subject.recorder;
    const int waiting = has_waiting(cell);
    CHECK_SEQUENCE(recorder, "s", story->s);
    CHECK_SEQUENCE(recorder, "p", waiting ? story->p_waiting : "success complete release");
    CHECK_SEQUENCE(recorder, "q", waiting ? story->q_waiting : "fail complete release");
    CHECK_SEQUENCE(recorder, "c", cell->row->what == CLOSE ? "success complete release" : "");
    check_that_all_is_released(cell);
    const long running = mini_find(&cell->subject, RECORD_OPEN, "s", 1)->thread;
    for (size_t at = 0; at < record_len(recorder); at++) {
        const struct record *record = record_at(recorder, at);
        if (record->kind == RECORD_RELEASE && cell->expected.outcome == ENDS_ON) {
            CHECK_INT(record->thread, ==, running);
        } else if (record->kind == RECORD_RELEASE && is_host(cell)) {
            // Where callbacks ran, where the call was made, or where all was ended: never on an I/O thread.
            CHECK(record->thread == running || record->thread == cell->acted_on || record->thread == record_thread());
        }
    }
}

// What the call has left of the subject goes its way, then all is ended.
static void end(struct cell *cell) {
    struct mini *subject = &cell->subject;
    const enum outcome outcome = cell->expected.outcome;
    const int busy = is_busy(cell);
    if (busy && !cell->row->waits) {
        CHECK_UINT(record_count(&subject->recorder, RECORD_RELEASE, NULL), ==, 0);
        latch_hit(&cell->gate.open);
    }
    if (busy && is_host(cell)) {
        THREAD_JOIN(&cell->dispatcher);
    }
    if (outcome == ENDS_ON) {
        RECORD_WAIT(&subject->recorder, RECORD_RELEASE, "app", 1);
    } else if (outcome != ENDS) {
        if (outcome != SILENCE) {
            CHECK_STATUS(taro_socket_resume(cell->socket), TARO_STATUS_OK);
            mini_wait(subject, outcome == CLOSES ? RECORD_CLOSE : RECORD_MESSAGE, "s", 1);
        } else {
            mini_wait(subject, RECORD_RELEASE, "s", 1);
        }
        mini_wait(subject, RECORD_RELEASE, "p", 1);
        mini_wait(subject, RECORD_RELEASE, "q", 1);
    }
    mini_shutdown();
    check_the_story(cell);
    recorder_end(&subject->recorder);
    if (cell->place >= SAME_THREAD) {
        CHECK_SEQUENCE(&cell->other.recorder, "other", "fail complete release");
        recorder_end(&cell->other.recorder);
    }
    latch_destroy(&cell->done);
    gate_destroy(&cell->gate);
    SERVER_COMMAND("forget s");
}

static void run(const struct row *row, enum place place, uint32_t delivery) {
    struct cell cell = {.row = row, .place = place, .delivery = delivery};
    cell.expected = is_host(&cell) ? row->host : row->direct;
    snprintf(cell.name, sizeof cell.name, "%s, %s, %s delivery", what_names[row->what], place_names[place],
             is_host(&cell) ? "host" : "direct");
    mini_row(cell.name);
    begin(&cell);
    prepare(&cell);
    if (place == OUTSIDE || place == OUTSIDE_BUSY) {
        act(&cell);
    } else if (place != OWN) {
        start_the_other(&cell);
    }
    end(&cell);
    mini_row(NULL);
}

static void run_rows_of(enum what what) {
    unsigned done = 0;
    for (size_t at = 0; at < ROWS; at++) {
        for (enum place place = 0; rows[at].what == what && place < PLACES; place++) {
            if (rows[at].places & AT(place)) {
                CHECK_UINT(done & AT(place), ==, 0);
                done |= AT(place);
                for (MINI_EACH_DELIVERY(delivery)) {
                    run(&rows[at], place, delivery);
                }
            }
        }
    }
    CHECK_UINT(done, ==, AT(PLACES) - 1);
}

static void release_of_an_app(void) { run_rows_of(APP_RELEASE); }
static void shutdown_of_the_library(void) { run_rows_of(SHUTDOWN); }
static void release_of_a_socket(void) { run_rows_of(SOCKET_RELEASE); }
static void dispatch(void) { run_rows_of(DISPATCH); }
static void close_of_a_socket(void) { run_rows_of(CLOSE); }

static const struct test tests[] = {
    TEST("L8", release_of_an_app),
    TEST("L6 L8 L30", shutdown_of_the_library),
    TEST("L8 L26", release_of_a_socket),
    TEST("L6 L29", dispatch),
    TEST("L6", close_of_a_socket),
};

TEST_MAIN(tests)
