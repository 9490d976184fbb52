/*
 * libtaro_socket for Node.js, Electron and HarmonyOS: the bridge of bindings/js/taro_socket.js through Node-API.
 *
 * Version 8 of Node-API at most, nothing of V8 or libuv. Run with Node.js 18.20, 20.20 and 24.21. HarmonyOS (API
 * version 12 and later) documents every function that is called here; this file was neither built nor run there.
 *
 * Delivery: the library's wake-up notice calls a thread-safe function of Node-API, which comes back on the engine's
 * thread and dispatches one event. The engine runs process.nextTick and microtasks when a call of a thread-safe
 * function returns, and not before: so one event a call makes each event a turn of its own.
 *
 * There is no state but that of a binding: any number of environments (worker_threads) may use this file at a time.
 */
#ifndef NAPI_VERSION
#define NAPI_VERSION 8
#endif

#include <math.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#ifdef __OHOS__
#include <napi/native_api.h>
#else
#include <node_api.h>
#endif

#include "taro_socket.h"

/* Most events, and bytes of messages, that are delivered before the loop may do something else. */
#define SLICE_EVENTS 64
#define SLICE_BYTES (256 * 1024)
/* Below it a copy is cheaper than to keep the library's buffer. */
#define ADOPT_FROM 1024
/* Ids and calls are integers of JavaScript. */
#define MAX_INTEGER 9007199254740991.0

enum event { EVENT_RESULT = 1, EVENT_OPEN, EVENT_MESSAGE, EVENT_ERROR, EVENT_CLOSE, EVENT_DRAIN };
enum connect_flag { FLAG_TCP_NO_DELAY = 1, FLAG_PER_MESSAGE_DEFLATE = 2, FLAG_CELLULAR = 4 };

/*
 * One app and the bridge to it. It is kept by the holder, by the app and by both thread-safe functions; the last one
 * frees it.
 */
struct binding {
    atomic_uint kept;
    napi_env env;
    taro_app app;
    /*
     * Two, used in turns. One that is called while it runs goes on at once, a thousand times over; one that was not
     * running waits for the next round of the loop. So a slice ends by calling the other one.
     */
    napi_threadsafe_function wakers[2];
    atomic_uint waker;
    /* A call of the thread-safe function is on its way. */
    atomic_bool woken;
    /*
     * An object that every function of this binding holds, and which holds the handler. Weak while nothing is live:
     * a binding that the script has dropped goes then.
     */
    napi_ref holder;
    /* Sockets and calls whose user_data the library has; while there are any, the process stays. */
    size_t live;
    size_t slice_events;
    size_t slice_bytes;
    bool closed;
    bool copies;
    const char *flavour;
    char *cellular;
};

/* user_data of a socket or a call. */
struct call {
    struct binding *binding;
    double id;
};

/* A message whose bytes an ArrayBuffer has. */
struct retained {
    taro_message message;
};

/* --- memory of one call from the script: freed all at once */

struct chunk {
    struct chunk *next;
    max_align_t bytes[];
};

struct arena {
    struct chunk *first;
};

static void *arena_take(struct arena *arena, size_t len) {
    struct chunk *chunk = len > SIZE_MAX - sizeof *chunk ? NULL : malloc(sizeof *chunk + len);
    if (!chunk) return NULL;
    chunk->next = arena->first;
    arena->first = chunk;
    return chunk->bytes;
}

static void arena_free(struct arena *arena) {
    while (arena->first) {
        struct chunk *next = arena->first->next;
        free(arena->first);
        arena->first = next;
    }
}

/* --- values from the script. False: an exception is pending */

static bool throw_type(napi_env env, const char *what) {
    napi_throw_type_error(env, NULL, what);
    return false;
}

static bool throw_memory(napi_env env) {
    napi_throw_error(env, NULL, "out of memory");
    return false;
}

/* `name: what` as a TypeError. */
static bool throw_named(napi_env env, const char *name, const char *what) {
    char text[160];
    size_t name_len = strlen(name), what_len = strlen(what);
    if (name_len + what_len + 3 > sizeof text) return throw_type(env, what);
    memcpy(text, name, name_len);
    memcpy(text + name_len, ": ", 2);
    memcpy(text + name_len + 2, what, what_len + 1);
    return throw_type(env, text);
}

/* The call did not happen; user_data was not taken. */
static bool is_misuse(taro_status status) {
    return status < 0 && status > -100;
}

static void throw_status(napi_env env, taro_status status, const char *what) {
    if (status == TARO_STATUS_OK) return;
    napi_throw_error(env, taro_status_name(status), what);
}

static bool has_type(napi_env env, napi_value value, napi_valuetype wanted) {
    napi_valuetype type;
    return napi_typeof(env, value, &type) == napi_ok && type == wanted;
}

/* An integer between the two. */
static bool read_integer(napi_env env, napi_value value, double least, double most, double *out, const char *name) {
    double number;
    if (!has_type(env, value, napi_number) || napi_get_value_double(env, value, &number) != napi_ok)
        return throw_named(env, name, "must be a number");
    if (!(number >= least && number <= most) || floor(number) != number)
        return throw_named(env, name, "must be an integer in its range");
    *out = number;
    return true;
}

static bool read_socket(napi_env env, napi_value value, taro_socket *socket) {
    double id;
    if (!read_integer(env, value, 0, MAX_INTEGER, &id, "socket")) return false;
    *socket = (taro_socket)id;
    return true;
}

/*
 * An engine may write a lone surrogate as three bytes of its own instead of U+FFFD, which takes three too. In UTF-8
 * no other character has ED followed by A0 or more.
 */
