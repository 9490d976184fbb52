// What the library says about itself: its version, its ABI number, the names of statuses, its file's name.
// label: unit
#include <elf.h>
#include <link.h>
#include <stdatomic.h>

#include "calls.h"

// --- numbers

static void abi_number(void) {
    CHECK_UINT(taro_abi_version(), ==, TARO_ABI_VERSION);
    CHECK_UINT(TARO_ABI_VERSION, >, 0);
}

static void version_text(void) {
    char parts[64];
    snprintf(parts, sizeof(parts), "%d.%d.%d", TARO_VERSION_MAJOR, TARO_VERSION_MINOR, TARO_VERSION_PATCH);
    CHECK_TEXT(taro_version(), TARO_VERSION_STRING);
    CHECK_TEXT(taro_version(), parts);
}

static void static_strings(void) {
    const char *version = taro_version(), *name = taro_status_name(TARO_STATUS_OK);
    CHECK_STATUS(taro_shutdown(WAIT_MS), TARO_STATUS_OK);
    CHECK(taro_version() == version);
    CHECK(taro_status_name(TARO_STATUS_OK) == name);
    CHECK_TEXT(version, TARO_VERSION_STRING);
    CHECK_TEXT(name, "TARO_STATUS_OK");
}

// --- names of statuses: the header itself is the list of them

enum { STATUSES = 64 };

struct known {
    char name[64];
    int status;
};

static size_t read_statuses(struct known *known) {
    char *path = child_support_file("../../include/taro_socket.h"), line[512];
    FILE *file = fopen(path, "r");
    size_t count = 0;
    CHECK(file != NULL);
    while (fgets(line, sizeof(line), file) && count < STATUSES) {
        count += sscanf(line, "#define %63[A-Z_] %d", known[count].name, &known[count].status) == 2 &&
                 strncmp(known[count].name, "TARO_STATUS_", 12) == 0;
    }
    fclose(file);
    free(path);
    CHECK_UINT(count, >=, 27);
    CHECK_UINT(count, <, STATUSES);
    return count;
}

static void status_names(void) {
    struct known known[STATUSES];
    const size_t count = read_statuses(known);
    for (size_t at = 0; at < count; at++) {
        CHECK_TEXT(taro_status_name(known[at].status), known[at].name);
        for (size_t other = 0; other < at; other++) {
            CHECK_INT(known[at].status, !=, known[other].status);
        }
    }
}

// OK is 0, misuse is -1 to -99, and what `fail` says is below.
static void status_ranges(void) {
    static const int misuse[] = {
        TARO_STATUS_NULL_POINTER, TARO_STATUS_BAD_STRUCT_SIZE, TARO_STATUS_BAD_HANDLE, TARO_STATUS_BAD_ARGUMENT,
        TARO_STATUS_BUSY, TARO_STATUS_WOULD_DEADLOCK, TARO_STATUS_TIMED_OUT, TARO_STATUS_FORKED,
        TARO_STATUS_SHUTTING_DOWN, TARO_STATUS_WRONG_DELIVERY, TARO_STATUS_IN_NOTICE, TARO_STATUS_NO_RESOURCES,
        TARO_STATUS_UNSUPPORTED,
    };
    struct known known[STATUSES];
    const size_t count = read_statuses(known);
    size_t in_range = 0;
    CHECK_INT(TARO_STATUS_OK, ==, 0);
    for (size_t at = 0; at < count; at++) {
        CHECK_INT(known[at].status, <=, 0);
        in_range += known[at].status < 0 && known[at].status >= -99;
    }
    CHECK_UINT(in_range, ==, sizeof(misuse) / sizeof(*misuse));
    for (size_t at = 0; at < sizeof(misuse) / sizeof(*misuse); at++) {
        CHECK(misuse[at] < 0 && misuse[at] >= -99);
    }
}

static void unknown_statuses(void) {
    struct known known[STATUSES];
    const size_t count = read_statuses(known);
    for (int status = -400; status <= 100; status++) {
        size_t at = 0;
        while (at < count && known[at].status != status) {
            at++;
        }
        if (at == count) {
            CHECK_TEXT(taro_status_name(status), "TARO_STATUS_UNKNOWN");
        }
    }
    CHECK_TEXT(taro_status_name(INT32_MIN), "TARO_STATUS_UNKNOWN");
    CHECK_TEXT(taro_status_name(INT32_MAX), "TARO_STATUS_UNKNOWN");
}

// --- callable anywhere, notices included

static struct {
    atomic_uint logs, starts, stops, wakes;
} notices;

