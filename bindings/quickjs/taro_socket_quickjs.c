/*
 * taro_socket in QuickJS, over the engine's public C API alone. Run with quickjs-ng 0.18.0, 0.16.2 and 0.14.0 and with
 * Bellard's QuickJS 2026-06-04; the tests run it with the first and the last.
 *
 * Who holds what:
 *
 *     host ──> binding <── key <── functions of the bridge <── script
 *               ^   ^
 *          app ─┘   └── anchor <── context        anchor ──> handler, bridge, anchor of the binding made before
 *
 * The anchor is reachable from the context alone, so its end is the context's end, and what the binding keeps of the
 * script is part of the engine's garbage collection: nothing has to be released before the context may go. The struct
 * itself is freed with the last of host, app, key and anchor.
 */
#include "taro_socket_quickjs.h"

#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* quickjs-ng or Bellard's: class ids and external memory of ArrayBuffers differ. */
#if defined(QJS_VERSION_MAJOR)
#define IS_NG 1
#define HAS_REALLOC (QJS_VERSION_MAJOR > 0 || QJS_VERSION_MINOR >= 16)
#else
#define IS_NG 0
#define HAS_REALLOC 0
#endif

enum {
    ADOPT_BYTES = 1024, /* a smaller message is cheaper copied */
    MOST_VALUES = 8
};

/* Kinds of events, the first argument of the handler. */
enum { EVENT_RESULT = 1, EVENT_OPEN, EVENT_MESSAGE, EVENT_ERROR, EVENT_CLOSE, EVENT_DRAIN };

/* What the engine frees tells the binding so. */
struct tie {
    taro_quickjs *binding;
    bool is_anchor;
};

struct taro_quickjs {
    atomic_uint holders;
    struct tie anchor_tie, key_tie;
    JSContext *ctx; /* NULL once released, or once the context is gone; not counted as a reference */
    JSClassID class_id;
    bool is_dispatching;
    taro_app app;
    /* The anchor's. */
    JSValue handler, bridge, before;
    void (*report)(JSContext *ctx, JSValueConst error, void *user_data);
    void *report_data;
    char *cellular_interface;
    /* The host's, of its app options. */
    taro_wake_fn wake;
    void *user_data;
    taro_release_fn release;
};

/* user_data of a call; for a connect that of the socket too. */
struct call {
    taro_quickjs *binding;
    int64_t number;
};

static const char *const flavours[] = {"weapp", "alipay", "swan", "tt", "h5", "rn"};

static void hold(taro_quickjs *binding) { atomic_fetch_add_explicit(&binding->holders, 1, memory_order_relaxed); }

/* On any thread: taro_shutdown of another one may be the app's end. */
static void let_go(taro_quickjs *binding) {
    if (atomic_fetch_sub_explicit(&binding->holders, 1, memory_order_acq_rel) == 1) {
        free(binding->cellular_interface);
        free(binding);
    }
}

/* --- exceptions */

static void print_error(JSContext *ctx, JSValueConst error) {
    const char *text = JS_ToCString(ctx, error);
    fprintf(stderr, "taro_socket: uncaught: %s\n", text ? text : "(an exception without a text)");
    JS_FreeCString(ctx, text);
    if (!text) {
        JS_FreeValue(ctx, JS_GetException(ctx));
    }
    if (JS_IsObject(error)) {
        JSValue stack = JS_GetPropertyStr(ctx, error, "stack");
        const char *lines = JS_IsString(stack) ? JS_ToCString(ctx, stack) : NULL;
        if (lines) {
            fprintf(stderr, "%s", lines);
        }
        JS_FreeCString(ctx, lines);
        JS_FreeValue(ctx, stack);
        JS_FreeValue(ctx, JS_GetException(ctx));
    }
}

/* Once the binding is released, what the host gave for reports may be gone. */
static void report_error(taro_quickjs *binding, JSContext *ctx, JSValueConst error) {
    if (binding->report && binding->ctx) {
        binding->report(ctx, error, binding->report_data);
    } else {
        print_error(ctx, error);
    }
}

static void report_pending(taro_quickjs *binding, JSContext *ctx) {
    JSValue error = JS_GetException(ctx);
    report_error(binding, ctx, error);
    JS_FreeValue(ctx, error);
}

static JSValue throw_error(JSContext *ctx, const char *message) {
    JSValue error = JS_NewError(ctx);
    JSValue text = JS_IsException(error) ? JS_EXCEPTION : JS_NewString(ctx, message);
    if (JS_IsException(text) ||
        JS_DefinePropertyValueStr(ctx, error, "message", text, JS_PROP_WRITABLE | JS_PROP_CONFIGURABLE) < 0) {
        JS_FreeValue(ctx, error);
        return JS_EXCEPTION;
    }
    return JS_Throw(ctx, error);
}

/* --- what comes from the script */

struct text {
    const char *ptr;
    size_t len;
    const char *engine_text;
    char *own;
};

static void text_free(JSContext *ctx, struct text *text) {
    JS_FreeCString(ctx, text->engine_text);
    free(text->own);
}

static taro_str text_str(const struct text *text) { return (taro_str){text->ptr, text->len}; }

/* The next lone surrogate as the engine writes it: ED, then A0 to BF, where UTF-8 has 80 to 9F. */
static const char *find_surrogate(const char *at, const char *end) {
    while ((at = memchr(at, 0xed, (size_t)(end - at))) != NULL) {
        if (end - at >= 3 && (unsigned char)at[1] >= 0xa0) {
            return at;
        }
        at++;
    }
    return NULL;
}

