// The server's control channel: a line there, a reply back.
#ifndef TARO_TEST_CONTROL_H
#define TARO_TEST_CONTROL_H

#include <stdint.h>

// Sends the command on a connection of its own, so that nobody waits for another one's reply. Returns the
// reply without its last line end, after `log` with the lines that follow `ok N`; free it. NULL if none came
// until the deadline: `why` says more.
char *control_exchange(uint16_t port, const char *command, int64_t deadline, const char **why);

#endif
