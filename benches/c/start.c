// start PROGRAM ARGUMENT...: runs the program in its own place, and tells it when that was.

#define _POSIX_C_SOURCE 200809L
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>
#include <unistd.h>

int main(int argc, char **argv) {
    static char started[64];
    char **arguments = calloc((size_t)argc + 1, sizeof *arguments);
    struct timespec now;
    for (int i = 1; i < argc; i++) {
        arguments[i - 1] = argv[i];
    }
    arguments[argc - 1] = started;
    clock_gettime(CLOCK_MONOTONIC, &now);
    snprintf(started, sizeof started, "started=%" PRId64, now.tv_sec * INT64_C(1000000000) + now.tv_nsec);
    execv(arguments[0], arguments);
    perror(arguments[0]);
    return 1;
}