/* False: an exception is pending. In the end text_free, also then. */
static bool text_of(JSContext *ctx, JSValueConst value, const char *name, struct text *text) {
    *text = (struct text){0};
    if (!JS_IsString(value)) {
        JS_ThrowTypeError(ctx, "%s is not a string", name);
        return false;
    }
    text->engine_text = JS_ToCStringLen(ctx, &text->len, value);
    if (!text->engine_text) {
        return false;
    }
    text->ptr = text->engine_text;
    if (find_surrogate(text->ptr, text->ptr + text->len)) {
        text->own = malloc(text->len);
        if (!text->own) {
            JS_ThrowOutOfMemory(ctx);
            return false;
        }
        memcpy(text->own, text->engine_text, text->len);
        text->ptr = text->own;
        const char *found = text->own;
        while ((found = find_surrogate(found, text->own + text->len)) != NULL) {
            memcpy(text->own + (found - text->own), "\xef\xbf\xbd", 3);
        }
    }
    return true;
}

/* A whole number from least to most. */
static bool whole_of(JSContext *ctx, JSValueConst value, const char *name, double least, double most,
                     int64_t *number) {
    double d;
    if (!JS_IsNumber(value) || JS_ToFloat64(ctx, &d, value) < 0 || !(d >= least && d <= most) ||
        (double)(int64_t)d != d) {
        JS_ThrowTypeError(ctx, "%s is not a whole number in its range", name);
        return false;
    }
    *number = (int64_t)d;
    return true;
}

static const double most_id = 9007199254740991.0; /* 2^53 - 1 */

/* Any number; one that cannot be an id becomes 0, which the library does not know either. */
static bool id_of(JSContext *ctx, JSValueConst value, uint64_t *id) {
    double d;
    if (!JS_IsNumber(value) || JS_ToFloat64(ctx, &d, value) < 0) {
        JS_ThrowTypeError(ctx, "socket is not a number");
        return false;
    }
    *id = d >= 1 && d <= most_id && (double)(uint64_t)d == d ? (uint64_t)d : 0;
    return true;
}

struct texts {
    struct text *items;
    size_t len;
};

static void texts_free(JSContext *ctx, struct texts *texts) {
    for (size_t i = 0; i < texts->len; i++) {
        text_free(ctx, &texts->items[i]);
    }
    free(texts->items);
}

/* An array of strings. False: an exception is pending. In the end texts_free, also then. */
static bool texts_of(JSContext *ctx, JSValueConst value, const char *name, struct texts *texts) {
    *texts = (struct texts){0};
    int64_t count = -1;
    if (JS_IsObject(value) && !JS_IsFunction(ctx, value)) {
        JSValue length = JS_GetPropertyStr(ctx, value, "length");
        if (JS_IsException(length)) {
            return false;
        }
        const bool is_whole = JS_IsNumber(length) && whole_of(ctx, length, name, 0, UINT32_MAX, &count);
        JS_FreeValue(ctx, length);
        if (!is_whole) {
            count = -1;
        }
    }
    if (count < 0) {
        JS_ThrowTypeError(ctx, "%s is not an array", name);
        return false;
    }
    texts->items = calloc(count ? (size_t)count : 1, sizeof *texts->items);
    if (!texts->items) {
        JS_ThrowOutOfMemory(ctx);
        return false;
    }
    for (int64_t i = 0; i < count; i++) {
        JSValue item = JS_GetPropertyUint32(ctx, value, (uint32_t)i);
        const bool is_text = !JS_IsException(item) && text_of(ctx, item, name, &texts->items[texts->len++]);
        JS_FreeValue(ctx, item);
        if (!is_text) {
            return false;
        }
    }
    return true;
}

static struct call *call_new(JSContext *ctx, taro_quickjs *binding, int64_t number) {
    struct call *call = malloc(sizeof *call);
    if (!call) {
        JS_ThrowOutOfMemory(ctx);
        return NULL;
    }
    *call = (struct call){binding, number};
    return call;
}

static void on_call_release(void *user_data) { free(user_data); }

/* Misuse: the library has not taken the call's user_data. */
static bool is_misuse(taro_status status) { return status < 0 && status > -100; }

/* --- what goes to the script */

/* Header values may be in any encoding: what is not UTF-8 is taken as Latin-1. */
static bool is_utf8(const unsigned char *at, size_t len) {
    const unsigned char *end = at + len;
    while (at < end) {
        const unsigned char first = *at++;
        size_t more = 0;
        unsigned char least = 0x80, most = 0xbf;
        if (first < 0x80) {
            continue;
        }
        if (first >= 0xc2 && first <= 0xdf) {
            more = 1;
        } else if (first >= 0xe0 && first <= 0xef) {
            more = 2;
            least = first == 0xe0 ? 0xa0 : 0x80;
            most = first == 0xed ? 0x9f : 0xbf;
        } else if (first >= 0xf0 && first <= 0xf4) {
            more = 3;
            least = first == 0xf0 ? 0x90 : 0x80;
            most = first == 0xf4 ? 0x8f : 0xbf;
        }
        if (more == 0 || (size_t)(end - at) < more || *at < least || *at > most) {
            return false;
        }
        for (at++; --more > 0; at++) {
            if (*at < 0x80 || *at > 0xbf) {
                return false;
            }
        }
    }
    return true;
}

static JSValue string_of(JSContext *ctx, taro_str str) {
    const char *ptr = str.ptr ? str.ptr : "";
    if (is_utf8((const unsigned char *)ptr, str.len)) {
        return JS_NewStringLen(ctx, ptr, str.len);
    }
    char *utf8 = malloc(2 * str.len);
    if (!utf8) {
        return JS_ThrowOutOfMemory(ctx);
    }
    size_t len = 0;
    for (size_t i = 0; i < str.len; i++) {
        const unsigned char byte = (unsigned char)ptr[i];
        if (byte < 0x80) {
            utf8[len++] = (char)byte;
        } else {
            utf8[len++] = (char)(0xc0 | byte >> 6);
            utf8[len++] = (char)(0x80 | (byte & 0x3f));
        }
    }
    JSValue string = JS_NewStringLen(ctx, utf8, len);
    free(utf8);
    return string;
}

