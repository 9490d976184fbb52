#include "process.h"

#include <dirent.h>
#include <malloc.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <unistd.h>

#include "check_parts.h"
#include "child.h"

// --- files of /proc

enum { LINE_BYTES = 4096 };

// The line that begins like that, without the beginning; 0 if there is none.
static int find_line(const char *path, const char *begin, char *line, size_t size) {
    FILE *file = fopen(path, "re");
    int found = 0;
    while (file && !found && fgets(line, (int)size, file)) {
        found = strncmp(line, begin, strlen(begin)) == 0;
    }
    if (file) {
        fclose(file);
    }
    if (found) {
        line[strcspn(line, "\n")] = '\0';
        memmove(line, line + strlen(begin), strlen(line) - strlen(begin) + 1);
    }
    return found;
}

static long long find_number(const char *path, const char *begin) {
    char line[LINE_BYTES];
    return find_line(path, begin, line, sizeof(line)) ? strtoll(line, NULL, 10) : -1;
}

// --- descriptors

long process_descriptors(void) {
    DIR *folder = opendir("/proc/self/fd");
    struct dirent *entry;
    long count = -1; // the look's own
    if (!folder) {
        return -1;
    }
    while ((entry = readdir(folder)) != NULL) {
        count += entry->d_name[0] != '.';
    }
    closedir(folder);
    return count;
}

void process_descriptors_dump(void) {
    DIR *folder = opendir("/proc/self/fd");
    struct dirent *entry;
    while (folder && (entry = readdir(folder)) != NULL) {
        char target[256];
        const ssize_t len = readlinkat(dirfd(folder), entry->d_name, target, sizeof(target));
        if (len >= 0 && strtol(entry->d_name, NULL, 10) != dirfd(folder)) {
            fprintf(stderr, "  descriptor %s: %.*s\n", entry->d_name, (int)len, target);
        }
    }
    if (folder) {
        closedir(folder);
    }
}

// --- threads

// Whether a thread is on its way out of the kernel: one that was joined may be listed for a moment more.
static int is_exiting(const char *task) {
    enum { PF_EXITING = 4 };
    char path[320], line[LINE_BYTES];
    unsigned flags;
    snprintf(path, sizeof(path), "%s/stat", task);
    // Field 9; the name, field 2, may hold anything but ends with the last parenthesis.
    return !find_line(path, "", line, sizeof(line)) || !strrchr(line, ')') ||
           sscanf(strrchr(line, ')') + 1, " %*c %*d %*d %*d %*d %*d %u", &flags) != 1 || (flags & PF_EXITING);
}

// Calls `each` for every thread of that prefix, with the folder that tells about it; the watchdog is left out,
// and threads that end meanwhile. Returns how many there were, -1 where there is no /proc.
static long each_thread(const char *prefix, void (*each)(const char *folder, const char *name, void *context),
                        void *context) {
    DIR *folder = opendir("/proc/self/task");
    struct dirent *entry;
    long count = 0;
    if (!folder) {
        return -1;
    }
    while ((entry = readdir(folder)) != NULL) {
        char task[300], path[320], name[64];
        snprintf(task, sizeof(task), "/proc/self/task/%s", entry->d_name);
        snprintf(path, sizeof(path), "%s/comm", task);
        if (entry->d_name[0] == '.' || !find_line(path, "", name, sizeof(name)) || strcmp(name, CHECK_WATCHDOG) == 0 ||
            (prefix && strncmp(name, prefix, strlen(prefix)) != 0) || is_exiting(task)) {
            continue;
        }
        count++;
        if (each) {
            each(task, name, context);
        }
    }
    closedir(folder);
    return count;
}

long process_threads(const char *prefix) { return each_thread(prefix, NULL, NULL); }

static void print_thread(const char *folder, const char *name, void *unused) {
    (void)unused;
    fprintf(stderr, "  thread %s: %s\n", strrchr(folder, '/') + 1, name);
}

void process_threads_dump(void) { each_thread(NULL, print_thread, NULL); }

static void add_wakeups(const char *folder, const char *name, void *context) {
    long long *sum = context;
    char path[320];
    (void)name;
    snprintf(path, sizeof(path), "%s/status", folder);
    const long long own = find_number(path, "voluntary_ctxt_switches:");
    const long long forced = find_number(path, "nonvoluntary_ctxt_switches:");
    *sum += (own > 0 ? own : 0) + (forced > 0 ? forced : 0);
}

long long process_wakeups(const char *prefix) {
    long long sum = 0;
    return each_thread(prefix, add_wakeups, &sum) < 0 ? -1 : sum;
}

