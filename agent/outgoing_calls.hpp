#pragma once

#include "base/clock.hpp"
#include "base/result.hpp"
#include "protocol/json_rpc.hpp"
#include "protocol/method.hpp"

#include <boost/json/value.hpp>

#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <string>

namespace rekey::agent {

// What a request gets when there is no session, or it ends before the answer.
[[nodiscard]] Error not_connected();

// The agent's own requests on one connection: ids, answers matched to them, time-outs. An answer to
// an id that is not waiting (any more) is ignored. One thread.
class OutgoingCalls {
  public:
    using Answered = std::function<void(const Result<boost::json::value>&)>;
    using Send = std::function<void(std::string)>;

    OutgoingCalls(Timers& timers, Send send) : timers_(timers), send_(std::move(send)) {}

    // `answered` comes once: the result, the server's error, `agent_timeout` for silence, or
    // `overloaded` at once when limits::kPendingCallsASession are waiting. Never after drop_all().
    template <protocol::Method M>
    void call(const typename M::Params& params, Milliseconds timeout, Answered answered) {
        const std::int64_t id = ++last_id_;
        std::string text;
        protocol::append_request(text, id, M::name, params);
        add(id, std::move(text), timeout, std::move(answered));
    }

    void on_response(const protocol::Response& response);
    void drop_all() { waiting_.clear(); }
    [[nodiscard]] std::size_t waiting() const { return waiting_.size(); }

  private:
    struct Call {
        Answered answered;
        std::unique_ptr<Timers::Handle> timer;
    };
    void add(std::int64_t id, std::string text, Milliseconds timeout, Answered answered);
    void finish(std::int64_t id, const Result<boost::json::value>& answer);

    Timers& timers_;
    Send send_;
    std::int64_t last_id_ = 0;
    std::map<std::int64_t, Call> waiting_;
};

// `answered`, which hears not_connected() if it was never called when the last copy of this goes:
// for callers who must not wait for ever.
[[nodiscard]] OutgoingCalls::Answered answered_once(OutgoingCalls::Answered answered);

}  // namespace rekey::agent
