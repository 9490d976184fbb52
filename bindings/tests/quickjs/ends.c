// The end of binding, context and runtime, in every order and at every moment.
#include "script_host.h"

#include <string.h>

static void on_app_end(void *user_data) { ++*(unsigned *)user_data; }

// --- sockets in every state when all goes

static const char *const states[] = {"connecting", "open", "closing"};

// A socket in that state, with a message and a result under way where that can be.
static void bring_to(struct script_host *host, size_t state) {
    if (state == 0) {
        RUN(host, "connect(1, '%s')", SERVER_URL("silent", "/"));
        return;
    }
    RUN(host, "var socket = connect(1, '%s')",
        SERVER_URL("ws", "/echo?id=%s&onclose=ignore&act=fill:5000;text:hello", states[state]));
    LOOP_UNTIL(host, "of(2).length");
    RUN(host, "sendText(2, socket, 'x')");
    if (state == 2) {
        RUN(host, "bridge.close(3, socket, 1000, '')");
    }
}

static void binding_then_engine(void) {
    for (size_t state = 0; state < 3; state++) {
        struct script_host host;
        script_host_open(&host, NULL);
        bring_to(&host, state);
        script_host_close(&host);
        CHECK_UINT(host.ends, ==, 1);
    }
}

static void engine_then_binding(void) {
    for (size_t state = 0; state < 3; state++) {
        struct script_host host;
        script_host_open(&host, NULL);
        bring_to(&host, state);
        script_host_end_engine(&host);
        CHECK_UINT(host.ends, ==, 1);
        CHECK_INT(taro_quickjs_dispatch(host.binding, 0, NULL), ==, TARO_STATUS_BAD_HANDLE);
        CHECK(JS_IsException(taro_quickjs_bridge(host.binding)));
        CHECK(JS_IsException(taro_quickjs_load(host.binding, "", 0)));
        taro_quickjs_release(host.binding);
    }
}

static void library_then_the_rest(void) {
    for (size_t state = 0; state < 3; state++) {
        struct script_host host;
        script_host_open(&host, NULL);
        bring_to(&host, state);
        CHECK_INT(taro_shutdown(5000), ==, TARO_STATUS_OK);
        CHECK_UINT(host.ends, ==, 1);
        CHECK_TRUE(&host, "bridge.globalSocket() === 0");
        CHECK_INT(taro_quickjs_dispatch(host.binding, 0, NULL), ==, TARO_STATUS_BAD_HANDLE);
        script_host_close(&host);
        CHECK_UINT(host.ends, ==, 1);
    }
}

static void undelivered_events_leave_nothing(void) {
    struct script_host host;
    script_host_open(&host, NULL);
    RUN(&host, "connect(1, '%s')", SERVER_URL("ws", "/echo?id=undelivered&act=fill:100000;fill:2000;text:x;close:4000:bye"));
    LOOP_UNTIL_BY(&host, 1, "of(2).length");
    SERVER_WAIT("undelivered", "sent close");
    script_wait(&host);
    script_host_close(&host);
}

// --- objects of the script that live on

static void bridge_functions_throw_after_the_release(void) {
    struct script_host host;
    script_host_open(&host, NULL);
    taro_quickjs_release(host.binding);
    CHECK_SCRIPT(&host,
                 "Error,Error,Error,Error,Error,Error,Error,Error,Error,Error",
                 "Object.keys(bridge).slice(1).map(name => { try { bridge[name](); } catch (e) { return e.constructor.name; } }).join()");
    CHECK_SCRIPT(&host, "the socket binding was released", "let m; try { bridge.state(1); } catch (e) { m = e.message; } m");
    CHECK_SCRIPT(&host, "weapp", "bridge.flavour");
    script_host_end_engine(&host);
}

