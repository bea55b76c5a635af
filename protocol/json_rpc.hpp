#pragma once

#include "base/result.hpp"
#include "protocol/fields.hpp"
#include "protocol/json_text.hpp"

#include <boost/json/array.hpp>
#include <boost/json/value.hpp>

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

// The JSON-RPC 2.0 envelope (https://www.jsonrpc.org/specification). Pure: text in, text out.
//
//     REKEY_TRY_ASSIGN(document, parse_json(text, &arena));   // parse_error: answer with null_id()
//     Message message = read_message(document);               // views into `document`
//
// At the envelope array params are allowed; decode<Params>() refuses them. Unknown members of the
// envelope are ignored.
namespace rekey::protocol {

// A request's id as JSON text, ready to be written into its answer: `7`, `"a"`, `null`. It is kept
// as text because the document lives in an arena that is gone when an asynchronous handler answers.
struct RequestId {
    std::string json;
    friend bool operator==(const RequestId&, const RequestId&) = default;
};
[[nodiscard]] inline RequestId null_id() { return {"null"}; }

// Views into the parsed document; copy what must live longer.
struct Request {
    std::string_view method;
    const boost::json::value* params = nullptr;  // object or array; null if absent
    std::optional<RequestId> id;                 // none: a notification, never answered
};

// An answer to a request of ours. Exactly one of result and error is set, unless it is malformed:
// then neither is, and the caller treats it as no answer. A response is never answered itself, or
// two peers would refuse each other's refusals for ever.
struct Response {
    std::optional<std::int64_t> id;  // our ids are integers; none for null or any other id
    const boost::json::value* result = nullptr;
    const boost::json::value* error = nullptr;  // always an object; error_from_json_rpc() reads it
    [[nodiscard]] bool malformed() const { return result == nullptr && error == nullptr; }
};

// Neither: is answered with `error` and `id` (null unless a valid one was found).
struct InvalidMessage {
    Error error;
    RequestId id;
};

using Message = std::variant<Request, Response, InvalidMessage>;

// Reads one envelope. An array is an InvalidMessage with id null: so a socket, which knows no
// batches, hands every document to this.
[[nodiscard]] Message read_message(const boost::json::value& document);

// For POST /rpc: the entries, each for read_message, if `document` is a batch of 1 to
// limits::kBatchEntries. invalid_request for an empty or larger one (one answer, id null).
[[nodiscard]] Result<const boost::json::array*> read_batch(const boost::json::value& document);

// Joins the answers of a batch to "[…]"; empty if there are none (nothing is sent, HTTP 204).
[[nodiscard]] std::string join_batch(const std::vector<std::string>& answers);

// Builders append one message to `out`. `params_json` and `result_json` are JSON text; empty params
// are left out.
void append_request(std::string& out, std::int64_t id, std::string_view method,
                    std::string_view params_json);
void append_notification(std::string& out, std::string_view method, std::string_view params_json);
void append_result(std::string& out, const RequestId& id, std::string_view result_json);
void append_error(std::string& out, const RequestId& id, const Error& error);

// Without an intermediate text: for the paths that run 100,000 times a second.
template <Described T>
void append_request(std::string& out, std::int64_t id, std::string_view method, const T& params) {
    out.append(R"({"jsonrpc":"2.0","id":)");
    append_json_number(out, id);
    out.append(R"(,"method":)");
    append_json_string(out, method);
    out.append(R"(,"params":)");
    append_json(out, params);
    out.push_back('}');
}

template <Described T>
void append_notification(std::string& out, std::string_view method, const T& params) {
    out.append(R"({"jsonrpc":"2.0","method":)");
    append_json_string(out, method);
    out.append(R"(,"params":)");
    append_json(out, params);
    out.push_back('}');
}

template <Described T>
void append_result(std::string& out, const RequestId& id, const T& result) {
    out.append(R"({"jsonrpc":"2.0","id":)").append(id.json).append(R"(,"result":)");
    append_json(out, result);
    out.push_back('}');
}

}  // namespace rekey::protocol
