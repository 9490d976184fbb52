// label: net
//
// Each event is a turn of its own, and an exception in one is the affair of that turn.
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "page.h"
#include "server.h"

// Notes what runs: an event, its microtasks, and in which dispatch.
static const char noting[] =
    "const notes = [];"
    "on = (kind, socket, call) => {"
    "  notes.push([dispatches(), 'event', call]);"
    "  const later = (n) => {"
    "    notes.push([dispatches(), 'task ' + n, call]); if (n < 3) Promise.resolve(n + 1).then(later);"
    "  };"
    "  Promise.resolve(1).then(later);"
    "};";

static void microtasks_run_between_two_events(void) {
    struct page page;
    page_open(&page, NULL, NULL, NULL);
    PAGE_RUN(&page, "%s", noting);
    // As many as it takes until one dispatch has run several events.
    PAGE_RUN(&page, "let calls = 0; function refuse(n) { while (n--) bridge.refuse(++calls, 1, -103, ''); }");
    do {
        PAGE_RUN(&page, "refuse(10)");
        PAGE_UNTIL(&page, "all(RESULT).length === calls");
    } while (!page_holds(__FILE__, __LINE__, &page,
                         "notes.filter(n => n[1] === 'event' && n[0] === notes.at(-1)[0]).length > 1"));
    PAGE_CHECK(&page, "notes.length === 4 * calls");
    PAGE_CHECK(&page, "notes.every(([d, what, call], i) => what === (i %% 4 ? 'task ' + i %% 4 : 'event')"
               " && call === 1 + Math.floor(i / 4) && d === notes[i - i %% 4][0])");
    page_close(&page);
}

static void what_a_turn_adds_waits(void) {
    struct page page;
    size_t left = 0;
    page_open(&page, NULL, NULL, NULL);
    PAGE_RUN(&page, "on = (kind, socket, call) => { if (call < 50) bridge.refuse(call + 1, 2, -103, 'data'); };"
             "bridge.refuse(1, 2, -103, 'data')");
    PAGE_UNTIL(&page, "events.length === 50");
    CHECK_UINT(page.dispatches, >=, 50);
    CHECK_INT(taro_jsc_dispatch(page.binding, 0, &left), ==, TARO_STATUS_OK);
    CHECK_UINT(left, ==, 0);
    page_close(&page);
}

static void few_at_a_time(void) {
    const int64_t deadline = deadline_in_ms(WAIT_MS);
    struct page page;
    size_t left = 0;
    page_open(&page, NULL, NULL, NULL);
    PAGE_RUN(&page, "for (let i = 1; i <= 10; i++) bridge.refuse(i, 1, -103, '')");
    for (int before = 0; before < 10;) {
        page_wait_readable(__FILE__, __LINE__, &page, deadline);
        CHECK_INT(taro_jsc_dispatch(page.binding, 1, &left), ==, TARO_STATUS_OK);
        const int now = (int)PAGE_NUMBER(&page, "events.length");
        CHECK_INT(now - before, <=, 1);
        before = now;
    }
    // What is left now are ends of user_data.
    CHECK_INT(taro_jsc_dispatch(page.binding, 0, &left), ==, TARO_STATUS_OK);
    CHECK_UINT(left, ==, 0);
    page_close(&page);
}

static JSValueRef dispatch_inside(JSContextRef ctx, JSObjectRef function, JSObjectRef this_object, size_t argc,
                                  const JSValueRef argv[], JSValueRef *exception) {
    (void)function, (void)this_object, (void)argc, (void)argv, (void)exception;
    return JSValueMakeNumber(ctx, taro_jsc_dispatch(page_of(ctx)->binding, 0, NULL));
}

static void dispatch_inside_a_turn_is_busy(void) {
    struct page page;
    page_open(&page, NULL, NULL, NULL);
    page_give(&page, "dispatchInside", dispatch_inside);
    PAGE_RUN(&page, "let answer; on = () => { answer = dispatchInside(); }; bridge.refuse(1, 1, -103, '')");
    PAGE_UNTIL(&page, "events.length");
    CHECK_INT(PAGE_NUMBER(&page, "answer"), ==, TARO_STATUS_BUSY);
    page_close(&page);
}

static void exceptions_are_reported(void) {
    struct page page;
    page_open(&page, NULL, NULL, NULL);
    PAGE_RUN(&page, "let tasks = 0; on = (kind, socket, call) => { Promise.resolve().then(() => { tasks++; });"
             " if (call %% 2) throw new RangeError('number ' + call); };"
             "for (let i = 1; i <= 6; i++) bridge.refuse(i, 1, -103, '')");
    PAGE_UNTIL(&page, "events.length === 6");
    CHECK_UINT(page.reports, ==, 3);
    CHECK_TEXT(page.report, "RangeError: number 5");
    CHECK_INT(PAGE_NUMBER(&page, "tasks"), ==, 6);
    PAGE_RUN(&page, "bridge.report('a text'); bridge.report()");
    CHECK_UINT(page.reports, ==, 5);
    CHECK_TEXT(page.report, "undefined");
    PAGE_RUN(&page, "on = () => { throw undefined; }; bridge.refuse(7, 1, -103, '')");
    PAGE_UNTIL(&page, "events.length === 7");
    CHECK_UINT(page.reports, ==, 6);
    page_close(&page);
}

