// Reading a record: waits, positions, sequences, the dump.
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "record.h"

const char *record_kind_name(int kind) {
    static const char *const names[] = {"any",   "success", "fail",  "complete", "open", "message",
                                        "error", "close",   "drain", "release",  "mark"};
    return kind >= 0 && kind <= RECORD_MARK ? names[kind] : "?";
}

static const char *label_name(const char *label) { return label ? label : "any label"; }

static int matches(const struct record *record, int kind, const char *label) {
    return (kind == 0 || (int)record->kind == kind) &&
           (!label || (record->label && strcmp(record->label, label) == 0));
}

// Where to look on: `at` and `found` grow with the record.
struct search {
    int kind;
    const char *label;
    size_t at;
    size_t found;
};

// Position of the n-th, -1 if there are fewer; under the lock.
static long look(const struct recorder *recorder, struct search *search, size_t n) {
    for (; search->at < recorder->records_len; search->at++) {
        if (matches(recorder->records[search->at], search->kind, search->label) && ++search->found == n) {
            return (long)search->at++;
        }
    }
    return -1;
}

const struct record *record_wait_at(const char *file, int line, struct recorder *recorder, int kind,
                                    const char *label, size_t n) {
    const int64_t deadline = deadline_in_ms(WAIT_MS);
    struct search search = {kind, label, 0, 0};
    long at;
    monitor_lock(&recorder->monitor);
    while ((at = look(recorder, &search, n)) < 0) {
        if (!monitor_wait(&recorder->monitor, deadline)) {
            check_fail(file, line, "waited in vain for %s of %s, number %zu: there are %zu", record_kind_name(kind),
                       label_name(label), n, search.found);
        }
    }
    const struct record *record = recorder->records[at];
    monitor_unlock(&recorder->monitor);
    check_pass();
    return record;
}

size_t record_count(struct recorder *recorder, int kind, const char *label) {
    struct search search = {kind, label, 0, 0};
    monitor_lock(&recorder->monitor);
    look(recorder, &search, SIZE_MAX);
    monitor_unlock(&recorder->monitor);
    return search.found;
}

long record_index(struct recorder *recorder, int kind, const char *label, size_t n) {
    struct search search = {kind, label, 0, 0};
    monitor_lock(&recorder->monitor);
    const long at = look(recorder, &search, n);
    monitor_unlock(&recorder->monitor);
    return at;
}

const struct record *record_find(struct recorder *recorder, int kind, const char *label, size_t n) {
    struct search search = {kind, label, 0, 0};
    monitor_lock(&recorder->monitor);
    const long at = look(recorder, &search, n);
    const struct record *record = at < 0 ? NULL : recorder->records[at];
    monitor_unlock(&recorder->monitor);
    return record;
}

size_t record_len(struct recorder *recorder) {
    monitor_lock(&recorder->monitor);
    const size_t len = recorder->records_len;
    monitor_unlock(&recorder->monitor);
    return len;
}

const struct record *record_at(struct recorder *recorder, size_t index) {
    monitor_lock(&recorder->monitor);
    const struct record *record = index < recorder->records_len ? recorder->records[index] : NULL;
    monitor_unlock(&recorder->monitor);
    return record;
}

taro_str record_header(const struct record *open, const char *name, size_t n) {
    const size_t len = strlen(name);
    size_t found = 0;
    for (size_t at = 0; at < open->headers_len; at++) {
        const taro_header *header = &open->headers[at];
        if (header->name.len == len && memcmp(header->name.ptr, name, len) == 0 && ++found == n) {
            return header->value;
        }
    }
    return (taro_str){NULL, 0};
}

// --- checks

void record_check_before(const char *file, int line, struct recorder *recorder, int kind_a, const char *label_a,
                         int kind_b, const char *label_b) {
    const long a = record_index(recorder, kind_a, label_a, 1);
    const long b = record_index(recorder, kind_b, label_b, 1);
    if (a < 0 || b < 0 || a >= b) {
        check_fail(file, line, "%s of %s (record %ld) is not before %s of %s (record %ld)", record_kind_name(kind_a),
                   label_name(label_a), a, record_kind_name(kind_b), label_name(label_b), b);
    }
    check_pass();
}