static void script_may_let_go_of_the_bridge(void) {
    struct script_host host;
    script_host_open(&host, NULL);
    RUN(&host, "var seen = 0; bridge.listen(() => { seen++; }); bridge.refuse(1, 2, -103, ''); bridge = null;");
    JS_RunGC(host.rt);
    CHECK_INT(taro_quickjs_dispatch(host.binding, 0, NULL), ==, TARO_STATUS_OK);
    CHECK_TRUE(&host, "seen === 1");
    JSValue bridge = taro_quickjs_bridge(host.binding);
    CHECK(JS_IsObject(bridge));
    JS_FreeValue(host.ctx, bridge);
    script_host_close(&host);
}

// The functions do not belong to the context that they were made in: the other one may be gone.
static void bridge_in_another_context(void) {
    struct script_host host;
    script_host_open(&host, NULL);
    JSContext *other = JS_NewContext(host.rt);
    JSValue global = JS_GetGlobalObject(other);
    JS_SetPropertyStr(other, global, "bridge", taro_quickjs_bridge(host.binding));
    JS_FreeValue(other, global);
    RUN(&host, "events = bridge = on = null");
    JS_FreeContext(host.ctx);
    JS_RunGC(host.rt);
    host.ctx = other;
    // In some engines a function keeps the context that it was made in.
    if (host.ends == 0) {
        CHECK_SCRIPT(&host, "3", "String(bridge.state(1))");
    } else {
        CHECK_SCRIPT(&host, "Error: the socket binding was released", "bridge.state(1)");
    }
    taro_quickjs_release(host.binding);
    CHECK_UINT(host.ends, ==, 1);
    CHECK_SCRIPT(&host, "Error: the socket binding was released", "bridge.listen(null)");
    script_host_end_engine(&host);
}

// --- a release inside

static JSValue release_inside(JSContext *ctx, JSValueConst this_value, int argc, JSValueConst *argv) {
    struct script_host *host = script_host_of(ctx);
    (void)this_value, (void)argc, (void)argv;
    taro_quickjs_release(host->binding);
    host->binding = NULL;
    return JS_UNDEFINED;
}

// Dispatches until the binding is released.
static void loop_to_release(struct script_host *host) {
    for (const int64_t deadline = deadline_in_ms(WAIT_MS); host->binding && wait_left_ms(deadline) > 0;) {
        script_wait(host);
        CHECK_INT(taro_quickjs_dispatch(host->binding, 0, NULL), ==, TARO_STATUS_OK);
    }
    CHECK(host->binding == NULL);
    CHECK_UINT(host->ends, ==, 1);
}

// In each kind of event, in the handler and in a job after it.
static void release_in_a_handler(void) {
    for (int kind = 1; kind <= 6; kind++) {
        for (int in_job = 0; in_job < 2; in_job++) {
            struct script_host host;
            taro_app_options app = TARO_APP_OPTIONS_INIT;
            app.send_limit_bytes = 1 << 16;
            script_host_open(&host, &app);
            script_define(&host, "releaseInside", release_inside, 0);
            RUN(&host, "var release = () => { releaseInside(); turns.push('released'); Promise.resolve().then(() => turns.push('job')); };\n"
                       "on = (k) => { if (turns.length) turns.push('event'); if (k === %d) { if (%d) Promise.resolve().then(release); else release(); } };\n"
                       "var socket = connect(1, '%s')",
                kind, in_job,
                kind == 4 ? SERVER_URL("ws", "/echo?status=500")
                          : SERVER_URL(kind == 6 ? "ws_small" : "ws", "/%s?id=k%d%d&act=fill:2000;text:more",
                                       kind == 6 ? "deaf" : "echo", kind, in_job));
            if (kind == 5 || kind == 6) {
                LOOP_UNTIL(&host, "of(2).length");
            }
            if (kind == 5) {
                RUN(&host, "bridge.close(2, socket, 1000, '')");
            } else if (kind == 6) {
                RUN(&host, "while (sendBytes(3, socket, new ArrayBuffer(32768)) === 0);");
                SERVER_COMMAND("do k6%d read", in_job);
            }
            loop_to_release(&host);
            CHECK_SCRIPT(&host, "released", "turns.join()");
            script_host_end_engine(&host);
        }
    }
}

