#include "tests/support/agent_stage.hpp"

#include <chrono>
#include <stdexcept>

namespace rekey::testing {

AgentStage::AgentStage() : work_(context_.get_executor()), thread_([this] { context_.run(); }) {}

AgentStage::~AgentStage() {
    with([this] { agents_.clear(); });
    work_.reset();
    context_.stop();
    thread_.join();
}

ScriptedAgent& AgentStage::add(ScriptedIdentity identity, Script script) {
    return with([&]() -> ScriptedAgent& {
        agents_.push_back(
            std::make_unique<ScriptedAgent>(context_, std::move(identity), std::move(script)));
        agents_.back()->on_change = [this] {
            const std::lock_guard lock(mutex_);
            ++changes_;
            changed_.notify_all();
        };
        return *agents_.back();
    });
}

ScriptedAgent& AgentStage::enroll(const Rekeyd& server, const std::string& name, Script script) {
    const Rekeyd::NewAgent created = server.new_agent(name);
    return add(enroll_scripted(server.host(), server.port(), server.tls(), created.code, random_),
               std::move(script));
}

ScriptedAgent& AgentStage::enroll_and_connect(const Rekeyd& server, const std::string& name,
                                              Script script) {
    ScriptedAgent& agent = enroll(server, name, std::move(script));
    with([&] { agent.connect(); });
    wait(name + " is welcome", [&] { return agent.seen().welcomes > 0; });
    return agent;
}

void AgentStage::wait(const std::string& what, const std::function<bool()>& condition) {
    const auto deadline = std::chrono::steady_clock::now() + kPatience;
    for (;;) {
        std::uint64_t seen = 0;
        {
            const std::lock_guard lock(mutex_);
            seen = changes_;
        }
        if (with(condition)) return;
        std::unique_lock lock(mutex_);
        if (!changed_.wait_until(lock, deadline, [&] { return changes_ != seen; }))
            throw std::runtime_error("gave up waiting until " + what);
    }
}

}  // namespace rekey::testing
