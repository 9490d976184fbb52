// L2, L5: whatever ends a connection, and at whichever byte, every call that was accepted has one result and one
// complete, every user data its release, and no message comes that was not whole.
// label: stress
#include "talk.h"

// --- the peer goes while it reads

static const size_t sizes[] = {5, 0, 1, 125, 126, 40, 0, 90};
enum { SENDS = sizeof sizes / sizeof *sizes, SEND_LABEL = 8 };

// What all of them are on the wire.
static size_t sent_bytes(void) {
    size_t sum = 0;
    for (size_t at = 0; at < SENDS; at++) {
        sum += sizes[at] + (sizes[at] < 126 ? 6 : 8);
    }
    return sum;
}

struct sending {
    struct recording sent[SENDS];
    char labels[SENDS][SEND_LABEL];
    unsigned char *data;
};

static void sending_init(struct sending *sending, struct recorder *recorder) {
    sending->data = talk_bytes(200);
    for (size_t at = 0; at < SENDS; at++) {
        snprintf(sending->labels[at], SEND_LABEL, "%zu", at);
        sending->sent[at] = RECORDING(recorder, sending->labels[at]);
    }
}

static void sending_run(struct sending *sending, taro_socket socket) {
    for (size_t at = 0; at < SENDS; at++) {
        const taro_send_options options =
            record_send_options(&sending->sent[at], TARO_MESSAGE_BINARY, sending->data, sizes[at]);
        const taro_status status = taro_socket_send(socket, &options);
        CHECK(status == TARO_STATUS_OK || status == TARO_STATUS_NOT_CONNECTED);
    }
}

// One result for each, and the first that failed was the first of all that did. Returns how many went.
static size_t sending_check(struct sending *sending, struct mini *mini) {
    size_t went = 0;
    for (size_t at = 0; at < SENDS; at++) {
        const char *label = sending->labels[at];
        mini_wait(mini, RECORD_RELEASE, label, 1);
        if (record_count(&mini->recorder, RECORD_SUCCESS, label) > 0) {
            CHECK_SEQUENCE(&mini->recorder, label, "success complete release");
            CHECK_UINT(went, ==, at);
            went++;
        } else {
            CHECK_SEQUENCE(&mini->recorder, label, "fail complete release");
            CHECK_INT(record_find(&mini->recorder, RECORD_FAIL, label, 1)->status, ==, TARO_STATUS_NOT_CONNECTED);
        }
    }
    free(sending->data);
    return went;
}

static void sends_in_open(struct recording *recording, const struct record *record, const void *event) {
    (void)event;
    if (record->kind == RECORD_OPEN) {
        sending_run(recording->context, record->socket);
    }
}

// `inside`: the calls are made in `open`, on the I/O thread in direct delivery.
static void cut_reading(const char *listener, size_t bytes, const char *mode, uint32_t delivery, int inside) {
    struct mini mini;
    struct sending sending;
    taro_app_options options = TARO_APP_OPTIONS_INIT;
    options.delivery = delivery;
    options.ca_file = mini_str(server_ca_file());
    mini_init(&mini, &options);
    sending_init(&sending, &mini.recorder);
    struct recording a = RECORDING_ON(&mini.recorder, "a", inside ? sends_in_open : NULL, &sending),
                     closed = RECORDING(&mini.recorder, "closed");
    taro_connect_options connect = record_connect_options(
        &a, SERVER_URL(listener, "/sink?id=reading&onclose=ignore&readcut=%zu&cutmode=%s", bytes, mode));
    connect.app = mini.app;
    // Else each small write may wait for the peer's system to acknowledge the one before.
    connect.tcp_no_delay = 1;
    const taro_socket socket = mini_accepted(&connect);
    mini_wait(&mini, RECORD_OPEN, "a", 1);
    if (inside) {
        EVENTUALLY(mini_find(&mini, RECORD_OPEN, "a", 1)->done);
    } else {
        sending_run(&sending, socket);
    }
    // Without a close the end is broken; with one it is told with its code, if it was accepted.
    const int closes = bytes % 3 == 0;
    const taro_status status = closes ? talk_close(socket, &closed, 3000, NULL) : TARO_STATUS_NOT_CONNECTED;
    CHECK(status == TARO_STATUS_OK || status == TARO_STATUS_NOT_CONNECTED);
    if (closes) {
        mini_wait(&mini, RECORD_RELEASE, "closed", 1);
        CHECK_SEQUENCE(&mini.recorder, "closed",
                       status == TARO_STATUS_OK ? "success complete release" : "fail complete release");
    } else if (bytes > sent_bytes()) {
        // It has read them all, and would go on.
        SERVER_WAIT_N("reading", SENDS, "^binary");
        SERVER_COMMAND("do reading %s", *mode == 'f' ? "fin" : "rst");
    }
    mini_wait(&mini, RECORD_RELEASE, "a", 1);
    CHECK_SEQUENCE(&mini.recorder, "a",
                   status == TARO_STATUS_OK ? "success complete open close release"
                                            : "success complete open error close release");
    const size_t went = sending_check(&sending, &mini);
    // What the peer has got was handed over, and that is what success says.
    CHECK_UINT(went, >=, SERVER_LOG_COUNT("reading", "binary "));
    CHECK_UINT(SERVER_LOG_COUNT("reading", "violation"), ==, 0);
    mini_end(&mini);
    SERVER_COMMAND("forget reading");
}

