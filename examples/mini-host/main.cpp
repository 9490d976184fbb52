// A mini-program host as small as an honest one can be: see README.md.

#include <poll.h>
#include <sys/signalfd.h>
#include <unistd.h>

#include <algorithm>
#include <cmath>
#include <csignal>
#include <cstdio>
#include <memory>
#include <string>
#include <vector>

#include "app.h"
#include "engine.h"
#include "print.h"
#include "taro_socket.h"

using Apps = std::vector<std::unique_ptr<App>>;

static const char *const flavours[] = {"weapp", "alipay", "swan", "tt", "h5", "rn"};
static int quit_code = -1;

static void on_log(uint32_t level, const char *message, size_t message_len, void *) {
    std::string text(message, message_len);
    // Socket ids as the prelude prints them.
    unsigned long long id = 0;
    int end = 0;
    if (std::sscanf(message, "socket %llu%n", &id, &end) == 1) {
        text.replace(0, static_cast<size_t>(end), "socket " + std::to_string(id % 0x100000));
    }
    print_line("", level <= TARO_LOG_WARN ? "library!" : "library", text);
}

static void set_background(const Apps &apps, bool background) {
    print_line("", "host", background ? "background" : "foreground");
    for (const auto &app : apps) {
        if (!app->ended()) {
            app->set_background(background);
        }
    }
}

static void on_signal(const Apps &apps, uint32_t number) {
    if (number == SIGTSTP || number == SIGCONT) {
        set_background(apps, number == SIGTSTP);
    } else {
        quit_code = 128 + static_cast<int>(number);
    }
}

// False: the terminal is gone.
static bool on_key(const Apps &apps) {
    char keys[64];
    const ssize_t count = read(STDIN_FILENO, keys, sizeof keys);
    for (ssize_t at = 0; at < count; at++) {
        if (keys[at] == 'b' || keys[at] == 'f') {
            set_background(apps, keys[at] == 'b');
        } else if (keys[at] == 'q') {
            quit_code = 0;
        } else if (keys[at] == 'n') {
            for (const auto &app : apps) {
                if (!app->ended()) {
                    app->network_changed();
                }
            }
        }
    }
    return count > 0;
}

// The one loop: it waits for signals, keys, the library's descriptors and the next timer, and runs what has come.
static void run(const Apps &apps, int signals) {
    bool keys = isatty(STDIN_FILENO) != 0;
    while (quit_code < 0) {
        std::vector<pollfd> watched = {{signals, POLLIN, 0}, {keys ? STDIN_FILENO : -1, POLLIN, 0}};
        double wait = -1;
        bool live = false;
        for (const auto &app : apps) {
            if (app->ended()) {
                continue;
            }
            live = true;
            for (const int descriptor : app->descriptors()) {
                watched.push_back({descriptor, POLLIN, 0});
            }
            const double next = app->next_timer();
            wait = next < 0 ? wait : wait < 0 ? next : std::min(wait, next);
        }
        if (!live) {
            return;
        }
        // Rounded up: a timer that is not yet due would be looked at again and again.
        poll(watched.data(), watched.size(), wait < 0 ? -1 : static_cast<int>(std::min(std::ceil(wait), 1e9)));
        signalfd_siginfo signal;
        if (watched[0].revents != 0 && read(signals, &signal, sizeof signal) == sizeof signal) {
            on_signal(apps, signal.ssi_signo);
        }
        if (watched[1].revents != 0) {
            keys = on_key(apps);
        }
        for (const auto &app : apps) {
            if (!app->ended()) {
                app->turn();
            }
        }
    }
}

static int run_apps(const Options &options, int signals) {
    Apps apps;
    for (const std::string &path : options.apps) {
        apps.push_back(std::make_unique<App>(options, path));
        if (!apps.back()->start()) {
            return 1;
        }
    }
    run(apps, signals);
    int code = std::max(quit_code, 0);
    for (const auto &app : apps) {
        code = code == 0 ? app->exit_code() : code;
    }
    return code;
}

int main(int argc, char **argv) {
    Options options = parse_options(argc, argv);
    if (std::find(std::begin(flavours), std::end(flavours), options.flavour) == std::end(flavours)) {
        std::fprintf(stderr, "mini-host: there is no flavour %s\n", options.flavour.c_str());
        return 2;
    }
    const std::string engine = built_in_engine(options.engine);
    if (engine.empty()) {
        std::fprintf(stderr, "mini-host: built without the engine %s\n", options.engine.c_str());
        return 77;
    }
    options.engine = engine;

    // Before any thread is there: they inherit it, and the signals come by the descriptor alone. Not SIGUSR1, with
    // which JavaScriptCore stops threads on Linux.
    sigset_t mask;
    sigemptyset(&mask);
    for (const int number : {SIGTSTP, SIGCONT, SIGINT, SIGTERM}) {
        sigaddset(&mask, number);
    }
    sigprocmask(SIG_BLOCK, &mask, nullptr);
    const int signals = signalfd(-1, &mask, SFD_CLOEXEC);

    taro_init_options init = TARO_INIT_OPTIONS_INIT;
    init.log = on_log;
    init.log_level = options.timeline ? TARO_LOG_INFO : TARO_LOG_WARN;
    taro_status status = taro_init(&init);
    if (status != TARO_STATUS_OK) {
        std::fprintf(stderr, "mini-host: taro_init: %s\n", taro_status_name(status));
        return 1;
    }
    int code = run_apps(options, signals);
    status = taro_shutdown(10000);
    if (status != TARO_STATUS_OK) {
        std::fprintf(stderr, "mini-host: taro_shutdown: %s\n", taro_status_name(status));
        code = code == 0 ? 1 : code;
    }
    close(signals);
    return code;
}
