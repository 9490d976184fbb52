/*
 * taro_socket in QuickJS: gives the scripts of one JSContext `Taro.connectSocket` and its kin.
 *
 * See README.md beside this file for a whole host. In short:
 *
 *     taro_quickjs_options options = {0};
 *     taro_quickjs *binding;
 *     taro_quickjs_create(ctx, &options, &binding);
 *     JSValue faces = taro_quickjs_load(binding, script, script_len);   // taro_socket.js: { platform, Taro }
 *     ...
 *     taro_quickjs_dispatch(binding, 0, NULL);      // each time the app's descriptor is readable, or after wake
 *     ...
 *     taro_quickjs_release(binding);                // then JS_FreeContext, JS_FreeRuntime
 *
 * Threads: all functions are for the thread that runs the context. Several runtimes on several threads are fine,
 * and so are several bindings of one context or runtime.
 */
#ifndef TARO_SOCKET_QUICKJS_H
#define TARO_SOCKET_QUICKJS_H

#include <stddef.h>

#include <quickjs.h>

#include "taro_socket.h"

#ifdef __cplusplus
extern "C" {
#endif

/* One app of the library and its bridge into one context. */
typedef struct taro_quickjs taro_quickjs;

/* Zero-initialise it: zero is the default of every field. All is copied. */
typedef struct taro_quickjs_options {
    /*
     * Options of the app, NULL for all defaults. `delivery` is host delivery, whatever it says. wake, user_data and
     * release are the host's own and work as taro_socket.h says.
     */
    const taro_app_options *app;
    /*
     * An exception that a handler or a job of the script let through. It runs on the engine's thread, inside
     * taro_quickjs_dispatch or a function of the script, and must not release the context or the runtime. NULL: it is
     * printed to stderr.
     */
    void (*report)(JSContext *ctx, JSValueConst error, void *user_data);
    /* Given to report. */
    void *report_data;
    /* Name of the network interface for scripts that ask for the cellular network; NULL: that wish is ignored. */
    const char *cellular_interface;
} taro_quickjs_options;

/*
 * Makes the app and its bridge; `*binding` is NULL unless the answer is TARO_STATUS_OK. Answers as taro_app_create
 * does, and TARO_STATUS_NO_RESOURCES if the engine or the system has no memory.
 */
taro_status taro_quickjs_create(JSContext *ctx, const taro_quickjs_options *options, taro_quickjs **binding);

/* The app, for taro_app_set_background, taro_app_get_descriptor and the like. It belongs to the binding: release that. */
taro_app taro_quickjs_app(const taro_quickjs *binding);

/*
 * A new reference to the bridge, the object that taro_socket.js builds on. Once the context is gone, JS_EXCEPTION with
 * nothing to take.
 */
JSValue taro_quickjs_bridge(taro_quickjs *binding);

/*
 * Evaluates taro_socket.js and gives it the bridge. Returns what it makes, to be put where the scripts look: an object
 * with `platform` (what the flavour calls wx, my, swan or tt; undefined in h5 and rn) and `Taro`. Or an exception, to be
 * taken with JS_GetException. Call it once for a binding. The script needs no terminating NUL.
 */
JSValue taro_quickjs_load(taro_quickjs *binding, const char *script, size_t script_len);

/*
 * Runs what waits for the scripts: handlers, each as a turn of its own with the jobs (promise reactions) after it. Jobs
 * that wait already run first. `max_events` and `left` are those of taro_app_dispatch. Answers TARO_STATUS_BUSY inside a
 * handler, TARO_STATUS_BAD_HANDLE once the context is gone; else as taro_app_dispatch does.
 */
taro_status taro_quickjs_dispatch(taro_quickjs *binding, size_t max_events, size_t *left);

/*
 * Ends the app and all its sockets without a word, and gives the binding back; NULL does nothing. May be called inside
 * a handler: then nothing of the app runs afterwards, and jobs that wait are left to the host. From then on functions
 * of the bridge throw. ArrayBuffers of messages live as long as the script holds them. Before or after JS_FreeContext:
 * the end of the context ends the app too.
 */
void taro_quickjs_release(taro_quickjs *binding);

#ifdef __cplusplus
}
#endif

#endif