static void the_peer_goes_at_every_byte_that_it_reads(void) {
    const size_t step = wait_slow() > 1 ? 23 : 1, last = sent_bytes() + 2;
    for (size_t bytes = 1; bytes <= last; bytes += step) {
        char row[60];
        snprintf(row, sizeof row, "after %zu bytes", bytes);
        mini_row(row);
        cut_reading("ws", bytes, bytes % 2 ? "fin" : "rst", TARO_DELIVERY_DIRECT, bytes % 4 < 2);
        cut_reading("ws", bytes, bytes % 2 ? "rst" : "fin", bytes % 5 ? TARO_DELIVERY_DIRECT : TARO_DELIVERY_HOST,
                    bytes % 4 >= 2);
        if (bytes % 16 == 1) {
            cut_reading("wss", bytes, bytes % 32 == 1 ? "fin" : "rst", TARO_DELIVERY_DIRECT, 0);
        }
    }
    mini_row(NULL);
    mini_shutdown();
}

// --- the peer goes while it sends

#define STREAM "text:hi;frag:a|b;bin:00ff;ping:xyz;fill:130;numbers:3;close:3001:bye"

// Where in it, in bytes, a message is whole; the last one is the end of the close frame.
enum { HI = 2 + 2, AB = HI + 3 + 9 + 3, FF = AB + 2 + 2, FILL = FF + 5 + 4 + 130, END = FILL + 3 * 3 + 7 };
static const size_t wholes[] = {HI, AB, FF, FILL, FILL + 3, FILL + 6, FILL + 9};
enum { WHOLES = sizeof wholes / sizeof *wholes };

static const char head[] = "HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
                           "Sec-WebSocket-Accept: 0123456789012345678901234567\r\n\r\n";

static void check_stream(struct mini *mini, size_t count) {
    static const struct {
        uint32_t kind;
        const char *data;
        size_t len;
    } expected[] = {
        {TARO_MESSAGE_TEXT, "hi", 2}, {TARO_MESSAGE_TEXT, "ab", 2}, {TARO_MESSAGE_BINARY, "\0\xff", 2},
        {TARO_MESSAGE_BINARY, NULL, 130}, {TARO_MESSAGE_TEXT, "0", 1}, {TARO_MESSAGE_TEXT, "1", 1},
        {TARO_MESSAGE_TEXT, "2", 1},
    };
    unsigned char *fill = talk_bytes(130);
    for (size_t at = 0; at < count; at++) {
        talk_check_message(mini_find(mini, RECORD_MESSAGE, "a", at + 1), expected[at].kind,
                           expected[at].data ? (const void *)expected[at].data : fill, expected[at].len);
    }
    free(fill);
}

static void cut_sending(const char *listener, size_t bytes, const char *mode, uint32_t delivery) {
    struct mini mini;
    struct sending sending;
    taro_app_options options = TARO_APP_OPTIONS_INIT;
    options.delivery = delivery;
    options.ca_file = mini_str(server_ca_file());
    mini_init(&mini, &options);
    sending_init(&sending, &mini.recorder);
    struct recording a = RECORDING_ON(&mini.recorder, "a", sends_in_open, &sending);
    const taro_socket socket =
        mini_connect(&mini, &a, SERVER_URL(listener, "/sink?act=" STREAM "&cut=%zu&cutmode=%s", sizeof head - 1 + bytes,
                                           mode));
    mini_wait(&mini, RECORD_RELEASE, "a", 1);
    size_t whole = 0;
    while (whole < WHOLES && wholes[whole] <= bytes) {
        whole++;
    }
    // A reset may overtake what came before it.
    const size_t count = record_count(&mini.recorder, RECORD_MESSAGE, "a");
    const int is_reset = *mode == 'r';
    CHECK(is_reset ? count <= whole : count == whole);
    check_stream(&mini, count);
    const struct record *close = mini_find(&mini, RECORD_CLOSE, "a", 1);
    CHECK_UINT(mini_counters(socket).messages_received, ==, count);
    if (bytes >= END && !is_reset) {
        CHECK_UINT(close->close_code, ==, 3001);
        CHECK_STR(close->reason, "bye");
        CHECK_UINT(record_count(&mini.recorder, RECORD_ERROR, "a"), ==, 0);
    } else if (bytes < END) {
        CHECK_UINT(close->close_code, ==, 1006);
        CHECK_UINT(close->was_clean, ==, 0);
        CHECK_UINT(close->cause, ==, TARO_CAUSE_RESET);
        CHECK_UINT(record_count(&mini.recorder, RECORD_ERROR, "a"), ==, 1);
    }
    sending_check(&sending, &mini);
    mini_end(&mini);
}