/* Takes the value. Defined, not set: a setter of the script on Array.prototype has no say. */
static bool put(JSContext *ctx, JSValueConst array, uint32_t index, JSValue value) {
    return !JS_IsException(value) && JS_DefinePropertyValueUint32(ctx, array, index, value, JS_PROP_C_W_E) >= 0;
}

/* A message that became an ArrayBuffer, or the block that it was grown into. */
struct adopted {
    taro_message message;
    void *block;
    size_t len;
};

/* Engines that transfer an ArrayBuffer call this for the empty one too, without its memory. */
static void adopted_free(JSRuntime *rt, void *opaque, void *memory) {
    struct adopted *adopted = opaque;
    (void)rt;
    if (memory) {
        taro_message_release(adopted->message);
        free(adopted->block);
        free(adopted);
    }
}

#if HAS_REALLOC
/* Size 0 frees; another one is ArrayBuffer.prototype.transfer with a length of its own. */
static void *adopted_resize(JSRuntime *rt, void *opaque, void *memory, size_t size) {
    struct adopted *adopted = opaque;
    if (size == 0) {
        adopted_free(rt, opaque, memory);
        return NULL;
    }
    void *block = malloc(size);
    if (block) {
        memcpy(block, memory, size < adopted->len ? size : adopted->len);
        taro_message_release(adopted->message);
        free(adopted->block);
        *adopted = (struct adopted){0, block, size};
    }
    return block;
}
#endif

static JSValue buffer_of(JSContext *ctx, const taro_message_event *event) {
    void *data;
    size_t len;
    struct adopted *adopted;
    if (event->data_len < ADOPT_BYTES || (adopted = malloc(sizeof *adopted)) == NULL) {
        return JS_NewArrayBufferCopy(ctx, event->data, event->data_len);
    }
    if (taro_message_retain(event->message, &data, &len) != TARO_STATUS_OK) {
        free(adopted);
        return JS_NewArrayBufferCopy(ctx, event->data, event->data_len);
    }
    *adopted = (struct adopted){event->message, NULL, len};
#if HAS_REALLOC
    JSValue buffer = JS_NewArrayBuffer(ctx, data, len, 0, adopted_resize, adopted, false);
#else
    JSValue buffer = JS_NewArrayBuffer(ctx, data, len, adopted_free, adopted, false);
#endif
    if (JS_IsException(buffer)) {
        adopted_free(NULL, adopted, data);
    }
    return buffer;
}

/* --- turns */

/* Until no job waits, or one of them released the binding. */
static void run_jobs(taro_quickjs *binding, JSContext *ctx) {
    JSContext *of_job = NULL;
    int outcome;
    while (binding->ctx && (outcome = JS_ExecutePendingJob(JS_GetRuntime(ctx), &of_job)) != 0) {
        if (outcome < 0) {
            report_pending(binding, of_job ? of_job : ctx);
        }
    }
}

/* Whether an event has to be made for the script at all. */
static bool is_heard(const taro_quickjs *binding) { return binding->ctx && !JS_IsNull(binding->handler); }

/* One turn: the handler, then all jobs. Takes the values; an exception among them stands for the event itself. */
static void deliver(taro_quickjs *binding, int values_len, JSValue *values) {
    /* The handler may release the binding and free its context. */
    JSContext *ctx = JS_DupContext(binding->ctx);
    bool is_whole = true;
    for (int i = 0; i < values_len; i++) {
        is_whole = is_whole && !JS_IsException(values[i]);
    }
    JSValue result = JS_EXCEPTION;
    if (is_whole) {
        JSValue handler = JS_DupValue(ctx, binding->handler);
        result = JS_Call(ctx, handler, JS_UNDEFINED, values_len, values);
        JS_FreeValue(ctx, handler);
    }
    if (JS_IsException(result)) {
        report_pending(binding, ctx);
    }
    JS_FreeValue(ctx, result);
    for (int i = 0; i < values_len; i++) {
        JS_FreeValue(ctx, values[i]);
    }
    run_jobs(binding, ctx);
    JS_FreeContext(ctx);
}

#define DELIVER(binding, ...)                                                 \
    do {                                                                      \
        JSValue values[] = {__VA_ARGS__};                                     \
        deliver((binding), (int)(sizeof values / sizeof values[0]), values);  \
    } while (0)

static void on_result(taro_socket socket, const taro_result *result, void *user_data) {
    const struct call *call = user_data;
    taro_quickjs *binding = call->binding;
    JSContext *ctx = binding->ctx;
    if (is_heard(binding)) {
        DELIVER(binding, JS_NewInt32(ctx, EVENT_RESULT), JS_NewInt64(ctx, (int64_t)socket),
                JS_NewInt64(ctx, call->number), JS_NewInt32(ctx, result->status), string_of(ctx, result->err_msg),
                string_of(ctx, result->reason), JS_NewInt32(ctx, result->err_no), JS_NewInt32(ctx, result->code));
    }
}

static JSValue headers_of(JSContext *ctx, const taro_open_event *event) {
    JSValue headers = JS_NewArray(ctx);
    for (size_t i = 0; i < event->headers_len && !JS_IsException(headers); i++) {
        if (!put(ctx, headers, (uint32_t)(2 * i), string_of(ctx, event->headers[i].name)) ||
            !put(ctx, headers, (uint32_t)(2 * i + 1), string_of(ctx, event->headers[i].value))) {
            JS_FreeValue(ctx, headers);
            headers = JS_EXCEPTION;
        }
    }
    return headers;
}

