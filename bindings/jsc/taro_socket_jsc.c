/* The binding of libtaro_socket to JavaScriptCore. Its public face is taro_socket_jsc.h. */
#include "taro_socket_jsc.h"

#include <limits.h>
#include <stdatomic.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum {
    /* What the bridge tells the handler: see bindings/js/taro_socket.js. */
    EVENT_RESULT = 1,
    EVENT_OPEN,
    EVENT_MESSAGE,
    EVENT_ERROR,
    EVENT_CLOSE,
    EVENT_DRAIN,

    FLAG_TCP_NO_DELAY = 1,
    FLAG_PER_MESSAGE_DEFLATE = 2,
    FLAG_CELLULAR = 4,

    FUNCTIONS = 10,
    /* Below this a copy costs less than a retained message. */
    ADOPT_FROM = 1024,
    /* Texts up to this many UTF-16 units are converted on the stack. */
    SHORT_TEXT = 256
};

/* Ids and sums of the script: integers that a double holds exactly. */
#define MOST_INTEGER 9007199254740991.0

/* A function of the bridge: what its function object points to. */
struct entry {
    struct taro_jsc *core;
    const struct function *function;
};

struct taro_jsc {
    /* The binding itself, each function object that was not finalized, each user_data that the library has. Only
       the last one frees: finalizers run on any thread. */
    atomic_size_t references;
    JSGlobalContextRef ctx;
    taro_app app;
    JSObjectRef bridge;     /* protected */
    JSObjectRef handler;    /* protected, or NULL */
    JSObjectRef type_error; /* protected: the constructor, as it was before any script */
    void (*report)(JSContextRef ctx, JSValueRef error, void *user_data);
    void *report_data;
    char *cellular_interface;
    /* Calls into the engine that are on the stack: the context outlives them. */
    unsigned depth;
    bool released;
    struct entry entries[FUNCTIONS];
};

/* The user_data of one call of connect, send, close or refuse. */
struct request {
    struct taro_jsc *core;
    double call; /* 0: nobody wants the result */
};

/* What a function of the bridge was called with. */
struct call {
    struct taro_jsc *core;
    JSContextRef ctx;
    const char *name;
    size_t argc;
    const JSValueRef *argv;
    JSValueRef *exception;
};

struct function {
    const char *name;
    JSValueRef (*run)(struct call *call);
};

/* --- lifetime */

static void retain(struct taro_jsc *core) {
    atomic_fetch_add_explicit(&core->references, 1, memory_order_relaxed);
}

static void unretain(struct taro_jsc *core) {
    if (atomic_fetch_sub_explicit(&core->references, 1, memory_order_acq_rel) == 1) {
        free(core->cellular_interface);
        free(core);
    }
}

static void enter(struct taro_jsc *core) {
    retain(core);
    core->depth++;
}

static void leave(struct taro_jsc *core) {
    if (--core->depth == 0 && core->released) JSGlobalContextRelease(core->ctx);
    unretain(core);
}

static struct request *request_new(struct taro_jsc *core, double call) {
    struct request *request = malloc(sizeof *request);
    if (request) {
        *request = (struct request){core, call};
        retain(core);
    }
    return request;
}

static void request_free(void *user_data) {
    struct request *request = user_data;
    unretain(request->core);
    free(request);
}

/* --- text: the engine's strings are UTF-16, the library's are UTF-8 */

/* The code point at units[*at], which moves on. A lone surrogate is U+FFFD. */
static uint32_t next_point(const JSChar *units, size_t len, size_t *at) {
    const uint32_t unit = units[(*at)++];
    if (unit < 0xD800 || unit > 0xDFFF) return unit;
    if (unit < 0xDC00 && *at < len && units[*at] >= 0xDC00 && units[*at] <= 0xDFFF) {
        return 0x10000 + ((unit - 0xD800) << 10) + (units[(*at)++] - 0xDC00u);
    }
    return 0xFFFD;
}

static size_t utf8_len(const JSChar *units, size_t len) {
    size_t bytes = 0;
    for (size_t at = 0; at < len;) {
        const uint32_t point = next_point(units, len, &at);
        bytes += point < 0x80 ? 1 : point < 0x800 ? 2 : point < 0x10000 ? 3 : 4;
    }
    return bytes;
}

static void to_utf8(const JSChar *units, size_t len, char *to) {
    for (size_t at = 0; at < len;) {
        const uint32_t point = next_point(units, len, &at);
        if (point < 0x80) {
            *to++ = (char)point;
            continue;
        }
        if (point < 0x800) {
            *to++ = (char)(0xC0 | point >> 6);
        } else {
            if (point < 0x10000) {
                *to++ = (char)(0xE0 | point >> 12);
            } else {
                *to++ = (char)(0xF0 | point >> 18);
                *to++ = (char)(0x80 | (point >> 12 & 0x3F));
            }
            *to++ = (char)(0x80 | (point >> 6 & 0x3F));
        }
        *to++ = (char)(0x80 | (point & 0x3F));
    }
}

