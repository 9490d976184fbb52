// A thread-safe record of callbacks. Each call gets a `struct recording` as its user_data: the recorder that
// it goes to, a label, and a hook that acts inside the callback. Take one recorder for each app: it notices
// callbacks that overlap, and those of two apps may.
//
//     struct recorder r;
//     recorder_init(&r);
//     struct recording a = RECORDING(&r, "a");
//     taro_connect_options options = record_connect_options(&a, SERVER_URL("ws", "/echo?id=a"));
//     taro_connect_socket(&options, &socket);
//     record_wait(&r, RECORD_OPEN, "a", 1);
//     ...
//     taro_socket_release(socket);
//     record_wait(&r, RECORD_RELEASE, "a", 1);
//     recorder_end(&r);
#ifndef TARO_TEST_RECORD_H
#define TARO_TEST_RECORD_H

#include <stddef.h>
#include <stdint.h>

#include "taro_socket.h"
#include "wait.h"

#ifdef __cplusplus
extern "C" {
#endif

enum record_kind {
    RECORD_SUCCESS = 1,
    RECORD_FAIL,
    RECORD_COMPLETE,
    RECORD_OPEN,
    RECORD_MESSAGE,
    RECORD_ERROR,
    RECORD_CLOSE,
    RECORD_DRAIN,
    RECORD_RELEASE,
    RECORD_MARK // the test's own, by record_mark
};

struct recording;

// One callback. Texts are copies, NUL-terminated too; fields of other kinds are zero.
struct record {
    enum record_kind kind;
    taro_socket socket;
    const char *label;
    long thread;      // the thread that it ran on, as record_thread() says
    int64_t at_ns;    // when, on the steady clock
    int overlapped;   // another callback of the same recorder had not returned
    int done;         // it has returned, the hook too

    // success, fail, complete, error; cause and os_error of close too
    taro_status status;
    int32_t err_no;
    int32_t code;
    taro_str err_msg;
    taro_str reason; // of close: the close reason
    uint32_t cause;
    int32_t http_status; // of open too
    int32_t os_error;
    uint32_t tls_error;
    taro_str tls_detail;
    taro_str detail;

    // open
    const taro_header *headers;
    size_t headers_len;
    taro_str protocol;
    taro_str extensions;
    taro_str peer_address;
    taro_str tls_version;
    taro_str tls_cipher;
    taro_profile profile;

    // message
    uint32_t message_kind;
    taro_message message;
    taro_str data;

    // close
    uint32_t close_code;
    uint32_t was_clean;
    uint32_t initiator;

    // drain
    uint64_t buffered_amount_bytes;

    // the recorder's own
    size_t recording;
    void *copies;
};

// How often a recording was given to each kind of call, by the record_..._options below: results of it may
// come as often. So make options anew for each call.
struct recording_calls {
    unsigned connects;
    unsigned sends;
    unsigned closes;
};

struct recorder {
    struct monitor monitor;
    struct record **records;
    size_t records_len;
    size_t records_capacity;
    struct recording_calls *recordings; // of each one, in the order of their first use
    size_t recordings_len;
    size_t recordings_capacity;
    unsigned running;  // callbacks that have not returned
    unsigned overlaps; // callbacks that began while another one ran
    int partial; // set it to 1 if a test leaves out success or fail: complete may come alone then
};

// `event` is what the callback got (taro_open_event and so on), NULL for a release.
typedef void (*recording_fn)(struct recording *recording, const struct record *record, const void *event);

struct recording {
    struct recorder *recorder;
    const char *label;
    recording_fn on; // runs inside each callback, after it was recorded; may be NULL
    void *context;   // for the hook
    size_t id; // the recorder's; 0 before the first use
};

#ifdef __cplusplus
#define RECORDING(recorder, label) (recording{(recorder), (label), nullptr, nullptr, 0})
#define RECORDING_ON(recorder, label, on, context) (recording{(recorder), (label), (on), (context), 0})
#else
#define RECORDING(recorder, label) ((struct recording){(recorder), (label), NULL, NULL, 0})
#define RECORDING_ON(recorder, label, on, context) ((struct recording){(recorder), (label), (on), (context), 0})
#endif

void recorder_init(struct recorder *recorder);
// Waits until no callback runs, checks the record as recorder_check does, and frees it. The recordings must
// have had their release before: afterwards a callback would write into freed memory.
#define recorder_end(recorder) recorder_end_at(__FILE__, __LINE__, (recorder))
void recorder_end_at(const char *file, int line, struct recorder *recorder);

// The laws that hold for every record, also for one in the middle of things: callbacks do not overlap; for
// each recording at most one result per call, success or fail before complete and with the same content;
// events after connect's complete, open first, at most one open, error and close, nothing but results after
// close, a release for each call, the last of them last.
#define recorder_check(recorder) recorder_check_at(__FILE__, __LINE__, (recorder))
void recorder_check_at(const char *file, int line, struct recorder *recorder);

// --- options whose callbacks record; the recording must outlive them

taro_connect_options record_connect_options(struct recording *recording, const char *url);
taro_send_options record_send_options(struct recording *recording, uint32_t kind, const void *data, size_t data_len);
taro_send_options record_send_text_options(struct recording *recording, const char *text);
// `reason` may be NULL.
taro_close_options record_close_options(struct recording *recording, uint32_t code, const char *reason);

// --- the callbacks themselves; user_data is a struct recording

void record_success(taro_socket socket, const taro_result *result, void *user_data);
void record_fail(taro_socket socket, const taro_result *result, void *user_data);
void record_complete(taro_socket socket, const taro_result *result, void *user_data);
void record_open(taro_socket socket, const taro_open_event *event, void *user_data);
void record_message(taro_socket socket, const taro_message_event *event, void *user_data);
void record_error(taro_socket socket, const taro_result *event, void *user_data);
void record_close(taro_socket socket, const taro_close_event *event, void *user_data);
void record_drain(taro_socket socket, const taro_drain_event *event, void *user_data);
void record_release(void *user_data);

// --- reading it. A label of NULL means any, a kind of 0 too; n counts from 1. What they return lives until
// recorder_end.

// Waits until there are n such records and returns the n-th; past the deadline the test fails with a dump.
// The callback may still be running: its hook runs after it was recorded.
#define RECORD_WAIT(recorder, kind, label, n) record_wait_at(__FILE__, __LINE__, (recorder), (kind), (label), (n))
#define record_wait RECORD_WAIT
const struct record *record_wait_at(const char *file, int line, struct recorder *recorder, int kind,
                                    const char *label, size_t n);

size_t record_count(struct recorder *recorder, int kind, const char *label);
// NULL if there are fewer than n.
const struct record *record_find(struct recorder *recorder, int kind, const char *label, size_t n);
// Position in the whole record, from 0; -1 if there are fewer than n.
long record_index(struct recorder *recorder, int kind, const char *label, size_t n);
size_t record_len(struct recorder *recorder);
const struct record *record_at(struct recorder *recorder, size_t index);

// Adds a mark of the test's own, to compare positions with.
void record_mark(struct recorder *recorder, const char *label);

// The first record comes before the second, and both are there.
#define CHECK_BEFORE(recorder, kind_a, label_a, kind_b, label_b) \
    record_check_before(__FILE__, __LINE__, (recorder), (kind_a), (label_a), (kind_b), (label_b))
void record_check_before(const char *file, int line, struct recorder *recorder, int kind_a, const char *label_a,
                         int kind_b, const char *label_b);

// The kinds of a label's records, in order: `CHECK_SEQUENCE(&r, "a", "success complete open close release")`.
// Marks are left out.
#define CHECK_SEQUENCE(recorder, label, kinds) \
    record_check_sequence(__FILE__, __LINE__, (recorder), (label), (kinds))
void record_check_sequence(const char *file, int line, struct recorder *recorder, const char *label,
                           const char *kinds);

// Value of the n-th response header of that name, exactly as written; empty and NULL if there is none.
taro_str record_header(const struct record *open, const char *name, size_t n);

void record_dump(struct recorder *recorder);
const char *record_kind_name(int kind);

// The calling thread, as in struct record.
long record_thread(void);

// --- statuses, with their names when they differ

#define CHECK_STATUS(call, status) record_check_status(__FILE__, __LINE__, #call, (call), (status))
void record_check_status(const char *file, int line, const char *what, taro_status is, taro_status expected);
const char *record_status_name(taro_status status);

#ifdef __cplusplus
}
#endif

#endif
