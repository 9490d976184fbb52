// L13, L16, L17, L29, L30: names, with a resolver of the test's own: what a lookup gives, how long it takes, and which
// of several addresses a connect ends at.
#include <netdb.h>
#include <netinet/in.h>
#include <stdatomic.h>

#include "answer.h"
#include "full.h"
#include "process.h"

// --- the resolver: these two stand before those of the C library

enum { ADDRESSES = 4 };

static struct {
    struct latch gate;     // what the test opens
    struct latch asked;    // lookups begun
    atomic_uint waits_for; // how far the gate must be open before an answer
    char name[64];         // the last one asked for
    int error;             // EAI_..., or 0
    const char *addresses[ADDRESSES + 1];
} resolver;

struct found {
    struct addrinfo info;
    struct sockaddr_storage address;
};

static struct addrinfo *answer_of(const char *text) {
    struct found *found = calloc(1, sizeof *found);
    struct sockaddr_in *const four = (struct sockaddr_in *)&found->address;
    struct sockaddr_in6 *const six = (struct sockaddr_in6 *)&found->address;
    CHECK(found != NULL);
    if (inet_pton(AF_INET, text, &four->sin_addr) == 1) {
        four->sin_family = AF_INET;
        found->info.ai_addrlen = sizeof *four;
    } else {
        CHECK_INT(inet_pton(AF_INET6, text, &six->sin6_addr), ==, 1);
        six->sin6_family = AF_INET6;
        found->info.ai_addrlen = sizeof *six;
    }
    found->info.ai_family = found->address.ss_family;
    found->info.ai_socktype = SOCK_STREAM;
    found->info.ai_protocol = IPPROTO_TCP;
    found->info.ai_addr = (struct sockaddr *)&found->address;
    return &found->info;
}

// Lookups that run, and the most at a time; whoever does not wait for one leaves it behind.
static atomic_uint running, most_running;

static int look_up(const char *name, const struct addrinfo *hints, struct addrinfo **result) {
    // A caller that asks for one family alone gets that one alone.
    const int family = hints ? hints->ai_family : AF_UNSPEC;
    snprintf(resolver.name, sizeof resolver.name, "%s", name ? name : "");
    latch_hit(&resolver.asked);
    latch_wait(__FILE__, __LINE__, &resolver.gate, atomic_load(&resolver.waits_for));
    struct addrinfo **end = result;
    *result = NULL;
    if (resolver.error) {
        return resolver.error;
    }
    for (size_t at = 0; resolver.addresses[at]; at++) {
        struct addrinfo *const found = answer_of(resolver.addresses[at]);
        if (family != AF_UNSPEC && family != found->ai_family) {
            free(found);
            continue;
        }
        *end = found;
        end = &found->ai_next;
    }
    return *result ? 0 : EAI_NONAME;
}

int getaddrinfo(const char *name, const char *service, const struct addrinfo *hints, struct addrinfo **result) {
    (void)service;
    const unsigned now = atomic_fetch_add(&running, 1) + 1;
    unsigned most = atomic_load(&most_running);
    while (now > most && !atomic_compare_exchange_weak(&most_running, &most, now)) {
    }
    const int outcome = look_up(name, hints, result);
    atomic_fetch_sub(&running, 1);
    return outcome;
}

void freeaddrinfo(struct addrinfo *result) {
    while (result) {
        struct addrinfo *const next = result->ai_next;
        free(result);
        result = next;
    }
}

// Answers at once, with these addresses divided by blanks.
static void resolver_init(const char *addresses) {
    static char kept[200];
    memset(&resolver, 0, sizeof resolver);
    latch_init(&resolver.gate);
    latch_init(&resolver.asked);
    snprintf(kept, sizeof kept, "%s", addresses);
    size_t count = 0;
    for (char *at = strtok(kept, " "); at; at = strtok(NULL, " ")) {
        CHECK_UINT(count, <, ADDRESSES);
        resolver.addresses[count++] = at;
    }
}

static void resolver_end(void) {
    attempt_shutdown();
    EVENTUALLY(atomic_load(&running) == 0);
    latch_destroy(&resolver.asked);
    latch_destroy(&resolver.gate);
}

static const char *url_of(const char *listener) { return SERVER_URL_FOR(listener, "names.test", "/echo"); }

// --- what is asked for, and what is told

