#include "server/settings.hpp"

#include <utility>

namespace rekey::server {

rotation::Policy SettingValues::rotation_policy() const {
    rotation::Policy policy;
    policy.token_life = std::chrono::days{agent_token_rotation_days};
    policy.grace = std::chrono::minutes{agent_token_grace_period_minutes};
    policy.rotate_at_fraction_min = rotate_at_fraction_min;
    policy.rotate_at_fraction_max = rotate_at_fraction_max;
    policy.backoff_unit = std::chrono::seconds{scheduler_interval_seconds};
    return policy;
}

LiveSettings::LiveSettings(SettingValues values)
    : values_(std::make_shared<const SettingValues>(values)) {}

std::shared_ptr<const SettingValues> LiveSettings::snapshot() const {
    const std::lock_guard lock(mutex_);
    return values_;
}

void LiveSettings::replace(SettingValues values) {
    auto next = std::make_shared<const SettingValues>(values);
    const std::lock_guard lock(mutex_);
    values_ = std::move(next);
}

void LiveSettings::replace_unless_older(SettingValues values, std::uint64_t change) {
    auto next = std::make_shared<const SettingValues>(values);
    const std::lock_guard lock(mutex_);
    if (change < newest_change_) return;
    newest_change_ = change;
    values_ = std::move(next);
}

}  // namespace rekey::server
