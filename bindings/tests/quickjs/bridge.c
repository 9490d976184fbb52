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

static const struct test tests[] = {
    TEST("-", flavour_is_named),
    TEST("-", functions_are_plain),
    TEST("L16", open_has_headers_and_profile),
};
TEST_MAIN(tests)
