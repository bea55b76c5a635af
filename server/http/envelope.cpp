#include "server/http/envelope.hpp"

#include "base/limits.hpp"
#include "protocol/json_rpc.hpp"
#include "protocol/json_text.hpp"

#include <utility>
#include <variant>
#include <vector>

namespace rekey::server::http {
namespace {

bool is_about_the_credential(Code code) {
    return code == Code::unknown_credential || code == Code::token_expired ||
           code == Code::agent_suspended || code == Code::agent_revoked;
}

std::string error_text(const protocol::RequestId& id, const Error& error) {
    std::string out;
    protocol::append_error(out, id, error);
    return out;
}

rpc::Task<std::string> answer_one(const rpc::Dispatcher& dispatcher, const rpc::Caller& caller,
                                  const boost::json::value& document, Carrier carrier,
                                  rpc::Dispatcher::Seen seen, EnvelopeAnswer& whole) {
    const protocol::Message message = protocol::read_message(document);
    if (const auto* invalid = std::get_if<protocol::InvalidMessage>(&message)) {
        co_return error_text(invalid->id, invalid->error);
    }
    const auto* request = std::get_if<protocol::Request>(&message);
    // We ask admins nothing, so a response is nobody's; and a response is never answered.
    if (request == nullptr) co_return std::string();
    const auto result = co_await dispatcher.call(caller, request->method, request->params, seen);
    if (result.has_error() && is_about_the_credential(result.error().code())) {
        whole.credential = result.error().code();
    }
    if (!request->id) co_return std::string();
    if (result.has_error()) co_return error_text(*request->id, result.error());
    std::string out;
    protocol::append_result(out, *request->id, std::string_view(*result));
    if (carrier == Carrier::socket && out.size() > limits::kMessageBytes) {
        co_return error_text(*request->id,
                             Error(Code::invalid_request,
                                   "the answer is longer than a socket's message: ask for a "
                                   "smaller page, or use POST /rpc"));
    }
    co_return out;
}

}  // namespace

rpc::Task<EnvelopeAnswer> answer_envelope(const rpc::Dispatcher& dispatcher,
                                          const rpc::Caller& caller, std::string_view text,
                                          Carrier carrier) {
    EnvelopeAnswer answer;
    const auto document = protocol::parse_json(text);
    if (document.has_error()) {
        answer.parse_failed = document.error().code() == Code::parse_error;
        answer.text = error_text(protocol::null_id(), document.error());
        co_return answer;
    }
    if (!document->is_array() || carrier == Carrier::socket) {
        const auto seen = carrier == Carrier::post ? rpc::Dispatcher::Seen::for_this_call
                                                   : rpc::Dispatcher::Seen::earlier;
        answer.text = co_await answer_one(dispatcher, caller, *document, carrier, seen, answer);
        co_return answer;
    }
    const auto entries = protocol::read_batch(*document);
    if (entries.has_error()) {
        answer.text = error_text(protocol::null_id(), entries.error());
        co_return answer;
    }
    std::vector<std::string> answers;
    for (const auto& entry : **entries) {
        auto one = co_await answer_one(dispatcher, caller, entry, carrier,
                                       rpc::Dispatcher::Seen::earlier, answer);
        if (!one.empty()) answers.push_back(std::move(one));
    }
    answer.text = protocol::join_batch(answers);
    co_return answer;
}

}  // namespace rekey::server::http
