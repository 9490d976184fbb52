// What the bridge gives the script, and what the script's handler gets.
#include "script_host.h"

#include <string.h>

static const char *const names[] = {"weapp", "alipay", "swan", "tt", "h5", "rn"};

static void flavour_is_named(void) {
    for (uint32_t flavour = 0; flavour < 6; flavour++) {
        struct script_host host;
        taro_app_options app = TARO_APP_OPTIONS_INIT;
        app.flavour = flavour;
        script_host_open(&host, &app);
        CHECK_SCRIPT(&host, names[flavour], "bridge.flavour");
        script_host_close(&host);
        CHECK_UINT(host.ends, ==, 1);
    }
}

static void functions_are_plain(void) {
    struct script_host host;
    script_host_open(&host, NULL);
    CHECK_SCRIPT(&host,
                 "flavour connect send close refuse state bufferedAmount globalSocket release listen report",
                 "Object.keys(bridge).join(' ')");
    // Without `this`, and out of the object.
    CHECK_SCRIPT(&host, "3", "const { state } = bridge; String(state(12345))");
    script_host_close(&host);
}

static void open_has_headers_and_profile(void) {
    struct script_host host;
    script_host_open(&host, NULL);
    RUN(&host, "var socket = connect(7, '%s', { headers: ['X-One', 'a', 'x-one', 'b'], protocols: ['p', 'q'] })",
        SERVER_URL("ws", "/echo?id=open&header=X-Twice:%%201&header=x-twice:%%202&protocol=q"));
    CHECK_TRUE(&host, "socket > 0 && bridge.state(socket) === 0 && bridge.globalSocket() === socket");
    CHECK_TRUE(&host, "events.length === 0");
    LOOP_UNTIL(&host, "of(2).length");
    CHECK_TRUE(&host, "events.length === 2");
    CHECK_SCRIPT(&host, "[1,true,7,0,\"connectSocket:ok\",\"\",0,0]",
                 "JSON.stringify(events[0].map((v, i) => i === 1 ? v === socket : v))");
    CHECK_TRUE(&host, "events[1].length === 6 && events[1][1] === socket && bridge.state(socket) === 1");
    CHECK_SCRIPT(&host, "X-Twice,1,x-twice,2",
                 "const h = events[1][2], i = h.indexOf('X-Twice'); h.slice(i, i + 4).join()");
    CHECK_SCRIPT(&host, "q", "events[1][3]");
    CHECK_SCRIPT(&host, "", "events[1][4]");
    CHECK_TRUE(&host, "Array.isArray(events[1][5]) && events[1][5].length === 8");
    // The first five since 1970 and in milliseconds, the rest durations.
    CHECK_TRUE(&host, "events[1][5].slice(0, 5).every(t => Math.abs(t - Date.now()) < 3600e3)");
    CHECK_TRUE(&host, "events[1][5].slice(5).every(t => t >= 0 && t < 3600e3)");
    CHECK_TEXT(SERVER_HEADER("open", "X-One", 1), "a");
    CHECK_TEXT(SERVER_HEADER("open", "x-one", 1), "b");
    CHECK_TEXT(SERVER_HEADER("open", "Sec-WebSocket-Protocol", 1), "p, q");
    script_host_close(&host);
}


// --- messages, both ways

