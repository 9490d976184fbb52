// Servers that others wrote, by the convention of child.h.
#include <stdlib.h>

#include "certs.h"
#include "child.h"
#include "server.h"

struct peer {
    struct child child;
};

const char *peer_python(void) { return child_setting("TARO_TEST_PYTHON", "python3"); }

const char *peer_node(void) { return child_setting("TARO_TEST_NODE", "node"); }

struct peer *peer_start(const char *runtime, const char *script) {
    struct peer *peer = calloc(1, sizeof(*peer));
    char *path = child_support_file(script);
    const char *const argv[] = {runtime, path, certs_folder(), NULL};
    if (!peer) {
        FAIL("out of memory");
    }
    child_start(&peer->child, argv);
    free(path);
    return peer;
}

uint16_t peer_port(const struct peer *peer, const char *listener) {
    const long port = child_port(&peer->child, listener);
    if (port < 0 || port > UINT16_MAX) {
        FAIL("no listener is called %s: %s", listener, peer->child.ports);
    }
    return (uint16_t)port;
}

void peer_stop(struct peer *peer) {
    child_stop(&peer->child);
    free(peer);
}
