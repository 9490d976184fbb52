// taro_socket.js over the binding: what taro_quickjs_load gives the host.
#include "script_host.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static char *read_script(size_t *len) {
    FILE *file = fopen(TARO_SCRIPT, "rb");
    if (!file) {
        return NULL;
    }
    char *text = NULL;
    *len = 0;
    for (size_t got = 1; got > 0; *len += got) {
        text = realloc(text, *len + 65536);
        CHECK(text != NULL);
        got = fread(text + *len, 1, 65536, file);
    }
    fclose(file);
    return text;
}

// Runtime, context and binding, with the faces as globals `platform` and `Taro`.
static int open_script(struct script_host *host, uint32_t flavour) {
    size_t len;
    char *script = read_script(&len);
    if (!script) {
        test_skip("there is no " TARO_SCRIPT);
        return 0;
    }
    taro_app_options app = TARO_APP_OPTIONS_INIT;
    app.flavour = flavour;
    script_host_open(host, &app);
    // Behind it no NUL, but what would be an error.
    script[len] = '(';
    JSValue faces = taro_quickjs_load(host->binding, script, len);
    free(script);
    CHECK(!JS_IsException(faces));
    JSValue global = JS_GetGlobalObject(host->ctx);
    JS_SetPropertyStr(host->ctx, global, "platform", JS_GetPropertyStr(host->ctx, faces, "platform"));
    JS_SetPropertyStr(host->ctx, global, "Taro", JS_GetPropertyStr(host->ctx, faces, "Taro"));
    JS_FreeValue(host->ctx, global);
    JS_FreeValue(host->ctx, faces);
    return 1;
}

static void faces_of_each_flavour(void) {
    for (uint32_t flavour = 0; flavour < 6; flavour++) {
        struct script_host host;
        if (!open_script(&host, flavour)) {
            return;
        }
        CHECK_SCRIPT(&host, flavour < 4 ? "function" : "undefined", "platform ? typeof platform.connectSocket : 'undefined'");
        CHECK_SCRIPT(&host, "function", "typeof Taro.connectSocket");
        script_host_close(&host);
    }
}

static void taro_talks(void) {
    struct script_host host;
    if (!open_script(&host, TARO_FLAVOUR_WEAPP)) {
        return;
    }
    RUN(&host, "var log = [];\n"
               "Taro.connectSocket({ url: '%s', success: res => log.push(res.errMsg) }).then(task => {\n"
               "    task.onOpen(() => { log.push('open'); task.send({ data: 'hello', success: res => log.push(res.errMsg) }); });\n"
               "    task.onMessage(res => { log.push(res.data); task.close({ code: 3000, reason: 'enough' }); });\n"
               "    task.onClose(res => log.push(res.code + res.reason));\n"
               "});", SERVER_URL("ws", "/echo"));
    LOOP_UNTIL(&host, "log.includes('3000enough')");
    CHECK_SCRIPT(&host, "connectSocket:ok,open,SocketTask.send:ok,hello,3000enough", "log.join()");
    CHECK_UINT(host.reports, ==, 0);
    script_host_close(&host);
}

static void tasks_outlive_the_release(void) {
    struct script_host host;
    if (!open_script(&host, TARO_FLAVOUR_WEAPP)) {
        return;
    }
    RUN(&host, "var task = platform.connectSocket({ url: '%s' }), opened = false; task.onOpen(() => { opened = true; })",
        SERVER_URL("ws", "/echo"));
    LOOP_UNTIL(&host, "opened");
    taro_quickjs_release(host.binding);
    CHECK_TRUE(&host, "(() => { try { task.send({ data: 'x' }); return true; } catch (e) { return e instanceof Error; } })()");
    script_host_end_engine(&host);
}

static void a_wrong_script_is_an_exception(void) {
    struct script_host host;
    script_host_open(&host, NULL);
    static const char *const scripts[] = {"(", "throw 1", "null", "({})", "({ create: 1 })", "({ create() { throw 2; } })", ""};
    for (size_t i = 0; i < sizeof scripts / sizeof scripts[0]; i++) {
        CHECK(JS_IsException(taro_quickjs_load(host.binding, scripts[i], strlen(scripts[i]))));
        JS_FreeValue(host.ctx, JS_GetException(host.ctx));
    }
    script_host_close(&host);
}

static const struct test tests[] = {
    TEST("-", faces_of_each_flavour),
    TEST("-", taro_talks),
    TEST("-", tasks_outlive_the_release),
    TEST("-", a_wrong_script_is_an_exception),
};
TEST_MAIN(tests)
