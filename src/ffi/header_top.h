/**
 * libtaro_socket: one WebSocket client for every mini-program host.
 *
 * This file is generated from the library's sources; do not edit it.
 *
 * LIFECYCLE
 *
 *     static void on_open(taro_socket socket, const taro_open_event *event, void *user_data) {
 *         taro_socket_send_text(socket, "hello", 5);
 *     }
 *     ...
 *     taro_connect_options options = TARO_CONNECT_OPTIONS_INIT;
 *     taro_socket socket;
 *     options.url = TARO_STR("wss://example.org/chat");
 *     options.open = on_open;
 *     options.message = on_message;
 *     taro_connect_socket(&options, &socket);
 *     ...
 *     taro_socket_close(socket, NULL);   // ends with `close`
 *     ...
 *     taro_socket_release(socket);       // when the script's object goes; on a live socket it is silent
 *     taro_shutdown(5000);
 *
 * THREADS
 *
 * Every function may be called from any thread at any time. The library has one thread of its own, more by
 * option, from the first connect on; they block all signals. An app lives on one of them. In direct delivery
 * its callbacks run on that thread: a callback that blocks there delays every socket of the thread. In host
 * delivery they run inside taro_app_dispatch, on the host's thread. Callbacks of one app never overlap.
 *
 * OWNERSHIP
 *
 * What goes in is copied or sent before the call returns; what a callback gets lives until it returns.
 * Nothing changes owner but user_data, which is taken by a call that does not answer with misuse and given
 * back by its release function exactly once, and messages between retain and release. A pointer may be NULL
 * only where the header says so, or if its length is 0; elements of arrays are read up to their _len. Arrays
 * of structs must be aligned for their type; structs passed by pointer and outputs need not be.
 *
 * CALLBACKS
 *
 * Results and events never run inside a library call on the caller's stack, except inside taro_app_dispatch.
 * No lock of the library is held while they run: every function may be called inside them. So hold no lock
 * of the host across a library call if a callback takes the same lock. Per socket they are ordered: success
 * or fail and complete of connect; at most one open; messages and drains; at most one error; at most one
 * close; then nothing, and last of all the release function. Notices (log, wake-up, thread start and stop)
 * may run at any time on any thread, and must call no function of the library. No callback may throw or
 * longjmp.
 *
 * ERRORS
 *
 * A call answers with a taro_status. 0: accepted. -1 to -99: misuse, nothing happened, nothing was taken (of
 * taro_shutdown: not finished). -100 and below: connect, send and close count, and report the same status
 * through fail and complete; taro_init and taro_app_create have not happened. What the network does arrives as
 * an event with a record: the status, the platform's errno and errMsg for the script, and apart from these the
 * cause, HTTP status, system error and TLS detail for the developer. Treat unknown codes by their range. There
 * is no last-error and nothing to free.
 *
 * VERSIONING
 *
 * Structs passed by pointer begin with struct_size and only grow at the end. Initialise them with their
 * macro, which sets struct_size and zeroes the rest; zero always means the documented default. A shorter
 * struct gets defaults for the rest; a longer one, up to 4096 bytes, is accepted if the rest is zero. The
 * library fills structs for callbacks up to the struct_size that it writes there. TARO_ABI_VERSION changes
 * when a program built against an older header could break; it is in the name of the shared library.
 */
