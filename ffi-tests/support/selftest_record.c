// label: unit
// The kit's own tests: recorder_check notices what breaks the laws, and the readers read.
#include <stdio.h>
#include <string.h>

#include "host.h"
#include "process.h"
#include "record.h"

static const taro_result accepted = {.struct_size = sizeof(taro_result), .err_msg = {"x:ok", 4}};
static const taro_result refused = {
    .struct_size = sizeof(taro_result), .status = TARO_STATUS_PARAMETER, .err_msg = {"x:fail", 6}};

static void open_now(taro_socket socket, void *user_data) {
    static const taro_profile profile = {.struct_size = sizeof(profile), .cost_us = 7};
    static const taro_header headers[] = {{{"A", 1}, {"1", 1}}, {{"a", 1}, {"2", 1}}, {{"A", 1}, {"3", 1}}};
    const taro_open_event event = {.struct_size = sizeof(event),
                                   .http_status = 101,
                                   .headers = headers,
                                   .headers_len = 3,
                                   .protocol = {"chat", 4},
                                   .profile = &profile};
    record_open(socket, &event, user_data);
}

static void message_now(taro_socket socket, void *user_data) {
    const taro_message_event event = {
        .struct_size = sizeof(event), .kind = TARO_MESSAGE_BINARY, .message = 9, .data = "\0b", .data_len = 2};
    record_message(socket, &event, user_data);
}

static void close_now(taro_socket socket, void *user_data) {
    const taro_close_event event = {.struct_size = sizeof(event), .code = 1000, .reason = {"bye", 3}, .was_clean = 1};
    record_close(socket, &event, user_data);
}

static void drain_now(taro_socket socket, void *user_data) {
    const taro_drain_event event = {.struct_size = sizeof(event), .buffered_amount_bytes = 5};
    record_drain(socket, &event, user_data);
}

// Callbacks, a letter each: s success, f fail, c and C complete of these two, o open, m message, e error, x close,
// d drain, r release; 2 and 1 change the socket.
static void play(const char *script, struct recording *recording) {
    taro_socket socket = 1;
    for (; *script; script++) {
        switch (*script) {
        case 's': record_success(socket, &accepted, recording); break;
        case 'f': record_fail(socket, &refused, recording); break;
        case 'c': record_complete(socket, &accepted, recording); break;
        case 'C': record_complete(socket, &refused, recording); break;
        case 'S': record_success(socket, &refused, recording); break;
        case 'o': open_now(socket, recording); break;
        case 'm': message_now(socket, recording); break;
        case 'e': record_error(socket, &refused, recording); break;
        case 'x': close_now(socket, recording); break;
        case 'd': drain_now(socket, recording); break;
        case 'r': record_release(recording); break;
        case '0': socket = 0; break;
        case '1': socket = 1; break;
        case '2': socket = 2; break;
        default: FAIL("no callback is called %c", *script);
        }
    }
}

struct script {
    unsigned calls; // connects that the recording is for
    int partial;
    const char *callbacks;
    const char *fault; // NULL: nothing is wrong
};