static void the_peer_goes_at_every_byte_that_it_sends(void) {
    const size_t step = wait_slow() > 1 ? 11 : 1;
    for (size_t bytes = 0; bytes <= END; bytes += step) {
        char row[60];
        snprintf(row, sizeof row, "after %zu bytes", bytes);
        mini_row(row);
        cut_sending("ws", bytes, "fin", bytes % 2 ? TARO_DELIVERY_DIRECT : TARO_DELIVERY_HOST);
        cut_sending("ws", bytes, "rst", bytes % 2 ? TARO_DELIVERY_HOST : TARO_DELIVERY_DIRECT);
        if (bytes % 8 == 0) {
            cut_sending("wss", bytes, bytes % 16 ? "fin" : "rst", TARO_DELIVERY_DIRECT);
        }
    }
    cut_sending("ws", END, "fin", TARO_DELIVERY_DIRECT);
    mini_row(NULL);
    mini_shutdown();
}

// --- the peer goes while many threads send

enum { THREADS = 3, EACH = 60, THREAD_BYTES = 100 };

struct sender {
    struct test_thread thread;
    taro_socket socket;
    struct recording *sent;
    size_t accepted;
};

static void sends_each(void *context) {
    static const char data[THREAD_BYTES];
    struct sender *sender = context;
    for (int n = 0; n < EACH; n++) {
        const taro_send_options options = record_send_options(sender->sent, TARO_MESSAGE_BINARY, data, sizeof data);
        const taro_status status = taro_socket_send(sender->socket, &options);
        CHECK(status == TARO_STATUS_OK || status == TARO_STATUS_NOT_CONNECTED);
        sender->accepted += status == TARO_STATUS_OK;
    }
}

static void the_peer_goes_while_many_threads_send(void) {
    const int rounds = wait_slow() > 1 ? 5 : 40;
    for (int round = 0; round < rounds; round++) {
        struct mini mini;
        struct sender senders[THREADS];
        struct recording sent[THREADS];
        static const char *const labels[THREADS] = {"0", "1", "2"};
        mini_init(&mini, NULL);
        struct recording a = RECORDING(&mini.recorder, "a");
        const taro_socket socket =
            mini_open(&mini, &a, SERVER_URL("ws", "/sink?id=many&readcut=%d&cutmode=%s", 100 + round * 397,
                                            round % 2 ? "rst" : "fin"));
        for (int at = 0; at < THREADS; at++) {
            sent[at] = RECORDING(&mini.recorder, labels[at]);
            senders[at] = (struct sender){.socket = socket, .sent = &sent[at]};
            thread_start(&senders[at].thread, sends_each, &senders[at]);
        }
        size_t went = 0;
        for (int at = 0; at < THREADS; at++) {
            THREAD_JOIN(&senders[at].thread);
            mini_wait(&mini, RECORD_RELEASE, labels[at], EACH);
            const size_t success = record_count(&mini.recorder, RECORD_SUCCESS, labels[at]);
            CHECK_UINT(success, <=, senders[at].accepted);
            CHECK_UINT(success + record_count(&mini.recorder, RECORD_FAIL, labels[at]), ==, EACH);
            CHECK_UINT(record_count(&mini.recorder, RECORD_COMPLETE, labels[at]), ==, EACH);
            went += success;
        }
        mini_wait(&mini, RECORD_RELEASE, "a", 1);
        CHECK_SEQUENCE(&mini.recorder, "a", "success complete open error close release");
        CHECK_UINT(went, >=, SERVER_LOG_COUNT("many", "binary "));
        CHECK_UINT(SERVER_LOG_COUNT("many", "violation"), ==, 0);
        mini_end(&mini);
        SERVER_COMMAND("forget many");
    }
    mini_shutdown();
}

static const struct test tests[] = {
    TEST("L2 L5 L18", the_peer_goes_at_every_byte_that_it_reads),
    TEST("L2 L5", the_peer_goes_at_every_byte_that_it_sends),
    TEST("L2 L5 L18", the_peer_goes_while_many_threads_send),
};

TEST_MAIN(tests)
