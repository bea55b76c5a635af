#pragma once

#include "tests/disk/faulty_disk.hpp"
#include "tests/support/daemons.hpp"

#include <boost/json.hpp>

#include <cstdint>
#include <map>
#include <string>
#include <vector>

namespace rekey::testing {

// A server with ticks of one second and an enrolled, settled rekey-agent, whose disk a test breaks.
struct AgentStand {
    Rekeyd server;
    RekeyAgent agent;
    std::string id;
    std::map<std::string, std::string> environment;

    // `home`: where the agent's state file is made; empty: a temporary place.
    explicit AgentStand(std::map<std::string, std::string> agent_environment,
                        const std::string& home = {});

    void start_agent() { agent.start({}, {}, environment); }
    // Starts a rotation; its rotation_id.
    std::string rotate();
    // What rotations.get says of it.
    [[nodiscard]] boost::json::object rotation(const std::string& rotation_id) const;
    // The agent has refused it, and the server has noted why.
    void wait_refused(const std::string& rotation_id, const std::string& reason) const;
    // It, and no other, is what the agent ended on.
    void expect_completed(const std::string& rotation_id);
    // Still on its first connection since `start_agent`, with the token of `generation`.
    void expect_in_session(std::uint64_t generation);
    // "1:confirmed 2:candidate", of `rekey-agent status`.
    [[nodiscard]] std::string tokens_on_disk() const;
    [[nodiscard]] Finished status() const;
};

[[nodiscard]] std::string content_of(const std::string& path);
[[nodiscard]] std::uint64_t number_in(const boost::json::object& object, const char* name);

}  // namespace rekey::testing
