#pragma once

#include "storage/rows.hpp"
#include "tests/simulation/agent_machine.hpp"
#include "tests/simulation/server_machine.hpp"

#include <cstdint>
#include <map>
#include <optional>
#include <set>
#include <string>
#include <vector>

namespace rekey::simulation {

// Looks at the server's rows after each commit and at an agent's folder after each change of it,
// and says what broke: the invariants of docs/rotation.md, by their names.
class Oracle {
  public:
    Oracle(const testing::VirtualTime& time, ServerMachine& server)
        : time_(time), server_(server) {}

    // From now on this machine is that agent.
    void watch(AgentMachine& machine, const std::string& agent_id);

    void on_commit();
    void on_disk(int number);
    void on_admitted(const std::string& agent_id, SteadyTime asked_at);
    // The server's database, or this agent's folder, has gone back in time.
    void on_restore();
    void on_rollback(const std::string& agent_id);
    // From here on not even a restored database may bring it back.
    void on_revoke_answered(const std::string& agent_id);
    // Whether the row knows the identity key that the agent's folder holds: else nothing but an
    // enrollment brings it back.
    [[nodiscard]] bool is_known(const std::string& agent_id) const;
    // What no single step shows.
    void look_around();
    // After days of calm (I8, I16): this agent is in, on a young token, and nothing is outstanding.
    void require_settled(const std::string& agent_id);

    struct Failure {
        std::string what;
        int agent = kServer;
    };
    [[nodiscard]] const std::optional<Failure>& failure() const { return failure_; }
    [[nodiscard]] std::uint64_t promotions() const { return promotions_; }
    // Agents that came back by their identity key.
    [[nodiscard]] std::uint64_t recoveries() const { return recoveries_; }
    [[nodiscard]] std::uint64_t alarms_of_reuse() const { return alarms_of_reuse_; }
    [[nodiscard]] std::uint64_t checks() const { return checks_; }

  private:
    struct Held {
        std::uint64_t generation = 0;
        std::string rotation_id;
        Bytes32 hash{};
        bool confirmed = false;
    };
    // A state file as it is, or might be.
    struct Content {
        bool readable = false;
        std::string identity;  // the public key, in base64url
        std::vector<Held> tokens;
    };
    struct Minted {
        std::uint64_t generation = 0;
        std::string rotation_id;
    };
    struct Record {
        std::string agent_id;
        AgentMachine* machine = nullptr;
        storage::Credentials row;  // as it was when looked at last
        std::map<Bytes32, Minted> minted;
        std::uint64_t newest = 0;       // generation minted so far
        std::vector<Content> outcomes;  // of a power loss now
        Content visible;
        std::optional<SteadyTime> revoked_at;
        bool revoke_answered = false;
        std::optional<SteadyTime> suspended_at;
        std::set<std::string> alarms;   // rotation_ids
        std::string failing;            // rotation_id of an offer that is about to deserve one
        std::uint64_t misfortunes = 0;  // of the server when it became so
        bool rolled_back = false;       // it may have shown a token that it had left behind
        // Storage of either side has gone back in time, and nothing was settled since: instead of
        // the law, I1r, that recovery is open.
        bool out_of_step = false;
    };
    using Actions = std::vector<std::string>;

    void read_audit(std::map<std::string, Actions>& by_subject);
    void check_row(Record& record, const Actions& actions);
    void check_tokens(Record& record, const storage::Credentials& now);
    void check_moves(Record& record, const storage::Credentials& now, const Actions& actions);
    void check_alarm(Record& record, const storage::Credentials& now);
    void check_status(Record& record, const storage::Credentials& now);
    void check_law(const Record& record);
    void check_drops(const Record& record, const Content& before, const Content& after);
    [[nodiscard]] static Content read(const VirtualFolder::Content& file);
    [[nodiscard]] static std::string describe(const Content& content);
    void fail(const Record* record, const std::string& what);

    const testing::VirtualTime& time_;
    ServerMachine& server_;
    std::map<std::string, Record> records_;  // by agent_id
    std::map<int, std::string> agent_of_;    // by machine
    std::set<std::string> promoted_;         // rotation_ids
    std::uint64_t promotions_ = 0;
    std::uint64_t recoveries_ = 0;
    std::uint64_t alarms_of_reuse_ = 0;
    storage::ChainHead audit_head_;
    std::optional<Failure> failure_;
    std::uint64_t checks_ = 0;
};

}  // namespace rekey::simulation