// What the handler throws after it has released the binding is not lost, and the host's report function, whose
// data may be gone, is not called.
static void exception_after_the_release(void) {
    struct script_host host;
    script_host_open(&host, NULL);
    script_define(&host, "releaseInside", release_inside, 0);
    RUN(&host, "on = () => { releaseInside(); throw new Error('thrown after the release'); }; bridge.refuse(1, 2, -103, '')");
    loop_to_release(&host);
    CHECK_UINT(host.reports, ==, 0);
    script_host_end_engine(&host);
}

// Also the context may go inside, as far as the engine is concerned: what runs in it keeps it.
static JSValue release_all_inside(JSContext *ctx, JSValueConst this_value, int argc, JSValueConst *argv) {
    struct script_host *host = script_host_of(ctx);
    release_inside(ctx, this_value, argc, argv);
    JS_FreeContext(host->ctx);
    host->ctx = NULL;
    return JS_UNDEFINED;
}

static void context_freed_in_a_handler(void) {
    for (int in_job = 0; in_job < 2; in_job++) {
        struct script_host host;
        script_host_open(&host, NULL);
        script_define(&host, "releaseInside", release_all_inside, 0);
        RUN(&host, "var run = () => { releaseInside(); return [1, 2, 3].map(n => ({ n })); };\n"
                   "on = () => { if (%d) Promise.resolve().then(run); else run(); };\n"
                   "for (let i = 1; i < 4; i++) bridge.refuse(i, 2, -103, '')", in_job);
        CHECK_INT(taro_quickjs_dispatch(host.binding, 0, NULL), ==, TARO_STATUS_OK);
        CHECK(host.binding == NULL && host.ctx == NULL);
        JS_FreeRuntime(host.rt);
        CHECK_UINT(host.ends, ==, 1);
    }
}

// A getter of the script, in the midst of connect.
static void release_in_a_getter(void) {
    struct script_host host;
    script_host_open(&host, NULL);
    script_define(&host, "releaseInside", release_inside, 0);
    CHECK_SCRIPT(&host, "Error: the socket binding was released",
                 "connect(1, 'ws://x/', { headers: { get length() { releaseInside(); return 0; } } })");
    script_host_end_engine(&host);
    CHECK_UINT(host.ends, ==, 1);
}

static void on_report_release(JSContext *ctx, JSValueConst error, void *user_data) {
    (void)ctx, (void)error;
    taro_quickjs **binding = user_data;
    taro_quickjs_release(*binding);
    *binding = NULL;
}

static void release_in_report(void) {
    JSRuntime *rt = JS_NewRuntime();
    struct script_host host = {rt, JS_NewContext(rt), NULL, 0, "", 0};
    taro_app_options app = TARO_APP_OPTIONS_INIT;
    app.user_data = &host.ends, app.release = on_app_end;
    const taro_quickjs_options options = {.app = &app, .report = on_report_release, .report_data = &host.binding};
    CHECK_INT(taro_quickjs_create(host.ctx, &options, &host.binding), ==, TARO_STATUS_OK);
    JSValue global = JS_GetGlobalObject(host.ctx);
    JS_SetPropertyStr(host.ctx, global, "bridge", taro_quickjs_bridge(host.binding));
    JS_FreeValue(host.ctx, global);
    RUN(&host, "var seen = 0; bridge.listen(() => { seen++; throw 1; }); bridge.refuse(1, 2, -103, ''); bridge.refuse(2, 2, -103, '')");
    CHECK_INT(taro_quickjs_dispatch(host.binding, 0, NULL), ==, TARO_STATUS_OK);
    CHECK(host.binding == NULL);
    CHECK_UINT(host.ends, ==, 1);
    CHECK_TRUE(&host, "seen === 1");
    script_host_end_engine(&host);
}