static JSValue profile_of(JSContext *ctx, const taro_profile *profile) {
    const int64_t us[] = {profile->fetch_start_us,        profile->domain_look_up_start_us,
                          profile->domain_look_up_end_us, profile->connect_start_us,
                          profile->connect_end_us,        profile->rtt_us,
                          profile->handshake_cost_us,     profile->cost_us};
    JSValue phases = JS_NewArray(ctx);
    for (uint32_t i = 0; i < sizeof us / sizeof us[0] && !JS_IsException(phases); i++) {
        if (!put(ctx, phases, i, JS_NewFloat64(ctx, (double)us[i] / 1000))) {
            JS_FreeValue(ctx, phases);
            phases = JS_EXCEPTION;
        }
    }
    return phases;
}

static void on_open(taro_socket socket, const taro_open_event *event, void *user_data) {
    taro_quickjs *binding = ((const struct call *)user_data)->binding;
    JSContext *ctx = binding->ctx;
    if (is_heard(binding)) {
        DELIVER(binding, JS_NewInt32(ctx, EVENT_OPEN), JS_NewInt64(ctx, (int64_t)socket), headers_of(ctx, event),
                string_of(ctx, event->protocol), string_of(ctx, event->extensions), profile_of(ctx, event->profile));
    }
}

static void on_message(taro_socket socket, const taro_message_event *event, void *user_data) {
    taro_quickjs *binding = ((const struct call *)user_data)->binding;
    JSContext *ctx = binding->ctx;
    if (is_heard(binding)) {
        DELIVER(binding, JS_NewInt32(ctx, EVENT_MESSAGE), JS_NewInt64(ctx, (int64_t)socket),
                event->kind == TARO_MESSAGE_TEXT ? JS_NewStringLen(ctx, event->data, event->data_len)
                                                 : buffer_of(ctx, event));
    }
}

static void on_error(taro_socket socket, const taro_result *event, void *user_data) {
    taro_quickjs *binding = ((const struct call *)user_data)->binding;
    JSContext *ctx = binding->ctx;
    if (is_heard(binding)) {
        DELIVER(binding, JS_NewInt32(ctx, EVENT_ERROR), JS_NewInt64(ctx, (int64_t)socket),
                JS_NewInt32(ctx, event->status), string_of(ctx, event->err_msg), string_of(ctx, event->reason),
                JS_NewInt32(ctx, event->err_no), JS_NewInt32(ctx, event->code));
    }
}

static void on_close(taro_socket socket, const taro_close_event *event, void *user_data) {
    taro_quickjs *binding = ((const struct call *)user_data)->binding;
    JSContext *ctx = binding->ctx;
    if (is_heard(binding)) {
        DELIVER(binding, JS_NewInt32(ctx, EVENT_CLOSE), JS_NewInt64(ctx, (int64_t)socket),
                JS_NewInt64(ctx, event->code), string_of(ctx, event->reason),
                JS_NewInt32(ctx, event->was_clean ? 1 : 0));
    }
}

static void on_drain(taro_socket socket, const taro_drain_event *event, void *user_data) {
    taro_quickjs *binding = ((const struct call *)user_data)->binding;
    JSContext *ctx = binding->ctx;
    if (is_heard(binding)) {
        DELIVER(binding, JS_NewInt32(ctx, EVENT_DRAIN), JS_NewInt64(ctx, (int64_t)socket),
                JS_NewInt64(ctx, (int64_t)event->buffered_amount_bytes));
    }
}

/* --- functions of the bridge: `binding` is not released when they begin, but a getter of the script may release it */

enum { FLAG_TCP_NO_DELAY = 1, FLAG_PER_MESSAGE_DEFLATE = 2, FLAG_CELLULAR = 4 };

static JSValue throw_released(JSContext *ctx) { return throw_error(ctx, "the socket binding was released"); }

static JSValue connect_with(JSContext *ctx, taro_quickjs *binding, int64_t number, const struct text *url,
                            const struct texts *headers, const struct texts *protocols, int64_t flags,
                            int64_t timeout_ms) {
    taro_header *header_list = calloc(headers->len / 2 + 1, sizeof *header_list);
    taro_str *protocol_list = calloc(protocols->len + 1, sizeof *protocol_list);
    struct call *call = header_list && protocol_list ? call_new(ctx, binding, number) : NULL;
    taro_socket socket = 0;
    taro_status status = TARO_STATUS_NO_RESOURCES;
    if (call) {
        for (size_t i = 0; i < headers->len / 2; i++) {
            header_list[i].name = text_str(&headers->items[2 * i]);
            header_list[i].value = text_str(&headers->items[2 * i + 1]);
        }
        for (size_t i = 0; i < protocols->len; i++) {
            protocol_list[i] = text_str(&protocols->items[i]);
        }
        taro_connect_options options = TARO_CONNECT_OPTIONS_INIT;
        options.app = binding->app;
        options.url = text_str(url);
        options.headers = header_list, options.headers_len = headers->len / 2;
        options.protocols = protocol_list, options.protocols_len = protocols->len;
        options.tcp_no_delay = (flags & FLAG_TCP_NO_DELAY) != 0;
        options.per_message_deflate = (flags & FLAG_PER_MESSAGE_DEFLATE) != 0;
        options.timeout_ms = (int32_t)timeout_ms;
        if ((flags & FLAG_CELLULAR) && binding->cellular_interface) {
            options.bind_interface = (taro_str){binding->cellular_interface, strlen(binding->cellular_interface)};
        }
        options.complete = number ? on_result : NULL;
        options.open = on_open, options.message = on_message, options.error = on_error;
        options.close = on_close, options.drain = on_drain;
        options.user_data = call, options.release = on_call_release;
        status = taro_connect_socket(&options, &socket);
        if (is_misuse(status)) {
            free(call);
        }
    }
    free(header_list);
    free(protocol_list);
    return is_misuse(status) ? throw_error(ctx, taro_status_name(status)) : JS_NewInt64(ctx, (int64_t)socket);
}

