// label: net
//
// Strings on their way: UTF-16 in the engine, UTF-8 in the library and on the wire.
#include <stdio.h>
#include <string.h>

#include "page.h"
#include "server.h"

static void open_echo(struct page *page, const char *query) {
    page_open(page, NULL, NULL, NULL);
    PAGE_RUN(page, "const id = connect('%s')", SERVER_URL("ws", "/echo?%s", query));
    PAGE_UNTIL(page, "nth(OPEN)");
}

static void every_unit_there_and_back(void) {
    struct page page;
    open_echo(&page, "id=units");
    // Each UTF-16 unit, alone and before and behind each kind of neighbour, in messages of 4,096 units.
    PAGE_RUN(&page,
             "const sent = [];"
             "const around = ['', 'a', '\\u00e9', '\\u20ac', '\\ud83d', '\\ude00', '\\ud83d\\ude00', '\\0'];"
             "for (const x of around) for (let from = 0; from < 0x10000; from += 4096) {"
             "  let s = ''; for (let u = from; u < from + 4096; u++) s += String.fromCharCode(u) + x;"
             "  sent.push(s); bridge.send(0, id, s, 0, 0);"
             "}");
    PAGE_UNTIL(&page, "all(MESSAGE).length === sent.length");
    PAGE_CHECK(&page, "all(MESSAGE).every((m, i) => m[2] === sent[i].toWellFormed())");
    page_close(&page);
}

static void every_plane(void) {
    struct page page;
    open_echo(&page, "id=planes");
    PAGE_RUN(&page, "let s = ''; for (let p = 0x10000; p <= 0x10ffff; p += 97) s += String.fromCodePoint(p);"
             "s += String.fromCodePoint(0x10ffff); bridge.send(0, id, s, 0, 0)");
    PAGE_UNTIL(&page, "nth(MESSAGE)");
    PAGE_CHECK(&page, "nth(MESSAGE)[2] === s");
    page_close(&page);
}

// What the server saw, byte by byte.
static void bytes_on_the_wire(void) {
    struct page page;
    open_echo(&page, "id=wire");
    PAGE_RUN(&page, "for (const s of ['', 'a\\0b', 'é€\\ud83d\\ude00', '\\ud83dx\\ude00', '\\ude00\\ud83d']) "
             "bridge.send(0, id, s, 0, 0)");
    PAGE_UNTIL(&page, "all(MESSAGE).length === 5");
    PAGE_CHECK(&page, "nth(MESSAGE, 1)[2] === '' && nth(MESSAGE, 2)[2] === 'a\\0b'");
    PAGE_CHECK(&page, "nth(MESSAGE, 4)[2] === '\\ufffdx\\ufffd' && nth(MESSAGE, 5)[2] === '\\ufffd\\ufffd'");
    SERVER_WAIT("wire", "^text 0$");
    SERVER_WAIT("wire", "^text 3 ");
    SERVER_WAIT("wire", "^text 9 \xC3\xA9\xE2\x82\xAC\xF0\x9F\x98\x80$");
    SERVER_WAIT("wire", "^text 7 \xEF\xBF\xBDx\xEF\xBF\xBD$");
    SERVER_WAIT("wire", "^text 6 \xEF\xBF\xBD\xEF\xBF\xBD$");
    page_close(&page);
}

static void around_the_short_buffer(void) {
    struct page page;
    open_echo(&page, "id=short");
    PAGE_RUN(&page, "const sent = []; for (const c of ['a', 'é', '€', '\\ud83d\\ude00']) for (let n = 60; n < 260; n++) "
             "{ sent.push(c.repeat(n)); bridge.send(0, id, c.repeat(n), 0, 0); }");
    PAGE_UNTIL(&page, "all(MESSAGE).length === sent.length");
    PAGE_CHECK(&page, "all(MESSAGE).every((m, i) => m[2] === sent[i])");
    page_close(&page);
}

static void a_mebibyte(void) {
    struct page page;
    open_echo(&page, "id=large");
    PAGE_RUN(&page, "const s = 'né€\\ud83d\\ude00'.repeat(1 << 17); bridge.send(1, id, s, 0, 0)");
    PAGE_UNTIL(&page, "nth(MESSAGE) && nth(RESULT)");
    PAGE_CHECK(&page, "nth(MESSAGE)[2] === s && nth(RESULT)[3] === 0");
    page_close(&page);
}

