// L30: a forked child gets a status from every function, no hang and no callback, and what its parent does goes on.
// The test that forks before the library was used stands first.
#include <stdatomic.h>
#include <sys/wait.h>
#include <unistd.h>

#include "calls.h"
#include "mini.h"
#include "process.h"

enum { CHILD_OK = 42 };

// --- before any use, the library is the child's as much as the parent's

struct talk {
    const char *url;
    struct latch ended;
    struct latch released;
    int echoed;
};

static void says_hello(taro_socket socket, const taro_open_event *event, void *user_data) {
    (void)event, (void)user_data;
    CHECK_STATUS(taro_socket_send_text(socket, "hello", 5), TARO_STATUS_OK);
}

static void says_goodbye(taro_socket socket, const taro_message_event *event, void *user_data) {
    CHECK_BYTES(event->data, event->data_len, "hello", 5);
    ((struct talk *)user_data)->echoed++;
    CHECK_STATUS(taro_socket_close(socket, NULL), TARO_STATUS_OK);
}

static void is_over(taro_socket socket, const taro_close_event *event, void *user_data) {
    (void)socket;
    CHECK_UINT(event->code, ==, 1000);
    latch_hit(&((struct talk *)user_data)->ended);
}

static void is_given_back(void *user_data) { latch_hit(&((struct talk *)user_data)->released); }

static int talks(void *context) {
    struct talk *talk = context;
    taro_connect_options options = TARO_CONNECT_OPTIONS_INIT;
    latch_init(&talk->ended);
    latch_init(&talk->released);
    talk->echoed = 0;
    options.url = mini_str(talk->url);
    options.open = says_hello;
    options.message = says_goodbye;
    options.close = is_over;
    options.user_data = talk;
    options.release = is_given_back;
    mini_accepted(&options);
    LATCH_WAIT(&talk->ended, 1);
    mini_shutdown();
    CHECK_UINT(latch_count(&talk->released), ==, 1);
    CHECK_INT(talk->echoed, ==, 1);
    latch_destroy(&talk->ended);
    latch_destroy(&talk->released);
    return CHILD_OK;
}

static void before_any_use(void) {
    struct talk talk = {.url = SERVER_URL("ws", "/echo")};
    // These use nothing that a fork could break.
    CHECK_UINT(taro_abi_version(), ==, TARO_ABI_VERSION);
    CHECK_TEXT(taro_version(), TARO_VERSION_STRING);
    CHECK_TEXT(taro_status_name(TARO_STATUS_FORKED), "TARO_STATUS_FORKED");
    CHECK_INT(PROCESS_FORK(talks, &talk), ==, CHILD_OK);
    CHECK_INT(PROCESS_FORK(talks, &talk), ==, CHILD_OK);
    CHECK_INT(talks(&talk), ==, CHILD_OK);
}

// --- traffic: numbers that go out and come back, always a few on their way

struct stream {
    taro_socket socket;
    unsigned long sent;
    atomic_ulong received;
    atomic_int is_stopping;
    struct latch idle;
    pid_t process;
    int (*fork_inside)(void *context); // once, in a message callback
};

static void send_next(struct stream *stream, taro_socket socket) {
    char text[24];
    const int len = snprintf(text, sizeof text, "%lu", stream->sent++);
    CHECK_STATUS(taro_socket_send_text(socket, text, (size_t)len), TARO_STATUS_OK);
}

static void stream_open(taro_socket socket, const taro_open_event *event, void *user_data) {
    (void)event;
    for (int ahead = 0; ahead < 8; ahead++) {
        send_next(user_data, socket);
    }
}

static void stream_message(taro_socket socket, const taro_message_event *event, void *user_data) {
    struct stream *stream = user_data;
    char expected[24];
    CHECK_INT(getpid(), ==, stream->process);
    const int len = snprintf(expected, sizeof expected, "%lu", atomic_load(&stream->received));
    CHECK_BYTES(event->data, event->data_len, expected, (size_t)len);
    const unsigned long received = atomic_fetch_add(&stream->received, 1) + 1;
    if (stream->fork_inside) {
        int (*const run)(void *context) = stream->fork_inside;
        stream->fork_inside = NULL;
        CHECK_INT(PROCESS_FORK(run, stream), ==, CHILD_OK);
    }
    if (!atomic_load(&stream->is_stopping)) {
        send_next(stream, socket);
    } else if (received == stream->sent) {
        latch_hit(&stream->idle);
    }
}