/* Writes at most one unit for each byte. false if it is not UTF-8. */
static bool to_utf16(const unsigned char *bytes, size_t len, JSChar *units, size_t *units_len) {
    size_t count = 0;
    for (size_t at = 0; at < len;) {
        const unsigned char first = bytes[at++];
        uint32_t point = first;
        if (first >= 0x80) {
            const unsigned more = first >= 0xF0 ? 3 : first >= 0xE0 ? 2 : 1;
            static const uint32_t least[] = {0, 0x80, 0x800, 0x10000};
            if (first < 0xC2 || first > 0xF4 || len - at < more) return false;
            point = first & (0x3Fu >> more);
            for (unsigned i = 0; i < more; i++, at++) {
                if ((bytes[at] & 0xC0) != 0x80) return false;
                point = point << 6 | (bytes[at] & 0x3Fu);
            }
            if (point < least[more] || point > 0x10FFFF || (point >= 0xD800 && point <= 0xDFFF)) return false;
        }
        if (point < 0x10000) {
            units[count++] = (JSChar)point;
        } else {
            units[count++] = (JSChar)(0xD800 + ((point - 0x10000) >> 10));
            units[count++] = (JSChar)(0xDC00 + ((point - 0x10000) & 0x3FF));
        }
    }
    *units_len = count;
    return true;
}

/* NULL if there is no memory. What is not UTF-8 (values of response headers) counts as Latin-1. */
static JSStringRef string_of(taro_str text) {
    JSChar small[SHORT_TEXT] = {0};
    JSChar *units = small;
    size_t len = 0;
    if (text.len > SHORT_TEXT) {
        units = text.len <= SIZE_MAX / sizeof *units ? malloc(text.len * sizeof *units) : NULL;
        if (!units) return NULL;
    }
    if (!to_utf16((const unsigned char *)text.ptr, text.len, units, &len)) {
        for (len = 0; len < text.len; len++) units[len] = (unsigned char)text.ptr[len];
    }
    JSStringRef string = JSStringCreateWithCharacters(units, len);
    if (units != small) free(units);
    return string;
}

static JSValueRef text_of(JSContextRef ctx, taro_str text) {
    JSStringRef string = string_of(text);
    if (!string) return NULL;
    JSValueRef value = JSValueMakeString(ctx, string);
    JSStringRelease(string);
    return value;
}

static taro_str literal(const char *text) {
    return (taro_str){text, strlen(text)};
}

static JSValueRef property(JSContextRef ctx, JSObjectRef object, const char *name, JSValueRef *exception) {
    JSStringRef string = JSStringCreateWithUTF8CString(name);
    JSValueRef value = JSObjectGetProperty(ctx, object, string, exception);
    JSStringRelease(string);
    return value;
}

static void set_property(JSContextRef ctx, JSObjectRef object, const char *name, JSValueRef value) {
    JSStringRef string = JSStringCreateWithUTF8CString(name);
    JSObjectSetProperty(ctx, object, string, value, kJSPropertyAttributeReadOnly | kJSPropertyAttributeDontDelete,
                        NULL);
    JSStringRelease(string);
}

/* --- exceptions */

static JSValueRef error_of(JSContextRef ctx, JSObjectRef constructor, const char *text) {
    JSValueRef message = text_of(ctx, literal(text));
    JSValueRef exception = NULL;
    JSValueRef error;
    if (constructor) {
        error = JSObjectCallAsConstructor(ctx, constructor, 1, &message, &exception);
    } else {
        error = JSObjectMakeError(ctx, 1, &message, &exception);
    }
    return exception ? exception : error;
}

static void print_text(JSContextRef ctx, JSValueRef value) {
    JSStringRef string = JSValueToStringCopy(ctx, value, NULL);
    if (!string) {
        fputs("an exception without a text", stderr);
        return;
    }
    const JSChar *units = JSStringGetCharactersPtr(string);
    const size_t units_len = JSStringGetLength(string);
    const size_t len = utf8_len(units, units_len);
    char *text = malloc(len + 1);
    if (text) {
        to_utf8(units, units_len, text);
        fwrite(text, 1, len, stderr);
        free(text);
    }
    JSStringRelease(string);
}

/* An exception of a script's callback. Whoever calls it has entered. */
static void report(struct taro_jsc *core, JSValueRef error) {
    /* After the release report_data may be gone. */
    if (core->report && !core->released) {
        core->report(core->ctx, error, core->report_data);
        return;
    }
    fputs("taro_socket: ", stderr);
    print_text(core->ctx, error);
    if (JSValueIsObject(core->ctx, error)) {
        JSValueRef stack = property(core->ctx, (JSObjectRef)error, "stack", NULL);
        if (stack && JSValueIsString(core->ctx, stack)) {
            fputc('\n', stderr);
            print_text(core->ctx, stack);
        }
    }
    fputc('\n', stderr);
}

