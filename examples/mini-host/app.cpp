#include "app.h"

#include <poll.h>

#include <cmath>
#include <cstdio>
#include <fstream>
#include <sstream>

#include "print.h"
#include "scripts.h"

static taro_str as_str(const std::string &text) { return {text.data(), text.size()}; }

static bool read_file(const std::string &path, std::string *text) {
    std::ifstream file(path, std::ios::binary);
    std::ostringstream content;
    // Copying nothing counts as a failure of the copy.
    if (!file || (file.peek() != EOF && !(content << file.rdbuf()))) {
        return false;
    }
    *text = content.str();
    return true;
}

static bool must_read(const std::string &path, std::string *text) {
    const bool is_there = read_file(path, text);
    if (!is_there) {
        std::fprintf(stderr, "mini-host: cannot read %s\n", path.c_str());
    }
    return is_there;
}

static std::string quoted(const std::string &text) {
    std::string out = "\"";
    for (const char byte : text) {
        static const char hex[] = "0123456789abcdef";
        const auto code = static_cast<unsigned char>(byte);
        if (byte == '"' || byte == '\\') {
            out += '\\';
            out += byte;
        } else if (code < 0x20) {
            out += std::string("\\u00") + hex[code >> 4] + hex[code & 15];
        } else {
            out += byte;
        }
    }
    return out + '"';
}

App::App(const Options &options, const std::string &path) : options_(options) {
    const bool is_script = path.size() > 3 && path.compare(path.size() - 3, 3, ".js") == 0;
    std::string folder = path;
    script_ = "app.js";
    if (is_script) {
        const size_t slash = path.rfind('/');
        folder = slash == std::string::npos ? "." : path.substr(0, slash);
        script_ = path.substr(slash == std::string::npos ? 0 : slash + 1);
        name_ = script_.substr(0, script_.size() - 3);
    }
    while (folder.size() > 1 && folder.back() == '/') {
        folder.pop_back();
    }
    folder_ = folder;
    if (!is_script) {
        name_ = folder.substr(folder.rfind('/') + 1);
    }
}

bool App::start() {
    std::string config, source, preload;
    if (!must_read(folder_ + "/app.json", &config) || !must_read(folder_ + "/" + script_, &source)
        || (!options_.preload.empty() && !must_read(options_.preload, &preload))) {
        return false;
    }
    template_.forbid_ws = 1;
    template_.ca_file = as_str(options_.ca_file);
    for (const auto &[from, to] : options_.resolve) {
        overrides_.push_back({as_str(from), as_str(to)});
    }
    engine_ = make_engine(options_.engine, *this);
    if (!engine_->start(taro_socket_script, prelude_script, facts(options_.engine))) {
        return false;
    }
    if (std::isnan(engine_->call("configure", config))) {
        std::fprintf(stderr, "mini-host: %s/app.json cannot be understood\n", folder_.c_str());
        return false;
    }
    if (!preload.empty()) {
        engine_->evaluate(preload, options_.preload);
    }
    engine_->evaluate(source, script_);
    after_turn();
    end_if_done();
    return true;
}

// What the prelude wants to know, as JSON.
std::string App::facts(const std::string &engine) const {
    std::string args;
    for (const std::string &arg : options_.args) {
        args += (args.empty() ? "" : ",") + quoted(arg);
    }
    return "{\"args\":[" + args + "],\"engine\":" + quoted(engine) + ",\"flavour\":" + quoted(options_.flavour)
        + ",\"timeline\":" + (options_.timeline ? "true" : "false") + "}";
}

double App::native(const std::string &operation, double number, const std::string &text) {
    const auto size = [&] { return number > 0 ? static_cast<uint64_t>(number) : 0; };
    const auto small = [&] { return number > 0 && number < 2e9 ? static_cast<uint32_t>(number) : 0; };
    if (operation == "now") {
        return now_ms();
    }
    if (operation.rfind("print ", 0) == 0) {
        print_line(name_, operation.substr(6), text);
    } else if (operation == "failed") {
        failed_ = true;
        print_line(name_, "error", text);
    } else if (operation == "exit") {
        exiting_ = true;
        code_ = static_cast<int>(number);
    } else if (operation == "gc") {
        engine_->collect_garbage();
    } else if (operation == "background") {
        set_background(number != 0);
    } else if (operation == "new app") {
        set_background(background_);
    } else if (operation == "config debug") {
        template_.forbid_ws = number == 0;
    } else if (operation == "config timeout") {
        template_.timeout_ms = static_cast<int32_t>(small());
    } else if (operation == "config domain") {
        domains_.push_back(text);
    } else if (operation == "config maxSockets") {
        template_.max_sockets = small();
    } else if (operation == "config sendBytes") {
        template_.send_limit_bytes = size();
    } else if (operation == "config messageBytes") {
        template_.message_limit_bytes = size();
    } else if (operation == "config backgroundGrace") {
        template_.background_grace_ms = small();
    } else if (operation == "config closeAfterError") {
        template_.close_after_error = number != 0;
    }
    return 0;
}

bool App::read(const std::string &path, std::string *text) { return read_file(folder_ + "/" + path, text); }

const taro_app_options *App::app_options(uint32_t flavour) {
    allow_list_.clear();
    for (const std::string &domain : domains_) {
        allow_list_.push_back(as_str(domain));
    }
    made_ = template_;
    made_.flavour = flavour;
    made_.allow_list = allow_list_.data();
    made_.allow_list_len = allow_list_.size();
    made_.address_overrides = overrides_.data();
    made_.address_overrides_len = overrides_.size();
    return &made_;
}

std::vector<int> App::descriptors() const {
    std::vector<int> found;
    for (const taro_app app : engine_->apps()) {
        int32_t descriptor = -1;
        if (taro_app_get_descriptor(app, &descriptor) == TARO_STATUS_OK) {
            found.push_back(descriptor);
        }
    }
    return found;
}

void App::turn() {
    for (size_t app = 0; app < engine_->apps().size(); app++) {
        // One at a time, since a rejection that no handler took is one when its turn has ended.
        for (int events = 0; events < 64 && !exiting_; events++) {
            const bool more = engine_->dispatch(app);
            after_turn();
            if (!more) {
                break;
            }
        }
    }
    // Not those that these timers start, however soon: events come in between.
    const std::string due = std::to_string(now_ms());
    while (!exiting_ && engine_->call("runTimer", due) == 1) {
        after_turn();
    }
    end_if_done();
}

double App::next_timer() { return engine_->call("nextTimer"); }

void App::after_turn() { engine_->call("turnEnded"); }

void App::end_if_done() {
    if (!exiting_ && (engine_->call("live") > 0 || engine_->call("nextTimer") >= 0)) {
        return;
    }
    for (const int descriptor : exiting_ ? std::vector<int>() : descriptors()) {
        pollfd watched = {descriptor, POLLIN, 0};
        if (poll(&watched, 1, 0) > 0) {
            return;
        }
    }
    engine_.reset();
}

void App::set_background(bool background) {
    background_ = background;
    for (const taro_app app : engine_->apps()) {
        taro_app_set_background(app, background ? 1 : 0);
    }
}

void App::network_changed() {
    for (const taro_app app : engine_->apps()) {
        taro_app_network_changed(app);
    }
}
