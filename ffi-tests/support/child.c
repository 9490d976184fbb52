#include "child.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <spawn.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "wait.h"

extern char **environ;

enum { LINE_BYTES = 8192 };

const char *child_setting(const char *name, const char *otherwise) {
    const char *value = getenv(name);
    return value && *value ? value : otherwise;
}

char *child_support_file(const char *name) {
    const char *folder = child_setting("TARO_TEST_SUPPORT", NULL);
    const char *slash = strrchr(__FILE__, '/');
    char *path = NULL;
    int made;
    if (folder) {
        made = asprintf(&path, "%s/%s", folder, name);
    } else {
        made = asprintf(&path, "%.*s%s", slash ? (int)(slash - __FILE__) + 1 : 0, __FILE__, name);
    }
    if (made < 0) {
        FAIL("out of memory");
    }
    return path;
}

// --- start and end of any program

pid_t child_spawn(const char *const *argv, int in, int out) {
    posix_spawn_file_actions_t actions;
    posix_spawnattr_t attributes;
    sigset_t none, all;
    pid_t pid;
    sigemptyset(&none);
    sigfillset(&all);
    posix_spawn_file_actions_init(&actions);
    if (in >= 0) {
        posix_spawn_file_actions_adddup2(&actions, in, 0);
    }
    if (out >= 0) {
        posix_spawn_file_actions_adddup2(&actions, out, 1);
    }
    // The caller may be a thread that blocks signals.
    posix_spawnattr_init(&attributes);
    posix_spawnattr_setsigmask(&attributes, &none);
    posix_spawnattr_setsigdefault(&attributes, &all);
    posix_spawnattr_setflags(&attributes, POSIX_SPAWN_SETSIGMASK | POSIX_SPAWN_SETSIGDEF);
    const int error = posix_spawnp(&pid, argv[0], &actions, &attributes, (char *const *)(uintptr_t)argv, environ);
    posix_spawnattr_destroy(&attributes);
    posix_spawn_file_actions_destroy(&actions);
    return error == 0 ? pid : -error;
}

int child_wait(const char *file, int line, pid_t pid, const char *what) {
    const int64_t deadline = deadline_in_ms(WAIT_MS);
    int status;
    pid_t ended;
    while ((ended = waitpid(pid, &status, WNOHANG)) == 0 || (ended < 0 && errno == EINTR)) {
        if (!wait_look_again(deadline)) {
            kill(pid, SIGKILL);
            waitpid(pid, &status, 0);
            check_fail(file, line, "%s did not end in time", what);
        }
    }
    if (ended < 0) {
        check_fail(file, line, "%s: no such child: %s", what, strerror(errno));
    }
    return WIFSIGNALED(status) ? -WTERMSIG(status) : WEXITSTATUS(status);
}

// --- a program that serves

static void read_line(struct child *child, const char *const *argv) {
    const char *script = argv[1] ? argv[1] : "";
    const int64_t deadline = deadline_in_ms(WAIT_MS);
    char *line = calloc(1, LINE_BYTES);
    size_t used = 0;
    while (line && !strchr(line, '\n')) {
        struct pollfd ready = {child->out, POLLIN, 0};
        const int left = (int)wait_left_ms(deadline);
        if (left == 0) {
            FAIL("%s %s has not said its ports in time", argv[0], script);
        }
        if (poll(&ready, 1, left) <= 0) {
            continue;
        }
        const ssize_t got = read(child->out, line + used, LINE_BYTES - 1 - used);
        if (got == 0 || (got < 0 && errno != EINTR)) {
            FAIL("%s %s has ended without saying its ports", argv[0], script);
        }
        used += got > 0 ? (size_t)got : 0;
    }
    child->ports = line;
}

void child_start(struct child *child, const char *const *argv) {
    int in[2], out[2];
    if (pipe2(in, O_CLOEXEC) != 0 || pipe2(out, O_CLOEXEC) != 0) {
        FAIL("no pipe: %s", strerror(errno));
    }
    child->pid = child_spawn(argv, in[0], out[1]);
    child->in = in[1];
    child->out = out[0];
    child->ports = NULL;
    close(in[0]);
    close(out[1]);
    if (child->pid < 0) {
        FAIL("%s was not started: %s", argv[0], strerror(-child->pid));
    }
    read_line(child, argv);
}

void child_stop(struct child *child) {
    close(child->in);
    child_wait(__FILE__, __LINE__, child->pid, "a server whose input has ended");
    close(child->out);
    free(child->ports);
}

long child_port(const struct child *child, const char *name) {
    const size_t len = strlen(name);
    for (const char *at = child->ports; (at = strchr(at, '"')) != NULL; at++) {
        if (strncmp(at + 1, name, len) == 0 && at[1 + len] == '"') {
            const char *after = at + 2 + len;
            after += strspn(after, " ");
            if (*after == ':') {
                return strtol(after + 1, NULL, 10);
            }
        }
    }
    return -1;
}
