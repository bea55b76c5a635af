#pragma once

#include "cli/agent_names.hpp"
#include "cli/api.hpp"
#include "cli/program.hpp"
#include "protocol/methods/agents.hpp"
#include "protocol/methods/rotations.hpp"

#include <boost/json/parse.hpp>

#include <functional>
#include <map>
#include <memory>
#include <sstream>
#include <string>
#include <utility>
#include <vector>

namespace rekey::cli::test {

// A server in memory: handlers are typed by the methods' own declarations, and params are decoded
// as strictly as the real one does, so that a verb that sends a wrong field fails here.
class FakeServer final : public Api {
  public:
    struct Call {
        std::string method;
        boost::json::value params;
    };

    template <protocol::Method M, class Handler>
    void on(const Handler& handler) {
        handlers_[std::string(M::name)] =
            [handler](const boost::json::value& params) -> Result<boost::json::value> {
            auto decoded = protocol::decode_params<M>(&params);
            if (decoded.has_error()) return std::move(decoded).error();
            Result<typename M::Result> result = handler(*decoded);
            if (result.has_error()) return std::move(result).error();
            return boost::json::parse(protocol::encode(*result));
        };
    }

    // A method answered by JSON as it stands.
    void answer(const std::string& method, const std::string& json) {
        handlers_[method] = [json](const boost::json::value&) { return boost::json::parse(json); };
    }

    // agents.list, by name and by page, over these agents; also agents.get.
    void hold(const std::vector<protocol::AgentSummary>& agents);

    Result<boost::json::value> call(std::string_view method,
                                    std::string_view params_json) override {
        calls_.push_back({std::string(method), params_json.empty()
                                                   ? boost::json::value(boost::json::object{})
                                                   : boost::json::parse(params_json)});
        const auto handler = handlers_.find(method);
        if (handler == handlers_.end()) return Error(Code::method_not_found);
        return handler->second(calls_.back().params);
    }

    [[nodiscard]] const std::vector<Call>& calls() const { return calls_; }
    [[nodiscard]] std::size_t count(std::string_view method) const {
        std::size_t found = 0;
        for (const Call& call : calls_) found += call.method == method ? 1U : 0U;
        return found;
    }

  private:
    using Handler = std::function<Result<boost::json::value>(const boost::json::value&)>;
    std::map<std::string, Handler, std::less<>> handlers_;
    std::vector<Call> calls_;
};

// Time that passes only when somebody waits.
class FakeClock final : public Clock {
  public:
    [[nodiscard]] Time now() const override { return Time{Milliseconds{1'795'000'000'000}} + past; }
    [[nodiscard]] SteadyTime steady_now() const override { return SteadyTime{past}; }
    Milliseconds past{0};
};

// Runs rekeyctl against a fake server: what it prints and how it ends.
struct Rekeyctl {
    FakeServer server;
    FakeClock clock;
    std::istringstream in;
    std::ostringstream out;
    std::ostringstream err;
    Screen::Kind kind = Screen::Kind::pipe;
    std::size_t columns = 0;
    std::map<std::string, std::string, std::less<>> variables{
        {"REKEY_SERVER", "rekey.example:7443"}, {"REKEY_API_KEY", "a-key"}};

    ExitCode run(std::vector<std::string> args);
};

// The id that ends in `number`, as all of them here do.
[[nodiscard]] std::string id_of(unsigned number);
[[nodiscard]] protocol::AgentSummary agent(unsigned number, const std::string& name);

}  // namespace rekey::cli::test
