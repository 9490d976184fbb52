// L27: each struct lies in memory as the library thinks it does.
// label: unit
// needs: test-hooks
#include "layout.h"

#include <stdio.h>
#include <stdlib.h>

#include "child.h"

// Size of a struct; alignment, as `struct alignment`; offset, as `struct.field`. -1 for what it does not know.
int64_t taro_test_layout(const char *name);

static int64_t library_says(const struct layout *layout, const char *separator, const char *what) {
    char name[100];
    snprintf(name, sizeof name, "%s%s%s", layout->name, separator, what);
    return taro_test_layout(name);
}

static void sizes_and_offsets(void) {
    for (size_t at = 0; at < LAYOUTS; at++) {
        const struct layout *layout = &layouts[at];
        if (library_says(layout, "", "") != (int64_t)layout->size ||
            library_says(layout, " ", "alignment") != (int64_t)layout->alignment) {
            FAIL("%s: %zu bytes aligned to %zu, in the library %lld to %lld", layout->name, layout->size,
                 layout->alignment, (long long)library_says(layout, "", ""),
                 (long long)library_says(layout, " ", "alignment"));
        }
        for (size_t field = 0; field < layout->fields_len; field++) {
            const int64_t offset = library_says(layout, ".", layout->fields[field].name);
            if (offset != (int64_t)layout->fields[field].offset) {
                FAIL("%s.%s: at %zu, in the library at %lld", layout->name, layout->fields[field].name,
                     layout->fields[field].offset, (long long)offset);
            }
            check_pass();
        }
    }
    CHECK_INT(taro_test_layout("taro_str.none"), ==, -1);
    CHECK_INT(taro_test_layout("taro_none"), ==, -1);
}

// All padding has a name, so that no byte that crosses is undefined; and the rows name every field.
static void fields_leave_no_gap(void) {
    for (size_t at = 0; at < LAYOUTS; at++) {
        const struct layout *layout = &layouts[at];
        size_t end = 0;
        for (size_t field = 0; field < layout->fields_len; field++) {
            if (layout->fields[field].offset != end) {
                FAIL("%s.%s: at %zu, but the field before it ends at %zu", layout->name, layout->fields[field].name,
                     layout->fields[field].offset, end);
            }
            end = layout->fields[field].end;
        }
        if (end != layout->size) {
            FAIL("%s: its last field ends at %zu, the struct at %zu", layout->name, end, layout->size);
        }
        check_pass();
    }
}

static void what_grows_begins_with_its_size(void) {
    for (size_t at = 0; at < LAYOUTS; at++) {
        const struct layout_field *first = &layouts[at].fields[0];
        const int has_size = strcmp(first->name, "struct_size") == 0 && first->end == sizeof(uint32_t);
        if (has_size == layouts[at].is_frozen) {
            FAIL("%s begins with %s of %zu bytes", layouts[at].name, first->name, first->end);
        }
        check_pass();
    }
}

// The header has no struct that is missing here.
static void rows_are_complete(void) {
    char *path = child_support_file("../../include/taro_socket.h"), line[512], name[64], brace;
    FILE *file = fopen(path, "r");
    size_t count = 0;
    CHECK(file != NULL);
    while (fgets(line, sizeof line, file)) {
        if (sscanf(line, "typedef struct %63[a-z_] %c", name, &brace) == 2 && brace == '{') {
            CHECK(layout_of(name) != NULL);
            count++;
        }
    }
    CHECK_UINT(count, ==, LAYOUTS);
    fclose(file);
    free(path);
}

static void check_initializer(const void *is, uint32_t struct_size, const char *name) {
    const struct layout *layout = layout_of(name);
    unsigned char *expected = calloc(1, layout->size);
    CHECK(expected != NULL);
    memcpy(expected, &(uint32_t){(uint32_t)layout->size}, sizeof(uint32_t));
    CHECK_UINT(struct_size, ==, layout->size);
    CHECK_BYTES(is, layout->size, expected, layout->size);
    free(expected);
}

static void initializers_set_the_size_and_zero_the_rest(void) {
    const taro_init_options init = TARO_INIT_OPTIONS_INIT;
    const taro_app_options app = TARO_APP_OPTIONS_INIT;
    const taro_connect_options connect = TARO_CONNECT_OPTIONS_INIT;
    const taro_send_options send = TARO_SEND_OPTIONS_INIT;
    const taro_close_options close = TARO_CLOSE_OPTIONS_INIT;
    const taro_socket_counters counters = TARO_SOCKET_COUNTERS_INIT;
    check_initializer(&init, init.struct_size, "taro_init_options");
    check_initializer(&app, app.struct_size, "taro_app_options");
    check_initializer(&connect, connect.struct_size, "taro_connect_options");
    check_initializer(&send, send.struct_size, "taro_send_options");
    check_initializer(&close, close.struct_size, "taro_close_options");
    check_initializer(&counters, counters.struct_size, "taro_socket_counters");
}

static const struct test tests[] = {
    TEST("L27", sizes_and_offsets),
    TEST("L27", fields_leave_no_gap),
    TEST("L27", what_grows_begins_with_its_size),
    TEST("L27", rows_are_complete),
    TEST("L27", initializers_set_the_size_and_zero_the_rest),
};

TEST_MAIN(tests)
