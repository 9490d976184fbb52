#include <taro_socket.h>
// A second time: the guard must hold.
#include <taro_socket.h>

extern taro_str second_text();
extern uint32_t second_sizes();

// Each initializer, at file scope.
static const taro_init_options init_options = TARO_INIT_OPTIONS_INIT;
static const taro_app_options app_options = TARO_APP_OPTIONS_INIT;
static const taro_connect_options connect_options = TARO_CONNECT_OPTIONS_INIT;
static const taro_send_options send_options = TARO_SEND_OPTIONS_INIT;
static const taro_close_options close_options = TARO_CLOSE_OPTIONS_INIT;
static const taro_socket_counters counters = TARO_SOCKET_COUNTERS_INIT;

int main() {
    uint32_t sizes = init_options.struct_size + app_options.struct_size + connect_options.struct_size +
                     send_options.struct_size + close_options.struct_size + counters.struct_size;
    return second_text().len == 4 && sizes == second_sizes() ? TARO_STATUS_OK : 1;
}