static void mend_surrogates(char *text, size_t len) {
    char *end = text + len;
    while ((text = memchr(text, 0xED, (size_t)(end - text))) != NULL) {
        if (end - text >= 3 && (unsigned char)text[1] >= 0xA0) memcpy(text, "\xEF\xBF\xBD", 3);
        text++;
    }
}

/* The string as UTF-8: in `small` if it fits, else in the arena. */
static bool read_text(napi_env env, napi_value value, char *small, size_t small_len, struct arena *arena, taro_str *out,
                      const char *name) {
    size_t len = 0;
    char *text = small;
    if (!has_type(env, value, napi_string)) return throw_named(env, name, "must be a string");
    /* Cut off, it ends less than a character, four bytes, before the room for it. */
    if (small_len < 8 || napi_get_value_string_utf8(env, value, small, small_len, &len) != napi_ok
        || len + 5 > small_len) {
        if (napi_get_value_string_utf8(env, value, NULL, 0, &len) != napi_ok)
            return throw_named(env, name, "cannot be read");
        text = arena_take(arena, len + 1);
        if (!text) return throw_memory(env);
        if (napi_get_value_string_utf8(env, value, text, len + 1, &len) != napi_ok)
            return throw_named(env, name, "cannot be read");
    }
    mend_surrogates(text, len);
    *out = (taro_str){text, len};
    return true;
}

static bool read_kept_text(napi_env env, napi_value value, struct arena *arena, taro_str *out, const char *name) {
    return read_text(env, value, NULL, 0, arena, out, name);
}

static bool read_array(napi_env env, napi_value value, uint32_t *len, const char *name) {
    bool is_array = false;
    if (napi_is_array(env, value, &is_array) != napi_ok || !is_array
        || napi_get_array_length(env, value, len) != napi_ok)
        return throw_named(env, name, "must be an array");
    return true;
}

/* An array of strings. */
static bool read_texts(napi_env env, napi_value value, struct arena *arena, const taro_str **out, size_t *out_len,
                       const char *name) {
    uint32_t len;
    if (!read_array(env, value, &len, name)) return false;
    taro_str *texts = arena_take(arena, (size_t)len * sizeof *texts + 1);
    if (!texts) return throw_memory(env);
    for (uint32_t i = 0; i < len; i++) {
        napi_value element;
        /* A getter of the array may throw; that exception is the one to keep. */
        if (napi_get_element(env, value, i, &element) != napi_ok) return false;
        if (!read_kept_text(env, element, arena, &texts[i], name)) return false;
    }
    *out = texts;
    *out_len = len;
    return true;
}

/* --- values for the script. None of them is ever NULL */

static napi_value js_undefined(napi_env env) {
    napi_value value = NULL;
    napi_get_undefined(env, &value);
    return value;
}

static napi_value js_number(napi_env env, double number) {
    napi_value value;
    return napi_create_double(env, number, &value) == napi_ok ? value : js_undefined(env);
}

static napi_value js_int(napi_env env, int32_t number) {
    napi_value value;
    return napi_create_int32(env, number, &value) == napi_ok ? value : js_undefined(env);
}

static napi_value js_text(napi_env env, taro_str text) {
    napi_value value;
    napi_status status = napi_create_string_utf8(env, text.len ? text.ptr : "", text.len, &value);
    return status == napi_ok ? value : js_undefined(env);
}

static bool is_utf8(const unsigned char *at, size_t len) {
    const unsigned char *end = at + len;
    while (at < end) {
        unsigned char first = *at++;
        unsigned char least = 0x80, most = 0xBF;
        int more;
        if (first < 0x80) continue;
        if (first < 0xC2 || first > 0xF4) return false;
        more = first < 0xE0 ? 1 : first < 0xF0 ? 2 : 3;
        if (first == 0xE0) least = 0xA0; /* not shorter */
        if (first == 0xED) most = 0x9F;  /* no surrogates */
        if (first == 0xF0) least = 0x90;
        if (first == 0xF4) most = 0x8F;
        for (; more > 0; more--) {
            if (at == end || *at < least || *at > most) return false;
            at++;
            least = 0x80, most = 0xBF;
        }
    }
    return true;
}

/* A value of a response header may be of any bytes. */
static napi_value js_header_text(napi_env env, taro_str text) {
    napi_value value;
    if (is_utf8((const unsigned char *)text.ptr, text.len)) return js_text(env, text);
    return napi_create_string_latin1(env, text.ptr, text.len, &value) == napi_ok ? value : js_undefined(env);
}

/* --- the life of a binding */

static void binding_let_go(struct binding *binding) {
    if (atomic_fetch_sub(&binding->kept, 1) != 1) return;
    free(binding->cellular);
    free(binding);
}

/* A notice of the library: any thread, also inside a call of the library. */
static void on_wake(taro_app app, void *user_data) {
    struct binding *binding = user_data;
    (void)app;
    if (atomic_exchange(&binding->woken, true)) return;
    napi_call_threadsafe_function(binding->wakers[atomic_load(&binding->waker) & 1], NULL, napi_tsfn_nonblocking);
}

/*
 * The last thing of the app; no wake-up comes after it. If the binding was released inside a callback of another app
 * it may run on the library's thread.
 */
static void on_app_released(void *user_data) {
    struct binding *binding = user_data;
    for (int i = 0; i < 2; i++) napi_release_threadsafe_function(binding->wakers[i], napi_tsfn_abort);
    binding_let_go(binding);
}

static void on_waker_gone(napi_env env, void *data, void *hint) {
    (void)env, (void)hint;
    binding_let_go(data);
}