/* connect(call, url, headers, protocols, flags, timeout) */
static JSValue bridge_connect(JSContext *ctx, taro_quickjs *binding, JSValueConst *argv) {
    struct text url = {0};
    struct texts headers = {0}, protocols = {0};
    int64_t number, flags, timeout_ms;
    JSValue result = JS_EXCEPTION;
    if (whole_of(ctx, argv[0], "call", 0, most_id, &number) && text_of(ctx, argv[1], "url", &url) &&
        texts_of(ctx, argv[2], "headers", &headers) && texts_of(ctx, argv[3], "protocols", &protocols) &&
        whole_of(ctx, argv[4], "flags", 0, 7, &flags) &&
        whole_of(ctx, argv[5], "timeout", INT32_MIN, INT32_MAX, &timeout_ms)) {
        if (headers.len % 2 != 0) {
            JS_ThrowTypeError(ctx, "headers has a name without a value");
        } else if (!binding->ctx) {
            throw_released(ctx);
        } else {
            result = connect_with(ctx, binding, number, &url, &headers, &protocols, flags, timeout_ms);
        }
    }
    text_free(ctx, &url);
    texts_free(ctx, &headers);
    texts_free(ctx, &protocols);
    return result;
}

static JSValue send_bytes(JSContext *ctx, taro_quickjs *binding, int64_t number, taro_socket socket, uint32_t kind,
                          const void *data, size_t len) {
    if (number == 0) {
        return JS_NewInt32(ctx, kind == TARO_MESSAGE_TEXT ? taro_socket_send_text(socket, data, len)
                                                          : taro_socket_send_binary(socket, data, len));
    }
    struct call *call = call_new(ctx, binding, number);
    if (!call) {
        return JS_EXCEPTION;
    }
    taro_send_options options = TARO_SEND_OPTIONS_INIT;
    options.kind = kind;
    options.data = data, options.data_len = len;
    options.complete = on_result;
    options.user_data = call, options.release = on_call_release;
    const taro_status status = taro_socket_send(socket, &options);
    if (is_misuse(status)) {
        free(call);
    }
    return JS_NewInt32(ctx, status);
}

/* send(call, socket, data, offset, length) */
static JSValue bridge_send(JSContext *ctx, taro_quickjs *binding, JSValueConst *argv) {
    int64_t number, offset, len;
    taro_socket socket;
    size_t size;
    if (!whole_of(ctx, argv[0], "call", 0, most_id, &number) || !id_of(ctx, argv[1], &socket)) {
        return JS_EXCEPTION;
    }
    if (JS_IsString(argv[2])) {
        struct text text;
        JSValue result = JS_EXCEPTION;
        if (text_of(ctx, argv[2], "data", &text)) {
            result = send_bytes(ctx, binding, number, socket, TARO_MESSAGE_TEXT, text.ptr, text.len);
        }
        text_free(ctx, &text);
        return result;
    }
    const uint8_t *bytes = JS_GetArrayBuffer(ctx, &size, argv[2]);
    if (!bytes && JS_HasException(ctx)) {
        return JS_EXCEPTION; /* no ArrayBuffer, or a detached one; an empty one may be NULL too */
    }
    if (!whole_of(ctx, argv[3], "offset", 0, (double)size, &offset) ||
        !whole_of(ctx, argv[4], "length", 0, (double)(size - (size_t)offset), &len)) {
        return JS_EXCEPTION;
    }
    return send_bytes(ctx, binding, number, socket, TARO_MESSAGE_BINARY, bytes ? bytes + offset : NULL, (size_t)len);
}

/* close(call, socket, code, reason) */
static JSValue bridge_close(JSContext *ctx, taro_quickjs *binding, JSValueConst *argv) {
    int64_t number, code;
    taro_socket socket;
    struct text reason = {0};
    struct call *call = NULL;
    JSValue result = JS_EXCEPTION;
    if (whole_of(ctx, argv[0], "call", 0, most_id, &number) && id_of(ctx, argv[1], &socket) &&
        whole_of(ctx, argv[2], "code", 0, UINT32_MAX, &code) && text_of(ctx, argv[3], "reason", &reason) &&
        (number == 0 || (call = call_new(ctx, binding, number)) != NULL)) {
        taro_close_options options = TARO_CLOSE_OPTIONS_INIT;
        options.code = (uint32_t)code;
        options.reason = text_str(&reason);
        options.complete = call ? on_result : NULL;
        options.user_data = call, options.release = call ? on_call_release : NULL;
        const taro_status status = taro_socket_close(socket, &options);
        if (is_misuse(status)) {
            free(call);
        }
        result = JS_NewInt32(ctx, status);
    }
    text_free(ctx, &reason);
    return result;
}

