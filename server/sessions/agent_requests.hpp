#pragma once

#include "protocol/catalog.hpp"
#include "protocol/method.hpp"
#include "server/rpc/task.hpp"
#include "server/sessions/agent_caller.hpp"
#include "server/shard.hpp"

#include <boost/json/value.hpp>

#include <concepts>
#include <functional>
#include <map>
#include <memory>
#include <string>
#include <string_view>
#include <utility>

namespace rekey::server::sessions {

// What agents may ask on their socket beyond the session's own business (hello, heartbeats and
// rotation, which agent_methods.cpp answers). Each is bound once at start, as rpc::Registry does it
// for admins:
//   requests.bind<protocol::AgentVerify>(
//       [&](const AgentCaller&, protocol::AgentVerify::Params) ->
//       Result<protocol::AgentVerify::Result>);
// A handler answers Result<M::Result>, or Task<Result<M::Result>> if it waits for something, such
// as a transaction (rpc::read_from, rpc::write_to); it runs on the session's shard and must not
// block. One that writes, or answers a secret, calls require_still() first in its transaction.
// Calling is safe from any thread once all are bound.
class AgentRequests {
  public:
    // JSON of the result, which may hold a secret: who takes it wipes it.
    using Answer = std::function<void(Result<std::string>)>;

    template <protocol::Method M, class Handler>
    void bind(Handler handler);

    // `answer` comes once, on `shard`'s thread, perhaps before this returns; never if the shard
    // ends first. Errors: `method_not_found`, `invalid_params`, the handler's. `params` is only
    // read before this returns.
    void call(Shard& shard, const AgentCaller& caller, std::string_view method,
              const boost::json::value* params, Answer answer) const;

    // Throws StartupError naming every agent method of the catalog that neither the session itself
    // nor anybody here handles.
    void require_complete() const;

  private:
    using Run = std::function<void(Shard& shard, const AgentCaller& caller,
                                   const boost::json::value* params, Answer answer)>;
    void add(std::string_view method, Run run);

    std::map<std::string, Run, std::less<>> runs_;
};

namespace detail {

template <protocol::Method M>
[[nodiscard]] Result<std::string> encoded(const Result<typename M::Result>& outcome) {
    if (outcome.has_error()) return outcome.error();
    return protocol::encode(*outcome);
}

template <protocol::Method M, class Handler>
[[nodiscard]] rpc::Task<void> run_task(std::shared_ptr<const Handler> handler, AgentCaller caller,
                                       typename M::Params params, AgentRequests::Answer answer) {
    auto task = (*handler)(caller, std::move(params));
    const auto outcome = co_await std::move(task);
    answer(encoded<M>(outcome));
}

}  // namespace detail

template <protocol::Method M, class Handler>
void AgentRequests::bind(Handler handler) {
    static_assert(M::access.caller == protocol::Caller::agent);
    using Returned = std::invoke_result_t<const Handler&, const AgentCaller&, typename M::Params>;
    add(M::name, [shared = std::make_shared<const Handler>(std::move(handler))](
                     Shard& shard, const AgentCaller& caller, const boost::json::value* params,
                     Answer answer) {  // NOLINT(performance-*): one branch moves it
        auto decoded = protocol::decode_params<M>(params);
        if (decoded.has_error()) return answer(std::move(decoded).error());
        if constexpr (std::same_as<Returned, Result<typename M::Result>>) {
            answer(detail::encoded<M>((*shared)(caller, *std::move(decoded))));
        } else {
            static_assert(std::same_as<Returned, rpc::Task<Result<typename M::Result>>>,
                          "a handler answers Result<M::Result> or Task<Result<M::Result>>");
            rpc::spawn(shard.context().get_executor(),
                       detail::run_task<M>(shared, caller, *std::move(decoded), std::move(answer)));
        }
    });
}

}  // namespace rekey::server::sessions
