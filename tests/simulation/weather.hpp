#pragma once

#include "base/clock.hpp"
#include "base/random.hpp"

#include <chrono>
#include <cstdint>

namespace rekey::simulation {

// Choices, all from one seed.
class Dice {
  public:
    explicit Dice(std::uint64_t seed) : random_(seed) {}
    [[nodiscard]] bool chance(double probability) {
        return probability > 0 && random_.unit() < probability;
    }
    [[nodiscard]] std::uint64_t between(std::uint64_t low, std::uint64_t high) {
        return random_.between(low, high);
    }
    [[nodiscard]] double unit() { return random_.unit(); }
    [[nodiscard]] Milliseconds between(Milliseconds low, Milliseconds high) {
        return Milliseconds{static_cast<Milliseconds::rep>(random_.between(
            static_cast<std::uint64_t>(low.count()), static_cast<std::uint64_t>(high.count())))};
    }
    // Short ones as likely as long ones: uniform in the logarithm.
    [[nodiscard]] Milliseconds spread(Milliseconds low, Milliseconds high);

  private:
    SeededRandom random_;
};

// How bad it is at the moment. All zero is calm: nothing fails, and whoever is up stays up.
struct Weather {
    Milliseconds latency{20};  // at most, one way

    // Of each message, connect or durable step.
    double cut = 0;                 // the connection breaks at this message
    double cut_unnoticed = 0;       // of the cuts: one end hears nothing of it, at each end
    double connect_lost = 0;        // no answer at all
    double connect_duplicated = 0;  // the same upgrade arrives again, up to an hour later
    double death_at_message = 0;    // the agent is killed before or after it handles this message
    double death_at_disk_step = 0;  // ... at create, write, fsync, rename or the directory's fsync
    double disk_step_fails = 0;     // EIO, EROFS or ENOSPC at this step
    double readback_differs = 0;
    double server_crash_before_commit = 0;
    double server_crash_after_commit = 0;  // and before anything is sent
    double commit_fails = 0;
    double power_lost = 0;  // of the deaths, of agents and server: with what was not synced

    // An agent's, an hour.
    double killed = 0;
    double long_offline = 0;  // for up to twelve days
    double clock_jumps = 0;
    double disk_full = 0;  // for minutes to days
    double slow = 0;       // minutes, for up to a few hours
    double rotated_by_admin = 0;
    double emergency = 0;
    double suspended = 0;  // for up to a day
    double revoked = 0;
    double enrolled_again = 0;
    double rolled_back = 0;  // to a snapshot of its machine, a day or weeks old
    double barred = 0;       // an admin leaves it nothing but its identity key

    // The server's, an hour.
    double server_killed = 0;
    double server_restarted = 0;
    double server_slow_disk = 0;
    double settings_changed = 0;
    double restored = 0;  // from a backup of its database, hours or weeks old
};

[[nodiscard]] Weather calm();
// Each kind of trouble drawn for itself, from none to much, so that some storms are of one kind.
[[nodiscard]] Weather storm(Dice& dice);

// What a whole season's storms have in common, where two rare things have to meet. Disks that fail
// and forget ...
void bad_disks(Weather& weather);
// ... and revokes between a backup and its restoration.
void revokes_and_restores(Weather& weather);

}  // namespace rekey::simulation
