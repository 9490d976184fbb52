// Text in and out: lone surrogates, NULs, everything that is not ASCII.
#include "script_host.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static void open_echo(struct script_host *host, const char *id) {
    script_host_open(host, NULL);
    RUN(host, "var socket = connect(1, '%s')", SERVER_URL("ws", "/echo?id=%s", id));
    LOOP_UNTIL(host, "of(2).length");
}

// Every class of character, lone surrogates among and beside pairs, at both ends and alone.
static void texts_survive_but_for_lone_surrogates(void) {
    struct script_host host;
    open_echo(&host, "texts");
    RUN(&host, "var texts = ['', 'a\\0b', '\\0', '\\u00e9\\u00ff', '\\u0800\\uffff\\ufffd', '\\ud7ff\\ue000',\n"
               "             '\\u{10000}\\u{10ffff}\\ud83d\\ude00', '\\ud800', '\\udfff', 'a\\udc00\\ud800b',\n"
               "             '\\ud800\\ud800\\udc00\\udc00', '\\ud83d\\ude00\\ud83d', '\\udbff\\u00e9', '\\ud55c\\uae00',\n"
               "             '\\ud800'.repeat(5000) + 'x'.repeat(5000)];\n"
               "var whole = t => t.replace(/[\\ud800-\\udbff][\\udc00-\\udfff]|[\\ud800-\\udfff]/g,\n"
               "                           c => c.length === 2 ? c : '\\ufffd');\n"
               "var statuses = texts.map((t, i) => sendText(i %% 2 ? 0 : 10 + i, socket, t))");
    CHECK_TRUE(&host, "statuses.every(s => s === 0)");
    LOOP_UNTIL(&host, "of(3).length === texts.length");
    CHECK_SCRIPT(&host, "", "texts.map((t, i) => of(3)[i][2] === whole(t) ? '' : i).join('')");
    CHECK_TRUE(&host, "texts.some(t => t !== whole(t))");
    script_host_close(&host);
}

static void other_strings_are_well_formed_too(void) {
    struct script_host host;
    script_host_open(&host, NULL);
    // A header value is sent as UTF-8; in a URL the browser's parser escapes it.
    RUN(&host, "var socket = connect(1, '%s&text=a\\ud800b', { headers: ['X-Text', 'a\\udc00b'] })",
        SERVER_URL("ws", "/echo?id=others"));
    LOOP_UNTIL(&host, "of(2).length");
    CHECK_TEXT_HAS(SERVER_WAIT("others", "request"), "text=a%EF%BF%BDb");
    CHECK_TEXT(SERVER_HEADER("others", "X-Text", 1), "a\xef\xbf\xbd" "b");
    RUN(&host, "bridge.close(0, socket, 4000, 'x\\ud800y')");
    LOOP_UNTIL(&host, "of(5).length");
    CHECK_TRUE(&host, "of(5)[0][3] === 'x\\ufffdy'");
    // What the library refuses it names again.
    RUN(&host, "connect(2, 'no\\ud800'); bridge.refuse(3, 2, -103, 'f\\udc00\\0'); connect(4, 'ws://x/', { protocols: ['\\ud800'] });\n"
               "connect(5, 'ws://x/', { headers: ['a\\0', ''] })");
    LOOP_UNTIL(&host, "result(5)");
    CHECK_TRUE(&host, "result(2)[5] === 'invalid url \"no\\ufffd\"'");
    CHECK_TRUE(&host, "result(3)[5] === 'parameter error: f\\ufffd\\0'");
    CHECK_TRUE(&host, "result(4)[3] === -103 && result(5)[3] === -103");
    script_host_close(&host);
}

// Bytes that are UTF-8 are read so, others one by one.
static void header_values_of_any_encoding(void) {
    struct script_host host;
    script_host_open(&host, NULL);
    static const char *const values[][2] = {
        {"%C3%A9%F0%9F%98%80", "\\u00e9\\u{1f600}"},    // UTF-8
        {"%E9t%E9", "\\u00e9t\\u00e9"},                     // Latin-1
        {"%C3", "\\u00c3"},                                  // ends too early
        {"%C0%AF", "\\u00c0\\u00af"},                       // overlong
        {"%E0%80%80", "\\u00e0\\u0080\\u0080"},            // overlong
        {"%ED%A0%80", "\\u00ed\\u00a0\\u0080"},            // a surrogate
        {"%F4%90%80%80", "\\u00f4\\u0090\\u0080\\u0080"}, // past the last code point
        {"%E2%82%AC%E2%82", "\\u00e2\\u0082\\u00ac\\u00e2\\u0082"},
    };
    char path[1024] = "/echo?id=latin";
    for (size_t i = 0; i < sizeof values / sizeof values[0]; i++) {
        const size_t len = strlen(path);
        snprintf(path + len, sizeof path - len, "&header=X-%zu:%s", i, values[i][0]);
    }
    RUN(&host, "connect(1, '%s')", SERVER_URL("ws", "%s", path));
    LOOP_UNTIL(&host, "of(2).length || of(4).length");
    for (size_t i = 0; i < sizeof values / sizeof values[0]; i++) {
        CHECK_SCRIPT(&host, "true", "String(of(2)[0][2][of(2)[0][2].indexOf('X-%zu') + 1] === '%s')", i, values[i][1]);
    }
    script_host_close(&host);
}

static const struct test tests[] = {
    TEST("L19", texts_survive_but_for_lone_surrogates),
    TEST("-", other_strings_are_well_formed_too),
    TEST("L16", header_values_of_any_encoding),
};
TEST_MAIN(tests)