/* refuse(call, api, status, subject) */
static JSValue bridge_refuse(JSContext *ctx, taro_quickjs *binding, JSValueConst *argv) {
    int64_t number, api, why;
    struct text subject = {0};
    struct call *call = NULL;
    JSValue result = JS_EXCEPTION;
    if (whole_of(ctx, argv[0], "call", 1, most_id, &number) && whole_of(ctx, argv[1], "api", 0, UINT32_MAX, &api) &&
        whole_of(ctx, argv[2], "status", INT32_MIN, INT32_MAX, &why) &&
        text_of(ctx, argv[3], "subject", &subject) && (call = call_new(ctx, binding, number)) != NULL) {
        taro_refuse_options options = TARO_REFUSE_OPTIONS_INIT;
        options.app = binding->app;
        options.call = (uint32_t)api;
        options.status = (taro_status)why;
        options.subject = text_str(&subject);
        options.complete = on_result;
        options.user_data = call, options.release = on_call_release;
        const taro_status status = taro_app_refuse_call(&options);
        if (is_misuse(status)) {
            free(call);
        }
        result = JS_NewInt32(ctx, status);
    }
    text_free(ctx, &subject);
    return result;
}

static JSValue bridge_state(JSContext *ctx, taro_quickjs *binding, JSValueConst *argv) {
    taro_socket socket;
    uint32_t state;
    (void)binding;
    if (!id_of(ctx, argv[0], &socket)) {
        return JS_EXCEPTION;
    }
    if (taro_socket_get_ready_state(socket, &state) != TARO_STATUS_OK) {
        state = TARO_READY_STATE_CLOSED;
    }
    return JS_NewInt64(ctx, state);
}

static JSValue bridge_buffered_amount(JSContext *ctx, taro_quickjs *binding, JSValueConst *argv) {
    taro_socket socket;
    uint64_t bytes;
    (void)binding;
    if (!id_of(ctx, argv[0], &socket)) {
        return JS_EXCEPTION;
    }
    if (taro_socket_get_buffered_amount(socket, &bytes) != TARO_STATUS_OK) {
        bytes = 0;
    }
    return JS_NewInt64(ctx, (int64_t)bytes);
}

static JSValue bridge_global_socket(JSContext *ctx, taro_quickjs *binding, JSValueConst *argv) {
    taro_socket socket = 0;
    (void)argv;
    if (taro_app_get_global_socket(binding->app, &socket) != TARO_STATUS_OK) {
        socket = 0;
    }
    return JS_NewInt64(ctx, (int64_t)socket);
}

static JSValue bridge_release(JSContext *ctx, taro_quickjs *binding, JSValueConst *argv) {
    taro_socket socket;
    (void)binding;
    if (!id_of(ctx, argv[0], &socket)) {
        return JS_EXCEPTION;
    }
    taro_socket_release(socket);
    return JS_UNDEFINED;
}

static JSValue bridge_listen(JSContext *ctx, taro_quickjs *binding, JSValueConst *argv) {
    if (!JS_IsNull(argv[0]) && !JS_IsFunction(ctx, argv[0])) {
        return JS_ThrowTypeError(ctx, "handler is neither a function nor null");
    }
    JSValue before = binding->handler;
    binding->handler = JS_DupValue(ctx, argv[0]);
    JS_FreeValue(ctx, before);
    return JS_UNDEFINED;
}

static JSValue bridge_report(JSContext *ctx, taro_quickjs *binding, JSValueConst *argv) {
    report_error(binding, ctx, argv[0]);
    return JS_UNDEFINED;
}

static const struct bridge_function {
    const char *name;
    int length;
    JSValue (*run)(JSContext *ctx, taro_quickjs *binding, JSValueConst *argv);
} bridge_functions[] = {
    {"connect", 6, bridge_connect},
    {"send", 5, bridge_send},
    {"close", 4, bridge_close},
    {"refuse", 4, bridge_refuse},
    {"state", 1, bridge_state},
    {"bufferedAmount", 1, bridge_buffered_amount},
    {"globalSocket", 0, bridge_global_socket},
    {"release", 1, bridge_release},
    {"listen", 1, bridge_listen},
    {"report", 1, bridge_report},
};
enum { BRIDGE_FUNCTIONS = sizeof bridge_functions / sizeof bridge_functions[0] };

/* data: the key, and the number of its class. The engine fills argv up with undefined. */
static JSValue bridge_call(JSContext *ctx, JSValueConst this_value, int argc, JSValueConst *argv, int which,
                           JSValueConst *data) {
    const struct tie *tie = JS_GetOpaque(data[0], (JSClassID)JS_VALUE_GET_INT(data[1]));
    (void)this_value, (void)argc;
    if (!tie || !tie->binding->ctx) {
        return throw_released(ctx);
    }
    return bridge_functions[which].run(ctx, tie->binding, argv);
}

static JSValue bridge_new(JSContext *ctx, JSValueConst key, JSClassID class_id, const char *flavour) {
    JSValue data[] = {key, JS_NewInt32(ctx, (int32_t)class_id)};
    JSValue bridge = JS_NewObject(ctx);
    bool is_whole = !JS_IsException(bridge);
    if (is_whole) {
        JSValue name = JS_NewString(ctx, flavour);
        is_whole = !JS_IsException(name) &&
                   JS_DefinePropertyValueStr(ctx, bridge, "flavour", name, JS_PROP_ENUMERABLE) >= 0;
    }
    for (int i = 0; i < BRIDGE_FUNCTIONS && is_whole; i++) {
        JSValue function = JS_NewCFunctionData(ctx, bridge_call, bridge_functions[i].length, i, 2, data);
        is_whole = !JS_IsException(function) && JS_DefinePropertyValueStr(ctx, bridge, bridge_functions[i].name,
                                                                          function, JS_PROP_ENUMERABLE) >= 0;
    }
    if (!is_whole) {
        JS_FreeValue(ctx, bridge);
        return JS_EXCEPTION;
    }
    return bridge;
}

/* --- the binding and the engine's objects */

static void on_tie_end(JSRuntime *rt, JSValueConst object);
static void mark_tie(JSRuntime *rt, JSValueConst object, JS_MarkFunc *mark);