/* The process stays, and so does the binding, as long as something is live. */
static void binding_stay(struct binding *binding, bool stay) {
    uint32_t count;
    if (binding->closed) return;
    if (stay) {
        napi_ref_threadsafe_function(binding->env, binding->wakers[0]);
        napi_reference_ref(binding->env, binding->holder, &count);
    } else {
        napi_unref_threadsafe_function(binding->env, binding->wakers[0]);
        napi_reference_unref(binding->env, binding->holder, &count);
    }
}

static struct call *call_make(struct binding *binding, double id) {
    struct call *call = malloc(sizeof *call);
    if (!call) return NULL;
    *call = (struct call){binding, id};
    if (binding->live++ == 0) binding_stay(binding, true);
    return call;
}

/* The release function of every user_data. At the end of an app its binding is closed already. */
static void call_release(void *user_data) {
    struct call *call = user_data;
    struct binding *binding = call->binding;
    free(call);
    if (!binding->closed && --binding->live == 0) binding_stay(binding, false);
}

static void binding_end(struct binding *binding) {
    if (binding->closed) return;
    binding->closed = true;
    napi_delete_reference(binding->env, binding->holder);
    taro_app_release(binding->app);
}

/* The environment ends: a worker, or the process. It runs before the thread-safe functions are taken away. */
static void on_env_ends(void *data) {
    binding_end(data);
}

static void binding_close(struct binding *binding) {
    if (binding->closed) return;
    napi_remove_env_cleanup_hook(binding->env, on_env_ends, binding);
    binding_end(binding);
}

static void on_holder_gone(napi_env env, void *data, void *hint) {
    (void)env, (void)hint;
    binding_close(data);
    binding_let_go(data);
}

/* --- events */

/* An exception is the process's 'uncaughtException'; without a listener for it the process ends in here. */
static void report_pending(napi_env env) {
    napi_value error;
    bool pending = false;
    /* None is pending where the engine itself ends the script, as worker.terminate() does. */
    if (napi_is_exception_pending(env, &pending) != napi_ok || !pending) return;
    if (napi_get_and_clear_last_exception(env, &error) == napi_ok) napi_fatal_exception(env, error);
}

static void tell(struct binding *binding, size_t argc, const napi_value *argv) {
    napi_env env = binding->env;
    napi_value holder, handler;
    if (binding->closed || napi_get_reference_value(env, binding->holder, &holder) != napi_ok || !holder) return;
    if (napi_get_named_property(env, holder, "handler", &handler) != napi_ok) return;
    if (!has_type(env, handler, napi_function)) return;
    if (napi_call_function(env, js_undefined(env), handler, argc, argv, NULL) != napi_ok) report_pending(env);
}

static void on_complete(taro_socket socket, const taro_result *result, void *user_data) {
    struct call *call = user_data;
    napi_env env = call->binding->env;
    napi_value argv[] = {
        js_int(env, EVENT_RESULT),        js_number(env, (double)socket),   js_number(env, call->id),
        js_int(env, result->status),      js_text(env, result->err_msg),    js_text(env, result->reason),
        js_int(env, result->err_no),      js_int(env, result->code),
    };
    tell(call->binding, 8, argv);
}

static napi_value js_headers(napi_env env, const taro_open_event *event) {
    napi_value list;
    if (napi_create_array_with_length(env, event->headers_len * 2, &list) != napi_ok) return js_undefined(env);
    for (size_t i = 0; i < event->headers_len; i++) {
        const taro_header *header = &event->headers[i];
        napi_set_element(env, list, (uint32_t)i * 2, js_text(env, header->name));
        napi_set_element(env, list, (uint32_t)i * 2 + 1, js_header_text(env, header->value));
    }
    return list;
}

static napi_value js_profile(napi_env env, const taro_profile *profile) {
    const int64_t phases[] = {
        profile->fetch_start_us, profile->domain_look_up_start_us, profile->domain_look_up_end_us,
        profile->connect_start_us, profile->connect_end_us, profile->rtt_us, profile->handshake_cost_us,
        profile->cost_us,
    };
    napi_value list;
    if (napi_create_array_with_length(env, 8, &list) != napi_ok) return js_undefined(env);
    for (uint32_t i = 0; i < 8; i++) napi_set_element(env, list, i, js_number(env, (double)phases[i] / 1000.0));
    return list;
}

static void on_open(taro_socket socket, const taro_open_event *event, void *user_data) {
    struct call *call = user_data;
    napi_env env = call->binding->env;
    napi_value argv[] = {
        js_int(env, EVENT_OPEN),      js_number(env, (double)socket),  js_headers(env, event),
        js_text(env, event->protocol), js_text(env, event->extensions), js_profile(env, event->profile),
    };
    tell(call->binding, 6, argv);
}

static void on_buffer_gone(napi_env env, void *data, void *hint) {
    struct retained *retained = hint;
    (void)env, (void)data;
    taro_message_release(retained->message);
    free(retained);
}

/* The library's own buffer as an ArrayBuffer, false if this engine cannot have it, as Electron. */
static bool adopt(struct binding *binding, const taro_message_event *event, napi_value *out) {
    struct retained *retained;
    void *data;
    size_t len;
    if (binding->copies || event->data_len < ADOPT_FROM) return false;
    retained = malloc(sizeof *retained);
    if (!retained) return false;
    retained->message = event->message;
    if (taro_message_retain(event->message, &data, &len) != TARO_STATUS_OK) {
        free(retained);
        return false;
    }
    if (napi_create_external_arraybuffer(binding->env, data, len, on_buffer_gone, retained, out) == napi_ok)
        return true;
    taro_message_release(event->message);
    free(retained);
    binding->copies = true;
    return false;
}

