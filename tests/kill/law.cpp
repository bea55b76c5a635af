#include "tests/kill/law.hpp"

#include "agent/disk.hpp"
#include "agent/identity.hpp"
#include "agent/state.hpp"
#include "agent/token_vault.hpp"
#include "base/log.hpp"
#include "protocol/token.hpp"
#include "storage/audit_chain.hpp"
#include "storage/sqlite/sqlite_store.hpp"
#include "tests/support/temporary_directory.hpp"

#include <algorithm>
#include <filesystem>
#include <future>
#include <initializer_list>
#include <map>
#include <optional>
#include <vector>

namespace rekey::testing {
namespace {

namespace fs = std::filesystem;
constexpr std::size_t kAuditPage = 1000;

// The database as a restarted server would find it. The log is copied after the file that it is
// about: only a checkpoint moves pages from one to the other, and there is none while a test runs.
class Copy {
  public:
    explicit Copy(const std::string& data_dir) {
        for (const char* name : {"rekey.db", "rekey.db-wal"}) {
            std::error_code missing;
            fs::copy_file(fs::path(data_dir) / name, home_.file(name), missing);
        }
        store_ = storage::open_sqlite_store({home_.file("rekey.db"), clock_, *log_, 1, {}});
    }
    ~Copy() { store_->stop(); }
    Copy(const Copy&) = delete;
    Copy& operator=(const Copy&) = delete;

    template <class T>
    Result<T> read(const std::function<Result<T>(storage::Transaction&)>& unit) {
        std::optional<T> found;
        std::promise<Result<>> done;
        store_->read(
            [&](storage::Transaction& transaction) -> Result<> {
                REKEY_TRY_ASSIGN(value, unit(transaction));
                found = std::move(value);
                return {};
            },
            [&](Result<> result) { done.set_value(std::move(result)); });
        const Result<> result = done.get_future().get();
        if (result.has_error()) return result.error();
        return std::move(*found);
    }
    Result<storage::AgentRow> row(const std::string& agent_id) {
        return read<storage::AgentRow>(
            [&](storage::Transaction& transaction) { return transaction.agents().find(agent_id); });
    }
    Result<std::vector<storage::AuditRow>> audit() {
        return read<std::vector<storage::AuditRow>>(
            [](storage::Transaction& transaction) -> Result<std::vector<storage::AuditRow>> {
                std::vector<storage::AuditRow> rows;
                for (;;) {
                    storage::AuditFilter filter;
                    if (!rows.empty()) filter.after_seq = rows.back().seq;
                    REKEY_TRY_ASSIGN(page, transaction.audit().query(filter, kAuditPage));
                    if (page.empty()) return rows;
                    std::move(page.begin(), page.end(), std::back_inserter(rows));
                }
            });
    }

