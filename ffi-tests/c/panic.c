// L5, L25: no panic gets out of the library. In a call it is the call's status, in a socket's task the socket's end;
// everything else lives on.
// needs: test-hooks
#include <unistd.h>

#include "calls.h"
#include "talk.h"

// The next call of that function panics, once.
void taro_test_panic(const char *function);
// The task of that socket panics.
void taro_test_panic_task(uint64_t socket);

// --- what a panic writes to standard error is kept out of sight, and counted

static struct {
    FILE *file;
    int kept;
} quiet;

// Should a check fail meanwhile, what it wrote is shown after all.
static void quiet_show(void *context) {
    char text[512];
    size_t len;
    (void)context;
    fflush(stderr);
    dup2(quiet.kept, STDERR_FILENO);
    rewind(quiet.file);
    while ((len = fread(text, 1, sizeof text, quiet.file)) > 0) {
        fwrite(text, 1, len, stderr);
    }
}

static void quiet_begin(void) {
    fflush(stderr);
    quiet.file = tmpfile();
    CHECK(quiet.file != NULL);
    quiet.kept = dup(STDERR_FILENO);
    CHECK_INT(dup2(fileno(quiet.file), STDERR_FILENO), ==, STDERR_FILENO);
    check_dump_add(quiet_show, NULL);
}

// How many panics there were.
static unsigned quiet_end(void) {
    static const char mark[] = "asked for by a test";
    static char text[1 << 17];
    unsigned count = 0;
    check_dump_remove(quiet_show, NULL);
    fflush(stderr);
    CHECK_INT(dup2(quiet.kept, STDERR_FILENO), ==, STDERR_FILENO);
    close(quiet.kept);
    rewind(quiet.file);
    text[fread(text, 1, sizeof text - 1, quiet.file)] = '\0';
    fclose(quiet.file);
    for (const char *at = text; (at = strstr(at, mark)) != NULL; at += sizeof mark - 1) {
        count++;
    }
    return count;
}

// --- somebody who has nothing to do with it

static struct {
    struct mini mini;
    struct recording a;
    taro_socket socket;
    size_t echoes;
} bystander;

static void bystander_begin(void) {
    mini_init(&bystander.mini, NULL);
    bystander.a = RECORDING(&bystander.mini.recorder, "bystander");
    bystander.socket = mini_open(&bystander.mini, &bystander.a, SERVER_URL("ws", "/echo"));
    bystander.echoes = 0;
}

static void bystander_echoes(void) {
    char text[24];
    snprintf(text, sizeof text, "echo %zu", ++bystander.echoes);
    mini_send(bystander.socket, text);
    const struct record *echo = mini_wait(&bystander.mini, RECORD_MESSAGE, "bystander", bystander.echoes);
    CHECK_STR(echo->data, text);
}

static void bystander_end(void) {
    bystander_echoes();
    CHECK_UINT(record_len(&bystander.mini.recorder), ==, 3 + bystander.echoes);
    mini_end(&bystander.mini);
}

// --- in each function

static int ends_something(const char *function) {
    static const char *const those[] = {
        "taro_app_release", "taro_shutdown", "taro_message_release", "taro_socket_close", "taro_socket_release",
    };
    for (size_t at = 0; at < sizeof those / sizeof *those; at++) {
        if (strcmp(those[at], function) == 0) {
            return 1;
        }
    }
    return 0;
}

static void retains(struct recording *recording, const struct record *record, const void *event) {
    void **data = recording->context;
    size_t data_len;
    (void)event;
    if (record->kind == RECORD_MESSAGE) {
        CHECK_STATUS(taro_message_retain(record->message, data, &data_len), TARO_STATUS_OK);
    }
}

static void every_function_once(void) {
    struct mini mini;
    void *data = NULL;
    bystander_begin();
    mini_init_of(&mini, TARO_DELIVERY_HOST);
    struct recording a = RECORDING_ON(&mini.recorder, "a", retains, &data);
    struct call_target target = {mini.app, mini_open(&mini, &a, SERVER_URL("ws", "/sink?act=text:kept")), 0};
    target.message = mini_wait(&mini, RECORD_MESSAGE, "a", 1)->message;
    for (size_t at = 0; at < CALLS; at++) {
        mini_row(calls[at].name);
        taro_test_panic(calls[at].name);
        quiet_begin();
        const struct call_result result = calls[at].run(&target);
        CHECK_UINT(quiet_end(), ==, 1);
        CHECK_STATUS(result.status, TARO_STATUS_INTERNAL);
        CHECK(result.is_cleared);
        // Nothing has changed, and nothing is left locked.
        CHECK_UINT(mini_state(target.socket), ==, TARO_READY_STATE_OPEN);
        bystander_echoes();
        if (!ends_something(calls[at].name)) {
            const int is_init = strcmp(calls[at].name, "taro_init") == 0;
            CHECK_STATUS(calls[at].run(&target).status, is_init ? TARO_STATUS_BUSY : TARO_STATUS_OK);
        }
        mini_row(NULL);
    }
    CHECK_BYTES(data, 4, "kept", 4);
    CHECK_STATUS(taro_message_release(target.message), TARO_STATUS_OK);
    mini_close(target.socket);
    mini_wait(&mini, RECORD_CLOSE, "a", 1);
    CHECK_STATUS(taro_socket_release(target.socket), TARO_STATUS_OK);
    mini_end(&mini);
    bystander_end();
    mini_shutdown();
}

