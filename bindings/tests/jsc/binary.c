// label: net
//
// Binary messages: taken over without a copy, given back wherever the engine collects; and those that are sent.
// Linked with the two functions wrapped, so that the test sees which messages are kept.
#include <stdatomic.h>

#include "page.h"
#include "server.h"

taro_status __real_taro_message_retain(taro_message message, void **data, size_t *data_len);
taro_status __real_taro_message_release(taro_message message);
taro_status __wrap_taro_message_retain(taro_message message, void **data, size_t *data_len);
taro_status __wrap_taro_message_release(taro_message message);

static atomic_uint retained, released, failed;
static _Atomic(void *) last_data;
static pthread_t last_releaser;

taro_status __wrap_taro_message_retain(taro_message message, void **data, size_t *data_len) {
    const taro_status status = __real_taro_message_retain(message, data, data_len);
    atomic_fetch_add(&retained, 1);
    atomic_store(&last_data, *data);
    return status;
}

taro_status __wrap_taro_message_release(taro_message message) {
    const taro_status status = __real_taro_message_release(message);
    last_releaser = pthread_self();
    atomic_fetch_add(status == TARO_STATUS_OK ? &released : &failed, 1);
    return status;
}

static void open_page(struct page *page, const char *query) {
    retained = 0;
    released = 0;
    failed = 0;
    page_open(page, NULL, NULL, NULL);
    PAGE_RUN(page, "const id = connect('%s')", SERVER_URL("ws", "/echo?%s", query));
    PAGE_UNTIL(page, "nth(OPEN)");
}

// All that was kept has been given back, each once.
static void check_balance(unsigned at_least) {
    CHECK_UINT(retained, >=, at_least);
    CHECK_UINT(released, ==, retained);
    CHECK_UINT(failed, ==, 0);
}

static void *bytes_of(struct page *page, const char *script) {
    JSValueRef value = page_eval(__FILE__, __LINE__, page, "%s", script);
    return JSObjectGetArrayBufferBytesPtr(page->ctx, (JSObjectRef)value, NULL);
}

static void sizes_there_and_back(void) {
    struct page page;
    open_page(&page, "id=sizes");
    PAGE_RUN(&page, "const sizes = [0, 1, 2, 1023, 1024, 1025, 65535, 65536, 1000000];"
             "sizes.forEach(n => bridge.send(0, id, filled(n), 0, n))");
    PAGE_UNTIL(&page, "all(MESSAGE).length === sizes.length");
    PAGE_CHECK(&page, "all(MESSAGE).every((m, i) => m[2] instanceof ArrayBuffer && same(m[2], filled(sizes[i])))");
    // Those of 1 KiB and more are not copied, small ones are.
    CHECK_UINT(retained, ==, 5);
    page_close(&page);
    check_balance(5);
}

static void without_a_copy(void) {
    struct page page;
    open_page(&page, "id=adopted");
    PAGE_RUN(&page, "bridge.send(0, id, filled(100000), 0, 100000)");
    PAGE_UNTIL(&page, "nth(MESSAGE)");
    CHECK(bytes_of(&page, "nth(MESSAGE)[2]") == last_data);
    PAGE_CHECK(&page, "const w = new Uint8Array(nth(MESSAGE)[2]); w.fill(7); w.every(b => b === 7)");
    page_close(&page);
    check_balance(1);
}

static void given_back_when_collected(void) {
    struct page page;
    open_page(&page, "id=collected");
    PAGE_RUN(&page, "on = () => { events.length = 0; got++; }; let got = 0;"
             "for (let i = 0; i < 200; i++) bridge.send(0, id, filled(5000), 0, 5000)");
    PAGE_UNTIL(&page, "got === 200");
    // The collector looks at the stack for what may be a reference, so a few may stay.
    for (int i = 0; i < 20 && released < 150; i++) page_collect(&page);
    CHECK_UINT(released, >=, 150);
    page_close(&page);
    check_balance(200);
}

static void beyond_the_release(void) {
    struct page page;
    open_page(&page, "id=beyond");
    PAGE_RUN(&page, "bridge.send(0, id, filled(100000), 0, 100000)");
    PAGE_UNTIL(&page, "nth(MESSAGE)");
    page_release_binding(&page);
    page_collect(&page);
    PAGE_CHECK(&page, "same(nth(MESSAGE)[2], filled(100000))");
    CHECK_INT(taro_shutdown(20000), ==, TARO_STATUS_OK);
    page_collect(&page);
    PAGE_CHECK(&page, "new Uint8Array(nth(MESSAGE)[2])[0] = 9; same(nth(MESSAGE)[2].slice(1), filled(100000).slice(1))");
    CHECK_UINT(released, ==, 0);
    page_close(&page);
    check_balance(1);
}

