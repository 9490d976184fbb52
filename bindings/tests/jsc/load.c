// label: net
//
// taro_jsc_load: the script, and scripts that are none.
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "page.h"
#include "server.h"

static const char *load_fails(struct page *page, const char *script, size_t len) {
    JSValueRef exception = NULL;
    CHECK(taro_jsc_load(page->binding, script, len, &exception) == NULL);
    CHECK(exception != NULL);
    page_set(page, "thrown", exception);
    return PAGE_TEXT(page, "String(thrown)");
}
#define LOAD_FAILS(page, script) load_fails((page), (script), strlen(script))

static void a_script_of_ones_own(void) {
    static const char script[] = "({ create(b) { return { platform: { b }, Taro: 'T\xC3\xA4ro' }; } })garbage";
    JSValueRef exception = NULL;
    struct page page;
    page_open(&page, NULL, NULL, NULL);
    // The length counts, not a NUL.
    JSValueRef faces = taro_jsc_load(page.binding, script, sizeof script - 1 - strlen("garbage"), &exception);
    CHECK(faces != NULL && exception == NULL);
    page_set(&page, "faces", faces);
    PAGE_CHECK(&page, "faces.platform.b === bridge && faces.Taro === 'Täro'");
    CHECK(taro_jsc_load(page.binding, script, sizeof script - 1 - strlen("garbage"), NULL) != NULL);
    page_close(&page);
}

static void scripts_that_are_none(void) {
    struct page page;
    page_open(&page, NULL, NULL, NULL);
    CHECK_TEXT_HAS(LOAD_FAILS(&page, "({"), "SyntaxError");
    CHECK_TEXT(LOAD_FAILS(&page, "throw new RangeError('mine')"), "RangeError: mine");
    CHECK_TEXT_HAS(LOAD_FAILS(&page, ""), "TypeError: the script's value");
    CHECK_TEXT_HAS(LOAD_FAILS(&page, "null"), "TypeError: the script's value");
    CHECK_TEXT_HAS(LOAD_FAILS(&page, "({ create: 5 })"), "TypeError: the script's value");
    CHECK_TEXT_HAS(LOAD_FAILS(&page, "({ create: {} })"), "TypeError: the script's value");
    CHECK_TEXT(LOAD_FAILS(&page, "({ get create() { throw 'got'; } })"), "got");
    CHECK_TEXT(LOAD_FAILS(&page, "({ create() { throw 'called'; } })"), "called");
    CHECK(taro_jsc_load(page.binding, "({", 2, NULL) == NULL);
    page_close(&page);
}

static JSValueRef release_it(JSContextRef ctx, JSObjectRef function, JSObjectRef this_object, size_t argc,
                             const JSValueRef argv[], JSValueRef *exception) {
    (void)function, (void)this_object, (void)argc, (void)argv, (void)exception;
    page_release_binding(page_of(ctx));
    return JSValueMakeUndefined(ctx);
}

static void released_while_it_loads(void) {
    JSValueRef exception = NULL;
    struct page page;
    page_open(&page, NULL, NULL, NULL);
    page_give(&page, "release", release_it);
    static const char script[] = "({ create(b) { release(); b.state(1); } })";
    CHECK(taro_jsc_load(page.binding, script, strlen(script), &exception) == NULL);
    page_set(&page, "thrown", exception);
    CHECK_TEXT(PAGE_TEXT(&page, "String(thrown)"), "Error: state: the binding was released");
    page_close(&page);
}

// --- the real script

static char *read_script(size_t *len) {
    FILE *file = fopen(TARO_SCRIPT, "rb");
    if (!file) return NULL;
    char *text = malloc(1 << 20);
    *len = fread(text, 1, 1 << 20, file);
    fclose(file);
    return text;
}

static int load_script(struct page *page) {
    JSValueRef exception = NULL;
    size_t len;
    char *script = read_script(&len);
    if (!script) {
        test_skip("there is no bindings/js/taro_socket.js");
        return 0;
    }
    JSValueRef faces = taro_jsc_load(page->binding, script, len, &exception);
    free(script);
    if (exception) {
        page_set(page, "thrown", exception);
        FAIL("taro_socket.js threw %s", PAGE_TEXT(page, "String(thrown)"));
    }
    page_set(page, "faces", faces);
    PAGE_RUN(page, "var wx = faces.platform, Taro = faces.Taro, said = []; const say = (...what) => said.push(what.join(' '));");
    return 1;
}