static void the_name_is_looked_up_once(void) {
    static const char *const hosts[][2] = {{"names.test", "names.test"},
                                           {"NAMES.Test", "names.test"},
                                           {"b\xc3\xbc" "cher.test", "xn--bcher-kva.test"}};
    for (size_t at = 0; at < 3; at++) {
        struct attempt a;
        resolver_init("127.0.0.1");
        attempt_init(&a, 0, SERVER_URL_FOR("ws", hosts[at][0], "/echo"));
        attempt_open(&a);
        CHECK_TEXT(resolver.name, hosts[at][1]);
        CHECK_UINT(latch_count(&resolver.asked), ==, 1);
        attempt_end(&a, "success complete open release");
        resolver_end();
    }
}

static void literals_and_overrides_are_not_looked_up(void) {
    const taro_address_override override = {TARO_STR("names.test:80"), attempt_str(server_address("ws"))};
    const char *const urls[] = {SERVER_URL("ws", "/echo"), "ws://names.test/echo"};
    taro_app_options options = TARO_APP_OPTIONS_INIT;
    options.address_overrides = &override;
    options.address_overrides_len = 1;
    resolver_init("");
    const taro_app app = attempt_app(&options);
    for (size_t at = 0; at < 2; at++) {
        struct attempt a;
        attempt_init(&a, app, urls[at]);
        attempt_open(&a);
        attempt_end(&a, "success complete open release");
    }
    CHECK_UINT(latch_count(&resolver.asked), ==, 0);
    resolver_end();
}

static void a_lookup_that_fails(void) {
    static const int errors[] = {EAI_NONAME, EAI_AGAIN, EAI_FAIL};
    for (size_t at = 0; at < sizeof errors / sizeof *errors; at++) {
        struct failing failing;
        resolver_init("");
        resolver.error = errors[at];
        failing_init(&failing, 0, TARO_FLAVOUR_WEAPP, url_of("ws"));
        const struct record *error = failing_wait(&failing);
        CHECK_INT(error->status, ==, TARO_STATUS_CONNECTION_FAILED);
        CHECK_UINT(error->cause, ==, TARO_CAUSE_RESOLVE);
        CHECK_INT(error->os_error, ==, 0);
        CHECK_INT(error->http_status, ==, 0);
        CHECK_UINT(error->detail.len, >, 0);
        failing_end(&failing);
        resolver_end();
    }
}

// --- a lookup that takes its time

static void the_lookup_is_measured(void) {
    enum { HELD_MS = 30 };
    struct attempt a;
    resolver_init("127.0.0.1");
    atomic_store(&resolver.waits_for, 1);
    attempt_init(&a, 0, url_of("ws"));
    attempt_begin(&a);
    LATCH_WAIT(&resolver.asked, 1);
    const int64_t until = clock_ns() + (int64_t)HELD_MS * 1000000;
    EVENTUALLY(clock_ns() >= until);
    latch_hit(&resolver.gate);
    const taro_profile profile = attempt_wait(&a, RECORD_OPEN, 1)->profile;
    CHECK_INT(profile.domain_look_up_start_us, >=, profile.fetch_start_us);
    CHECK_INT(profile.domain_look_up_end_us, >=, profile.domain_look_up_start_us + HELD_MS * 1000);
    CHECK_INT(profile.connect_start_us, >=, profile.domain_look_up_end_us);
    CHECK_INT(profile.cost_us, >=, HELD_MS * 1000);
    attempt_end(&a, "success complete open release");
    resolver_end();
}

static void the_timeout_spans_the_lookup(void) {
    enum { TIMEOUT_MS = 100 };
    struct failing failing;
    resolver_init("127.0.0.1");
    atomic_store(&resolver.waits_for, 1);
    failing_init(&failing, 0, TARO_FLAVOUR_WEAPP, url_of("ws"));
    failing.attempt.options.timeout_ms = TIMEOUT_MS;
    const int64_t before = clock_ns();
    const struct record *error = failing_wait(&failing);
    CHECK_INT(clock_ns() - before, >=, (int64_t)TIMEOUT_MS * 1000000);
    CHECK_INT(error->status, ==, TARO_STATUS_CONNECT_TIMEOUT);
    CHECK_UINT(error->cause, ==, TARO_CAUSE_TIMEOUT);
    failing_end(&failing);
    latch_hit(&resolver.gate);
    resolver_end();
}

