#pragma once

#include "base/code.hpp"
#include "base/log.hpp"
#include "base/result.hpp"

#include <boost/json/object.hpp>
#include <boost/json/value.hpp>

#include <optional>
#include <string>
#include <string_view>

// Refusals: one table for all doors (docs/protocol.md, "Refusals").
namespace rekey::protocol {

enum class Retry : std::uint8_t { later, never };

struct ErrorRow {
    Code code;
    std::string_view name;  // stable; the header Rekey-Error, `data.name`
    int json_rpc;
    unsigned http;
    Retry retry;
    LogLevel level;           // at which the side that refuses logs it
    std::string_view phrase;  // the message when an error has none of its own
};

// Code::corrupt has the row of `internal`: that a database is damaged is nobody else's business.
[[nodiscard]] const ErrorRow& error_row(Code code);
[[nodiscard]] inline std::string_view error_name(Code code) { return error_row(code).name; }
[[nodiscard]] std::optional<Code> code_from_name(std::string_view name);

// {name, message, retry, retry_after_seconds?, details?}: the body of an HTTP refusal and
// `error.data` in JSON-RPC. Serialised it stays under limits::kErrorBytes: first the message is
// cut, then details are dropped. The message of Code::corrupt is not told.
[[nodiscard]] boost::json::object error_body(const Error& error);
[[nodiscard]] std::string error_body_text(const Error& error);

// {code, message, data}, or what Error::verbatim holds. For parse_error, invalid_request and
// method_not_found `message` is the phrase of the JSON-RPC specification; what exactly was wrong
// stands in data.message.
[[nodiscard]] boost::json::object json_rpc_error(const Error& error);

// For clients. What `body` is not understood by (a proxy's page, a newer server's name) becomes the
// nearest code: by `retry` where there is one, else by the status; never a code that makes an agent
// drop or give up a token. details.remote_name keeps an unknown name.
[[nodiscard]] Error error_from_body(const boost::json::value& body, unsigned http_status);
[[nodiscard]] Error error_from_json_rpc(const boost::json::value& error_object);

}  // namespace rekey::protocol