/* Throws out of a function of the bridge. */
static JSValueRef throw_error(struct call *call, JSObjectRef constructor, const char *what) {
    char text[128];
    snprintf(text, sizeof text, "%s: %s", call->name, what);
    *call->exception = error_of(call->ctx, constructor, text);
    return NULL;
}

static JSValueRef throw_type_error(struct call *call, const char *what) {
    return throw_error(call, call->core->type_error, what);
}

static JSValueRef throw_no_memory(struct call *call) {
    return throw_error(call, NULL, "out of memory");
}

/* --- arguments */

static bool number(struct call *call, size_t at, double *to, const char *what) {
    if (at >= call->argc || !JSValueIsNumber(call->ctx, call->argv[at])) {
        throw_type_error(call, what);
        return false;
    }
    *to = JSValueToNumber(call->ctx, call->argv[at], NULL);
    return true;
}

static bool integer(struct call *call, size_t at, double least, double most, double *to, const char *what) {
    if (!number(call, at, to, what)) return false;
    /* Not a number compares as false. Within the range, which ±2^53 bounds, the cast is defined. */
    if (*to >= least && *to <= most && (double)(int64_t)*to == *to) return true;
    throw_type_error(call, what);
    return false;
}

/* Any number may stand for a socket: what is no id is an unknown one. */
static bool socket_id(struct call *call, size_t at, taro_socket *socket) {
    double id;
    if (!number(call, at, &id, "socket is no number")) return false;
    *socket = id >= 0 && id <= MOST_INTEGER && (double)(uint64_t)id == id ? (uint64_t)id : 0;
    return true;
}

static bool call_number(struct call *call, double *number_of_call) {
    return integer(call, 0, 0, MOST_INTEGER, number_of_call, "call is no integer");
}

/* UTF-8 of a string, to be freed: never NULL but where false is returned, and then an exception is set. */
static bool text_from(struct call *call, JSValueRef value, taro_str *text, const char *what) {
    if (!value || !JSValueIsString(call->ctx, value)) {
        throw_type_error(call, what);
        return false;
    }
    JSStringRef string = JSValueToStringCopy(call->ctx, value, call->exception);
    if (!string) return false;
    const JSChar *units = JSStringGetCharactersPtr(string);
    const size_t units_len = JSStringGetLength(string);
    const size_t len = utf8_len(units, units_len);
    char *to = malloc(len + 1);
    if (to) {
        to_utf8(units, units_len, to);
        *text = (taro_str){to, len};
    }
    JSStringRelease(string);
    if (!to) throw_no_memory(call);
    return to != NULL;
}

static bool text(struct call *call, size_t at, taro_str *to, const char *what) {
    return text_from(call, at < call->argc ? call->argv[at] : NULL, to, what);
}

static void text_free(taro_str text) {
    free((void *)(uintptr_t)text.ptr);
}

struct texts {
    taro_str *items;
    size_t len;
};

static void texts_free(struct texts *texts) {
    for (size_t i = 0; i < texts->len; i++) text_free(texts->items[i]);
    free(texts->items);
    *texts = (struct texts){NULL, 0};
}

/* An array of strings. On false nothing is left to free. */
static bool text_array(struct call *call, size_t at, struct texts *texts, const char *what) {
    *texts = (struct texts){NULL, 0};
    if (at >= call->argc || !JSValueIsArray(call->ctx, call->argv[at])) {
        throw_type_error(call, what);
        return false;
    }
    JSObjectRef array = (JSObjectRef)call->argv[at];
    JSValueRef length = property(call->ctx, array, "length", call->exception);
    if (*call->exception || !length) return false;
    /* The length of an array is below 2^32. */
    const uint32_t count = (uint32_t)JSValueToNumber(call->ctx, length, NULL);
    size_t room = 0;
    for (uint32_t i = 0; i < count; i++) {
        JSValueRef item = JSObjectGetPropertyAtIndex(call->ctx, array, i, call->exception);
        if (*call->exception) break;
        if (texts->len == room) {
            room = room ? 2 * room : 16;
            taro_str *grown = realloc(texts->items, room * sizeof *grown);
            if (!grown) {
                throw_no_memory(call);
                break;
            }
            texts->items = grown;
        }
        if (!text_from(call, item, &texts->items[texts->len], what)) break;
        texts->len++;
    }
    if (texts->len == count) return true;
    texts_free(texts);
    return false;
}

/* --- events: from the library to the handler */

static JSValueRef number_of(const struct taro_jsc *core, double value) {
    return JSValueMakeNumber(core->ctx, value);
}

