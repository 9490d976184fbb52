#include "engine.h"

std::string built_in_engine(const std::string &wanted) {
#ifdef MINI_HOST_QUICKJS
    if (wanted.empty() || wanted == "quickjs") {
        return "quickjs";
    }
#endif
#ifdef MINI_HOST_JSC
    if (wanted.empty() || wanted == "jsc") {
        return "jsc";
    }
#endif
    return {};
}

std::unique_ptr<Engine> make_engine(const std::string &name, Host &host) {
#ifdef MINI_HOST_QUICKJS
    if (name == "quickjs") {
        return make_quickjs(host);
    }
#endif
#ifdef MINI_HOST_JSC
    if (name == "jsc") {
        return make_jsc(host);
    }
#endif
    (void)host;
    return nullptr;
}
