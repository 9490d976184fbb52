// L20: unless the app sets it, a close may take ten seconds from the call on.
// needs: test-hooks
#include "talk.h"

void taro_test_skew_clock(uint32_t milliseconds);

// Time passes, and the library has something to do after it.
static void pass(uint32_t milliseconds) {
    taro_test_skew_clock(milliseconds);
    SERVER_COMMAND("do bound text:dropped");
}

static void ten_seconds(void) {
    static const struct talk_end end = {1000, "", 0, TARO_INITIATOR_HOST, TARO_CAUSE_TIMEOUT, 0};
    struct mini mini;
    mini_init(&mini, NULL);
    struct recording a = RECORDING(&mini.recorder, "a"), b = RECORDING(&mini.recorder, "b");
    const taro_socket socket = mini_open(&mini, &a, SERVER_URL("ws", "/echo?id=bound&onclose=ignore"));
    const taro_socket other = mini_open(&mini, &b, SERVER_URL("ws", "/echo"));
    const int64_t start = clock_ms();
    mini_close(socket);
    SERVER_WAIT("bound", "^close 1000$");
    pass(8000);
    // The library has had its turn on the other socket of the thread, and done nothing about this one.
    mini_send(other, "turn");
    mini_wait(&mini, RECORD_MESSAGE, "b", 1);
    const int has_ended = record_count(&mini.recorder, RECORD_CLOSE, "a") > 0;
    // A slow machine may have used up the two seconds that were left.
    CHECK(!has_ended || clock_ms() - start >= 2000);
    pass(2000);
    talk_check_close(mini_wait(&mini, RECORD_CLOSE, "a", 1), &end);
    CHECK_INT(clock_ms() - start, <, 5000 * (int64_t)wait_slow());
    mini_end(&mini);
    mini_shutdown();
}

static const struct test tests[] = {
    TEST("L20", ten_seconds),
};

TEST_MAIN(tests)
