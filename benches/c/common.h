// What every C and C++ client of the benchmark shares: arguments, clocks, figures.
//
//     CLIENT SCENARIO URL SIZE COUNT [NAME=VALUE...]
//
// URL is ws://ADDRESS:PORT or wss://ADDRESS:PORT. A client ends with 0 and prints one `NAME NUMBER` a line; with 3 if
// it has no such scenario. README.md of this folder says what the scenarios are.
#ifndef BENCH_COMMON_H
#define BENCH_COMMON_H

#include <netinet/in.h>
#include <pthread.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <time.h>
#include <unistd.h>

// As many connects as a client has under way at a time in `conns`.
enum { CONNECTS_UNDER_WAY = 64, NO_SUCH_SCENARIO = 3 };

enum scenario { RTT, RTTX, RTTH, SEND, RECV, CONNS, FIRST, SCENARIOS };

struct plan {
    enum scenario scenario;
    const char *url, *address;
    int port, tls;
    size_t size;
    long count;
    long warm;       // round trips before the clock starts
    int text;        // recv: the messages are text
    int idle;        // conns: seconds of silence at the end
    const char *ca;  // PEM file to trust
    int64_t started; // first: when the program was executed, on the monotonic clock
    int64_t *laps;   // rtt…: ends of round trips; NULL unless asked for
    long lap;
    int64_t start_ns, start_cpu_ns;
    uint8_t *payload;
};

static inline int64_t clock_ns(clockid_t clock) {
    struct timespec now;
    clock_gettime(clock, &now);
    return now.tv_sec * INT64_C(1000000000) + now.tv_nsec;
}

static inline void fail(const char *what) {
    fprintf(stderr, "%s\n", what);
    exit(1);
}

static inline void report(const char *name, double value) { printf("%s %.17g\n", name, value); }

static inline void plan_option(struct plan *plan, const char *name, const char *value) {
    if (strcmp(name, "warm") == 0) {
        plan->warm = atol(value);
    } else if (strcmp(name, "kind") == 0) {
        plan->text = strcmp(value, "text") == 0;
    } else if (strcmp(name, "idle") == 0) {
        plan->idle = atoi(value);
    } else if (strcmp(name, "ca") == 0) {
        plan->ca = value;
    } else if (strcmp(name, "started") == 0) {
        plan->started = atoll(value);
    } else if (strcmp(name, "laps") == 0) {
        // Written once now, so that no page comes into being while the clock runs.
        plan->laps = (int64_t *)malloc((size_t)plan->count * sizeof *plan->laps);
        memset(plan->laps, 1, (size_t)plan->count * sizeof *plan->laps);
    } else {
        fail("unknown option");
    }
}

static inline enum scenario scenario_named(const char *name) {
    static const char *const names[SCENARIOS] = {"rtt", "rttx", "rtth", "send", "recv", "conns", "first"};
    int i = 0;
    while (i < SCENARIOS && strcmp(names[i], name) != 0) {
        i++;
    }
    if (i == SCENARIOS) {
        exit(NO_SUCH_SCENARIO);
    }
    return (enum scenario)i;
}

static inline struct plan plan_read(int argc, char **argv) {
    struct plan plan;
    struct rlimit files;
    static char address[256];
    memset(&plan, 0, sizeof plan);
    if (argc < 5 || sscanf(argv[2], "%*[^:]://%255[^:]:%d", address, &plan.port) != 2) {
        fail("usage: SCENARIO URL SIZE COUNT [NAME=VALUE...]");
    }
    plan.scenario = scenario_named(argv[1]);
    plan.url = argv[2];
    plan.address = address;
    plan.tls = strncmp(argv[2], "wss:", 4) == 0;
    plan.size = (size_t)atol(argv[3]);
    plan.count = atol(argv[4]);
    for (int i = 5; i < argc; i++) {
        char *value = strchr(argv[i], '=');
        if (!value) {
            fail("usage: NAME=VALUE");
        }
        *value++ = 0;
        plan_option(&plan, argv[i], value);
    }
    plan.payload = (uint8_t *)malloc(plan.size + 1);
    memset(plan.payload, 'x', plan.size + 1);
    if (getrlimit(RLIMIT_NOFILE, &files) == 0) {
        files.rlim_cur = files.rlim_max;
        setrlimit(RLIMIT_NOFILE, &files);
    }
    return plan;
}

// Which resource of the server a scenario talks to.
static inline const char *plan_path(const struct plan *plan) {
    return plan->scenario == SEND ? "/sink" : plan->scenario == RECV ? "/blast" : "/echo";
}