static void those_without_a_status(void) {
    taro_test_panic("taro_abi_version");
    quiet_begin();
    const uint32_t abi_version = taro_abi_version();
    CHECK_UINT(quiet_end(), ==, 1);
    CHECK_UINT(abi_version, ==, TARO_ABI_VERSION);

    taro_test_panic("taro_version");
    quiet_begin();
    const char *version = taro_version();
    CHECK_UINT(quiet_end(), ==, 1);
    CHECK_TEXT(version, TARO_VERSION_STRING);

    taro_test_panic("taro_status_name");
    quiet_begin();
    const char *name = taro_status_name(TARO_STATUS_OK);
    CHECK_UINT(quiet_end(), ==, 1);
    CHECK_TEXT(name, "TARO_STATUS_INTERNAL");
    CHECK_TEXT(taro_status_name(TARO_STATUS_OK), "TARO_STATUS_OK");
}

// Connect, send and close have taken the user data by then: what fails is told, and it comes back.
static void what_was_taken_is_given_back(void) {
    for (MINI_EACH_DELIVERY(delivery)) {
        struct mini mini;
        taro_socket none = 4711;
        bystander_begin();
        mini_init_of(&mini, delivery);
        struct recording a = RECORDING(&mini.recorder, "a"), refused = RECORDING(&mini.recorder, "refused"),
                         sent = RECORDING(&mini.recorder, "sent"), closed = RECORDING(&mini.recorder, "closed");
        const taro_socket socket = mini_open(&mini, &a, SERVER_URL("ws", "/echo?id=taken"));
        taro_connect_options options = record_connect_options(&refused, SERVER_URL("ws", "/echo?id=never"));
        options.app = mini.app;
        quiet_begin();
        taro_test_panic("taro_connect_socket");
        const taro_status connect_status = taro_connect_socket(&options, &none);
        taro_test_panic("taro_socket_send");
        const taro_status send_status = talk_send(socket, &sent, "lost");
        taro_test_panic("taro_socket_close");
        const taro_status close_status = talk_close(socket, &closed, 1000, "lost");
        CHECK_UINT(quiet_end(), ==, 3);
        CHECK_STATUS(connect_status, TARO_STATUS_INTERNAL);
        CHECK_STATUS(send_status, TARO_STATUS_INTERNAL);
        CHECK_STATUS(close_status, TARO_STATUS_INTERNAL);
        CHECK_UINT(none, ==, 0);
        talk_check_failed(&mini, "refused", 0, TARO_STATUS_INTERNAL, 600006, "connectSocket:fail system error");
        talk_check_failed(&mini, "sent", socket, TARO_STATUS_INTERNAL, 600006, "sendSocketMessage:fail system error");
        talk_check_failed(&mini, "closed", socket, TARO_STATUS_INTERNAL, 600006, "closeSocket:fail system error");
        CHECK_UINT(mini_live(&mini), ==, 1);
        mini_send(socket, "found");
        CHECK_STR(mini_wait(&mini, RECORD_MESSAGE, "a", 1)->data, "found");
        CHECK_UINT(SERVER_LOG_COUNT("taken", "lost"), ==, 0);
        CHECK_TEXT(SERVER_LOG("never"), "");
        mini_end(&mini);
        bystander_end();
        SERVER_COMMAND("forget taken");
    }
    mini_shutdown();
}

// --- in the task of a socket

enum state { CONNECTING, OPEN, SENDING, PAUSED, CLOSING };

static const struct row {
    const char *name;
    enum state state;
    const char *path;
    const char *sequence;
} rows[] = {
    {"connecting", CONNECTING, "/echo?id=p&stall=request", "success complete error release"},
    {"open", OPEN, "/echo?id=p", "success complete open error close release"},
    {"sending", SENDING, "/deaf?id=p", "success complete open error close release"},
    {"paused", PAUSED, "/echo?id=p&act=text:hi", "success complete open message error close release"},
    {"closing", CLOSING, "/echo?id=p&onclose=ignore", "success complete open close release"},
};