static void on_message(taro_socket socket, const taro_message_event *event, void *user_data) {
    struct call *call = user_data;
    struct binding *binding = call->binding;
    napi_env env = binding->env;
    napi_value data;
    napi_status status = napi_ok;
    binding->slice_bytes += event->data_len;
    if (event->kind == TARO_MESSAGE_TEXT) {
        status = napi_create_string_utf8(env, event->data, event->data_len, &data);
    } else if (!adopt(binding, event, &data)) {
        void *bytes;
        status = napi_create_arraybuffer(env, event->data_len, &bytes, &data);
        if (status == napi_ok && event->data_len) memcpy(bytes, event->data, event->data_len);
    }
    if (status != napi_ok) {
        report_pending(env);
        napi_throw_error(env, NULL, "the engine has no room for a message");
        report_pending(env);
        return;
    }
    napi_value argv[] = {js_int(env, EVENT_MESSAGE), js_number(env, (double)socket), data};
    tell(binding, 3, argv);
}

static void on_error(taro_socket socket, const taro_result *event, void *user_data) {
    struct call *call = user_data;
    napi_env env = call->binding->env;
    napi_value argv[] = {
        js_int(env, EVENT_ERROR),     js_number(env, (double)socket), js_int(env, event->status),
        js_text(env, event->err_msg), js_text(env, event->reason),    js_int(env, event->err_no),
        js_int(env, event->code),
    };
    tell(call->binding, 7, argv);
}

static void on_close(taro_socket socket, const taro_close_event *event, void *user_data) {
    struct call *call = user_data;
    napi_env env = call->binding->env;
    napi_value argv[] = {
        js_int(env, EVENT_CLOSE),     js_number(env, (double)socket),           js_number(env, event->code),
        js_text(env, event->reason), js_int(env, (int32_t)event->was_clean),
    };
    tell(call->binding, 5, argv);
}

static void on_drain(taro_socket socket, const taro_drain_event *event, void *user_data) {
    struct call *call = user_data;
    napi_env env = call->binding->env;
    napi_value argv[] = {
        js_int(env, EVENT_DRAIN), js_number(env, (double)socket), js_number(env, (double)event->buffered_amount_bytes),
    };
    tell(call->binding, 3, argv);
}

/* On the engine's thread, from its loop: one event. If more wait, the library wakes again. */
static void on_turn(napi_env env, napi_value callback, void *context, void *data) {
    struct binding *binding = context;
    napi_handle_scope scope;
    (void)callback, (void)data;
    /* The environment ends, or nobody listens any more. */
    if (!env || binding->closed) return;
    if (++binding->slice_events >= SLICE_EVENTS || binding->slice_bytes >= SLICE_BYTES) {
        binding->slice_events = 0;
        binding->slice_bytes = 0;
        atomic_fetch_xor(&binding->waker, 1);
    }
    if (napi_open_handle_scope(env, &scope) != napi_ok) return;
    /* Before the dispatch, which may wake again. */
    atomic_store(&binding->woken, false);
    taro_app_dispatch(binding->app, 1, NULL);
    napi_close_handle_scope(env, scope);
}

/* --- the functions of the bridge */

/* The arguments of a call, undefined where none was passed; NULL with an exception if there is no binding any more. */
static struct binding *enter(napi_env env, napi_callback_info info, size_t argc, napi_value *argv) {
    void *data = NULL;
    if (napi_get_cb_info(env, info, &argc, argv, NULL, &data) != napi_ok) return NULL;
    struct binding *binding = data;
    if (binding->closed) {
        napi_throw_error(env, NULL, "taro_socket: this app was released");
        return NULL;
    }
    return binding;
}

static bool read_headers(napi_env env, napi_value value, struct arena *arena, taro_connect_options *options) {
    const taro_str *texts;
    size_t len;
    if (!read_texts(env, value, arena, &texts, &len, "headers")) return false;
    if (len % 2 != 0) return throw_named(env, "headers", "must hold pairs");
    taro_header *headers = arena_take(arena, len / 2 * sizeof *headers + 1);
    if (!headers) return throw_memory(env);
    for (size_t i = 0; i < len / 2; i++) headers[i] = (taro_header){texts[i * 2], texts[i * 2 + 1]};
    options->headers = headers;
    options->headers_len = len / 2;
    return true;
}

static bool read_connect(napi_env env, const napi_value *argv, struct arena *arena, struct binding *binding, double *id,
                         taro_connect_options *options) {
    double flags, timeout;
    if (!read_integer(env, argv[0], 0, MAX_INTEGER, id, "call")) return false;
    if (!read_kept_text(env, argv[1], arena, &options->url, "url")) return false;
    if (!read_headers(env, argv[2], arena, options)) return false;
    if (!read_texts(env, argv[3], arena, &options->protocols, &options->protocols_len, "protocols")) return false;
    if (!read_integer(env, argv[4], 0, 7, &flags, "flags")) return false;
    if (!read_integer(env, argv[5], INT32_MIN, INT32_MAX, &timeout, "timeout")) return false;
    options->tcp_no_delay = ((uint32_t)flags & FLAG_TCP_NO_DELAY) != 0;
    options->per_message_deflate = ((uint32_t)flags & FLAG_PER_MESSAGE_DEFLATE) != 0;
    if (((uint32_t)flags & FLAG_CELLULAR) && binding->cellular)
        options->bind_interface = (taro_str){binding->cellular, strlen(binding->cellular)};
    options->timeout_ms = (int32_t)timeout;
    return true;
}

