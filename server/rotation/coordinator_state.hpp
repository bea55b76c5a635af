#pragma once

#include "server/rotation/attention.hpp"
#include "server/rotation/coordinator.hpp"

#include <boost/json/value.hpp>

#include <atomic>
#include <chrono>
#include <deque>
#include <mutex>
#include <unordered_map>
#include <unordered_set>
#include <utility>

// The coordinator's inside; only the .cpp files of this folder include it. Each file is one stage
// of a rotation's life: starting, offering, completion, commit. All of them work alike: decide in
// one transaction, then, after the commit, go to the session's thread and speak.
namespace rekey::server::rotation {

// How often a decision is made anew because another one won the row (I14).
inline constexpr unsigned kDecisionTries = 8;

// What agent.rotate says, and what the waiting call needs to know of it.
struct Offer {
    std::string agent_id;
    std::string rotation_id;
    std::uint64_t generation = 0;
    std::uint32_t attempts = 0;
    Secret token;
    Time expires_at{};
    std::chrono::seconds grace{};
    Time attend_at{};  // when to look at this agent again
};

// One of the rotation_concurrency places; given back when it dies.
class OfferSlot;
using SlotPtr = std::shared_ptr<OfferSlot>;

struct Coordinator::State : std::enable_shared_from_this<Coordinator::State> {
    explicit State(Parts given) : parts(given) {}

    Parts parts;
    std::atomic<bool> stopped{false};
    std::atomic<bool> sweeping{false};
    std::atomic<std::size_t> offers_in_flight{0};
    std::mutex waiting_mutex;
    std::deque<std::string> waiting;  // agents that have something due, but no slot yet
    std::unordered_set<std::string> waiting_names;
    // First offers of what was minted already; an entry of `queued` counts as long as its
    // generation stands beside its agent: it was not offered otherwise meanwhile.
    std::deque<Offer> queued;
    std::unordered_map<std::string, std::uint64_t> queued_generations;

    // starting.cpp
    struct Begun {
        Offer offer;
        Transition transition;
    };
    void start(StartRequest request, std::function<void(Result<RotationView>)> answer);
    void start_connected(StartRequest request, std::function<void(Result<RotationView>)> answer);
    void wish(StartRequest request, std::function<void(Result<RotationView>)> answer);
    void begin_due(const std::string& agent_id, SlotPtr slot);
    struct Beginning {
        RotationCause cause{};
        std::string actor;
        boost::json::object details;                      // for the audit
        std::optional<storage::PendingToken> instead_of;  // S5's exception
    };
    [[nodiscard]] Result<Begun> begin_in(storage::Transaction& transaction, storage::AgentRow& row,
                                         const Beginning& beginning, Time now);
    [[nodiscard]] FreshToken mint(std::string_view agent_id, std::uint64_t generation);

    // offering.cpp
    void attend(AgentLink& link, Occasion occasion, SlotPtr slot);
    void act(AgentLink& link, const Attention& wanted, Occasion occasion, SlotPtr slot);
    void offer_again(const std::string& agent_id, Occasion occasion, SlotPtr slot);
    void offer_soon(Offer offer, SlotPtr slot);
    void send_offer(AgentLink& link, const Offer& offer, SlotPtr slot);
    [[nodiscard]] Offer describe_offer(const storage::AgentRow& row, Secret token, Time now);

    // slots.cpp
    [[nodiscard]] SlotPtr try_slot();
    [[nodiscard]] SlotPtr take_slot();
    void release_slot();
    void wait_for_slot(const std::string& agent_id);
    void queue_offer(Offer offer);
    [[nodiscard]] std::optional<Offer> next_queued();
    void forget_queued(const std::string& agent_id);
    [[nodiscard]] RotationStatus pending_status(std::string_view agent_id,
                                                const storage::PendingToken& pending);
    void serve_waiting();

    // answers.cpp
    struct OfferCall;
    void on_offer_answer(OfferCall& call, const Result<boost::json::value>& answer);
    void on_late_offer_answer(OfferCall& call, const Result<boost::json::value>& answer);

