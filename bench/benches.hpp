#pragma once

#include <cstddef>
#include <string>

// What bench/ measures, each on a private rekeyd of its own and printed as one line. Figures are
// medians of several rounds of one run; machines are shared and noisy, so compare two programs in
// one run, never two days.
namespace rekey::bench {

enum class Transport : bool { plain, tls };
[[nodiscard]] inline std::string name_of(Transport transport) {
    return transport == Transport::plain ? "plain" : "TLS";
}

// agent.heartbeat round trips a second: one outstanding on each connection, the server on one core,
// the agents on another.
void heartbeats(Transport transport, std::size_t connections, std::size_t seconds);

// Rotations of a whole connected fleet a second, durable on SQLite; the agents keep their state in
// memory, or in files with fsync.
enum class AgentState : bool { memory, files };
void fleet_rotation(Transport transport, AgentState state, std::size_t agents, std::size_t rounds);

// Calls of one method a second at keep-alive POST /rpc, one outstanding on each connection, and the
// server's processor time a call: on a busy machine that is the figure to compare.
enum class Credential : bool { api_key, access_token };
void jwt_calls(Transport transport, Credential credential, const std::string& method,
               std::size_t connections, std::size_t seconds);

// Resident memory of rekeyd an idle connection: the slope between two numbers of connections.
void idle_memory(Transport transport, std::size_t few, std::size_t many);

}  // namespace rekey::bench
