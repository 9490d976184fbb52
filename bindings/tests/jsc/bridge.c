// The bridge's functions and events, one by one: what bindings/js/taro_socket.js builds on.
#include <stdio.h>
#include <string.h>

#include "page.h"
#include "server.h"

static void functions_are_plain(void) {
    static const char *const flavours[] = {"weapp", "alipay", "swan", "tt", "h5", "rn"};
    struct page page;
    for (uint32_t i = 0; i < 6; i++) {
        taro_app_options app = TARO_APP_OPTIONS_INIT;
        app.flavour = i;
        page_open(&page, NULL, &app, NULL);
        CHECK_TEXT(PAGE_TEXT(&page, "bridge.flavour"), flavours[i]);
        page_close(&page);
    }
    page_open(&page, NULL, NULL, NULL);
    CHECK_TEXT(PAGE_TEXT(&page, "Object.keys(bridge).filter(k => typeof bridge[k] === 'function').sort().join()"),
               "bufferedAmount,close,connect,globalSocket,listen,refuse,release,report,send,state");
    PAGE_CHECK(&page, "Object.keys(bridge).every(k => k === 'flavour' || bridge[k] instanceof Function)");
    PAGE_CHECK(&page, "const { state } = bridge; state(1) === 3 && state.call(null, 1) === 3");
    PAGE_CHECK(&page, "delete bridge.send; bridge.send = 0; typeof bridge.send === 'function'");
    page_close(&page);
}

static void a_connection_from_begin_to_end(void) {
    const char *url = SERVER_URL("ws", "/echo?id=whole&header=X-Two:%%20a&header=x-two:%%20b&header=X-Empty:");
    struct page page;
    page_open(&page, NULL, NULL, NULL);
    PAGE_RUN(&page, "const id = bridge.connect(7, '%s', ['X-Name', 'Zoë'.slice(0, 2), 'x-NAME', ''], ['one', 'two'], "
             "3, 5000)", url);
    PAGE_CHECK(&page, "Number.isInteger(id) && id > 0 && bridge.state(id) === 0 && bridge.globalSocket() === id");
    CHECK_TEXT(PAGE_TEXT(&page, "events.length"), "0");
    PAGE_UNTIL(&page, "nth(OPEN)");
    CHECK_TEXT(PAGE_TEXT(&page, "JSON.stringify(events[0])"),
               PAGE_TEXT(&page, "JSON.stringify([1, id, 7, 0, 'connectSocket:ok', '', 0, 0])"));
    CHECK_TEXT(SERVER_HEADER("whole", "X-Name", 1), "Zo");
    CHECK_TEXT(SERVER_HEADER("whole", "x-NAME", 1), "");
    CHECK_TEXT(SERVER_HEADER("whole", "Sec-WebSocket-Protocol", 1), "one, two");
    CHECK_TEXT_HAS(SERVER_HEADER("whole", "Sec-WebSocket-Extensions", 1), "permessage-deflate");
    PAGE_RUN(&page, "const [, openId, headers, protocol, extensions, profile] = nth(OPEN)");
    PAGE_CHECK(&page, "openId === id && protocol === 'one' && extensions === '' && bridge.state(id) === 1");
    PAGE_CHECK(&page, "Array.isArray(headers) && headers.length %% 2 === 0");
    CHECK_TEXT(PAGE_TEXT(&page, "headers.slice(headers.indexOf('X-Two')).slice(0, 6).join('|')"),
               "X-Two|a|x-two|b|X-Empty|");
    PAGE_CHECK(&page, "Array.isArray(profile) && profile.length === 8 && profile.every(Number.isFinite)");
    // Milliseconds since 1970, and durations of milliseconds.
    PAGE_CHECK(&page, "Math.abs(profile[0] - Date.now()) < 600000 && profile[7] >= profile[6] && profile[7] < 600000");
    PAGE_CHECK(&page, "profile.slice(0, 4).every((t, i) => t <= profile[i + 1])");

    CHECK_INT(PAGE_NUMBER(&page, "bridge.send(8, id, 'hello', 99, -1)"), ==, 0);
    CHECK_INT(PAGE_NUMBER(&page, "bridge.send(0, id, bytes(1, 2, 3, 4), 1, 2)"), ==, 0);
    PAGE_UNTIL(&page, "all(MESSAGE).length === 2 && all(RESULT).length === 2");
    PAGE_CHECK(&page, "nth(MESSAGE, 1)[1] === id && nth(MESSAGE, 1)[2] === 'hello'");
    PAGE_CHECK(&page, "nth(MESSAGE, 2)[2] instanceof ArrayBuffer && hex(nth(MESSAGE, 2)[2]) === '0203'");
    CHECK_TEXT(PAGE_TEXT(&page, "JSON.stringify(nth(RESULT, 2).slice(2))"), "[8,0,\"sendSocketMessage:ok\",\"\",0,0]");
    PAGE_CHECK(&page, "bridge.bufferedAmount(id) === 0");

    CHECK_INT(PAGE_NUMBER(&page, "bridge.close(9, id, 3001, 'ça suffit')"), ==, 0);
    PAGE_CHECK(&page, "bridge.state(id) === 2 && bridge.globalSocket() === 0");
    PAGE_UNTIL(&page, "nth(CLOSE)");
    CHECK_TEXT(PAGE_TEXT(&page, "JSON.stringify(nth(RESULT, 3).slice(2))"), "[9,0,\"closeSocket:ok\",\"\",0,0]");
    PAGE_CHECK(&page, "nth(CLOSE).length === 5 && nth(CLOSE)[1] === id && nth(CLOSE)[2] === 3001");
    PAGE_CHECK(&page, "nth(CLOSE)[3] === 'ça suffit' && nth(CLOSE)[4] === 1 && bridge.state(id) === 3");
    PAGE_RUN(&page, "bridge.release(id)");
    CHECK_INT(PAGE_NUMBER(&page, "bridge.send(0, id, 'late', 0, 0)"), ==, TARO_STATUS_BAD_HANDLE);
    CHECK_INT(PAGE_NUMBER(&page, "bridge.close(5, id, 1000, '')"), ==, TARO_STATUS_BAD_HANDLE);
    CHECK_UINT(page.reports, ==, 0);
    page_close(&page);
}