  private:
    TemporaryDirectory home_;
    SystemClock clock_;
    std::unique_ptr<Log> log_ = make_silent_log();
    std::unique_ptr<storage::Store> store_;
};

Result<agent::AgentState> read_state(const std::string& path) {
    agent::FileDisk disk(path);
    REKEY_TRY_ASSIGN(vault, agent::TokenVault::open(disk));
    return vault.state();
}

bool accepts(const storage::Credentials& row, const Bytes32& hash) {
    return (row.current && row.current->token_hash == hash) ||
           (row.pending && row.pending->token_hash == hash) ||
           (row.previous && row.previous->token_hash == hash);
}

// Nobody is let in by a token, but perhaps by one that a recovery is handing out and would hand out
// again; and this agent by its key.
bool recovers(const Evidence& evidence, const agent::AgentState& state,
              const storage::AgentRow& row) {
    if (row.credentials.current || row.credentials.previous) return false;
    agent::FileDisk key(evidence.state_path + ".key");
    agent::FileDisk next_key(evidence.state_path + ".key.next");
    const auto identity = agent::identity_of(state, key, next_key);
    return identity.has_value() && row.identity_public_key == identity->public_key();
}

using Story = std::vector<const storage::AuditRow*>;  // of one agent, in the chain's order

std::vector<std::uint64_t> generations(const Story& story,
                                       std::initializer_list<std::string_view> actions) {
    std::vector<std::uint64_t> found;
    for (const storage::AuditRow* row : story)
        if (std::ranges::find(actions, row->event.action) != actions.end())
            found.push_back(row->event.details.at("generation").to_number<std::uint64_t>());
    return found;
}

bool rises(const std::vector<std::uint64_t>& numbers) {
    return std::ranges::adjacent_find(numbers, std::greater_equal<>()) == numbers.end();
}

std::string compare_story(const Story& story, std::uint64_t generation) {
    const auto started = generations(story, {"rotation.started", "recovery.minted"});
    const auto promoted = generations(story, {"rotation.promoted"});
    const auto activated = generations(story, {"rotation.activated"});
    if (!rises(started)) return "the chain tells of one generation minted twice";
    if (!rises(promoted)) return "the chain tells of one generation promoted twice";
    if (!rises(activated)) return "the chain tells of one generation activated twice";
    if (!std::ranges::includes(started, promoted) || !std::ranges::includes(promoted, activated))
        return "the chain tells of a promotion that was never begun, or an activation without it";
    if (promoted.empty() || promoted.back() != generation)
        return "the chain does not end with the generation of the row";
    if (activated.empty() || activated.back() != generation)
        return "the chain does not tell that the agent has confirmed it";
    return {};
}

std::string compare_sides(const agent::rotation::HeldTokens& held,
                          const storage::Credentials& row) {
    const agent::rotation::HeldToken& newest = held.back();
    if (!row.current || row.pending) return "the server's row is not settled";
    if (newest.state != agent::rotation::TokenState::confirmed)
        return "the agent's newest token is not confirmed";
    if (newest.generation != row.current->generation ||
        protocol::token_hash(newest.token) != row.current->token_hash)
        return "the agent's newest token is not the server's current one";
    if (row.activated_generation != row.current->generation)
        return "the server's current token is not activated";
    return {};
}

}  // namespace

std::string law_broken(const Evidence& evidence) {
    // The agent's side first: what it drops after this look it drops for something newer that the
    // server has already accepted.
    const auto state = read_state(evidence.state_path);
    if (state.has_error())
        return state.error().code() == Code::not_found ? std::string() : state.error().message();
    Copy copy(evidence.data_dir);
    const auto row = copy.row(evidence.agent_id);
    if (row.has_error()) return "the agent's row: " + row.error().message();
    for (const agent::rotation::HeldToken& held : state->tokens)
        if (accepts(row->credentials, protocol::token_hash(held.token))) return {};
    if (evidence.may_be_barred && recovers(evidence, *state, *row)) return {};
    return "LOCKED OUT: no token of the agent's file is one that the server accepts";
}

std::string story_broken(const Evidence& evidence) { return any_story_broken({evidence}); }

std::string any_story_broken(const std::vector<Evidence>& fleet) {
    Copy copy(fleet.at(0).data_dir);
    const auto rows = copy.audit();
    if (rows.has_error()) return "the audit chain: " + rows.error().message();
    if (const auto fault = storage::verify_chain(*rows))
        return "the audit chain breaks at row " + std::to_string(fault->seq);
    std::map<std::string, Story> stories;
    for (const storage::AuditRow& row : *rows) stories[row.event.subject].push_back(&row);
    for (const Evidence& evidence : fleet) {
        const auto state = read_state(evidence.state_path);
        const auto row = copy.row(evidence.agent_id);
        std::string broken;
        if (state.has_error())
            broken = state.error().message();
        else if (row.has_error())
            broken = "the agent's row: " + row.error().message();
        else
            broken = compare_sides(state->tokens, row->credentials);
        if (broken.empty())
            broken =
                compare_story(stories[evidence.agent_id], row->credentials.current->generation);
        if (!broken.empty()) return "agent " + evidence.agent_id + ": " + broken;
    }
    return {};
}

}  // namespace rekey::testing