static void wx_there_and_back(void) {
    struct page page;
    page_open(&page, NULL, NULL, NULL);
    if (load_script(&page)) {
        PAGE_RUN(&page,
                 "let sent; const task = wx.connectSocket({ url: '%s', success: r => say('success', r.errMsg), fail: say });"
                 "task.onOpen(() => { say('open'); task.send({ data: 'hé\\0llo' });"
                 "  task.send({ data: filled(70000), success: r => { sent = r.errMsg; } }); });"
                 "task.onMessage(({ data }) => { say(typeof data, data.length || data.byteLength);"
                 "  if (data.byteLength) task.close({ code: 3000, reason: 'ça' }); });"
                 "task.onError(e => say('error', e.errMsg));"
                 "task.onClose(({ code, reason }) => say('close', code, reason));",
                 SERVER_URL("ws", "/echo?id=wx"));
        PAGE_UNTIL(&page, "said.at(-1)?.startsWith('close')");
        CHECK_TEXT(PAGE_TEXT(&page, "said.join('\\n')"),
                   "success connectSocket:ok\nopen\nstring 6\nobject 70000\nclose 3000 \xC3\xA7"
                   "a");
        CHECK_TEXT(PAGE_TEXT(&page, "sent"), "SocketTask.send:ok");
    }
    CHECK_UINT(page.reports, ==, 0);
    page_close(&page);
}

static void promises_of_taro(void) {
    struct page page;
    page_open(&page, NULL, NULL, NULL);
    if (load_script(&page)) {
        PAGE_RUN(&page,
                 "(async () => {"
                 "  const task = await Taro.connectSocket({ url: '%s' });"
                 "  task.onMessage(({ data }) => { say(data); task.close(); });"
                 "  await new Promise(resolve => task.onOpen(resolve));"
                 "  task.send({ data: 'hello' });"
                 "  await new Promise(resolve => task.onClose(resolve));"
                 "  try { await Taro.connectSocket({ url: 'nothing' }); } catch (e) { say(e.errMsg); }"
                 "  say('end');"
                 "})().catch(e => say('failed ' + e))",
                 SERVER_URL("ws", "/echo?id=taro"));
        PAGE_UNTIL(&page, "said.at(-1) === 'end' || said.at(-1)?.startsWith('failed')");
        CHECK_TEXT(PAGE_TEXT(&page, "said.join('\\n')"), "hello\nconnectSocket:fail invalid url \"nothing\"\nend");
    }
    page_close(&page);
}

// Released while tasks connect, are open, and close; a task's callback is the one that does it.
static void released_with_tasks(void) {
    struct page page;
    page_open(&page, NULL, NULL, NULL);
    page_give(&page, "release", release_it);
    if (load_script(&page)) {
        PAGE_RUN(&page, "const connecting = wx.connectSocket({ url: '%s' })", SERVER_URL("silent", "/"));
        PAGE_RUN(&page,
                 "const open = wx.connectSocket({ url: '%s' });"
                 "open.onOpen(() => { wx.connectSocket({ url: '%s' }).close(); release(); })",
                 SERVER_URL("ws", "/echo?id=tasks"), SERVER_URL("ws", "/echo"));
        const int64_t deadline = deadline_in_ms(WAIT_MS);
        while (page.binding) {
            page_wait_readable(__FILE__, __LINE__, &page, deadline);
            CHECK_INT(taro_jsc_dispatch(page.binding, 0, NULL), ==, TARO_STATUS_OK);
        }
        page_collect(&page);
        SERVER_WAIT("tasks", "^(eof|reset|end)");
    }
    page_close(&page);
}

static const struct test tests[] = {
    TEST("-", a_script_of_ones_own), TEST("-", scripts_that_are_none),   TEST("L8", released_while_it_loads),
    TEST("L2 L5", wx_there_and_back), TEST("L2 L5", promises_of_taro),   TEST("L8", released_with_tasks),
};
TEST_MAIN(tests)
