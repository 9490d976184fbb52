// L2, L5, L8: the header from C++17: objects that own apps and sockets, std::function behind user_data, and a release
// function that is a destructor.
#include <atomic>
#include <functional>
#include <memory>
#include <string>
#include <string_view>
#include <type_traits>
#include <utility>
#include <vector>

#include "check.h"
#include "record.h"
#include "server.h"
#include "wait.h"

namespace {

taro_str str(std::string_view text) { return {text.data(), text.size()}; }
std::string_view view(taro_str text) { return {text.ptr, text.len}; }
bool is_misuse(taro_status status) { return status < 0 && status >= -99; }

// --- the wrappers

// An id and its release function; moved from, it is 0, whose release does nothing.
template <taro_status (*release)(uint64_t)>
class Owned {
public:
    Owned() = default;
    explicit Owned(uint64_t id) : id_(id) {}
    Owned(Owned &&other) noexcept : id_(std::exchange(other.id_, 0)) {}
    Owned &operator=(Owned &&other) noexcept {
        std::swap(id_, other.id_);
        return *this;
    }
    ~Owned() {
        if (id_ != 0) {
            CHECK_STATUS(release(id_), TARO_STATUS_OK);
        }
    }
    uint64_t id() const { return id_; }
    uint64_t forget() { return std::exchange(id_, 0); }

private:
    uint64_t id_ = 0;
};

using App = Owned<taro_app_release>;
using Socket = Owned<taro_socket_release>;
using Message = Owned<taro_message_release>;

template <typename T>
constexpr bool moves_only = std::is_nothrow_move_constructible_v<T> && std::is_nothrow_move_assignable_v<T> &&
                            !std::is_copy_constructible_v<T> && !std::is_copy_assignable_v<T>;
static_assert(moves_only<App> && moves_only<Socket> && moves_only<Message>);

// What is called, whatever it holds on to; the library owns it from a call that was no misuse until it is released.
struct Handlers {
    std::function<void(taro_socket, const taro_result &)> success, fail, complete, error;
    std::function<void(taro_socket, const taro_open_event &)> open;
    std::function<void(taro_socket, const taro_message_event &)> message;
    std::function<void(taro_socket, const taro_close_event &)> close;
};

template <auto member, typename Event>
void call(taro_socket socket, const Event *event, void *user_data) noexcept {
    const auto &function = static_cast<Handlers *>(user_data)->*member;
    if (function) {
        function(socket, *event);
    }
}

void destroy(void *user_data) noexcept { delete static_cast<Handlers *>(user_data); }

template <typename Options>
Handlers *give(Options &options, std::unique_ptr<Handlers> handlers) {
    options.success = call<&Handlers::success>;
    options.fail = call<&Handlers::fail>;
    options.complete = call<&Handlers::complete>;
    options.user_data = handlers.get();
    options.release = destroy;
    return handlers.release();
}

// Misuse has not taken them.
taro_status taken_unless_misuse(taro_status status, Handlers *handlers) {
    if (is_misuse(status)) {
        destroy(handlers);
    }
    return status;
}

App make_app(uint32_t delivery = TARO_DELIVERY_DIRECT) {
    taro_app_options options = TARO_APP_OPTIONS_INIT;
    taro_app app = 0;
    options.delivery = delivery;
    CHECK_STATUS(taro_app_create(&options, &app), TARO_STATUS_OK);
    return App(app);
}

taro_status connect(taro_app app, std::string_view url, std::unique_ptr<Handlers> handlers, Socket &socket) {
    taro_connect_options options = TARO_CONNECT_OPTIONS_INIT;
    taro_socket id = 0;
    options.app = app;
    options.url = str(url);
    options.error = call<&Handlers::error>;
    options.open = call<&Handlers::open>;
    options.message = call<&Handlers::message>;
    options.close = call<&Handlers::close>;
    Handlers *given = give(options, std::move(handlers));
    const taro_status status = taken_unless_misuse(taro_connect_socket(&options, &id), given);
    socket = Socket(id);
    return status;
}

taro_status send(taro_socket socket, std::string_view text, std::unique_ptr<Handlers> handlers) {
    taro_send_options options = TARO_SEND_OPTIONS_INIT;
    options.data = text.data();
    options.data_len = text.size();
    Handlers *given = give(options, std::move(handlers));
    return taken_unless_misuse(taro_socket_send(socket, &options), given);
}

taro_status close(taro_socket socket, uint32_t code, std::string_view reason, std::unique_ptr<Handlers> handlers) {
    taro_close_options options = TARO_CLOSE_OPTIONS_INIT;
    options.code = code;
    options.reason = str(reason);
    Handlers *given = give(options, std::move(handlers));
    return taken_unless_misuse(taro_socket_close(socket, &options), given);
}

// --- what the handlers of a test hold on to

class Story {
public:
    Story() { monitor_init(&monitor_); }
    Story(const Story &) = delete;
    ~Story() { monitor_destroy(&monitor_); }

