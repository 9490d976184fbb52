#include "certs.h"

#include <ftw.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "child.h"

static char *own;    // the temporary folder, for the certificates and what certs.sh has beside them
static pid_t owner;  // a forked child leaves it to its parent
static char *folder; // that of the certificates, if it is not given

static char *joined(const char *path, const char *more) {
    char *whole;
    if (asprintf(&whole, "%s%s", path, more) < 0) {
        FAIL("out of memory");
    }
    return whole;
}

static void make(const char *where) {
    char *script = child_support_file("../../scripts/certs.sh");
    const char *const argv[] = {script, where, NULL};
    const pid_t pid = child_spawn(argv, -1, -1);
    if (pid < 0) {
        FAIL("%s was not started: %s", script, strerror(-pid));
    }
    const int status = child_wait(__FILE__, __LINE__, pid, script);
    if (status != 0) {
        FAIL("%s has failed: %d", script, status);
    }
    free(script);
}

static const char *filled(const char *where) {
    char *ca = joined(where, "/ca.pem");
    if (access(ca, R_OK) != 0) {
        make(where);
    }
    free(ca);
    return where;
}

static void forget(void *unused);

static int remove_one(const char *path, const struct stat *status, int type, struct FTW *where) {
    (void)status, (void)type, (void)where;
    return remove(path);
}

void certs_remove(void) {
    if (own && owner == getpid()) {
        check_dump_remove(forget, NULL);
        nftw(own, remove_one, 16, FTW_DEPTH | FTW_PHYS);
    }
    free(folder);
    free(own);
    folder = NULL;
    own = NULL;
}

// The process is about to end by a failing check.
static void forget(void *unused) {
    (void)unused;
    certs_remove();
}

const char *certs_folder(void) {
    const char *given = child_setting("TARO_TEST_CERTS", NULL);
    if (!given && !own) {
        check_dump_add(forget, NULL);
        atexit(certs_remove);
        owner = getpid();
        own = joined(child_setting("TMPDIR", P_tmpdir), "/taro-certs-XXXXXX");
        if (!mkdtemp(own)) {
            FAIL("no temporary folder");
        }
        folder = joined(own, "/certs");
    }
    return filled(given ? given : folder);
}