/* The one place where the handler runs. A value that is NULL could not be made for want of memory. */
static void deliver(struct taro_jsc *core, size_t argc, const JSValueRef *argv) {
    JSValueRef exception = NULL;
    for (size_t i = 0; i < argc; i++) {
        if (!argv[i]) exception = error_of(core->ctx, NULL, "an event was lost: out of memory");
    }
    enter(core);
    /* Nothing else of the engine is on the stack, so it runs its microtasks before this returns. */
    if (!exception) JSObjectCallAsFunction(core->ctx, core->handler, NULL, argc, argv, &exception);
    if (exception) report(core, exception);
    leave(core);
}

static bool is_heard(const struct taro_jsc *core) {
    return !core->released && core->handler;
}

static void on_result(taro_socket socket, const taro_result *result, void *user_data) {
    const struct request *request = user_data;
    struct taro_jsc *core = request->core;
    if (!is_heard(core)) return;
    const JSValueRef values[] = {
        number_of(core, EVENT_RESULT),           number_of(core, (double)socket),
        number_of(core, request->call),          number_of(core, result->status),
        text_of(core->ctx, result->err_msg),     text_of(core->ctx, result->reason),
        number_of(core, result->err_no),         number_of(core, result->code),
    };
    deliver(core, sizeof values / sizeof *values, values);
}

/* A flat array, filled one by one: values in memory of the heap would not be seen by the collector. */
static JSValueRef headers_of(JSContextRef ctx, const taro_header *headers, size_t len) {
    JSObjectRef array = JSObjectMakeArray(ctx, 0, NULL, NULL);
    for (size_t i = 0; array && i < 2 * len; i++) {
        JSValueRef item = text_of(ctx, i % 2 ? headers[i / 2].value : headers[i / 2].name);
        if (!item) return NULL;
        JSObjectSetPropertyAtIndex(ctx, array, (unsigned)i, item, NULL);
    }
    return array;
}

static JSValueRef profile_of(const struct taro_jsc *core, const taro_profile *profile) {
    const JSValueRef values[] = {
        number_of(core, (double)profile->fetch_start_us / 1000),
        number_of(core, (double)profile->domain_look_up_start_us / 1000),
        number_of(core, (double)profile->domain_look_up_end_us / 1000),
        number_of(core, (double)profile->connect_start_us / 1000),
        number_of(core, (double)profile->connect_end_us / 1000),
        number_of(core, (double)profile->rtt_us / 1000),
        number_of(core, (double)profile->handshake_cost_us / 1000),
        number_of(core, (double)profile->cost_us / 1000),
    };
    return JSObjectMakeArray(core->ctx, sizeof values / sizeof *values, values, NULL);
}

static void on_open(taro_socket socket, const taro_open_event *event, void *user_data) {
    struct taro_jsc *core = ((const struct request *)user_data)->core;
    if (!is_heard(core)) return;
    const JSValueRef values[] = {
        number_of(core, EVENT_OPEN),           number_of(core, (double)socket),
        headers_of(core->ctx, event->headers, event->headers_len),
        text_of(core->ctx, event->protocol),   text_of(core->ctx, event->extensions),
        profile_of(core, event->profile),
    };
    deliver(core, sizeof values / sizeof *values, values);
}

static void free_copy(void *bytes, void *context) {
    (void)context;
    free(bytes);
}

/* On any thread, whenever the engine collects. The id is boxed: a pointer of 32 bits cannot hold it. */
static void free_message(void *bytes, void *context) {
    (void)bytes;
    taro_message_release(*(taro_message *)context);
    free(context);
}

static JSValueRef buffer_of(JSContextRef ctx, const taro_message_event *event) {
    if (event->data_len < ADOPT_FROM) {
        void *copy = malloc(event->data_len ? event->data_len : 1);
        if (!copy) return NULL;
        memcpy(copy, event->data, event->data_len);
        return JSObjectMakeArrayBufferWithBytesNoCopy(ctx, copy, event->data_len, free_copy, NULL, NULL);
    }
    taro_message *box = malloc(sizeof *box);
    void *data;
    size_t len;
    if (!box) return NULL;
    *box = event->message;
    if (taro_message_retain(event->message, &data, &len) != TARO_STATUS_OK) {
        free(box);
        return NULL;
    }
    return JSObjectMakeArrayBufferWithBytesNoCopy(ctx, data, len, free_message, box, NULL);
}

static void on_message(taro_socket socket, const taro_message_event *event, void *user_data) {
    struct taro_jsc *core = ((const struct request *)user_data)->core;
    if (!is_heard(core)) return;
    const JSValueRef values[] = {
        number_of(core, EVENT_MESSAGE),
        number_of(core, (double)socket),
        event->kind == TARO_MESSAGE_TEXT ? text_of(core->ctx, (taro_str){event->data, event->data_len})
                                         : buffer_of(core->ctx, event),
    };
    deliver(core, sizeof values / sizeof *values, values);
}

