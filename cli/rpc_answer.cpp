#include "cli/rpc_answer.hpp"

#include "base/limits.hpp"
#include "cli/exit_code.hpp"
#include "protocol/errors.hpp"
#include "protocol/json_rpc.hpp"
#include "protocol/json_text.hpp"

#include <fmt/format.h>

#include <string>
#include <variant>

namespace rekey::cli {
namespace {

std::string text_detail(const Error& error, std::string_view name) {
    const auto* value = error.details() == nullptr ? nullptr : error.details()->if_contains(name);
    return value == nullptr || !value->is_string() ? std::string()
                                                   : std::string(value->get_string());
}

Error not_understood(const net::HttpResponse& response) {
    return with_way_out(
        Error(Code::unavailable,
              fmt::format("what answered (HTTP {}) is no Rekey server", response.status)),
        "Check host and port: rekeyctl speaks to the port that rekeyd listens on");
}

std::string way_out_of_certificate(const std::string& reason, const Target& target) {
    if (reason == "name")
        return fmt::format(
            "Its certificate is for other names than {}: use one of those, as "
            "--server HOST:PORT",
            target.address.host);
    if (reason == "expired" || reason == "not_yet_valid")
        return "Check the clocks of both machines; rekeyd renews its own certificate while it runs";
    if (target.data_dir.empty())
        return "Give the server's CA with --ca-file FILE; rekeyd keeps it in DIR/ca.pem";
    return fmt::format(
        "{}/ca.pem is not the CA of this server: give the right one with --ca-file, "
        "or the right --data-dir",
        target.data_dir);
}

}  // namespace

Error not_reached(const Error& error, const Target& target) {
    if (error.code() == Code::permission_denied) {
        const std::string reason = text_detail(error, "reason");
        return with_way_out(
            Error(Code::permission_denied, fmt::format("the server at {} is not believed: {}",
                                                       target.url(), error.message())),
            way_out_of_certificate(reason, target));
    }
    std::string way_out = fmt::format("Is rekeyd running, and is {} its address (from {})?",
                                      target.url(), target.source);
    if (text_detail(error, "reason") == "no_tls")
        way_out = fmt::format(
            "Is {}:{} the right address (from {})? A rekeyd that runs with --plain-http is spoken "
            "to with --plain-http",
            target.address.host, target.address.port, target.source);
    else
        way_out += target.trust ? " If it runs with --plain-http, add --plain-http"
                                : " If it speaks TLS, leave --plain-http out";
    return with_way_out(
        Error(error.code(), fmt::format("no answer from {}: {}", target.url(), error.message())),
        way_out);
}

Result<boost::json::value> read_answer(const net::HttpResponse& response, std::int64_t id) {
    const auto document = protocol::parse_json(response.body, {}, limits::kClientAnswerBytes);
    if (response.status != 200) {
        const auto* body = document.has_value() ? document->if_object() : nullptr;
        if (body == nullptr || !body->contains("name")) return not_understood(response);
        Error error = protocol::error_from_body(*document, response.status);
        // Before the body was read: nothing but the credential can be meant.
        if (error.code() == Code::agent_suspended || error.code() == Code::agent_revoked)
            return of_the_caller(std::move(error));
        return error;
    }
    if (document.has_error()) return not_understood(response);
    const protocol::Message message = protocol::read_message(*document);
    const auto* answer = std::get_if<protocol::Response>(&message);
    if (answer == nullptr || answer->malformed()) return not_understood(response);
    if (answer->error != nullptr) return protocol::error_from_json_rpc(*answer->error);
    if (answer->id != id) return not_understood(response);
    return *answer->result;
}

}  // namespace rekey::cli
