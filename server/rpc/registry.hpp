#pragma once

#include "protocol/catalog.hpp"
#include "protocol/method.hpp"
#include "server/rpc/caller.hpp"
#include "server/rpc/task.hpp"

#include <boost/json/value.hpp>

#include <concepts>
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <utility>

namespace rekey::server::rpc {

// A call whose params were understood: what the dispatcher holds of it without knowing its types.
class PreparedCall {
  public:
    virtual ~PreparedCall() = default;
    [[nodiscard]] virtual Task<Result<>> run(const Caller& caller) = 0;
    // JSON of the result; only after a run that succeeded.
    [[nodiscard]] virtual std::string result() const = 0;
};

struct Route {
    protocol::MethodInfo info;
    std::function<Result<std::unique_ptr<PreparedCall>>(const boost::json::value* params)> decode;
};

// The handlers of all methods of admins and of callers who speak of themselves, each bound once at
// start:
//   registry.bind<protocol::AgentsGet>([&](const Caller&, protocol::AgentIdParams) -> Result<...>);
// A handler answers Result<M::Result>, or Task<Result<M::Result>> if it waits for something.
// Reading is safe from any thread once all are bound.
class Registry {
  public:
    template <protocol::Method M, class Handler>
    void bind(Handler handler);

    // Null: method_not_found.
    [[nodiscard]] const Route* find(std::string_view name) const;

    // Throws StartupError naming every such method of the catalog that nobody handles: a method
    // that is declared and not served is a broken promise, found at start rather than by a client.
    void require_complete() const;

  private:
    void add(Route route);
    std::map<std::string, Route, std::less<>> routes_;
};

namespace detail {

template <protocol::Method M, class Handler>
class TypedCall final : public PreparedCall {
  public:
    using Params = typename M::Params;
    using Answer = typename M::Result;

    TypedCall(std::shared_ptr<const Handler> handler, Params params)
        : handler_(std::move(handler)), params_(std::move(params)) {}

    Task<Result<>> run(const Caller& caller) override {
        using Returned = std::invoke_result_t<const Handler&, const Caller&, Params>;
        if constexpr (std::same_as<Returned, Result<Answer>>) {
            co_return keep((*handler_)(caller, std::move(params_)));
        } else {
            static_assert(std::same_as<Returned, Task<Result<Answer>>>,
                          "a handler answers Result<M::Result> or Task<Result<M::Result>>");
            co_return keep(co_await (*handler_)(caller, std::move(params_)));
        }
    }
    std::string result() const override { return protocol::encode(*answer_); }

  private:
    Result<> keep(Result<Answer> answer) {
        if (answer.has_error()) return std::move(answer).error();
        answer_ = *std::move(answer);
        return {};
    }

    std::shared_ptr<const Handler> handler_;
    Params params_;
    std::optional<Answer> answer_;
};

}  // namespace detail

template <protocol::Method M, class Handler>
void Registry::bind(Handler handler) {
    static_assert(M::access.caller == protocol::Caller::admin ||
                  M::access.caller == protocol::Caller::self);
    auto shared = std::make_shared<const Handler>(std::move(handler));
    add(Route{protocol::method_info<M>(),
              [shared](const boost::json::value* params) -> Result<std::unique_ptr<PreparedCall>> {
                  auto decoded = protocol::decode_params<M>(params);
                  if (decoded.has_error()) return std::move(decoded).error();
                  return std::unique_ptr<PreparedCall>(
                      std::make_unique<detail::TypedCall<M, Handler>>(shared, *std::move(decoded)));
              }});
}

}  // namespace rekey::server::rpc
