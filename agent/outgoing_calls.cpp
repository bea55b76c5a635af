#include "agent/outgoing_calls.hpp"

#include "base/limits.hpp"
#include "protocol/errors.hpp"

#include <utility>

namespace rekey::agent {
namespace {

struct Once {
    explicit Once(OutgoingCalls::Answered given) : answered(std::move(given)) {}
    ~Once() {
        if (answered) answered(not_connected());
    }
    Once(const Once&) = delete;
    Once& operator=(const Once&) = delete;

    OutgoingCalls::Answered answered;  // empty once it was called
};

}  // namespace

Error not_connected() { return Error(Code::agent_offline, "there is no connection to the server"); }

OutgoingCalls::Answered answered_once(OutgoingCalls::Answered answered) {
    return [once = std::make_shared<Once>(std::move(answered))](
               const Result<boost::json::value>& answer) {
        if (const auto call = std::exchange(once->answered, nullptr)) call(answer);
    };
}

void OutgoingCalls::add(std::int64_t id, std::string text, Milliseconds timeout,
                        Answered answered) {
    if (waiting_.size() >= limits::kPendingCallsASession) {
        answered(Error(Code::overloaded, "too many requests are waiting for the server"));
        return;
    }
    auto timer = timers_.after(timeout, [this, id] {
        finish(id, Error(Code::agent_timeout, "the server did not answer in time"));
    });
    waiting_.emplace(id, Call{std::move(answered), std::move(timer)});
    send_(std::move(text));
}

void OutgoingCalls::on_response(const protocol::Response& response) {
    if (!response.id) return;
    if (response.malformed())
        finish(*response.id, Error(Code::unavailable, "the server's answer is malformed"));
    else if (response.error != nullptr)
        finish(*response.id, protocol::error_from_json_rpc(*response.error));
    else
        finish(*response.id, *response.result);
}

void OutgoingCalls::finish(std::int64_t id, const Result<boost::json::value>& answer) {
    const auto found = waiting_.find(id);
    if (found == waiting_.end()) return;
    // Out of the map first: the callback may call again, or drop all. The timer lives until the end
    // of this function because it may be what runs it.
    const Call call = std::move(found->second);
    waiting_.erase(found);
    call.answered(answer);
}

}  // namespace rekey::agent
