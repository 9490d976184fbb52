// Child processes of the kit: those that serve until their input ends, and those that are waited for.
#ifndef TARO_TEST_CHILD_H
#define TARO_TEST_CHILD_H

#include <stdint.h>
#include <sys/types.h>

#include "check.h"

// A program that prints its ports as one line of JSON, {"name": port, ...}, and ends when its input does.
struct child {
    pid_t pid;
    int in;      // its standard input; no other process has it
    int out;     // its standard output
    char *ports; // the line
};

// Starts it and waits for the line. argv[0] is looked up in PATH.
void child_start(struct child *child, const char *const *argv);
// Ends its input and waits until it has ended; frees what child_start made.
void child_stop(struct child *child);
// The number behind a name of the line; -1 if the name is not in it.
long child_port(const struct child *child, const char *name);

// Starts a program with the signals of a fresh process. `in` and `out` become its standard input and output;
// -1: this process's own. Returns its id, or minus the error.
pid_t child_spawn(const char *const *argv, int in, int out);
// Waits until it has ended: its exit status, or minus the signal that ended it. A child that does not end in
// time is killed, and the test fails.
int child_wait(const char *file, int line, pid_t pid, const char *what);

// Value of an environment variable, or the other if it is not set or empty.
const char *child_setting(const char *name, const char *otherwise);
// Path of a file of the support folder; free it.
char *child_support_file(const char *name);

#endif
