// Memory: messages that become ArrayBuffers without a copy, and an engine that has none left.
#include "script_host.h"

#include <stdlib.h>
#include <string.h>

static long long engine_bytes(JSRuntime *rt) {
    JSMemoryUsage usage;
    JS_ComputeMemoryUsage(rt, &usage);
    return (long long)usage.malloc_size;
}

// --- ArrayBuffers

static void large_messages_are_not_copied(void) {
    struct script_host host;
    script_host_open(&host, NULL);
    RUN(&host, "connect(1, '%s')", SERVER_URL("ws", "/echo?act=fill:%d", 4 << 20));
    LOOP_UNTIL(&host, "of(2).length");
    const long long before = engine_bytes(host.rt);
    LOOP_UNTIL(&host, "of(3).length");
    CHECK_INT(engine_bytes(host.rt) - before, <, 1 << 20);
    CHECK_TRUE(&host, "of(3)[0][2].byteLength === 4 << 20");
    CHECK_TRUE(&host, "new Uint8Array(of(3)[0][2]).every((b, i) => b === i %% 251)");
    script_host_close(&host);
}

static void buffers_outlive_everything_but_the_engine(void) {
    struct script_host host;
    script_host_open(&host, NULL);
    RUN(&host, "connect(1, '%s')", SERVER_URL("ws", "/echo?act=fill:5000;fill:100;fill:6000"));
    LOOP_UNTIL(&host, "of(3).length === 3");
    RUN(&host, "var buffers = of(3).map(e => e[2]), whole = () => buffers.every(b => new Uint8Array(b).every((v, i) => v === i %% 251))");
    CHECK_TRUE(&host, "whole()");
    RUN(&host, "bridge.release(events[0][1])");
    CHECK_TRUE(&host, "whole()");
    taro_quickjs_release(host.binding);
    CHECK_TRUE(&host, "whole()");
    CHECK_INT(taro_shutdown(5000), ==, TARO_STATUS_OK);
    CHECK_TRUE(&host, "whole()");
    // They are the script's to write to, cut and send on.
    RUN(&host, "new Uint8Array(buffers[0]).fill(7); events = null");
    JS_RunGC(host.rt);
    CHECK_TRUE(&host, "new Uint8Array(buffers[0]).every(v => v === 7) && buffers[2].slice(251, 260).byteLength === 9");
    script_host_end_engine(&host);
}

// Each way in which the memory of a buffer changes hands in the engine.
static void buffers_may_be_transferred(void) {
    struct script_host host;
    script_host_open(&host, NULL);
    RUN(&host, "connect(1, '%s')",
        SERVER_URL("ws", "/echo?act=fill:5000;fill:5000;fill:5000;fill:5000;fill:5000;fill:5000"));
    LOOP_UNTIL(&host, "of(3).length === 6");
    RUN(&host, "var whole = b => new Uint8Array(b).every((v, i) => v === (i < 5000 ? i %% 251 : 0)) && b.byteLength;\n"
               "var [same, longer, shorter, empty, twice, view] = of(3).map(e => e[2]); events = null;\n"
               "var old = new Uint8Array(view);");
    CHECK_SCRIPT(&host, "5000", "String(whole(same.transfer()))");
    CHECK_SCRIPT(&host, "9000", "String(whole(longer.transfer(9000)))");
    CHECK_SCRIPT(&host, "2000", "String(whole(shorter.transfer(2000)))");
    CHECK_SCRIPT(&host, "0", "String(empty.transfer(0).byteLength)");
    CHECK_SCRIPT(&host, "7000", "String(whole(twice.transfer().transfer(6000).transfer(7000)))");
    CHECK_SCRIPT(&host, "0", "view.transfer(); String(old.length)");
    JS_RunGC(host.rt);
    script_host_close(&host);
}

static void buffers_are_collected(void) {
    struct script_host host;
    script_host_open(&host, NULL);
    RUN(&host, "var count = 0; bridge.listen((k, s, data) => { if (k === 3) { count++; new Uint8Array(data)[0] = 1; } });\n"
               "connect(1, '%s')", SERVER_URL("ws", "/echo?act=burst:200:100000"));
    LOOP_UNTIL(&host, "count === 200");
    script_host_close(&host);
}

// --- no memory: the engine's allocations fail, from one on or a single one

static long fails_after = -1; // allocations until then; -1: never
static int fails_once;

static int may_allocate(void) {
    if (fails_after < 0) {
        return 1;
    }
    if (fails_after > 0) {
        fails_after--;
        return 1;
    }
    if (fails_once) {
        fails_after = -1;
    }
    return 0;
}

#ifdef QJS_VERSION_MAJOR
static void *test_calloc(void *opaque, size_t count, size_t size) {
    (void)opaque;
    return may_allocate() ? calloc(count, size) : NULL;
}
static void *test_malloc(void *opaque, size_t size) {
    (void)opaque;
    return may_allocate() ? malloc(size) : NULL;
}
static void test_free(void *opaque, void *memory) {
    (void)opaque;
    free(memory);
}
static void *test_realloc(void *opaque, void *memory, size_t size) {
    (void)opaque;
    return may_allocate() ? realloc(memory, size) : NULL;
}
static size_t test_usable_size(const void *memory) {
    (void)memory;
    return 0;
}
static const JSMallocFunctions functions = {test_calloc, test_malloc, test_free, test_realloc, test_usable_size};
#else
static void *test_malloc(JSMallocState *state, size_t size) {
    (void)state;
    return may_allocate() ? malloc(size) : NULL;
}
static void test_free(JSMallocState *state, void *memory) {
    (void)state;
    free(memory);
}
static void *test_realloc(JSMallocState *state, void *memory, size_t size) {
    (void)state;
    return may_allocate() ? realloc(memory, size) : NULL;
}
static size_t test_usable_size(const void *memory) {
    (void)memory;
    return 0;
}
static const JSMallocFunctions functions = {test_malloc, test_free, test_realloc, test_usable_size};
#endif

