#include "server.h"

#include <pthread.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "certs.h"
#include "child.h"
#include "control.h"
#include "wait.h"

// A string that lives until server_stop.
struct kept {
    struct kept *next;
    char *text;
};

enum { SHOWN_LOGS = 8, SHOWN_LINES = 80 };

static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
static struct {
    int started;
    pid_t owner; // a forked child has no server of its own
    struct child child;
    char *ca_file;
    char *other_ca_file;
    struct kept *kept;
    struct kept *ids; // of connections that the test has made, the last one first
} server;

// --- strings

static char *checked(char *text) {
    if (!text) {
        FAIL("out of memory");
    }
    return text;
}

__attribute__((format(printf, 1, 2))) static char *format(const char *how, ...) {
    va_list arguments;
    char *text;
    va_start(arguments, how);
    const int made = vasprintf(&text, how, arguments);
    va_end(arguments);
    return checked(made < 0 ? NULL : text);
}

static void push(struct kept **list, char *text) {
    struct kept *kept = malloc(sizeof(*kept));
    if (!kept) {
        FAIL("out of memory");
    }
    kept->text = text;
    kept->next = *list;
    *list = kept;
}

static const char *keep(char *text) {
    pthread_mutex_lock(&lock);
    push(&server.kept, text);
    pthread_mutex_unlock(&lock);
    return text;
}

static void free_list(struct kept **list) {
    while (*list) {
        struct kept *next = (*list)->next;
        free((*list)->text);
        free(*list);
        *list = next;
    }
}

static void remember_id(const char *id, size_t len) {
    struct kept *known;
    pthread_mutex_lock(&lock);
    for (known = server.ids; known; known = known->next) {
        if (strncmp(known->text, id, len) == 0 && known->text[len] == '\0') {
            break;
        }
    }
    if (!known) {
        push(&server.ids, checked(strndup(id, len)));
    }
    pthread_mutex_unlock(&lock);
}

static void remember_id_of(const char *url) {
    const char *at = strpbrk(url, "?&");
    while (at) {
        if (strncmp(at + 1, "id=", 3) == 0) {
            remember_id(at + 4, strcspn(at + 4, "&"));
            return;
        }
        at = strpbrk(at + 1, "?&");
    }
    remember_id("anon", 4);
}

// What follows the reply's first line.
static const char *lines_of(const char *reply) {
    const char *end = strchr(reply, '\n');
    return end ? end + 1 : "";
}

// --- what a failing check shows of it

static void show_log(uint16_t port, const char *id) {
    char *command = format("log %s", id);
    const char *why;
    char *log = control_exchange(port, command, clock_ns() + (int64_t)2000000000, &why);
    size_t lines = 0;
    const char *at = log ? lines_of(log) : "";
    for (const char *c = at; *c; c++) {
        lines += *c == '\n';
    }
    fprintf(stderr, "log of connection %s: %zu lines%s\n", id, lines, log ? "" : " (the server does not answer)");
    while (lines > SHOWN_LINES) {
        at = strchr(at, '\n') + 1;
        lines--;
    }
    while (*at) {
        const size_t len = strcspn(at, "\n");
        fprintf(stderr, "  %.*s\n", (int)(len < 300 ? len : 300), at);
        at += len + (at[len] == '\n');
    }
    free(log);
    free(command);
}

static void dump(void *unused) {
    (void)unused;
    if (!server.started || server.owner != getpid()) {
        return;
    }
    const long port = child_port(&server.child, "control");
    int shown = 0;
    for (const struct kept *id = server.ids; id && shown < SHOWN_LOGS && port > 0; id = id->next) {
        show_log((uint16_t)port, id->text);
        shown++;
    }
}

// --- start and stop

static void start(void) {
    static int registered;
    char *script = child_support_file("server.py");
    const char *certs = certs_folder();
    const char *const argv[] = {peer_python(), script, certs, NULL};
    child_start(&server.child, argv);
    free(script);
    server.ca_file = format("%s/ca.pem", certs);
    server.other_ca_file = format("%s/other_ca.pem", certs);
    server.owner = getpid();
    server.started = 1;
    check_dump_add(dump, NULL);
    if (!registered) {
        registered = 1;
        atexit(server_stop);
    }
}

void server_start(void) {
    pthread_mutex_lock(&lock);
    if (!server.started) {
        start();
    }
    pthread_mutex_unlock(&lock);
}

void server_stop(void) {
    pthread_mutex_lock(&lock);
    if (server.started && server.owner == getpid()) {
        check_dump_remove(dump, NULL);
        child_stop(&server.child);
        free(server.ca_file);
        free(server.other_ca_file);
        free_list(&server.kept);
        free_list(&server.ids);
        server.started = 0;
        certs_remove();
    }
    pthread_mutex_unlock(&lock);
}

