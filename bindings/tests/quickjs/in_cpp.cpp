// The binding in a host of C++17: its header, its defaults, its end.
#include "taro_socket_quickjs.h"

#include <memory>
#include <string>

#include "check.h"

namespace {

void create_run_release() {
    std::unique_ptr<JSRuntime, decltype(&JS_FreeRuntime)> rt(JS_NewRuntime(), JS_FreeRuntime);
    std::unique_ptr<JSContext, decltype(&JS_FreeContext)> ctx(JS_NewContext(rt.get()), JS_FreeContext);
    taro_quickjs_options options{};
    taro_app_options app = TARO_APP_OPTIONS_INIT;
    app.flavour = TARO_FLAVOUR_SWAN;
    options.app = &app;
    std::string reported;
    options.report_data = &reported;
    options.report = [](JSContext *at, JSValueConst error, void *user_data) {
        const char *text = JS_ToCString(at, error);
        *static_cast<std::string *>(user_data) = text ? text : "";
        JS_FreeCString(at, text);
    };
    taro_quickjs *made = nullptr;
    CHECK_INT(taro_quickjs_create(ctx.get(), &options, &made), ==, TARO_STATUS_OK);
    std::unique_ptr<taro_quickjs, decltype(&taro_quickjs_release)> binding(made, taro_quickjs_release);

    const std::string script =
        "({ create(bridge) { bridge.listen((kind, socket, call, status) => { throw call + ' ' + status + bridge.flavour; });\n"
        "                    bridge.refuse(7, 1, -103, 'url'); return {}; } })";
    JSValue faces = taro_quickjs_load(binding.get(), script.data(), script.size());
    CHECK(JS_IsObject(faces));
    JS_FreeValue(ctx.get(), faces);
    size_t left = 1;
    CHECK_INT(taro_quickjs_dispatch(binding.get(), 0, &left), ==, TARO_STATUS_OK);
    CHECK_UINT(left, ==, 0);
    CHECK_TEXT(reported.c_str(), "7 -103swan");
}

const struct test tests[] = {
    TEST("-", create_run_release),
};

}  // namespace

TEST_MAIN(tests)