// Values of response headers are whatever the server sends: UTF-8 or else Latin-1.
static void headers_that_are_not_utf8(void) {
    static const struct {
        const char *sent; // percent-encoded
        const char *read; // as a literal of the script
    } values[] = {
        {"caf%C3%A9", "caf\\u00e9"},
        {"caf%E9", "caf\\u00e9"},
        {"%E2%82%AC", "\\u20ac"},
        {"%E2%82", "\\u00e2\\u0082"},              // cut
        {"%C3", "\\u00c3"},                        // cut
        {"%80", "\\u0080"},                        // continues nothing
        {"%C0%AF", "\\u00c0\\u00af"},              // too long
        {"%C1%BF", "\\u00c1\\u00bf"},              // too long
        {"%E0%9F%BF", "\\u00e0\\u009f\\u00bf"},    // too long
        {"%E0%A0%80", "\\u0800"},
        {"%ED%9F%BF", "\\ud7ff"},
        {"%ED%A0%80", "\\u00ed\\u00a0\\u0080"},    // a surrogate
        {"%EE%80%80", "\\ue000"},
        {"%EF%BF%BF", "\\uffff"},
        {"%F0%8F%BF%BF", "\\u00f0\\u008f\\u00bf\\u00bf"}, // too long
        {"%F0%90%80%80", "\\ud800\\udc00"},
        {"%F4%8F%BF%BF", "\\udbff\\udfff"},
        {"%F4%90%80%80", "\\u00f4\\u0090\\u0080\\u0080"}, // beyond the last one
        {"%F5%80%80%80", "\\u00f5\\u0080\\u0080\\u0080"},
        {"%FE", "\\u00fe"},
        {"%FF", "\\u00ff"},
        {"%C3%A9%FF", "\\u00c3\\u00a9\\u00ff"},    // one wrong byte, and all of it is Latin-1
        {"%E2%28%A1", "\\u00e2(\\u00a1"},
    };
    enum { VALUES = sizeof values / sizeof *values };
    char query[2048] = "id=latin";
    struct page page;
    for (size_t i = 0; i < VALUES; i++) {
        const size_t len = strlen(query);
        snprintf(query + len, sizeof query - len, "&header=X-%zu:%%20%s.", i, values[i].sent);
    }
    open_echo(&page, query);
    for (size_t i = 0; i < VALUES; i++) {
        CHECK_TEXT(PAGE_TEXT(&page, "const h%zu = nth(OPEN)[2]; escape(h%zu[h%zu.indexOf('X-%zu') + 1])", i, i, i, i),
                   PAGE_TEXT(&page, "escape('%s.')", values[i].read));
    }
    page_close(&page);
}

static void texts_of_closes(void) {
    struct page page;
    open_echo(&page, "id=reason");
    PAGE_RUN(&page, "bridge.close(1, id, 3000, '\\ud83dé\\0')");
    PAGE_UNTIL(&page, "nth(CLOSE)");
    PAGE_CHECK(&page, "nth(CLOSE)[3] === '\\ufffdé\\0'");
    SERVER_WAIT("reason", "^close 3000 \xEF\xBF\xBD\xC3\xA9");
    page_close(&page);
}

static void texts_of_results(void) {
    struct page page;
    page_open(&page, NULL, NULL, NULL);
    PAGE_RUN(&page, "bridge.connect(1, 'é\\ud83d', [], [], 0, 0); bridge.refuse(2, 2, -103, 'da\\0ta\\ude00')");
    PAGE_UNTIL(&page, "all(RESULT).length === 2");
    PAGE_CHECK(&page, "nth(RESULT, 1)[4] === 'connectSocket:fail invalid url \"é\\ufffd\"'");
    PAGE_CHECK(&page, "nth(RESULT, 2)[5] === 'parameter error: da\\0ta\\ufffd'");
    page_close(&page);
}

static const struct test tests[] = {
    TEST("L9", every_unit_there_and_back), TEST("L9", every_plane),       TEST("L9", bytes_on_the_wire),
    TEST("L9", around_the_short_buffer),   TEST("L9", a_mebibyte),        TEST("L16", headers_that_are_not_utf8),
    TEST("L20", texts_of_closes),          TEST("L4", texts_of_results),
};
TEST_MAIN(tests)
