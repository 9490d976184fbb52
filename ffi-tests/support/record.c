#include "record.h"

#include <stdlib.h>
#include <string.h>
#include <sys/syscall.h>
#include <unistd.h>

long record_thread(void) { return syscall(SYS_gettid); }

// --- copies: a list of blocks, freed with their record

struct copy {
    struct copy *next;
    max_align_t bytes[];
};

static void *allocate(size_t size) {
    void *memory = calloc(1, size);
    if (!memory) {
        FAIL("out of memory: %zu bytes", size);
    }
    return memory;
}

static void *copy_bytes(struct record *record, const void *from, size_t len, size_t more) {
    struct copy *copy = allocate(sizeof(*copy) + len + more);
    copy->next = record->copies;
    record->copies = copy;
    if (len > 0) {
        memcpy(copy->bytes, from, len);
    }
    return copy->bytes;
}

static taro_str copy_str(struct record *record, taro_str from) {
    taro_str to = {NULL, from.len};
    if (!from.ptr && from.len > 0) {
        FAIL("a text of %zu bytes is NULL", from.len);
    }
    if (from.ptr) {
        to.ptr = copy_bytes(record, from.ptr, from.len, 1);
    }
    return to;
}

static void record_free(struct record *record) {
    struct copy *copy = record->copies;
    while (copy) {
        struct copy *next = copy->next;
        free(copy);
        copy = next;
    }
    free(record);
}

// --- the recorder

static void dump(void *context) { record_dump(context); }

void recorder_init(struct recorder *recorder) {
    memset(recorder, 0, sizeof(*recorder));
    monitor_init(&recorder->monitor);
    check_dump_add(dump, recorder);
}

void recorder_end_at(const char *file, int line, struct recorder *recorder) {
    const int64_t deadline = deadline_in_ms(WAIT_MS);
    monitor_lock(&recorder->monitor);
    while (recorder->running > 0) {
        if (!monitor_wait(&recorder->monitor, deadline)) {
            check_fail(file, line, "callbacks that do not return: %u", recorder->running);
        }
    }
    monitor_unlock(&recorder->monitor);
    recorder_check_at(file, line, recorder);
    check_dump_remove(dump, recorder);
    for (size_t at = 0; at < recorder->records_len; at++) {
        record_free(recorder->records[at]);
    }
    free(recorder->records);
    free(recorder->recordings);
    monitor_destroy(&recorder->monitor);
    memset(recorder, 0, sizeof(*recorder));
}

// Room for one more; under the lock.
static void *grown(void *array, size_t len, size_t *capacity, size_t size) {
    if (len < *capacity) {
        return array;
    }
    *capacity = *capacity ? *capacity * 2 : 64;
    array = realloc(array, *capacity * size);
    if (!array) {
        FAIL("out of memory: %zu records", *capacity);
    }
    return array;
}

// Its number in the recorder; a new one for a recording that is new, wherever it stands. Under the lock.
static struct recording_calls *calls_of(struct recording *recording) {
    struct recorder *recorder = recording->recorder;
    if (recording->id == 0) {
        recorder->recordings = grown(recorder->recordings, recorder->recordings_len, &recorder->recordings_capacity,
                                     sizeof(*recorder->recordings));
        memset(&recorder->recordings[recorder->recordings_len], 0, sizeof(*recorder->recordings));
        recording->id = ++recorder->recordings_len;
    }
    return &recorder->recordings[recording->id - 1];
}

static void append(struct recorder *recorder, struct record *record) {
    recorder->records =
        grown(recorder->records, recorder->records_len, &recorder->records_capacity, sizeof(*recorder->records));
    recorder->records[recorder->records_len++] = record;
    monitor_changed(&recorder->monitor);
}

static struct record *record_new(enum record_kind kind, const char *label, taro_socket socket) {
    struct record *record = allocate(sizeof(*record));
    record->kind = kind;
    record->socket = socket;
    record->thread = record_thread();
    record->at_ns = clock_ns();
    if (label) {
        record->label = copy_bytes(record, label, strlen(label), 1);
    }
    return record;
}

void record_mark(struct recorder *recorder, const char *label) {
    struct record *record = record_new(RECORD_MARK, label, 0);
    record->done = 1;
    monitor_lock(&recorder->monitor);
    append(recorder, record);
    monitor_unlock(&recorder->monitor);
}

// --- one callback: begin, fill in, run

static struct record *begin(void *user_data, enum record_kind kind, taro_socket socket) {
    struct recording *recording = user_data;
    struct recorder *recorder = recording->recorder;
    struct record *record = record_new(kind, recording->label, socket);
    monitor_lock(&recorder->monitor);
    calls_of(recording);
    record->recording = recording->id;
    record->overlapped = recorder->running > 0;
    recorder->overlaps += recorder->running > 0;
    recorder->running++;
    monitor_unlock(&recorder->monitor);
    return record;
}

// Once a release is recorded, a recording without a hook may be gone.
static void run(void *user_data, struct record *record, const void *event) {
    struct recording *recording = user_data;
    struct recorder *recorder = recording->recorder;
    const recording_fn on = recording->on;
    monitor_lock(&recorder->monitor);
    append(recorder, record);
    monitor_unlock(&recorder->monitor);
    if (on) {
        on(recording, record, event);
    }
    monitor_lock(&recorder->monitor);
    record->done = 1;
    recorder->running--;
    monitor_changed(&recorder->monitor);
    monitor_unlock(&recorder->monitor);
}