static void messages_go_and_come(void) {
    struct script_host host;
    script_host_open(&host, NULL);
    RUN(&host, "var socket = connect(1, '%s')", SERVER_URL("ws", "/echo?id=echo"));
    LOOP_UNTIL(&host, "of(2).length");
    RUN(&host, "var of_size = n => Uint8Array.from({ length: n }, (_, i) => i %% 251).buffer;\n"
               "var sizes = [0, 1, 1023, 1024, 1025, 100000];\n"
               "var statuses = [sendText(0, socket, ''), sendText(0, socket, 'one'),\n"
               "                ...sizes.map(n => sendBytes(0, socket, of_size(n)))]");
    CHECK_TRUE(&host, "statuses.every(s => s === 0)");
    LOOP_UNTIL(&host, "of(3).length === 8");
    CHECK_SCRIPT(&host, "3/string/3/string/3/ArrayBuffer",
                 "[0, 1, 2].map(i => of(3)[i]).map(e => e.length + '/' + (typeof e[2] === 'string' ? 'string' : "
                 "e[2].constructor.name)).join('/')");
    CHECK_SCRIPT(&host, "|one", "of(3)[0][2] + '|' + of(3)[1][2]");
    CHECK_SCRIPT(&host, "0,1,1023,1024,1025,100000", "of(3).slice(2).map(e => e[2].byteLength).join()");
    CHECK_TRUE(&host, "of(3).slice(2).every(e => new Uint8Array(e[2]).every((b, i) => b === i %% 251))");
    // Part of a buffer, and a result.
    RUN(&host, "var status = bridge.send(9, socket, of_size(10), 2, 5)");
    CHECK_TRUE(&host, "status === 0 && !result(9)");
    LOOP_UNTIL(&host, "of(3).length === 9 && result(9)");
    CHECK_SCRIPT(&host, "2,3,4,5,6", "new Uint8Array(of(3)[8][2]).join()");
    CHECK_SCRIPT(&host, "[9,0,\"sendSocketMessage:ok\",\"\",0,0]", "JSON.stringify(result(9).slice(2))");
    CHECK_TRUE(&host, "of(1).length === 2"); // call 0 has none
    CHECK_TRUE(&host, "result(9)[1] === socket && bridge.bufferedAmount(socket) === 0");
    // The engine's memory may be a resizable buffer too.
    RUN(&host, "var grown = new ArrayBuffer(4, { maxByteLength: 16 }); grown.resize && grown.resize(8);\n"
               "bridge.send(0, socket, grown, 1, grown.byteLength - 1)");
    LOOP_UNTIL(&host, "of(3).length === 10 && of(3)[9][2].byteLength === grown.byteLength - 1");
    script_host_close(&host);
}

static void close_tells_code_and_reason(void) {
    struct script_host host;
    script_host_open(&host, NULL);
    RUN(&host, "var socket = connect(1, '%s')", SERVER_URL("ws", "/echo?id=close"));
    LOOP_UNTIL(&host, "of(2).length");
    CHECK_TRUE(&host, "bridge.close(5, socket, 2000, 'no') === -108 && bridge.state(socket) === 1");
    CHECK_TRUE(&host, "bridge.close(0, socket, 4999, 'bye') === 0 && bridge.state(socket) === 2");
    CHECK_TRUE(&host, "bridge.close(6, socket, 0, '') === -107");
    LOOP_UNTIL(&host, "of(5).length");
    CHECK_SCRIPT(&host, "[5,4999,\"bye\",1]", "const [k, s, ...more] = of(5)[0]; JSON.stringify([k, ...more])");
    CHECK_TRUE(&host, "of(5)[0][1] === socket && bridge.state(socket) === 3");
    CHECK_SCRIPT(&host, "600005,600004", "result(5)[6] + ',' + result(6)[6]");
    CHECK_SCRIPT(&host, "WebSocket is not connected", "result(6)[5]");
    CHECK_TRUE(&host, "of(1).length === 3"); // call 0 has none
    CHECK_TRUE(&host, "bridge.release(socket) === undefined && bridge.state(socket) === 3");
    CHECK_TEXT_HAS(SERVER_WAIT("close", "close 4999"), "bye");
    script_host_close(&host);
}

static void error_has_the_flavours_code(void) {
    struct script_host host;
    taro_app_options app = TARO_APP_OPTIONS_INIT;
    app.flavour = TARO_FLAVOUR_ALIPAY;
    script_host_open(&host, &app);
    RUN(&host, "var socket = connect(1, '%s')", SERVER_URL("ws", "/echo?status=403&id=error"));
    LOOP_UNTIL(&host, "of(4).length");
    CHECK_TRUE(&host, "of(4)[0].length === 7 && of(4)[0][1] === socket && of(4)[0][2] === -106");
    CHECK_TRUE(&host, "typeof of(4)[0][3] === 'string' && of(4)[0][3].endsWith(of(4)[0][4])");
    CHECK_TRUE(&host, "Number.isInteger(of(4)[0][5]) && Number.isInteger(of(4)[0][6])");
    CHECK_TRUE(&host, "of(4)[0][6] !== of(4)[0][5]"); // the flavour has codes of its own
    script_host_close(&host);
}

static void timeout_is_the_calls(void) {
    struct script_host host;
    script_host_open(&host, NULL);
    RUN(&host, "connect(1, '%s', { timeout: 20 })", SERVER_URL("silent", "/"));
    LOOP_UNTIL(&host, "of(4).length");
    CHECK_SCRIPT(&host, "connectSocket:fail timeout 5", "of(4)[0][3] + ' ' + of(4)[0][5]");
    script_host_close(&host);
}

