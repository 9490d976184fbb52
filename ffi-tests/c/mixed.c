// L2, L5, L8, L29, L30: every function from many threads at random, on the same apps and sockets, also inside
// callbacks, and with shutdowns in between. Nothing crashes or hangs, each answer is one that the header allows, and
// what holds for every callback holds here.
// label: stress
#include "mini.h"
#include "process.h"
#include "watched.h"

enum { WORKERS = 6, APPS = 4, SLOTS = 12, IO_THREADS = 3, STEPS = 25000 };

// --- what there is: all kept until the end, to be looked at

struct slot {
    taro_socket socket;
    struct tenant *tenant;
};

static struct world {
    struct monitor monitor;
    struct tenant *tenants; // all that there were
    struct tenant *apps[APPS];
    struct slot slots[SLOTS];
    atomic_uint seeds;
    atomic_uint internals; // connects that failed with an error inside the library
} world;

// --- one step: a function, its arguments by chance

struct dice {
    uint32_t state;
};

static unsigned roll(struct dice *dice, unsigned below) {
    dice->state ^= dice->state << 13;
    dice->state ^= dice->state >> 17;
    dice->state ^= dice->state << 5;
    return dice->state % below;
}

static void check_one_of(const char *what, taro_status status, const taro_status *allowed, size_t len) {
    for (size_t at = 0; at < len; at++) {
        if (allowed[at] == status) {
            check_pass();
            return;
        }
    }
    FAIL("%s: %s", what, taro_status_name(status));
}

// What may always come: the app or socket has gone, or everything is going.
#define MAY_BE(status, ...)                                                                                    \
    do {                                                                                                       \
        const taro_status allowed[] = {TARO_STATUS_OK, TARO_STATUS_BAD_HANDLE, TARO_STATUS_SHUTTING_DOWN,      \
                                       __VA_ARGS__};                                                           \
        check_one_of(__func__, (status), allowed, sizeof allowed / sizeof *allowed);                           \
    } while (0)

static struct tenant *some_tenant(struct dice *dice) {
    monitor_lock(&world.monitor);
    struct tenant *tenant = world.apps[roll(dice, APPS)];
    monitor_unlock(&world.monitor);
    return tenant;
}

static struct slot some_slot(struct dice *dice) {
    monitor_lock(&world.monitor);
    const struct slot slot = world.slots[roll(dice, SLOTS)];
    monitor_unlock(&world.monitor);
    return slot;
}

// A new app takes the place of an old one, which is released.
static void renew_app(unsigned at) {
    taro_app_options options = TARO_APP_OPTIONS_INIT;
    struct tenant *tenant = watched_made(sizeof *tenant);
    options.delivery = at % 2 ? TARO_DELIVERY_HOST : TARO_DELIVERY_DIRECT;
    options.max_sockets = 20;
    options.pause_limit_bytes = options.queue_limit_bytes = 2000;
    options.send_limit_bytes = 1000;
    options.ping_interval_ms = 10;
    options.pong_timeout_ms = 60000;
    options.background_grace_ms = 5;
    options.close_timeout_ms = 20;
    options.user_data = tenant;
    options.release = tenant_release;
    const taro_status status = taro_app_create(&options, &tenant->app);
    MAY_BE(status, TARO_STATUS_OK);
    tenant->is_made = status == TARO_STATUS_OK;
    monitor_lock(&world.monitor);
    tenant->next = world.tenants;
    world.tenants = tenant;
    struct tenant *old = world.apps[at];
    if (tenant->is_made || !old) {
        world.apps[at] = tenant;
    }
    monitor_unlock(&world.monitor);
    if (tenant->is_made && old) {
        MAY_BE(taro_app_release(old->app), TARO_STATUS_OK);
    }
}

static const char *urls[7];

