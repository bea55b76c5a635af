#pragma once

#include "base/contract.hpp"

#include <array>
#include <cstddef>
#include <cstdint>

// What may still go wrong from outside: the bounds of a search.
namespace rekey::model {

enum class Misfortune : std::uint8_t {
    emergency,
    wish,
    suspension,
    revoke,
    bar,
    power_loss,
    expiry,
    clock_back,
    snapshot,
    rollback,
    backup,
    restore,
    slow_connect,
    slow_transaction,
    kCount
};
inline constexpr std::size_t kMisfortunes = static_cast<std::size_t>(Misfortune::kCount);

// Either so many of each kind, or so many of any kind: "any two" is every pair of them, in both
// orders, without a state more for telling which two they were.
class Budget {
  public:
    Budget() = default;
    static Budget any(std::uint8_t misfortunes) {
        Budget budget;
        budget.any_ = misfortunes;
        return budget;
    }
    [[nodiscard]] Budget with(Misfortune kind, std::uint8_t times = 1) const {
        Budget budget = *this;
        budget.each_[index(kind)] = times;
        return budget;
    }
    // What the server may mint against the identity key alone.
    [[nodiscard]] Budget recoveries(std::uint8_t units) const {
        Budget budget = *this;
        budget.recoveries_ = units;
        return budget;
    }
    // The agent's disk fails in no way, and its process is killed only after a write.
    [[nodiscard]] Budget sound_disk() const {
        Budget budget = *this;
        budget.sound_disk_ = 1;
        return budget;
    }
    [[nodiscard]] Budget rotations(std::uint8_t count) const {
        Budget budget = *this;
        budget.rotations_ = count;
        return budget;
    }

    [[nodiscard]] bool disk_is_sound() const { return sound_disk_ != 0; }
    [[nodiscard]] std::uint8_t recoveries() const { return recoveries_; }
    [[nodiscard]] std::uint8_t rotations_left() const { return rotations_; }
    [[nodiscard]] bool allows(Misfortune kind) const { return any_ > 0 || each_[index(kind)] > 0; }
    [[nodiscard]] std::uint8_t of_each(Misfortune kind) const { return each_[index(kind)]; }
    [[nodiscard]] std::uint8_t of_any() const { return any_; }

    void spend(Misfortune kind) {
        REKEY_ASSERT(allows(kind));
        std::uint8_t& from = any_ > 0 ? any_ : each_[index(kind)];
        from = static_cast<std::uint8_t>(from - 1);
    }
    void spend_rotation() {
        REKEY_ASSERT(rotations_ > 0);
        rotations_ = static_cast<std::uint8_t>(rotations_ - 1);
    }
    friend bool operator==(const Budget&, const Budget&) = default;

  private:
    static std::size_t index(Misfortune kind) { return static_cast<std::size_t>(kind); }

    std::uint8_t rotations_ = 0;
    std::uint8_t any_ = 0;
    std::uint8_t recoveries_ = 0;
    std::uint8_t sound_disk_ = 0;
    std::array<std::uint8_t, kMisfortunes> each_{};
};

}  // namespace rekey::model