static void flags_are_passed(void) {
    struct script_host host;
    script_host_open(&host, NULL);
    RUN(&host, "connect(1, '%s', { flags: 3 })",
        SERVER_URL("ws", "/echo?id=flags&extension=permessage-deflate"));
    LOOP_UNTIL(&host, "of(2).length");
    CHECK_SCRIPT(&host, "permessage-deflate", "of(2)[0][4]");
    // Without an interface of the host's the wish is ignored.
    RUN(&host, "connect(2, '%s', { flags: 4 })", SERVER_URL("ws", "/echo"));
    LOOP_UNTIL(&host, "of(2).length === 2");
    script_host_close(&host);
}

static void cellular_is_the_hosts_interface(void) {
    JSRuntime *rt = JS_NewRuntime();
    struct script_host host = {rt, JS_NewContext(rt), NULL, 0, "", 0};
    const taro_quickjs_options options = {.cellular_interface = "no such interface"};
    CHECK_INT(taro_quickjs_create(host.ctx, &options, &host.binding), ==, TARO_STATUS_OK);
    JSValue global = JS_GetGlobalObject(host.ctx);
    JS_SetPropertyStr(host.ctx, global, "bridge", taro_quickjs_bridge(host.binding));
    JS_FreeValue(host.ctx, global);
    RUN(&host, "var events = []; bridge.listen((...event) => { events.push(event); });\n"
               "var socket = bridge.connect(1, 'ws://127.0.0.1:1/', [], [], 4, 0)");
    CHECK_TRUE(&host, "socket === 0");
    LOOP_UNTIL(&host, "events.length");
    CHECK_SCRIPT(&host, "-103", "String(events[0][3])");
    script_host_close(&host);
}

static void full_is_drained(void) {
    struct script_host host;
    taro_app_options app = TARO_APP_OPTIONS_INIT;
    app.send_limit_bytes = 1 << 20;
    script_host_open(&host, &app);
    RUN(&host, "var socket = connect(1, '%s'), block = new ArrayBuffer(256 * 1024), status = 0",
        SERVER_URL("ws_small", "/deaf?id=drain"));
    LOOP_UNTIL(&host, "of(2).length");
    RUN(&host, "while (status === 0) status = sendBytes(0, socket, block)");
    CHECK_SCRIPT(&host, "-110", "String(status)");
    CHECK_TRUE(&host, "bridge.bufferedAmount(socket) > 0");
    CHECK_TEXT(SERVER_COMMAND("do drain read"), "ok");
    LOOP_UNTIL(&host, "of(6).length");
    CHECK_TRUE(&host, "of(6)[0].length === 3 && of(6)[0][1] === socket && of(6)[0][2] <= 512 * 1024");
    script_host_close(&host);
}

// --- what is refused

static void refusals_come_as_results(void) {
    struct script_host host;
    script_host_open(&host, NULL);
    CHECK_TRUE(&host, "connect(1, 'http://x/') === 0");
    CHECK_TRUE(&host, "bridge.refuse(2, 2, -103, 'data') === 0");
    CHECK_TRUE(&host, "bridge.refuse(3, 3, -107, '') === 0");
    CHECK_TRUE(&host, "bridge.refuse(4, 0, -103, '') === -4 && bridge.refuse(4, 1, -1, '') === -4");
    CHECK_TRUE(&host, "sendText(5, 12345, '') === -3 && bridge.close(6, 12345, 0, '') === -3");
    LOOP_UNTIL(&host, "events.length === 3");
    CHECK_SCRIPT(&host, "[1,0,1,-100,\"connectSocket:fail invalid url \\\"http://x/\\\"\",\"invalid url \\\"http://x/\\\"\",600009,600009]",
                 "JSON.stringify(events[0])");
    CHECK_SCRIPT(&host, "[1,0,2,-103,\"sendSocketMessage:fail parameter error: data\",\"parameter error: data\",600005,600005]",
                 "JSON.stringify(events[1])");
    CHECK_SCRIPT(&host, "closeSocket:fail WebSocket is not connected", "events[2][4]");
    CHECK_INT(taro_quickjs_dispatch(host.binding, 0, NULL), ==, TARO_STATUS_OK);
    CHECK_TRUE(&host, "events.length === 3");
    script_host_close(&host);
}

