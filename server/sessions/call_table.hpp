#pragma once

#include "base/clock.hpp"
#include "net/timing_wheel.hpp"
#include "protocol/json_rpc.hpp"
#include "server/rotation/agent_link.hpp"

#include <boost/json/value.hpp>

#include <cstddef>
#include <cstdint>
#include <memory>
#include <vector>

namespace rekey::server::sessions {

// The calls that one peer has not answered: in time, then late. Ids grow and are never used twice,
// so that no answer ever meets the wrong call. At most limits::kPendingCallsASession wait, and the
// newest limits::kLateCallsASession are remembered after their time-out. One thread.
class CallTable {
  public:
    using Answer = rotation::AgentLink::Answer;

    CallTable();
    ~CallTable();
    CallTable(const CallTable&) = delete;
    CallTable& operator=(const CallTable&) = delete;

    [[nodiscard]] bool full() const;
    // Remembers one more call, unless full(), and answers with its id. Both answers may be empty.
    std::int64_t add(net::TimingWheel& wheel, SteadyTime now, Milliseconds timeout, Answer answer,
                     Answer late);
    // Whether the answer belongs to a call of ours. A malformed one is given on as null, an error
    // with the peer's own object (Error::verbatim).
    bool on_response(const protocol::Response& response);
    // `agent_offline` for all that wait; the late ones are forgotten.
    void end();

    [[nodiscard]] std::size_t size() const { return calls_.size(); }

  private:
    struct Call;
    void on_timeout(Call& call);
    void forget_oldest_late();

    std::vector<std::unique_ptr<Call>> calls_;  // oldest first
    std::int64_t last_id_ = 0;
};

}  // namespace rekey::server::sessions