    void add(const std::string &what) {
        monitor_lock(&monitor_);
        told_.push_back(what);
        monitor_changed(&monitor_);
        monitor_unlock(&monitor_);
    }

    std::string told() {
        std::string all;
        monitor_lock(&monitor_);
        for (const std::string &what : told_) {
            all += (all.empty() ? "" : " ") + what;
        }
        monitor_unlock(&monitor_);
        return all;
    }

    void wait(size_t count) { MONITOR_WAIT_UNTIL(&monitor_, told_.size() >= count); }

private:
    monitor monitor_;
    std::vector<std::string> told_;
};

using Shared = std::shared_ptr<Story>;

// Each of its functions keeps the story alive.
std::unique_ptr<Handlers> tell(const Shared &story, const std::string &name = "") {
    auto handlers = std::make_unique<Handlers>();
    handlers->success = [story, name](taro_socket, const taro_result &) { story->add(name + "success"); };
    handlers->fail = [story, name](taro_socket, const taro_result &result) {
        story->add(name + "fail:" + std::to_string(result.status));
    };
    handlers->complete = [story, name](taro_socket, const taro_result &) { story->add(name + "complete"); };
    handlers->error = [story](taro_socket, const taro_result &) { story->add("error"); };
    handlers->open = [story](taro_socket, const taro_open_event &) { story->add("open"); };
    handlers->message = [story](taro_socket, const taro_message_event &event) {
        story->add("message:" + std::string(static_cast<const char *>(event.data), event.data_len));
    };
    handlers->close = [story](taro_socket, const taro_close_event &event) {
        story->add("close:" + std::to_string(event.code) + std::string(view(event.reason)));
    };
    return handlers;
}

// Nobody but the test holds on to it any more: all functions were destroyed, and none is left to be called.
void is_given_back(const Shared &story) { EVENTUALLY(story.use_count() == 1); }

void shutdown() { CHECK_STATUS(taro_shutdown(WAIT_MS * wait_slow()), TARO_STATUS_OK); }

// --- tests

void a_conversation() {
    const auto story = std::make_shared<Story>(), sent = std::make_shared<Story>(), closed = std::make_shared<Story>();
    {
        App app = make_app();
        Socket socket;
        CHECK_STATUS(connect(app.id(), SERVER_URL("ws", "/echo"), tell(story), socket), TARO_STATUS_OK);
        story->wait(3);
        CHECK_STATUS(send(socket.id(), "hello", tell(sent)), TARO_STATUS_OK);
        story->wait(4);
        is_given_back(sent);
        CHECK_STATUS(close(socket.id(), 3001, " bye", tell(closed)), TARO_STATUS_OK);
        story->wait(5);
        is_given_back(closed);
        is_given_back(story); // also before the socket goes
    }
    CHECK_TEXT(story->told().c_str(), "success complete open message:hello close:3001 bye");
    CHECK_TEXT(sent->told().c_str(), "success complete");
    CHECK_TEXT(closed->told().c_str(), "success complete");
    shutdown();
}

void what_is_refused_is_told_and_given_back() {
    const auto story = std::make_shared<Story>(), sent = std::make_shared<Story>(), closed = std::make_shared<Story>();
    App app = make_app();
    Socket none, socket;
    CHECK_STATUS(connect(app.id(), "http://example.org/", tell(story), none), TARO_STATUS_INVALID_URL);
    CHECK_UINT(none.id(), ==, 0);
    CHECK_STATUS(connect(app.id(), SERVER_URL("silent", "/"), std::make_unique<Handlers>(), socket), TARO_STATUS_OK);
    CHECK_STATUS(send(socket.id(), "too early", tell(sent)), TARO_STATUS_NOT_CONNECTED);
    CHECK_STATUS(close(socket.id(), 1, "", tell(closed)), TARO_STATUS_INVALID_CLOSE_CODE);
    is_given_back(story);
    is_given_back(sent);
    is_given_back(closed);
    CHECK_TEXT(story->told().c_str(), "fail:-100 complete");
    CHECK_TEXT(sent->told().c_str(), "fail:-107 complete");
    CHECK_TEXT(closed->told().c_str(), "fail:-108 complete");
    socket = Socket();
    app = App();
    shutdown();
}

void misuse_takes_nothing() {
    const auto story = std::make_shared<Story>();
    Socket none;
    CHECK(is_misuse(connect(4711, "ws://127.0.0.1:9/", tell(story), none)));
    CHECK(is_misuse(send(4711, "nobody", tell(story))));
    CHECK(is_misuse(close(4711, 1000, "", tell(story))));
    CHECK_INT(story.use_count(), ==, 1); // at once: the caller has destroyed them
    CHECK_TEXT(story->told().c_str(), "");
    shutdown();
}

void the_end_of_its_object_ends_a_socket_silently() {
    const auto story = std::make_shared<Story>();
    App app = make_app();
    {
        Socket socket;
        CHECK_STATUS(connect(app.id(), SERVER_URL("ws", "/echo?id=silent"), tell(story), socket), TARO_STATUS_OK);
        story->wait(3);
    }
    is_given_back(story);
    SERVER_WAIT("silent", "^close 1001");
    CHECK_TEXT(story->told().c_str(), "success complete open");
    app = App();
    shutdown();
}

void the_end_of_its_object_ends_an_app_with_all_that_is_in_it() {
    for (const uint32_t delivery : {TARO_DELIVERY_DIRECT, TARO_DELIVERY_HOST}) {
        const auto story = std::make_shared<Story>();
        {
            Socket socket;
            App app = make_app(delivery);
            CHECK_STATUS(connect(app.id(), SERVER_URL("silent", "/"), tell(story), socket), TARO_STATUS_OK);
            CHECK_INT(story.use_count(), >, 1);
            const taro_socket id = socket.forget(); // it ends with the app
            app = App();
            CHECK_INT(story.use_count(), ==, 1); // when the release has returned
            CHECK_STATUS(taro_socket_release(id), TARO_STATUS_BAD_HANDLE);
        }
    }
    shutdown();
}

void objects_may_be_moved_about() {
    const auto story = std::make_shared<Story>();
    std::vector<Socket> sockets;
    App first = make_app(), app = std::move(first);
    CHECK_UINT(first.id(), ==, 0);
    for (int at = 0; at < 5; at++) {
        Socket socket;
        CHECK_STATUS(connect(app.id(), SERVER_URL("ws", "/echo"), tell(story), socket), TARO_STATUS_OK);
        sockets.push_back(std::move(socket));
        CHECK_UINT(socket.id(), ==, 0);
    }
    story->wait(15);
    for (const Socket &socket : sockets) {
        CHECK_STATUS(taro_socket_send_text(socket.id(), "a", 1), TARO_STATUS_OK);
    }
    story->wait(20);
    sockets.erase(sockets.begin(), sockets.begin() + 2);
    size_t live = 0;
    CHECK_STATUS(taro_app_get_sockets(app.id(), nullptr, 0, &live), TARO_STATUS_OK);
    CHECK_UINT(live, ==, 3);
    sockets.clear();
    is_given_back(story);
    app = App();
    shutdown();
}

// A message in an object of its own, which outlives everything.
void a_message_may_be_kept() {
    auto kept = std::make_shared<Message>();
    void *data = nullptr;
    size_t len = 0;
    latch done;
    latch_init(&done);
    {
        App app = make_app();
        Socket socket;
        auto handlers = std::make_unique<Handlers>();
        handlers->message = [&](taro_socket, const taro_message_event &event) {
            CHECK_STATUS(taro_message_retain(event.message, &data, &len), TARO_STATUS_OK);
            *kept = Message(event.message);
            latch_hit(&done);
        };
        CHECK_STATUS(connect(app.id(), SERVER_URL("ws", "/echo?act=text:kept"), std::move(handlers), socket),
                     TARO_STATUS_OK);
        LATCH_WAIT(&done, 1);
        socket = Socket();
    }
    shutdown();
    CHECK_BYTES(data, len, "kept", 4);
    const taro_message id = kept->id();
    kept.reset();
    CHECK_STATUS(taro_message_release(id), TARO_STATUS_BAD_HANDLE);
    latch_destroy(&done);
}

const struct test tests[] = {
    TEST("L2 L5", a_conversation),
    TEST("L2", what_is_refused_is_told_and_given_back),
    TEST("L1", misuse_takes_nothing),
    TEST("L8", the_end_of_its_object_ends_a_socket_silently),
    TEST("L8", the_end_of_its_object_ends_an_app_with_all_that_is_in_it),
    TEST("L26", objects_may_be_moved_about),
    TEST("L9", a_message_may_be_kept),
};

} // namespace

TEST_MAIN(tests)