    // completion.cpp
    struct Claim {
        std::string agent_id;
        std::string address;
        std::uint64_t connection = 0;
        std::string rotation_id;
        std::uint64_t generation = 0;
        std::string proof;  // of a completion
    };
    using Committed = std::function<void(Result<std::uint64_t>)>;
    void complete(Claim claim, Committed answer);
    void after_completion(const std::shared_ptr<const Claim>& claim, CompletionVerdict verdict,
                          bool commit_outstanding, Time attend_at);
    [[nodiscard]] ProofCheck check(const storage::AgentRow& row, const Claim& claim) const;
    void promote_at_connect(std::string agent_id, Bytes32 token_hash, std::string address,
                            std::function<void(Result<Accepted>)> answer);

    // refusal.cpp
    struct Refused;
    // Which agent said it, and from where.
    struct Speaker {
        std::string agent_id;
        std::string address;
    };
    void refuse(Speaker speaker, Refusal refusal, std::function<void(Result<>)> answer);
    [[nodiscard]] Result<> begin_anew(storage::Transaction& transaction, storage::AgentRow& row,
                                      Refused& refused, Time now);
    void after_refusal(const std::string& agent_id, const Refusal& refusal, Refused refused);
    void note_disconnect(const std::string& agent_id, const std::string& rotation_id,
                         std::uint32_t attempts);

    // commit.cpp
    void send_commit(AgentLink& link, const std::string& rotation_id, std::uint64_t generation);
    void on_commit_answer(Claim claim, const Result<boost::json::value>& answer);
    void activate(const std::shared_ptr<const Claim>& claim);

    // reuse_reports.cpp
    void report_reuse(ShownAgain shown, std::function<void(Result<>)> done);
    void report_contest(const std::string& agent_id, storage::Sighting sighting,
                        std::function<void(Result<>)> done);

    // retirement.cpp
    void sweep();
    void retire(const std::string& agent_id, std::function<void(Result<>)> done);
    void forget_old_tombstones();

    [[nodiscard]] Policy policy() const { return parts.settings.snapshot()->rotation_policy(); }
};

class OfferSlot {
  public:
    explicit OfferSlot(std::shared_ptr<Coordinator::State> state) : state_(std::move(state)) {}
    OfferSlot(const OfferSlot&) = delete;
    OfferSlot& operator=(const OfferSlot&) = delete;
    ~OfferSlot() { state_->release_slot(); }

  private:
    std::shared_ptr<Coordinator::State> state_;
};

// Reads the agent's row and runs `unit` on it in one write transaction, again if another decision
// won the row. `done` gets its result after the commit, on a thread of the store.
//   unit: Result<T>(storage::Transaction&, storage::AgentRow&); must not depend on an earlier run.
template <class T, class Unit, class Done>
class Decision : public std::enable_shared_from_this<Decision<T, Unit, Done>> {
  public:
    Decision(storage::Store& store, std::string agent_id, Unit unit, Done done)
        : store_(store),
          agent_id_(std::move(agent_id)),
          unit_(std::move(unit)),
          done_(std::move(done)) {}

    void run() {
        store_.write(
            [self = this->shared_from_this()](storage::Transaction& transaction) {
                return self->decide(transaction);
            },
            [self = this->shared_from_this()](const Result<>& result) { self->finish(result); });
    }

  private:
    Result<> decide(storage::Transaction& transaction) {
        REKEY_TRY_ASSIGN(row, transaction.agents().find(agent_id_));
        outcome_ = unit_(transaction, row);
        if (outcome_.has_error()) return outcome_.error();
        return {};
    }

    void finish(const Result<>& result) {
        if (result.has_error()) {
            if (result.error().code() == Code::conflict && --tries_ > 0) return run();
            outcome_ = result.error();
        }
        done_(std::move(outcome_));
    }

    storage::Store& store_;
    std::string agent_id_;
    Unit unit_;
    Done done_;
    Result<T> outcome_{Error(Code::internal, "the decision was not made")};
    unsigned tries_ = kDecisionTries;
};

template <class T, class Unit, class Done>
void decide(storage::Store& store, std::string agent_id, Unit unit, Done done) {
    std::make_shared<Decision<T, Unit, Done>>(store, std::move(agent_id), std::move(unit),
                                              std::move(done))
        ->run();
}

}  // namespace rekey::server::rotation
