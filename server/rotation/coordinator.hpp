#pragma once

#include "base/clock.hpp"
#include "base/log.hpp"
#include "base/random.hpp"
#include "base/result.hpp"
#include "keys/master_key.hpp"
#include "server/rotation/agent_link.hpp"
#include "server/rotation/apply.hpp"
#include "server/rotation/reuse.hpp"
#include "server/settings.hpp"
#include "storage/store.hpp"

#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <string_view>

namespace rekey::server::rotation {

// As protocol.md's rotation status, in the order of a rotation's life.
enum class RotationStatus : std::uint8_t {
    at_next_connect,
    queued,
    offered,
    failing,
    committed,
    activated,
    ended
};

struct RotationView {
    std::string agent_id;
    RotationStatus status = RotationStatus::at_next_connect;
    std::optional<std::string> rotation_id;
    std::optional<std::uint64_t> generation;
    bool already_pending = false;
    std::uint32_t attempts = 0;
    std::optional<Time> offered_at;
    std::string last_reason;
};

struct StartRequest {
    std::string agent_id;
    storage::RotationCause cause = storage::RotationCause::admin;  // admin, emergency or agent
    std::string actor;
    boost::json::object details = {};  // for the audit: where the call came from
    // Asked inside the transaction that begins: may the actor still do this? Empty: yes.
    std::function<Result<>(storage::Transaction&, Time)> still_allowed;
};

// A token that is no longer accepted was shown.
struct ShownAgain {
    std::string agent_id;
    Bytes32 token_hash{};
    std::string address;         // of who showed it
    std::string holder_address;  // of the agent's live session; empty: the row's last one
    Time accepted_at{};          // when the server accepted the connection
    WallClock clock = WallClock::steady;
};

// What a token's minting needs: the whole token text, and what the row keeps of it.
struct FreshToken {
    Secret token;
    Minted minted;
};

// Drives rotations: decides with the pure transitions inside store transactions, and talks to
// agents through AgentLink after the commit. Nothing here is kept in memory that the row does not
// say, except which call is in flight: after a crash everything goes on from the row. Safe from any
// thread; answers come on a thread of the store or of a session.
class Coordinator {
  public:
    struct Parts {
        storage::Store& store;
        const keys::MasterKey& master_key;
        const Clock& clock;
        Random& random;
        const LiveSettings& settings;
        const Log& log;
        ConnectedAgents& agents;
    };
    explicit Coordinator(Parts parts);
    ~Coordinator();

    // rotations.start and agent.rotate_key. With one pending it is that one again; an agent that is
    // offline gets a wish (`at_next_connect`). Errors as may_begin; `not_found`.
    void start(StartRequest request, std::function<void(Result<RotationView>)> answer);

    // How far this pending token of the agent's has come: queued, offered, failing, or waiting for
    // the next connect.
    [[nodiscard]] RotationStatus pending_status(std::string_view agent_id,
                                                const storage::PendingToken& pending) const;

    // A connect with the pending token proves that the agent holds it: promotes it (S3) if, read
    // again, the row still lets this hash in. The answer is what authenticate() then says; it comes
    // on a thread of the store.
    void promote_at_connect(std::string agent_id, Bytes32 token_hash, std::string address,
                            std::function<void(Result<Accepted>)> answer);

    // A session is ready: `agent.hello` was answered. First the outstanding commit, then the
    // pending offer; else S1 when it is due or was asked for.
    void on_ready(AgentLink& link);
    // `agent.rotation_complete` and `agent.rotation_failed` as requests of the agent (a reply that
    // missed its request). The answer to complete is the committed generation.
    void on_complete(AgentLink& link, Completion claim, std::string proof,
                     std::function<void(Result<std::uint64_t>)> answer);
    void on_failed(AgentLink& link, Refusal refusal, std::function<void(Result<>)> answer);

    // The retry tick of one session: offers again what is due, sends the outstanding commit again,
    // begins what is due.
    void on_tick(AgentLink& link);
    // Retires the previous tokens that are due, connected or not (S7).
    void sweep();

    // Somebody showed a token that is no longer accepted, or one that a session that answers stands
    // on: judged again on the row and, if it is so, written with its audit row. `done`, which may
    // be empty, comes on a thread of the store, after the commit; an error means that nothing is
    // written.
    void report_reuse(ShownAgain shown, std::function<void(Result<>)> done);
    void report_contest(const std::string& agent_id, storage::Sighting sighting,
                        std::function<void(Result<>)> done);

    // Mints a token for this agent: its text, hash and seal. Used by enrollment, which begins
    // without a session.
    [[nodiscard]] FreshToken mint(std::string_view agent_id, std::uint64_t generation);

    struct State;

  private:
    std::shared_ptr<State> state_;
};

}  // namespace rekey::server::rotation