static void on_error(taro_socket socket, const taro_result *event, void *user_data) {
    struct taro_jsc *core = ((const struct request *)user_data)->core;
    if (!is_heard(core)) return;
    const JSValueRef values[] = {
        number_of(core, EVENT_ERROR),         number_of(core, (double)socket),
        number_of(core, event->status),       text_of(core->ctx, event->err_msg),
        text_of(core->ctx, event->reason),    number_of(core, event->err_no),
        number_of(core, event->code),
    };
    deliver(core, sizeof values / sizeof *values, values);
}

static void on_close(taro_socket socket, const taro_close_event *event, void *user_data) {
    struct taro_jsc *core = ((const struct request *)user_data)->core;
    if (!is_heard(core)) return;
    const JSValueRef values[] = {
        number_of(core, EVENT_CLOSE),         number_of(core, (double)socket),
        number_of(core, event->code),         text_of(core->ctx, event->reason),
        number_of(core, event->was_clean),
    };
    deliver(core, sizeof values / sizeof *values, values);
}

static void on_drain(taro_socket socket, const taro_drain_event *event, void *user_data) {
    struct taro_jsc *core = ((const struct request *)user_data)->core;
    if (!is_heard(core)) return;
    const JSValueRef values[] = {
        number_of(core, EVENT_DRAIN),
        number_of(core, (double)socket),
        number_of(core, (double)event->buffered_amount_bytes),
    };
    deliver(core, sizeof values / sizeof *values, values);
}

/* --- functions of the bridge: from the script to the library */

static bool is_misuse(taro_status status) {
    return status < 0 && status > -100;
}

/* A call that was not misuse has taken its request. */
static JSValueRef answer(struct call *call, taro_status status, struct request *request) {
    if (is_misuse(status) && request) request_free(request);
    return number_of(call->core, status);
}

/* Takes the texts of arrays[0], name and value by turns, and arrays[1]. */
static JSValueRef connect_with(struct call *call, double call_of, taro_str url, const struct texts *arrays,
                               uint32_t flags, int32_t timeout) {
    struct taro_jsc *core = call->core;
    taro_connect_options options = TARO_CONNECT_OPTIONS_INIT;
    taro_socket socket = 0;
    const size_t headers_len = arrays[0].len / 2;
    taro_header *headers = malloc((headers_len ? headers_len : 1) * sizeof *headers);
    struct request *request = headers ? request_new(core, call_of) : NULL;
    if (!request) {
        free(headers);
        return throw_no_memory(call);
    }
    for (size_t i = 0; i < headers_len; i++) {
        headers[i] = (taro_header){arrays[0].items[2 * i], arrays[0].items[2 * i + 1]};
    }
    options.app = core->app;
    options.url = url;
    options.headers = headers, options.headers_len = headers_len;
    options.protocols = arrays[1].items, options.protocols_len = arrays[1].len;
    options.tcp_no_delay = (flags & FLAG_TCP_NO_DELAY) != 0;
    options.per_message_deflate = (flags & FLAG_PER_MESSAGE_DEFLATE) != 0;
    if ((flags & FLAG_CELLULAR) && core->cellular_interface) {
        options.bind_interface = literal(core->cellular_interface);
    }
    options.timeout_ms = timeout;
    if (call_of != 0) options.complete = on_result;
    options.open = on_open, options.message = on_message, options.error = on_error;
    options.close = on_close, options.drain = on_drain;
    options.user_data = request, options.release = request_free;
    const taro_status status = taro_connect_socket(&options, &socket);
    free(headers);
    if (is_misuse(status)) {
        request_free(request);
        return throw_error(call, NULL, taro_status_name(status));
    }
    return number_of(core, (double)socket);
}

static JSValueRef run_connect(struct call *call) {
    struct texts arrays[2];
    taro_str url;
    double call_of, flags, timeout;
    JSValueRef value = NULL;
    if (!call_number(call, &call_of) ||
        !integer(call, 4, 0, UINT32_MAX, &flags, "flags is no integer") ||
        !integer(call, 5, INT32_MIN, INT32_MAX, &timeout, "timeout is no integer") ||
        !text(call, 1, &url, "url is no string")) {
        return NULL;
    }
    if (text_array(call, 2, &arrays[0], "headers is no array of strings")) {
        if (text_array(call, 3, &arrays[1], "protocols is no array of strings")) {
            if (arrays[0].len % 2) {
                throw_type_error(call, "headers has a name without a value");
            } else {
                value = connect_with(call, call_of, url, arrays, (uint32_t)flags, (int32_t)timeout);
            }
            texts_free(&arrays[1]);
        }
        texts_free(&arrays[0]);
    }
    text_free(url);
    return value;
}