static void a_lookup_is_cancelled_by_close_and_release(void) {
    struct attempt a;
    resolver_init("127.0.0.1");
    atomic_store(&resolver.waits_for, 1);
    attempt_init(&a, 0, url_of("ws"));
    attempt_begin(&a);
    LATCH_WAIT(&resolver.asked, 1);
    taro_close_options close_options = TARO_CLOSE_OPTIONS_INIT;
    close_options.code = 4321;
    CHECK_STATUS(taro_socket_close(a.socket, &close_options), TARO_STATUS_OK);
    const struct record *closed = attempt_wait(&a, RECORD_CLOSE, 1);
    CHECK_UINT(closed->close_code, ==, 4321);
    CHECK_UINT(closed->cause, ==, TARO_CAUSE_CANCELLED);
    attempt_end(&a, "success complete close release");
    attempt_init(&a, 0, url_of("ws"));
    attempt_begin(&a);
    LATCH_WAIT(&resolver.asked, 2);
    attempt_end(&a, "success complete release");
    CHECK_UINT(attempt_live(0), ==, 0);
    // Others connect meanwhile.
    attempt_init(&a, 0, SERVER_URL("ws", "/echo"));
    attempt_open(&a);
    attempt_end(&a, "success complete open release");
    latch_hit(&resolver.gate);
    resolver_end();
}

// The resolver's thread cannot be ended: it is left to itself.
static void a_shutdown_does_not_wait_for_a_lookup(void) {
    struct attempt a;
    resolver_init("127.0.0.1");
    atomic_store(&resolver.waits_for, 1);
    attempt_init(&a, 0, url_of("ws"));
    attempt_begin(&a);
    LATCH_WAIT(&resolver.asked, 1);
    attempt_shutdown();
    CHECK_SEQUENCE(&a.recorder, "a", "success complete release");
    recorder_end(&a.recorder);
    // And the library is as new.
    attempt_init(&a, 0, SERVER_URL("ws", "/echo"));
    attempt_open(&a);
    attempt_end(&a, "success complete open release");
    latch_hit(&resolver.gate);
    resolver_end();
}

// --- the threads that look names up

// Few, however many lookups wait for each other; gone when there is nothing to look up.
static void few_threads_look_names_up(void) {
    enum { LOOKUPS = 12, THREADS = 4 };
    static struct attempt attempts[LOOKUPS];
    struct attempt plain;
    taro_app_options options = TARO_APP_OPTIONS_INIT;
    options.max_sockets = LOOKUPS + 1;
    resolver_init("127.0.0.1");
    atomic_store(&resolver.waits_for, 1);
    atomic_store(&most_running, 0);
    const taro_app app = attempt_app(&options);
    const int is_known = process_threads(NULL) > 0;
    if (is_known) {
        EVENTUALLY(process_threads("taro-work") == 0); // of the tests before
    }
    for (size_t at = 0; at < LOOKUPS; at++) {
        attempt_init(&attempts[at], app, url_of("ws"));
        attempt_begin(&attempts[at]);
    }
    // The thread that does this one too has come by all of the others.
    attempt_init(&plain, app, SERVER_URL("ws", "/echo"));
    attempt_open(&plain);
    LATCH_WAIT(&resolver.asked, THREADS);
    if (is_known) {
        CHECK_INT(process_threads("taro-work"), ==, THREADS);
    }
    latch_hit(&resolver.gate);
    for (size_t at = 0; at < LOOKUPS; at++) {
        attempt_wait(&attempts[at], RECORD_OPEN, 1);
        attempt_end(&attempts[at], "success complete open release");
    }
    attempt_end(&plain, "success complete open release");
    CHECK_UINT(latch_count(&resolver.asked), ==, LOOKUPS);
    CHECK_UINT(atomic_load(&most_running), ==, THREADS);
    if (is_known) {
        EVENTUALLY(process_threads("taro-work") == 0);
    }
    resolver_end();
}

// --- several addresses

static void opens_at(const char *addresses, const char *listener, const char *address) {
    struct attempt a;
    attempt_row(addresses);
    resolver_init(addresses);
    attempt_init(&a, 0, url_of(listener));
    const struct record *open = attempt_open(&a);
    CHECK_STR(open->peer_address, address);
    attempt_end(&a, "success complete open release");
    resolver_end();
    attempt_row(NULL);
}