static void calls_that_are_refused(void) {
    struct page page;
    page_open(&page, NULL, NULL, NULL);
    CHECK_INT(PAGE_NUMBER(&page, "bridge.connect(1, 'http://example.org/', [], [], 0, 0)"), ==, 0);
    CHECK_INT(PAGE_NUMBER(&page, "bridge.connect(0, 'nothing', [], [], 0, 0)"), ==, 0);
    CHECK_INT(PAGE_NUMBER(&page, "bridge.connect(2, 'ws://a', ['a b', 'c'], [], 0, 0)"), ==, 0);
    CHECK_INT(PAGE_NUMBER(&page, "bridge.refuse(3, 1, -103, 'timeout')"), ==, 0);
    CHECK_INT(PAGE_NUMBER(&page, "bridge.refuse(4, 2, -103, 'data')"), ==, 0);
    CHECK_INT(PAGE_NUMBER(&page, "bridge.refuse(5, 3, -107, '')"), ==, 0);
    CHECK_INT(PAGE_NUMBER(&page, "bridge.refuse(6, 4, -103, '')"), ==, TARO_STATUS_BAD_ARGUMENT);
    CHECK_INT(PAGE_NUMBER(&page, "bridge.refuse(6, 1, 0, '')"), ==, TARO_STATUS_BAD_ARGUMENT);
    PAGE_UNTIL(&page, "events.length >= 5");
    PAGE_CHECK(&page, "events.every(e => e.length === 8 && e[0] === RESULT && e[1] === 0)");
    CHECK_TEXT(PAGE_TEXT(&page, "events.map(e => e.slice(2).join('|')).join('\\n')"),
               "1|-100|connectSocket:fail invalid url \"http://example.org/\"|invalid url \"http://example.org/\"|600009|600009\n"
               "2|-103|connectSocket:fail parameter error: header|parameter error: header|600005|600005\n"
               "3|-103|connectSocket:fail parameter error: timeout|parameter error: timeout|600005|600005\n"
               "4|-103|sendSocketMessage:fail parameter error: data|parameter error: data|600005|600005\n"
               "5|-107|closeSocket:fail WebSocket is not connected|WebSocket is not connected|600004|600004");
    page_close(&page);
}

