#include "agent/refusal.hpp"

#include "base/limits.hpp"
#include "protocol/errors.hpp"
#include "protocol/json_text.hpp"

#include <algorithm>
#include <charconv>
#include <utility>

namespace rekey::agent {
namespace {

std::optional<std::chrono::seconds> retry_after_header(const net::HttpResponse& answer) {
    const std::string_view text = answer.headers.get("Retry-After");
    const char* const first = text.data();
    const char* const last = first + text.size();
    std::int64_t seconds = 0;
    const auto [end, error] = std::from_chars(first, last, seconds);
    if (error != std::errc{} || end != last || seconds < 0) return std::nullopt;
    return std::chrono::seconds(
        std::min<std::int64_t>(seconds, std::chrono::seconds(limits::kRetryAfterCap).count()));
}

bool is_decisive(Code code) {
    return code == Code::unknown_credential || code == Code::token_expired ||
           code == Code::agent_suspended || code == Code::agent_revoked;
}

}  // namespace

Error read_refusal(const net::HttpResponse& answer) {
    auto body = protocol::parse_json(answer.body);
    Error error = protocol::error_from_body(body.has_value() ? *body : boost::json::value(nullptr),
                                            answer.status);
    if (is_decisive(error.code()) && protocol::error_row(error.code()).http != answer.status)
        return Error(Code::unavailable, "the answer's body and its HTTP status " +
                                            std::to_string(answer.status) +
                                            " contradict each other");
    const auto told = retry_after_header(answer);
    return !error.retry_after() && told ? std::move(error).with_retry_after(*told) : error;
}

Milliseconds wait_told_by(const Error& refusal) {
    return std::min<Milliseconds>(refusal.retry_after().value_or(std::chrono::seconds(0)),
                                  limits::kRetryAfterCap);
}

}  // namespace rekey::agent
