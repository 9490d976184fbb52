// label: net
//
// The end: of the binding, of the engine, in either order, inside handlers, on several threads. page_close checks that
// the app has gone; leak checkers see the rest.
#include <stdio.h>
#include <string.h>

#include "page.h"
#include "server.h"

// One socket of each kind: connecting, open, closing, ended, and calls whose results wait.
static void fill(struct page *page, const char *name) {
    PAGE_RUN(page, "const connecting = connect('%s', 1)", SERVER_URL("silent", "/"));
    PAGE_RUN(page, "const open = connect('%s', 2)", SERVER_URL("ws", "/echo?id=%s-open", name));
    PAGE_RUN(page, "const closing = connect('%s', 3)", SERVER_URL("ws", "/echo?id=%s-closing&onclose=ignore", name));
    PAGE_RUN(page, "const ended = connect('%s', 4)", SERVER_URL("refuse", "/"));
    PAGE_UNTIL(page, "all(OPEN).length === 2 && nth(ERROR)");
    PAGE_RUN(page, "bridge.close(5, closing, 1000, ''); bridge.send(6, open, filled(5000), 0, 5000);"
             "bridge.send(7, connecting, 'x', 0, 0); bridge.refuse(8, 1, -103, '')");
}

static void check_gone(const char *name) {
    char id[64];
    snprintf(id, sizeof id, "%s-open", name);
    SERVER_WAIT(id, "^(eof|reset|end)");
    snprintf(id, sizeof id, "%s-closing", name);
    SERVER_WAIT(id, "^(eof|reset|end)");
}

static void binding_first(void) {
    struct page page;
    page_open(&page, NULL, NULL, NULL);
    fill(&page, "first");
    page_release_binding(&page);
    CHECK_UINT(page.app_released, ==, 1);
    page_close(&page);
    check_gone("first");
}

static void engine_first(void) {
    struct page page;
    page_open(&page, NULL, NULL, NULL);
    fill(&page, "second");
    page_release_context(&page);
    CHECK_UINT(page.app_released, ==, 0);
    page_close(&page);
    check_gone("second");
}

static void without_a_word_to_the_script(void) {
    struct page page;
    page_open(&page, NULL, NULL, NULL);
    taro_jsc_release(NULL);
    page_close(&page);
}

static void functions_throw_afterwards(void) {
    static const char *const calls[] = {
        "connect(1, 'ws://a', [], [], 0, 0)", "send(1, 1, '', 0, 0)", "close(1, 1, 1000, '')",
        "refuse(1, 1, -103, '')", "state(1)", "bufferedAmount(1)", "globalSocket()", "release(1)", "listen(null)",
        "report(new Error('x'))", "connect()",
    };
    struct page page;
    page_open(&page, NULL, NULL, NULL);
    fill(&page, "objects");
    PAGE_RUN(&page, "const seen = events.length");
    page_release_binding(&page);
    for (size_t i = 0; i < sizeof calls / sizeof *calls; i++) {
        CHECK_TEXT_HAS(PAGE_THROWS(&page, "bridge.%s", calls[i]), ": the binding was released");
    }
    page_collect(&page);
    PAGE_CHECK(&page, "bridge.flavour === 'weapp' && events.length === seen");
    CHECK_UINT(page.reports, ==, 0);
    page_close(&page);
}

// --- inside a handler

static JSValueRef release_it(JSContextRef ctx, JSObjectRef function, JSObjectRef this_object, size_t argc,
                             const JSValueRef argv[], JSValueRef *exception) {
    (void)function, (void)this_object, (void)argc, (void)argv, (void)exception;
    page_release_binding(page_of(ctx));
    return JSValueMakeUndefined(ctx);
}

// The host lets go of everything while its own function is on the stack.
static JSValueRef end_it_all(JSContextRef ctx, JSObjectRef function, JSObjectRef this_object, size_t argc,
                             const JSValueRef argv[], JSValueRef *exception) {
    struct page *page = page_of(ctx);
    (void)function, (void)this_object, (void)argc, (void)argv, (void)exception;
    JSValueRef undefined = JSValueMakeUndefined(ctx);
    page_release_context(page);
    page_release_binding(page);
    return undefined;
}

