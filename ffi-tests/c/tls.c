// L1, L4, L5, L16: wss: whom an app trusts, what `open` says of the session, and how a refusal is told.
#include <limits.h>

#include "answer.h"

static char *contents_of(const char *path) {
    char *text = calloc(1, 16384);
    FILE *file = fopen(path, "rb");
    CHECK(text != NULL && file != NULL);
    CHECK_UINT(fread(text, 1, 16383, file), <, 16383);
    fclose(file);
    return text;
}

static taro_app make_app(const char *pem, const char *file, uint32_t insecure, uint32_t flavour) {
    taro_app_options options = TARO_APP_OPTIONS_INIT;
    options.ca_pem = attempt_str(pem);
    options.ca_file = attempt_str(file);
    options.tls_insecure = insecure;
    options.flavour = flavour;
    return attempt_app(&options);
}

static taro_app app_with_ca(void) { return make_app("", server_ca_file(), 0, TARO_FLAVOUR_WEAPP); }

static void opens(taro_app app, const char *listener) {
    struct attempt a;
    attempt_row(listener);
    attempt_init(&a, app, SERVER_URL(listener, "/echo?act=text:hi"));
    CHECK(attempt_open(&a)->tls_version.len > 0);
    CHECK_STR(attempt_wait(&a, RECORD_MESSAGE, 1)->data, "hi");
    attempt_end(&a, "success complete open message release");
    attempt_row(NULL);
}

// The text for scripts stays the table's, which failing_wait checks; what TLS says is in fields of its own.
static void is_refused_by(taro_app app, uint32_t flavour, const char *listener, uint32_t tls_error) {
    struct failing failing;
    attempt_row(listener);
    failing_init(&failing, app, flavour, SERVER_URL(listener, "/echo"));
    const struct record *error = failing_wait(&failing);
    CHECK_INT(error->status, ==, TARO_STATUS_CONNECTION_FAILED);
    CHECK_UINT(error->cause, ==, TARO_CAUSE_TLS);
    CHECK_UINT(error->tls_error, ==, tls_error);
    CHECK_STR_HAS(error->tls_detail, "certificate");
    CHECK_INT(error->http_status, ==, 0);
    CHECK_INT(error->os_error, ==, 0);
    failing_end(&failing);
    attempt_row(NULL);
}

static void is_refused(taro_app app, const char *listener, uint32_t tls_error) {
    is_refused_by(app, TARO_FLAVOUR_WEAPP, listener, tls_error);
}

// --- trust

static void a_ca_from_memory_from_a_file_or_both(void) {
    char *ca = contents_of(server_ca_file()), *other = contents_of(server_other_ca_file());
    char *bundle = malloc(strlen(ca) + strlen(other) + 2);
    CHECK(bundle != NULL);
    sprintf(bundle, "%s\n%s", other, ca);
    const struct {
        const char *pem;
        const char *file;
        int opens_unknown;
    } rows[] = {
        {ca, "", 0},
        {"", server_ca_file(), 0},
        {ca, server_ca_file(), 0},
        {ca, server_other_ca_file(), 1},
        {other, server_ca_file(), 1},
        {bundle, "", 1},
    };
    for (size_t at = 0; at < sizeof rows / sizeof *rows; at++) {
        const taro_app app = make_app(rows[at].pem, rows[at].file, 0, TARO_FLAVOUR_WEAPP);
        opens(app, "wss");
        opens(app, "wss12");
        if (rows[at].opens_unknown) {
            opens(app, "wss_unknown");
        } else {
            is_refused(app, "wss_unknown", TARO_TLS_ERROR_UNKNOWN_ISSUER);
        }
        CHECK_STATUS(taro_app_release(app), TARO_STATUS_OK);
    }
    free(bundle);
    free(other);
    free(ca);
    attempt_shutdown();
}

