// A page of the tests: a context with its binding, and a script that writes down what the bridge's handler gets.
#ifndef TARO_TEST_JSC_PAGE_H
#define TARO_TEST_JSC_PAGE_H

#include <stddef.h>

#include "check.h"
#include "taro_socket_jsc.h"
#include "wait.h"

enum { PAGE_TEXTS = 256 };

struct page {
    JSContextGroupRef group;
    JSGlobalContextRef ctx; // NULL once the page has let go of it
    taro_jsc *binding;      // NULL once released
    taro_app app;
    unsigned dispatches; // the script reads it as `dispatches()`
    unsigned reports;
    char report[256];     // the last reported error as a text
    unsigned app_released; // runs of the app's release function
    void (*on_report)(struct page *page);
    char *texts[PAGE_TEXTS];
    size_t texts_len;
};

// `group`: NULL makes one. `app`: NULL for defaults; user_data and release are the page's. `options`: NULL, or what
// else is to be set; report is the page's.
void page_open(struct page *page, JSContextGroupRef group, const taro_app_options *app,
               const taro_jsc_options *options);
// Releases what is not released yet: the binding, the context, the group; then everything must have gone.
void page_close(struct page *page);
void page_release_binding(struct page *page);
void page_release_context(struct page *page);

// Evaluates. An exception fails the test, unless it is what `page_throws` is asked for: `name: message`, or "" if
// nothing was thrown. The text of page_text lives until page_close.
#define PAGE_RUN(page, ...) (void)page_eval(__FILE__, __LINE__, (page), __VA_ARGS__)
#define PAGE_NUMBER(page, ...) page_number(__FILE__, __LINE__, (page), __VA_ARGS__)
#define PAGE_TEXT(page, ...) page_text(__FILE__, __LINE__, (page), __VA_ARGS__)
#define PAGE_THROWS(page, ...) page_throws(__FILE__, __LINE__, (page), __VA_ARGS__)
// The script's value is true.
#define PAGE_CHECK(page, ...) CHECK_TEXT(PAGE_TEXT(page, __VA_ARGS__), "true")

__attribute__((format(printf, 4, 5)))
JSValueRef page_eval(const char *file, int line, struct page *page, const char *script, ...);
__attribute__((format(printf, 4, 5)))
double page_number(const char *file, int line, struct page *page, const char *script, ...);
__attribute__((format(printf, 4, 5)))
const char *page_text(const char *file, int line, struct page *page, const char *script, ...);
__attribute__((format(printf, 4, 5)))
const char *page_throws(const char *file, int line, struct page *page, const char *script, ...);

// Dispatches whenever something waits, until the script's expression holds, which is looked at before each wait.
#define PAGE_UNTIL(page, ...)                                                          \
    do {                                                                               \
        const int64_t page_deadline = deadline_in_ms(WAIT_MS);                         \
        while (!page_holds(__FILE__, __LINE__, (page), __VA_ARGS__)) {                 \
            page_turn(__FILE__, __LINE__, (page), page_deadline);                      \
        }                                                                              \
        check_pass();                                                                  \
    } while (0)
__attribute__((format(printf, 4, 5)))
int page_holds(const char *file, int line, struct page *page, const char *script, ...);
// Waits until something waits for dispatch, and dispatches it.
void page_turn(const char *file, int line, struct page *page, int64_t deadline);
void page_wait_readable(const char *file, int line, const struct page *page, int64_t deadline);
#define PAGE_TURN(page) page_turn(__FILE__, __LINE__, (page), deadline_in_ms(WAIT_MS))

// The engine collects what the script has let go of, as far as it finds it. JSGarbageCollect only asks for it.
void page_collect(struct page *page);

// A function of the host for the script: `name(value)` runs it; its answer is undefined.
void page_give(struct page *page, const char *name, JSObjectCallAsFunctionCallback run);
void page_set(struct page *page, const char *name, JSValueRef value);
// The page that a function of the host was called in.
struct page *page_of(JSContextRef ctx);

#endif