static void a_code_of_the_flavour(void) {
    taro_app_options app = TARO_APP_OPTIONS_INIT;
    struct page page;
    app.flavour = TARO_FLAVOUR_ALIPAY;
    page_open(&page, NULL, &app, NULL);
    PAGE_RUN(&page, "bridge.connect(1, 'x', [], [], 0, 0)");
    PAGE_UNTIL(&page, "events.length");
    PAGE_CHECK(&page, "events[0][7] !== events[0][6]");
    page_close(&page);
}

static void a_connection_that_fails(void) {
    struct page page;
    page_open(&page, NULL, NULL, NULL);
    PAGE_RUN(&page, "const id = connect('%s')", SERVER_URL("refuse", "/"));
    PAGE_UNTIL(&page, "nth(ERROR)");
    PAGE_CHECK(&page, "events.length === 1 && nth(ERROR)[1] === id");
    CHECK_TEXT(PAGE_TEXT(&page, "JSON.stringify(nth(ERROR).slice(2))"),
               "[-106,\"connectSocket:fail WebSocket connection failed\",\"WebSocket connection failed\",600000,600000]");
    PAGE_CHECK(&page, "bridge.state(id) === 3");
    page_close(&page);
}

static void a_full_buffer_drains(void) {
    taro_app_options app = TARO_APP_OPTIONS_INIT;
    struct page page;
    app.send_limit_bytes = 1 << 20;
    page_open(&page, NULL, &app, NULL);
    PAGE_RUN(&page, "const id = connect('%s')", SERVER_URL("ws_small", "/deaf?id=full"));
    PAGE_UNTIL(&page, "nth(OPEN)");
    // What the system's own buffers take is its affair.
    CHECK_INT(PAGE_NUMBER(&page, "const block = filled(1 << 19); let s, n = 0; "
                          "do { s = bridge.send(0, id, block, 0, 1 << 19); } while (s === 0 && ++n < 1000); s"),
              ==, TARO_STATUS_FULL);
    PAGE_CHECK(&page, "bridge.bufferedAmount(id) > 0");
    SERVER_COMMAND("do full read");
    PAGE_UNTIL(&page, "nth(DRAIN)");
    PAGE_CHECK(&page, "nth(DRAIN).length === 3 && nth(DRAIN)[1] === id && nth(DRAIN)[2] <= 1 << 19");
    page_close(&page);
}

