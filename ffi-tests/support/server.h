// The misbehaving server (server.py) as a child of the test. Strings that these functions return are the
// kit's and live until server_stop. All may be called from any thread, also in callbacks.
#ifndef TARO_TEST_SERVER_H
#define TARO_TEST_SERVER_H

#include <stdint.h>

#include "check.h"

#ifdef __cplusplus
extern "C" {
#endif

// Starts it; once it runs, nothing happens. The others start it too if need be. It ends with this process,
// however that ends.
void server_start(void);
// Stops it and frees every string.
void server_stop(void);

// Port of a listener: ws, ws6, wss, wss12, wss_expired, wss_wrong_host, wss_unknown, wss_notyet, tls_stall,
// tls_garbage, refuse, silent, drop, reset. 0 for ws6 where there is no IPv6; other names fail the test.
uint16_t server_port(const char *listener);

// `ws://127.0.0.1:PORT/path`, wss for listeners with TLS, [::1] for ws6. Give `id=NAME` in the path to find
// the connection again. SERVER_URL_FOR takes the host's name from the caller.
#define SERVER_URL(listener, ...) server_url(__FILE__, __LINE__, (listener), NULL, __VA_ARGS__)
#define SERVER_URL_FOR(listener, host, ...) server_url(__FILE__, __LINE__, (listener), (host), __VA_ARGS__)
__attribute__((format(printf, 5, 6)))
const char *server_url(const char *file, int line, const char *listener, const char *host, const char *path, ...);

// `127.0.0.1:PORT`, for address overrides.
const char *server_address(const char *listener);

// PEM files: the CA to trust, and one that signed nothing but wss_unknown's certificate.
const char *server_ca_file(void);
const char *server_other_ca_file(void);

// --- the control channel: see server.py for all commands

// Sends a command and returns the reply; a reply that begins with `error` fails the test.
#define SERVER_COMMAND(...) server_command(__FILE__, __LINE__, __VA_ARGS__)
__attribute__((format(printf, 3, 4)))
const char *server_command(const char *file, int line, const char *command, ...);
// The same, and `ok N` as a number: SERVER_NUMBER("accepted"), SERVER_NUMBER("live %s", id).
#define SERVER_NUMBER(...) server_number(__FILE__, __LINE__, __VA_ARGS__)
__attribute__((format(printf, 3, 4)))
long long server_number(const char *file, int line, const char *command, ...);

// Waits until n lines of that connection's log have the pattern, a substring or a regular expression, and
// returns the n-th. The connection need not exist yet.
#define SERVER_WAIT(id, pattern) server_wait(__FILE__, __LINE__, (id), 1, (pattern))
#define SERVER_WAIT_N(id, n, pattern) server_wait(__FILE__, __LINE__, (id), (n), (pattern))
const char *server_wait(const char *file, int line, const char *id, unsigned n, const char *pattern);

// The whole log of a connection, one event a line; empty if there is no such connection.
#define SERVER_LOG(id) server_log(__FILE__, __LINE__, (id))
const char *server_log(const char *file, int line, const char *id);
// Number of lines of the log that have the text.
#define SERVER_LOG_COUNT(id, text) server_log_count(__FILE__, __LINE__, (id), (text))
unsigned server_log_count(const char *file, int line, const char *id, const char *text);

// Value of the n-th (from 1) header of the request with exactly that name, in that case of letters; NULL if
// there is none.
#define SERVER_HEADER(id, name, n) server_header(__FILE__, __LINE__, (id), (name), (n))
const char *server_header(const char *file, int line, const char *id, const char *name, unsigned n);

// Other programs of the same convention (interop_*): the child's ports as a JSON line on its output, its end
// when its input ends. `runtime` is the program to run, `script` a file of the support folder.
struct peer;
struct peer *peer_start(const char *runtime, const char *script);
uint16_t peer_port(const struct peer *peer, const char *listener);
void peer_stop(struct peer *peer);
// Python and Node.js of this run: TARO_TEST_PYTHON, TARO_TEST_NODE.
const char *peer_python(void);
const char *peer_node(void);

#ifdef __cplusplus
}
#endif

#endif