// --- where it is

static uint16_t port_of(const char *file, int line, const char *listener) {
    server_start();
    const long port = child_port(&server.child, listener);
    if (port < 0 || port > UINT16_MAX) {
        check_fail(file, line, "no listener is called %s", listener);
    }
    return (uint16_t)port;
}

uint16_t server_port(const char *listener) { return port_of(__FILE__, __LINE__, listener); }

static const char *host_of(const char *listener) { return strcmp(listener, "ws6") == 0 ? "[::1]" : "127.0.0.1"; }

static const char *scheme_of(const char *listener) {
    return strncmp(listener, "wss", 3) == 0 || strncmp(listener, "tls", 3) == 0 ? "wss" : "ws";
}

const char *server_url(const char *file, int line, const char *listener, const char *host, const char *path, ...) {
    const unsigned port = port_of(file, line, listener);
    va_list arguments;
    char *rest;
    va_start(arguments, path);
    const int made = vasprintf(&rest, path, arguments);
    va_end(arguments);
    checked(made < 0 ? NULL : rest);
    char *url = format("%s://%s:%u%s", scheme_of(listener), host ? host : host_of(listener), port, rest);
    free(rest);
    remember_id_of(url);
    return keep(url);
}

const char *server_address(const char *listener) {
    const unsigned port = server_port(listener);
    return keep(format("%s:%u", host_of(listener), port));
}

const char *server_ca_file(void) {
    server_start();
    return server.ca_file;
}

const char *server_other_ca_file(void) {
    server_start();
    return server.other_ca_file;
}

// --- the control channel

// Takes the command; the reply is the kit's.
static const char *ask(const char *file, int line, char *command) {
    const char *why = NULL;
    const uint16_t port = port_of(file, line, "control");
    char *reply = control_exchange(port, command, deadline_in_ms(2 * WAIT_MS), &why);
    if (!reply) {
        check_fail(file, line, "server: %s: %s", command, why);
    }
    if (strncmp(reply, "error", 5) == 0) {
        check_fail(file, line, "server: %s: %.*s", command, (int)strcspn(reply, "\n"), reply);
    }
    free(command);
    return keep(reply);
}

static char *command_of(const char *how, va_list arguments) {
    char *command;
    return checked(vasprintf(&command, how, arguments) < 0 ? NULL : command);
}

const char *server_command(const char *file, int line, const char *command, ...) {
    va_list arguments;
    va_start(arguments, command);
    char *made = command_of(command, arguments);
    va_end(arguments);
    return ask(file, line, made);
}

long long server_number(const char *file, int line, const char *command, ...) {
    va_list arguments;
    va_start(arguments, command);
    char *made = command_of(command, arguments);
    va_end(arguments);
    const char *reply = ask(file, line, made);
    char *end;
    const long long number = strncmp(reply, "ok ", 3) == 0 ? strtoll(reply + 3, &end, 10) : -1;
    if (number < 0 || end == reply + 3) {
        check_fail(file, line, "server: no number: %s", reply);
    }
    return number;
}

const char *server_wait(const char *file, int line, const char *id, unsigned n, const char *pattern) {
    const int64_t ms = wait_left_ms(deadline_in_ms(WAIT_MS));
    remember_id(id, strlen(id));
    const char *reply = ask(file, line, format("wait %s %u %lld %s", id, n, (long long)ms, pattern));
    check_pass();
    return strncmp(reply, "ok ", 3) == 0 ? reply + 3 : reply;
}

const char *server_log(const char *file, int line, const char *id) {
    return lines_of(ask(file, line, format("log %s", id)));
}

// The n-th line that begins or has the text, in `len` bytes; NULL if there is none.
static const char *find_line(const char *log, const char *text, int at_begin, unsigned n, size_t *len) {
    while (*log) {
        *len = strcspn(log, "\n");
        const char *found = memmem(log, *len, text, strlen(text));
        if (found && (!at_begin || found == log) && --n == 0) {
            return log;
        }
        log += *len + (log[*len] == '\n');
    }
    return NULL;
}

unsigned server_log_count(const char *file, int line, const char *id, const char *text) {
    const char *log = server_log(file, line, id);
    unsigned count = 0;
    size_t len;
    while ((log = find_line(log, text, 0, 1, &len)) != NULL) {
        log += len + (log[len] == '\n');
        count++;
    }
    return count;
}

const char *server_header(const char *file, int line, const char *id, const char *name, unsigned n) {
    char *begin = format("header %s: ", name);
    size_t len;
    const char *found = find_line(server_log(file, line, id), begin, 1, n, &len);
    const size_t skipped = strlen(begin);
    free(begin);
    return found ? keep(checked(strndup(found + skipped, len - skipped))) : NULL;
}
