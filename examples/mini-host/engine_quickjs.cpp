// QuickJS in the mini host: quickjs-ng.

#include <cmath>
#include <cstdio>

#include "engine.h"
#include "taro_socket_quickjs.h"

namespace {

class QuickJs final : public Engine {
public:
    explicit QuickJs(Host &host) : host_(host), runtime_(JS_NewRuntime()), context_(JS_NewContext(runtime_)) {
        JS_SetContextOpaque(context_, this);
        JS_SetHostPromiseRejectionTracker(runtime_, on_rejection, this);
    }

    ~QuickJs() override {
        for (taro_quickjs *binding : bindings_) {
            taro_quickjs_release(binding);
        }
        JS_FreeValue(context_, functions_);
        JS_FreeContext(context_);
        JS_FreeRuntime(runtime_);
    }

    bool start(const std::string &script, const std::string &prelude, const std::string &facts) override {
        JSValue arguments[] = {
            JS_NewCFunction(context_, native, "native", 3),
            JS_NewCFunction(context_, read, "read", 1),
            JS_NewCFunction(context_, bridge_of, "bridgeOf", 1),
            evaluated(script, "taro_socket.js"),
            JS_NewStringLen(context_, facts.data(), facts.size()),
        };
        JSValue make = evaluated(prelude, "prelude.js");
        functions_ = JS_Call(context_, make, JS_UNDEFINED, 5, arguments);
        for (JSValue value : arguments) {
            JS_FreeValue(context_, value);
        }
        JS_FreeValue(context_, make);
        if (!JS_IsObject(functions_)) {
            JSValue error = JS_GetException(context_);
            std::fprintf(stderr, "mini-host: %s\n", text_of(error).c_str());
            JS_FreeValue(context_, error);
            return false;
        }
        return true;
    }

    void evaluate(const std::string &source, const std::string &name) override {
        done(evaluated(source, name.c_str()));
        run_microtasks();
    }

    double call(const char *function, const std::string &text) override {
        JSValue argument = JS_NewStringLen(context_, text.data(), text.size());
        const double answer = call_function(function, 1, &argument);
        JS_FreeValue(context_, argument);
        run_microtasks();
        return answer;
    }

    std::vector<taro_app> apps() const override {
        std::vector<taro_app> apps;
        for (const taro_quickjs *binding : bindings_) {
            apps.push_back(taro_quickjs_app(binding));
        }
        return apps;
    }

    bool dispatch(size_t app) override {
        size_t left = 0;
        return taro_quickjs_dispatch(bindings_[app], 1, &left) == TARO_STATUS_OK && left > 0;
    }

    void collect_garbage() override { JS_RunGC(runtime_); }

private:
    static QuickJs *of(JSContext *context) { return static_cast<QuickJs *>(JS_GetContextOpaque(context)); }

    std::string text_of(JSValueConst value) {
        size_t length = 0;
        const char *text = JS_ToCStringLen(context_, &length, value);
        std::string copy = text == nullptr ? std::string() : std::string(text, length);
        JS_FreeCString(context_, text);
        return copy;
    }

    JSValue evaluated(const std::string &source, const char *name) {
        return JS_Eval(context_, source.c_str(), source.size(), name, JS_EVAL_TYPE_GLOBAL);
    }

    double call_function(const char *name, int count, JSValueConst *arguments) {
        JSValue function = JS_GetPropertyStr(context_, functions_, name);
        JSValue answer = JS_Call(context_, function, JS_UNDEFINED, count, arguments);
        JS_FreeValue(context_, function);
        double number = std::nan("");
        if (JS_IsNumber(answer)) {
            JS_ToFloat64(context_, &number, answer);
        }
        done(answer);
        return number;
    }

    // The end of a call: an exception is reported.
    void done(JSValue answer) {
        if (JS_IsException(answer)) {
            JSValue error = JS_GetException(context_);
            on_report(context_, error, this);
            JS_FreeValue(context_, error);
        }
        JS_FreeValue(context_, answer);
    }

    void run_microtasks() {
        JSContext *context = nullptr;
        int status;
        while ((status = JS_ExecutePendingJob(runtime_, &context)) != 0) {
            if (status < 0) {
                done(JS_EXCEPTION);
            }
        }
    }

    static void on_report(JSContext *, JSValueConst error, void *user_data) {
        static_cast<QuickJs *>(user_data)->call_function("report", 1, &error);
    }

    static void on_rejection(JSContext *context, JSValueConst promise, JSValueConst reason, bool handled,
                             void *user_data) {
        JSValueConst arguments[] = {promise, reason, JS_NewBool(context, handled)};
        static_cast<QuickJs *>(user_data)->call_function("rejected", 3, arguments);
    }

    static JSValue native(JSContext *context, JSValueConst, int, JSValueConst *arguments) {
        QuickJs *self = of(context);
        double number = 0;
        JS_ToFloat64(context, &number, arguments[1]);
        const double answer = self->host_.native(self->text_of(arguments[0]), number, self->text_of(arguments[2]));
        return JS_NewFloat64(context, answer);
    }

    static JSValue read(JSContext *context, JSValueConst, int, JSValueConst *arguments) {
        std::string text;
        return of(context)->host_.read(of(context)->text_of(arguments[0]), &text)
            ? JS_NewStringLen(context, text.data(), text.size()) : JS_UNDEFINED;
    }

    static JSValue bridge_of(JSContext *context, JSValueConst, int, JSValueConst *arguments) {
        QuickJs *self = of(context);
        uint32_t flavour = 0;
        JS_ToUint32(context, &flavour, arguments[0]);
        taro_quickjs_options options = {};
        options.app = self->host_.app_options(flavour);
        options.report = on_report;
        options.report_data = self;
        taro_quickjs *binding = nullptr;
        const taro_status status = taro_quickjs_create(context, &options, &binding);
        if (status != TARO_STATUS_OK) {
            return JS_ThrowTypeError(context, "app.json or the command line: %s", taro_status_name(status));
        }
        self->bindings_.push_back(binding);
        return taro_quickjs_bridge(binding);
    }

    Host &host_;
    JSRuntime *runtime_;
    JSContext *context_;
    JSValue functions_ = JS_UNDEFINED;
    std::vector<taro_quickjs *> bindings_;
};

} // namespace

std::unique_ptr<Engine> make_quickjs(Host &host) { return std::make_unique<QuickJs>(host); }
