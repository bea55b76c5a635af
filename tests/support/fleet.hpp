#pragma once

#include "base/random.hpp"
#include "net/http_client.hpp"
#include "tests/support/scripted_agent.hpp"

#include <boost/asio/io_context.hpp>

#include <chrono>
#include <cstddef>
#include <functional>
#include <memory>
#include <string>
#include <vector>

namespace rekey::testing {

// How to reach a server as its admin.
struct AdminAccess {
    std::string host;
    std::uint16_t port = 0;
    std::shared_ptr<net::ClientTls> tls;  // none: plain
    std::string api_key;
};

// Reads listen, admin.key and ca.pem of a server's data directory.
[[nodiscard]] AdminAccess admin_access(const std::string& data_directory, bool plain);

// Calls admin methods over one kept connection; throws std::runtime_error with the server's words
// when refused.
class AdminClient {
  public:
    explicit AdminClient(const AdminAccess& access);
    boost::json::value call(const std::string& method, const boost::json::object& params);
    // Up to limits::kBatchEntries requests in one body; the results in their order.
    std::vector<boost::json::value> call_all(const std::string& method,
                                             const std::vector<boost::json::object>& params);

  private:
    std::string api_key_;
    net::BlockingHttpClient client_;
};

// Many scripted agents on one thread, for the simulator and the benches.
class Fleet {
  public:
    Fleet(AdminAccess access, std::uint64_t seed);

    // Creates and enrolls agents named <prefix>-<number>.
    void enroll(std::size_t count, const std::string& prefix);
    // Connects those that are not, at most `at_once` attempts in flight; returns when all are
    // welcome.
    void connect(const std::vector<std::size_t>& which, std::size_t at_once = 64);
    void connect_all();

    // Runs the thread's events until `condition` holds, looked at after each change; false when
    // `patience` is over.
    [[nodiscard]] bool run_until(const std::function<bool()>& condition,
                                 std::chrono::milliseconds patience);

    [[nodiscard]] std::size_t size() const { return agents_.size(); }
    [[nodiscard]] ScriptedAgent& at(std::size_t index) { return *agents_[index]; }
    [[nodiscard]] AdminClient& admin() { return admin_; }
    [[nodiscard]] boost::asio::io_context& context() { return context_; }

  private:
    AdminAccess access_;
    AdminClient admin_;
    boost::asio::io_context context_;
    SeededRandom random_;
    bool dirty_ = false;
    std::vector<std::unique_ptr<ScriptedAgent>> agents_;
};

}  // namespace rekey::testing