/* connect(call, url, headers, protocols, flags, timeout): the socket's id, 0 if it was refused */
static napi_value bridge_connect(napi_env env, napi_callback_info info) {
    napi_value argv[6], result = NULL;
    taro_connect_options options = TARO_CONNECT_OPTIONS_INIT;
    struct arena arena = {NULL};
    taro_socket socket = 0;
    double id;
    struct binding *binding = enter(env, info, 6, argv);
    if (!binding) return NULL;
    if (read_connect(env, argv, &arena, binding, &id, &options)) {
        struct call *call = call_make(binding, id);
        if (call) {
            options.app = binding->app;
            options.complete = id != 0 ? on_complete : NULL;
            options.open = on_open;
            options.message = on_message;
            options.error = on_error;
            options.close = on_close;
            options.drain = on_drain;
            options.user_data = call;
            options.release = call_release;
            taro_status status = taro_connect_socket(&options, &socket);
            if (is_misuse(status)) {
                call_release(call);
                throw_status(env, status, taro_status_name(status));
            } else {
                result = js_number(env, (double)socket);
            }
        } else {
            throw_memory(env);
        }
    }
    arena_free(&arena);
    return result;
}

static bool read_payload(napi_env env, const napi_value *argv, char *small, size_t small_len, struct arena *arena,
                         uint32_t *kind, taro_str *payload) {
    bool is_buffer = false;
    double offset, len;
    void *bytes;
    size_t bytes_len;
    if (napi_is_arraybuffer(env, argv[2], &is_buffer) != napi_ok || !is_buffer) {
        *kind = TARO_MESSAGE_TEXT;
        return read_text(env, argv[2], small, small_len, arena, payload, "data");
    }
    *kind = TARO_MESSAGE_BINARY;
    if (napi_get_arraybuffer_info(env, argv[2], &bytes, &bytes_len) != napi_ok)
        return throw_named(env, "data", "cannot be read");
    if (!read_integer(env, argv[3], 0, (double)bytes_len, &offset, "offset")) return false;
    if (!read_integer(env, argv[4], 0, (double)bytes_len - offset, &len, "length")) return false;
    *payload = len > 0 ? (taro_str){(const char *)bytes + (size_t)offset, (size_t)len} : (taro_str){NULL, 0};
    return true;
}

/* send(call, socket, data, offset, length): a status */
static napi_value bridge_send(napi_env env, napi_callback_info info) {
    napi_value argv[5], result = NULL;
    char small[2048];
    struct arena arena = {NULL};
    taro_socket socket;
    uint32_t kind = 0;
    taro_str payload = {NULL, 0};
    double id;
    struct binding *binding = enter(env, info, 5, argv);
    if (!binding) return NULL;
    if (read_integer(env, argv[0], 0, MAX_INTEGER, &id, "call") && read_socket(env, argv[1], &socket)
        && read_payload(env, argv, small, sizeof small, &arena, &kind, &payload)) {
        taro_status status;
        if (id == 0) {
            status = kind == TARO_MESSAGE_TEXT ? taro_socket_send_text(socket, payload.ptr, payload.len)
                                               : taro_socket_send_binary(socket, payload.ptr, payload.len);
            result = js_int(env, status);
        } else {
            taro_send_options options = TARO_SEND_OPTIONS_INIT;
            options.kind = kind;
            options.data = payload.ptr;
            options.data_len = payload.len;
            options.complete = on_complete;
            options.release = call_release;
            options.user_data = call_make(binding, id);
            if (options.user_data) {
                status = taro_socket_send(socket, &options);
                if (is_misuse(status)) call_release(options.user_data);
                result = js_int(env, status);
            } else {
                throw_memory(env);
            }
        }
    }
    arena_free(&arena);
    return result;
}

/* close(call, socket, code, reason): a status */
static napi_value bridge_close(napi_env env, napi_callback_info info) {
    napi_value argv[4], result = NULL;
    char small[256];
    struct arena arena = {NULL};
    taro_close_options options = TARO_CLOSE_OPTIONS_INIT;
    taro_socket socket;
    double id, code;
    struct binding *binding = enter(env, info, 4, argv);
    if (!binding) return NULL;
    if (read_integer(env, argv[0], 0, MAX_INTEGER, &id, "call") && read_socket(env, argv[1], &socket)
        && read_integer(env, argv[2], 0, UINT32_MAX, &code, "code")
        && read_text(env, argv[3], small, sizeof small, &arena, &options.reason, "reason")) {
        options.code = (uint32_t)code;
        if (id != 0) {
            options.complete = on_complete;
            options.release = call_release;
            options.user_data = call_make(binding, id);
        }
        if (id == 0 || options.user_data) {
            taro_status status = taro_socket_close(socket, &options);
            if (options.user_data && is_misuse(status)) call_release(options.user_data);
            result = js_int(env, status);
        } else {
            throw_memory(env);
        }
    }
    arena_free(&arena);
    return result;
}

/* refuse(call, api, status, subject): a status; a call that the script itself refuses */
static napi_value bridge_refuse(napi_env env, napi_callback_info info) {
    napi_value argv[4], result = NULL;
    char small[256];
    struct arena arena = {NULL};
    taro_refuse_options options = TARO_REFUSE_OPTIONS_INIT;
    double id, api, code;
    struct binding *binding = enter(env, info, 4, argv);
    if (!binding) return NULL;
    if (read_integer(env, argv[0], 1, MAX_INTEGER, &id, "call")
        && read_integer(env, argv[1], 0, UINT32_MAX, &api, "api")
        && read_integer(env, argv[2], INT32_MIN, INT32_MAX, &code, "status")
        && read_text(env, argv[3], small, sizeof small, &arena, &options.subject, "subject")) {
        options.call = (uint32_t)api;
        options.app = binding->app;
        options.status = (taro_status)code;
        options.complete = on_complete;
        options.release = call_release;
        options.user_data = call_make(binding, id);
        if (options.user_data) {
            taro_status status = taro_app_refuse_call(&options);
            if (status != TARO_STATUS_OK) call_release(options.user_data);
            result = js_int(env, status);
        } else {
            throw_memory(env);
        }
    }
    arena_free(&arena);
    return result;
}