static void unknown_sockets_are_closed(void) {
    struct script_host host;
    script_host_open(&host, NULL);
    CHECK_TRUE(&host, "[0, -1, 1.5, NaN, Infinity, 2 ** 53, 2 ** 60, 12345].every("
                      "id => bridge.state(id) === 3 && bridge.bufferedAmount(id) === 0)");
    CHECK_TRUE(&host, "bridge.globalSocket() === 0");
    CHECK_TRUE(&host, "[0, -1, NaN, 12345].every(id => bridge.release(id) === undefined)");
    script_host_close(&host);
}

static void wrong_types_throw(void) {
    struct script_host host;
    script_host_open(&host, NULL);
    RUN(&host,
        "var kind = f => { try { f(); return 'none'; } catch (e) { return e.constructor.name; } };\n"
        "var right = { connect: [1, 'http://x/', [], [], 0, 0], send: [1, 1, new ArrayBuffer(4), 0, 4],\n"
        "              close: [1, 1, 0, ''], refuse: [1, 1, -103, ''], state: [1], bufferedAmount: [1], release: [1],\n"
        "              listen: [null] };\n"
        "var wrong = [undefined, null, true, 1n, Symbol('s'), {}, [1], () => 1, NaN, 1.5, -1, 1e300, 'text', 7,\n"
        "             { length: 1 }, { length: NaN }, { length: 1e10 }, { valueOf() { return 1; } }, new Uint8Array(4)];\n"
        "var taken = [];\n"
        "for (const [name, values] of Object.entries(right)) {\n"
        "    if (kind(() => bridge[name](...values)) !== 'none') taken.push(name + ' right');\n"
        "    for (let i = 0; i < values.length; i++) for (const value of wrong) {\n"
        "        const got = kind(() => bridge[name](...values.map((v, at) => at === i ? value : v)));\n"
        "        if (got === 'none') taken.push(`${name} ${i} ${typeof value === 'object' ? Object.prototype.toString.call(value) : String(value)}`);\n"
        "        else if (got !== 'TypeError') taken.push(`${name} ${i} threw ${got}`);\n"
        "    }\n"
        "}\n"
        "for (const name of Object.keys(right)) if (kind(() => bridge[name]()) !== 'TypeError') taken.push(name + '()');");
    // What is right after all, and nothing else.
    CHECK_SCRIPT(&host,
                 "connect 0 7,connect 1 text,connect 4 7,connect 5 -1,connect 5 7,"
                 "send 0 7,send 1 NaN,send 1 1.5,send 1 -1,send 1 1e+300,send 1 7,send 2 text,"
                 "close 0 7,close 1 NaN,close 1 1.5,close 1 -1,close 1 1e+300,close 1 7,close 2 7,close 3 text,"
                 "refuse 0 7,refuse 1 7,refuse 2 -1,refuse 2 7,refuse 3 text,"
                 "state 0 NaN,state 0 1.5,state 0 -1,state 0 1e+300,state 0 7,"
                 "bufferedAmount 0 NaN,bufferedAmount 0 1.5,bufferedAmount 0 -1,bufferedAmount 0 1e+300,bufferedAmount 0 7,"
                 "release 0 NaN,release 0 1.5,release 0 -1,release 0 1e+300,release 0 7,"
                 "listen 0 [object Null],listen 0 () => 1",
                 "taken.join()");
    CHECK_SCRIPT(&host, "TypeError", "kind(() => connect(1, 'ws://x/', { headers: ['name'] }))");
    CHECK_SCRIPT(&host, "TypeError", "kind(() => connect(1, 'ws://x/', { headers: ['name', 1] }))");
    // A range outside of its buffer.
    CHECK_SCRIPT(&host, "TypeError,TypeError",
                 "[[0, 5], [3, 2]].map(r => kind(() => bridge.send(0, 1, new ArrayBuffer(4), ...r))).join()");
    // What a getter throws goes on as it is.
    CHECK_SCRIPT(&host, "RangeError",
                 "kind(() => connect(1, 'ws://x/', { headers: { get length() { throw new RangeError('mine'); } } }))");
    CHECK_SCRIPT(&host, "RangeError",
                 "kind(() => connect(1, 'ws://x/', { protocols: { length: 1, get 0() { throw new RangeError('mine'); } } }))");
    script_host_close(&host);
}

