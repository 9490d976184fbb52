// A host of scripts for the tests: a runtime, a context and a binding, and what its reports said.
#ifndef TARO_TEST_SCRIPT_HOST_H
#define TARO_TEST_SCRIPT_HOST_H

#include "check.h"
#include "server.h"
#include "taro_socket_quickjs.h"
#include "wait.h"

struct script_host {
    JSRuntime *rt;
    JSContext *ctx;
    taro_quickjs *binding;
    unsigned reports;
    char last_report[512];
    unsigned ends; // release functions of the app that ran
};

// Makes all of it. `app`: NULL for every default; the host puts its own user_data and release there. Scripts find the
// bridge as `bridge`, their events as arrays in `events`, in the order they came, and may set `on`, a function that
// gets each event, and `turns`, which says what has run.
void script_host_open(struct script_host *host, const taro_app_options *app);
// The same in a context that is there: the binding, and what scripts find.
void script_host_bind(struct script_host *host, const taro_app_options *app);
// Releases the binding, then the context and the runtime.
void script_host_close(struct script_host *host);
// Context and runtime alone.
void script_host_end_engine(struct script_host *host);

// Evaluates a script; an exception fails the test.
#define RUN(host, ...) script_run(__FILE__, __LINE__, (host), __VA_ARGS__)
__attribute__((format(printf, 4, 5)))
void script_run(const char *file, int line, struct script_host *host, const char *format, ...);

// What an expression is, as a string; lives until the next one. An exception is `Name: message`.
#define TEXT(host, ...) script_text(__FILE__, __LINE__, (host), __VA_ARGS__)
__attribute__((format(printf, 4, 5)))
const char *script_text(const char *file, int line, struct script_host *host, const char *format, ...);

// CHECK_SCRIPT(host, "open", "events[0][3]")
#define CHECK_SCRIPT(host, text, ...) CHECK_TEXT(TEXT((host), __VA_ARGS__), (text))
// A condition in JavaScript.
#define CHECK_TRUE(host, ...) CHECK_SCRIPT((host), "true", "String(!!(" __VA_ARGS__ "))")

// Waits for the app's descriptor and dispatches until the expression is true.
#define LOOP_UNTIL(host, ...) script_loop(__FILE__, __LINE__, (host), 0, __VA_ARGS__)
// The same, n events a dispatch.
#define LOOP_UNTIL_BY(host, n, ...) script_loop(__FILE__, __LINE__, (host), (n), __VA_ARGS__)
__attribute__((format(printf, 5, 6)))
void script_loop(const char *file, int line, struct script_host *host, size_t max_events, const char *format, ...);

// One wait for the descriptor, without a dispatch.
void script_wait(struct script_host *host);

// A native function for scripts, as a global; `magic` of JSCFunctionMagic is not used, `host` is found by script_host_of.
void script_define(struct script_host *host, const char *name, JSCFunction *function, int length);
struct script_host *script_host_of(JSContext *ctx);

#endif
