// test: ws-echo
//
// C++ over the C ABI: one object for each connection. The library owns it from the connect on, and gives it
// back, once and last of all, through the release function: that is its destructor.
//
//     echo URL

#include <chrono>
#include <cstdio>
#include <future>
#include <memory>
#include <string_view>
#include <utility>

#include "taro_socket.h"

namespace {

std::string_view view(taro_str text) { return {text.ptr, text.len}; }

void print(std::string_view what, std::string_view text) {
    std::printf("%.*s%.*s\n", static_cast<int>(what.size()), what.data(), static_cast<int>(text.size()),
                text.data());
}

class Echo {
public:
    Echo() = default;
    Echo(const Echo &) = delete;
    Echo &operator=(const Echo &) = delete;
    ~Echo() { done_.set_value(clean_); }

    std::future<bool> done() { return done_.get_future(); }

    // On misuse the library has not taken the object; otherwise it has, also if the connect failed.
    static taro_status connect(std::unique_ptr<Echo> echo, std::string_view url, taro_socket &socket) {
        taro_connect_options options = TARO_CONNECT_OPTIONS_INIT;
        options.url = {url.data(), url.size()};
        options.timeout_ms = 10000;
        options.fail = on_failure;
        options.open = on_open;
        options.message = on_message;
        options.error = on_failure;
        options.close = on_close;
        options.user_data = echo.get();
        options.release = [](void *user_data) { delete static_cast<Echo *>(user_data); };
        // Before the call: when it returns, the object may be gone.
        Echo *given = echo.release();
        const taro_status status = taro_connect_socket(&options, &socket);
        if (status < 0 && status > TARO_STATUS_INVALID_URL) {
            delete given;
        }
        return status;
    }

private:
    // noexcept: no exception may pass through the library.
    static void on_open(taro_socket socket, const taro_open_event *event, void *) noexcept {
        print("open: ", view(event->peer_address));
        taro_socket_send_text(socket, "hello", 5);
    }

    static void on_message(taro_socket socket, const taro_message_event *event, void *) noexcept {
        print("message: ", {static_cast<const char *>(event->data), event->data_len});
        taro_socket_close(socket, nullptr);
    }

    static void on_failure(taro_socket, const taro_result *result, void *) noexcept {
        print("failure: ", view(result->err_msg));
        print("", view(result->detail));
    }

    static void on_close(taro_socket, const taro_close_event *event, void *user_data) noexcept {
        print("close: ", view(event->reason));
        static_cast<Echo *>(user_data)->clean_ = event->code == 1000 && event->was_clean == 1;
    }

    std::promise<bool> done_;
    bool clean_ = false;
};

} // namespace

int main(int argc, char **argv) {
    if (argc != 2) {
        std::fprintf(stderr, "usage: echo URL\n");
        return 2;
    }
    auto echo = std::make_unique<Echo>();
    std::future<bool> done = echo->done();
    taro_socket socket = 0;
    const taro_status status = Echo::connect(std::move(echo), argv[1], socket);
    if (status != TARO_STATUS_OK) {
        std::fprintf(stderr, "connect: %s\n", taro_status_name(status));
    }

    const bool ended = done.wait_for(std::chrono::seconds(30)) == std::future_status::ready;
    const bool clean = ended && done.get();
    taro_socket_release(socket);
    return taro_shutdown(5000) == TARO_STATUS_OK && clean ? 0 : 1;
}
