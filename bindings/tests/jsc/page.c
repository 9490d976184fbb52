#include "page.h"

#include <poll.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

// What the handler is called with goes into `events`; then `on` may do more.
static const char prelude[] =
    "const RESULT = 1, OPEN = 2, MESSAGE = 3, ERROR = 4, CLOSE = 5, DRAIN = 6;"
    "const events = [];"
    "let on = null;"
    "function handler(...args) { events.push(args); if (on) on(...args); }"
    "bridge.listen(handler);"
    "function all(kind, socket) {"
    "  return events.filter(e => e[0] === kind && (socket === undefined || e[1] === socket));"
    "}"
    "function nth(kind, n = 1) { return all(kind)[n - 1]; }"
    "function connect(url, call = 0) { return bridge.connect(call, url, [], [], 0, 0); }"
    "function bytes(...list) { return new Uint8Array(list).buffer; }"
    "function filled(n) { const b = new Uint8Array(n); for (let i = 0; i < n; i++) b[i] = i % 251; return b.buffer; }"
    "function hex(buffer) {"
    "  return Array.from(new Uint8Array(buffer), b => b.toString(16).padStart(2, '0')).join('');"
    "}"
    "function same(a, b) {"
    "  if (a.byteLength !== b.byteLength) return false;"
    "  const x = new Uint8Array(a), y = new Uint8Array(b);"
    "  return x.every((v, i) => v === y[i]);"
    "}";

static JSStringRef string_from(const char *text) { return JSStringCreateWithUTF8CString(text); }

static char *text_of(JSContextRef ctx, JSValueRef value) {
    JSStringRef string = JSValueToStringCopy(ctx, value, NULL);
    if (!string) return strdup("(no text)");
    const size_t size = JSStringGetMaximumUTF8CStringSize(string);
    char *text = malloc(size);
    JSStringGetUTF8CString(string, text, size);
    JSStringRelease(string);
    return text;
}

static JSValueRef run(struct page *page, const char *script, va_list arguments, JSValueRef *exception) {
    va_list again;
    va_copy(again, arguments);
    const int len = vsnprintf(NULL, 0, script, again);
    va_end(again);
    char *source = malloc((size_t)len + 1);
    vsnprintf(source, (size_t)len + 1, script, arguments);
    JSStringRef string = string_from(source);
    free(source);
    JSValueRef value = JSEvaluateScript(page->ctx, string, NULL, NULL, 1, exception);
    JSStringRelease(string);
    return value;
}

static JSValueRef checked(const char *file, int line, struct page *page, const char *script, va_list arguments) {
    JSValueRef exception = NULL;
    JSValueRef value = run(page, script, arguments, &exception);
    if (exception) check_fail(file, line, "the script threw %s", text_of(page->ctx, exception));
    return value;
}

JSValueRef page_eval(const char *file, int line, struct page *page, const char *script, ...) {
    va_list arguments;
    va_start(arguments, script);
    JSValueRef value = checked(file, line, page, script, arguments);
    va_end(arguments);
    return value;
}

double page_number(const char *file, int line, struct page *page, const char *script, ...) {
    va_list arguments;
    va_start(arguments, script);
    JSValueRef value = checked(file, line, page, script, arguments);
    va_end(arguments);
    if (!JSValueIsNumber(page->ctx, value)) check_fail(file, line, "no number: %s", script);
    return JSValueToNumber(page->ctx, value, NULL);
}

static const char *keep(struct page *page, char *text) {
    if (page->texts_len == PAGE_TEXTS) FAIL("more than %d texts of one page", PAGE_TEXTS);
    return page->texts[page->texts_len++] = text;
}

const char *page_text(const char *file, int line, struct page *page, const char *script, ...) {
    va_list arguments;
    va_start(arguments, script);
    JSValueRef value = checked(file, line, page, script, arguments);
    va_end(arguments);
    return keep(page, text_of(page->ctx, value));
}

const char *page_throws(const char *file, int line, struct page *page, const char *script, ...) {
    va_list arguments;
    JSValueRef exception = NULL;
    (void)file, (void)line;
    va_start(arguments, script);
    run(page, script, arguments, &exception);
    va_end(arguments);
    return exception ? keep(page, text_of(page->ctx, exception)) : "";
}

int page_holds(const char *file, int line, struct page *page, const char *script, ...) {
    va_list arguments;
    va_start(arguments, script);
    JSValueRef value = checked(file, line, page, script, arguments);
    va_end(arguments);
    return JSValueToBoolean(page->ctx, value);
}