static void stream_error(taro_socket socket, const taro_result *event, void *user_data) {
    (void)socket, (void)user_data;
    FAIL("a stream has broken: %.*s", (int)event->detail.len, event->detail.ptr);
}

static void stream_begin(struct stream *stream, taro_app app, const char *listener) {
    taro_connect_options options = TARO_CONNECT_OPTIONS_INIT;
    memset(stream, 0, sizeof *stream);
    latch_init(&stream->idle);
    stream->process = getpid();
    options.app = app;
    options.url = mini_str(SERVER_URL(listener, "/echo?id=%s", listener));
    options.open = stream_open;
    options.message = stream_message;
    options.error = stream_error;
    options.user_data = stream;
    stream->socket = mini_accepted(&options);
}

static void stream_moves(struct stream *stream) {
    const unsigned long before = atomic_load(&stream->received);
    EVENTUALLY(atomic_load(&stream->received) > before + 20);
}

// Nothing was lost on the way, nor came twice.
static void stream_end(struct stream *stream, const char *listener) {
    atomic_store(&stream->is_stopping, 1);
    LATCH_WAIT(&stream->idle, 1);
    CHECK_UINT(mini_counters(stream->socket).messages_sent, ==, stream->sent);
    CHECK_UINT(mini_counters(stream->socket).messages_received, ==, stream->sent);
    CHECK_UINT(SERVER_LOG_COUNT(listener, "violation"), ==, 0);
    CHECK_STATUS(taro_socket_release(stream->socket), TARO_STATUS_OK);
    SERVER_WAIT(listener, "^close 1001");
    latch_destroy(&stream->idle);
    SERVER_COMMAND("forget %s", listener);
}

// --- a library in use: two streams on its thread, and an app of host delivery

static struct {
    taro_app app;
    struct stream plain, tls;
    struct mini mini;
    struct recording a;
    struct call_target target;
    void *kept;
    pid_t process;
} world;

static void keeps(struct recording *recording, const struct record *record, const void *event) {
    size_t len;
    (void)recording, (void)event;
    CHECK_INT(getpid(), ==, world.process);
    if (record->kind == RECORD_MESSAGE) {
        CHECK_STATUS(taro_message_retain(record->message, &world.kept, &len), TARO_STATUS_OK);
    }
}

static void release_of_the_parent(void *user_data) {
    (void)user_data;
    CHECK_INT(getpid(), ==, world.process);
}

static void world_begin(void) {
    taro_app_options options = TARO_APP_OPTIONS_INIT;
    world.process = getpid();
    options.ca_file = mini_str(server_ca_file());
    options.user_data = &world;
    options.release = release_of_the_parent;
    CHECK_STATUS(taro_app_create(&options, &world.app), TARO_STATUS_OK);
    stream_begin(&world.plain, world.app, "ws");
    stream_begin(&world.tls, world.app, "wss");
    mini_init_of(&world.mini, TARO_DELIVERY_HOST);
    world.a = RECORDING_ON(&world.mini.recorder, "a", keeps, NULL);
    world.target.app = world.mini.app;
    world.target.socket = mini_open(&world.mini, &world.a, SERVER_URL("ws", "/echo?act=text:kept"));
    world.target.message = mini_wait(&world.mini, RECORD_MESSAGE, "a", 1)->message;
}

static void world_moves(void) {
    stream_moves(&world.plain);
    stream_moves(&world.tls);
}

static void world_end(void) {
    world_moves();
    stream_end(&world.plain, "ws");
    stream_end(&world.tls, "wss");
    CHECK_BYTES(world.kept, 4, "kept", 4);
    CHECK_STATUS(taro_message_release(world.target.message), TARO_STATUS_OK);
    mini_send(world.target.socket, "still here");
    CHECK_STR(mini_wait(&world.mini, RECORD_MESSAGE, "a", 2)->data, "still here");
    CHECK_STATUS(taro_message_release(mini_find(&world.mini, RECORD_MESSAGE, "a", 2)->message), TARO_STATUS_OK);
    mini_end(&world.mini);
    mini_shutdown();
}

