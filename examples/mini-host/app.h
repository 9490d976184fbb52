// One mini program: its folder, its engine, and a library app for each platform that its script touches.

#ifndef MINI_HOST_APP_H
#define MINI_HOST_APP_H

#include <memory>
#include <string>
#include <vector>

#include "engine.h"
#include "options.h"

class App final : public Host {
public:
    App(const Options &options, const std::string &path);
    ~App() override = default;
    App(const App &) = delete;
    App &operator=(const App &) = delete;

    // Reads app.json and runs the script. False: it could not be read; it was printed why.
    bool start();

    // Descriptors that are readable when the app has something to dispatch.
    std::vector<int> descriptors() const;
    // Runs what has come, and what timers are due.
    void turn();
    // Milliseconds until the next timer, -1 if there is none.
    double next_timer();
    // Nothing can happen any more, or the script said exit: then the engine and the sockets are gone.
    bool ended() const { return engine_ == nullptr; }
    int exit_code() const { return failed_ && code_ == 0 ? 1 : code_; }

    void set_background(bool background);
    void network_changed();

    double native(const std::string &operation, double number, const std::string &text) override;
    bool read(const std::string &path, std::string *text) override;
    const taro_app_options *app_options(uint32_t flavour) override;

private:
    void after_turn();
    void end_if_done();
    std::string facts(const std::string &engine) const;

    const Options &options_;
    std::string folder_, script_, name_;
    std::unique_ptr<Engine> engine_;
    bool exiting_ = false, failed_ = false, background_ = false;
    int code_ = 0;

    taro_app_options template_ = TARO_APP_OPTIONS_INIT;
    taro_app_options made_ = TARO_APP_OPTIONS_INIT;
    std::vector<std::string> domains_;
    std::vector<taro_str> allow_list_;
    std::vector<taro_address_override> overrides_;
};

#endif
