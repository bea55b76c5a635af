#pragma once

#include "tests/support/daemons.hpp"

#include <cstddef>
#include <map>
#include <mutex>
#include <set>
#include <string>

namespace rekey::testing {

// What a server has answered, to be held against what it has: nothing that was acknowledged may be
// missing, whatever its disk did. Any thread.
class Ledger {
  public:
    // agents.create, noted.
    Result<> create(const Rekeyd& server, const std::string& name);
    // rotations.start, noted; the answer.
    Result<boost::json::value> rotate(const Rekeyd& server, const std::string& agent_id);

    // Every agent and rotation that was answered is there.
    void expect_all_there(const Rekeyd& server) const;
    // What was refused has not come to be. Only until a crash: what a failed commit has written may
    // come to light then, and it was not answered.
    void expect_nothing_else(const Rekeyd& server) const;

    [[nodiscard]] std::size_t acknowledged() const;
    [[nodiscard]] std::size_t refused() const;

  private:
    mutable std::mutex mutex_;
    std::set<std::string> created_;
    std::set<std::string> refused_;
    std::map<std::string, std::string> rotations_;  // rotation_id -> agent_id
};

// The names of all agents.
[[nodiscard]] std::set<std::string> agent_names(const Rekeyd& server);

}  // namespace rekey::testing