static const struct script scripts[] = {
    {1, 0, "", NULL},
    {1, 0, "scommdmxr", NULL},
    {1, 0, "sco", NULL},
    {1, 0, "scex", NULL},
    {1, 0, "scoexr", NULL},
    {1, 0, "scxr", NULL},
    {1, 0, "fCr", NULL},
    {1, 0, "sr", NULL}, // released between the two
    {2, 0, "sc2sco1omx2mxrr", NULL},
    {2, 0, "sco2scom1xrscxr", "more results than calls"},
    {2, 0, "s2scom1crr", NULL},
    {2, 0, "scoxscr", NULL}, // a result after close
    {0, 0, "oxr", NULL},     // not by the options of the kit: the calls are unknown
    {0, 0, "xo", "an event after close"},
    {1, 1, "comxr", NULL},
    {1, 1, "coo", "a second open"},
    {1, 0, "ss", "more results than calls"},
    {1, 0, "sf", "more results than calls"},
    {1, 0, "fCf", "more results than calls"},
    {1, 0, "c", "complete without success or fail"},
    {1, 0, "scc", "complete without success or fail"},
    {1, 0, "sC", "complete differs from success or fail"},
    {1, 0, "s2c", "complete differs from success or fail"},
    {1, 0, "S", "do not agree"},
    {1, 0, "soc", "an event before connect's complete"},
    {1, 0, "o", "an event before connect's complete"},
    {1, 0, "sc2o", "an event before connect's complete"},
    {1, 0, "sc0o", "an event without a socket"},
    {1, 0, "scm", "an event before open"},
    {1, 0, "scd", "an event before open"},
    {1, 0, "scoo", "a second open"},
    {1, 0, "scomo", "a second open"},
    {1, 0, "scee", "an event after error that is no close"},
    {1, 0, "sceo", "an event after error that is no close"},
    {1, 0, "scoem", "an event after error that is no close"},
    {1, 0, "scoxx", "an event after close"},
    {1, 0, "scoxe", "an event after close"},
    {1, 0, "scoxm", "an event after close"},
    {1, 0, "scoxrr", "more releases than calls"},
    {1, 0, "scorx", "a callback after the last release"},
    {1, 0, "rsc", "a callback after the last release"},
};

static int play_whole(void *context) {
    const struct script *script = context;
    struct recorder recorder;
    struct recording recording = RECORDING(&recorder, "a");
    recorder_init(&recorder);
    recorder.partial = script->partial;
    for (unsigned at = 0; at < script->calls; at++) {
        record_connect_options(&recording, "ws://127.0.0.1/");
    }
    play(script->callbacks, &recording);
    recorder_end(&recorder);
    return 0;
}

static void the_check_notices_broken_orders(void) {
    for (size_t at = 0; at < sizeof(scripts) / sizeof(*scripts); at++) {
        char output[8192];
        struct script script = scripts[at];
        const int status = PROCESS_FORK_OUTPUT(play_whole, &script, output, sizeof(output));
        if (status != (script.fault != NULL) || (script.fault && !strstr(output, script.fault))) {
            FAIL("%s: status %d, expected was: %s\n%s", script.callbacks, status, script.fault, output);
        }
    }
    check_pass();
}

// --- overlaps

static void nest(struct recording *recording, const struct record *record, const void *event) {
    (void)event;
    recording->on = NULL;
    message_now(record->socket, recording);
}

static int overlap(void *nested) {
    struct recorder recorder;
    struct recording recording = RECORDING_ON(&recorder, "a", nested ? nest : NULL, NULL);
    recorder_init(&recorder);
    play("om", &recording);
    recorder_end(&recorder);
    return 0;
}

static void the_check_notices_overlaps(void) {
    char output[8192];
    int nested = 1;
    CHECK_INT(PROCESS_FORK_OUTPUT(overlap, &nested, output, sizeof(output)), ==, 1);
    CHECK_TEXT_HAS(output, "it began while another callback ran");
    CHECK_TEXT_HAS(output, "OVERLAPPED");
    CHECK_INT(PROCESS_FORK(overlap, NULL), ==, 0);
}

// --- what a record holds, and the readers

static void a_record_holds_copies(void) {
    struct recorder recorder;
    struct recording recording = RECORDING(&recorder, "a");
    char text[] = "x:fail why";
    taro_result result = refused;
    recorder_init(&recorder);
    result.err_msg.ptr = text;
    result.err_msg.len = strlen(text);
    record_fail(0, &result, &recording);
    memset(text, '-', strlen(text));
    play("omx", &recording);
    const struct record *fail = record_at(&recorder, 0);
    CHECK_STR(fail->err_msg, "x:fail why");
    CHECK_STATUS(fail->status, TARO_STATUS_PARAMETER);
    CHECK_INT(fail->thread, ==, record_thread());
    const struct record *open = record_find(&recorder, RECORD_OPEN, "a", 1);
    CHECK_INT(open->http_status, ==, 101);
    CHECK_STR(open->protocol, "chat");
    CHECK_INT(open->profile.cost_us, ==, 7);
    CHECK_STR(record_header(open, "A", 2), "3");
    CHECK_STR(record_header(open, "a", 1), "2");
    CHECK(!record_header(open, "a", 2).ptr);
    const struct record *message = record_find(&recorder, RECORD_MESSAGE, NULL, 1);
    CHECK_BYTES(message->data.ptr, message->data.len, "\0b", 2);
    CHECK_UINT(message->message, ==, 9);
    const struct record *close = record_find(&recorder, RECORD_CLOSE, "a", 1);
    CHECK_STR(close->reason, "bye");
    CHECK_UINT(close->close_code, ==, 1000);
    CHECK_INT(close->done, ==, 1);
    recorder_end(&recorder);
}

