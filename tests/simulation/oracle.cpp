#include "tests/simulation/oracle.hpp"

#include "base/encoding.hpp"
#include "base/limits.hpp"
#include "protocol/token.hpp"
#include "server/rotation/transitions.hpp"
#include "storage/audit_chain.hpp"

#include <algorithm>
#include <chrono>
#include <span>
#include <utility>

namespace rekey::simulation {

using namespace std::chrono_literals;
using storage::AgentStatus;
using storage::Credentials;

namespace {

// A welcome that was on its way when the agent was revoked is followed by a close at once.
constexpr Milliseconds kToBeClosed = 1min;
// So late a tick may come after a token's moment.
constexpr Milliseconds kLate = 4h;

bool has(const std::vector<std::string>& actions, std::string_view action) {
    return std::ranges::find(actions, action) != actions.end();
}

std::string list(const std::vector<std::uint64_t>& numbers) {
    std::string text;
    for (const auto number : numbers) text += (text.empty() ? "" : ", ") + std::to_string(number);
    return text.empty() ? "nothing" : text;
}

std::string describe(const Credentials& row) {
    std::vector<std::uint64_t> accepted;
    if (row.previous) accepted.push_back(row.previous->generation);
    if (row.current) accepted.push_back(row.current->generation);
    if (row.pending) accepted.push_back(row.pending->generation);
    return list(accepted);
}

}  // namespace

void Oracle::fail(const Record* record, const std::string& what) {
    if (failure_) return;
    const bool known = record != nullptr && record->machine != nullptr;
    failure_ = {what, known ? record->machine->number() : kServer};
}

void Oracle::watch(AgentMachine& machine, const std::string& agent_id) {
    Record& record = records_[agent_id];
    record.agent_id = agent_id;
    record.machine = &machine;
    agent_of_[machine.number()] = agent_id;
}

// I11 as a whole: no row without its place in an unbroken chain.
void Oracle::read_audit(std::map<std::string, Actions>& by_subject) {
    const auto& audit = server_.database().audit;
    const auto seen = static_cast<std::size_t>(audit_head_.seq);
    if (audit.size() < seen) return fail(nullptr, "I11: the audit chain has become shorter");
    const auto fresh = std::span(audit).subspan(seen);
    if (storage::verify_chain(fresh, audit_head_))
        return fail(nullptr, "I11: the audit chain is broken");
    for (const storage::AuditRow& row : fresh) {
        by_subject[row.event.subject].push_back(row.event.action);
        const auto record = records_.find(row.event.subject);
        if (record == records_.end()) continue;
        if (row.event.action == "recovery.minted") ++recoveries_;
        if (row.event.action == "token.reuse_detected") {
            ++alarms_of_reuse_;
            if (record->second.rolled_back) continue;
            fail(&record->second, "I18: an honest agent is taken for a thief");
        }
        if (row.event.action == "rotation.alarm")
            record->second.alarms.emplace(row.event.details.at("rotation_id").as_string());
    }
}

void Oracle::on_commit() {
    std::map<std::string, Actions> by_subject;
    read_audit(by_subject);
    for (const auto& [subject, actions] : by_subject) {
        const auto record = records_.find(subject);
        if (record != records_.end()) check_row(record->second, actions);
    }
}

void Oracle::check_row(Record& record, const Actions& actions) {
    const auto found = server_.database().agents.find(record.agent_id);
    if (found == server_.database().agents.end()) return;
    const Credentials& now = found->second.credentials;
    ++checks_;
    if (now == record.row) return;
    if (actions.empty()) return fail(&record, "I11: the row has changed, and no audit row says so");
    check_status(record, now);
    check_tokens(record, now);
    check_alarm(record, now);
    check_moves(record, now, actions);
    record.row = now;
    check_law(record);
}

void Oracle::check_status(Record& record, const Credentials& now) {
    if (record.row.status == AgentStatus::revoked && now.status != AgentStatus::revoked)
        fail(&record, "I4: a revoked agent is not revoked any more");
    if (now.status == AgentStatus::revoked && (now.current || now.pending || now.previous))
        fail(&record, "I4: a revoked agent's row still accepts " + simulation::describe(now));
    if (now.status == AgentStatus::revoked && !record.revoked_at) record.revoked_at = time_.steady;
    if (now.status != AgentStatus::suspended)
        record.suspended_at.reset();
    else if (!record.suspended_at)
        record.suspended_at = time_.steady;
}

// I2 and I3: what is accepted was minted for this agent, once, under a number of its own.
void Oracle::check_tokens(Record& record, const Credentials& now) {
    if (now.pending && !record.minted.contains(now.pending->token_hash)) {
        if (now.pending->generation <= record.newest)
            fail(&record, "I3: generation " + std::to_string(now.pending->generation) +
                              " is minted a second time");
        record.newest = now.pending->generation;
        record.minted[now.pending->token_hash] = {now.pending->generation,
                                                  now.pending->rotation_id};
    }
    const auto known = [&](const auto& token, const char* slot) {
        if (!token) return;
        const auto minted = record.minted.find(token->token_hash);
        if (minted == record.minted.end() || minted->second.generation != token->generation ||
            minted->second.rotation_id != token->rotation_id)
            fail(&record, std::string("I2: the ") + slot + " token was never minted as such");
    };
    known(now.pending, "pending");
    known(now.current, "current");
    known(now.previous, "previous");
    const bool ordered =
        (!now.current || !now.previous || now.previous->generation < now.current->generation) &&
        (!now.pending || !now.current || now.current->generation < now.pending->generation);
    if (!ordered) fail(&record, "I3: the generations accepted are not in order");
}

// I8. The alarm is in the transaction that counts a failure: a server that died, or could not
// commit, may have lost it, and raises it with the next one.
void Oracle::check_alarm(Record& record, const Credentials& now) {
    if (!now.pending || now.pending->attempts < limits::kAlarmAfterAttempts) return;
    if (record.failing != now.pending->rotation_id) {
        // A replacement counts on where the replaced one stopped, whose alarm was its alarm.
        const auto& before = record.row.pending;
        const bool counts_on = before && before->rotation_id == record.failing &&
                               before->attempts <= now.pending->attempts;
        if (!counts_on) record.misfortunes = server_.misfortunes();
        if (counts_on && record.alarms.contains(record.failing))
            record.alarms.insert(now.pending->rotation_id);
        record.failing = now.pending->rotation_id;
    }
    const std::uint64_t excused = server_.misfortunes() - record.misfortunes;
    if (now.pending->attempts > limits::kAlarmAfterAttempts + 1 + excused &&
        !record.alarms.contains(now.pending->rotation_id))
        fail(&record,
             "I8: offered " + std::to_string(now.pending->attempts) + " times, and no alarm");
}

// I5 and S5: how a token may come into its place, and leave it.
void Oracle::check_moves(Record& record, const Credentials& now, const Actions& actions) {
    const Credentials& before = record.row;
    if (now.current &&
        (!before.current || before.current->rotation_id != now.current->rotation_id)) {
        if (!before.pending || before.pending->rotation_id != now.current->rotation_id)
            fail(&record, "I6: promoted what was not pending");
        if (!promoted_.insert(now.current->rotation_id).second)
            fail(&record, "I5: one rotation is promoted twice");
        ++promotions_;
    }
    const bool withdrawn =
        before.pending &&
        (!now.pending || now.pending->rotation_id != before.pending->rotation_id) &&
        (!now.current || now.current->rotation_id != before.pending->rotation_id);
    const bool may = has(actions, "agent.revoked") || has(actions, "agent.enrolled") ||
                     has(actions, "rotation.replaced") || has(actions, "recovery.minted") ||
                     has(actions, "agent.barred");
    if (withdrawn && !may) fail(&record, "S5: an offered token is withdrawn");
}

Oracle::Content Oracle::read(const VirtualFolder::Content& file) {
    Content content;
    if (!file) return content;
    const auto state = agent::decode_state(Secret(*file));
    if (state.has_error()) return content;
    content.readable = true;
    content.identity = state->identity_public_key;
    for (const auto& held : state->tokens)
        content.tokens.push_back({held.generation, held.rotation_id,
                                  protocol::token_hash(held.token),
                                  held.state == agent::rotation::TokenState::confirmed});
    return content;
}

std::string Oracle::describe(const Content& content) {
    if (!content.readable) return "no readable state";
    std::string text;
    for (const Held& held : content.tokens)
        text += (text.empty() ? "" : ", ") + std::to_string(held.generation) +
                (held.confirmed ? " confirmed" : " candidate");
    return text;
}

void Oracle::on_disk(int number) {
    const auto known = agent_of_.find(number);
    if (known == agent_of_.end()) return;
    Record& record = records_.at(known->second);
    ++checks_;
    const VirtualFolder& folder = record.machine->folder();
    Content visible = read(folder.visible(AgentMachine::kStateFile));
    record.outcomes.clear();
    for (const auto& outcome : folder.outcomes(AgentMachine::kStateFile))
        record.outcomes.push_back(read(outcome));
    check_drops(record, record.visible, visible);
    record.visible = std::move(visible);
    check_law(record);
}

// I10: a confirmed token goes only when a newer one is confirmed and a third one comes; a candidate
// only by a refusal, which removes nothing else.
void Oracle::check_drops(const Record& record, const Content& before, const Content& after) {
    if (!before.readable || !after.readable || record.machine->is_enrolling()) return;
    const auto stays = [&](const Held& held) {
        return std::ranges::any_of(after.tokens,
                                   [&](const Held& other) { return other.hash == held.hash; });
    };
    const auto newest =
        std::ranges::find_if(before.tokens.rbegin(), before.tokens.rend(), &Held::confirmed);
    for (const Held& held : before.tokens) {
        if (stays(held)) continue;
        // A power loss takes back what was not synced, and only that.
        if (!record.machine->is_up()) continue;
        if (!held.confirmed) {
            // A recovery may take the place of one that was refused, and whose removal the disk
            // had not taken.
            const auto accepted = server::rotation::accepted_hashes(record.row);
            const bool counts = std::ranges::find(accepted, held.hash) != accepted.end();
            if (counts && after.tokens.size() + 1 != before.tokens.size())
                fail(&record, "I10: a candidate is overwritten: " + describe(before) + " became " +
                                  describe(after));
        } else if (newest == before.tokens.rend() || newest->hash == held.hash) {
            fail(&record, "I10: the newest confirmed token is dropped: " + describe(before) +
                              " became " + describe(after));
        }
    }
}

// I1 and I9, for each thing that a power loss at this instant could leave.
void Oracle::check_law(const Record& record) {
    // Before its first connect an enrollment may be repeated, and a revoked agent is out of it.
    if (record.row.status == AgentStatus::revoked || !record.row.current) return;
    const auto accepted = server::rotation::accepted_hashes(record.row);
    for (const Content& content : record.outcomes) {
        if (!content.readable)
            return fail(&record, "I9: a power loss would leave no readable state file");
        if (std::ranges::none_of(content.tokens, &Held::confirmed))
            return fail(&record, "I9: no confirmed token: " + describe(content));
        // I1r takes the law's place: whether recovery is open shows when all is calm.
        if (record.out_of_step) continue;
        const bool common = std::ranges::any_of(content.tokens, [&](const Held& held) {
            return std::ranges::find(accepted, held.hash) != accepted.end();
        });
        const bool activated = record.row.activated_generation == record.row.current->generation;
        const bool confirmed = std::ranges::any_of(content.tokens, [&](const Held& held) {
            return held.confirmed && held.hash == record.row.current->token_hash;
        });
        if (activated && !confirmed)
            return fail(&record, "Rule B: the agent said that it has confirmed " +
                                     std::to_string(record.row.activated_generation) +
                                     ", and holds " + describe(content));
        if (!common)
            return fail(&record, "I1, the law: the agent durably holds " + describe(content) +
                                     "; the server accepts " + simulation::describe(record.row));
    }
}

void Oracle::on_admitted(const std::string& agent_id, SteadyTime asked_at) {
    const auto found = records_.find(agent_id);
    if (found == records_.end()) return;
    const Record& record = found->second;
    if (record.revoked_at && asked_at > *record.revoked_at)
        fail(&record, "I4: a revoked agent is let in");
    if (record.suspended_at && asked_at > *record.suspended_at)
        fail(&record, "I4: a suspended agent is let in");
}

// What was committed since the backup has not been. Whoever got a token since then holds it.
void Oracle::on_restore() {
    const storage::MemoryDatabase& database = server_.database();
    audit_head_ = database.audit_head;
    for (auto& [agent_id, record] : records_) {
        const auto found = database.agents.find(agent_id);
        if (found == database.agents.end()) continue;
        record.row = found->second.credentials;
        record.newest = record.row.next_generation - 1;
        record.out_of_step = true;
        if (record.row.pending) promoted_.erase(record.row.pending->rotation_id);
        record.suspended_at.reset();
        // A revocation that was not answered yet may be lost with the database.
        if (!record.revoke_answered) record.revoked_at.reset();
    }
}

void Oracle::on_rollback(const std::string& agent_id) {
    const auto found = records_.find(agent_id);
    if (found == records_.end()) return;
    found->second.out_of_step = true;
    found->second.rolled_back = true;
}

void Oracle::on_revoke_answered(const std::string& agent_id) {
    const auto found = records_.find(agent_id);
    if (found != records_.end()) found->second.revoke_answered = true;
}

bool Oracle::is_known(const std::string& agent_id) const {
    const auto record = records_.find(agent_id);
    const auto row = server_.database().agents.find(agent_id);
    if (record == records_.end() || row == server_.database().agents.end()) return false;
    const auto& key = row->second.identity_public_key;
    return key && to_base64url(*key) == record->second.visible.identity;
}

void Oracle::look_around() {
    for (auto& [agent_id, record] : records_) {
        check_row(record, {});
        if (record.revoke_answered && server_.is_up() && record.row.status != AgentStatus::revoked)
            fail(&record, "I4: a revoke that was answered is forgotten");
        const bool connected = server_.connected(agent_id);
        const auto closed_by = [&](const std::optional<SteadyTime>& since) {
            return since && time_.steady - *since > kToBeClosed;
        };
        if (connected && (closed_by(record.revoked_at) || closed_by(record.suspended_at)))
            fail(&record, "I4: a session outlives the agent's right to it");
        const Line* line = record.machine->line();
        if (agent_of_.at(record.machine->number()) == agent_id && line != nullptr &&
            line->is_whole() && !connected &&
            record.machine->status().state == agent::ConnectionState::connected)
            fail(&record, "I17: the server does not know a session that lives");
    }
}

void Oracle::require_settled(const std::string& agent_id) {
    Record& record = records_.at(agent_id);
    const Credentials& row = record.row;
    const auto say = [&](const std::string& what) {
        fail(&record, "I7, I8, I16: after days of calm " + what + "; it says: " +
                          std::string(agent::to_string(record.machine->status().state)) + ", " +
                          record.machine->status().last_error);
    };
    if (!row.current) return say("the agent has no token");
    if (!server_.connected(agent_id)) return say("the agent is not connected");
    if (row.pending) return say("a rotation is still pending");
    if (row.activated_generation != row.current->generation)
        return say("the commit is still outstanding");
    const auto life = *row.current->expires_at - row.current->issued_at;
    const auto age = server_.clock().now() - row.current->issued_at;
    if (age > life * 9 / 10 + kLate) return say("the token is old and was not rotated");
    record.out_of_step = false;
    record.rolled_back = false;
}

}  // namespace rekey::simulation
