#include <taro_socket.h>

taro_str second_text() {
    return TARO_STR("text");
}

uint32_t second_sizes() {
    return (uint32_t)(sizeof(taro_init_options) + sizeof(taro_app_options) + sizeof(taro_connect_options) +
                      sizeof(taro_send_options) + sizeof(taro_close_options) + sizeof(taro_socket_counters));
}