static void readers_count_and_find(void) {
    struct recorder recorder;
    struct recording a = RECORDING(&recorder, "a"), b = RECORDING(&recorder, "b");
    recorder_init(&recorder);
    play("om", &a);
    record_mark(&recorder, "here");
    play("omm", &b);
    CHECK_UINT(record_len(&recorder), ==, 6);
    CHECK_UINT(record_count(&recorder, RECORD_MESSAGE, NULL), ==, 3);
    CHECK_UINT(record_count(&recorder, 0, "b"), ==, 3);
    CHECK_INT(record_index(&recorder, RECORD_MESSAGE, "b", 2), ==, 5);
    CHECK_INT(record_index(&recorder, RECORD_MESSAGE, "b", 3), ==, -1);
    CHECK(!record_find(&recorder, RECORD_CLOSE, NULL, 1));
    CHECK(!record_at(&recorder, 6));
    CHECK(record_wait(&recorder, RECORD_MESSAGE, NULL, 3) == record_at(&recorder, 5));
    CHECK_BEFORE(&recorder, RECORD_OPEN, "a", RECORD_MARK, "here");
    CHECK_SEQUENCE(&recorder, "b", "open message message");
    CHECK_SEQUENCE(&recorder, NULL, "open message open message message");
    CHECK_SEQUENCE(&recorder, "c", "");
    recorder_end(&recorder);
}

static struct recorder *subject;

static void wait_in_vain(void) {
    wait_cap_ms(1);
    record_wait(subject, RECORD_CLOSE, "a", 2);
}
static void wrong_order(void) { CHECK_BEFORE(subject, RECORD_MARK, "here", RECORD_OPEN, "a"); }
static void order_of_nothing(void) { CHECK_BEFORE(subject, RECORD_OPEN, "a", RECORD_OPEN, "b"); }
static void sequence_short(void) { CHECK_SEQUENCE(subject, "a", "open message close message"); }
static void sequence_long(void) { CHECK_SEQUENCE(subject, "a", "open message"); }
static void sequence_other(void) { CHECK_SEQUENCE(subject, "a", "open messages close"); }
static void wrong_status(void) { CHECK_STATUS(TARO_STATUS_FULL, TARO_STATUS_OK); }
static void never_ends(void) {
    subject->running++;
    wait_cap_ms(1);
    recorder_end(subject);
}

static int run_case(void *context) {
    (*(void (**)(void))context)();
    return 0;
}

static void each_reader_can_fail(void) {
    static const struct {
        void (*run)(void);
        const char *prints;
    } cases[] = {
        {wait_in_vain, "waited in vain for close of a, number 2: there are 1"},
        {wrong_order, "mark of here (record 3) is not before open of a (record 0)"},
        {order_of_nothing, "open of b (record -1)"},
        {sequence_short, "the sequence of a is not"},
        {sequence_long, "the sequence of a is not"},
        {sequence_other, "from here on: \"messages close\""},
        {wrong_status, "TARO_STATUS_FULL (-110), not TARO_STATUS_OK (0)"},
        {never_ends, "callbacks that do not return: 1"},
    };
    struct recorder recorder;
    struct recording a = RECORDING(&recorder, "a");
    recorder_init(&recorder);
    subject = &recorder;
    play("omx", &a);
    record_mark(&recorder, "here");
    for (size_t at = 0; at < sizeof(cases) / sizeof(*cases); at++) {
        char output[8192];
        void (*run)(void) = cases[at].run;
        CHECK_INT(PROCESS_FORK_OUTPUT(run_case, &run, output, sizeof(output)), ==, 1);
        CHECK_TEXT_HAS(output, cases[at].prints);
        CHECK_TEXT_HAS(output, "records: 4");
    }
    recorder_end(&recorder);
}

