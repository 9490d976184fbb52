// The laws that hold for every record: recorder_check.
#include <stdlib.h>
#include <string.h>

#include "record.h"

// What has happened to one socket of a recording.
struct life {
    struct life *next;
    taro_socket socket;
    int completed;
    int opened;
    int failed;
    int closed;
};

// What has happened to a recording.
struct state {
    struct life *lives;
    const struct record **results; // those that no complete has followed
    size_t results_len;
    size_t results_capacity;
    size_t results_all;
    size_t releases;
};

static size_t calls_all(const struct recording_calls *calls) {
    return (size_t)calls->connects + calls->sends + calls->closes;
}

static void *checked(void *memory) {
    if (!memory) {
        FAIL("out of memory");
    }
    return memory;
}

static struct life *life_of(struct state *state, taro_socket socket) {
    for (struct life *life = state->lives; life; life = life->next) {
        if (life->socket == socket) {
            return life;
        }
    }
    struct life *life = checked(calloc(1, sizeof(*life)));
    life->socket = socket;
    life->next = state->lives;
    state->lives = life;
    return life;
}

static int same_str(taro_str a, taro_str b) { return a.len == b.len && (a.len == 0 || !memcmp(a.ptr, b.ptr, a.len)); }

static int same_result(const struct record *a, const struct record *b) {
    return a->socket == b->socket && a->status == b->status && a->err_no == b->err_no && a->code == b->code &&
           a->cause == b->cause && a->http_status == b->http_status && a->os_error == b->os_error &&
           a->tls_error == b->tls_error && same_str(a->err_msg, b->err_msg) && same_str(a->reason, b->reason) &&
           same_str(a->tls_detail, b->tls_detail) && same_str(a->detail, b->detail);
}

// Each returns what is wrong with the record, NULL if nothing is.

static const char *result(struct state *state, const struct record *record, size_t calls) {
    if ((record->kind == RECORD_SUCCESS) != (record->status == TARO_STATUS_OK)) {
        return "success and fail, and the status, do not agree";
    }
    state->results_all++;
    if (calls > 0 && state->results_all > calls) {
        return "more results than calls";
    }
    if (state->results_len == state->results_capacity) {
        state->results_capacity = state->results_capacity ? state->results_capacity * 2 : 8;
        state->results = checked(realloc(state->results, state->results_capacity * sizeof(*state->results)));
    }
    state->results[state->results_len++] = record;
    return NULL;
}

static const char *complete(struct state *state, const struct record *record, int partial) {
    life_of(state, record->socket)->completed = 1;
    for (size_t at = 0; at < state->results_len; at++) {
        if (same_result(state->results[at], record)) {
            state->results_len--;
            memmove(&state->results[at], &state->results[at + 1],
                    (state->results_len - at) * sizeof(*state->results));
            return NULL;
        }
    }
    if (partial) {
        return NULL;
    }
    return state->results_len > 0 ? "complete differs from success or fail" : "complete without success or fail";
}

static const char *event(struct state *state, const struct record *record, size_t calls, int partial) {
    struct life *life = life_of(state, record->socket);
    if (record->socket == 0) {
        return "an event without a socket";
    }
    if (calls > 0 && !life->completed && !partial) {
        return "an event before connect's complete";
    }
    if (life->closed) {
        return "an event after close";
    }
    if (life->failed && record->kind != RECORD_CLOSE) {
        return "an event after error that is no close";
    }
    switch (record->kind) {
    case RECORD_OPEN:
        if (life->opened) {
            return "a second open";
        }
        life->opened = 1;
        break;
    case RECORD_ERROR:
        life->failed = 1;
        break;
    case RECORD_CLOSE:
        life->closed = 1;
        break;
    default:
        if (!life->opened && !partial) {
            return "an event before open";
        }
    }
    return NULL;
}

static const char *fault(struct state *state, const struct record *record, size_t calls, int partial) {
    if (record->overlapped) {
        return "it began while another callback ran";
    }
    if (calls > 0 && state->releases == calls) {
        return record->kind == RECORD_RELEASE ? "more releases than calls" : "a callback after the last release";
    }
    switch (record->kind) {
    case RECORD_SUCCESS:
    case RECORD_FAIL:
        return result(state, record, calls);
    case RECORD_COMPLETE:
        return complete(state, record, partial);
    case RECORD_RELEASE:
        state->releases++;
        return NULL;
    default:
        return event(state, record, calls, partial);
    }
}

static void free_states(struct state *states, size_t len) {
    for (size_t at = 0; at < len; at++) {
        struct life *life = states[at].lives;
        while (life) {
            struct life *next = life->next;
            free(life);
            life = next;
        }
        free(states[at].results);
    }
    free(states);
}

void recorder_check_at(const char *file, int line, struct recorder *recorder) {
    monitor_lock(&recorder->monitor);
    struct state *states = checked(calloc(recorder->recordings_len + 1, sizeof(*states)));
    for (size_t at = 0; at < recorder->records_len; at++) {
        const struct record *record = recorder->records[at];
        if (record->kind == RECORD_MARK) {
            continue;
        }
        const size_t number = record->recording - 1;
        const char *what =
            fault(&states[number], record, calls_all(&recorder->recordings[number]), recorder->partial);
        if (what) {
            check_fail(file, line, "record %zu (%s of %s): %s", at, record_kind_name(record->kind),
                       record->label ? record->label : "-", what);
        }
        check_pass();
    }
    if (recorder->overlaps > 0) {
        check_fail(file, line, "callbacks that began while another one ran: %u", recorder->overlaps);
    }
    free_states(states, recorder->recordings_len);
    monitor_unlock(&recorder->monitor);
}
