#include "options.h"

#include <cstdio>
#include <cstdlib>
#include <cstring>

static const char usage[] =
    "mini-host [OPTION]... APP... [-- ARGUMENT...]\n"
    "\n"
    "Runs mini programs. APP is a folder with app.json and app.js, or another script in such a folder.\n"
    "\n"
    "  --engine quickjs|jsc                      the script engine; the first that was built in\n"
    "  --flavour weapp|alipay|swan|tt|h5|rn      the platform under Taro; weapp\n"
    "  --resolve HOST:PORT=ADDRESS:PORT          where connections to HOST:PORT go; repeatable\n"
    "  --ca FILE                                 PEM certificates to trust besides the system's\n"
    "  --preload FILE                            a script that runs in each app before its own\n"
    "  --timeline                                tells what sockets do, beside the scripts' console\n"
    "\n"
    "What stands after -- is host.args. SIGTSTP (Ctrl-Z) puts the apps in the background, SIGCONT in the foreground;\n"
    "at a terminal b and f with Enter do the same, n says that the network changed, q quits. The exit code is that of\n"
    "host.exit, or 1 after an exception or rejection that no script caught, else 0; 2: wrong usage; 77: the engine is\n"
    "not built in.\n";

[[noreturn]] static void refuse(const std::string &why) {
    std::fprintf(stderr, "mini-host: %s\n\n%s", why.c_str(), usage);
    std::exit(2);
}

Options parse_options(int argc, char **argv) {
    Options options;
    int at = 1;
    const auto value = [&](const char *name) -> std::string {
        if (++at >= argc) {
            refuse(std::string(name) + " wants a value");
        }
        return argv[at];
    };
    for (; at < argc && std::strcmp(argv[at], "--") != 0; at++) {
        const std::string word = argv[at];
        if (word == "--help") {
            std::fputs(usage, stdout);
            std::exit(0);
        } else if (word == "--engine") {
            options.engine = value("--engine");
        } else if (word == "--flavour") {
            options.flavour = value("--flavour");
        } else if (word == "--resolve") {
            const std::string pair = value("--resolve");
            const size_t sign = pair.find('=');
            if (sign == std::string::npos) {
                refuse("--resolve wants HOST:PORT=ADDRESS:PORT, not " + pair);
            }
            options.resolve.emplace_back(pair.substr(0, sign), pair.substr(sign + 1));
        } else if (word == "--ca") {
            options.ca_file = value("--ca");
        } else if (word == "--preload") {
            options.preload = value("--preload");
        } else if (word == "--timeline") {
            options.timeline = true;
        } else if (word.rfind("--", 0) == 0) {
            refuse("there is no option " + word);
        } else {
            options.apps.push_back(word);
        }
    }
    for (at++; at < argc; at++) {
        options.args.emplace_back(argv[at]);
    }
    if (options.apps.empty()) {
        refuse("which app?");
    }
    return options;
}
