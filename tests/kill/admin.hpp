#pragma once

#include "base/result.hpp"
#include "net/http_client.hpp"

#include <boost/json/object.hpp>
#include <boost/json/value.hpp>

#include <cstdint>
#include <optional>
#include <string>

namespace rekey::testing {

// The admin of a server that may be dead at any moment: a call has an answer, or none. Blocks, for
// a few seconds at most.
class Admin {
  public:
    explicit Admin(std::string data_dir) : data_dir_(std::move(data_dir)) {}

    // Before the next start: what is known of the old one's address is void, but for its port.
    void server_is_gone();
    // 0 until the first start has told.
    [[nodiscard]] std::uint16_t port() const { return port_; }

    using Answer = Result<boost::json::value>;
    [[nodiscard]] std::optional<Answer> ask(const std::string& method,
                                            const boost::json::object& params);
    // Throws std::runtime_error for a refusal.
    [[nodiscard]] std::optional<boost::json::value> result_of(const std::string& method,
                                                              const boost::json::object& params);

  private:
    [[nodiscard]] bool find_server();

    std::string data_dir_;
    std::uint16_t port_ = 0;
    std::string key_;
    std::optional<net::BlockingHttpClient> client_;
};

}  // namespace rekey::testing