static void connect_step(struct dice *dice) {
    struct tenant *tenant = some_tenant(dice);
    struct taken *taken = watched_new(tenant);
    taro_connect_options options = watched_connect_options(taken);
    taro_socket socket = 0;
    options.app = tenant->app;
    options.url = mini_str(urls[roll(dice, sizeof urls / sizeof *urls)]);
    options.start_paused = roll(dice, 4) == 0;
    taken->status = taro_connect_socket(&options, &socket);
    world.internals += taken->status == TARO_STATUS_INTERNAL;
    MAY_BE(taken->status, TARO_STATUS_TOO_MANY_SOCKETS, TARO_STATUS_INTERRUPTED, TARO_STATUS_INTERNAL);
    if (taken->status == TARO_STATUS_OK) {
        monitor_lock(&world.monitor);
        struct slot *slot = &world.slots[roll(dice, SLOTS)];
        const taro_socket old = slot->socket;
        *slot = (struct slot){socket, tenant};
        monitor_unlock(&world.monitor);
        MAY_BE(taro_socket_release(old), TARO_STATUS_OK);
    }
}

static void send_step(struct dice *dice) {
    const struct slot slot = some_slot(dice);
    if (slot.tenant && roll(dice, 2)) {
        struct taken *taken = watched_new(slot.tenant);
        taro_send_options options = watched_send_options(taken);
        options.data = "some message";
        options.data_len = 12;
        taken->status = taro_socket_send(slot.socket, &options);
        MAY_BE(taken->status, TARO_STATUS_NOT_CONNECTED, TARO_STATUS_INTERRUPTED, TARO_STATUS_FULL);
    } else {
        MAY_BE(taro_socket_send_text(slot.socket, "quiet", 5), TARO_STATUS_NOT_CONNECTED, TARO_STATUS_INTERRUPTED,
               TARO_STATUS_FULL);
    }
}

static void close_step(struct dice *dice) {
    const struct slot slot = some_slot(dice);
    if (slot.tenant) {
        struct taken *taken = watched_new(slot.tenant);
        taro_close_options options = watched_close_options(taken);
        taken->status = taro_socket_close(slot.socket, &options);
        MAY_BE(taken->status, TARO_STATUS_NOT_CONNECTED);
    }
}

static void look_step(struct dice *dice) {
    const struct slot slot = some_slot(dice);
    const taro_app app = some_tenant(dice)->app;
    taro_socket_counters counters = TARO_SOCKET_COUNTERS_INIT;
    taro_socket sockets[4];
    uint32_t state;
    uint64_t bytes;
    size_t count;
    int32_t descriptor;
    MAY_BE(taro_socket_get_ready_state(slot.socket, &state), TARO_STATUS_OK);
    MAY_BE(taro_socket_get_buffered_amount(slot.socket, &bytes), TARO_STATUS_OK);
    MAY_BE(taro_socket_get_protocol(slot.socket, NULL, 0, &count), TARO_STATUS_OK);
    MAY_BE(taro_socket_get_counters(slot.socket, &counters), TARO_STATUS_OK);
    MAY_BE(taro_app_get_sockets(app, sockets, 4, &count), TARO_STATUS_OK);
    MAY_BE(taro_app_get_global_socket(app, sockets), TARO_STATUS_OK);
    MAY_BE(taro_app_get_descriptor(app, &descriptor), TARO_STATUS_WRONG_DELIVERY);
    MAY_BE(taro_socket_ping(slot.socket, "", 0), TARO_STATUS_NOT_CONNECTED, TARO_STATUS_INTERRUPTED, TARO_STATUS_FULL);
}

static void policy_step(struct dice *dice) {
    const taro_app app = some_tenant(dice)->app;
    MAY_BE(taro_app_set_background(app, roll(dice, 4) == 0), TARO_STATUS_OK);
    MAY_BE(taro_app_network_changed(app), TARO_STATUS_OK);
}

