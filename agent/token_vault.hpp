#pragma once

#include "agent/disk.hpp"
#include "agent/rotation/transitions.hpp"
#include "agent/state.hpp"
#include "base/result.hpp"

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace rekey::agent {

// How a write of the held tokens ended; `reason` and `detail` only if it is not durable.
struct StoreOutcome {
    rotation::WriteOutcome outcome = rotation::WriteOutcome::durable;
    rotation::FailureReason reason = rotation::FailureReason::other;
    std::string detail;
    [[nodiscard]] bool durable() const { return outcome == rotation::WriteOutcome::durable; }
};

[[nodiscard]] rotation::FailureReason reason_of(int system_error);

// Writes the state durably, reads it back and compares.
[[nodiscard]] StoreOutcome write_state(Disk& disk, const AgentState& state);

// The agent's state in memory and on its disk, kept in step: every change is written, read back and
// compared before it counts. One thread; calls block for the disk.
class TokenVault {
  public:
    // `not_found` when there is no state file: not enrolled. Every other error means that there is
    // one which cannot be used (A5).
    [[nodiscard]] static Result<TokenVault> open(Disk& disk);

    [[nodiscard]] const AgentState& state() const { return state_; }
    [[nodiscard]] const rotation::HeldTokens& held() const { return state_.tokens; }
    // The newest confirmed one; there always is one (I9).
    [[nodiscard]] const rotation::HeldToken& newest_confirmed() const;

    // Writes, reads back, compares. What is held afterwards is what rotation::after_write() says.
    StoreOutcome store(const rotation::HeldTokens& next);

    // Whether what is held would survive a loss of power; tries to make it so. A start may have
    // read what another process had renamed and not synced, and a write may have failed after its
    // rename: a connect with such a candidate would promote what the disk can still take back. A
    // confirmation that was written so stands from here on: what is held is what the file says.
    [[nodiscard]] bool make_durable();

    // The proof of possession over the token as it is read from the disk now.
    [[nodiscard]] Result<std::string> prove(std::string_view rotation_id);

  private:
    TokenVault(Disk& disk, AgentState state) : disk_(&disk), state_(std::move(state)) {}

    enum class Missing : std::uint8_t { nothing, sync, write };

    Disk* disk_;
    AgentState state_;
    Missing missing_ = Missing::sync;
    std::optional<rotation::HeldTokens> renamed_;  // what a sync would make durable, if not held
};

}  // namespace rekey::agent