static void turn_until_released(struct page *page) {
    const int64_t deadline = deadline_in_ms(WAIT_MS);
    while (page->binding) {
        page_wait_readable(__FILE__, __LINE__, page, deadline);
        CHECK_INT(taro_jsc_dispatch(page->binding, 0, NULL), ==, TARO_STATUS_OK);
    }
}

static const char *const kinds[] = {"RESULT", "OPEN", "MESSAGE", "ERROR", "CLOSE", "DRAIN"};

static void start_until(struct page *page, const char *kind, const char *then) {
    const char *path = strcmp(kind, "DRAIN") == 0   ? "/deaf?id=%s"
                       : strcmp(kind, "CLOSE") == 0 ? "/echo?id=%s&act=close:1000:bye"
                       : strcmp(kind, "ERROR") == 0 ? "/echo?id=%s&status=500"
                                                    : "/echo?id=%s&act=bin:0102";
    char text[256];
    snprintf(text, sizeof text, path, kind);
    const char *url = server_url(__FILE__, __LINE__, strcmp(kind, "DRAIN") == 0 ? "ws_small" : "ws", NULL, "%s", text);
    PAGE_RUN(page, "let after = -1; on = (kind) => { if (after >= 0) after++;"
             " if (kind === OPEN && %s === DRAIN) { while (bridge.send(0, id, filled(1 << 18), 0, 1 << 18) === 0); go(); }"
             " if (kind === %s) { after = 0; Promise.resolve().then(() => { ran = true; }); %s } };"
             "let ran = false; const id = connect('%s', 1); bridge.refuse(2, 1, -103, '')", kind, kind, then, url);
}

static JSValueRef go(JSContextRef ctx, JSObjectRef function, JSObjectRef this_object, size_t argc,
                     const JSValueRef argv[], JSValueRef *exception) {
    (void)function, (void)this_object, (void)argc, (void)argv, (void)exception;
    SERVER_COMMAND("do DRAIN read");
    return JSValueMakeUndefined(ctx);
}

static void released_inside_each_kind_of_event(void) {
    for (size_t i = 0; i < sizeof kinds / sizeof *kinds; i++) {
        taro_app_options app = TARO_APP_OPTIONS_INIT;
        struct page page;
        app.send_limit_bytes = 1 << 20;
        page_open(&page, NULL, &app, NULL);
        page_give(&page, "release", release_it);
        page_give(&page, "go", go);
        start_until(&page, kinds[i], "release(); try { bridge.send(0, id, 'x', 0, 0); } catch (e) { caught = e; }");
        PAGE_RUN(&page, "let caught");
        turn_until_released(&page);
        CHECK_UINT(page.app_released, ==, 1);
        PAGE_CHECK(&page, "after === 0 && ran && String(caught) === 'Error: send: the binding was released'");
        page_close(&page);
    }
}

static void engine_ends_inside_each_kind_of_event(void) {
    for (size_t i = 0; i < sizeof kinds / sizeof *kinds; i++) {
        taro_app_options app = TARO_APP_OPTIONS_INIT;
        struct page page;
        app.send_limit_bytes = 1 << 20;
        page_open(&page, NULL, &app, NULL);
        page_give(&page, "end", end_it_all);
        page_give(&page, "go", go);
        start_until(&page, kinds[i], "end(); try { bridge.listen(null); } catch (e) { String(e); }");
        turn_until_released(&page);
        page_close(&page);
    }
}

static void thrown_after_the_release(void) {
    struct page page;
    page_open(&page, NULL, NULL, NULL);
    page_give(&page, "release", release_it);
    PAGE_RUN(&page, "on = () => { release(); throw new Error('printed, for report_data may have gone'); };"
             "bridge.refuse(1, 1, -103, ''); bridge.refuse(2, 1, -103, '')");
    turn_until_released(&page);
    CHECK_UINT(page.reports, ==, 0);
    PAGE_CHECK(&page, "events.length === 1");
    page_close(&page);
}