static napi_value bridge_state(napi_env env, napi_callback_info info) {
    napi_value argv[1];
    taro_socket socket;
    uint32_t state;
    if (!enter(env, info, 1, argv) || !read_socket(env, argv[0], &socket)) return NULL;
    if (taro_socket_get_ready_state(socket, &state) != TARO_STATUS_OK) state = TARO_READY_STATE_CLOSED;
    return js_int(env, (int32_t)state);
}

static napi_value bridge_buffered_amount(napi_env env, napi_callback_info info) {
    napi_value argv[1];
    taro_socket socket;
    uint64_t bytes;
    if (!enter(env, info, 1, argv) || !read_socket(env, argv[0], &socket)) return NULL;
    if (taro_socket_get_buffered_amount(socket, &bytes) != TARO_STATUS_OK) bytes = 0;
    return js_number(env, (double)bytes);
}

static napi_value bridge_global_socket(napi_env env, napi_callback_info info) {
    taro_socket socket;
    struct binding *binding = enter(env, info, 0, NULL);
    if (!binding) return NULL;
    if (taro_app_get_global_socket(binding->app, &socket) != TARO_STATUS_OK) socket = 0;
    return js_number(env, (double)socket);
}

static napi_value bridge_release(napi_env env, napi_callback_info info) {
    napi_value argv[1];
    taro_socket socket;
    if (enter(env, info, 1, argv) && read_socket(env, argv[0], &socket)) taro_socket_release(socket);
    return NULL;
}

static napi_value bridge_listen(napi_env env, napi_callback_info info) {
    napi_value argv[1], holder;
    struct binding *binding = enter(env, info, 1, argv);
    if (!binding) return NULL;
    if (!has_type(env, argv[0], napi_function) && !has_type(env, argv[0], napi_null)) {
        throw_named(env, "handler", "must be a function or null");
        return NULL;
    }
    if (napi_get_reference_value(env, binding->holder, &holder) == napi_ok && holder)
        napi_set_named_property(env, holder, "handler", argv[0]);
    return NULL;
}

static napi_value bridge_report(napi_env env, napi_callback_info info) {
    napi_value argv[1];
    if (enter(env, info, 1, argv)) napi_fatal_exception(env, argv[0]);
    return NULL;
}

/* --- the functions for the host */

static napi_value host_set_background(napi_env env, napi_callback_info info) {
    napi_value argv[1];
    bool background;
    struct binding *binding = enter(env, info, 1, argv);
    if (!binding) return NULL;
    if (napi_get_value_bool(env, argv[0], &background) != napi_ok)
        throw_named(env, "background", "must be a boolean");
    else
        throw_status(env, taro_app_set_background(binding->app, background), "taro_app_set_background");
    return NULL;
}

static napi_value host_network_changed(napi_env env, napi_callback_info info) {
    struct binding *binding = enter(env, info, 0, NULL);
    if (binding) throw_status(env, taro_app_network_changed(binding->app), "taro_app_network_changed");
    return NULL;
}

/* release(): also inside a handler, and twice */
static napi_value host_release(napi_env env, napi_callback_info info) {
    size_t argc = 0;
    void *data = NULL;
    if (napi_get_cb_info(env, info, &argc, NULL, NULL, &data) == napi_ok) binding_close(data);
    return NULL;
}

/* --- create(options) */

enum kind { KIND_FLAG, KIND_UINT32, KIND_INT32, KIND_BYTES, KIND_TEXT, KIND_TEXTS, KIND_FLAVOUR, KIND_OVERRIDES,
            KIND_CELLULAR };

#define OPTION(name, kind, field) { name, kind, offsetof(taro_app_options, field) }
static const struct option {
    const char *name;
    enum kind kind;
    size_t offset;
} OPTIONS[] = {
    OPTION("flavour", KIND_FLAVOUR, flavour),
    OPTION("singleSocket", KIND_FLAG, single_socket),
    OPTION("forbidWs", KIND_FLAG, forbid_ws),
    OPTION("maxSockets", KIND_UINT32, max_sockets),
    OPTION("timeoutMs", KIND_INT32, timeout_ms),
    OPTION("tlsInsecure", KIND_FLAG, tls_insecure),
    OPTION("allowList", KIND_TEXTS, allow_list),
    OPTION("referer", KIND_TEXT, referer),
    OPTION("addressOverrides", KIND_OVERRIDES, address_overrides),
    OPTION("caPem", KIND_TEXT, ca_pem),
    OPTION("caFile", KIND_TEXT, ca_file),
    OPTION("sendLimitBytes", KIND_BYTES, send_limit_bytes),
    OPTION("messageLimitBytes", KIND_BYTES, message_limit_bytes),
    OPTION("queueLimitBytes", KIND_BYTES, queue_limit_bytes),
    OPTION("pauseLimitBytes", KIND_BYTES, pause_limit_bytes),
    OPTION("pingIntervalMs", KIND_UINT32, ping_interval_ms),
    OPTION("pongTimeoutMs", KIND_UINT32, pong_timeout_ms),
    OPTION("idleTimeoutMs", KIND_UINT32, idle_timeout_ms),
    OPTION("backgroundGraceMs", KIND_UINT32, background_grace_ms),
    OPTION("closeTimeoutMs", KIND_UINT32, close_timeout_ms),
    OPTION("closeAfterError", KIND_FLAG, close_after_error),
    /* Not the app's: the interface for sockets with forceCellularNetwork. */
    { "cellularInterface", KIND_CELLULAR, 0 },
};
#define OPTION_COUNT (sizeof OPTIONS / sizeof OPTIONS[0])

static const char *const FLAVOURS[] = {"weapp", "alipay", "swan", "tt", "h5", "rn"};

