#pragma once

#include "cli/api.hpp"
#include "cli/target.hpp"
#include "net/http_client.hpp"

#include <cstdint>
#include <memory>

namespace rekey::cli {

// The methods over `POST /rpc` (docs/protocol.md), one connection for all calls.
class HttpApi final : public Api {
  public:
    // `permission_denied` or `invalid_params` for a CA file that holds no certificate.
    [[nodiscard]] static Result<std::unique_ptr<Api>> connect(const Target& target);

    [[nodiscard]] Result<boost::json::value> call(std::string_view method,
                                                  std::string_view params_json) override;

  private:
    HttpApi(Target target, net::HttpClientOptions options);

    Target target_;
    net::BlockingHttpClient client_;
    std::int64_t next_id_ = 1;
};

}  // namespace rekey::cli