// Runs with stderr going to a file; what was written there.
static const char *printed(struct page *page, const char *script) {
    static char text[4096];
    FILE *file = tmpfile();
    CHECK(file != NULL);
    fflush(stderr);
    const int before = dup(STDERR_FILENO);
    CHECK(dup2(fileno(file), STDERR_FILENO) >= 0);
    PAGE_RUN(page, "%s", script);
    PAGE_UNTIL(page, "heard");
    fflush(stderr);
    CHECK(dup2(before, STDERR_FILENO) >= 0);
    close(before);
    rewind(file);
    text[fread(text, 1, sizeof text - 1, file)] = '\0';
    fclose(file);
    return text;
}

static void without_a_report_they_are_printed(void) {
    struct page page;
    taro_jsc *other = NULL;
    page_open(&page, NULL, NULL, NULL);
    page_release_binding(&page);
    CHECK_INT(taro_jsc_create(page.ctx, NULL, &other), ==, TARO_STATUS_OK);
    page.binding = other;
    page.app = taro_jsc_app(other);
    page_set(&page, "second", taro_jsc_bridge(other));
    PAGE_RUN(&page, "let thrown; let heard; "
             "second.listen(() => { heard = true; throw thrown; }); "
             "function refuse(what) { heard = false; thrown = what; second.refuse(1, 1, -103, ''); }");
    const char *text = printed(&page, "refuse(new RangeError('mïne \\0\\ud83d'))");
    CHECK_TEXT_HAS(text, "taro_socket: RangeError: m\xC3\xAFne ");
    CHECK_TEXT(printed(&page, "refuse('a text')"), "taro_socket: a text\n");
    CHECK_TEXT(printed(&page, "refuse({ toString() { throw 1; }, get stack() { throw 2; } })"),
               "taro_socket: an exception without a text\n");
    CHECK_TEXT(printed(&page, "refuse(Symbol('s'))"), "taro_socket: an exception without a text\n");
    CHECK_TEXT_HAS(printed(&page, "function here() { refuse(new Error('where')); } here()"), "\nhere@");
    page_close(&page);
}

static void ten_thousand_sends_in_one_turn(void) {
    taro_app_options app = TARO_APP_OPTIONS_INIT;
    struct page page;
    test_limit(200);
    page_open(&page, NULL, &app, NULL);
    PAGE_RUN(&page, "const id = connect('%s')", SERVER_URL("ws", "/sink?id=many"));
    PAGE_UNTIL(&page, "nth(OPEN)");
    PAGE_RUN(&page, "events.length = 0; const answers = new Set();"
             "for (let i = 1; i <= 10000; i++) answers.add(bridge.send(i, id, i %% 2 ? 'number ' + i : bytes(i), 0, 1))");
    PAGE_CHECK(&page, "answers.size === 1 && answers.has(0)");
    PAGE_UNTIL(&page, "events.length === 10000");
    PAGE_CHECK(&page, "events.every((e, i) => e[0] === RESULT && e[1] === id && e[2] === i + 1 && e[3] === 0)");
    SERVER_WAIT("many", "^text 11 number 9999$");
    page_close(&page);
}

static void ten_thousand_refused_in_one_turn(void) {
    struct page page;
    page_open(&page, NULL, NULL, NULL);
    PAGE_RUN(&page, "const id = connect('%s')", SERVER_URL("silent", "/"));
    PAGE_RUN(&page, "for (let i = 1; i <= 10000; i++) bridge.send(i, id, 'early', 0, 0)");
    PAGE_UNTIL(&page, "events.length === 10000");
    PAGE_CHECK(&page, "events.every((e, i) => e[2] === i + 1 && e[3] === -107)");
    page_close(&page);
}

static const struct test tests[] = {
    TEST("L6", microtasks_run_between_two_events), TEST("L6", what_a_turn_adds_waits),
    TEST("L29", few_at_a_time),                    TEST("L6", dispatch_inside_a_turn_is_busy),
    TEST("-", exceptions_are_reported),            TEST("-", without_a_report_they_are_printed),
    TEST("L2 L18", ten_thousand_sends_in_one_turn), TEST("L2", ten_thousand_refused_in_one_turn),
};
TEST_MAIN(tests)
