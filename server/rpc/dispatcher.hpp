#pragma once

#include "base/clock.hpp"
#include "base/log.hpp"
#include "base/result.hpp"
#include "server/rpc/authenticator.hpp"
#include "server/rpc/call_limiter.hpp"
#include "server/rpc/caller.hpp"
#include "server/rpc/registry.hpp"
#include "server/rpc/task.hpp"
#include "storage/store.hpp"

#include <boost/json/value.hpp>

#include <functional>
#include <string>
#include <string_view>

namespace rekey::server::rpc {

// What was called and how it ended, for counters.
struct CallFacts {
    std::string_view method;   // "" if there is no such method: names of strangers are unbounded
    std::string_view outcome;  // "ok" or the error's stable name
    Milliseconds duration{};
};

// Every admin call of every door goes through call(). Safe from any thread once built.
class Dispatcher {
  public:
    struct Parts {
        const Registry& registry;
        storage::Store& store;
        const Clock& clock;
        const Log& log;
        CallLimiter& calls;
        const Authenticator& authenticator;
        std::function<void(const CallFacts&)> observe;  // may be empty
    };
    explicit Dispatcher(Parts parts) : parts_(std::move(parts)) {}

    // Whether the caller was authenticated for this very call, or for an earlier one, perhaps long
    // ago on a socket: then it is read again.
    enum class Seen : std::uint8_t { earlier, for_this_call };

    // The result as JSON text, or the error for the envelope. `method` and `params` must outlive
    // the task.
    [[nodiscard]] Task<Result<std::string>> call(Caller caller, std::string_view method,
                                                 const boost::json::value* params,
                                                 Seen seen = Seen::earlier) const;

  private:
    // Leaves in `caller` what it is now.
    [[nodiscard]] Result<> authorise(Caller& caller, Seen seen, const protocol::Access& access,
                                     const boost::json::value* params) const;
    [[nodiscard]] Task<void> audit_refusal(const Caller& caller, std::string_view method,
                                           const Error& error) const;

    Parts parts_;
};

}  // namespace rekey::server::rpc
