#include "fake_server.hpp"

#include <fmt/format.h>

#include <algorithm>

namespace rekey::cli::test {
namespace {

// Hands calls on to a server that outlives the program.
class Borrowed final : public Api {
  public:
    explicit Borrowed(Api& api) : api_(api) {}
    Result<boost::json::value> call(std::string_view method, std::string_view params) override {
        return api_.call(method, params);
    }

  private:
    Api& api_;
};

}  // namespace

void FakeServer::hold(const std::vector<protocol::AgentSummary>& agents) {
    on<protocol::AgentsList>([agents](const protocol::AgentsList::Params& params) {
        protocol::AgentsList::Result page;
        std::size_t index = 0;
        while (params.cursor && agents.at(index++).agent_id != *params.cursor) {
        }
        for (; index < agents.size(); ++index) {
            if (page.agents.size() == static_cast<std::size_t>(params.limit)) {
                page.next_cursor = page.agents.back().agent_id;
                break;
            }
            if (!params.name || agents[index].name == *params.name)
                page.agents.push_back(agents[index]);
        }
        return page;
    });
    on<protocol::AgentsGet>(
        [agents](const protocol::AgentIdParams& params) -> Result<protocol::AgentDetail> {
            const auto found = std::find_if(agents.begin(), agents.end(), [&](const auto& agent) {
                return agent.agent_id == params.agent_id;
            });
            if (found == agents.end()) return Error(Code::not_found, "no such agent");
            protocol::AgentDetail detail;
            detail.summary = *found;
            return detail;
        });
}

ExitCode Rekeyctl::run(std::vector<std::string> args) {
    Environment environment;
    environment.variable = [this](std::string_view name) -> std::optional<std::string> {
        const auto found = variables.find(name);
        if (found == variables.end()) return std::nullopt;
        return found->second;
    };
    environment.system_data_dir = "/nowhere";
    Console console{in, Screen{out, kind, columns}, Screen{err, kind, columns}};
    const World world{console, environment, clock,
                      [this](Milliseconds time) { clock.past += time; },
                      [this](const Target&) -> Result<std::unique_ptr<Api>> {
                          return std::unique_ptr<Api>(std::make_unique<Borrowed>(server));
                      }};
    return cli::run(std::move(args), world);
}

std::string id_of(unsigned number) { return fmt::format("0194f0c2-7b1a-7c3e-9d58-{:012}", number); }

protocol::AgentSummary agent(unsigned number, const std::string& name) {
    protocol::AgentSummary summary;
    summary.agent_id = id_of(number);
    summary.name = name;
    summary.type = "agent";
    summary.enrolled = true;
    summary.connected = true;
    summary.generation = 1;
    summary.activated_generation = 1;
    summary.created_at = Time{Milliseconds{1'794'000'000'000}};
    return summary;
}

}  // namespace rekey::cli::test
