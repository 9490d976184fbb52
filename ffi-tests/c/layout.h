// Every struct of the header and its fields, in their order, as a C compiler sees them.
#ifndef TARO_TEST_LAYOUT_H
#define TARO_TEST_LAYOUT_H

#include <stddef.h>
#include <string.h>

#include "check.h"
#include "taro_socket.h"

struct layout_field {
    const char *name;
    size_t offset;
    size_t end;
};

struct layout {
    const char *name;
    size_t size;
    size_t alignment;
    int is_frozen; // it has no struct_size, and never grows
    const struct layout_field *fields;
    size_t fields_len;
};

// Field of the struct T.
#define F(field) {#field, offsetof(T, field), offsetof(T, field) + sizeof(((T *)0)->field)}

#define T taro_str
static const struct layout_field layout_str_fields[] = {F(ptr), F(len)};
#undef T
#define T taro_header
static const struct layout_field layout_header_fields[] = {F(name), F(value)};
#undef T
#define T taro_address_override
static const struct layout_field layout_address_override_fields[] = {F(from), F(to)};
#undef T
#define T taro_init_options
static const struct layout_field layout_init_options_fields[] = {
    F(struct_size), F(io_threads), F(log_level), F(reserved), F(log), F(thread_start), F(thread_stop), F(user_data),
    F(release),
};
#undef T
#define T taro_app_options
static const struct layout_field layout_app_options_fields[] = {
    F(struct_size), F(flavour), F(delivery), F(single_socket), F(forbid_ws), F(max_sockets), F(timeout_ms),
    F(tls_insecure), F(allow_list), F(allow_list_len), F(referer), F(address_overrides), F(address_overrides_len),
    F(ca_pem), F(ca_file), F(send_limit_bytes), F(message_limit_bytes), F(queue_limit_bytes), F(pause_limit_bytes),
    F(ping_interval_ms), F(pong_timeout_ms), F(idle_timeout_ms), F(background_grace_ms), F(close_timeout_ms),
    F(close_after_error), F(wake), F(user_data), F(release),
};
#undef T
#define T taro_connect_options
static const struct layout_field layout_connect_options_fields[] = {
    F(struct_size), F(tcp_no_delay), F(per_message_deflate), F(start_paused), F(app), F(url), F(headers),
    F(headers_len), F(protocols), F(protocols_len), F(timeout_ms), F(reserved), F(bind_interface), F(success), F(fail),
    F(complete), F(open), F(message), F(error), F(close), F(drain), F(user_data), F(release),
};
#undef T
#define T taro_send_options
static const struct layout_field layout_send_options_fields[] = {
    F(struct_size), F(kind), F(data), F(data_len), F(success), F(fail), F(complete), F(user_data), F(release),
};
#undef T
#define T taro_close_options
static const struct layout_field layout_close_options_fields[] = {
    F(struct_size), F(code), F(reason), F(success), F(fail), F(complete), F(user_data), F(release),
};
#undef T
#define T taro_refuse_options
static const struct layout_field layout_refuse_options_fields[] = {
    F(struct_size), F(call), F(app), F(status), F(reserved), F(subject), F(fail), F(complete), F(user_data),
    F(release),
};
#undef T
#define T taro_socket_counters
static const struct layout_field layout_socket_counters_fields[] = {
    F(struct_size), F(reserved), F(messages_sent), F(messages_received), F(payload_bytes_sent),
    F(payload_bytes_received), F(wire_bytes_sent), F(wire_bytes_received), F(pings_sent), F(pongs_received),
};
#undef T
#define T taro_result
static const struct layout_field layout_result_fields[] = {
    F(struct_size), F(status), F(err_no), F(code), F(err_msg), F(reason), F(cause), F(http_status), F(os_error),
    F(tls_error), F(tls_detail), F(detail),
};
#undef T
#define T taro_profile
static const struct layout_field layout_profile_fields[] = {
    F(struct_size), F(reserved), F(fetch_start_us), F(domain_look_up_start_us), F(domain_look_up_end_us),
    F(connect_start_us), F(connect_end_us), F(rtt_us), F(handshake_cost_us), F(cost_us),
};
#undef T
#define T taro_open_event
static const struct layout_field layout_open_event_fields[] = {
    F(struct_size), F(http_status), F(headers), F(headers_len), F(protocol), F(extensions), F(peer_address),
    F(tls_version), F(tls_cipher), F(profile),
};
#undef T
#define T taro_message_event
static const struct layout_field layout_message_event_fields[] = {
    F(struct_size), F(kind), F(message), F(data), F(data_len),
};
#undef T
#define T taro_close_event
static const struct layout_field layout_close_event_fields[] = {
    F(struct_size), F(code), F(reason), F(was_clean), F(initiator), F(cause), F(os_error),
};
#undef T
#define T taro_drain_event
static const struct layout_field layout_drain_event_fields[] = {F(struct_size), F(reserved), F(buffered_amount_bytes)};
#undef T
#undef F

#define LAYOUT(name, is_frozen)                                              \
    {"taro_" #name, sizeof(taro_##name), _Alignof(taro_##name), (is_frozen), \
     layout_##name##_fields, sizeof(layout_##name##_fields) / sizeof(*layout_##name##_fields)}

static const struct layout layouts[] = {
    LAYOUT(str, 1),          LAYOUT(header, 1),          LAYOUT(address_override, 1), LAYOUT(init_options, 0),
    LAYOUT(app_options, 0),  LAYOUT(connect_options, 0), LAYOUT(send_options, 0),     LAYOUT(close_options, 0),
    LAYOUT(refuse_options, 0), LAYOUT(socket_counters, 0), LAYOUT(result, 0),       LAYOUT(profile, 0),          LAYOUT(open_event, 0),
    LAYOUT(message_event, 0), LAYOUT(close_event, 0),    LAYOUT(drain_event, 0),
};
enum { LAYOUTS = sizeof layouts / sizeof *layouts };

static inline const struct layout *layout_of(const char *name) {
    for (size_t at = 0; at < LAYOUTS; at++) {
        if (strcmp(layouts[at].name, name) == 0) {
            return &layouts[at];
        }
    }
    FAIL("%s is no struct of the header", name);
}

static inline const struct layout_field *layout_field(const struct layout *layout, const char *name) {
    for (size_t at = 0; at < layout->fields_len; at++) {
        if (strcmp(layout->fields[at].name, name) == 0) {
            return &layout->fields[at];
        }
    }
    FAIL("%s has no field %s", layout->name, name);
}

#endif
