#include "protocol/json_rpc.hpp"

#include "protocol/errors.hpp"

#include <cmath>

namespace rekey::protocol {
namespace {

namespace json = boost::json;

// The id as text, if it is one that a request may have.
std::optional<RequestId> read_id(const json::value& id) {
    if (!id.is_string() && !id.is_number() && !id.is_null()) return std::nullopt;
    if (id.is_string() && id.get_string().size() > limits::kRequestIdBytes) return std::nullopt;
    RequestId result;
    append_json_value(result.json, id);
    if (result.json.size() > limits::kRequestIdBytes) return std::nullopt;
    return result;
}

std::optional<std::int64_t> read_own_id(const json::value* id) {
    if (id == nullptr) return std::nullopt;
    if (id->is_int64()) return id->get_int64();
    // Some peers have only floating-point numbers.
    const double* number = id->if_double();
    constexpr auto kCeiling = static_cast<double>(limits::kGenerationCeiling);
    if (number == nullptr || std::trunc(*number) != *number || std::abs(*number) >= kCeiling)
        return std::nullopt;
    return static_cast<std::int64_t>(*number);
}

bool is_version_2(const json::object& envelope) {
    const json::value* version = envelope.if_contains("jsonrpc");
    return version != nullptr && version->is_string() && version->get_string() == "2.0";
}

Response read_response(const json::object& envelope) {
    Response response;
    response.id = read_own_id(envelope.if_contains("id"));
    const json::value* result = envelope.if_contains("result");
    const json::value* error = envelope.if_contains("error");
    // Some libraries write "error": null beside a result, and the other way round.
    if (result != nullptr && error != nullptr && error->is_null()) error = nullptr;
    if (result != nullptr && error != nullptr && result->is_null()) result = nullptr;
    const bool well_formed = is_version_2(envelope) && (result == nullptr) != (error == nullptr) &&
                             (error == nullptr || error->is_object());
    if (!well_formed) return response;
    response.result = result;
    response.error = error;
    return response;
}

Message read_request(const json::object& envelope, const json::value& method) {
    const json::value* id = envelope.if_contains("id");
    std::optional<RequestId> request_id;
    if (id != nullptr) request_id = read_id(*id);
    const auto invalid = [&](const char* why) {
        return InvalidMessage{Error(Code::invalid_request, why), request_id.value_or(null_id())};
    };
    if (id != nullptr && !request_id)
        return invalid("id must be a string of at most 256 bytes, a number or null");
    if (!is_version_2(envelope)) return invalid("jsonrpc must be \"2.0\"");
    if (!method.is_string()) return invalid("method must be a string");
    const json::value* params = envelope.if_contains("params");
    if (params != nullptr && !params->is_object() && !params->is_array())
        return invalid("params must be an object or an array");
    return Request{std::string_view(method.get_string()), params, std::move(request_id)};
}

}  // namespace

Message read_message(const json::value& document) {
    const json::object* envelope = document.if_object();
    if (envelope == nullptr)
        return InvalidMessage{
            Error(Code::invalid_request,
                  document.is_array() ? "batches are not served here" : "not an object"),
            null_id()};
    if (const json::value* method = envelope->if_contains("method"))
        return read_request(*envelope, *method);
    if (envelope->contains("result") || envelope->contains("error"))
        return read_response(*envelope);
    const json::value* id = envelope->if_contains("id");
    const auto request_id = id == nullptr ? std::nullopt : read_id(*id);
    return InvalidMessage{Error(Code::invalid_request, "method is missing"),
                          request_id.value_or(null_id())};
}

Result<const json::array*> read_batch(const json::value& document) {
    const json::array* batch = document.if_array();
    if (batch == nullptr) return Error(Code::invalid_request, "not a batch");
    if (batch->empty()) return Error(Code::invalid_request, "the batch is empty");
    if (batch->size() > limits::kBatchEntries)
        return Error(Code::invalid_request,
                     "a batch has at most " + std::to_string(limits::kBatchEntries) + " entries");
    return batch;
}

std::string join_batch(const std::vector<std::string>& answers) {
    std::string text;
    for (const std::string& answer : answers) text.append(text.empty() ? "[" : ",").append(answer);
    if (!text.empty()) text.push_back(']');
    return text;
}

void append_request(std::string& out, std::int64_t id, std::string_view method,
                    std::string_view params_json) {
    out.append(R"({"jsonrpc":"2.0","id":)");
    append_json_number(out, id);
    out.append(R"(,"method":)");
    append_json_string(out, method);
    if (!params_json.empty()) out.append(R"(,"params":)").append(params_json);
    out.push_back('}');
}

void append_notification(std::string& out, std::string_view method, std::string_view params_json) {
    out.append(R"({"jsonrpc":"2.0","method":)");
    append_json_string(out, method);
    if (!params_json.empty()) out.append(R"(,"params":)").append(params_json);
    out.push_back('}');
}

void append_result(std::string& out, const RequestId& id, std::string_view result_json) {
    out.append(R"({"jsonrpc":"2.0","id":)").append(id.json);
    out.append(R"(,"result":)").append(result_json).push_back('}');
}

void append_error(std::string& out, const RequestId& id, const Error& error) {
    out.append(R"({"jsonrpc":"2.0","id":)").append(id.json).append(R"(,"error":)");
    append_json_object(out, json_rpc_error(error));
    out.push_back('}');
}

}  // namespace rekey::protocol