/* The class of keys and anchors in this runtime; 0 if there is no memory for it. */
#if IS_NG
/*
 * Class ids are those of a runtime, so a variable of the process would name another class in the next runtime. The
 * class is found by its name instead, which is this copy of the code's own.
 */
static JSClassID class_of(JSContext *ctx) {
    static const char copy = 0;
    JSRuntime *rt = JS_GetRuntime(ctx);
    char name[64];
    snprintf(name, sizeof name, "taro_socket %p", (const void *)&copy);
    const JSAtom wanted = JS_NewAtom(ctx, name);
    JSClassID found = 0;
    if (wanted == 0) {
        return 0;
    }
    for (JSClassID id = 1; id <= UINT16_MAX && found == 0; id++) {
        if (JS_IsRegisteredClass(rt, id)) {
            const JSAtom present = JS_GetClassName(rt, id);
            found = present == wanted ? id : 0;
            JS_FreeAtom(ctx, present);
        }
    }
    JS_FreeAtom(ctx, wanted);
    if (found == 0) {
        const JSClassDef definition = {.class_name = name, .finalizer = on_tie_end, .gc_mark = mark_tie};
        JSClassID id = 0;
        JS_NewClassID(rt, &id);
        found = JS_NewClass(rt, id, &definition) == 0 ? id : 0;
    }
    return found;
}
#else
/* Class ids are those of the process; the engine guards the variable. */
static JSClassID class_of(JSContext *ctx) {
    static JSClassID shared;
    JSRuntime *rt = JS_GetRuntime(ctx);
    const JSClassID id = JS_NewClassID(&shared);
    const JSClassDef definition = {.class_name = "taro_socket", .finalizer = on_tie_end, .gc_mark = mark_tie};
    return JS_IsRegisteredClass(rt, id) || JS_NewClass(rt, id, &definition) == 0 ? id : 0;
}
#endif

static void mark_tie(JSRuntime *rt, JSValueConst object, JS_MarkFunc *mark) {
    /* The class is not known here, and need not be: it is ours. */
    JSClassID class_id;
    const struct tie *tie = JS_GetAnyOpaque(object, &class_id);
    if (tie && tie->is_anchor) {
        JS_MarkValue(rt, tie->binding->handler, mark);
        JS_MarkValue(rt, tie->binding->bridge, mark);
        JS_MarkValue(rt, tie->binding->before, mark);
    }
}

static void on_tie_end(JSRuntime *rt, JSValueConst object) {
    JSClassID class_id;
    struct tie *tie = JS_GetAnyOpaque(object, &class_id);
    if (!tie) {
        return;
    }
    taro_quickjs *binding = tie->binding;
    if (tie->is_anchor) {
        if (binding->ctx) {
            /* The context goes before the binding was released. */
            binding->ctx = NULL;
            taro_app_release(binding->app);
        }
        JS_FreeValueRT(rt, binding->handler);
        JS_FreeValueRT(rt, binding->bridge);
        JS_FreeValueRT(rt, binding->before);
    }
    let_go(binding);
}

static JSValue tie_new(JSContext *ctx, JSClassID class_id, struct tie *tie) {
    JSValue object = JS_NewObjectProtoClass(ctx, JS_NULL, class_id);
    if (!JS_IsException(object)) {
        JS_SetOpaque(object, tie);
        hold(tie->binding);
    }
    return object;
}

/* The anchor's place in its context is the class's prototype there, which nobody sees. */
static void anchor_drop(JSContext *ctx, taro_quickjs *binding) {
    JSValue last = JS_GetClassProto(ctx, binding->class_id);
    const struct tie *at = JS_GetOpaque(last, binding->class_id);
    JSValue before = binding->before;
    binding->before = JS_NULL;
    if (at == &binding->anchor_tie) {
        JS_SetClassProto(ctx, binding->class_id, before);
    } else {
        const struct tie *next = NULL;
        while (at && (next = JS_GetOpaque(at->binding->before, binding->class_id)) != &binding->anchor_tie) {
            at = next;
        }
        if (at) {
            JSValue anchor = at->binding->before;
            at->binding->before = before;
            JS_FreeValue(ctx, anchor);
        }
    }
    JS_FreeValue(ctx, last);
}

static void on_wake(taro_app app, void *user_data) {
    const taro_quickjs *binding = user_data;
    binding->wake(app, binding->user_data);
}

static void on_app_release(void *user_data) {
    taro_quickjs *binding = user_data;
    if (binding->release) {
        binding->release(binding->user_data);
    }
    let_go(binding);
}

static taro_status app_new(taro_quickjs *binding, const taro_app_options *from) {
    taro_app_options options = TARO_APP_OPTIONS_INIT;
    if (from) {
        memcpy(&options, from, from->struct_size);
        options.struct_size = (uint32_t)sizeof options;
        binding->wake = options.wake;
        binding->user_data = options.user_data;
        binding->release = options.release;
    }
    options.delivery = TARO_DELIVERY_HOST;
    options.wake = binding->wake ? on_wake : NULL;
    options.user_data = binding;
    options.release = on_app_release;
    hold(binding);
    const taro_status status = taro_app_create(&options, &binding->app);
    if (status != TARO_STATUS_OK) {
        let_go(binding);
    }
    return status;
}