static void without_the_ca_it_fails(void) {
    is_refused(0, "wss", TARO_TLS_ERROR_UNKNOWN_ISSUER);
    is_refused(0, "wss12", TARO_TLS_ERROR_UNKNOWN_ISSUER);
    is_refused(make_app("", server_other_ca_file(), 0, TARO_FLAVOUR_WEAPP), "wss", TARO_TLS_ERROR_UNKNOWN_ISSUER);
    // What one app trusts is not for another, whichever was first.
    opens(app_with_ca(), "wss");
    is_refused(0, "wss", TARO_TLS_ERROR_UNKNOWN_ISSUER);
    attempt_shutdown();
}

// The variable is how a Linux system says where its store is. CA certificates of the app are trusted besides it.
static void the_store_of_the_system_is_trusted(void) {
    const char *before = getenv("SSL_CERT_FILE");
    char *kept = before ? strdup(before) : NULL;
    setenv("SSL_CERT_FILE", server_ca_file(), 1);
    opens(0, "wss");
    is_refused(0, "wss_unknown", TARO_TLS_ERROR_UNKNOWN_ISSUER);
    const taro_app app = make_app("", server_other_ca_file(), 0, TARO_FLAVOUR_WEAPP);
    opens(app, "wss");
    opens(app, "wss_unknown");
    attempt_shutdown();
    if (kept) {
        setenv("SSL_CERT_FILE", kept, 1);
        free(kept);
    } else {
        unsetenv("SSL_CERT_FILE");
    }
}

// --- refused certificates

static const struct {
    const char *listener;
    uint32_t tls_error;
    const char *alert; // what the server is told, in OpenSSL's words
} bad[] = {
    {"wss_expired", TARO_TLS_ERROR_EXPIRED, "EXPIRED"},
    {"wss_notyet", TARO_TLS_ERROR_NOT_YET_VALID, "EXPIRED"},
    {"wss_wrong_host", TARO_TLS_ERROR_WRONG_HOST, "CERTIFICATE"},
    {"wss_unknown", TARO_TLS_ERROR_UNKNOWN_ISSUER, "UNKNOWN_CA"},
};

enum { BAD = sizeof bad / sizeof *bad };

static void each_bad_certificate_is_told_apart(void) {
    static const uint32_t flavours[] = {TARO_FLAVOUR_WEAPP, TARO_FLAVOUR_H5};
    for (size_t of = 0; of < 2; of++) {
        const taro_app app = make_app("", server_ca_file(), 0, flavours[of]);
        for (size_t at = 0; at < BAD; at++) {
            is_refused_by(app, flavours[of], bad[at].listener, bad[at].tls_error);
        }
    }
    attempt_shutdown();
}

// It hears why, and nothing of the request: no path, no header, no credentials.
static void the_server_gets_an_alert_and_no_request(void) {
    const taro_app app = app_with_ca();
    for (size_t at = 0; at < BAD; at++) {
        SERVER_COMMAND("forget %s", bad[at].listener);
        is_refused(app, bad[at].listener, bad[at].tls_error);
        CHECK_TEXT_HAS(SERVER_WAIT(bad[at].listener, "^tlsalert "), bad[at].alert);
        SERVER_WAIT(bad[at].listener, "^end");
        CHECK_UINT(SERVER_LOG_COUNT(bad[at].listener, "request"), ==, 0);
    }
    attempt_shutdown();
}

// The name is the URL's: that of the certificate's own host is good at any address.
static void the_name_of_the_url_is_checked(void) {
    const taro_address_override overrides[] = {
        {TARO_STR("other.test:443"), attempt_str(server_address("wss_wrong_host"))},
        {TARO_STR("good.test:443"), attempt_str(server_address("wss_wrong_host"))},
        {TARO_STR("sub.good.test:443"), attempt_str(server_address("wss"))},
    };
    taro_app_options options = TARO_APP_OPTIONS_INIT;
    options.ca_file = attempt_str(server_ca_file());
    options.address_overrides = overrides;
    options.address_overrides_len = sizeof overrides / sizeof *overrides;
    const taro_app app = attempt_app(&options);
    static const char *const wrong[] = {"wss://good.test/echo", "wss://sub.good.test/echo"};
    struct attempt a;
    attempt_init(&a, app, "wss://other.test/echo");
    attempt_open(&a);
    attempt_end(&a, "success complete open release");
    for (size_t at = 0; at < 2; at++) {
        attempt_init(&a, app, wrong[at]);
        CHECK_UINT(attempt_error(&a)->tls_error, ==, TARO_TLS_ERROR_WRONG_HOST);
        attempt_end(&a, "success complete error release");
    }
    attempt_shutdown();
}