/* The one exit of send, once the payload is known. */
static JSValueRef send_bytes(struct call *call, double call_of, taro_socket socket, uint32_t kind, const void *data,
                             size_t len) {
    if (call_of == 0) {
        return number_of(call->core, kind == TARO_MESSAGE_TEXT ? taro_socket_send_text(socket, data, len)
                                                               : taro_socket_send_binary(socket, data, len));
    }
    taro_send_options options = TARO_SEND_OPTIONS_INIT;
    struct request *request = request_new(call->core, call_of);
    if (!request) return throw_no_memory(call);
    options.kind = kind;
    options.data = data, options.data_len = len;
    options.complete = on_result;
    options.user_data = request, options.release = request_free;
    return answer(call, taro_socket_send(socket, &options), request);
}

static JSValueRef run_send(struct call *call) {
    taro_socket socket;
    double call_of, offset, len;
    if (!call_number(call, &call_of) || !socket_id(call, 1, &socket)) return NULL;
    JSValueRef data = call->argc > 2 ? call->argv[2] : JSValueMakeUndefined(call->ctx);
    if (JSValueIsString(call->ctx, data)) {
        taro_str message;
        if (!text(call, 2, &message, "")) return NULL;
        JSValueRef value = send_bytes(call, call_of, socket, TARO_MESSAGE_TEXT, message.ptr, message.len);
        text_free(message);
        return value;
    }
    if (JSValueGetTypedArrayType(call->ctx, data, NULL) != kJSTypedArrayTypeArrayBuffer) {
        return throw_type_error(call, "data is neither string nor ArrayBuffer");
    }
    if (!integer(call, 3, 0, MOST_INTEGER, &offset, "offset is no integer") ||
        !integer(call, 4, 0, MOST_INTEGER, &len, "length is no integer")) {
        return NULL;
    }
    /* A detached buffer has no bytes, and no place where they were. */
    JSObjectRef buffer = (JSObjectRef)data;
    const size_t size = JSObjectGetArrayBufferByteLength(call->ctx, buffer, call->exception);
    if (*call->exception) return NULL;
    if (offset > (double)size || len > (double)size - offset) {
        return throw_type_error(call, "offset and length are not within the ArrayBuffer");
    }
    if (len == 0) return send_bytes(call, call_of, socket, TARO_MESSAGE_BINARY, NULL, 0);
    /* Good until the next call of the engine: the library has copied or sent it by then. */
    const unsigned char *bytes = JSObjectGetArrayBufferBytesPtr(call->ctx, buffer, call->exception);
    if (*call->exception) return NULL;
    if (!bytes) return throw_type_error(call, "the ArrayBuffer is detached");
    return send_bytes(call, call_of, socket, TARO_MESSAGE_BINARY, bytes + (size_t)offset, (size_t)len);
}

static JSValueRef run_close(struct call *call) {
    taro_close_options options = TARO_CLOSE_OPTIONS_INIT;
    taro_socket socket;
    double call_of, code;
    if (!call_number(call, &call_of) || !socket_id(call, 1, &socket) ||
        !integer(call, 2, 0, UINT32_MAX, &code, "code is no integer") ||
        !text(call, 3, &options.reason, "reason is no string")) {
        return NULL;
    }
    options.code = (uint32_t)code;
    struct request *request = NULL;
    JSValueRef value = NULL;
    if (call_of != 0) {
        request = request_new(call->core, call_of);
        options.complete = on_result;
        options.user_data = request, options.release = request_free;
    }
    if (call_of != 0 && !request) {
        throw_no_memory(call);
    } else {
        value = answer(call, taro_socket_close(socket, &options), request);
    }
    text_free(options.reason);
    return value;
}

static JSValueRef run_refuse(struct call *call) {
    taro_refuse_options options = TARO_REFUSE_OPTIONS_INIT;
    double call_of, api, status;
    if (!integer(call, 0, 1, MOST_INTEGER, &call_of, "call is no integer above 0") ||
        !integer(call, 1, 0, UINT32_MAX, &api, "api is no integer") ||
        !integer(call, 2, INT32_MIN, INT32_MAX, &status, "status is no integer") ||
        !text(call, 3, &options.subject, "subject is no string")) {
        return NULL;
    }
    struct request *request = request_new(call->core, call_of);
    JSValueRef value = NULL;
    if (!request) {
        throw_no_memory(call);
    } else {
        options.call = (uint32_t)api;
        options.app = call->core->app;
        options.status = (taro_status)status;
        options.complete = on_result;
        options.user_data = request, options.release = request_free;
        value = answer(call, taro_app_refuse_call(&options), request);
    }
    text_free(options.subject);
    return value;
}