static bool read_flavour(napi_env env, napi_value value, uint32_t *flavour) {
    char text[16] = "";
    size_t len;
    if (has_type(env, value, napi_string) && napi_get_value_string_utf8(env, value, text, sizeof text, &len) == napi_ok)
        for (uint32_t i = 0; i < sizeof FLAVOURS / sizeof FLAVOURS[0]; i++)
            if (len == strlen(FLAVOURS[i]) && memcmp(text, FLAVOURS[i], len) == 0) {
                *flavour = i;
                return true;
            }
    return throw_named(env, "flavour", "must be 'weapp', 'alipay', 'swan', 'tt', 'h5' or 'rn'");
}

/* An array of { from, to }. */
static bool read_overrides(napi_env env, napi_value value, struct arena *arena, taro_app_options *options) {
    static const char name[] = "addressOverrides";
    uint32_t len;
    if (!read_array(env, value, &len, name)) return false;
    taro_address_override *overrides = arena_take(arena, (size_t)len * sizeof *overrides + 1);
    if (!overrides) return throw_memory(env);
    for (uint32_t i = 0; i < len; i++) {
        napi_value element, from, to;
        if (napi_get_element(env, value, i, &element) != napi_ok) return false;
        if (!has_type(env, element, napi_object)) return throw_named(env, name, "must hold objects { from, to }");
        if (napi_get_named_property(env, element, "from", &from) != napi_ok
            || napi_get_named_property(env, element, "to", &to) != napi_ok)
            return false;
        if (!read_kept_text(env, from, arena, &overrides[i].from, "addressOverrides, from")
            || !read_kept_text(env, to, arena, &overrides[i].to, "addressOverrides, to"))
            return false;
    }
    options->address_overrides = overrides;
    options->address_overrides_len = len;
    return true;
}

static bool read_option(napi_env env, const struct option *option, napi_value value, struct arena *arena,
                        taro_app_options *options, taro_str *cellular) {
    char *field = (char *)options + option->offset;
    double number;
    bool flag;
    switch (option->kind) {
    case KIND_FLAG:
        if (napi_get_value_bool(env, value, &flag) != napi_ok)
            return throw_named(env, option->name, "must be a boolean");
        memcpy(field, &(uint32_t){flag}, sizeof(uint32_t));
        return true;
    case KIND_UINT32:
        if (!read_integer(env, value, 0, UINT32_MAX, &number, option->name)) return false;
        memcpy(field, &(uint32_t){(uint32_t)number}, sizeof(uint32_t));
        return true;
    case KIND_INT32:
        if (!read_integer(env, value, INT32_MIN, INT32_MAX, &number, option->name)) return false;
        memcpy(field, &(int32_t){(int32_t)number}, sizeof(int32_t));
        return true;
    case KIND_BYTES:
        if (!read_integer(env, value, 0, MAX_INTEGER, &number, option->name)) return false;
        memcpy(field, &(uint64_t){(uint64_t)number}, sizeof(uint64_t));
        return true;
    case KIND_TEXT:
        return read_kept_text(env, value, arena, (taro_str *)(void *)field, option->name);
    case KIND_TEXTS:
        return read_texts(env, value, arena, &options->allow_list, &options->allow_list_len, option->name);
    case KIND_FLAVOUR:
        return read_flavour(env, value, &options->flavour);
    case KIND_OVERRIDES:
        return read_overrides(env, value, arena, options);
    case KIND_CELLULAR:
        return read_kept_text(env, value, arena, cellular, option->name);
    }
    return true;
}

/* A name that is no option: most likely a slip of the pen. */
static bool check_names(napi_env env, napi_value object) {
    napi_value names;
    uint32_t len;
    if (napi_get_property_names(env, object, &names) != napi_ok || napi_get_array_length(env, names, &len) != napi_ok)
        return false;
    for (uint32_t i = 0; i < len; i++) {
        char text[64];
        size_t text_len, known = 0;
        napi_value name;
        if (napi_get_element(env, names, i, &name) != napi_ok) return false;
        if (napi_get_value_string_utf8(env, name, text, sizeof text, &text_len) != napi_ok) continue;
        while (known < OPTION_COUNT && strcmp(OPTIONS[known].name, text) != 0) known++;
        if (known == OPTION_COUNT) return throw_named(env, text, "is no option");
    }
    return true;
}

static bool read_options(napi_env env, napi_value object, struct arena *arena, taro_app_options *options,
                         taro_str *cellular) {
    if (has_type(env, object, napi_undefined)) return true;
    if (!has_type(env, object, napi_object)) return throw_type(env, "options must be an object");
    if (!check_names(env, object)) return false;
    for (size_t i = 0; i < OPTION_COUNT; i++) {
        napi_value value;
        if (napi_get_named_property(env, object, OPTIONS[i].name, &value) != napi_ok) return false;
        if (has_type(env, value, napi_undefined)) continue;
        if (!read_option(env, &OPTIONS[i], value, arena, options, cellular)) return false;
    }
    return true;
}

