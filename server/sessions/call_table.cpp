#include "server/sessions/call_table.hpp"

#include "base/contract.hpp"
#include "base/limits.hpp"
#include "protocol/errors.hpp"

#include <algorithm>
#include <utility>

namespace rekey::server::sessions {

struct CallTable::Call final : net::TimingWheel::Entry {
    CallTable* table = nullptr;
    std::int64_t id = 0;
    bool timed_out = false;
    Answer answer;
    Answer late;

    void on_deadline() override { table->on_timeout(*this); }
};

CallTable::CallTable() = default;
CallTable::~CallTable() = default;

bool CallTable::full() const {
    if (calls_.size() < limits::kPendingCallsASession) return false;
    const auto waiting = std::count_if(calls_.begin(), calls_.end(),
                                       [](const auto& call) { return !call->timed_out; });
    return static_cast<std::size_t>(waiting) >= limits::kPendingCallsASession;
}

std::int64_t CallTable::add(net::TimingWheel& wheel, SteadyTime now, Milliseconds timeout,
                            Answer answer, Answer late) {
    REKEY_ASSERT(!full());
    auto call = std::make_unique<Call>();
    call->table = this;
    call->id = ++last_id_;
    call->answer = std::move(answer);
    call->late = std::move(late);
    wheel.arm(*call, now, timeout);
    calls_.push_back(std::move(call));
    return last_id_;
}

namespace {

// That a peer is offline or late, or asked too much, is for this side to find; one that says so of
// itself has answered.
Error said_by_peer(Error error) {
    if (error.code() != Code::agent_offline && error.code() != Code::agent_timeout &&
        error.code() != Code::overloaded)
        return error;
    return Error(Code::internal, error.message());
}

// With the object itself, for an admin who called a method of the agent's own (agents.call), if it
// is one that may be passed on.
Error read_error(const boost::json::value& object) {
    Error error = said_by_peer(protocol::error_from_json_rpc(object));
    const auto* code = object.as_object().if_contains("code");
    const auto* message = object.as_object().if_contains("message");
    if (code == nullptr || !code->is_int64() || message == nullptr || !message->is_string())
        return error;
    return std::move(error).with_verbatim(
        boost::json::object(object.get_object(), boost::json::storage_ptr()));
}

}  // namespace

bool CallTable::on_response(const protocol::Response& response) {
    if (!response.id) return false;
    const auto found = std::find_if(calls_.begin(), calls_.end(),
                                    [&](const auto& call) { return call->id == *response.id; });
    if (found == calls_.end()) return false;
    // Out of the table first: the answer may lead to the next call.
    const auto call = std::move(*found);
    calls_.erase(found);
    const Answer& answer = call->timed_out ? call->late : call->answer;
    if (!answer) return true;
    if (response.error)
        answer(read_error(*response.error));
    else if (response.result)
        // A copy of its own: what was parsed lives in the shard's arena and dies with the message.
        answer(boost::json::value(*response.result, boost::json::storage_ptr()));
    else
        answer(boost::json::value(nullptr));
    return true;
}

void CallTable::on_timeout(Call& call) {
    const Answer answer = std::move(call.answer);
    call.answer = nullptr;
    call.timed_out = true;
    if (call.late)
        forget_oldest_late();
    else
        std::erase_if(calls_, [&](const auto& other) { return other.get() == &call; });
    // `call` may be gone from here on.
    if (answer) answer(Error(Code::agent_timeout, "the agent did not answer in time"));
}

void CallTable::forget_oldest_late() {
    const auto late = std::count_if(calls_.begin(), calls_.end(),
                                    [](const auto& call) { return call->timed_out; });
    if (static_cast<std::size_t>(late) <= limits::kLateCallsASession) return;
    calls_.erase(std::find_if(calls_.begin(), calls_.end(),
                              [](const auto& call) { return call->timed_out; }));
}

void CallTable::end() {
    const auto calls = std::exchange(calls_, {});
    for (const auto& call : calls)
        if (!call->timed_out && call->answer)
            call->answer(Error(Code::agent_offline, "the agent's session ended"));
}

}  // namespace rekey::server::sessions
