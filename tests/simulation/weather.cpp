#include "tests/simulation/weather.hpp"

#include <cmath>

namespace rekey::simulation {

Milliseconds Dice::spread(Milliseconds low, Milliseconds high) {
    const double from = std::log(static_cast<double>(low.count()) + 1);
    const double to = std::log(static_cast<double>(high.count()) + 1);
    return Milliseconds{static_cast<Milliseconds::rep>(std::exp(from + (to - from) * unit()))};
}

Weather calm() { return {}; }

Weather storm(Dice& dice) {
    // None of it in a third of the storms, else up to `most`, small more often than large.
    const auto up_to = [&dice](double most) {
        if (dice.chance(0.33)) return 0.0;
        const double share = dice.unit();
        return most * share * share;
    };
    Weather weather;
    weather.latency = dice.spread(Milliseconds{1}, Milliseconds{8000});
    weather.cut = up_to(0.05);
    weather.cut_unnoticed = up_to(0.5);
    weather.connect_lost = up_to(0.3);
    weather.connect_duplicated = up_to(0.3);
    weather.death_at_message = up_to(0.15);
    weather.death_at_disk_step = up_to(0.1);
    weather.disk_step_fails = up_to(0.2);
    weather.readback_differs = up_to(0.2);
    weather.server_crash_before_commit = up_to(0.02);
    weather.server_crash_after_commit = up_to(0.02);
    weather.commit_fails = up_to(0.1);
    weather.power_lost = up_to(1.0);
    weather.killed = up_to(0.1);
    weather.long_offline = up_to(0.006);
    weather.clock_jumps = up_to(0.05);
    weather.disk_full = up_to(0.02);
    weather.slow = up_to(0.05);
    weather.rotated_by_admin = up_to(0.4);
    weather.emergency = up_to(0.3);
    weather.suspended = up_to(0.01);
    weather.revoked = up_to(0.001);
    weather.enrolled_again = up_to(0.002);
    weather.rolled_back = up_to(0.006);
    weather.barred = up_to(0.004);
    weather.server_killed = up_to(0.3);
    weather.server_restarted = up_to(0.1);
    weather.server_slow_disk = up_to(0.1);
    weather.settings_changed = up_to(0.05);
    weather.restored = up_to(0.006);
    return weather;
}

void bad_disks(Weather& weather) {
    weather.disk_step_fails = 0.3;
    weather.power_lost = 0.8;
    weather.killed = 0.1;
    weather.connect_lost = 0.3;
    weather.rotated_by_admin = 0.4;
    weather.emergency = 0.2;
}

void revokes_and_restores(Weather& weather) {
    weather.revoked = 0.01;
    weather.restored = 0.02;
}

}  // namespace rekey::simulation