static void released_by_report(void) {
    struct page page;
    page_open(&page, NULL, NULL, NULL);
    page.on_report = page_release_binding;
    PAGE_RUN(&page, "on = () => { throw new Error('x'); }; bridge.refuse(1, 1, -103, ''); bridge.refuse(2, 1, -103, '')");
    turn_until_released(&page);
    PAGE_CHECK(&page, "events.length === 1");
    page_close(&page);
    page_open(&page, NULL, NULL, NULL);
    page.on_report = page_release_binding;
    PAGE_CHECK(&page, "bridge.report('x') === undefined");
    CHECK(page.binding == NULL);
    page_close(&page);
}

static void released_outside_of_dispatch(void) {
    struct page page;
    page_open(&page, NULL, NULL, NULL);
    page_give(&page, "release", release_it);
    PAGE_RUN(&page, "const id = connect('%s', 1); release(); let caught; try { bridge.state(id); } catch (e) { caught = e; }",
             SERVER_URL("ws", "/echo"));
    PAGE_CHECK(&page, "caught instanceof Error && events.length === 0");
    page_close(&page);
}

// An argument's getter is the one that releases, in the middle of a function of the bridge.
static void released_inside_a_function(void) {
    static const char *const ends[] = {"release()", "end()"};
    for (size_t i = 0; i < 2; i++) {
        struct page page;
        page_open(&page, NULL, NULL, NULL);
        page_give(&page, "release", release_it);
        page_give(&page, "end", end_it_all);
        PAGE_RUN(&page, "bridge.refuse(1, 1, -103, '')");
        // Kept by the test: end() lets go of the page's own.
        JSGlobalContextRef ctx = JSGlobalContextRetain(page.ctx);
        PAGE_RUN(&page,
                 "const names = ['a', 'b']; Object.defineProperty(names, 0, { get() { %s; return 'a'; } });"
                 "let caught; try { bridge.connect(1, 'ws://a', names, [], 0, 0); } catch (e) { caught = e; }", ends[i]);
        CHECK(page.binding == NULL);
        if (page.ctx) {
            JSGlobalContextRelease(ctx);
        } else {
            page.ctx = ctx;
        }
        CHECK_TEXT(PAGE_TEXT(&page, "String(caught)"), "Error: connect: TARO_STATUS_BAD_HANDLE");
        page_close(&page);
    }
}

static void after_shutdown(void) {
    struct page page;
    page_open(&page, NULL, NULL, NULL);
    fill(&page, "shutdown");
    CHECK_INT(taro_shutdown(20000), ==, TARO_STATUS_OK);
    CHECK_UINT(page.app_released, ==, 1);
    CHECK_TEXT(PAGE_THROWS(&page, "connect('ws://a')"), "Error: connect: TARO_STATUS_BAD_HANDLE");
    CHECK_INT(PAGE_NUMBER(&page, "bridge.send(1, open, 'x', 0, 0)"), ==, TARO_STATUS_BAD_HANDLE);
    CHECK_INT(PAGE_NUMBER(&page, "bridge.state(open)"), ==, 3);
    page_close(&page);
}

static void collected_sockets_and_handlers(void) {
    struct page page;
    page_open(&page, NULL, NULL, NULL);
    // Nothing of the script holds the handler: the binding does.
    PAGE_RUN(&page, "let heard = 0; bridge.listen((...args) => { heard++; events.push(args); }); bridge = null");
    page_collect(&page);
    page_set(&page, "bridge", taro_jsc_bridge(page.binding));
    PAGE_RUN(&page, "const id = connect('%s', 1)", SERVER_URL("ws", "/echo?act=text:hi"));
    page_collect(&page);
    PAGE_UNTIL(&page, "heard === 3");
    page_close(&page);
}