static JSValueRef run_state(struct call *call) {
    taro_socket socket;
    uint32_t state;
    if (!socket_id(call, 0, &socket)) return NULL;
    if (taro_socket_get_ready_state(socket, &state) != TARO_STATUS_OK) state = TARO_READY_STATE_CLOSED;
    return number_of(call->core, state);
}

static JSValueRef run_buffered_amount(struct call *call) {
    taro_socket socket;
    uint64_t bytes;
    if (!socket_id(call, 0, &socket)) return NULL;
    if (taro_socket_get_buffered_amount(socket, &bytes) != TARO_STATUS_OK) bytes = 0;
    return number_of(call->core, (double)bytes);
}

static JSValueRef run_global_socket(struct call *call) {
    taro_socket socket;
    if (taro_app_get_global_socket(call->core->app, &socket) != TARO_STATUS_OK) socket = 0;
    return number_of(call->core, (double)socket);
}

static JSValueRef run_release(struct call *call) {
    taro_socket socket;
    if (!socket_id(call, 0, &socket)) return NULL;
    taro_socket_release(socket);
    return JSValueMakeUndefined(call->ctx);
}

static JSValueRef run_listen(struct call *call) {
    struct taro_jsc *core = call->core;
    JSValueRef value = call->argc > 0 ? call->argv[0] : JSValueMakeUndefined(call->ctx);
    JSObjectRef handler = NULL;
    if (!JSValueIsNull(call->ctx, value)) {
        if (!JSValueIsObject(call->ctx, value) || !JSObjectIsFunction(call->ctx, (JSObjectRef)value)) {
            return throw_type_error(call, "handler is neither function nor null");
        }
        handler = (JSObjectRef)value;
        JSValueProtect(core->ctx, handler);
    }
    if (core->handler) JSValueUnprotect(core->ctx, core->handler);
    core->handler = handler;
    return JSValueMakeUndefined(call->ctx);
}

static JSValueRef run_report(struct call *call) {
    report(call->core, call->argc > 0 ? call->argv[0] : JSValueMakeUndefined(call->ctx));
    return JSValueMakeUndefined(call->ctx);
}

static const struct function functions[FUNCTIONS] = {
    {"connect", run_connect},
    {"send", run_send},
    {"close", run_close},
    {"refuse", run_refuse},
    {"state", run_state},
    {"bufferedAmount", run_buffered_amount},
    {"globalSocket", run_global_socket},
    {"release", run_release},
    {"listen", run_listen},
    {"report", run_report},
};

static JSValueRef run_function(JSContextRef ctx, JSObjectRef function, JSObjectRef this_object, size_t argc,
                               const JSValueRef argv[], JSValueRef *exception) {
    const struct entry *entry = JSObjectGetPrivate(function);
    struct taro_jsc *core = entry->core;
    struct call call = {core, ctx, entry->function->name, argc, argv, exception};
    JSValueRef value = NULL;
    (void)this_object;
    if (core->released) {
        throw_error(&call, NULL, "the binding was released");
    } else {
        /* report, and getters of the script, may release the binding. */
        enter(core);
        value = entry->function->run(&call);
        leave(core);
    }
    return value ? value : JSValueMakeUndefined(ctx);
}

/* On any thread. */
static void finalize_function(JSObjectRef function) {
    unretain(((const struct entry *)JSObjectGetPrivate(function))->core);
}

static JSValueRef no_function(JSContextRef ctx, JSObjectRef function, JSObjectRef this_object, size_t argc,
                              const JSValueRef argv[], JSValueRef *exception) {
    (void)function, (void)this_object, (void)argc, (void)argv, (void)exception;
    return JSValueMakeUndefined(ctx);
}

static const char *flavour_name(uint32_t flavour) {
    static const char *const names[] = {"weapp", "alipay", "swan", "tt", "h5", "rn"};
    return flavour < sizeof names / sizeof *names ? names[flavour] : "";
}

/* The functions are objects with private data: they work without their `this`, and know no binding but their own. */
static JSObjectRef make_bridge(struct taro_jsc *core, uint32_t flavour) {
    JSClassDefinition definition = kJSClassDefinitionEmpty;
    definition.attributes = kJSClassAttributeNoAutomaticPrototype;
    definition.className = "Function";
    definition.callAsFunction = run_function;
    definition.finalize = finalize_function;
    JSClassRef class_of_functions = JSClassCreate(&definition);
    JSValueRef prototype =
        JSObjectGetPrototype(core->ctx, JSObjectMakeFunctionWithCallback(core->ctx, NULL, no_function));
    JSObjectRef bridge = JSObjectMake(core->ctx, NULL, NULL);
    for (size_t i = 0; i < FUNCTIONS; i++) {
        core->entries[i] = (struct entry){core, &functions[i]};
        retain(core);
        JSObjectRef function = JSObjectMake(core->ctx, class_of_functions, &core->entries[i]);
        JSObjectSetPrototype(core->ctx, function, prototype);
        set_property(core->ctx, bridge, functions[i].name, function);
    }
    set_property(core->ctx, bridge, "flavour", text_of(core->ctx, literal(flavour_name(flavour))));
    /* The objects hold their class. */
    JSClassRelease(class_of_functions);
    return bridge;
}

