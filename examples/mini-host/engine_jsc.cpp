// JavaScriptCore in the mini host, through its C API.

#include <JavaScriptCore/JavaScript.h>

#include <cmath>
#include <cstdio>

#include "engine.h"
#include "taro_socket_jsc.h"

// Not in the public headers. Without them rejections are not noticed, and garbage goes when the engine likes.
extern "C" {
__attribute__((weak)) void JSGlobalContextSetUnhandledRejectionCallback(JSGlobalContextRef, JSObjectRef, JSValueRef *);
__attribute__((weak)) void JSSynchronousGarbageCollectForDebugging(JSContextRef);
}

namespace {

class Jsc final : public Engine {
public:
    explicit Jsc(Host &host) : host_(host), group_(JSContextGroupCreate()) {
        context_ = JSGlobalContextCreateInGroup(group_, nullptr);
    }

    ~Jsc() override {
        for (taro_jsc *binding : bindings_) {
            taro_jsc_release(binding);
        }
        if (functions_ != nullptr) {
            JSValueUnprotect(context_, functions_);
        }
        JSGlobalContextRelease(context_);
        JSContextGroupRelease(group_);
    }

    bool start(const std::string &script, const std::string &prelude, const std::string &facts) override {
        JSValueRef error = nullptr;
        JSValueRef arguments[] = {function("native", native), function("read", read), function("bridgeOf", bridge_of),
                                  evaluated(script, "taro_socket.js", &error), string_value(facts)};
        JSValueRef make = error == nullptr ? evaluated(prelude, "prelude.js", &error) : nullptr;
        JSValueRef functions = make == nullptr ? nullptr
            : JSObjectCallAsFunction(context_, const_cast<JSObjectRef>(make), nullptr, 5, arguments, &error);
        if (functions == nullptr) {
            std::fprintf(stderr, "mini-host: %s\n", text_of(error).c_str());
            return false;
        }
        functions_ = const_cast<JSObjectRef>(functions);
        JSValueProtect(context_, functions_);
        if (JSGlobalContextSetUnhandledRejectionCallback != nullptr) {
            JSGlobalContextSetUnhandledRejectionCallback(context_, function_named("rejected"), nullptr);
        }
        return true;
    }

    void evaluate(const std::string &source, const std::string &name) override {
        JSValueRef error = nullptr;
        evaluated(source, name.c_str(), &error);
        report(error);
    }

    double call(const char *name, const std::string &text) override {
        JSValueRef argument = string_value(text);
        return call_function(name, argument);
    }

    std::vector<taro_app> apps() const override {
        std::vector<taro_app> apps;
        for (const taro_jsc *binding : bindings_) {
            apps.push_back(taro_jsc_app(binding));
        }
        return apps;
    }

    bool dispatch(size_t app) override {
        size_t left = 0;
        return taro_jsc_dispatch(bindings_[app], 1, &left) == TARO_STATUS_OK && left > 0;
    }

    void collect_garbage() override {
        if (JSSynchronousGarbageCollectForDebugging != nullptr) {
            JSSynchronousGarbageCollectForDebugging(context_);
        } else {
            JSGarbageCollect(context_);
        }
    }

private:
    // A string of the engine for as long as a call.
    class String {
    public:
        explicit String(const char *text) : ref_(JSStringCreateWithUTF8CString(text)) {}
        ~String() { JSStringRelease(ref_); }
        String(const String &) = delete;
        String &operator=(const String &) = delete;
        operator JSStringRef() const { return ref_; }

    private:
        JSStringRef ref_;
    };

    JSValueRef string_value(const std::string &text) { return JSValueMakeString(context_, String(text.c_str())); }

    std::string text_of(JSValueRef value) {
        JSStringRef string = JSValueToStringCopy(context_, value, nullptr);
        if (string == nullptr) {
            return {};
        }
        std::string text(JSStringGetMaximumUTF8CStringSize(string), '\0');
        // The length it gives counts the terminating NUL.
        text.resize(JSStringGetUTF8CString(string, &text[0], text.size()) - 1);
        JSStringRelease(string);
        return text;
    }

