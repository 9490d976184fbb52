// When what runs: turns, jobs, exceptions.
#include "script_host.h"

#include <string.h>

// Refused calls are the shortest way to events.
#define REFUSE "bridge.refuse(%d, 2, -103, 'data')"

static void jobs_run_out_before_the_next_event(void) {
    struct script_host host;
    script_host_open(&host, NULL);
    RUN(&host, "on = (k, s, call) => { turns.push(call); Promise.resolve().then(() => turns.push(call + 'a'))\n"
               "                       .then(() => { turns.push(call + 'b'); queueMicrotaskLike(call); }); };\n"
               "var queueMicrotaskLike = call => (async () => { await null; await null; turns.push(call + 'c'); })();\n"
               "for (const call of [1, 2, 3]) bridge.refuse(call, 2, -103, 'data');");
    size_t left = 9;
    CHECK_INT(taro_quickjs_dispatch(host.binding, 0, &left), ==, TARO_STATUS_OK);
    CHECK_UINT(left, ==, 0);
    CHECK_SCRIPT(&host, "1,1a,1b,1c,2,2a,2b,2c,3,3a,3b,3c", "turns.join()");
    script_host_close(&host);
}

static void waiting_jobs_run_first(void) {
    struct script_host host;
    script_host_open(&host, NULL);
    RUN(&host, "on = (k, s, call) => turns.push(call); Promise.resolve().then(() => turns.push('job'));\n" REFUSE, 1);
    CHECK_INT(taro_quickjs_dispatch(host.binding, 0, NULL), ==, TARO_STATUS_OK);
    CHECK_SCRIPT(&host, "job,1", "turns.join()");
    RUN(&host, "Promise.resolve().then(() => turns.push('alone'))");
    CHECK_INT(taro_quickjs_dispatch(host.binding, 0, NULL), ==, TARO_STATUS_OK);
    CHECK_SCRIPT(&host, "job,1,alone", "turns.join()");
    script_host_close(&host);
}

// A script that attaches its listeners in the job after success has them before open.
static void open_comes_in_a_later_turn_than_success(void) {
    struct script_host host;
    script_host_open(&host, NULL);
    RUN(&host, "var resolve, ready = new Promise(r => { resolve = r; });\n"
               "on = (k) => { if (k === 1) resolve(); else turns.push(k); };\n"
               "ready.then(() => null).then(() => null).then(() => turns.push('attached'));\n"
               "connect(1, '%s')", SERVER_URL("ws", "/echo?act=text:first"));
    LOOP_UNTIL(&host, "of(3).length");
    CHECK_SCRIPT(&host, "attached,2,3", "turns.join()");
    script_host_close(&host);
}

static void max_events_and_left(void) {
    struct script_host host;
    script_host_open(&host, NULL);
    RUN(&host, "for (let i = 1; i <= 5; i++) bridge.refuse(i, 2, -103, 'data')");
    size_t left = 0;
    CHECK_INT(taro_quickjs_dispatch(host.binding, 1, &left), ==, TARO_STATUS_OK);
    CHECK_UINT(left, >=, 4);
    CHECK_TRUE(&host, "events.length === 1");
    // What a handler adds waits for the next dispatch.
    RUN(&host, "on = (k, s, call) => { if (call < 10) bridge.refuse(call + 10, 2, -103, 'data'); }");
    CHECK_INT(taro_quickjs_dispatch(host.binding, 0, &left), ==, TARO_STATUS_OK);
    CHECK_UINT(left, >=, 4);
    CHECK_TRUE(&host, "events.length === 5");
    CHECK_INT(taro_quickjs_dispatch(host.binding, 0, &left), ==, TARO_STATUS_OK);
    CHECK_UINT(left, ==, 0);
    CHECK_SCRIPT(&host, "1,2,3,4,5,12,13,14,15", "events.map(e => e[2]).join()");
    script_host_close(&host);
}

static taro_status status_inside;

static JSValue dispatch_inside(JSContext *ctx, JSValueConst this_value, int argc, JSValueConst *argv) {
    (void)this_value, (void)argc, (void)argv;
    status_inside = taro_quickjs_dispatch(script_host_of(ctx)->binding, 0, NULL);
    return JS_UNDEFINED;
}