static void step(struct dice *dice) {
    const unsigned kind = roll(dice, 100);
    size_t left;
    if (kind < 15) {
        connect_step(dice);
    } else if (kind < 40) {
        send_step(dice);
    } else if (kind < 47) {
        close_step(dice);
    } else if (kind < 51) {
        MAY_BE(taro_socket_release(some_slot(dice).socket), TARO_STATUS_OK);
    } else if (kind < 57) {
        MAY_BE(taro_socket_pause(some_slot(dice).socket), TARO_STATUS_OK);
    } else if (kind < 67) {
        MAY_BE(taro_socket_resume(some_slot(dice).socket), TARO_STATUS_OK);
    } else if (kind < 90) {
        MAY_BE(taro_app_dispatch(some_tenant(dice)->app, roll(dice, 4), &left), TARO_STATUS_BUSY,
               TARO_STATUS_WRONG_DELIVERY);
    } else if (kind < 95) {
        look_step(dice);
    } else if (kind < 98) {
        policy_step(dice);
    } else {
        renew_app(roll(dice, APPS));
    }
}

// Not in each callback: one that connects would bring more and more of them.
static void watched_acts(void) {
    struct dice dice = {2654435761u * atomic_fetch_add(&world.seeds, 1) + 1};
    if (roll(&dice, 3) == 0) {
        step(&dice);
    }
    if (roll(&dice, 50) == 0) {
        check_one_of("shutdown", taro_shutdown(0), (const taro_status[]){TARO_STATUS_WOULD_DEADLOCK}, 1);
    }
}

// --- the run

static void init_again(void) {
    taro_init_options options = TARO_INIT_OPTIONS_INIT;
    options.io_threads = IO_THREADS;
    const taro_status status = taro_init(&options);
    if (status != TARO_STATUS_BUSY) {
        CHECK_STATUS(status, TARO_STATUS_OK);
    }
}

static unsigned steps(void) { return STEPS / (wait_slow() > 3 ? 20 : wait_slow()); }

static void works(void *context) {
    struct dice dice = {(uint32_t)(uintptr_t)context * 2654435761u};
    for (unsigned at = 0; at < steps(); at++) {
        step(&dice);
    }
}

// Ends everything now and then, and begins anew.
static void works_and_shuts_down(void *context) {
    struct dice dice = {(uint32_t)(uintptr_t)context * 2654435761u};
    for (unsigned at = 0; at < steps(); at++) {
        step(&dice);
        if (at % (steps() / 8) == 0) {
            while (taro_shutdown(roll(&dice, 3)) != TARO_STATUS_OK) {
            }
            init_again();
            for (unsigned app = 0; app < APPS; app++) {
                renew_app(app);
            }
        }
    }
}

static void run(void (*first)(void *context)) {
    static const char *const paths[] = {"/echo", "/echo?act=text:hi;text:ho", "/echo?act=close:1000:", "/sink",
                                        "/echo?act=numbers:50", "/echo?stall=request", "/echo?status=404"};
    struct test_thread threads[WORKERS];
    memset(&world, 0, sizeof world);
    monitor_init(&world.monitor);
    for (size_t at = 0; at < sizeof urls / sizeof *urls; at++) {
        urls[at] = SERVER_URL("ws", "%s", paths[at]);
    }
    init_again();
    for (unsigned app = 0; app < APPS; app++) {
        renew_app(app);
    }
    for (size_t at = 0; at < WORKERS; at++) {
        thread_start(&threads[at], at == 0 ? first : works, (void *)(uintptr_t)(at + 1));
    }
    for (size_t at = 0; at < WORKERS; at++) {
        THREAD_JOIN(&threads[at]);
    }
    mini_shutdown();
    CHECK_INT(process_threads("taro-io"), <=, 0);
    while (world.tenants) {
        struct tenant *next = world.tenants->next;
        tenant_check_and_free(world.tenants);
        world.tenants = next;
    }
    monitor_destroy(&world.monitor);
    // That the app has gone meanwhile is none.
    CHECK_UINT(world.internals, ==, 0);
}

static void everything_at_once(void) { run(works); }

static void everything_and_shutdowns(void) { run(works_and_shuts_down); }

static const struct test tests[] = {
    TEST("L2 L5 L8 L29", everything_at_once),
    TEST("L2 L5 L8 L29 L30", everything_and_shutdowns),
};

TEST_MAIN(tests)