static void wrong_types_throw(void) {
    static const char *const calls[] = {
        "connect()", "connect(1)", "connect('1', 'ws://a', [], [], 0, 0)", "connect(-1, 'ws://a', [], [], 0, 0)",
        "connect(1.5, 'ws://a', [], [], 0, 0)", "connect(NaN, 'ws://a', [], [], 0, 0)",
        "connect(1, 5, [], [], 0, 0)", "connect(1, new String('ws://a'), [], [], 0, 0)",
        "connect(1, 'ws://a', null, [], 0, 0)", "connect(1, 'ws://a', {length: 0}, [], 0, 0)",
        "connect(1, 'ws://a', ['a'], [], 0, 0)", "connect(1, 'ws://a', ['a', 1], [], 0, 0)",
        "connect(1, 'ws://a', [], [1], 0, 0)", "connect(1, 'ws://a', [], ['a', , 'b'], 0, 0)",
        "connect(1, 'ws://a', [], [], '0', 0)", "connect(1, 'ws://a', [], [], 0)",
        "connect(1, 'ws://a', [], [], 0, 1e10)", "connect(1, 'ws://a', [], [], 0, Infinity)",
        "connect(1, Symbol.iterator, [], [], 0, 0)",
        "send()", "send(0, '1', 'a', 0, 0)", "send(0, 1)", "send(0, 1, 5, 0, 0)", "send(0, 1, null, 0, 0)",
        "send(0, 1, new Uint8Array(3), 0, 3)", "send(0, 1, new DataView(bytes(1)), 0, 1)",
        "send(0, 1, bytes(1, 2))", "send(0, 1, bytes(1, 2), -1, 1)", "send(0, 1, bytes(1, 2), 1, 2)",
        "send(0, 1, bytes(1, 2), 0.5, 1)", "send(0, 1, bytes(1, 2), 3, 0)", "send(0, 1, bytes(1, 2), 2 ** 53, 2 ** 53)",
        "send(0, 1, bytes(1, 2), 0, NaN)", "send(true, 1, 'a', 0, 0)",
        "close()", "close(0, 1, '1000', '')", "close(0, 1, 1000)", "close(0, 1, 1000, 5)", "close(0, 1, -1, '')",
        "close(0, 1, 1.5, '')", "close(0, 1, 2 ** 32, '')", "close(0, 1, NaN, '')",
        "refuse(0, 1, -103, '')", "refuse(1, 1, -103)", "refuse(1, 'a', -103, '')", "refuse(1, 1, 2 ** 31, '')",
        "state()", "state('1')", "bufferedAmount(null)", "release({})",
        "listen()", "listen(5)", "listen({})", "listen(undefined)",
    };
    struct page page;
    page_open(&page, NULL, NULL, NULL);
    for (size_t i = 0; i < sizeof calls / sizeof *calls; i++) {
        const char *thrown = PAGE_THROWS(&page, "bridge.%s", calls[i]);
        if (strncmp(thrown, "TypeError: ", 11) != 0) FAIL("bridge.%s: %s", calls[i], thrown);
    }
    CHECK_TEXT(PAGE_THROWS(&page, "bridge.close(0, 1, {}, '')"), "TypeError: close: code is no integer");
    CHECK_TEXT(PAGE_THROWS(&page, "globalThis.TypeError = null; bridge.state()"), "TypeError: state: socket is no number");
    CHECK_TEXT_HAS(PAGE_THROWS(&page, "new bridge.state(1)"), "is not a constructor");
    // Nothing came of all that, and the handler is still there.
    PAGE_RUN(&page, "bridge.refuse(77, 1, -103, 'x')");
    PAGE_UNTIL(&page, "events.length");
    CHECK_TEXT(PAGE_TEXT(&page, "events.map(e => e[2]).join()"), "77");
    page_close(&page);
}

static void an_array_that_throws(void) {
    struct page page;
    page_open(&page, NULL, NULL, NULL);
    PAGE_RUN(&page, "const odd = ['a']; Object.defineProperty(odd, 1, { get() { throw new RangeError('mine'); } })");
    CHECK_TEXT(PAGE_THROWS(&page, "bridge.connect(1, 'ws://a', odd, [], 0, 0)"), "RangeError: mine");
    CHECK_TEXT(PAGE_THROWS(&page, "bridge.connect(1, 'ws://a', ['a', 'b'], odd, 0, 0)"), "RangeError: mine");
    // An array that grows while it is read is read to its first length.
    PAGE_RUN(&page, "const grows = ['a', 'b']; "
             "Object.defineProperty(grows, 0, { get() { grows.push('c'); return 'a'; } })");
    PAGE_CHECK(&page, "bridge.connect(1, 'nothing', grows, [], 0, 0) === 0");
    CHECK_TEXT_HAS(PAGE_THROWS(&page, "const huge = []; huge.length = 2 ** 32 - 1; "
                               "bridge.connect(1, 'ws://a', huge, [], 0, 0)"), "TypeError");
    page_close(&page);
}

static void unknown_ids(void) {
    static const char *const ids[] = {"0", "1", "-1", "0.5", "NaN", "Infinity", "2 ** 53 - 1", "2 ** 53", "1e300"};
    struct page page;
    page_open(&page, NULL, NULL, NULL);
    for (size_t i = 0; i < sizeof ids / sizeof *ids; i++) {
        CHECK_INT(PAGE_NUMBER(&page, "bridge.state(%s)", ids[i]), ==, 3);
        CHECK_INT(PAGE_NUMBER(&page, "bridge.bufferedAmount(%s)", ids[i]), ==, 0);
        CHECK_INT(PAGE_NUMBER(&page, "bridge.send(1, %s, 'a', 0, 0)", ids[i]), ==, TARO_STATUS_BAD_HANDLE);
        CHECK_INT(PAGE_NUMBER(&page, "bridge.send(0, %s, bytes(1), 0, 1)", ids[i]), ==, TARO_STATUS_BAD_HANDLE);
        CHECK_INT(PAGE_NUMBER(&page, "bridge.close(1, %s, 1000, '')", ids[i]), ==, TARO_STATUS_BAD_HANDLE);
        PAGE_RUN(&page, "bridge.release(%s)", ids[i]);
    }
    page_close(&page);
}

