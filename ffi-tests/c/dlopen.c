// L30, L31: the library's file as a loader sees it, and a host that loads it and lets it go, again and again.
// link: none
// label: stress
#include <dlfcn.h>
#include <elf.h>
#include <fcntl.h>
#include <link.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include "child.h"
#include "process.h"
#include "server.h"
#include "taro_socket.h"
#include "wait.h"

// --- the file: what others may see of it

static struct {
    const unsigned char *bytes;
    size_t len;
    const ElfW(Shdr) *sections;
    size_t sections_len;
} file;

static void file_map(const char *path) {
    struct stat about;
    const int descriptor = open(path, O_RDONLY | O_CLOEXEC);
    CHECK(descriptor >= 0);
    CHECK_INT(fstat(descriptor, &about), ==, 0);
    file.len = (size_t)about.st_size;
    file.bytes = mmap(NULL, file.len, PROT_READ, MAP_PRIVATE, descriptor, 0);
    CHECK(file.bytes != MAP_FAILED);
    close(descriptor);
    const ElfW(Ehdr) *head = (const void *)file.bytes;
    CHECK_BYTES(head->e_ident, SELFMAG, ELFMAG, SELFMAG);
    CHECK_INT(head->e_type, ==, ET_DYN);
    file.sections = (const void *)(file.bytes + head->e_shoff);
    file.sections_len = head->e_shnum;
}

static void file_unmap(void) { CHECK_INT(munmap((void *)(uintptr_t)file.bytes, file.len), ==, 0); }

static const ElfW(Shdr) *section(unsigned type) {
    for (size_t at = 0; at < file.sections_len; at++) {
        if (file.sections[at].sh_type == type) {
            return &file.sections[at];
        }
    }
    FAIL("the file has no section of type %u", type);
}

// The strings that belong to a section.
static const char *strings_of(const ElfW(Shdr) *of) {
    return (const char *)file.bytes + file.sections[of->sh_link].sh_offset;
}

static ElfW(Xword) dynamic(ElfW(Sxword) tag, ElfW(Xword) otherwise) {
    const ElfW(Shdr) *table = section(SHT_DYNAMIC);
    const ElfW(Dyn) *entry = (const void *)(file.bytes + table->sh_offset);
    for (; entry->d_tag != DT_NULL; entry++) {
        if (entry->d_tag == tag) {
            return entry->d_un.d_val;
        }
    }
    return otherwise;
}

static void name_and_flags(void) {
    char expected[64];
    file_map(TARO_LIB_FILE);
    snprintf(expected, sizeof expected, "libtaro_socket.so.%d", TARO_ABI_VERSION);
    CHECK_TEXT(strings_of(section(SHT_DYNAMIC)) + dynamic(DT_SONAME, 0), expected);
    CHECK_UINT(dynamic(DT_FLAGS_1, 0) & DF_1_NODELETE, ==, DF_1_NODELETE);
    file_unmap();
}

// How many names of the list are that one; NULL for all.
static size_t listed(const char *name) {
    char *path = child_support_file("../abi/exports.txt"), line[128];
    FILE *list = fopen(path, "r");
    size_t count = 0;
    CHECK(list != NULL);
    while (fgets(line, sizeof line, list)) {
        line[strcspn(line, "\n")] = '\0';
        count += !name || strcmp(line, name) == 0;
    }
    fclose(list);
    free(path);
    return count;
}

static void it_exports_its_functions_and_nothing_else(void) {
    file_map(TARO_LIB_FILE);
    const ElfW(Shdr) *table = section(SHT_DYNSYM);
    const ElfW(Sym) *symbols = (const void *)(file.bytes + table->sh_offset);
    size_t count = 0;
    for (size_t at = 0; at < table->sh_size / sizeof *symbols; at++) {
        const char *name = strings_of(table) + symbols[at].st_name;
        if (symbols[at].st_shndx == SHN_UNDEF || ELF64_ST_BIND(symbols[at].st_info) == STB_LOCAL) {
            continue;
        }
        if (strncmp(name, "taro_", 5) != 0 || listed(name) != 1 || ELF64_ST_TYPE(symbols[at].st_info) != STT_FUNC) {
            FAIL("the file exports %s", name);
        }
        count++;
    }
    CHECK_UINT(count, ==, listed(NULL));
    file_unmap();
}

// --- a host that loads it