// --- several of everything

// Three bindings of one context, released in each order, one of them left to the context.
static void several_bindings_of_a_context(void) {
    static const int orders[][3] = {{0, 1, 2}, {0, 2, 1}, {1, 0, 2}, {1, 2, 0}, {2, 0, 1}, {2, 1, 0}};
    for (size_t order = 0; order < 6; order++) {
        for (int released = 0; released <= 3; released++) {
            struct script_host host;
            script_host_open(&host, NULL);
            taro_quickjs *bindings[3] = {host.binding, NULL, NULL};
            taro_app_options app = TARO_APP_OPTIONS_INIT;
            app.user_data = &host.ends, app.release = on_app_end;
            const taro_quickjs_options options = {.app = &app};
            for (int i = 1; i < 3; i++) {
                CHECK_INT(taro_quickjs_create(host.ctx, &options, &bindings[i]), ==, TARO_STATUS_OK);
                CHECK_UINT(taro_quickjs_app(bindings[i]), !=, taro_quickjs_app(bindings[i - 1]));
            }
            for (int i = 0; i < released; i++) {
                taro_quickjs_release(bindings[orders[order][i]]);
                JS_RunGC(host.rt);
                CHECK_UINT(host.ends, ==, i + 1);
            }
            script_host_end_engine(&host);
            CHECK_UINT(host.ends, ==, 3);
            for (int i = released; i < 3; i++) {
                taro_quickjs_release(bindings[orders[order][i]]);
            }
        }
    }
}

// Two apps of one runtime: each gets its own events, and the end of one is not the other's.
static void two_contexts_on_one_thread(void) {
    struct script_host one, two;
    script_host_open(&one, NULL);
    memset(&two, 0, sizeof two);
    two.rt = one.rt;
    two.ctx = JS_NewContext(one.rt);
    script_host_bind(&two, NULL);
    RUN(&one, "var socket = connect(1, '%s')", SERVER_URL("ws", "/echo"));
    RUN(&two, "var socket = connect(2, '%s')", SERVER_URL("ws", "/echo"));
    LOOP_UNTIL(&one, "of(2).length");
    LOOP_UNTIL(&two, "of(2).length");
    CHECK_TRUE(&one, "!result(2) && events.every(e => e[1] === socket)");
    CHECK_TRUE(&two, "!result(1) && events.every(e => e[1] === socket)");
    taro_quickjs_release(one.binding);
    JS_FreeContext(one.ctx);
    RUN(&two, "sendText(3, socket, 'lives')");
    LOOP_UNTIL(&two, "of(3).length");
    CHECK_UINT(one.ends, ==, 1);
    CHECK_UINT(two.ends, ==, 0);
    script_host_close(&two);
    CHECK_UINT(two.ends, ==, 1);
}

static void run_a_host(void *context) {
    struct script_host *host = context;
    for (int i = 0; i < 5; i++) {
        script_host_open(host, NULL);
        RUN(host, "var socket = connect(1, '%s')", SERVER_URL("ws", "/echo"));
        LOOP_UNTIL(host, "of(2).length");
        RUN(host, "sendBytes(2, socket, new ArrayBuffer(5000)); sendText(3, socket, 'x')");
        LOOP_UNTIL(host, "of(3).length === 2");
        script_host_close(host);
        CHECK_UINT(host->ends, ==, 1);
    }
}

static void two_runtimes_on_two_threads(void) {
    struct script_host hosts[2];
    struct test_thread threads[2];
    server_start();
    for (int i = 0; i < 2; i++) {
        thread_start(&threads[i], run_a_host, &hosts[i]);
    }
    for (int i = 0; i < 2; i++) {
        THREAD_JOIN(&threads[i]);
    }
}

static JSClassID class_of_host;

