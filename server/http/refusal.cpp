#include "server/http/refusal.hpp"

#include "protocol/errors.hpp"

#include <string>
#include <utility>

namespace rekey::server::http {
namespace {

constexpr std::chrono::seconds kDefaultRetry{1};

}  // namespace

net::HttpResponse json_answer(unsigned status, std::string body) {
    net::HttpResponse response = net::HttpResponse::json(status, std::move(body));
    response.headers.add("Cache-Control", "no-store");
    return response;
}

net::HttpResponse refusal(const Error& error) {
    return refusal(protocol::error_row(error.code()).http, error);
}

net::HttpResponse refusal(unsigned status, const Error& error) {
    net::HttpResponse response = json_answer(status, protocol::error_body_text(error));
    response.headers.add("Rekey-Error", protocol::error_name(error.code()));
    if (status == 401) response.headers.add("WWW-Authenticate", "Bearer");
    if (status == 429 || status == 503) {
        const auto wait = error.retry_after().value_or(kDefaultRetry);
        response.headers.add("Retry-After", std::to_string(wait.count()));
    }
    return response;
}

}  // namespace rekey::server::http