struct library {
    void *handle;
    __typeof__(&taro_abi_version) abi_version;
    __typeof__(&taro_connect_socket) connect_socket;
    __typeof__(&taro_app_create) app_create;
    __typeof__(&taro_socket_send_text) send_text;
    __typeof__(&taro_message_retain) message_retain;
    __typeof__(&taro_message_release) message_release;
    __typeof__(&taro_shutdown) shutdown;
};

static void find(void *handle, const char *name, void *function) {
    void *address = dlsym(handle, name);
    if (!address) {
        FAIL("%s: %s", name, dlerror());
    }
    memcpy(function, &address, sizeof address);
}

static void load(struct library *library) {
    library->handle = dlopen(TARO_LIB_FILE, RTLD_NOW | RTLD_LOCAL);
    if (!library->handle) {
        FAIL("%s", dlerror());
    }
    find(library->handle, "taro_abi_version", &library->abi_version);
    find(library->handle, "taro_connect_socket", &library->connect_socket);
    find(library->handle, "taro_app_create", &library->app_create);
    find(library->handle, "taro_socket_send_text", &library->send_text);
    find(library->handle, "taro_message_retain", &library->message_retain);
    find(library->handle, "taro_message_release", &library->message_release);
    find(library->handle, "taro_shutdown", &library->shutdown);
    CHECK_UINT(library->abi_version(), ==, TARO_ABI_VERSION);
}

static void unload(struct library *library) {
    CHECK_INT(dlclose(library->handle), ==, 0);
    CHECK_INT(process_is_mapped("/libtaro_socket.so"), ==, 1);
}

struct session {
    struct library library;
    taro_socket socket;
    struct latch opened, echoed, released;
    int keeps; // the next message
    taro_message kept;
    void *data;
};

static void on_open(taro_socket socket, const taro_open_event *event, void *user_data) {
    (void)socket, (void)event;
    latch_hit(&((struct session *)user_data)->opened);
}

static void on_message(taro_socket socket, const taro_message_event *event, void *user_data) {
    struct session *session = user_data;
    size_t len;
    (void)socket;
    CHECK_BYTES(event->data, event->data_len, "hello", 5);
    if (session->keeps) {
        CHECK_INT(session->library.message_retain(event->message, &session->data, &len), ==, TARO_STATUS_OK);
        session->kept = event->message;
    }
    latch_hit(&session->echoed);
}

static void on_release(void *user_data) { latch_hit(&((struct session *)user_data)->released); }

static void session_begin(struct session *session, const char *url) {
    taro_app_options app = TARO_APP_OPTIONS_INIT;
    taro_connect_options options = TARO_CONNECT_OPTIONS_INIT;
    memset(session, 0, sizeof *session);
    latch_init(&session->opened);
    latch_init(&session->echoed);
    latch_init(&session->released);
    load(&session->library);
    app.ca_file = (taro_str){server_ca_file(), strlen(server_ca_file())};
    CHECK_INT(session->library.app_create(&app, &options.app), ==, TARO_STATUS_OK);
    options.url = (taro_str){url, strlen(url)};
    options.open = on_open;
    options.message = on_message;
    options.user_data = session;
    options.release = on_release;
    CHECK_INT(session->library.connect_socket(&options, &session->socket), ==, TARO_STATUS_OK);
    LATCH_WAIT(&session->opened, 1);
}

static void session_echo(struct session *session) {
    const unsigned long before = latch_count(&session->echoed);
    CHECK_INT(session->library.send_text(session->socket, "hello", 5), ==, TARO_STATUS_OK);
    LATCH_WAIT(&session->echoed, before + 1);
}

static void session_shutdown(struct session *session) {
    CHECK_INT(session->library.shutdown(WAIT_MS * wait_slow()), ==, TARO_STATUS_OK);
    CHECK_UINT(latch_count(&session->released), ==, 1);
}

static void session_end(struct session *session) {
    latch_destroy(&session->opened);
    latch_destroy(&session->echoed);
    latch_destroy(&session->released);
}

static int mappings(void) {
    char line[4096];
    FILE *maps = fopen("/proc/self/maps", "re");
    int count = 0;
    while (maps && fgets(line, sizeof line, maps)) {
        count += strstr(line, "/libtaro_socket.so") != NULL;
    }
    if (maps) {
        fclose(maps);
    }
    return count;
}