static void dispatch_in_a_handler_is_busy(void) {
    struct script_host host;
    script_host_open(&host, NULL);
    script_define(&host, "dispatchInside", dispatch_inside, 0);
    RUN(&host, "on = () => dispatchInside(); " REFUSE, 1);
    CHECK_INT(taro_quickjs_dispatch(host.binding, 0, NULL), ==, TARO_STATUS_OK);
    CHECK_INT(status_inside, ==, TARO_STATUS_BUSY);
    // In a job too, also one that waits already.
    status_inside = 0;
    RUN(&host, "Promise.resolve().then(() => dispatchInside())");
    CHECK_INT(taro_quickjs_dispatch(host.binding, 0, NULL), ==, TARO_STATUS_OK);
    CHECK_INT(status_inside, ==, TARO_STATUS_BUSY);
    // Outside of both the script may ask the host for it.
    RUN(&host, "dispatchInside()");
    CHECK_INT(status_inside, ==, TARO_STATUS_OK);
    script_host_close(&host);
}

static void exceptions_are_reported_and_stop_nothing(void) {
    struct script_host host;
    script_host_open(&host, NULL);
    RUN(&host, "on = (k, s, call) => { turns.push(call); if (call === 1) throw new Error('mine'); if (call === 2) throw 7;\n"
               "    if (call === 3) null.x; if (call === 4) throw { toString() { throw 1; } }; };\n"
               "for (let i = 1; i <= 5; i++) bridge.refuse(i, 2, -103, 'data')");
    LOOP_UNTIL_BY(&host, 1, "turns.length === 1");
    CHECK_TEXT(host.last_report, "Error: mine");
    LOOP_UNTIL_BY(&host, 1, "turns.length === 2");
    CHECK_TEXT(host.last_report, "7");
    CHECK_INT(taro_quickjs_dispatch(host.binding, 0, NULL), ==, TARO_STATUS_OK);
    CHECK_TEXT(host.last_report, "(no text)");
    CHECK_UINT(host.reports, ==, 4);
    CHECK_SCRIPT(&host, "1,2,3,4,5", "turns.join()");
    script_host_close(&host);
}

static JSValue failing_job(JSContext *ctx, int argc, JSValueConst *argv) {
    (void)argc, (void)argv;
    return JS_ThrowTypeError(ctx, "of a job");
}

// Promises catch what their reactions throw; a job of the host's does not.
static void job_exceptions_are_reported(void) {
    struct script_host host;
    script_host_open(&host, NULL);
    RUN(&host, "on = (k, s, call) => turns.push(call); " REFUSE, 1);
    CHECK_INT(JS_EnqueueJob(host.ctx, failing_job, 0, NULL), ==, 0);
    RUN(&host, "Promise.resolve().then(() => turns.push('job'))");
    CHECK_INT(taro_quickjs_dispatch(host.binding, 0, NULL), ==, TARO_STATUS_OK);
    CHECK_UINT(host.reports, ==, 1);
    CHECK_TEXT(host.last_report, "TypeError: of a job");
    CHECK_SCRIPT(&host, "job,1", "turns.join()");
    script_host_close(&host);
}

static void report_is_the_hosts(void) {
    struct script_host host;
    script_host_open(&host, NULL);
    CHECK_TRUE(&host, "bridge.report(new RangeError('told')) === undefined");
    CHECK_UINT(host.reports, ==, 1);
    CHECK_TEXT(host.last_report, "RangeError: told");
    script_host_close(&host);
}

static int interrupts;

