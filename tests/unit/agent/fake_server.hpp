#pragma once

#include "base/clock.hpp"
#include "base/random.hpp"
#include "fakes.hpp"
#include "net/certificates.hpp"
#include "net/http_server.hpp"
#include "net/listener.hpp"
#include "net/tls_context.hpp"
#include "net/web_socket.hpp"

#include <boost/asio/executor_work_guard.hpp>
#include <boost/asio/io_context.hpp>

#include <atomic>
#include <condition_variable>
#include <memory>
#include <mutex>
#include <string>
#include <thread>
#include <vector>

namespace rekey::agent::test {

// A server over real TLS on a thread of its own: welcomes whoever holds a token of fakes.hpp,
// answers every request, enrolls whoever asks, and rotates when told.
class FakeServer {
  public:
    FakeServer();
    ~FakeServer();

    [[nodiscard]] ServerAddress address() const;
    // For POST /enroll, which gives token 1.
    [[nodiscard]] std::string join_string();
    // Offers token `generation` on the newest connection; the commit follows the answer.
    void offer(std::uint64_t generation);
    void close_all(std::uint16_t code);
    // agent.configure as request `id` on the newest connection.
    void configure(int id, const std::string& log_level);

    // Waits; fails the test when that takes forever.
    void wait_connections(std::size_t number);
    void wait_activated(std::uint64_t generation);
    void wait_message(const std::string& part);

    [[nodiscard]] std::vector<std::string> authorizations();
    [[nodiscard]] std::size_t resumed();

    std::string other_pin;             // of a CA that this server does not have
    std::atomic<bool> silent = false;  // answers nothing from now on

  private:
    class Peer;
    void on_request(net::HttpExchange exchange);
    template <class Condition>
    void wait(Condition condition, const std::string& what);

    boost::asio::io_context context_{1};
    boost::asio::executor_work_guard<boost::asio::io_context::executor_type> work_{
        context_.get_executor()};
    SystemClock clock_;
    SystemRandom random_;
    std::string pin_;
    std::unique_ptr<net::HttpServer> http_;
    std::unique_ptr<net::Listener> listener_;
    std::vector<std::unique_ptr<Peer>> peers_;  // of the server's thread

    std::mutex mutex_;
    std::condition_variable changed_;
    std::vector<std::string> authorizations_;
    std::vector<std::string> messages_;
    std::size_t connections_ = 0;
    std::size_t resumed_ = 0;
    std::uint64_t activated_ = 0;
    std::thread thread_;
};

}  // namespace rekey::agent::test