static void open_with_functions(struct script_host *host) {
    memset(host, 0, sizeof *host);
    host->rt = JS_NewRuntime2(&functions, NULL);
    CHECK(host->rt != NULL);
    host->ctx = JS_NewContext(host->rt);
    CHECK(host->ctx != NULL);
}

static void create_without_memory(void) {
    for (fails_once = 0; fails_once < 2; fails_once++) {
        long failures = 0;
        for (long after = 0;; after++) {
            struct script_host host;
            open_with_functions(&host);
            taro_app_options app = TARO_APP_OPTIONS_INIT;
            const taro_quickjs_options options = {.app = &app, .cellular_interface = "wwan0"};
            fails_after = after;
            const taro_status status = taro_quickjs_create(host.ctx, &options, &host.binding);
            const int has_failed = fails_after < 0 || fails_after == 0;
            fails_after = -1;
            if (status != TARO_STATUS_OK) {
                CHECK_INT(status, ==, TARO_STATUS_NO_RESOURCES);
                CHECK(host.binding == NULL);
                failures++;
            }
            CHECK(JS_HasException(host.ctx) == 0);
            taro_quickjs_release(host.binding);
            script_host_end_engine(&host);
            if (!has_failed) {
                break;
            }
        }
        CHECK_INT(failures, >, 0);
    }
}

// Dispatches until the socket has ended and nothing waits.
static void run_to_the_end(struct script_host *host, taro_socket socket) {
    const int64_t deadline = deadline_in_ms(WAIT_MS);
    uint32_t state = TARO_READY_STATE_CONNECTING;
    size_t left = 1;
    while (state != TARO_READY_STATE_CLOSED || left > 0) {
        CHECK(wait_left_ms(deadline) > 0);
        if (left == 0) {
            script_wait(host);
        }
        CHECK_INT(taro_quickjs_dispatch(host->binding, 0, &left), ==, TARO_STATUS_OK);
        CHECK_INT(taro_socket_get_ready_state(socket, &state), ==, TARO_STATUS_OK);
    }
}

// Fails after that many allocations, counted from before the first event on; 1 if none was left to fail.
static int events_after(long after) {
    struct script_host host;
    open_with_functions(&host);
    script_host_bind(&host, NULL);
    // quickjs-ng makes built-in functions at their first use, and loses one that it has no memory for.
    RUN(&host, "bridge.refuse(1, 2, -103, 'data')");
    LOOP_UNTIL(&host, "result(1)");
    RUN(&host, "events = []; var socket = connect(1, '%s'); bridge.refuse(2, 2, -103, 'data')",
        SERVER_URL("ws", "/echo?id=m%d-%ld&act=text:%%E2%%82%%AC;fill:5000;fill:10;close:4000:bye", fails_once, after));
    JSValue value = JS_Eval(host.ctx, "socket", 6, "test.js", JS_EVAL_TYPE_GLOBAL);
    double socket = 0;
    CHECK_INT(JS_ToFloat64(host.ctx, &socket, value), ==, 0);
    fails_after = after;
    run_to_the_end(&host, (taro_socket)socket);
    const int is_through = fails_after > 0;
    fails_after = -1;
    // The engine works on, and so does the binding.
    RUN(&host, "events = []; bridge.refuse(3, 2, -103, 'data')");
    LOOP_UNTIL(&host, "result(3)");
    script_host_close(&host);
    return is_through;
}

// Each allocation from the first event on: open, text, a large and a small message, close, results.
static void events_without_memory(void) {
    test_limit(100);
    for (fails_once = 0; fails_once < 2; fails_once++) {
        for (long after = 0; !events_after(after); after++) {
        }
    }
}

static void limit_of_the_engine(void) {
    struct script_host host;
    script_host_open(&host, NULL);
    RUN(&host, "connect(1, '%s')", SERVER_URL("ws", "/echo?act=filltext:3000000;fill:3000000;text:small;later;close:4000:"));
    LOOP_UNTIL_BY(&host, 1, "of(2).length");
    JS_SetMemoryLimit(host.rt, (size_t)engine_bytes(host.rt) + (1 << 20));
    // The long text does not fit and is reported; what needs less goes on.
    LOOP_UNTIL(&host, "of(3).length === 2");
    CHECK_UINT(host.reports, ==, 1);
    CHECK_TEXT_HAS(host.last_report, "memory");
    CHECK_TRUE(&host, "of(3)[0][2].byteLength === 3000000 && of(3)[1][2] === 'small'");
    script_host_close(&host);
}

static const struct test tests[] = {
    TEST("-", large_messages_are_not_copied),
    TEST("L30", buffers_outlive_everything_but_the_engine),
    TEST("-", buffers_may_be_transferred),
    TEST("-", buffers_are_collected),
    TEST("-", create_without_memory),
    TEST("-", events_without_memory),
    TEST("-", limit_of_the_engine),
};
TEST_MAIN(tests)
