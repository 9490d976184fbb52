#include "print.h"

#include <chrono>
#include <cstdio>
#include <mutex>

static const auto start = std::chrono::steady_clock::now();
static std::mutex lock;

double now_ms() {
    return std::chrono::duration<double, std::milli>(std::chrono::steady_clock::now() - start).count();
}

void print_line(const std::string &who, const std::string &kind, const std::string &text) {
    const std::lock_guard<std::mutex> guard(lock);
    std::printf("%9.2f  %-12s %-8s", now_ms(), who.c_str(), kind.c_str());
    // A text may hold NULs.
    std::fwrite(text.data(), 1, text.size(), stdout);
    std::putchar('\n');
    std::fflush(stdout);
}
