#include "bench/bench_server.hpp"
#include "net/http_client.hpp"

#include <boost/asio/connect.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/asio/ip/tcp.hpp>
#include <boost/asio/read.hpp>
#include <boost/asio/ssl.hpp>
#include <boost/asio/write.hpp>
#include <boost/json.hpp>

#include <algorithm>
#include <chrono>
#include <cstdio>
#include <fstream>
#include <functional>
#include <memory>
#include <sstream>
#include <stdexcept>
#include <string>
#include <unistd.h>
#include <vector>

namespace rekey::bench {
namespace {

namespace asio = boost::asio;
using asio::ip::tcp;
using SteadyClock = std::chrono::steady_clock;

// A kept connection with one request outstanding; the leanest client that still reads each answer
// to its end and looks at its status.
template <class Stream>
class Calling {
  public:
    Calling(Stream stream, std::string request)
        : stream_(std::move(stream)), request_(std::move(request)) {}

    std::size_t answered = 0;

    void next() {
        asio::async_write(stream_, asio::buffer(request_),
                          [this](const boost::system::error_code& error, std::size_t) {
                              if (error) throw std::runtime_error(error.message());
                              received_ = 0;
                              wanted_ = 0;
                              read();
                          });
    }

  private:
    void read() {
        stream_.async_read_some(
            asio::buffer(buffer_.data() + received_, buffer_.size() - received_),
            [this](const boost::system::error_code& error, std::size_t bytes) {
                if (error) throw std::runtime_error(error.message());
                received_ += bytes;
                if (!whole()) return read();
                ++answered;
                next();
            });
    }
    bool whole() {
        const std::string_view text(buffer_.data(), received_);
        if (wanted_ == 0) {
            const auto end = text.find("\r\n\r\n");
            if (end == std::string_view::npos) return false;
            if (!text.starts_with("HTTP/1.1 200") || text.find(R"("result")") == text.npos)
                throw std::runtime_error("the server refused: " + std::string(text));
            const auto length = text.find("Content-Length: ");
            wanted_ = end + 4 + std::stoul(std::string(text.substr(length + 16, 10)));
        }
        return received_ >= wanted_;
    }

    Stream stream_;
    std::string request_;
    std::vector<char> buffer_ = std::vector<char>(16384);
    std::size_t received_ = 0;
    std::size_t wanted_ = 0;
};

// Processor time of a process so far.
double seconds_used(int process_id) {
    std::ifstream file("/proc/" + std::to_string(process_id) + "/stat");
    std::string text;
    std::getline(file, text);
    std::istringstream words(text.substr(text.rfind(')') + 2));
    std::string word;
    double ticks = 0;
    for (int field = 3; words >> word; ++field)
        if (field == 14 || field == 15) ticks += std::stod(word);
    return ticks / static_cast<double>(::sysconf(_SC_CLK_TCK));
}

std::string request_for(const testing::Rekeyd& server, const std::string& body,
                        const std::string& credential) {
    return "POST /rpc HTTP/1.1\r\nHost: " + server.host() + ":" + std::to_string(server.port()) +
           "\r\nContent-Type: application/json\r\nAuthorization: Bearer " + credential +
           "\r\nContent-Length: " + std::to_string(body.size()) + "\r\n\r\n" + body;
}

template <class Stream>
void measure(asio::io_context& context, const testing::Rekeyd& server,
             const std::vector<std::unique_ptr<Calling<Stream>>>& callers, std::size_t seconds,
             const std::string& what) {
    const auto answered = [&] {
        std::size_t sum = 0;
        for (const auto& caller : callers) sum += caller->answered;
        return sum;
    };
    const int process_id = const_cast<testing::Rekeyd&>(server).process().id();
    for (const auto& caller : callers) caller->next();
    context.run_for(std::chrono::milliseconds{200});
    std::vector<double> rates;
    const std::size_t first = answered();
    const double used = seconds_used(process_id);
    for (std::size_t round = 0; round < seconds; ++round) {
        const std::size_t before = answered();
        const auto started = SteadyClock::now();
        context.run_for(std::chrono::seconds{1});
        const std::chrono::duration<double> took = SteadyClock::now() - started;
        rates.push_back(static_cast<double>(answered() - before) / took.count());
    }
    const double cpu = seconds_used(process_id) - used;
    const auto calls = static_cast<double>(answered() - first);
    std::sort(rates.begin(), rates.end());
    std::printf(
        "jwt_calls       %s, %zu connections, server on one core: %.0f calls a second (median of "
        "%zu; %.0f to %.0f); %.1f us of the server's processor time a call = %.0f a second\n",
        what.c_str(), callers.size(), rates[rates.size() / 2], rates.size(), rates.front(),
        rates.back(), cpu * 1e6 / calls, calls / cpu);
}

}  // namespace

void jwt_calls(Transport transport, Credential credential, const std::string& method,
               std::size_t connections, std::size_t seconds) {
    use_core(1);
    const auto server = start_server(transport, "0");
    std::string shown = server->admin_key();
    if (credential == Credential::access_token) {
        const auto answer = server->call("auth.token");
        shown = std::string(answer.at("access_token").as_string());
    }
    boost::json::object params;
    if (method == "agents.get") params["agent_id"] = server->new_agent("bench").agent_id;
    const std::string body = boost::json::serialize(
        boost::json::object{{"jsonrpc", "2.0"}, {"id", 7}, {"method", method}, {"params", params}});
    const std::string request = request_for(*server, body, shown);
    const std::string what =
        name_of(transport) + ", " + method +
        (credential == Credential::access_token ? ", access token" : ", API key");

    asio::io_context context(1);
    const tcp::endpoint where(asio::ip::make_address(server->host()), server->port());
    if (transport == Transport::plain) {
        std::vector<std::unique_ptr<Calling<tcp::socket>>> callers;
        for (std::size_t i = 0; i < connections; ++i) {
            tcp::socket socket(context);
            socket.connect(where);
            socket.set_option(tcp::no_delay(true));
            callers.push_back(std::make_unique<Calling<tcp::socket>>(std::move(socket), request));
        }
        measure(context, *server, callers, seconds, what);
        return;
    }
    using Secure = asio::ssl::stream<tcp::socket>;
    asio::ssl::context tls(asio::ssl::context::tls_client);
    std::vector<std::unique_ptr<Calling<Secure>>> callers;
    for (std::size_t i = 0; i < connections; ++i) {
        Secure stream(context, tls);
        stream.next_layer().connect(where);
        stream.next_layer().set_option(tcp::no_delay(true));
        stream.handshake(Secure::client);
        callers.push_back(std::make_unique<Calling<Secure>>(std::move(stream), request));
    }
    measure(context, *server, callers, seconds, what);
}

}  // namespace rekey::bench
