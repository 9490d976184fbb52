// What the command line says.

#ifndef MINI_HOST_OPTIONS_H
#define MINI_HOST_OPTIONS_H

#include <string>
#include <utility>
#include <vector>

struct Options {
    std::string engine;               // quickjs or jsc
    std::string flavour = "weapp";    // whose platform Taro is made over
    std::vector<std::pair<std::string, std::string>> resolve; // host:port of URLs, address:port in their place
    std::string ca_file;              // certificates to trust besides the system's
    std::string preload;              // a script that runs in every app before its own
    bool timeline = false;            // tell what the sockets do, beside the scripts' console
    std::vector<std::string> apps;    // folders with app.json and app.js, or another script in such a folder
    std::vector<std::string> args;    // host.args
};

// Exits with 2 and the usage if the command line cannot be understood.
Options parse_options(int argc, char **argv);

#endif
