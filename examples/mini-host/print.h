// The timeline: one line for each thing that happens, with the milliseconds since the start.

#ifndef MINI_HOST_PRINT_H
#define MINI_HOST_PRINT_H

#include <string>

double now_ms();

// `who` is the app's name. From any thread: the library's log comes from its own.
void print_line(const std::string &who, const std::string &kind, const std::string &text);

#endif
