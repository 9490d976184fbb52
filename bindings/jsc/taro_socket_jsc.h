/**
 * libtaro_socket under JavaScriptCore: the native half of wx, my, swan, tt and Taro.connectSocket. The other half
 * is bindings/js/taro_socket.js.
 *
 *     taro_jsc_options options = {0};
 *     taro_jsc *binding;
 *     taro_jsc_create(context, &options, &binding);
 *     JSValueRef faces = taro_jsc_load(binding, script, script_len, &exception);   // { platform, Taro }
 *     ... the host puts them into the global object and runs the app's script ...
 *     taro_jsc_dispatch(binding, 64, NULL);   // whenever the app's descriptor is readable, or after wake
 *     ...
 *     taro_jsc_release(binding);
 *     JSGlobalContextRelease(context);
 *
 * THREADS
 *
 * A binding belongs to one context. All functions here are called on the thread that runs this context's scripts.
 * Contexts on other threads have bindings of their own; nothing is shared. The handler of events, and with it the
 * script's callbacks, run inside taro_jsc_dispatch only. Each event is a turn of its own: the engine's microtasks
 * run out before the next one. For that taro_jsc_dispatch must be called from the host's loop, not from a function
 * that a script has called.
 *
 * OWNERSHIP
 *
 * The binding holds the context (JSGlobalContextRetain) until its release: the two may be released in either order.
 * Objects that the script still has after the release are harmless: functions of the bridge throw, ArrayBuffers of
 * messages live until they are collected, also beyond taro_shutdown.
 *
 * Run with JavaScriptCore 2.50.6 (WebKitGTK). Nothing but its public C API is used.
 */
#ifndef TARO_SOCKET_JSC_H
#define TARO_SOCKET_JSC_H

#include <JavaScriptCore/JavaScript.h>
#include <stddef.h>

#include "taro_socket.h"

#ifdef __cplusplus
extern "C" {
#endif

/** The binding of one context to one app of the library. */
typedef struct taro_jsc taro_jsc;

/** Options of taro_jsc_create. Zero-initialise: 0 and NULL mean the default. */
typedef struct taro_jsc_options {
    /**
     * The app's options; NULL means every default. delivery is set to host. wake, user_data and release are the
     * host's own and passed through.
     */
    const taro_app_options *app;
    /**
     * An exception that a callback of the script threw; `error` lives until it returns. NULL: printed to stderr, as
     * is what a script throws after it had the binding released. May release the binding.
     */
    void (*report)(JSContextRef ctx, JSValueRef error, void *user_data);
    /** Given to report. */
    void *report_data;
    /**
     * The network interface of connects that ask for the mobile network (forceCellularNetwork), such as `pdp_ip0`.
     * NULL: they go where all others go. Copied.
     */
    const char *cellular_interface;
} taro_jsc_options;

/**
 * Makes a binding, and the app that it connects with.
 *
 * `ctx`: the context; not NULL. `options`: NULL means every default. `binding`: receives the binding, NULL on
 * error; not NULL.
 *
 * Returns: TARO_STATUS_OK; TARO_STATUS_NULL_POINTER; TARO_STATUS_NO_RESOURCES; TARO_STATUS_BAD_STRUCT_SIZE if the
 * app's options are longer than this file knows; else what taro_app_create answers. On any status but OK the app's
 * user_data was not taken.
 */
taro_status taro_jsc_create(JSGlobalContextRef ctx, const taro_jsc_options *options, taro_jsc **binding);

/** The app, for taro_app_get_descriptor, taro_app_set_background, taro_app_network_changed and their kin. */
taro_app taro_jsc_app(const taro_jsc *binding);

/** The bridge: the object of native functions that the script's create takes. The binding protects it. */
JSObjectRef taro_jsc_bridge(taro_jsc *binding);

/**
 * Evaluates taro_socket.js and calls its create with the bridge.
 *
 * `script`: its text, UTF-8; `script_len` bytes. `exception`: receives what was thrown; may be NULL.
 *
 * Returns: the object { platform, Taro }, unprotected; NULL if there was an exception.
 */
JSValueRef taro_jsc_load(taro_jsc *binding, const char *script, size_t script_len, JSValueRef *exception);

/**
 * Runs events that wait. `max_events` and `left` are those of taro_app_dispatch: 0 means all that wait now; `left`
 * receives the number that still wait, may be NULL.
 *
 * Returns: what taro_app_dispatch answers. If the binding was released meanwhile, nothing ran after that.
 */
taro_status taro_jsc_dispatch(taro_jsc *binding, size_t max_events, size_t *left);

/**
 * Ends the binding and its app: sockets end silently, nothing of the script runs any more. May be called inside a
 * callback of the script or report; `binding` is gone when it returns. NULL is accepted.
 */
void taro_jsc_release(taro_jsc *binding);

#ifdef __cplusplus
}
#endif

#endif