// A context that goes on: what its bindings had protected is free again. The collector looks at the stack for what may
// be a reference, so a few may stay.
static void nothing_stays_protected(void) {
    struct page page;
    page_open(&page, NULL, NULL, NULL);
    PAGE_RUN(&page, "const bridges = [], handlers = [], last = [];"
             "function listen(to) {"
             "  for (let i = 0; i < 20; i++) {"
             "    const f = () => i; (i < 19 ? handlers : last).push(new WeakRef(f)); to.listen(f);"
             "  }"
             "  bridges.push(new WeakRef(to));"
             "}"
             "const alive = (list) => list.filter(w => w.deref()).length");
    taro_jsc *others[20];
    for (size_t i = 0; i < 20; i++) {
        CHECK_INT(taro_jsc_create(page.ctx, NULL, &others[i]), ==, TARO_STATUS_OK);
        page_set(&page, "other", taro_jsc_bridge(others[i]));
        PAGE_RUN(&page, "listen(other)");
    }
    PAGE_RUN(&page, "other = null");
    page_collect(&page);
    CHECK_INT(PAGE_NUMBER(&page, "alive(bridges)"), ==, 20);
    CHECK_INT(PAGE_NUMBER(&page, "alive(last)"), ==, 20);
    CHECK_INT(PAGE_NUMBER(&page, "alive(handlers)"), <, 190);
    for (size_t i = 0; i < 20; i++) taro_jsc_release(others[i]);
    page_collect(&page);
    CHECK_INT(PAGE_NUMBER(&page, "alive(bridges)"), <, 10);
    CHECK_INT(PAGE_NUMBER(&page, "alive(last)"), <, 10);
    page_close(&page);
}

// --- what is refused

static void create_that_fails(void) {
    taro_app_options app = TARO_APP_OPTIONS_INIT;
    taro_jsc_options options = {0};
    struct page page;
    taro_jsc *other = (taro_jsc *)&page;
    page_open(&page, NULL, NULL, NULL);
    options.app = &app;
    options.cellular_interface = "pdp_ip0";
    CHECK_INT(taro_jsc_create(NULL, &options, &other), ==, TARO_STATUS_NULL_POINTER);
    CHECK(other == NULL);
    CHECK_INT(taro_jsc_create(page.ctx, &options, NULL), ==, TARO_STATUS_NULL_POINTER);
    app.flavour = 99;
    CHECK_INT(taro_jsc_create(page.ctx, &options, &other), ==, TARO_STATUS_BAD_ARGUMENT);
    CHECK(other == NULL);
    app.flavour = 0;
    app.struct_size = sizeof app + 8;
    CHECK_INT(taro_jsc_create(page.ctx, &options, &other), ==, TARO_STATUS_BAD_STRUCT_SIZE);
    app.struct_size = 0;
    CHECK_INT(taro_jsc_create(page.ctx, &options, &other), ==, TARO_STATUS_BAD_STRUCT_SIZE);
    app.struct_size = offsetof(taro_app_options, max_sockets) + 1; // cuts a field
    CHECK_INT(taro_jsc_create(page.ctx, &options, &other), ==, TARO_STATUS_BAD_STRUCT_SIZE);
    // Hosts that were built with older headers; host delivery is set all the same.
    static const uint32_t sizes[] = {offsetof(taro_app_options, delivery), offsetof(taro_app_options, single_socket),
                                     offsetof(taro_app_options, close_timeout_ms)};
    for (size_t i = 0; i < sizeof sizes / sizeof *sizes; i++) {
        app.struct_size = sizes[i];
        CHECK_INT(taro_jsc_create(page.ctx, &options, &other), ==, TARO_STATUS_OK);
        CHECK_INT(taro_jsc_dispatch(other, 0, NULL), ==, TARO_STATUS_OK);
        taro_jsc_release(other);
    }
    page_close(&page);
}

// --- several