// Before any other test has loaded it. What code runs then, scripts/checks/constructors.py lists.
static void loading_starts_nothing(void) {
    CHECK_INT(mappings(), ==, 0);
    const long threads = process_threads(NULL), descriptors = process_descriptors();
    struct library library;
    load(&library);
    CHECK_INT(mappings(), >, 0);
    CHECK_INT(process_threads(NULL), ==, threads);
    CHECK_INT(process_descriptors(), ==, descriptors);
    unload(&library);
}

static void rounds(const char *const *urls, int count) {
    for (int round = 0; round < count; round++) {
        struct session session;
        session_begin(&session, urls[round % 2]);
        session_echo(&session);
        session_shutdown(&session);
        unload(&session.library);
        session_end(&session);
    }
}

// A part of them leaves the heap as large as before: what leaks would grow in each.
static void fifty_rounds_leave_nothing_behind(void) {
    enum { WARM = 10, PARTS = 4, EACH = 10, SLACK = 64 };
    const char *const urls[] = {SERVER_URL("ws", "/echo"), SERVER_URL("wss", "/echo")};
    rounds(urls, WARM);
    EVENTUALLY(process_threads("taro-work") <= 0); // which read the trust store
    const long threads = process_threads(NULL), descriptors = process_descriptors();
    const int mapped = mappings();
    long long least = INT64_MAX;
    for (int part = 0; part < PARTS; part++) {
        const long long heap = process_heap_bytes();
        rounds(urls, EACH);
        EVENTUALLY(process_threads(NULL) == threads);
        EVENTUALLY(process_descriptors() == descriptors);
        CHECK_INT(mappings(), ==, mapped);
        const long long growth = process_heap_bytes() - heap;
        least = growth < least ? growth : least;
    }
    CHECK_INT(least, <=, EACH * SLACK);
}

// --- what outlives dlclose

static void it_works_on_without_its_handle(void) {
    struct session session, again;
    session_begin(&session, SERVER_URL("ws", "/echo?id=on"));
    unload(&session.library);
    session_echo(&session);
    load(&again.library);
    CHECK(again.library.connect_socket == session.library.connect_socket);
    session_echo(&session);
    session_shutdown(&session);
    unload(&again.library);
    SERVER_WAIT("on", "^close 1001");
    session_end(&session);
}

static void a_kept_message_stays(void) {
    struct session session;
    session_begin(&session, SERVER_URL("ws", "/echo"));
    session.keeps = 1;
    session_echo(&session);
    session_shutdown(&session);
    unload(&session.library);
    CHECK_BYTES(session.data, 5, "hello", 5);
    memset(session.data, 'x', 5);
    CHECK_INT(session.library.message_release(session.kept), ==, TARO_STATUS_OK);
    CHECK_INT(session.library.message_release(session.kept), ==, TARO_STATUS_BAD_HANDLE);
    session_end(&session);
}

struct late {
    struct session *session;
    struct latch used, unloaded;
};

// What the library has put into this thread's own memory ends with the thread: its code must be there by then.
static void uses_it_and_ends_later(void *context) {
    struct late *late = context;
    session_echo(late->session);
    session_shutdown(late->session);
    latch_hit(&late->used);
    LATCH_WAIT(&late->unloaded, 1);
}

static void a_thread_that_has_used_it_may_end_later(void) {
    struct session session;
    struct late late = {.session = &session};
    struct test_thread thread;
    latch_init(&late.used);
    latch_init(&late.unloaded);
    session_begin(&session, SERVER_URL("wss", "/echo"));
    thread_start(&thread, uses_it_and_ends_later, &late);
    LATCH_WAIT(&late.used, 1);
    unload(&session.library);
    latch_hit(&late.unloaded);
    THREAD_JOIN(&thread);
    latch_destroy(&late.used);
    latch_destroy(&late.unloaded);
    session_end(&session);
}

static const struct test tests[] = {
    TEST("L30", loading_starts_nothing),
    TEST("L30 L31", name_and_flags),
    TEST("L31", it_exports_its_functions_and_nothing_else),
    TEST("L30", fifty_rounds_leave_nothing_behind),
    TEST("L30", it_works_on_without_its_handle),
    TEST("L9 L30", a_kept_message_stays),
    TEST("L30", a_thread_that_has_used_it_may_end_later),
};

TEST_MAIN(tests)
