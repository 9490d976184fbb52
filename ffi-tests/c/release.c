// L8: what a release waits for, and what does not come any more. By place of the call: lifecycle.c; beside other
// threads: threads.c.
#include "blocked.h"
#include "mini.h"

// --- between the two results of one call

struct parted {
    struct mini mini;
    struct recording a;
    int of_the_socket;
};

static void releases_at_the_first_result(struct recording *recording, const struct record *record, const void *event) {
    struct parted *parted = recording->context;
    (void)event;
    if (record->kind == RECORD_SUCCESS) {
        CHECK_STATUS(parted->of_the_socket ? taro_socket_release(record->socket) : taro_app_release(parted->mini.app),
                     TARO_STATUS_OK);
    }
}

static void no_complete_after_a_release_in_success(void) {
    for (int of_the_socket = 0; of_the_socket < 2; of_the_socket++) {
        for (MINI_EACH_DELIVERY(delivery)) {
            struct parted parted = {.of_the_socket = of_the_socket};
            mini_init_of(&parted.mini, delivery);
            parted.a = RECORDING_ON(&parted.mini.recorder, "a", releases_at_the_first_result, &parted);
            mini_connect(&parted.mini, &parted.a, SERVER_URL("ws", "/echo"));
            if (delivery == TARO_DELIVERY_HOST) {
                CHECK_STATUS(taro_app_dispatch(parted.mini.app, 0, NULL), TARO_STATUS_OK);
            }
            if (delivery == TARO_DELIVERY_HOST && of_the_socket) {
                mini_wait(&parted.mini, RECORD_RELEASE, "a", 1);
            } else {
                RECORD_WAIT(&parted.mini.recorder, RECORD_RELEASE, "a", 1);
            }
            CHECK_SEQUENCE(&parted.mini.recorder, "a", "success release");
            CHECK_STATUS(taro_app_release(parted.mini.app), of_the_socket ? TARO_STATUS_OK : TARO_STATUS_BAD_HANDLE);
            recorder_end(&parted.mini.recorder);
        }
    }
    mini_shutdown();
}

// --- a wake-up that runs

// After a release user data is the host's again, so no notice may still be using it.
struct slow_notice {
    struct mini mini;
    struct gate gate;
    int armed;
    int is_over;
};

static void wakes_slowly(taro_app app, void *user_data) {
    struct slow_notice *slow = user_data;
    (void)app;
    if (slow->armed) {
        slow->armed = 0;
        gate_pass(&slow->gate);
        slow->is_over = 1;
    }
}

static void release_waits_for_a_notice(void) {
    struct slow_notice slow = {.armed = 0};
    struct blocked blocked;
    gate_init(&slow.gate);
    taro_app_options options = TARO_APP_OPTIONS_INIT;
    options.delivery = TARO_DELIVERY_HOST;
    options.wake = wakes_slowly;
    options.user_data = &slow;
    struct mini *mini = &slow.mini;
    mini_init(mini, &options);
    struct recording a = RECORDING(&mini->recorder, "a");
    mini_open(mini, &a, SERVER_URL("ws", "/echo?id=slow"));
    mini_in_step("slow", 1);
    host_drain(mini->app);
    slow.armed = 1;
    SERVER_COMMAND("do slow text:hi");
    LATCH_WAIT(&slow.gate.entered, 1);
    blocked_begin(&blocked, &slow.gate.open);
    CHECK_STATUS(taro_app_release(mini->app), TARO_STATUS_OK);
    CHECK_INT(slow.is_over, ==, 1);
    blocked_end(&blocked);
    CHECK_SEQUENCE(&mini->recorder, "a", "success complete open release");
    recorder_end(&mini->recorder);
    gate_destroy(&slow.gate);
    mini_shutdown();
}

static const struct test tests[] = {
    TEST("L8", no_complete_after_a_release_in_success),
    TEST("L8 L29", release_waits_for_a_notice),
};

TEST_MAIN(tests)