// --- children

static int every_function_is_refused(void *context) {
    (void)context;
    for (size_t at = 0; at < CALLS; at++) {
        const struct call_result result = calls[at].run(&world.target);
        if (result.status != TARO_STATUS_FORKED || !result.is_cleared) {
            FAIL("%s in a forked child: %s%s", calls[at].name, taro_status_name(result.status),
                 result.is_cleared ? "" : ", and its result is not cleared");
        }
    }
    CHECK_STATUS(taro_shutdown(WAIT_MS), TARO_STATUS_FORKED);
    CHECK_STATUS(taro_app_release(world.app), TARO_STATUS_FORKED);
    CHECK_UINT(taro_abi_version(), ==, TARO_ABI_VERSION);
    CHECK_TEXT(taro_version(), TARO_VERSION_STRING);
    CHECK_TEXT(taro_status_name(TARO_STATUS_FORKED), "TARO_STATUS_FORKED");
    CHECK_BYTES(world.kept, 4, "kept", 4);
    return CHILD_OK;
}

static int a_child_of_its_own(void *context) {
    CHECK_INT(PROCESS_FORK(every_function_is_refused, context), ==, CHILD_OK);
    return CHILD_OK;
}

static int becomes_another_program(void *context) {
    (void)context;
    execl("/bin/sh", "sh", "-c", "exit 42", (char *)NULL);
    return 1;
}

static int ends_with_all_that_belongs_to_it(void *context) {
    (void)context;
    if (!process_under_valgrind() && !process_under_asan()) { // they would look for leaks
        exit(CHILD_OK);
    }
    return CHILD_OK;
}

static void in_the_middle_of_traffic(void) {
    static int (*const children[])(void *context) = {every_function_is_refused, a_child_of_its_own,
                                                     becomes_another_program, ends_with_all_that_belongs_to_it};
    const int rounds = wait_slow() > 3 ? 1 : 4;
    world_begin();
    for (int round = 0; round < rounds; round++) {
        for (size_t at = 0; at < sizeof children / sizeof *children; at++) {
            world_moves();
            CHECK_INT(PROCESS_FORK(children[at], NULL), ==, CHILD_OK);
        }
    }
    world_end();
}

// On the library's own thread, with a message half told.
static void inside_a_callback(void) {
    world_begin();
    world_moves();
    world.plain.fork_inside = every_function_is_refused;
    world_moves();
    world.tls.fork_inside = ends_with_all_that_belongs_to_it;
    world_moves();
    CHECK(!world.plain.fork_inside && !world.tls.fork_inside);
    world_end();
}

// Connections and all the rest stay in this process: another program gets none of them.
static int counts_its_descriptors(void *context) {
    (void)context;
    execl("/bin/sh", "sh", "-c", "ls /proc/self/fd | wc -l", (char *)NULL);
    return 1;
}

static void descriptors_end_with_exec(void) {
    char before[64], text[64];
    server_start();
    SERVER_NUMBER("accepted"); // the kit's own connection is there
    CHECK_INT(PROCESS_FORK_OUTPUT(counts_its_descriptors, NULL, before, sizeof before), ==, 0);
    world_begin();
    world_moves();
    int32_t descriptor = -1;
    CHECK_STATUS(taro_app_get_descriptor(world.mini.app, &descriptor), TARO_STATUS_OK);
    CHECK_INT(PROCESS_FORK_OUTPUT(counts_its_descriptors, NULL, text, sizeof text), ==, 0);
    CHECK_TEXT(text, before);
    world_end();
}

static const struct test tests[] = {
    TEST("L30", before_any_use),
    TEST("L30", in_the_middle_of_traffic),
    TEST("L30", inside_a_callback),
    TEST("L30", descriptors_end_with_exec),
};

TEST_MAIN(tests)
