#pragma once

#include <string>
#include <vector>

// The law (docs/rotation.md), judged from outside: by the agent's state file and a copy of the
// server's database, read by the production code as the daemons themselves would read them after a
// crash.
namespace rekey::testing {

struct Evidence {
    std::string data_dir;    // of the server
    std::string state_path;  // of the agent
    std::string agent_id;
    // An admin has barred its tokens, or is about to: its identity key is as good as a token.
    bool may_be_barred = false;
};

// At any instant, between any two steps of both: a token that the agent durably holds is one that
// the server's row accepts; or no token is, since an admin barred them all, and the identity key
// that it holds is the one in the row. Empty when that is so, or when the agent holds none yet;
// else what is wrong.
[[nodiscard]] std::string law_broken(const Evidence& evidence);

// When all is quiet: both stand on one generation that the agent has confirmed, and the audit chain
// is whole and tells just that: each generation promoted once, in order, the last one activated.
[[nodiscard]] std::string story_broken(const Evidence& evidence);
// The same for many agents of one server.
[[nodiscard]] std::string any_story_broken(const std::vector<Evidence>& fleet);

}  // namespace rekey::testing
