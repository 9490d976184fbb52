// What the operating system knows about this process. Linux: elsewhere the numbers are -1, and a test that
// needs them skips itself.
#ifndef TARO_TEST_PROCESS_H
#define TARO_TEST_PROCESS_H

#include <stdint.h>

#include "check.h"

#ifdef __cplusplus
extern "C" {
#endif

// Open descriptors, without the one that the look itself takes.
long process_descriptors(void);
// Prints each open descriptor and what it is: for a test that finds one too many.
void process_descriptors_dump(void);

// Threads; those whose name begins with `prefix`, NULL for all. The watchdog of the tests' run is not counted.
long process_threads(const char *prefix);
// Prints each thread's name.
void process_threads_dump(void);
// How often the threads of that prefix were put on a processor, by their own will or not: context switches
// since they began. An idle thread's number stands still.
long long process_wakeups(const char *prefix);
// Processor time of the threads of that prefix, in clock ticks of the system.
long long process_ticks(const char *prefix);
// Signals that are blocked in the threads of that prefix, in all of them, bit 0 is signal 1; 0 if there are no
// such threads. Under valgrind it tells of valgrind's own doing.
uint64_t process_blocked_signals(const char *prefix);

// 1 if a file whose path ends like that is mapped.
int process_is_mapped(const char *path_end);

// Bytes that malloc has given out and not got back; -1 where that is not known, as under valgrind.
long long process_heap_bytes(void);
// Resident memory in bytes, and its highest mark.
long long process_resident_bytes(void);
long long process_resident_peak_bytes(void);

int process_under_valgrind(void);
// 1 if this program is built with AddressSanitizer.
int process_under_asan(void);

// Runs a function in a forked child and returns its exit status, or minus the signal that ended it. A child
// that does not end in time is killed, and the test fails. Checks in the child count there only: its exit
// status is what tells.
#define PROCESS_FORK(run, context) process_fork(__FILE__, __LINE__, (run), (context))
int process_fork(const char *file, int line, int (*run)(void *context), void *context);
// The same, and the beginning of what it prints on its output and error output, NUL-terminated.
#define PROCESS_FORK_OUTPUT(run, context, text, size) \
    process_fork_output(__FILE__, __LINE__, (run), (context), (text), (size))
int process_fork_output(const char *file, int line, int (*run)(void *context), void *context, char *text,
                        size_t size);

// Runs a program with arguments, argv[0] is its path; the same result.
#define PROCESS_SPAWN(argv) process_spawn(__FILE__, __LINE__, (argv))
int process_spawn(const char *file, int line, const char *const *argv);

#ifdef __cplusplus
}
#endif

#endif