static void on_result(enum record_kind kind, taro_socket socket, const taro_result *result, void *user_data) {
    struct record *record = begin(user_data, kind, socket);
    record->status = result->status;
    record->err_no = result->err_no;
    record->code = result->code;
    record->err_msg = copy_str(record, result->err_msg);
    record->reason = copy_str(record, result->reason);
    record->cause = result->cause;
    record->http_status = result->http_status;
    record->os_error = result->os_error;
    record->tls_error = result->tls_error;
    record->tls_detail = copy_str(record, result->tls_detail);
    record->detail = copy_str(record, result->detail);
    run(user_data, record, result);
}

void record_success(taro_socket socket, const taro_result *result, void *user_data) {
    on_result(RECORD_SUCCESS, socket, result, user_data);
}

void record_fail(taro_socket socket, const taro_result *result, void *user_data) {
    on_result(RECORD_FAIL, socket, result, user_data);
}

void record_complete(taro_socket socket, const taro_result *result, void *user_data) {
    on_result(RECORD_COMPLETE, socket, result, user_data);
}

void record_error(taro_socket socket, const taro_result *event, void *user_data) {
    on_result(RECORD_ERROR, socket, event, user_data);
}

void record_open(taro_socket socket, const taro_open_event *event, void *user_data) {
    struct record *record = begin(user_data, RECORD_OPEN, socket);
    taro_header *headers =
        copy_bytes(record, event->headers, event->headers_len * sizeof(*headers), sizeof(*headers));
    for (size_t at = 0; at < event->headers_len; at++) {
        headers[at].name = copy_str(record, headers[at].name);
        headers[at].value = copy_str(record, headers[at].value);
    }
    record->headers = headers;
    record->headers_len = event->headers_len;
    record->http_status = event->http_status;
    record->protocol = copy_str(record, event->protocol);
    record->extensions = copy_str(record, event->extensions);
    record->peer_address = copy_str(record, event->peer_address);
    record->tls_version = copy_str(record, event->tls_version);
    record->tls_cipher = copy_str(record, event->tls_cipher);
    record->profile = *event->profile;
    run(user_data, record, event);
}

void record_message(taro_socket socket, const taro_message_event *event, void *user_data) {
    struct record *record = begin(user_data, RECORD_MESSAGE, socket);
    record->message_kind = event->kind;
    record->message = event->message;
    record->data.ptr = copy_bytes(record, event->data, event->data_len, 1);
    record->data.len = event->data_len;
    run(user_data, record, event);
}

void record_close(taro_socket socket, const taro_close_event *event, void *user_data) {
    struct record *record = begin(user_data, RECORD_CLOSE, socket);
    record->close_code = event->code;
    record->reason = copy_str(record, event->reason);
    record->was_clean = event->was_clean;
    record->initiator = event->initiator;
    record->cause = event->cause;
    record->os_error = event->os_error;
    run(user_data, record, event);
}

void record_drain(taro_socket socket, const taro_drain_event *event, void *user_data) {
    struct record *record = begin(user_data, RECORD_DRAIN, socket);
    record->buffered_amount_bytes = event->buffered_amount_bytes;
    run(user_data, record, event);
}

void record_release(void *user_data) { run(user_data, begin(user_data, RECORD_RELEASE, 0), NULL); }

// --- options

static void count_call(struct recording *recording, unsigned connects, unsigned sends, unsigned closes) {
    monitor_lock(&recording->recorder->monitor);
    struct recording_calls *calls = calls_of(recording);
    calls->connects += connects;
    calls->sends += sends;
    calls->closes += closes;
    monitor_unlock(&recording->recorder->monitor);
}

static taro_str str_of(const char *text) {
    const taro_str str = {text, text ? strlen(text) : 0};
    return str;
}

taro_connect_options record_connect_options(struct recording *recording, const char *url) {
    taro_connect_options options = TARO_CONNECT_OPTIONS_INIT;
    count_call(recording, 1, 0, 0);
    options.url = str_of(url);
    options.success = record_success;
    options.fail = record_fail;
    options.complete = record_complete;
    options.open = record_open;
    options.message = record_message;
    options.error = record_error;
    options.close = record_close;
    options.drain = record_drain;
    options.user_data = recording;
    options.release = record_release;
    return options;
}

taro_send_options record_send_options(struct recording *recording, uint32_t kind, const void *data,
                                      size_t data_len) {
    taro_send_options options = TARO_SEND_OPTIONS_INIT;
    count_call(recording, 0, 1, 0);
    options.kind = kind;
    options.data = data;
    options.data_len = data_len;
    options.success = record_success;
    options.fail = record_fail;
    options.complete = record_complete;
    options.user_data = recording;
    options.release = record_release;
    return options;
}

taro_send_options record_send_text_options(struct recording *recording, const char *text) {
    return record_send_options(recording, TARO_MESSAGE_TEXT, text, strlen(text));
}

taro_close_options record_close_options(struct recording *recording, uint32_t code, const char *reason) {
    taro_close_options options = TARO_CLOSE_OPTIONS_INIT;
    count_call(recording, 0, 0, 1);
    options.code = code;
    options.reason = str_of(reason);
    options.success = record_success;
    options.fail = record_fail;
    options.complete = record_complete;
    options.user_data = recording;
    options.release = record_release;
    return options;
}
