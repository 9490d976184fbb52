// L1, L27: structs that are shorter or longer than the library's own. Each stands at the end of what may be read:
// a look beyond it ends the process.
#include <stdlib.h>
#include <sys/mman.h>
#include <unistd.h>

#include "layout.h"
#include "mini.h"

enum { LONGEST = 4096, DIRT = 0xaa };

// --- memory that ends where the struct does

static unsigned char *readable_end; // behind it lies a page that nobody may touch

static void guard_init(void) {
    const size_t page = (size_t)sysconf(_SC_PAGESIZE);
    unsigned char *pages = mmap(NULL, LONGEST + page, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    CHECK(pages != MAP_FAILED);
    CHECK_INT(mprotect(pages + LONGEST, page, PROT_NONE), ==, 0);
    readable_end = pages + LONGEST;
}

static void guard_end(void) {
    CHECK_INT(munmap(readable_end - LONGEST, LONGEST + (size_t)sysconf(_SC_PAGESIZE)), ==, 0);
}

// A place of so many bytes: what `whole` begins with, then zeroes; its struct_size says `struct_size`.
static unsigned char *place(const void *whole, size_t whole_len, size_t readable, uint32_t struct_size) {
    unsigned char *at = readable_end - readable;
    memset(at, 0, readable);
    memcpy(at, whole, whole_len < readable ? whole_len : readable);
    memcpy(at, &struct_size, sizeof struct_size);
    return at;
}

// --- what a call has brought about

static struct {
    int results;
    int releases;
    void *user_data; // of a result
} seen;

static void on_result(taro_socket socket, const taro_result *result, void *user_data) {
    (void)socket, (void)result;
    seen.results++;
    seen.user_data = user_data;
}

static void on_release(void *user_data) {
    CHECK(user_data == &seen);
    seen.releases++;
}

// --- each struct that goes in

struct given {
    union {
        taro_init_options init;
        taro_app_options app;
        taro_connect_options connect;
        taro_send_options send;
        taro_close_options close;
        taro_refuse_options refuse;
    } options;
    taro_app app;       // of host delivery, so that nothing runs beside the test
    taro_socket socket; // open
};

static taro_socket connect_plainly(taro_app app, const char *url) {
    taro_connect_options options = TARO_CONNECT_OPTIONS_INIT;
    options.app = app;
    options.url = mini_str(url);
    return mini_accepted(&options);
}

#define GIVE_CALLBACKS(options) \
    ((options).success = (options).complete = on_result, (options).user_data = &seen, (options).release = on_release)

static void give_init(struct given *given) {
    given->options.init = (taro_init_options)TARO_INIT_OPTIONS_INIT;
    given->options.init.io_threads = 2;
    given->options.init.user_data = &seen;
    given->options.init.release = on_release;
}

static taro_status take_init(struct given *given, const void *options) {
    (void)given;
    mini_shutdown(); // only then it may be initialised
    const taro_status status = taro_init(options);
    mini_shutdown();
    return status;
}

static void give_app(struct given *given) {
    given->options.app = (taro_app_options)TARO_APP_OPTIONS_INIT;
    given->options.app.delivery = TARO_DELIVERY_HOST;
    given->options.app.user_data = &seen;
    given->options.app.release = on_release;
}

static taro_status take_app(struct given *given, const void *options) {
    taro_app app = 4711;
    (void)given;
    const taro_status status = taro_app_create(options, &app);
    CHECK_INT(app == 0, ==, status != TARO_STATUS_OK);
    if (app != 0) {
        CHECK_STATUS(taro_app_release(app), TARO_STATUS_OK);
    }
    return status;
}

static void give_connect(struct given *given) {
    given->options.connect = (taro_connect_options)TARO_CONNECT_OPTIONS_INIT;
    given->options.connect.app = given->app;
    given->options.connect.url = mini_str(SERVER_URL("silent", "/"));
    GIVE_CALLBACKS(given->options.connect);
}

static taro_status take_connect(struct given *given, const void *options) {
    taro_socket socket = 4711;
    const taro_status status = taro_connect_socket(options, &socket);
    CHECK_INT(socket == 0, ==, status != TARO_STATUS_OK);
    host_drain(given->app);
    CHECK_STATUS(taro_socket_release(socket), TARO_STATUS_OK);
    host_drain(given->app);
    return status;
}

static void give_send(struct given *given) {
    given->options.send = (taro_send_options)TARO_SEND_OPTIONS_INIT;
    given->options.send.data = "hello";
    given->options.send.data_len = 5;
    GIVE_CALLBACKS(given->options.send);
    given->socket = connect_plainly(given->app, SERVER_URL("ws", "/sink"));
    HOST_LOOP_UNTIL(given->app, mini_state(given->socket) == TARO_READY_STATE_OPEN);
}

static taro_status take_send(struct given *given, const void *options) {
    const taro_status status = taro_socket_send(given->socket, options);
    EVENTUALLY(mini_buffered(given->socket) == 0);
    host_drain(given->app);
    return status;
}

static void give_close(struct given *given) {
    given->options.close = (taro_close_options)TARO_CLOSE_OPTIONS_INIT;
    given->options.close.reason = TARO_STR("bye");
    GIVE_CALLBACKS(given->options.close);
}

static taro_status take_close(struct given *given, const void *options) {
    const taro_socket socket = connect_plainly(given->app, SERVER_URL("silent", "/"));
    const taro_status status = taro_socket_close(socket, options);
    const uint32_t expected = status == TARO_STATUS_OK ? TARO_READY_STATE_CLOSING : TARO_READY_STATE_CONNECTING;
    CHECK_UINT(mini_state(socket), ==, expected);
    host_drain(given->app);
    CHECK_STATUS(taro_socket_release(socket), TARO_STATUS_OK);
    host_drain(given->app);
    return status;
}

static void give_refuse(struct given *given) {
    given->options.refuse = (taro_refuse_options)TARO_REFUSE_OPTIONS_INIT;
    given->options.refuse.app = given->app;
    given->options.refuse.call = TARO_CALL_SEND;
    given->options.refuse.status = TARO_STATUS_PARAMETER;
    given->options.refuse.subject = TARO_STR("data");
    given->options.refuse.fail = given->options.refuse.complete = on_result;
    given->options.refuse.user_data = &seen;
    given->options.refuse.release = on_release;
}

static taro_status take_refuse(struct given *given, const void *options) {
    const taro_status status = taro_app_refuse_call(options);
    host_drain(given->app);
    return status;
}

static const struct row {
    const char *name;
    const char *outcome; // the field of the result that comes before `complete`
    const char *required; // the last field that must be there
    void (*give)(struct given *given);
    taro_status (*take)(struct given *given, const void *options); // the call, and all that it brings about
} rows[] = {
    {"taro_init_options", "success", "struct_size", give_init, take_init},
    {"taro_app_options", "success", "struct_size", give_app, take_app},
    {"taro_connect_options", "success", "url", give_connect, take_connect},
    {"taro_send_options", "success", "data_len", give_send, take_send},
    {"taro_close_options", "success", "struct_size", give_close, take_close},
    {"taro_refuse_options", "fail", "subject", give_refuse, take_refuse},
};

static void each_struct(void (*run)(struct given *given, const struct row *row, const struct layout *layout)) {
    guard_init();
    for (size_t at = 0; at < sizeof rows / sizeof *rows; at++) {
        struct given given;
        taro_app_options options = TARO_APP_OPTIONS_INIT;
        mini_row(rows[at].name);
        memset(&given, 0, sizeof given);
        options.delivery = TARO_DELIVERY_HOST;
        CHECK_STATUS(taro_app_create(&options, &given.app), TARO_STATUS_OK);
        rows[at].give(&given);
        run(&given, &rows[at], layout_of(rows[at].name));
        mini_shutdown();
        mini_row(NULL);
    }
    guard_end();
}

// --- one call

static int has_field(const struct layout *layout, const char *name, size_t size) {
    for (size_t at = 0; at < layout->fields_len; at++) {
        if (strcmp(layout->fields[at].name, name) == 0) {
            return layout->fields[at].end <= size;
        }
    }
    return 0;
}

// It is accepted, with all that the first `size` bytes say and nothing more.
static void accepted(struct given *given, const struct row *row, const void *options, size_t size) {
    const struct layout *layout = layout_of(row->name);
    const int results = has_field(layout, row->outcome, size) + has_field(layout, "complete", size);
    memset(&seen, 0, sizeof seen);
    CHECK_STATUS(row->take(given, options), TARO_STATUS_OK);
    CHECK_INT(seen.results, ==, results);
    CHECK(results == 0 || seen.user_data == (has_field(layout, "user_data", size) ? (void *)&seen : NULL));
    CHECK_INT(seen.releases, ==, has_field(layout, "release", size));
}

static void refused(struct given *given, const struct row *row, const void *options) {
    memset(&seen, 0, sizeof seen);
    CHECK_STATUS(row->take(given, options), TARO_STATUS_BAD_STRUCT_SIZE);
    CHECK_INT(seen.results, ==, 0);
    CHECK_INT(seen.releases, ==, 0);
}

// --- shorter

static int is_end_of_field(const struct layout *layout, size_t size) {
    for (size_t at = 0; at < layout->fields_len; at++) {
        if (layout->fields[at].end == size) {
            return 1;
        }
    }
    return 0;
}

static void every_shorter(struct given *given, const struct row *row, const struct layout *layout) {
    const size_t shortest = layout_field(layout, row->required)->end;
    for (size_t size = 0; size <= layout->size; size++) {
        const size_t readable = size < sizeof(uint32_t) ? sizeof(uint32_t) : size;
        const void *options = place(&given->options, layout->size, readable, (uint32_t)size);
        if (size >= shortest && is_end_of_field(layout, size)) {
            accepted(given, row, options, size);
        } else {
            refused(given, row, options);
        }
    }
}

static void a_shorter_struct_has_defaults_for_the_rest(void) { each_struct(every_shorter); }

// --- longer

static void every_longer(struct given *given, const struct row *row, const struct layout *layout) {
    const size_t ours = layout->size, sizes[] = {ours + 1, ours + 8, LONGEST - 1, LONGEST};
    for (size_t at = 0; at < sizeof sizes / sizeof *sizes; at++) {
        const size_t size = sizes[at], dirty[] = {ours, (ours + size) / 2, size - 1};
        accepted(given, row, place(&given->options, ours, size, (uint32_t)size), ours);
        for (size_t byte = 0; byte < sizeof dirty / sizeof *dirty; byte++) {
            unsigned char *options = place(&given->options, ours, size, (uint32_t)size);
            options[dirty[byte]] = 1;
            refused(given, row, options);
        }
    }
}

static void a_longer_struct_must_end_in_zeroes(void) { each_struct(every_longer); }

static void beyond_any_length(struct given *given, const struct row *row, const struct layout *layout) {
    static const uint32_t sizes[] = {LONGEST + 1, LONGEST + 8, 65536, INT32_MAX, UINT32_MAX};
    (void)layout;
    for (size_t at = 0; at < sizeof sizes / sizeof *sizes; at++) {
        refused(given, row, place(&given->options, sizeof(uint32_t), sizeof(uint32_t), sizes[at]));
    }
}

static void of_a_struct_that_is_too_long_only_the_size_is_read(void) { each_struct(beyond_any_length); }

// --- the one that is filled in

static void counters_are_filled_as_far_as_they_go(void) {
    struct mini mini;
    const size_t ours = sizeof(taro_socket_counters), last = sizeof(uint32_t) + sizeof(uint32_t) + sizeof(uint64_t);
    guard_init();
    mini_init(&mini, NULL);
    struct recording a = RECORDING(&mini.recorder, "a");
    const taro_socket socket = mini_open(&mini, &a, SERVER_URL("ws", "/echo?id=counted"));
    mini_send(socket, "hello");
    mini_wait(&mini, RECORD_MESSAGE, "a", 1);
    taro_socket_counters expected = mini_counters(socket);
    CHECK_UINT(expected.messages_sent, ==, 1);
    CHECK_UINT(expected.payload_bytes_received, ==, 5);
    for (size_t size = 0; size <= LONGEST; size += size < 2 * ours ? 1 : 509) {
        unsigned char *is = readable_end - (size < sizeof(uint32_t) ? sizeof(uint32_t) : size), untouched[LONGEST];
        const int takes = size >= last && (size % sizeof(uint64_t) == 0 || size >= ours);
        const size_t filled = takes ? (size < ours ? size : ours) : 0;
        memset(is, DIRT, (size_t)(readable_end - is));
        memset(untouched, DIRT, sizeof untouched);
        memcpy(is, &(uint32_t){(uint32_t)size}, sizeof(uint32_t));
        memcpy(untouched, is, sizeof(uint32_t));
        const taro_status status = takes ? TARO_STATUS_OK : TARO_STATUS_BAD_STRUCT_SIZE;
        CHECK_STATUS(taro_socket_get_counters(socket, (void *)is), status);
        expected.struct_size = (uint32_t)filled;
        CHECK_BYTES(is, filled, &expected, filled);
        CHECK_BYTES(is + filled, (size_t)(readable_end - is) - filled, untouched + filled,
                    (size_t)(readable_end - is) - filled);
    }
    static const uint32_t too_long[] = {LONGEST + 1, LONGEST + 8, UINT32_MAX};
    for (size_t at = 0; at < sizeof too_long / sizeof *too_long; at++) {
        unsigned char *is = place(&too_long[at], sizeof(uint32_t), sizeof(uint32_t), too_long[at]);
        CHECK_STATUS(taro_socket_get_counters(socket, (void *)is), TARO_STATUS_BAD_STRUCT_SIZE);
    }
    mini_end(&mini);
    mini_shutdown();
    guard_end();
}

// --- those that the library fills for callbacks

struct told {
    uint32_t sizes[RECORD_MARK];
    uint32_t profile;
};

static void notes_the_size(struct recording *recording, const struct record *record, const void *event) {
    struct told *told = recording->context;
    if (record->kind != RECORD_RELEASE) {
        told->sizes[record->kind] = *(const uint32_t *)event;
    }
    if (record->kind == RECORD_OPEN) {
        told->profile = ((const taro_open_event *)event)->profile->struct_size;
    }
}

static void what_callbacks_get_says_its_size(void) {
    taro_app_options options = TARO_APP_OPTIONS_INIT;
    struct told told = {{0}, 0};
    struct mini mini;
    taro_status status = TARO_STATUS_OK;
    options.send_limit_bytes = 1 << 16;
    mini_init(&mini, &options);
    struct recording a = RECORDING_ON(&mini.recorder, "a", notes_the_size, &told);
    const taro_socket socket = mini_open(&mini, &a, SERVER_URL("ws_small", "/deaf?id=told&act=text:hi"));
    unsigned char *message = calloc(1, 1 << 16);
    CHECK(message != NULL);
    while (status == TARO_STATUS_OK) {
        status = taro_socket_send_binary(socket, message, 1 << 16);
    }
    CHECK_STATUS(status, TARO_STATUS_FULL);
    SERVER_COMMAND("do told read");
    mini_wait(&mini, RECORD_DRAIN, "a", 1);
    SERVER_COMMAND("do told rst");
    mini_wait(&mini, RECORD_RELEASE, "a", 1);
    mini_refuse(&mini, &a);
    mini_wait(&mini, RECORD_RELEASE, "a", 2);
    mini_end(&mini);
    mini_shutdown();
    free(message);
    CHECK_UINT(told.sizes[RECORD_SUCCESS], ==, sizeof(taro_result));
    CHECK_UINT(told.sizes[RECORD_FAIL], ==, sizeof(taro_result));
    CHECK_UINT(told.sizes[RECORD_COMPLETE], ==, sizeof(taro_result));
    CHECK_UINT(told.sizes[RECORD_OPEN], ==, sizeof(taro_open_event));
    CHECK_UINT(told.sizes[RECORD_MESSAGE], ==, sizeof(taro_message_event));
    CHECK_UINT(told.sizes[RECORD_ERROR], ==, sizeof(taro_result));
    CHECK_UINT(told.sizes[RECORD_CLOSE], ==, sizeof(taro_close_event));
    CHECK_UINT(told.sizes[RECORD_DRAIN], ==, sizeof(taro_drain_event));
    CHECK_UINT(told.profile, ==, sizeof(taro_profile));
}

static const struct test tests[] = {
    TEST("L1 L27", a_shorter_struct_has_defaults_for_the_rest),
    TEST("L1 L25 L27", a_longer_struct_must_end_in_zeroes),
    TEST("L1 L25 L27", of_a_struct_that_is_too_long_only_the_size_is_read),
    TEST("L25 L27", counters_are_filled_as_far_as_they_go),
    TEST("L27", what_callbacks_get_says_its_size),
};

TEST_MAIN(tests)