static void use_inside(atomic_uint *count) {
    CHECK_UINT(taro_abi_version(), ==, TARO_ABI_VERSION);
    CHECK_TEXT(taro_version(), TARO_VERSION_STRING);
    CHECK_TEXT(taro_status_name(TARO_STATUS_IN_NOTICE), "TARO_STATUS_IN_NOTICE");
    CHECK_STATUS(taro_shutdown(0), TARO_STATUS_IN_NOTICE); // it is a notice
    atomic_fetch_add(count, 1);
}

static void on_log(uint32_t level, const char *message, size_t message_len, void *user_data) {
    (void)level, (void)user_data;
    CHECK_UINT(strlen(message), ==, message_len);
    use_inside(&notices.logs);
}

static void on_thread_start(const char *name, void *user_data) {
    (void)name, (void)user_data;
    use_inside(&notices.starts);
}

static void on_thread_stop(const char *name, void *user_data) {
    (void)name, (void)user_data;
    use_inside(&notices.stops);
}

static void on_wake(taro_app app, void *user_data) {
    (void)app, (void)user_data;
    use_inside(&notices.wakes);
}

static void in_notices(void) {
    taro_init_options init = TARO_INIT_OPTIONS_INIT;
    taro_app_options app_options = TARO_APP_OPTIONS_INIT;
    taro_connect_options connect = TARO_CONNECT_OPTIONS_INIT;
    taro_app app;
    taro_socket socket;
    init.log_level = TARO_LOG_DEBUG;
    init.log = on_log;
    init.thread_start = on_thread_start;
    init.thread_stop = on_thread_stop;
    CHECK_STATUS(taro_init(&init), TARO_STATUS_OK);
    app_options.delivery = TARO_DELIVERY_HOST;
    app_options.wake = on_wake;
    CHECK_STATUS(taro_app_create(&app_options, &app), TARO_STATUS_OK);
    connect.app = app;
    connect.url = TARO_STR("ws://127.0.0.1:9/");
    CHECK_STATUS(taro_connect_socket(&connect, &socket), TARO_STATUS_OK);
    EVENTUALLY(atomic_load(&notices.wakes) > 0 && atomic_load(&notices.logs) > 0);
    CHECK_STATUS(taro_shutdown(WAIT_MS * wait_slow()), TARO_STATUS_OK);
    CHECK_UINT(atomic_load(&notices.starts), ==, 1);
    CHECK_UINT(atomic_load(&notices.stops), ==, 1);
}

// --- the file: its SONAME has the ABI number, and it is never unmapped

static const ElfW(Dyn) *dynamic(const struct link_map *map, ElfW(Sxword) tag) {
    const ElfW(Dyn) *entry = map->l_ld;
    while (entry->d_tag != DT_NULL && entry->d_tag != tag) {
        entry++;
    }
    return entry->d_tag == tag ? entry : NULL;
}

// The loaded libraries whose file is called so; the last one goes to `map`.
static unsigned loaded(const char *part, const struct link_map **map) {
    unsigned count = 0;
    for (const struct link_map *at = _r_debug.r_map; at; at = at->l_next) {
        const char *slash = strrchr(at->l_name, '/');
        if (strstr(slash ? slash : at->l_name, part)) {
            *map = at;
            count++;
        }
    }
    return count;
}

static void file_name(void) {
    const struct link_map *map = NULL;
    char expected[64];
    const unsigned count = loaded("libtaro_socket", &map);
    if (strcmp(TARO_LINK_MODE, "static") == 0) {
        CHECK_UINT(count, ==, 0);
        return;
    }
    CHECK_UINT(count, ==, 1);
    const ElfW(Dyn) *soname = dynamic(map, DT_SONAME), *strings = dynamic(map, DT_STRTAB);
    const ElfW(Dyn) *flags = dynamic(map, DT_FLAGS_1);
    CHECK(soname != NULL && strings != NULL && flags != NULL);
    // The loader has made an address of the string table's offset.
    snprintf(expected, sizeof(expected), "libtaro_socket.so.%d", TARO_ABI_VERSION);
    CHECK_TEXT((const char *)strings->d_un.d_ptr + soname->d_un.d_val, expected);
    CHECK_UINT(flags->d_un.d_val & DF_1_NODELETE, ==, DF_1_NODELETE);
}

static void rows_are_complete(void) { calls_check_complete(); }

static const struct test tests[] = {
    TEST("L27", abi_number),
    TEST("L27", version_text),
    TEST("L28", static_strings),
    TEST("L27", status_names),
    TEST("L1 L2", status_ranges),
    TEST("L25", unknown_statuses),
    TEST("L29", in_notices),
    TEST("L30 L31", file_name),
    TEST("L25 L31", rows_are_complete),
};

TEST_MAIN(tests)
