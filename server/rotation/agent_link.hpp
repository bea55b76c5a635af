#pragma once

#include "base/clock.hpp"
#include "base/result.hpp"

#include <boost/json/value.hpp>

#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <string_view>

// How the rotation reaches agents, without knowing a socket: sessions/ implements it, a simulation
// as well.
namespace rekey::server::rotation {

// What the coordinator remembers on a session: nothing that the row does not say, except which call
// is under way. A generation names its rotation, because none is ever used twice.
struct LinkProgress {
    std::uint64_t offer_in_flight = 0;   // generation of the agent.rotate that waits; 0: none
    std::uint64_t commit_in_flight = 0;  // generation of the agent.commit that waits; 0: none
    // When on_tick() has something to do here, as far as is known; the row decides.
    Time attend_at = Time::max();
};

// One live session of one agent. Every call happens on the session's own thread, which
// `ConnectedAgents::with` finds.
class AgentLink {
  public:
    // The agent's answer to a call: its result, or its error object as an Error; `agent_timeout`
    // when none came in time, `agent_offline` when the session ended first. An answer that comes
    // after its time-out is given to `late`. Both run while the link is alive, on its thread.
    using Answer = std::function<void(Result<boost::json::value>)>;

    virtual ~AgentLink() = default;
    [[nodiscard]] virtual const std::string& agent_id() const = 0;
    // Which connection this is: grows with each, so that an old one's end never touches a newer one
    // (I17).
    [[nodiscard]] virtual std::uint64_t connection_generation() const = 0;
    // Generation of the token that this session stands on (the one it opened with, or one it has
    // proven since).
    [[nodiscard]] virtual std::uint64_t bound_generation() const = 0;
    virtual void bind(std::uint64_t generation) = 0;
    // Whence it came, without the port: for the audit.
    [[nodiscard]] virtual std::string address() const = 0;
    [[nodiscard]] virtual LinkProgress& progress() = 0;

    virtual void call(std::string_view method, std::string params, Milliseconds timeout,
                      Answer answer, Answer late) = 0;
    virtual void close(std::uint16_t code, std::string_view reason) = 0;
};

// All sessions of this process, on all shards. Safe from any thread.
class ConnectedAgents {
  public:
    virtual ~ConnectedAgents() = default;
    [[nodiscard]] virtual bool connected(std::string_view agent_id) const = 0;
    [[nodiscard]] virtual std::size_t count() const = 0;
    // Runs `action` on the thread of the agent's session, soon; `absent` (on any thread) if there
    // is none by then.
    virtual void with(std::string_view agent_id, std::function<void(AgentLink&)> action,
                      std::function<void()> absent) = 0;
    // Runs `action` for each session, on its own thread, soon.
    virtual void for_each(std::function<void(AgentLink&)> action) = 0;
    // Closes the agent's sessions; with `bound_to`, only those that stand on that generation.
    virtual void close(std::string_view agent_id, std::uint16_t code, std::string_view reason,
                       std::optional<std::uint64_t> bound_to) = 0;
};

}  // namespace rekey::server::rotation