void page_wait_readable(const char *file, int line, const struct page *page, int64_t deadline) {
    int32_t descriptor;
    if (taro_app_get_descriptor(page->app, &descriptor) != TARO_STATUS_OK) check_fail(file, line, "no descriptor");
    for (;;) {
        struct pollfd watched = {descriptor, POLLIN, 0};
        const int64_t left = wait_left_ms(deadline);
        if (left == 0) check_fail(file, line, "waited in vain for an event");
        if (poll(&watched, 1, (int)left) == 1) return;
    }
}

void page_turn(const char *file, int line, struct page *page, int64_t deadline) {
    page_wait_readable(file, line, page, deadline);
    page->dispatches++;
    CHECK_INT(taro_jsc_dispatch(page->binding, 0, NULL), ==, TARO_STATUS_OK);
}

void page_collect(struct page *page) {
    JSGarbageCollect(page->ctx);
    // Enough memory, for the engine's measure, that it does so now.
    PAGE_RUN(page, "for (let i = 0; i < 200; i++) new ArrayBuffer(1 << 20)");
}

static void on_report(JSContextRef ctx, JSValueRef error, void *user_data) {
    struct page *page = user_data;
    char *text = text_of(ctx, error);
    snprintf(page->report, sizeof page->report, "%s", text);
    free(text);
    page->reports++;
    if (page->on_report) page->on_report(page);
}

static void on_app_release(void *user_data) { ((struct page *)user_data)->app_released++; }

void page_set(struct page *page, const char *name, JSValueRef value) {
    JSStringRef string = string_from(name);
    JSObjectSetProperty(page->ctx, JSContextGetGlobalObject(page->ctx), string, value, kJSPropertyAttributeNone, NULL);
    JSStringRelease(string);
}

void page_give(struct page *page, const char *name, JSObjectCallAsFunctionCallback run_it) {
    JSStringRef string = string_from(name);
    page_set(page, name, JSObjectMakeFunctionWithCallback(page->ctx, string, run_it));
    JSStringRelease(string);
}

struct page *page_of(JSContextRef ctx) {
    return JSObjectGetPrivate(JSContextGetGlobalObject(ctx));
}

static JSValueRef give_dispatches(JSContextRef ctx, JSObjectRef function, JSObjectRef this_object, size_t argc,
                                  const JSValueRef argv[], JSValueRef *exception) {
    (void)function, (void)this_object, (void)argc, (void)argv, (void)exception;
    return JSValueMakeNumber(ctx, page_of(ctx)->dispatches);
}

void page_open(struct page *page, JSContextGroupRef group, const taro_app_options *app,
               const taro_jsc_options *options) {
    taro_app_options app_options = TARO_APP_OPTIONS_INIT;
    taro_jsc_options all = {0};
    JSClassDefinition global = kJSClassDefinitionEmpty;
    memset(page, 0, sizeof *page);
    if (app) app_options = *app;
    if (options) all = *options;
    app_options.user_data = page, app_options.release = on_app_release;
    all.app = &app_options;
    all.report = on_report, all.report_data = page;
    page->group = group ? JSContextGroupRetain(group) : JSContextGroupCreate();
    global.className = "Page";
    JSClassRef global_class = JSClassCreate(&global);
    page->ctx = JSGlobalContextCreateInGroup(page->group, global_class);
    JSClassRelease(global_class);
    CHECK(JSObjectSetPrivate(JSContextGetGlobalObject(page->ctx), page));
    CHECK_INT(taro_jsc_create(page->ctx, &all, &page->binding), ==, TARO_STATUS_OK);
    page->app = taro_jsc_app(page->binding);
    page_set(page, "bridge", taro_jsc_bridge(page->binding));
    page_give(page, "dispatches", give_dispatches);
    PAGE_RUN(page, "%s", prelude);
}

void page_release_binding(struct page *page) {
    taro_jsc_release(page->binding);
    page->binding = NULL;
}

void page_release_context(struct page *page) {
    if (page->ctx) JSGlobalContextRelease(page->ctx);
    page->ctx = NULL;
}

void page_close(struct page *page) {
    page_release_binding(page);
    page_release_context(page);
    JSContextGroupRelease(page->group);
    page->group = NULL;
    CHECK_UINT(page->app_released, ==, 1);
    for (size_t i = 0; i < page->texts_len; i++) free(page->texts[i]);
    page->texts_len = 0;
}
