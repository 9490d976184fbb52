// What the kit's own files know of checks.
#ifndef TARO_TEST_CHECK_PARTS_H
#define TARO_TEST_CHECK_PARTS_H

#include "check.h"

// Name of the watchdog's thread; process.c does not count it.
#define CHECK_WATCHDOG "kit-watchdog"

// The test that a failing check names; NULL for none.
void check_subject(const struct test *test);

// Ends this process, or forked child, at once with that status and nothing else. Under valgrind a plain _exit
// would look for leaks first, where threads that have not ended, or that a forked child has not got, hold memory.
__attribute__((noreturn)) void check_exit(int status);

// 1 under valgrind.
int check_under_valgrind(void);

#endif