/* The binding has no app and no context yet. */
static taro_status set_up(JSContext *ctx, taro_quickjs *binding, const taro_app_options *app, const char *flavour) {
    JSValue key = JS_EXCEPTION, anchor = JS_EXCEPTION, bridge = JS_EXCEPTION;
    taro_status status = TARO_STATUS_NO_RESOURCES;
    binding->class_id = class_of(ctx);
    if (binding->class_id != 0) {
        key = tie_new(ctx, binding->class_id, &binding->key_tie);
    }
    if (!JS_IsException(key)) {
        anchor = tie_new(ctx, binding->class_id, &binding->anchor_tie);
    }
    if (!JS_IsException(anchor)) {
        bridge = bridge_new(ctx, key, binding->class_id, flavour);
    }
    if (!JS_IsException(bridge)) {
        status = app_new(binding, app);
    }
    if (status == TARO_STATUS_OK) {
        binding->ctx = ctx;
        binding->bridge = JS_DupValue(ctx, bridge);
        binding->before = JS_GetClassProto(ctx, binding->class_id);
        JS_SetClassProto(ctx, binding->class_id, JS_DupValue(ctx, anchor));
    } else if (status == TARO_STATUS_NO_RESOURCES) {
        JS_FreeValue(ctx, JS_GetException(ctx));
    }
    JS_FreeValue(ctx, bridge);
    JS_FreeValue(ctx, anchor);
    JS_FreeValue(ctx, key);
    return status;
}

taro_status taro_quickjs_create(JSContext *ctx, const taro_quickjs_options *options, taro_quickjs **binding) {
    static const taro_quickjs_options defaults = {0};
    if (!ctx || !binding) {
        return TARO_STATUS_NULL_POINTER;
    }
    *binding = NULL;
    options = options ? options : &defaults;
    const taro_app_options *app = options->app;
    if (app && (app->struct_size < offsetof(taro_app_options, delivery) ||
                app->struct_size > sizeof(taro_app_options))) {
        return TARO_STATUS_BAD_STRUCT_SIZE;
    }
    const uint32_t flavour = app ? app->flavour : TARO_FLAVOUR_WEAPP;
    if (flavour >= sizeof flavours / sizeof flavours[0]) {
        return TARO_STATUS_BAD_ARGUMENT;
    }
    taro_quickjs *made = calloc(1, sizeof *made);
    if (!made) {
        return TARO_STATUS_NO_RESOURCES;
    }
    atomic_init(&made->holders, 1);
    made->anchor_tie = (struct tie){made, true};
    made->key_tie = (struct tie){made, false};
    made->handler = made->bridge = made->before = JS_NULL;
    made->report = options->report;
    made->report_data = options->report_data;
    taro_status status = TARO_STATUS_OK;
    if (options->cellular_interface) {
        const size_t size = strlen(options->cellular_interface) + 1;
        made->cellular_interface = malloc(size);
        if (made->cellular_interface) {
            memcpy(made->cellular_interface, options->cellular_interface, size);
        } else {
            status = TARO_STATUS_NO_RESOURCES;
        }
    }
    if (status == TARO_STATUS_OK) {
        status = set_up(ctx, made, app, flavours[flavour]);
    }
    if (status == TARO_STATUS_OK) {
        *binding = made;
    } else {
        let_go(made);
    }
    return status;
}

taro_app taro_quickjs_app(const taro_quickjs *binding) { return binding->app; }

JSValue taro_quickjs_bridge(taro_quickjs *binding) {
    return binding->ctx ? JS_DupValue(binding->ctx, binding->bridge) : JS_EXCEPTION;
}

JSValue taro_quickjs_load(taro_quickjs *binding, const char *script, size_t script_len) {
    if (!binding->ctx) {
        return JS_EXCEPTION;
    }
    JSContext *ctx = JS_DupContext(binding->ctx);
    JSValue faces = JS_EXCEPTION;
    /* The engine reads a NUL behind the script. */
    char *text = malloc(script_len + 1);
    if (text) {
        memcpy(text, script, script_len);
        text[script_len] = '\0';
        JSValue bridge = taro_quickjs_bridge(binding);
        JSValue exports = JS_Eval(ctx, text, script_len, "taro_socket.js", JS_EVAL_TYPE_GLOBAL);
        JSValue create = JS_IsException(exports) ? JS_EXCEPTION : JS_GetPropertyStr(ctx, exports, "create");
        if (!JS_IsException(create)) {
            faces = JS_Call(ctx, create, exports, 1, &bridge);
        }
        JS_FreeValue(ctx, create);
        JS_FreeValue(ctx, exports);
        JS_FreeValue(ctx, bridge);
        free(text);
    } else {
        JS_ThrowOutOfMemory(ctx);
    }
    JS_FreeContext(ctx);
    return faces;
}

taro_status taro_quickjs_dispatch(taro_quickjs *binding, size_t max_events, size_t *left) {
    if (left) {
        *left = 0;
    }
    if (!binding) {
        return TARO_STATUS_NULL_POINTER;
    }
    if (!binding->ctx) {
        return TARO_STATUS_BAD_HANDLE;
    }
    if (binding->is_dispatching) {
        return TARO_STATUS_BUSY;
    }
    hold(binding);
    JSContext *ctx = JS_DupContext(binding->ctx);
    binding->is_dispatching = true;
    run_jobs(binding, ctx);
    const taro_status status =
        binding->ctx ? taro_app_dispatch(binding->app, max_events, left) : TARO_STATUS_OK;
    binding->is_dispatching = false;
    JS_FreeContext(ctx);
    let_go(binding);
    return status;
}

void taro_quickjs_release(taro_quickjs *binding) {
    if (!binding) {
        return;
    }
    if (binding->ctx) {
        JSContext *ctx = JS_DupContext(binding->ctx);
        JSValue handler = binding->handler, bridge = binding->bridge;
        binding->ctx = NULL;
        binding->handler = binding->bridge = JS_NULL;
        taro_app_release(binding->app);
        JS_FreeValue(ctx, handler);
        JS_FreeValue(ctx, bridge);
        anchor_drop(ctx, binding);
        JS_FreeContext(ctx);
    }
    let_go(binding);
}
