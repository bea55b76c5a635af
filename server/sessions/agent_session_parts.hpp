#pragma once

#include "server/sessions/agent_session.hpp"

// The two parts of a session that it does not have while it is idle.
namespace rekey::server::sessions {

struct AgentSession::Arrival {
    explicit Arrival(Admission given) : admission(std::move(given)) {}

    Admission admission;
    // Of what the row says that the agent reported last; a hello with the same writes nothing.
    std::string hostname;
    std::string version;
    std::string last_address;
    bool contest_is_open = false;
    // What came before the welcome, in order.
    std::vector<std::string> held_back;
    std::size_t held_back_bytes = 0;
};

struct AgentSession::Probe final : net::TimingWheel::Entry {
    explicit Probe(AgentSession& owner) : session(owner) {}
    void on_deadline() override;
    // Sends agent.ping, whose nonce only one that lives now can know. Before agent.hello nothing
    // may be sent, so a peer that arrives itself is asked once it has said that.
    void ask();

    AgentSession& session;
    std::string nonce;
    std::vector<std::function<void(Life)>> answers;
};

}  // namespace rekey::server::sessions