// At the port of `ws` nobody listens but at 127.0.0.1.
static void those_that_refuse_are_passed(void) {
    opens_at("127.0.0.1", "ws", server_address("ws"));
    opens_at("127.0.0.2 127.0.0.1", "ws", server_address("ws"));
    opens_at("127.0.0.2 127.0.0.3 127.0.0.4 127.0.0.1", "ws", server_address("ws"));
    opens_at("127.0.0.1 127.0.0.2", "ws", server_address("ws"));
    opens_at("127.0.0.2 127.0.0.2 127.0.0.1 127.0.0.1", "ws", server_address("ws"));
    if (server_port("ws6") != 0) {
        char six[40];
        snprintf(six, sizeof six, "[::1]:%u", server_port("ws6"));
        opens_at("::1 127.0.0.1", "ws", server_address("ws"));
        opens_at("127.0.0.1 ::1", "ws", server_address("ws"));
        opens_at("::1 127.0.0.1", "ws6", six);
        opens_at("127.0.0.1 ::1", "ws6", six);
    }
}

static void all_of_them_refuse(void) {
    struct failing failing;
    resolver_init("127.0.0.2 127.0.0.3 127.0.0.4");
    failing_init(&failing, 0, TARO_FLAVOUR_WEAPP, url_of("ws"));
    const struct record *error = failing_wait(&failing);
    CHECK_INT(error->status, ==, TARO_STATUS_CONNECTION_FAILED);
    CHECK_UINT(error->cause, ==, TARO_CAUSE_CONNECT);
    CHECK_INT(error->os_error, ==, ECONNREFUSED);
    failing_end(&failing);
    resolver_end();
}

// An attempt that gets no answer is not waited for: the next one begins beside it (RFC 8305, 5), in the other
// family if there is one (4).
static void those_that_are_silent_do_not_hold_the_others_up(void) {
    struct full first, second;
    full_init(&first, "127.0.0.2", server_port("ws"));
    full_init(&second, "127.0.0.3", server_port("ws"));
    opens_at("127.0.0.2 127.0.0.1", "ws", server_address("ws"));
    opens_at("127.0.0.2 127.0.0.3 127.0.0.1", "ws", server_address("ws"));
    opens_at("127.0.0.4 127.0.0.2 127.0.0.1", "ws", server_address("ws"));
    opens_at("127.0.0.2 127.0.0.4 127.0.0.1", "ws", server_address("ws"));
    full_end(&second);
    full_end(&first);
}

static void silence_of_one_family_leaves_the_other(void) {
    struct full full;
    if (server_port("ws6") == 0) {
        test_skip("there is no IPv6 here");
        return;
    }
    full_init(&full, "::1", server_port("ws"));
    opens_at("::1 127.0.0.1", "ws", server_address("ws"));
    full_end(&full);
}

// One timeout for all addresses together.
static void the_timeout_spans_all_addresses(void) {
    enum { TIMEOUT_MS = 100 };
    struct full first, second;
    struct failing failing;
    full_init(&first, "127.0.0.2", server_port("ws"));
    full_init(&second, "127.0.0.3", server_port("ws"));
    resolver_init("127.0.0.2 127.0.0.3");
    failing_init(&failing, 0, TARO_FLAVOUR_WEAPP, url_of("ws"));
    failing.attempt.options.timeout_ms = TIMEOUT_MS;
    const int64_t before = clock_ns();
    const struct record *error = failing_wait(&failing);
    CHECK_INT(clock_ns() - before, >=, (int64_t)TIMEOUT_MS * 1000000);
    CHECK_INT(error->status, ==, TARO_STATUS_CONNECT_TIMEOUT);
    CHECK_UINT(error->cause, ==, TARO_CAUSE_TIMEOUT);
    failing_end(&failing);
    resolver_end();
    full_end(&second);
    full_end(&first);
}

static const struct test tests[] = {
    TEST("-", the_name_is_looked_up_once),
    TEST("L16", literals_and_overrides_are_not_looked_up),
    TEST("L4 L5", a_lookup_that_fails),
    TEST("L16", the_lookup_is_measured),
    TEST("L13", the_timeout_spans_the_lookup),
    TEST("L8 L20", a_lookup_is_cancelled_by_close_and_release),
    TEST("L30", a_shutdown_does_not_wait_for_a_lookup),
    TEST("L29", few_threads_look_names_up),
    TEST("L17", those_that_refuse_are_passed),
    TEST("L5 L17", all_of_them_refuse),
    TEST("L13", the_timeout_spans_all_addresses),
    TEST("L17", those_that_are_silent_do_not_hold_the_others_up),
    TEST("L17", silence_of_one_family_leaves_the_other),
};

TEST_MAIN(tests)