enum { LARGE = 8 << 20 }; // more than the system's buffers take

static void check_record(struct mini *mini, const struct row *row) {
    const struct talk_end broken = {1006, "abnormal closure", 0, TARO_INITIATOR_LIBRARY, TARO_CAUSE_INTERNAL, 0},
                          closing = {3000, "bye", 0, TARO_INITIATOR_HOST, TARO_CAUSE_INTERNAL, 0};
    if (row->state == CONNECTING) {
        const struct record *error = mini_find(mini, RECORD_ERROR, "p", 1);
        CHECK_INT(error->status, ==, TARO_STATUS_INTERNAL);
        CHECK_UINT(error->cause, ==, TARO_CAUSE_INTERNAL);
        return;
    }
    if (row->state != CLOSING) {
        talk_check_broken(mini_find(mini, RECORD_ERROR, "p", 1), TARO_CAUSE_INTERNAL, 0);
    }
    talk_check_close(mini_find(mini, RECORD_CLOSE, "p", 1), row->state == CLOSING ? &closing : &broken);
    if (row->state == SENDING) {
        CHECK_SEQUENCE(&mini->recorder, "sent", "fail complete release");
        CHECK_INT(mini_find(mini, RECORD_FAIL, "sent", 1)->status, ==, TARO_STATUS_NOT_CONNECTED);
        CHECK_BEFORE(&mini->recorder, RECORD_COMPLETE, "sent", RECORD_ERROR, "p");
    }
}

// On the same I/O thread as the bystander, and beside a socket of its own app.
static void task_panics(const struct row *row, uint32_t delivery) {
    struct mini mini;
    bystander_begin();
    mini_init_of(&mini, delivery);
    struct recording p = RECORDING(&mini.recorder, "p"), beside = RECORDING(&mini.recorder, "beside"),
                     sent = RECORDING(&mini.recorder, "sent");
    unsigned char *large = talk_bytes(LARGE);
    const taro_socket other = mini_open(&mini, &beside, SERVER_URL("ws", "/echo"));
    const taro_socket socket = (row->state == PAUSED ? mini_connect_paused : mini_connect)(
        &mini, &p, SERVER_URL("ws", "%s", row->path));
    SERVER_WAIT("p", row->state == CONNECTING ? "request GET" : "^open");
    if (row->state == PAUSED) {
        mini_in_step("p", 1);
    } else if (row->state != CONNECTING) {
        mini_wait(&mini, RECORD_OPEN, "p", 1);
    }
    if (row->state == SENDING) {
        const taro_send_options options = record_send_options(&sent, TARO_MESSAGE_BINARY, large, LARGE);
        CHECK_STATUS(taro_socket_send(socket, &options), TARO_STATUS_OK);
    } else if (row->state == CLOSING) {
        CHECK_STATUS(taro_socket_close(socket, &(taro_close_options){
                         .struct_size = sizeof(taro_close_options), .code = 3000, .reason = TARO_STR("bye")}),
                     TARO_STATUS_OK);
        SERVER_WAIT("p", "^close 3000 bye");
    }
    quiet_begin();
    taro_test_panic_task(socket);
    if (row->state == SENDING) {
        EVENTUALLY(mini_live(&mini) == 1); // its peer reads nothing, not even the end
    } else {
        SERVER_WAIT("p", "^end");
    }
    CHECK_UINT(quiet_end(), ==, 1);
    if (row->state == PAUSED) {
        CHECK_STATUS(taro_socket_resume(socket), TARO_STATUS_OK);
    }
    mini_wait(&mini, RECORD_RELEASE, "p", 1);
    CHECK_SEQUENCE(&mini.recorder, "p", row->sequence);
    check_record(&mini, row);
    CHECK_UINT(mini_state(socket), ==, TARO_READY_STATE_CLOSED);
    CHECK_UINT(mini_live(&mini), ==, 1);
    mini_send(other, "still here");
    CHECK_STR(mini_wait(&mini, RECORD_MESSAGE, "beside", 1)->data, "still here");
    mini_end(&mini);
    bystander_end();
    SERVER_COMMAND("forget p");
    free(large);
}

static void the_task_of_a_socket(void) {
    for (size_t at = 0; at < sizeof rows / sizeof *rows; at++) {
        for (MINI_EACH_DELIVERY(delivery)) {
            mini_row(rows[at].name);
            task_panics(&rows[at], delivery);
            mini_row(NULL);
        }
    }
    mini_shutdown();
}

static const struct test tests[] = {
    TEST("L25", every_function_once),
    TEST("L25", those_without_a_status),
    TEST("L2 L25", what_was_taken_is_given_back),
    TEST("L2 L5 L25", the_task_of_a_socket),
};

TEST_MAIN(tests)