// --- the host's loop, with results of connects that are refused

static void refuse(taro_app app, struct recording *recording) {
    taro_socket socket = 1;
    taro_connect_options options = record_connect_options(recording, "http://127.0.0.1/");
    options.app = app;
    CHECK_STATUS(taro_connect_socket(&options, &socket), TARO_STATUS_INVALID_URL);
}

static void the_host_loop_dispatches(void) {
    struct recorder recorder;
    struct recording a = RECORDING(&recorder, "a"), b = RECORDING(&recorder, "b");
    taro_app_options options = TARO_APP_OPTIONS_INIT;
    taro_app app;
    recorder_init(&recorder);
    options.delivery = TARO_DELIVERY_HOST;
    CHECK_STATUS(taro_app_create(&options, &app), TARO_STATUS_OK);
    CHECK(!host_is_readable(app));
    refuse(app, &a);
    HOST_WAIT_READABLE(app);
    CHECK(host_is_readable(app));
    CHECK_INT(record_len(&recorder), ==, 0);
    const struct record *complete = HOST_LOOP_RECORD(app, &recorder, RECORD_COMPLETE, "a", 1);
    CHECK_STATUS(complete->status, TARO_STATUS_INVALID_URL);
    HOST_LOOP_UNTIL(app, record_count(&recorder, RECORD_RELEASE, "a") == 1);
    refuse(app, &b);
    CHECK_UINT(host_drain(app), >=, 1);
    CHECK_SEQUENCE(&recorder, "b", "fail complete release");
    CHECK_STATUS(taro_app_release(app), TARO_STATUS_OK);
    CHECK_STATUS(taro_shutdown(WAIT_MS), TARO_STATUS_OK);
    recorder_end(&recorder);
}

static int loop_in_vain(void *context) {
    taro_app_options options = TARO_APP_OPTIONS_INIT;
    taro_app app;
    int (*const *wait)(taro_app app) = context;
    options.delivery = TARO_DELIVERY_HOST;
    CHECK_STATUS(taro_app_create(&options, &app), TARO_STATUS_OK);
    wait_cap_ms(1);
    return (*wait)(app);
}

static int for_a_record(taro_app app) {
    struct recorder recorder;
    recorder_init(&recorder);
    return HOST_LOOP_RECORD(app, &recorder, RECORD_OPEN, "a", 1) == NULL;
}

static int for_a_condition(taro_app app) {
    HOST_LOOP_UNTIL(app, 1 == 2);
    return 0;
}

static int for_the_descriptor(taro_app app) {
    HOST_WAIT_READABLE(app);
    return 0;
}

// Before the library has started in this process, as a forked child could not use it then.
static void the_host_loop_has_a_deadline(void) {
    static const struct {
        int (*wait)(taro_app app);
        const char *prints;
    } cases[] = {
        {for_a_record, "looped in vain for open of a, number 1: there are 0"},
        {for_a_condition, "looped in vain for: 1 == 2"},
        {for_the_descriptor, "did not become readable"},
    };
    for (size_t at = 0; at < sizeof(cases) / sizeof(*cases); at++) {
        char output[8192];
        int (*wait)(taro_app app) = cases[at].wait;
        CHECK_INT(PROCESS_FORK_OUTPUT(loop_in_vain, &wait, output, sizeof(output)), ==, 1);
        CHECK_TEXT_HAS(output, cases[at].prints);
    }
}

static const struct test tests[] = {
    TEST("-", the_check_notices_broken_orders),
    TEST("-", the_check_notices_overlaps),
    TEST("-", a_record_holds_copies),
    TEST("-", readers_count_and_find),
    TEST("-", each_reader_can_fail),
    TEST("-", the_host_loop_has_a_deadline),
    TEST("-", the_host_loop_dispatches),
};
TEST_MAIN(tests)
