#include "protocol/errors.hpp"

#include "base/contract.hpp"
#include "base/limits.hpp"
#include "protocol/json_text.hpp"

#include <algorithm>
#include <array>

namespace rekey::protocol {
namespace {

namespace json = boost::json;
using enum Retry;

// In the order of Code, without corrupt.
constexpr std::array kTable{
    ErrorRow{Code::unknown_credential, "unknown_credential", -32001, 401, later, LogLevel::info,
             "The credential is not known here"},
    ErrorRow{Code::token_expired, "token_expired", -32002, 401, never, LogLevel::info,
             "The token has expired"},
    ErrorRow{Code::agent_suspended, "agent_suspended", -32003, 403, later, LogLevel::info,
             "The agent is suspended"},
    ErrorRow{Code::agent_revoked, "agent_revoked", -32004, 403, never, LogLevel::info,
             "The agent is revoked"},
    ErrorRow{Code::permission_denied, "permission_denied", -32005, 403, never, LogLevel::info,
             "Permission denied"},
    ErrorRow{Code::not_found, "not_found", -32010, 404, never, LogLevel::debug, "Not found"},
    ErrorRow{Code::conflict, "conflict", -32011, 409, never, LogLevel::info, "Conflict"},
    ErrorRow{Code::already_exists, "already_exists", -32012, 409, never, LogLevel::debug,
             "It exists already"},
    ErrorRow{Code::wrong_state, "wrong_state", -32013, 409, later, LogLevel::info,
             "Not in this state"},
    ErrorRow{Code::rate_limited, "rate_limited", -32020, 429, later, LogLevel::info,
             "Too many requests"},
    ErrorRow{Code::agent_offline, "agent_offline", -32030, 409, later, LogLevel::debug,
             "The agent is not connected"},
    ErrorRow{Code::agent_timeout, "agent_timeout", -32031, 504, later, LogLevel::info,
             "The agent did not answer in time"},
    ErrorRow{Code::unavailable, "unavailable", -32040, 503, later, LogLevel::warning,
             "Not available now"},
    ErrorRow{Code::overloaded, "overloaded", -32041, 503, later, LogLevel::warning, "Overloaded"},
    ErrorRow{Code::invalid_params, "invalid_params", -32602, 422, never, LogLevel::debug,
             "Invalid params"},
    ErrorRow{Code::invalid_request, "invalid_request", -32600, 400, never, LogLevel::debug,
             "Invalid Request"},
    ErrorRow{Code::parse_error, "parse_error", -32700, 400, never, LogLevel::debug, "Parse error"},
    ErrorRow{Code::method_not_found, "method_not_found", -32601, 404, never, LogLevel::debug,
             "Method not found"},
    ErrorRow{Code::internal, "internal", -32603, 500, later, LogLevel::error, "Internal error"},
};

constexpr bool in_order() {
    for (std::size_t i = 0; i < kTable.size(); ++i)
        if (static_cast<std::size_t>(kTable[i].code) != i) return false;
    return kTable.size() == static_cast<std::size_t>(Code::corrupt);
}
static_assert(in_order(), "error_row() takes the code as index");

json::object make_body(const Error& error, std::string_view message, bool with_details) {
    const ErrorRow& row = error_row(error.code());
    json::object body{{"name", json::string(row.name)},
                      {"message", json::string(message)},
                      {"retry", row.retry == later ? "later" : "never"}};
    if (error.retry_after()) body["retry_after_seconds"] = error.retry_after()->count();
    if (with_details && error.details() != nullptr) body["details"] = *error.details();
    return body;
}

bool fits(const json::object& body) {
    std::string text;
    append_json_object(text, body);
    return text.size() < limits::kErrorBytes;
}

// A member of an untrusted object, if it is a string.
std::optional<std::string_view> text_member(const json::object& object, std::string_view name) {
    const json::value* value = object.if_contains(name);
    const json::string* text = value == nullptr ? nullptr : value->if_string();
    if (text == nullptr) return std::nullopt;
    return std::string_view(*text);
}

Code nearest_code(std::string_view retry, unsigned status) {
    if (status == 429) return Code::rate_limited;
    if (retry != "never") return Code::unavailable;
    switch (status) {
        case 403:
            return Code::permission_denied;
        case 404:
            return Code::not_found;
        case 409:
            return Code::conflict;
        default:
            return Code::invalid_request;
    }
}

Error read_body(const json::object& body, std::string_view name, unsigned status) {
    const auto known = code_from_name(name);
    const Code code =
        known ? *known : nearest_code(text_member(body, "retry").value_or(""), status);
    Error error(code, std::string(cut_utf8(text_member(body, "message").value_or(""),
                                           limits::kErrorBytes)));
    if (const auto* details = body.if_contains("details"); details && details->is_object())
        for (const auto& [key, value] : details->get_object())
            error = std::move(error).with(key, json::value(value, json::storage_ptr{}));
    if (!known)
        error =
            std::move(error).with("remote_name", json::string(cut_utf8(name, limits::kTextBytes)));
    if (const auto* after = body.if_contains("retry_after_seconds");
        after != nullptr && after->is_int64() && after->get_int64() >= 0)
        error = std::move(error).with_retry_after(std::min<std::chrono::seconds>(
            std::chrono::seconds(after->get_int64()), std::chrono::hours(24)));
    return error;
}

}  // namespace

const ErrorRow& error_row(Code code) {
    if (code == Code::corrupt) code = Code::internal;
    const auto index = static_cast<std::size_t>(code);
    REKEY_ASSERT(index < kTable.size());
    return kTable[index];
}

std::optional<Code> code_from_name(std::string_view name) {
    const auto* const found = std::find_if(kTable.begin(), kTable.end(),
                                           [&](const ErrorRow& row) { return row.name == name; });
    if (found == kTable.end()) return std::nullopt;
    return found->code;
}

json::object error_body(const Error& error) {
    const bool tell = !error.message().empty() && error.code() != Code::corrupt;
    const std::string_view message = tell ? error.message() : error_row(error.code()).phrase;
    // 128 bytes, each escaped to six, fit without details.
    for (const bool with_details : {true, false})
        for (const std::size_t room :
             {limits::kErrorBytes, std::size_t{512}, std::size_t{256}, std::size_t{128}}) {
            json::object body = make_body(error, cut_utf8(message, room), with_details);
            if (fits(body)) return body;
        }
    contract_broken("an error without details fits", __FILE__, __LINE__);
}

std::string error_body_text(const Error& error) {
    std::string text;
    append_json_object(text, error_body(error));
    return text;
}

json::object json_rpc_error(const Error& error) {
    if (error.verbatim() != nullptr) return *error.verbatim();
    const ErrorRow& row = error_row(error.code());
    json::object data = error_body(error);
    const bool of_the_envelope = error.code() == Code::parse_error ||
                                 error.code() == Code::invalid_request ||
                                 error.code() == Code::method_not_found;
    json::value message = of_the_envelope ? json::value(json::string(row.phrase)) : data["message"];
    return {{"code", row.json_rpc}, {"message", std::move(message)}, {"data", std::move(data)}};
}

Error error_from_body(const json::value& body, unsigned http_status) {
    const json::object* object = body.if_object();
    const auto name = object == nullptr ? std::nullopt : text_member(*object, "name");
    if (name) return read_body(*object, *name, http_status);
    return Error(
        http_status == 429 ? Code::rate_limited : Code::unavailable,
        "the answer is not one of Rekey's (HTTP status " + std::to_string(http_status) + ")");
}

Error error_from_json_rpc(const json::value& error_object) {
    const json::object* object = error_object.if_object();
    if (object == nullptr) return Error(Code::internal, "the peer's error is no object");
    const json::value* data = object->if_contains("data");
    const json::object* body = data == nullptr ? nullptr : data->if_object();
    const auto name = body == nullptr ? std::nullopt : text_member(*body, "name");
    if (name) return read_body(*body, *name, 0);

    const json::value* number = object->if_contains("code");
    const std::int64_t code = number != nullptr && number->is_int64() ? number->get_int64() : 0;
    // Without a name, the codes that others assign freely (-32000 to -32099) say nothing.
    const auto* const row = std::find_if(kTable.begin(), kTable.end(), [&](const ErrorRow& r) {
        return r.json_rpc == code && code <= -32600;
    });
    return Error(
        row == kTable.end() ? Code::internal : row->code,
        std::string(cut_utf8(text_member(*object, "message").value_or(""), limits::kErrorBytes)));
}

}  // namespace rekey::protocol
