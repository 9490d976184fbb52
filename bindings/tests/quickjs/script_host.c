#include "script_host.h"

#include <poll.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static const char prelude[] =
    "var events = [], on = null, turns = [];\n"
    "var of = (kind, socket) => events.filter(e => e[0] === kind && (!socket || e[1] === socket));\n"
    "var result = call => events.find(e => e[0] === 1 && e[2] === call);\n"
    "var connect = (call, url, more = {}) => bridge.connect(call, url, more.headers || [], more.protocols || [],\n"
    "                                                       more.flags || 0, more.timeout || 0);\n"
    "var sendText = (call, socket, text) => bridge.send(call, socket, text, 0, 0);\n"
    "var sendBytes = (call, socket, buffer) => bridge.send(call, socket, buffer, 0, buffer.byteLength);\n"
    "bridge.listen((...event) => { events.push(event); if (on) on(...event); });\n";

static void on_report(JSContext *ctx, JSValueConst error, void *user_data) {
    struct script_host *host = user_data;
    const char *text = JS_ToCString(ctx, error);
    host->reports++;
    snprintf(host->last_report, sizeof host->last_report, "%s", text ? text : "(no text)");
    JS_FreeCString(ctx, text);
    if (!text) {
        JS_FreeValue(ctx, JS_GetException(ctx));
    }
}

static void on_app_end(void *user_data) { ((struct script_host *)user_data)->ends++; }

void script_host_bind(struct script_host *host, const taro_app_options *app) {
    taro_app_options app_options = TARO_APP_OPTIONS_INIT;
    if (app) {
        app_options = *app;
    }
    app_options.user_data = host;
    app_options.release = on_app_end;
    taro_quickjs_options options = {0};
    options.app = &app_options;
    options.report = on_report;
    options.report_data = host;
    CHECK_INT(taro_quickjs_create(host->ctx, &options, &host->binding), ==, TARO_STATUS_OK);
    JS_SetContextOpaque(host->ctx, host);
    JSValue global = JS_GetGlobalObject(host->ctx);
    CHECK_INT(JS_SetPropertyStr(host->ctx, global, "bridge", taro_quickjs_bridge(host->binding)), >=, 0);
    JS_FreeValue(host->ctx, global);
    RUN(host, "%s", prelude);
}

void script_host_open(struct script_host *host, const taro_app_options *app) {
    memset(host, 0, sizeof *host);
    host->rt = JS_NewRuntime();
    CHECK(host->rt != NULL);
    host->ctx = JS_NewContext(host->rt);
    CHECK(host->ctx != NULL);
    script_host_bind(host, app);
}

void script_host_end_engine(struct script_host *host) {
    JS_FreeContext(host->ctx);
    host->ctx = NULL;
    JS_FreeRuntime(host->rt);
    host->rt = NULL;
}

void script_host_close(struct script_host *host) {
    taro_quickjs_release(host->binding);
    host->binding = NULL;
    script_host_end_engine(host);
}

static JSValue evaluate(const char *file, int line, struct script_host *host, const char *format, va_list arguments) {
    char *script = NULL;
    const int len = vasprintf(&script, format, arguments);
    if (len < 0) {
        check_fail(file, line, "no memory for a script");
    }
    JSValue value = JS_Eval(host->ctx, script, (size_t)len, "test.js", JS_EVAL_TYPE_GLOBAL);
    free(script);
    return value;
}

// The text of a value, or of the exception.
static const char *text_of(struct script_host *host, JSValue value) {
    static _Thread_local char *kept;
    JSContext *ctx = host->ctx;
    free(kept);
    kept = NULL;
    if (JS_IsException(value)) {
        value = JS_GetException(ctx);
    }
    size_t len = 0;
    const char *text = JS_ToCStringLen(ctx, &len, value);
    if (text) {
        kept = malloc(len + 1);
        if (kept) {
            memcpy(kept, text, len + 1);
        }
    } else {
        JS_FreeValue(ctx, JS_GetException(ctx));
    }
    JS_FreeCString(ctx, text);
    JS_FreeValue(ctx, value);
    return kept ? kept : "(no text)";
}

void script_run(const char *file, int line, struct script_host *host, const char *format, ...) {
    va_list arguments;
    va_start(arguments, format);
    JSValue value = evaluate(file, line, host, format, arguments);
    va_end(arguments);
    if (JS_IsException(value)) {
        check_fail(file, line, "the script threw %s", text_of(host, value));
    }
    JS_FreeValue(host->ctx, value);
}

const char *script_text(const char *file, int line, struct script_host *host, const char *format, ...) {
    va_list arguments;
    va_start(arguments, format);
    JSValue value = evaluate(file, line, host, format, arguments);
    va_end(arguments);
    return text_of(host, value);
}

static int is_true(const char *file, int line, struct script_host *host, const char *format, va_list arguments) {
    JSValue value = evaluate(file, line, host, format, arguments);
    if (JS_IsException(value)) {
        check_fail(file, line, "the script threw %s", text_of(host, value));
    }
    const int truth = JS_ToBool(host->ctx, value);
    JS_FreeValue(host->ctx, value);
    return truth > 0;
}

static int wait_readable(struct script_host *host, int64_t deadline) {
    int32_t descriptor = -1;
    CHECK_INT(taro_app_get_descriptor(taro_quickjs_app(host->binding), &descriptor), ==, TARO_STATUS_OK);
    struct pollfd watched = {descriptor, POLLIN, 0};
    return poll(&watched, 1, (int)wait_left_ms(deadline)) > 0;
}

void script_loop(const char *file, int line, struct script_host *host, size_t max_events, const char *format, ...) {
    const int64_t deadline = deadline_in_ms(WAIT_MS);
    for (;;) {
        va_list arguments;
        va_start(arguments, format);
        const int done = is_true(file, line, host, format, arguments);
        va_end(arguments);
        if (done) {
            check_pass();
            return;
        }
        if (!wait_readable(host, deadline)) {
            fprintf(stderr, "events: %s\nreports: %u, last: %s\n",
                    script_text(file, line, host, "JSON.stringify(events).slice(0, 4000)"), host->reports,
                    host->last_report);
            check_fail(file, line, "looped in vain for %s", format);
        }
        const taro_status status = taro_quickjs_dispatch(host->binding, max_events, NULL);
        if (status != TARO_STATUS_OK) {
            check_fail(file, line, "taro_quickjs_dispatch: %s", taro_status_name(status));
        }
    }
}

void script_wait(struct script_host *host) {
    CHECK(wait_readable(host, deadline_in_ms(WAIT_MS)));
}

void script_define(struct script_host *host, const char *name, JSCFunction *function, int length) {
    JSValue global = JS_GetGlobalObject(host->ctx);
    CHECK_INT(JS_SetPropertyStr(host->ctx, global, name, JS_NewCFunction(host->ctx, function, name, length)), >=, 0);
    JS_FreeValue(host->ctx, global);
}

struct script_host *script_host_of(JSContext *ctx) { return JS_GetContextOpaque(ctx); }