static void add_ticks(const char *folder, const char *name, void *context) {
    long long *sum = context;
    char path[320], line[LINE_BYTES];
    unsigned long user, kernel;
    (void)name;
    snprintf(path, sizeof(path), "%s/stat", folder);
    // Fields 14 and 15; the name, field 2, may hold anything but ends with the last parenthesis.
    if (find_line(path, "", line, sizeof(line)) && strrchr(line, ')') &&
        sscanf(strrchr(line, ')') + 1, " %*c %*d %*d %*d %*d %*d %*u %*u %*u %*u %*u %lu %lu", &user, &kernel) == 2) {
        *sum += (long long)user + (long long)kernel;
    }
}

long long process_ticks(const char *prefix) {
    long long sum = 0;
    return each_thread(prefix, add_ticks, &sum) < 0 ? -1 : sum;
}

static void and_blocked(const char *folder, const char *name, void *context) {
    uint64_t *blocked = context;
    char path[320], line[LINE_BYTES];
    (void)name;
    snprintf(path, sizeof(path), "%s/status", folder);
    if (find_line(path, "SigBlk:", line, sizeof(line))) {
        *blocked &= strtoull(line, NULL, 16);
    }
}

uint64_t process_blocked_signals(const char *prefix) {
    uint64_t blocked = UINT64_MAX;
    return each_thread(prefix, and_blocked, &blocked) > 0 ? blocked : 0;
}

// --- memory

int process_is_mapped(const char *path_end) {
    const size_t end_len = strlen(path_end);
    char line[LINE_BYTES];
    FILE *file = fopen("/proc/self/maps", "re");
    int found = file ? 0 : -1;
    while (file && found == 0 && fgets(line, sizeof(line), file)) {
        const size_t len = strcspn(line, "\n");
        found = len >= end_len && memcmp(line + len - end_len, path_end, end_len) == 0;
    }
    if (file) {
        fclose(file);
    }
    return found;
}

int process_under_asan(void) {
#if defined(__SANITIZE_ADDRESS__)
    return 1;
#elif defined(__has_feature)
#if __has_feature(address_sanitizer)
    return 1;
#else
    return 0;
#endif
#else
    return 0;
#endif
}

int process_under_valgrind(void) { return check_under_valgrind(); }

long long process_heap_bytes(void) {
#if defined(__GLIBC__) && (__GLIBC__ > 2 || __GLIBC_MINOR__ >= 33)
    if (!process_under_valgrind() && !process_under_asan()) {
        const struct mallinfo2 info = mallinfo2();
        return (long long)(info.uordblks + info.hblkhd);
    }
#endif
    return -1;
}

static long long kilobytes(const char *begin) {
    const long long number = find_number("/proc/self/status", begin);
    return number < 0 ? -1 : number * 1024;
}

long long process_resident_bytes(void) { return kilobytes("VmRSS:"); }

long long process_resident_peak_bytes(void) { return kilobytes("VmHWM:"); }

// --- other processes

static pid_t fork_run(int (*run)(void *context), void *context, int out) {
    fflush(stdout);
    fflush(stderr);
    const pid_t pid = fork();
    if (pid == 0) {
        prctl(PR_SET_PDEATHSIG, SIGKILL);
        if (out >= 0) {
            dup2(out, STDOUT_FILENO);
            dup2(out, STDERR_FILENO);
        }
        check_exit(run(context));
    }
    return pid;
}

int process_fork(const char *file, int line, int (*run)(void *context), void *context) {
    const pid_t pid = fork_run(run, context, -1);
    if (pid < 0) {
        check_fail(file, line, "no fork");
    }
    return child_wait(file, line, pid, "a forked child");
}

int process_fork_output(const char *file, int line, int (*run)(void *context), void *context, char *text,
                        size_t size) {
    FILE *output = tmpfile();
    const pid_t pid = output ? fork_run(run, context, fileno(output)) : -1;
    if (pid < 0) {
        check_fail(file, line, "no fork, or no temporary file");
    }
    const int status = child_wait(file, line, pid, "a forked child");
    rewind(output);
    text[fread(text, 1, size - 1, output)] = '\0';
    fclose(output);
    return status;
}

int process_spawn(const char *file, int line, const char *const *argv) {
    const pid_t pid = child_spawn(argv, -1, -1);
    if (pid < 0) {
        check_fail(file, line, "%s was not started: %s", argv[0], strerror(-pid));
    }
    return child_wait(file, line, pid, argv[0]);
}