    // A plain function has no place for a pointer: this is an object that can be called.
    JSObjectRef function(const char *name, JSObjectCallAsFunctionCallback callback) {
        JSClassDefinition definition = kJSClassDefinitionEmpty;
        definition.className = name;
        definition.callAsFunction = callback;
        JSClassRef made = JSClassCreate(&definition);
        JSObjectRef object = JSObjectMake(context_, made, this);
        JSClassRelease(made);
        return object;
    }

    JSValueRef evaluated(const std::string &source, const char *name, JSValueRef *error) {
        return JSEvaluateScript(context_, String(source.c_str()), nullptr, String(name), 1, error);
    }

    JSObjectRef function_named(const char *name) {
        return const_cast<JSObjectRef>(JSObjectGetProperty(context_, functions_, String(name), nullptr));
    }

    double call_function(const char *name, JSValueRef argument) {
        JSValueRef error = nullptr;
        JSValueRef answer = JSObjectCallAsFunction(context_, function_named(name), nullptr, 1, &argument, &error);
        report(error);
        return answer != nullptr && JSValueIsNumber(context_, answer) ? JSValueToNumber(context_, answer, nullptr)
                                                                      : std::nan("");
    }

    void report(JSValueRef error) {
        if (error != nullptr) {
            call_function("report", error);
        }
    }

    static void on_report(JSContextRef, JSValueRef error, void *user_data) {
        static_cast<Jsc *>(user_data)->report(error);
    }

    static JSValueRef native(JSContextRef context, JSObjectRef function, JSObjectRef, size_t count,
                             const JSValueRef arguments[], JSValueRef *) {
        Jsc *self = static_cast<Jsc *>(JSObjectGetPrivate(function));
        if (count < 3) {
            return JSValueMakeUndefined(context);
        }
        const double number = JSValueToNumber(context, arguments[1], nullptr);
        return JSValueMakeNumber(context,
                                 self->host_.native(self->text_of(arguments[0]), number, self->text_of(arguments[2])));
    }

    static JSValueRef read(JSContextRef context, JSObjectRef function, JSObjectRef, size_t count,
                           const JSValueRef arguments[], JSValueRef *) {
        Jsc *self = static_cast<Jsc *>(JSObjectGetPrivate(function));
        std::string text;
        return count == 1 && self->host_.read(self->text_of(arguments[0]), &text) ? self->string_value(text)
                                                                                  : JSValueMakeUndefined(context);
    }

    static JSValueRef bridge_of(JSContextRef context, JSObjectRef function, JSObjectRef, size_t count,
                                const JSValueRef arguments[], JSValueRef *error) {
        Jsc *self = static_cast<Jsc *>(JSObjectGetPrivate(function));
        const double flavour = count == 1 ? JSValueToNumber(context, arguments[0], nullptr) : 0;
        taro_jsc_options options = {};
        options.app = self->host_.app_options(static_cast<uint32_t>(flavour));
        options.report = on_report;
        options.report_data = self;
        taro_jsc *binding = nullptr;
        const taro_status status = taro_jsc_create(self->context_, &options, &binding);
        if (status != TARO_STATUS_OK) {
            const std::string why = std::string("app.json or the command line: ") + taro_status_name(status);
            JSValueRef text = self->string_value(why);
            *error = JSObjectMakeError(context, 1, &text, nullptr);
            return JSValueMakeUndefined(context);
        }
        self->bindings_.push_back(binding);
        return taro_jsc_bridge(binding);
    }

    Host &host_;
    JSContextGroupRef group_;
    JSGlobalContextRef context_ = nullptr;
    JSObjectRef functions_ = nullptr;
    std::vector<taro_jsc *> bindings_;
};

} // namespace

std::unique_ptr<Engine> make_jsc(Host &host) { return std::make_unique<Jsc>(host); }