static void detached_buffer_is_an_error(void) {
    struct script_host host;
    script_host_open(&host, NULL);
    CHECK_SCRIPT(&host, "TypeError",
                 "const b = new ArrayBuffer(4); b.transfer(); let kind = ''; try { bridge.send(0, 1, b, 0, 0) } catch (e) "
                 "{ kind = e.constructor.name } kind");
    script_host_close(&host);
}

// Inside the library nothing can be done: the app has gone behind the binding's back.
static void misuse_of_connect_throws_its_name(void) {
    struct script_host host;
    script_host_open(&host, NULL);
    CHECK_INT(taro_app_release(taro_quickjs_app(host.binding)), ==, TARO_STATUS_OK);
    CHECK_SCRIPT(&host, "Error: TARO_STATUS_BAD_HANDLE", "connect(1, 'ws://x/')");
    CHECK_SCRIPT(&host, "-3", "String(bridge.refuse(1, 1, -103, ''))");
    CHECK_SCRIPT(&host, "0", "String(bridge.globalSocket())");
    CHECK_INT(taro_quickjs_dispatch(host.binding, 0, NULL), ==, TARO_STATUS_BAD_HANDLE);
    script_host_close(&host);
}

static void create_checks_its_options(void) {
    JSRuntime *rt = JS_NewRuntime();
    JSContext *ctx = JS_NewContext(rt);
    taro_quickjs *binding = (taro_quickjs *)&rt;
    taro_app_options app = TARO_APP_OPTIONS_INIT;
    taro_quickjs_options options = {.app = &app};
    CHECK_INT(taro_quickjs_create(ctx, NULL, NULL), ==, TARO_STATUS_NULL_POINTER);
    CHECK_INT(taro_quickjs_create(NULL, NULL, &binding), ==, TARO_STATUS_NULL_POINTER);
    app.flavour = 6;
    CHECK_INT(taro_quickjs_create(ctx, &options, &binding), ==, TARO_STATUS_BAD_ARGUMENT);
    CHECK(binding == NULL);
    app.flavour = 0;
    app.max_sockets = 70000;
    CHECK_INT(taro_quickjs_create(ctx, &options, &binding), ==, TARO_STATUS_BAD_ARGUMENT);
    CHECK(binding == NULL);
    app.max_sockets = 0;
    app.struct_size = 0;
    CHECK_INT(taro_quickjs_create(ctx, &options, &binding), ==, TARO_STATUS_BAD_STRUCT_SIZE);
    app.struct_size = sizeof app + 8;
    CHECK_INT(taro_quickjs_create(ctx, &options, &binding), ==, TARO_STATUS_BAD_STRUCT_SIZE);
    app.struct_size = sizeof app;
    app.delivery = TARO_DELIVERY_DIRECT;
    CHECK_INT(taro_quickjs_create(ctx, &options, &binding), ==, TARO_STATUS_OK);
    CHECK_INT(taro_quickjs_dispatch(binding, 0, NULL), ==, TARO_STATUS_OK);
    taro_quickjs_release(binding);
    CHECK_INT(taro_quickjs_create(ctx, NULL, &binding), ==, TARO_STATUS_OK);
    taro_quickjs_release(binding);
    taro_quickjs_release(NULL);
    CHECK_INT(taro_quickjs_dispatch(NULL, 0, NULL), ==, TARO_STATUS_NULL_POINTER);
    JS_FreeContext(ctx);
    JS_FreeRuntime(rt);
}

static const struct test tests[] = {
    TEST("-", flavour_is_named),
    TEST("-", functions_are_plain),
    TEST("L16", open_has_headers_and_profile),
    TEST("L2", messages_go_and_come),
    TEST("L20 L21", close_tells_code_and_reason),
    TEST("L4", error_has_the_flavours_code),
    TEST("L13", timeout_is_the_calls),
    TEST("L15", flags_are_passed),
    TEST("-", cellular_is_the_hosts_interface),
    TEST("L18", full_is_drained),
    TEST("L2 L4", refusals_come_as_results),
    TEST("L25 L26", unknown_sockets_are_closed),
    TEST("-", wrong_types_throw),
    TEST("-", detached_buffer_is_an_error),
    TEST("L1", misuse_of_connect_throws_its_name),
    TEST("-", create_checks_its_options),
};
TEST_MAIN(tests)