// What the server's /blast is asked with.
static inline const char *plan_wish(const struct plan *plan) {
    static char wish[64];
    snprintf(wish, sizeof wish, "%ld %zu %s", plan->count, plan->size, plan->text ? "text" : "binary");
    return wish;
}

static inline void plan_start(struct plan *plan) {
    plan->start_cpu_ns = clock_ns(CLOCK_PROCESS_CPUTIME_ID);
    plan->start_ns = clock_ns(CLOCK_MONOTONIC);
}

// The end of one round trip of `rtt`, `rttx` and `rtth`.
static inline void plan_lap(struct plan *plan) {
    if (plan->laps && plan->lap < plan->count) {
        plan->laps[plan->lap++] = clock_ns(CLOCK_MONOTONIC);
    }
}

static inline int compare_ns(const void *left, const void *right) {
    int64_t a = *(const int64_t *)left, b = *(const int64_t *)right;
    return a < b ? -1 : a > b;
}

static inline void plan_stop(struct plan *plan) {
    double elapsed = (double)(clock_ns(CLOCK_MONOTONIC) - plan->start_ns);
    double cpu = (double)(clock_ns(CLOCK_PROCESS_CPUTIME_ID) - plan->start_cpu_ns);
    report("elapsed_ns", elapsed);
    report("ns_per_message", elapsed / (double)plan->count);
    report("cpu_ns_per_message", cpu / (double)plan->count);
    if (plan->lap == plan->count && plan->lap > 0) {
        for (long i = plan->count - 1; i >= 0; i--) {
            plan->laps[i] -= i ? plan->laps[i - 1] : plan->start_ns;
        }
        qsort(plan->laps, (size_t)plan->count, sizeof *plan->laps, compare_ns);
        report("median_ns", (double)plan->laps[plan->count / 2]);
        report("p99_ns", (double)plan->laps[plan->count * 99 / 100]);
    }
}

// Memory of the process that is its own, in bytes: not that of files it maps.
static inline double own_memory(void) {
    char line[256];
    double kib = 0;
    FILE *status = fopen("/proc/self/status", "r");
    while (status && fgets(line, sizeof line, status)) {
        if (sscanf(line, "RssAnon: %lf", &kib) == 1) {
            break;
        }
    }
    if (status) {
        fclose(status);
    }
    return kib * 1024;
}

// Reports what `count` - 1 connections cost beyond the first one, then what all of them do in silence.
static inline void report_connections(struct plan *plan, double memory_of_first) {
    struct rusage before, after;
    double more = (double)(plan->count - 1);
    double elapsed = (double)(clock_ns(CLOCK_MONOTONIC) - plan->start_ns);
    double cpu = (double)(clock_ns(CLOCK_PROCESS_CPUTIME_ID) - plan->start_cpu_ns);
    report("connects_per_s", more / elapsed * 1e9);
    report("cpu_ns_per_connect", cpu / more);
    report("bytes_per_connection", (own_memory() - memory_of_first) / more);
    sleep(1); // what follows a connect is over
    getrusage(RUSAGE_SELF, &before);
    cpu = (double)clock_ns(CLOCK_PROCESS_CPUTIME_ID);
    sleep((unsigned)plan->idle);
    getrusage(RUSAGE_SELF, &after);
    report("idle_cpu_ns", (double)clock_ns(CLOCK_PROCESS_CPUTIME_ID) - cpu);
    // The thread that sleeps here wakes up once.
    report("idle_wakes", (double)(after.ru_nvcsw - before.ru_nvcsw - 1));
}

static inline void report_first(const struct plan *plan) {
    report("start_ns", (double)(clock_ns(CLOCK_MONOTONIC) - plan->started));
}

// A count that threads wait for.
struct gate {
    pthread_mutex_t mutex;
    pthread_cond_t changed;
    long count;
};

static inline void gate_init(struct gate *gate) {
    pthread_mutex_init(&gate->mutex, NULL);
    pthread_cond_init(&gate->changed, NULL);
    gate->count = 0;
}

static inline void gate_add(struct gate *gate) {
    pthread_mutex_lock(&gate->mutex);
    gate->count++;
    pthread_mutex_unlock(&gate->mutex);
    pthread_cond_signal(&gate->changed);
}

static inline long gate_count(struct gate *gate) {
    pthread_mutex_lock(&gate->mutex);
    long count = gate->count;
    pthread_mutex_unlock(&gate->mutex);
    return count;
}

static inline void gate_wait(struct gate *gate, long count) {
    pthread_mutex_lock(&gate->mutex);
    while (gate->count < count) {
        pthread_cond_wait(&gate->changed, &gate->mutex);
    }
    pthread_mutex_unlock(&gate->mutex);
}

#endif