// Now and then the engine asks; the last answer stops the script.
#ifdef QJS_VERSION_MAJOR
static int interrupt(JSContext *ctx, void *opaque) {
    (void)ctx, (void)opaque;
#else
static int interrupt(JSRuntime *rt, void *opaque) {
    (void)rt, (void)opaque;
#endif
    return interrupts > 0 && interrupts-- == 1;
}

// A host that stops a script which runs for too long.
static void a_stopped_handler_is_reported(void) {
    struct script_host host;
    script_host_open(&host, NULL);
    JS_SetInterruptHandler(host.rt, interrupt, NULL);
    RUN(&host, "on = (k, s, call) => { turns.push(call); if (call === 1) for (;;); };\n"
               "bridge.refuse(1, 2, -103, ''); bridge.refuse(2, 2, -103, '')");
    interrupts = 3;
    CHECK_INT(taro_quickjs_dispatch(host.binding, 0, NULL), ==, TARO_STATUS_OK);
    CHECK_UINT(host.reports, ==, 1);
    CHECK_SCRIPT(&host, "1,2", "turns.join()");
    script_host_close(&host);
}

static void listen_takes_the_last_handler(void) {
    struct script_host host;
    script_host_open(&host, NULL);
    // In its own call too: the handler that runs lives on until it returns.
    RUN(&host, "bridge.listen((k, s, call) => { bridge.listen((k, s, call) => turns.push('second' + call));\n"
               "                                turns.push('first' + call); });\n"
               "for (let i = 1; i <= 2; i++) bridge.refuse(i, 2, -103, '')");
    CHECK_INT(taro_quickjs_dispatch(host.binding, 0, NULL), ==, TARO_STATUS_OK);
    CHECK_SCRIPT(&host, "first1,second2", "turns.join()");
    RUN(&host, "bridge.listen(null); bridge.refuse(3, 2, -103, '')");
    CHECK_INT(taro_quickjs_dispatch(host.binding, 0, NULL), ==, TARO_STATUS_OK);
    CHECK_SCRIPT(&host, "first1,second2", "turns.join()");
    script_host_close(&host);
}

static void ten_thousand_sends_in_one_turn(void) {
    struct script_host host;
    taro_app_options app = TARO_APP_OPTIONS_INIT;
    script_host_open(&host, &app);
    RUN(&host, "var socket = connect(1, '%s'), done = 0, order = true, texts = 0;\n"
               "bridge.listen((k, s, call, status) => {\n"
               "    if (k === 2) for (let i = 1; i <= 10000; i++) sendText(10 + i, socket, 'text ' + i);\n"
               "    if (k === 1 && call > 10) { done++; order = order && call === 10 + done && status === 0; }\n"
               "    if (k === 3) { texts++; order = order && call === 'text ' + texts; } });",
        SERVER_URL("ws", "/echo?id=many"));
    LOOP_UNTIL(&host, "done === 10000 && texts === 10000");
    CHECK_TRUE(&host, "order");
    script_host_close(&host);
}

// Without a report function the text goes to stderr. Only that it harms nothing is looked at here.
static void default_report_prints(void) {
    JSRuntime *rt = JS_NewRuntime();
    struct script_host host = {rt, JS_NewContext(rt), NULL, 0, "", 0};
    CHECK_INT(taro_quickjs_create(host.ctx, NULL, &host.binding), ==, TARO_STATUS_OK);
    JSValue global = JS_GetGlobalObject(host.ctx);
    JS_SetPropertyStr(host.ctx, global, "bridge", taro_quickjs_bridge(host.binding));
    JS_FreeValue(host.ctx, global);
    RUN(&host, "bridge.listen((k, s, call) => { if (call === 1) throw new Error('printed'); throw { toString: null, get stack() { throw 1; } }; });\n"
               "bridge.refuse(1, 2, -103, ''); bridge.refuse(2, 2, -103, ''); bridge.report(undefined)");
    CHECK_INT(taro_quickjs_dispatch(host.binding, 0, NULL), ==, TARO_STATUS_OK);
    RUN(&host, "1 + 1");
    script_host_close(&host);
}

static const struct test tests[] = {
    TEST("-", jobs_run_out_before_the_next_event),
    TEST("-", waiting_jobs_run_first),
    TEST("L3", open_comes_in_a_later_turn_than_success),
    TEST("-", max_events_and_left),
    TEST("L6", dispatch_in_a_handler_is_busy),
    TEST("-", exceptions_are_reported_and_stop_nothing),
    TEST("-", job_exceptions_are_reported),
    TEST("-", report_is_the_hosts),
    TEST("-", a_stopped_handler_is_reported),
    TEST("-", listen_takes_the_last_handler),
    TEST("L2 L18", ten_thousand_sends_in_one_turn),
    TEST("-", default_report_prints),
};
TEST_MAIN(tests)