/* A binding with its app and its thread-safe functions; the holder is still to come. */
static struct binding *binding_make(napi_env env, taro_app_options *options, taro_str cellular) {
    napi_value name;
    taro_status status;
    struct binding *binding = calloc(1, sizeof *binding);
    if (!binding) {
        throw_memory(env);
        return NULL;
    }
    atomic_init(&binding->kept, 1);
    binding->env = env;
    binding->flavour = FLAVOURS[options->flavour];
    if (cellular.len && (binding->cellular = calloc(cellular.len + 1, 1)) != NULL)
        memcpy(binding->cellular, cellular.ptr, cellular.len);
    if (napi_create_string_utf8(env, "taro_socket", NAPI_AUTO_LENGTH, &name) != napi_ok) goto failed;
    for (int i = 0; i < 2; i++) {
        if (napi_create_threadsafe_function(env, NULL, NULL, name, 0, 1, binding, on_waker_gone, binding, on_turn,
                                            &binding->wakers[i]) != napi_ok) {
            binding->wakers[i] = NULL;
            goto failed;
        }
        atomic_fetch_add(&binding->kept, 1);
        napi_unref_threadsafe_function(env, binding->wakers[i]);
    }
    options->delivery = TARO_DELIVERY_HOST;
    options->wake = on_wake;
    options->user_data = binding;
    options->release = on_app_released;
    status = taro_app_create(options, &binding->app);
    if (status != TARO_STATUS_OK) {
        throw_status(env, status, "taro_app_create: an option is out of its range or cannot be understood");
        goto failed;
    }
    /* The app's; the first one becomes the holder's. */
    atomic_fetch_add(&binding->kept, 1);
    return binding;

failed:
    for (int i = 0; i < 2; i++)
        if (binding->wakers[i]) napi_release_threadsafe_function(binding->wakers[i], napi_tsfn_abort);
    binding_let_go(binding);
    return NULL;
}

/* A function of a binding: it holds the holder, so the binding outlives it. */
static bool add_function(napi_env env, napi_value object, const char *name, napi_callback body, struct binding *binding,
                         napi_value holder, napi_value key) {
    napi_value function;
    napi_property_descriptor held = {0};
    held.name = key;
    held.value = holder;
    held.attributes = napi_default;
    return napi_create_function(env, name, NAPI_AUTO_LENGTH, body, binding, &function) == napi_ok
        && napi_define_properties(env, function, 1, &held) == napi_ok
        && napi_set_named_property(env, object, name, function) == napi_ok;
}

static const struct method {
    const char *name;
    napi_callback body;
    bool for_host;
} METHODS[] = {
    {"connect", bridge_connect, false},
    {"send", bridge_send, false},
    {"close", bridge_close, false},
    {"refuse", bridge_refuse, false},
    {"state", bridge_state, false},
    {"bufferedAmount", bridge_buffered_amount, false},
    {"globalSocket", bridge_global_socket, false},
    {"release", bridge_release, false},
    {"listen", bridge_listen, false},
    {"report", bridge_report, false},
    {"setBackground", host_set_background, true},
    {"networkChanged", host_network_changed, true},
    {"release", host_release, true},
};

/* { bridge, setBackground, networkChanged, release } */
static bool expose(napi_env env, struct binding *binding, napi_value holder, napi_value host) {
    napi_value bridge, flavour, key, description;
    if (napi_create_object(env, &bridge) != napi_ok
        || napi_create_string_utf8(env, binding->flavour, NAPI_AUTO_LENGTH, &flavour) != napi_ok
        || napi_set_named_property(env, bridge, "flavour", flavour) != napi_ok
        || napi_set_named_property(env, host, "bridge", bridge) != napi_ok
        || napi_create_string_utf8(env, "taro_socket", NAPI_AUTO_LENGTH, &description) != napi_ok
        || napi_create_symbol(env, description, &key) != napi_ok)
        return false;
    for (size_t i = 0; i < sizeof METHODS / sizeof METHODS[0]; i++) {
        const struct method *method = &METHODS[i];
        napi_value object = method->for_host ? host : bridge;
        if (!add_function(env, object, method->name, method->body, binding, holder, key)) return false;
    }
    return true;
}

static napi_value create(napi_env env, napi_callback_info info) {
    size_t argc = 1;
    napi_value argv[1], host, holder;
    taro_app_options options = TARO_APP_OPTIONS_INIT;
    taro_str cellular = {NULL, 0};
    struct arena arena = {NULL};
    struct binding *binding = NULL;
    if (napi_get_cb_info(env, info, &argc, argv, NULL, NULL) != napi_ok) return NULL;
    if (read_options(env, argv[0], &arena, &options, &cellular)) binding = binding_make(env, &options, cellular);
    arena_free(&arena);
    if (!binding) return NULL;
    if (napi_create_object(env, &host) != napi_ok || napi_create_object(env, &holder) != napi_ok
        || napi_create_reference(env, holder, 0, &binding->holder) != napi_ok) {
        binding->closed = true;
        taro_app_release(binding->app);
        binding_let_go(binding);
        return NULL;
    }
    /* Behind the thread-safe functions: hooks run in the opposite order. */
    napi_add_env_cleanup_hook(env, on_env_ends, binding);
    if (napi_wrap(env, holder, binding, on_holder_gone, NULL, NULL) != napi_ok) {
        on_holder_gone(env, binding, NULL);
        return NULL;
    }
    if (!expose(env, binding, holder, host)) {
        binding_close(binding);
        return NULL;
    }
    return host;
}

static napi_value init(napi_env env, napi_value exports) {
    napi_value function, version;
    if (napi_create_function(env, "create", NAPI_AUTO_LENGTH, create, NULL, &function) != napi_ok
        || napi_set_named_property(env, exports, "create", function) != napi_ok
        || napi_create_string_utf8(env, taro_version(), NAPI_AUTO_LENGTH, &version) != napi_ok
        || napi_set_named_property(env, exports, "version", version) != napi_ok)
        return NULL;
    return exports;
}

#ifdef __OHOS__
static napi_module description = {
    .nm_version = 1,
    .nm_filename = NULL,
    .nm_register_func = init,
    .nm_modname = "taro_socket_node",
};

__attribute__((constructor)) void taro_socket_node_register(void);
__attribute__((constructor)) void taro_socket_node_register(void) {
    napi_module_register(&description);
}
#else
NAPI_MODULE_INIT() {
    return init(env, exports);
}
#endif