static void end_the_engine(void *context) {
    struct page *page = context;
    page_release_context(page);
    JSContextGroupRelease(page->group);
    page->group = NULL;
}

// The last reference to the engine goes on a thread that has never heard of the binding.
static void given_back_on_another_thread(void) {
    struct page page;
    struct test_thread thread;
    open_page(&page, "id=thread");
    PAGE_RUN(&page, "for (let i = 0; i < 20; i++) bridge.send(0, id, filled(5000), 0, 5000)");
    PAGE_UNTIL(&page, "all(MESSAGE).length === 20");
    page_release_binding(&page);
    CHECK_UINT(released, <, 20);
    thread_start(&thread, end_the_engine, &page);
    THREAD_JOIN(&thread);
    check_balance(20);
    CHECK(!pthread_equal(last_releaser, pthread_self()));
    CHECK_UINT(page.app_released, ==, 1);
}

static void collect(void *context) { page_collect(context); }

static void collected_on_another_thread(void) {
    struct page page;
    struct test_thread thread;
    open_page(&page, "id=elsewhere");
    PAGE_RUN(&page, "on = () => { events.length = 0; got++; }; let got = 0;"
             "for (let i = 0; i < 100; i++) bridge.send(0, id, filled(5000), 0, 5000)");
    PAGE_UNTIL(&page, "got === 100");
    const unsigned before = released;
    thread_start(&thread, collect, &page);
    THREAD_JOIN(&thread);
    CHECK_UINT(released, >, before);
    PAGE_RUN(&page, "bridge.send(0, id, 'on', 0, 0)");
    PAGE_UNTIL(&page, "got === 101");
    page_close(&page);
    check_balance(100);
}

static void part_of_a_buffer(void) {
    struct page page;
    open_page(&page, "id=parts");
    PAGE_RUN(&page, "const b = bytes(0, 1, 2, 3, 4, 5, 6, 7);"
             "const parts = [[0, 8], [0, 0], [8, 0], [3, 2], [7, 1], [4, 0]];"
             "const answers = parts.map(([o, n]) => bridge.send(0, id, b, o, n))");
    PAGE_UNTIL(&page, "all(MESSAGE).length === parts.length");
    PAGE_CHECK(&page, "answers.every(a => a === 0)");
    PAGE_CHECK(&page, "all(MESSAGE).every((m, i) => same(m[2], b.slice(parts[i][0], parts[i][0] + parts[i][1])))");
    // What was sent is the bytes of that moment.
    PAGE_RUN(&page, "bridge.send(1, id, b, 0, 8); new Uint8Array(b).fill(255)");
    PAGE_UNTIL(&page, "all(MESSAGE).length === parts.length + 1");
    CHECK_TEXT(PAGE_TEXT(&page, "hex(nth(MESSAGE, parts.length + 1)[2])"), "0001020304050607");
    page_close(&page);
}

static void a_detached_buffer(void) {
    struct page page;
    open_page(&page, "id=detached");
    PAGE_RUN(&page, "const b = bytes(1, 2, 3); b.transfer()");
    PAGE_CHECK(&page, "b.detached && b.byteLength === 0");
    CHECK_TEXT_HAS(PAGE_THROWS(&page, "bridge.send(0, id, b, 0, 3)"), "TypeError: send: offset and length");
    CHECK_INT(PAGE_NUMBER(&page, "bridge.send(0, id, b, 0, 0)"), ==, 0);
    PAGE_UNTIL(&page, "nth(MESSAGE)");
    PAGE_CHECK(&page, "nth(MESSAGE)[2].byteLength === 0");
    page_close(&page);
}

static void a_buffer_that_changes_its_size(void) {
    struct page page;
    open_page(&page, "id=resizable");
    PAGE_RUN(&page, "const b = new ArrayBuffer(8, { maxByteLength: 16 }); new Uint8Array(b).fill(5); b.resize(4)");
    CHECK_TEXT_HAS(PAGE_THROWS(&page, "bridge.send(0, id, b, 0, 8)"), "TypeError");
    PAGE_RUN(&page, "bridge.send(0, id, b, 0, 4)");
    PAGE_UNTIL(&page, "nth(MESSAGE)");
    CHECK_TEXT(PAGE_TEXT(&page, "hex(nth(MESSAGE)[2])"), "05050505");
    page_close(&page);
}

static const struct test tests[] = {
    TEST("L9", sizes_there_and_back),
    TEST("L9", without_a_copy),
    TEST("L9", given_back_when_collected),
    TEST("L9 L30", beyond_the_release),
    TEST("L9", given_back_on_another_thread),
    TEST("L9", collected_on_another_thread),
    TEST("L28", part_of_a_buffer),
    TEST("L25", a_detached_buffer),
    TEST("L25", a_buffer_that_changes_its_size),
};
TEST_MAIN(tests)
