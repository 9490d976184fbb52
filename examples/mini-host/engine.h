// What the mini host wants from a script engine, and what an engine asks of the host. One engine runs one app: it has a
// runtime of its own, and all of it happens on one thread.

#ifndef MINI_HOST_ENGINE_H
#define MINI_HOST_ENGINE_H

#include <cstddef>
#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "taro_socket.h"

class Host {
public:
    virtual ~Host() = default;
    // The script's `native(operation, number, text)`, see prelude.js.
    virtual double native(const std::string &operation, double number, const std::string &text) = 0;
    // A file of the app. False: there is none.
    virtual bool read(const std::string &path, std::string *text) = 0;
    // The options of the library app of a flavour. They live as long as the host.
    virtual const taro_app_options *app_options(uint32_t flavour) = 0;
};

class Engine {
public:
    virtual ~Engine() = default;

    // Evaluates the library's script and the prelude, and calls the latter with native, read, bridgeOf, the former and
    // facts. The functions that it gives back are those of `call`. False: it was printed why not.
    virtual bool start(const std::string &script, const std::string &prelude, const std::string &facts) = 0;

    // Runs a script to its end, and the microtasks after it. An exception goes to the prelude's `report`.
    virtual void evaluate(const std::string &source, const std::string &name) = 0;

    // Calls a function of the prelude with a string, and runs the microtasks after it. NaN if it gave no number.
    virtual double call(const char *function, const std::string &text = {}) = 0;

    // The library apps of the bindings made so far, in order.
    virtual std::vector<taro_app> apps() const = 0;

    // Runs at most one event or result of an app, and the microtasks after it. True: more wait.
    virtual bool dispatch(size_t app) = 0;

    virtual void collect_garbage() = 0;
};

// Each is there only if it was built in.
std::unique_ptr<Engine> make_quickjs(Host &host);
std::unique_ptr<Engine> make_jsc(Host &host);

// The engine of that name, the first one for an empty name; empty if it was not built in.
std::string built_in_engine(const std::string &wanted);
std::unique_ptr<Engine> make_engine(const std::string &name, Host &host);

#endif