static void misuse_of_connect_throws(void) {
    struct page page;
    page_open(&page, NULL, NULL, NULL);
    CHECK_INT(taro_app_release(page.app), ==, TARO_STATUS_OK);
    CHECK_TEXT(PAGE_THROWS(&page, "connect('ws://a')"), "Error: connect: TARO_STATUS_BAD_HANDLE");
    CHECK_INT(PAGE_NUMBER(&page, "bridge.refuse(1, 1, -103, '')"), ==, TARO_STATUS_BAD_HANDLE);
    CHECK_INT(PAGE_NUMBER(&page, "bridge.globalSocket()"), ==, 0);
    CHECK_INT(taro_jsc_dispatch(page.binding, 0, NULL), ==, TARO_STATUS_BAD_HANDLE);
    page_close(&page);
}

static void the_handler_can_change(void) {
    struct page page;
    page_open(&page, NULL, NULL, NULL);
    PAGE_RUN(&page, "let second = 0, third = 0; bridge.listen(() => { second++; bridge.listen(() => { third++; }); })");
    PAGE_RUN(&page, "for (let i = 1; i < 4; i++) bridge.refuse(i, 1, -103, '')");
    page_collect(&page);
    PAGE_UNTIL(&page, "second === 1 && third === 2");
    // Nobody hears what comes now, and nothing is kept for later.
    PAGE_RUN(&page, "bridge.listen(null); bridge.listen(null); bridge.refuse(4, 1, -103, '')");
    PAGE_TURN(&page);
    PAGE_RUN(&page, "bridge.listen(handler); bridge.refuse(5, 1, -103, '')");
    PAGE_UNTIL(&page, "events.length");
    PAGE_CHECK(&page, "events.length === 1 && events[0][2] === 5 && second === 1 && third === 2");
    page_close(&page);
}

static void the_cellular_interface(void) {
    taro_jsc_options options = {0};
    char name[] = "lo";
    const char *url = SERVER_URL("ws", "/echo");
    struct page page;
    options.cellular_interface = name;
    page_open(&page, NULL, NULL, &options);
    memset(name, 'x', 2); // it was copied
    PAGE_RUN(&page, "const there = bridge.connect(0, '%s', [], [], 4, 0)", url);
    PAGE_UNTIL(&page, "nth(OPEN)");
    page_close(&page);
    options.cellular_interface = "no such one";
    page_open(&page, NULL, NULL, &options);
    PAGE_RUN(&page, "const nowhere = bridge.connect(0, '%s', [], [], 4, 0)", url);
    PAGE_UNTIL(&page, "nth(ERROR)");
    PAGE_RUN(&page, "const there = bridge.connect(0, '%s', [], [], 3, 0)", url);
    PAGE_UNTIL(&page, "nth(OPEN)");
    page_close(&page);
    page_open(&page, NULL, NULL, NULL);
    PAGE_RUN(&page, "const there = bridge.connect(0, '%s', [], [], 4, 0)", url);
    PAGE_UNTIL(&page, "nth(OPEN)");
    page_close(&page);
}

static const struct test tests[] = {
    TEST("-", functions_are_plain),
    TEST("L2 L3 L16 L20", a_connection_from_begin_to_end),
    TEST("L2 L4", calls_that_are_refused),
    TEST("L4", a_code_of_the_flavour),
    TEST("L5", a_connection_that_fails),
    TEST("L18", a_full_buffer_drains),
    TEST("L25", wrong_types_throw),
    TEST("L25", an_array_that_throws),
    TEST("L25 L26", unknown_ids),
    TEST("L1", misuse_of_connect_throws),
    TEST("-", the_handler_can_change),
    TEST("-", the_cellular_interface),
};
TEST_MAIN(tests)
