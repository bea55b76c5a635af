#include "agent/token_vault.hpp"

#include "base/contract.hpp"
#include "protocol/proof.hpp"

#include <algorithm>
#include <cerrno>
#include <utility>

namespace rekey::agent {

rotation::FailureReason reason_of(int system_error) {
    switch (system_error) {
        case ENOSPC:
        case EDQUOT:
            return rotation::FailureReason::disk_full;
        case EROFS:
        case EACCES:
        case EPERM:
            return rotation::FailureReason::read_only;
        default:
            return rotation::FailureReason::other;
    }
}

StoreOutcome write_state(Disk& disk, const AgentState& state) {
    const Secret text = encode_state(state);
    if (const auto failed = disk.write(text))
        return {failed->stage == WriteStage::before_rename
                    ? rotation::WriteOutcome::failed_before_rename
                    : rotation::WriteOutcome::failed_after_rename,
                reason_of(failed->system_error), failed->what};
    const auto found = disk.read();
    if (found.has_error())
        return {rotation::WriteOutcome::failed_after_rename,
                rotation::FailureReason::readback_differs, "read back: " + found.error().message()};
    if (!(*found == text))
        return {rotation::WriteOutcome::failed_after_rename,
                rotation::FailureReason::readback_differs,
                disk.name() + " does not hold what was written to it"};
    return {};
}

Result<TokenVault> TokenVault::open(Disk& disk) {
    REKEY_TRY_ASSIGN(text, disk.read());
    auto state = decode_state(text);
    if (state.has_error())
        return Error(state.error().code(), disk.name() + ": " + state.error().message());
    return TokenVault(disk, std::move(*state));
}

const rotation::HeldToken& TokenVault::newest_confirmed() const {
    const auto found = std::find_if(
        state_.tokens.rbegin(), state_.tokens.rend(),
        [](const auto& held) { return held.state == rotation::TokenState::confirmed; });
    REKEY_ASSERT(found != state_.tokens.rend());
    return *found;
}

StoreOutcome TokenVault::store(const rotation::HeldTokens& next) {
    AgentState wanted = state_;
    wanted.tokens = next;
    StoreOutcome outcome = write_state(*disk_, wanted);
    state_.tokens = rotation::after_write(state_.tokens, next, outcome.outcome);
    if (outcome.outcome == rotation::WriteOutcome::failed_before_rename) return outcome;
    renamed_.reset();
    missing_ = Missing::nothing;
    if (outcome.reason == rotation::FailureReason::readback_differs) {
        missing_ = Missing::write;
    } else if (!outcome.durable()) {
        missing_ = Missing::sync;
        renamed_ = next;
    }
    return outcome;
}

bool TokenVault::make_durable() {
    if (missing_ == Missing::sync && disk_->sync().has_value()) {
        missing_ = Missing::nothing;
        if (renamed_) state_.tokens = *std::exchange(renamed_, std::nullopt);
    }
    if (missing_ == Missing::write && write_state(*disk_, state_).durable())
        missing_ = Missing::nothing;
    return missing_ == Missing::nothing;
}

Result<std::string> TokenVault::prove(std::string_view rotation_id) {
    REKEY_TRY_ASSIGN(text, disk_->read());
    REKEY_TRY_ASSIGN(stored, decode_state(text));
    const auto found =
        std::ranges::find(stored.tokens, rotation_id, &rotation::HeldToken::rotation_id);
    if (found == stored.tokens.end())
        return Error(Code::corrupt, disk_->name() + " does not hold the token any more");
    return protocol::rotation_proof(found->token, state_.agent_id, rotation_id, found->generation);
}

}  // namespace rekey::agent
