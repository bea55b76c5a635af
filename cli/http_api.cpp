#include "cli/http_api.hpp"

#include "base/limits.hpp"
#include "cli/exit_code.hpp"
#include "cli/rpc_answer.hpp"
#include "protocol/json_rpc.hpp"

#include <string>
#include <utility>

namespace rekey::cli {

HttpApi::HttpApi(Target target, net::HttpClientOptions options)
    : target_(std::move(target)), client_(std::move(options)) {}

Result<std::unique_ptr<Api>> HttpApi::connect(const Target& target) {
    net::HttpClientOptions options;
    options.host = target.address.host;
    options.port = target.address.port;
    options.response_bytes = limits::kClientAnswerBytes;
    if (target.trust) {
        auto tls = net::ClientTls::make(*target.trust);
        if (tls.has_error())
            return with_way_out(Error(Code::invalid_params, tls.error().message()),
                                "--ca-file and DIR/ca.pem hold certificates in PEM");
        options.tls = std::move(*tls);
    }
    return std::unique_ptr<Api>(new HttpApi(target, std::move(options)));
}

Result<boost::json::value> HttpApi::call(std::string_view method, std::string_view params_json) {
    const std::int64_t id = next_id_++;
    std::string body;
    protocol::append_request(body, id, method, params_json);
    net::HttpCall request;
    request.method = "POST";
    request.target = "/rpc";
    std::string bearer = "Bearer " + std::string(target_.api_key.expose());
    request.headers.emplace_back("Authorization", Secret(bearer));
    wipe_string(bearer);
    request.body = Secret(body);
    auto response = client_.send(request);
    if (response.has_error()) return not_reached(response.error(), target_);
    return read_answer(*response, id);
}

}  // namespace rekey::cli