/* --- the face for the host */

/* What taro_jsc_release and a create that failed have in common. */
static void let_go(struct taro_jsc *core) {
    core->released = true;
    JSValueUnprotect(core->ctx, core->bridge);
    JSValueUnprotect(core->ctx, core->type_error);
    if (core->handler) JSValueUnprotect(core->ctx, core->handler);
    core->handler = NULL;
    if (core->depth == 0) JSGlobalContextRelease(core->ctx);
    unretain(core);
}

taro_status taro_jsc_create(JSGlobalContextRef ctx, const taro_jsc_options *options, taro_jsc **binding) {
    taro_app_options app = TARO_APP_OPTIONS_INIT;
    if (!binding) return TARO_STATUS_NULL_POINTER;
    *binding = NULL;
    if (!ctx) return TARO_STATUS_NULL_POINTER;
    if (options && options->app) {
        /* A shorter struct stays short: the library fills in the rest. */
        const uint32_t size = options->app->struct_size;
        const uint32_t with_delivery = offsetof(taro_app_options, single_socket);
        if (size > sizeof app || size < offsetof(taro_app_options, delivery)) return TARO_STATUS_BAD_STRUCT_SIZE;
        memcpy(&app, options->app, size);
        if (size < with_delivery) app.struct_size = with_delivery;
    }
    app.delivery = TARO_DELIVERY_HOST;

    struct taro_jsc *core = calloc(1, sizeof *core);
    if (!core) return TARO_STATUS_NO_RESOURCES;
    atomic_init(&core->references, 1);
    if (options) {
        core->report = options->report;
        core->report_data = options->report_data;
        if (options->cellular_interface) {
            const size_t size = strlen(options->cellular_interface) + 1;
            core->cellular_interface = malloc(size);
            if (!core->cellular_interface) {
                unretain(core);
                return TARO_STATUS_NO_RESOURCES;
            }
            memcpy(core->cellular_interface, options->cellular_interface, size);
        }
    }
    core->ctx = JSGlobalContextRetain(ctx);
    JSValueRef type_error = property(ctx, JSContextGetGlobalObject(ctx), "TypeError", NULL);
    core->type_error = JSValueToObject(ctx, type_error, NULL);
    JSValueProtect(ctx, core->type_error);
    core->bridge = make_bridge(core, app.flavour);
    JSValueProtect(ctx, core->bridge);
    const taro_status status = taro_app_create(&app, &core->app);
    if (status == TARO_STATUS_OK) {
        *binding = core;
    } else {
        let_go(core);
    }
    return status;
}

taro_app taro_jsc_app(const taro_jsc *binding) {
    return binding->app;
}

JSObjectRef taro_jsc_bridge(taro_jsc *binding) {
    return binding->bridge;
}

JSValueRef taro_jsc_load(taro_jsc *binding, const char *script, size_t script_len, JSValueRef *exception) {
    JSContextRef ctx = binding->ctx;
    JSValueRef thrown = NULL;
    JSValueRef faces = NULL;
    JSStringRef source = string_of((taro_str){script, script_len});
    enter(binding);
    if (!source) {
        thrown = error_of(ctx, NULL, "out of memory");
    } else {
        JSStringRef name = JSStringCreateWithUTF8CString("taro_socket.js");
        JSValueRef module = JSEvaluateScript(ctx, source, NULL, name, 1, &thrown);
        JSStringRelease(name);
        JSStringRelease(source);
        JSValueRef create = NULL;
        if (module && JSValueIsObject(ctx, module)) create = property(ctx, (JSObjectRef)module, "create", &thrown);
        if (!thrown && create && JSValueIsObject(ctx, create) && JSObjectIsFunction(ctx, (JSObjectRef)create)) {
            const JSValueRef bridge = binding->bridge;
            faces = JSObjectCallAsFunction(ctx, (JSObjectRef)create, NULL, 1, &bridge, &thrown);
        } else if (!thrown) {
            thrown = error_of(ctx, binding->type_error, "the script's value is no object with a function create");
        }
    }
    leave(binding);
    if (exception) *exception = thrown;
    return thrown ? NULL : faces;
}

taro_status taro_jsc_dispatch(taro_jsc *binding, size_t max_events, size_t *left) {
    return taro_app_dispatch(binding->app, max_events, left);
}

void taro_jsc_release(taro_jsc *binding) {
    if (!binding) return;
    /* Inside a callback it finishes when that returns; release functions of requests run until then. */
    taro_app_release(binding->app);
    let_go(binding);
}