static void two_contexts_of_one_group(void) {
    struct page one, two;
    taro_app_options alipay = TARO_APP_OPTIONS_INIT;
    alipay.flavour = TARO_FLAVOUR_ALIPAY;
    page_open(&one, NULL, NULL, NULL);
    page_open(&two, one.group, &alipay, NULL);
    PAGE_RUN(&one, "const id = connect('%s', 1)", SERVER_URL("ws", "/echo?id=one"));
    PAGE_RUN(&two, "const id = connect('%s', 1)", SERVER_URL("ws", "/echo?id=two"));
    PAGE_UNTIL(&one, "nth(OPEN)");
    PAGE_UNTIL(&two, "nth(OPEN)");
    // A bridge in the hands of the other context's script still belongs to its own app.
    page_set(&two, "other", taro_jsc_bridge(one.binding));
    PAGE_CHECK(&two, "other.flavour === 'weapp' && bridge.flavour === 'alipay' && other.globalSocket() !== id");
    CHECK_TEXT_HAS(PAGE_THROWS(&two, "other.state()"), "TypeError");
    PAGE_RUN(&two, "other.send(7, other.globalSocket(), bytes(1, 2), 0, 2)");
    PAGE_UNTIL(&one, "nth(MESSAGE)");
    PAGE_CHECK(&one, "hex(nth(MESSAGE)[2]) === '0102' && all(RESULT).length === 2");
    page_close(&one);
    CHECK_TEXT_HAS(PAGE_THROWS(&two, "other.state(1)"), "the binding was released");
    PAGE_RUN(&two, "bridge.send(0, id, 'on', 0, 0)");
    PAGE_UNTIL(&two, "nth(MESSAGE)");
    page_close(&two);
}

static void two_bindings_of_one_context(void) {
    struct page page;
    taro_jsc *other = NULL;
    page_open(&page, NULL, NULL, NULL);
    CHECK_INT(taro_jsc_create(page.ctx, NULL, &other), ==, TARO_STATUS_OK);
    page_set(&page, "other", taro_jsc_bridge(other));
    PAGE_RUN(&page, "other.refuse(1, 1, -103, ''); bridge.refuse(2, 1, -103, '')");
    PAGE_UNTIL(&page, "events.length");
    PAGE_CHECK(&page, "events.length === 1 && events[0][2] === 2");
    taro_jsc_release(other);
    CHECK_TEXT_HAS(PAGE_THROWS(&page, "other.state(1)"), "the binding was released");
    CHECK_INT(PAGE_NUMBER(&page, "bridge.state(1)"), ==, 3);
    page_close(&page);
}

struct worker {
    struct test_thread thread;
    const char *url;
};

static void work(void *context) {
    const struct worker *worker = context;
    for (int round = 0; round < 3; round++) {
        struct page page;
        page_open(&page, NULL, NULL, NULL);
        PAGE_RUN(&page, "const id = connect('%s')", worker->url);
        PAGE_UNTIL(&page, "nth(OPEN)");
        PAGE_RUN(&page, "for (let i = 0; i < 200; i++) bridge.send(i, id, i %% 2 ? 'text ' + i : filled(2000), 0, 2000)");
        PAGE_UNTIL(&page, "all(MESSAGE).length === 200 && all(RESULT).length === 199");
        PAGE_CHECK(&page, "all(MESSAGE).every((m, i) => i %% 2 ? m[2] === 'text ' + i : same(m[2], filled(2000)))");
        page_close(&page);
    }
}

static void groups_on_threads(void) {
    struct worker workers[3];
    for (size_t i = 0; i < 3; i++) {
        workers[i].url = SERVER_URL("ws", "/echo?id=worker-%zu", i);
        thread_start(&workers[i].thread, work, &workers[i]);
    }
    for (size_t i = 0; i < 3; i++) THREAD_JOIN(&workers[i].thread);
    CHECK_INT(taro_shutdown(20000), ==, TARO_STATUS_OK);
}

static const struct test tests[] = {
    TEST("L8", binding_first),
    TEST("L8", engine_first),
    TEST("-", without_a_word_to_the_script),
    TEST("L8", functions_throw_afterwards),
    TEST("L8", released_inside_each_kind_of_event),
    TEST("L8", engine_ends_inside_each_kind_of_event),
    TEST("L8", thrown_after_the_release),
    TEST("L8", released_by_report),
    TEST("L8", released_outside_of_dispatch),
    TEST("L8", released_inside_a_function),
    TEST("L30", after_shutdown),
    TEST("-", collected_sockets_and_handlers),
    TEST("-", nothing_stays_protected),
    TEST("L1", create_that_fails),
    TEST("L29", two_contexts_of_one_group),
    TEST("-", two_bindings_of_one_context),
    TEST("L29", groups_on_threads),
};
TEST_MAIN(tests)