// --- the switch of development tools

static void insecure_is_for_one_app(void) {
    const taro_app insecure = make_app("", "", 1, TARO_FLAVOUR_WEAPP), secure = app_with_ca();
    for (size_t at = 0; at < BAD; at++) {
        opens(insecure, bad[at].listener);
        // Nothing of the session before, a resumption least of all, may help here.
        is_refused(secure, bad[at].listener, bad[at].tls_error);
        opens(insecure, bad[at].listener);
    }
    opens(insecure, "wss");
    opens(insecure, "wss12");
    is_refused(0, "wss", TARO_TLS_ERROR_UNKNOWN_ISSUER);
    attempt_shutdown();
}

// --- what is told of the session

// OpenSSL has names of its own for the suites of TLS 1.2.
static const struct {
    const char *openssl;
    const char *iana;
} suites[] = {
    {"TLS_AES_128_GCM_SHA256", "TLS_AES_128_GCM_SHA256"},
    {"TLS_AES_256_GCM_SHA384", "TLS_AES_256_GCM_SHA384"},
    {"TLS_CHACHA20_POLY1305_SHA256", "TLS_CHACHA20_POLY1305_SHA256"},
    {"ECDHE-ECDSA-AES128-GCM-SHA256", "TLS_ECDHE_ECDSA_WITH_AES_128_GCM_SHA256"},
    {"ECDHE-ECDSA-AES256-GCM-SHA384", "TLS_ECDHE_ECDSA_WITH_AES_256_GCM_SHA384"},
    {"ECDHE-ECDSA-CHACHA20-POLY1305", "TLS_ECDHE_ECDSA_WITH_CHACHA20_POLY1305_SHA256"},
};

static const char *iana_name(const char *openssl) {
    for (size_t at = 0; at < sizeof suites / sizeof *suites; at++) {
        if (strcmp(suites[at].openssl, openssl) == 0) {
            return suites[at].iana;
        }
    }
    FAIL("no suite %s in the table", openssl);
}

static void version_and_cipher_are_the_servers(void) {
    static const char *const listeners[] = {"wss", "wss12"};
    static const char *const versions[] = {"TLSv1.3", "TLSv1.2"};
    const taro_app app = app_with_ca();
    for (size_t at = 0; at < 2; at++) {
        struct attempt a;
        char id[40], tls[40];
        snprintf(id, sizeof id, "session%zu", at);
        snprintf(tls, sizeof tls, "^tls %s ", versions[at]);
        attempt_init(&a, app, SERVER_URL(listeners[at], "/echo?id=%s", id));
        const struct record *open = attempt_open(&a);
        CHECK_STR(open->tls_version, versions[at]);
        SERVER_WAIT(id, tls);
        CHECK_STR(open->tls_cipher, iana_name(SERVER_WAIT(id, "^cipher ") + strlen("cipher ")));
        attempt_end(&a, "success complete open release");
    }
    attempt_shutdown();
}