// Classes of the host's own beside ours, in runtimes that number them differently.
static void classes_do_not_collide(void) {
    for (int i = 0; i < 4; i++) {
        struct script_host host;
        memset(&host, 0, sizeof host);
        host.rt = JS_NewRuntime();
        host.ctx = JS_NewContext(host.rt);
        for (int made = 0; made < i; made++) {
            static const JSClassDef definition = {.class_name = "Host"};
            JSClassID id = 0;
#ifdef QJS_VERSION_MAJOR
            JS_NewClassID(host.rt, &id);
#else
            JS_NewClassID(&id);
#endif
            CHECK_INT(JS_NewClass(host.rt, id, &definition), ==, 0);
            class_of_host = id;
        }
        script_host_bind(&host, NULL);
        if (i > 0) {
            JSValue proto = JS_GetClassProto(host.ctx, class_of_host);
            CHECK(!JS_IsObject(proto));
            JS_FreeValue(host.ctx, proto);
        }
        RUN(&host, "bridge.refuse(1, 2, -103, '')");
        LOOP_UNTIL(&host, "result(1)");
        script_host_close(&host);
    }
}

// --- the host's own of the app's options

struct host_data {
    struct latch woken;
    taro_app app;
    unsigned released;
};

static void on_wake(taro_app app, void *user_data) {
    struct host_data *data = user_data;
    data->app = app;
    latch_hit(&data->woken);
}

static void on_data_release(void *user_data) { ((struct host_data *)user_data)->released++; }

static void wake_and_release_are_the_hosts(void) {
    struct host_data data = {0};
    latch_init(&data.woken);
    JSRuntime *rt = JS_NewRuntime();
    JSContext *ctx = JS_NewContext(rt);
    taro_app_options app = TARO_APP_OPTIONS_INIT;
    app.wake = on_wake;
    app.user_data = &data;
    app.release = on_data_release;
    const taro_quickjs_options options = {.app = &app};
    taro_quickjs *binding;
    CHECK_INT(taro_quickjs_create(ctx, &options, &binding), ==, TARO_STATUS_OK);
    JSValue bridge = taro_quickjs_bridge(binding);
    JSValue global = JS_GetGlobalObject(ctx);
    JS_SetPropertyStr(ctx, global, "bridge", bridge);
    JS_FreeValue(ctx, global);
    struct script_host host = {rt, ctx, binding, 0, "", 0};
    RUN(&host, "bridge.listen(() => {}); bridge.refuse(1, 2, -103, 'data')");
    LATCH_WAIT(&data.woken, 1);
    CHECK_UINT(data.app, ==, taro_quickjs_app(binding));
    CHECK_INT(taro_quickjs_dispatch(binding, 0, NULL), ==, TARO_STATUS_OK);
    RUN(&host, "bridge.refuse(2, 2, -103, 'data')");
    LATCH_WAIT(&data.woken, 2);
    CHECK_UINT(data.released, ==, 0);
    taro_quickjs_release(binding);
    CHECK_UINT(data.released, ==, 1);
    script_host_end_engine(&host);
    latch_destroy(&data.woken);
}

static const struct test tests[] = {
    TEST("L8", binding_then_engine),
    TEST("L8", engine_then_binding),
    TEST("L30", library_then_the_rest),
    TEST("L8", undelivered_events_leave_nothing),
    TEST("-", bridge_functions_throw_after_the_release),
    TEST("-", script_may_let_go_of_the_bridge),
    TEST("-", bridge_in_another_context),
    TEST("L8", release_in_a_handler),
    TEST("L8", exception_after_the_release),
    TEST("L8", context_freed_in_a_handler),
    TEST("-", release_in_a_getter),
    TEST("L8", release_in_report),
    TEST("-", several_bindings_of_a_context),
    TEST("-", two_contexts_on_one_thread),
    TEST("-", two_runtimes_on_two_threads),
    TEST("-", classes_do_not_collide),
    TEST("L29", wake_and_release_are_the_hosts),
};
TEST_MAIN(tests)
