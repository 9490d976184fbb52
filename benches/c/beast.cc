// Boost.Beast, asynchronous: one io_context, one handler after another. Its loop is reached from other threads by
// net::post.

#include <boost/asio/connect.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/asio/ip/tcp.hpp>
#include <boost/asio/post.hpp>
#include <boost/asio/ssl.hpp>
#include <boost/beast/core.hpp>
#include <boost/beast/ssl.hpp>
#include <boost/beast/websocket.hpp>
#include <boost/beast/websocket/ssl.hpp>
#include <memory>
#include <string>
#include <type_traits>
#include <vector>

#include "host.h"

namespace net = boost::asio;
namespace beast = boost::beast;
namespace websocket = beast::websocket;
using beast::error_code;

// One thread runs the loop, so Beast's and Asio's locks inside one socket are not needed.
using Executor = net::io_context::executor_type;
using Tcp = net::basic_stream_socket<net::ip::tcp, Executor>;
using Tls = net::ssl::stream<Tcp>;

static plan the_plan;
static host the_host;
static net::io_context loop(1);
static net::ssl::context trust(net::ssl::context::tls_client);

static void check(error_code error, const char *what) {
    if (error) {
        fail((std::string(what) + ": " + error.message()).c_str());
    }
}

template <class Stream>
class Client {
public:
    explicit Client(void (*opened)(Client &)) : stream_(make()), opened_(opened) {
        stream_.auto_fragment(false);
        stream_.write_buffer_bytes(64 << 10);
        stream_.binary(true);
    }

    void connect() {
        net::ip::tcp::endpoint endpoint(net::ip::make_address(the_plan.address), (uint16_t)the_plan.port);
        beast::get_lowest_layer(stream_).async_connect(endpoint, [this](error_code error) {
            check(error, "connect");
            beast::get_lowest_layer(stream_).set_option(net::ip::tcp::no_delay(true));
            if constexpr (std::is_same_v<Stream, Tls>) {
                stream_.next_layer().set_verify_mode(net::ssl::verify_peer);
                stream_.next_layer().set_verify_callback(net::ssl::host_name_verification(the_plan.address));
                stream_.next_layer().async_handshake(net::ssl::stream_base::client, [this](error_code failed) {
                    check(failed, "TLS");
                    upgrade();
                });
            } else {
                upgrade();
            }
        });
    }

    void read() {
        stream_.async_read(buffer_, [this](error_code error, size_t len) {
            if (error == net::error::operation_aborted) {
                return;
            }
            check(error, "read");
            on_message(len);
        });
    }

    void write_payload() { write(the_plan.payload, the_plan.size, true); }

    void write(const void *data, size_t len, bool binary) {
        stream_.binary(binary);
        writing_ = true;
        stream_.async_write(net::const_buffer(data, len), [this](error_code error, size_t) {
            check(error, "write");
            writing_ = false;
            if (crosses_) {
                drain_outbox();
            }
        });
    }

    void drain_outbox() {
        crosses_ = true;
        int taken = writing_ ? 0 : outbox_take(&the_host);
        if (taken == 1) {
            write_payload();
        } else if (taken == 2) {
            write("?", 1, false);
        }
    }

private:
    static websocket::stream<Stream> make() {
        if constexpr (std::is_same_v<Stream, Tls>) {
            return websocket::stream<Stream>(loop, trust);
        } else {
            return websocket::stream<Stream>(loop);
        }
    }

    void upgrade() {
        stream_.async_handshake(the_plan.address, plan_path(&the_plan), [this](error_code error) {
            check(error, "upgrade");
            opened_(*this);
        });
    }

    void on_message(size_t len) {
        size_t size = the_plan.size;
        if (the_plan.scenario == SEND) {
            std::string digits = beast::buffers_to_string(buffer_.data());
            if (atol(digits.c_str()) != the_plan.count) {
                fail("the server counted other than was sent");
            }
            size = len;
        }
        buffer_.consume(len);
        if (len != size) {
            fail("a message of another size");
        }
        switch (the_plan.scenario) {
        case RTT:
            return on_round_trip();
        case FIRST:
            report_first(&the_plan);
            return loop.stop();
        case RECV:
            if (++received_ == the_plan.count) {
                plan_stop(&the_plan);
                return loop.stop();
            }
            break;
        default:
            host_reply(&the_host);
        }
        read();
    }

    void on_round_trip() {
        if (++received_ > the_plan.warm) {
            plan_lap(&the_plan);
        }
        if (received_ == the_plan.warm) {
            plan_start(&the_plan);
        }
        if (received_ == the_plan.warm + the_plan.count) {
            plan_stop(&the_plan);
            return loop.stop();
        }
        write_payload();
        read();
    }

    websocket::stream<Stream> stream_;
    beast::flat_buffer buffer_;
    void (*opened_)(Client &);
    long received_ = 0;
    bool writing_ = false, crosses_ = false;
};

template <class Stream>
struct Bench {
    using Connection = Client<Stream>;
    static std::vector<std::unique_ptr<Connection>> connections;
    static gate opened;
    static long connected;
    static double memory_of_first;

    static void begin(void (*then)(Connection &)) {
        connections.push_back(std::make_unique<Connection>(then));
        connections.back()->connect();
    }

    static void start(Connection &client) {
        plan_start(&the_plan);
        if (the_plan.scenario == RECV) {
            const char *wish = plan_wish(&the_plan);
            client.write(wish, strlen(wish), false);
        } else {
            client.write_payload();
        }
        client.read();
    }

    static void next(Connection &client) {
        // A pending read, so that the connection is served as any other.
        client.read();
        if (++connected == 1) {
            memory_of_first = own_memory();
            plan_start(&the_plan);
            for (long i = 1; i < the_plan.count && i <= CONNECTS_UNDER_WAY; i++) {
                begin(next);
            }
        } else if (connected == the_plan.count) {
            gate_add(&opened);
        } else if ((long)connections.size() < the_plan.count) {
            begin(next);
        }
    }

    static void wake() {
        net::post(loop, [] { connections.front()->drain_outbox(); });
    }

    static int run() {
        pthread_t thread;
        gate_init(&opened);
        host_init(&the_host, &the_plan, wake);
        if (the_plan.scenario == RTT || the_plan.scenario == RECV || the_plan.scenario == FIRST) {
            begin(start);
            loop.run();
            return 0;
        }
        begin(the_plan.scenario == CONNS ? next : [](Connection &client) {
            client.read();
            gate_add(&opened);
        });
        auto serve = [](void *unused) {
            loop.run();
            return unused;
        };
        pthread_create(&thread, nullptr, serve, nullptr);
        gate_wait(&opened, 1);
        if (the_plan.scenario == CONNS) {
            report_connections(&the_plan, memory_of_first);
        } else if (the_plan.scenario == SEND) {
            host_sends(&the_host);
        } else {
            host_round_trips(&the_host);
        }
        loop.stop();
        pthread_join(thread, nullptr);
        return 0;
    }
};

template <class Stream>
std::vector<std::unique_ptr<Client<Stream>>> Bench<Stream>::connections;
template <class Stream>
gate Bench<Stream>::opened;
template <class Stream>
long Bench<Stream>::connected;
template <class Stream>
double Bench<Stream>::memory_of_first;

int main(int argc, char **argv) {
    the_plan = plan_read(argc, argv);
    if (the_plan.ca) {
        trust.load_verify_file(the_plan.ca);
    }
    int status = the_plan.tls ? Bench<Tls>::run() : Bench<Tcp>::run();
    fflush(stdout);
    // What still waits in the loop refers to the connections: neither is taken apart.
    _exit(status);
}
