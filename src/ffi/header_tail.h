/** A taro_str of a string literal. */
#ifdef __cplusplus
#define TARO_STR(literal) (taro_str{ "" literal, sizeof(literal) - 1 })
#else
#define TARO_STR(literal) ((taro_str){ "" literal, sizeof(literal) - 1 })
#endif

/** Every default of taro_init_options. */
#define TARO_INIT_OPTIONS_INIT { (uint32_t)sizeof(taro_init_options), 0, 0, 0, 0, 0, 0, 0, 0 }

/** Every default of taro_app_options. */
#define TARO_APP_OPTIONS_INIT \
    { (uint32_t)sizeof(taro_app_options), 0, 0, 0, 0, 0, 0, 0, 0, 0, { 0, 0 }, 0, 0, { 0, 0 }, { 0, 0 }, \
      0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0 }

/** Every default of taro_connect_options; url is still to be set. */
#define TARO_CONNECT_OPTIONS_INIT \
    { (uint32_t)sizeof(taro_connect_options), 0, 0, 0, 0, { 0, 0 }, 0, 0, 0, 0, 0, 0, { 0, 0 }, \
      0, 0, 0, 0, 0, 0, 0, 0, 0, 0 }

/** Every default of taro_send_options: an empty text message. */
#define TARO_SEND_OPTIONS_INIT { (uint32_t)sizeof(taro_send_options), 0, 0, 0, 0, 0, 0, 0, 0 }

/** Every default of taro_close_options: code 1000, no reason. */
#define TARO_CLOSE_OPTIONS_INIT { (uint32_t)sizeof(taro_close_options), 0, { 0, 0 }, 0, 0, 0, 0, 0 }

/** A taro_refuse_options of the default app; call and status are still to be set. */
#define TARO_REFUSE_OPTIONS_INIT { (uint32_t)sizeof(taro_refuse_options), 0, 0, 0, 0, { 0, 0 }, 0, 0, 0, 0 }

/** A taro_socket_counters for taro_socket_get_counters to fill. */
#define TARO_SOCKET_COUNTERS_INIT { (uint32_t)sizeof(taro_socket_counters), 0, 0, 0, 0, 0, 0, 0, 0, 0 }
