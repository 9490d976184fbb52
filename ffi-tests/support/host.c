#include "host.h"

#include <poll.h>

static int is_readable(const char *file, int line, taro_app app, int64_t deadline) {
    int32_t descriptor = -1;
    record_check_status(file, line, "taro_app_get_descriptor", taro_app_get_descriptor(app, &descriptor),
                        TARO_STATUS_OK);
    struct pollfd watched = {descriptor, POLLIN, 0};
    return poll(&watched, 1, (int)wait_left_ms(deadline)) > 0 && (watched.revents & POLLIN) != 0;
}

int host_loop_turn(const char *file, int line, taro_app app, size_t max_events, int64_t deadline) {
    if (wait_left_ms(deadline) == 0) {
        return 0;
    }
    if (is_readable(file, line, app, deadline)) {
        record_check_status(file, line, "taro_app_dispatch", taro_app_dispatch(app, max_events, NULL),
                            TARO_STATUS_OK);
    }
    return 1;
}

const struct record *host_loop_record(const char *file, int line, taro_app app, struct recorder *recorder,
                                      int kind, const char *label, size_t n) {
    const int64_t deadline = deadline_in_ms(WAIT_MS);
    const struct record *record;
    while ((record = record_find(recorder, kind, label, n)) == NULL) {
        if (!host_loop_turn(file, line, app, 0, deadline)) {
            check_fail(file, line, "looped in vain for %s of %s, number %zu: there are %zu", record_kind_name(kind),
                       label ? label : "any label", n, record_count(recorder, kind, label));
        }
    }
    check_pass();
    return record;
}

void host_wait_readable(const char *file, int line, taro_app app) {
    const int64_t deadline = deadline_in_ms(WAIT_MS);
    while (!is_readable(file, line, app, deadline)) {
        if (wait_left_ms(deadline) == 0) {
            check_fail(file, line, "the app's descriptor did not become readable");
        }
    }
    check_pass();
}

int host_is_readable(taro_app app) { return is_readable(__FILE__, __LINE__, app, 0); }

unsigned host_drain(taro_app app) {
    size_t left = 1;
    unsigned dispatches = 0;
    while (left > 0) {
        CHECK_STATUS(taro_app_dispatch(app, 0, &left), TARO_STATUS_OK);
        dispatches++;
    }
    return dispatches;
}