void record_check_sequence(const char *file, int line, struct recorder *recorder, const char *label,
                           const char *kinds) {
    const char *expected = kinds;
    int equal = 1;
    monitor_lock(&recorder->monitor);
    for (size_t at = 0; at < recorder->records_len && equal; at++) {
        const struct record *record = recorder->records[at];
        if (record->kind == RECORD_MARK || !matches(record, 0, label)) {
            continue;
        }
        const char *name = record_kind_name(record->kind);
        expected += strspn(expected, " ");
        equal = strcspn(expected, " ") == strlen(name) && strncmp(expected, name, strlen(name)) == 0;
        expected += equal ? strlen(name) : 0;
    }
    monitor_unlock(&recorder->monitor);
    if (!equal || expected[strspn(expected, " ")] != '\0') {
        check_fail(file, line, "the sequence of %s is not \"%s\"; from here on: \"%s\"", label_name(label), kinds,
                   expected);
    }
    check_pass();
}

const char *record_status_name(taro_status status) { return taro_status_name(status); }

void record_check_status(const char *file, int line, const char *what, taro_status is, taro_status expected) {
    if (is != expected) {
        check_fail(file, line, "%s: %s (%d), not %s (%d)", what, record_status_name(is), (int)is,
                   record_status_name(expected), (int)expected);
    }
    check_pass();
}

// --- the dump

enum { SHOWN_RECORDS = 200, SHOWN_BYTES = 120, INSIST_MS = 10 };

static void print_str(const char *name, taro_str str) {
    const int len = str.len < SHOWN_BYTES ? (int)str.len : SHOWN_BYTES;
    fprintf(stderr, " %s=\"", name);
    for (int at = 0; at < len; at++) {
        const unsigned char byte = (unsigned char)str.ptr[at];
        if (byte >= 0x20 && byte < 0x7f) {
            fputc(byte, stderr);
        } else {
            fprintf(stderr, "\\x%02x", byte);
        }
    }
    fprintf(stderr, str.len > SHOWN_BYTES ? "\"... (%zu bytes)" : "\"", str.len);
}

static void print_result(const struct record *record) {
    fprintf(stderr, " status=%s cause=%" PRIu32 " os_error=%" PRId32, record_status_name(record->status),
            record->cause, record->os_error);
    print_str("err_msg", record->err_msg);
    if (record->detail.len > 0) {
        print_str("detail", record->detail);
    }
    if (record->tls_detail.len > 0) {
        print_str("tls_detail", record->tls_detail);
    }
}

static void print_details(const struct record *record) {
    switch (record->kind) {
    case RECORD_SUCCESS:
    case RECORD_FAIL:
    case RECORD_COMPLETE:
    case RECORD_ERROR:
        print_result(record);
        break;
    case RECORD_OPEN:
        print_str("protocol", record->protocol);
        print_str("peer_address", record->peer_address);
        break;
    case RECORD_MESSAGE:
        print_str(record->message_kind == TARO_MESSAGE_TEXT ? "text" : "binary", record->data);
        break;
    case RECORD_CLOSE:
        fprintf(stderr, " code=%" PRIu32 " was_clean=%" PRIu32 " initiator=%" PRIu32 " cause=%" PRIu32
                        " os_error=%" PRId32, record->close_code, record->was_clean, record->initiator, record->cause,
                record->os_error);
        print_str("reason", record->reason);
        break;
    case RECORD_DRAIN:
        fprintf(stderr, " buffered_amount_bytes=%" PRIu64, record->buffered_amount_bytes);
        break;
    default:
        break;
    }
}

static void print_record(const struct record *record, size_t at, int64_t begin_ns) {
    fprintf(stderr, "  %4zu %8.3f ms thread %ld socket %" PRIu64 " %-8s %s%s%s", at,
            (double)(record->at_ns - begin_ns) / 1e6, record->thread, record->socket, record_kind_name(record->kind),
            record->label ? record->label : "-", record->overlapped ? " OVERLAPPED" : "",
            record->done ? "" : " RUNNING");
    print_details(record);
    fputc('\n', stderr);
}

// The failing thread may hold the lock, so this does not insist on it.
static int lock_if_free(struct recorder *recorder) {
    const int64_t deadline = clock_ns() + (int64_t)INSIST_MS * 1000000;
    do {
        if (pthread_mutex_trylock(&recorder->monitor.mutex) == 0) {
            return 1;
        }
    } while (wait_look_again(deadline));
    return 0;
}

void record_dump(struct recorder *recorder) {
    const int locked = lock_if_free(recorder);
    const size_t len = recorder->records_len;
    const size_t from = len > SHOWN_RECORDS ? len - SHOWN_RECORDS : 0;
    fprintf(stderr, "records: %zu, callbacks that run: %u%s\n", len, recorder->running,
            from > 0 ? "; the last ones:" : "");
    for (size_t at = from; at < len; at++) {
        print_record(recorder->records[at], at, recorder->records[0]->at_ns);
    }
    if (locked) {
        monitor_unlock(&recorder->monitor);
    }
}