// A server name is sent for names and, as RFC 6066 wants it, not for addresses.
static void the_server_name_is_the_hosts(void) {
    static const struct {
        const char *host;
        const char *sni;
    } rows[] = {{"127.0.0.1", "-"}, {"GOOD.test", "good.test"}, {"b\xc3\xbc" "cher.test", "xn--bcher-kva.test"}};
    char from[3][40];
    taro_address_override overrides[3];
    taro_app_options options = TARO_APP_OPTIONS_INIT;
    for (size_t at = 0; at < 3; at++) {
        snprintf(from[at], sizeof from[at], "%s:%u", rows[at].host, server_port("wss"));
        overrides[at].from = attempt_str(from[at]);
        overrides[at].to = attempt_str(server_address("wss"));
    }
    options.address_overrides = overrides;
    options.address_overrides_len = 3;
    options.tls_insecure = 1; // the last one's name is in no certificate
    const taro_app app = attempt_app(&options);
    for (size_t at = 0; at < 3; at++) {
        struct attempt a;
        char id[20], tls[60];
        snprintf(id, sizeof id, "sni%zu", at);
        snprintf(tls, sizeof tls, "^tls TLSv1.3 %s$", rows[at].sni);
        attempt_init(&a, app, SERVER_URL_FOR("wss", rows[at].host, "/echo?id=%s", id));
        attempt_open(&a);
        SERVER_WAIT(id, tls);
        attempt_end(&a, "success complete open release");
    }
    attempt_shutdown();
}

// --- a CA that is none

static void released(void *user_data) { ++*(int *)user_data; }

static void refuse_ca(taro_str pem, const char *file) {
    taro_app_options options = TARO_APP_OPTIONS_INIT;
    taro_app app = 4711;
    int releases = 0;
    options.ca_pem = pem;
    options.ca_file = attempt_str(file);
    options.user_data = &releases;
    options.release = released;
    CHECK_STATUS(taro_app_create(&options, &app), TARO_STATUS_BAD_ARGUMENT);
    CHECK_UINT(app, ==, 0);
    CHECK_INT(releases, ==, 0);
}

static void a_bad_ca_is_refused_with_the_app(void) {
    static const char *const texts[] = {
        " ",
        "no PEM",
        "-----BEGIN CERTIFICATE-----\n",
        "-----BEGIN CERTIFICATE-----\n-----END CERTIFICATE-----\n",
        "-----BEGIN CERTIFICATE-----\n!!!!\n-----END CERTIFICATE-----\n",
        "-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n",
        "-----BEGIN PUBLIC KEY-----\nAAAA\n-----END PUBLIC KEY-----\n",
    };
    char *ca = contents_of(server_ca_file());
    for (size_t at = 0; at < sizeof texts / sizeof *texts; at++) {
        attempt_row(texts[at]);
        refuse_ca(attempt_str(texts[at]), "");
    }
    attempt_row("a good one and a bad one");
    char *both = malloc(strlen(ca) + 200);
    CHECK(both != NULL);
    sprintf(both, "%s%s", ca, texts[5]);
    refuse_ca(attempt_str(both), "");
    attempt_row("half of a good one");
    refuse_ca((taro_str){ca, strlen(ca) / 2}, "");
    attempt_row("bytes");
    refuse_ca(TARO_STR("\xff\0\xfe"), "");
    attempt_row("files");
    char key[PATH_MAX];
    refuse_ca(TARO_STR(""), "/nowhere/ca.pem");
    refuse_ca(TARO_STR(""), "/");
    refuse_ca(TARO_STR(""), "/dev/null");
    refuse_ca(TARO_STR(""), "\xff");
    // A PEM file, but not of a certificate.
    const int folder_len = (int)(strrchr(server_ca_file(), '/') - server_ca_file());
    snprintf(key, sizeof key, "%.*s/good.key", folder_len, server_ca_file());
    refuse_ca(TARO_STR(""), key);
    refuse_ca(attempt_str(ca), "/nowhere/ca.pem");
    attempt_row(NULL);
    free(both);
    free(ca);
    attempt_shutdown();
}

static const struct test tests[] = {
    TEST("-", a_ca_from_memory_from_a_file_or_both),
    TEST("L4 L5", without_the_ca_it_fails),
    TEST("-", the_store_of_the_system_is_trusted),
    TEST("L4 L5", each_bad_certificate_is_told_apart),
    TEST("-", the_server_gets_an_alert_and_no_request),
    TEST("-", the_name_of_the_url_is_checked),
    TEST("L4 L5", insecure_is_for_one_app),
    TEST("L16", version_and_cipher_are_the_servers),
    TEST("-", the_server_name_is_the_hosts),
    TEST("L1", a_bad_ca_is_refused_with_the_app),
};

TEST_MAIN(tests)
