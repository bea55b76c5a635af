#pragma once

#include "base/clock.hpp"
#include "server/rotation/transitions.hpp"

#include <cstdint>
#include <memory>
#include <mutex>
#include <string>

namespace rekey::server {

// The settings in force, typed. Names, ranges, defaults and units: protocol/settings.hpp and
// docs/configuration.md.
struct SettingValues {
    std::int64_t agent_token_rotation_days = 7;
    std::int64_t agent_token_grace_period_minutes = 5;
    double rotate_at_fraction_min = 0.7;
    double rotate_at_fraction_max = 0.9;
    std::int64_t rotation_timeout_seconds = 30;
    std::int64_t rotation_concurrency = 256;
    std::int64_t scheduler_interval_seconds = 60;
    std::int64_t heartbeat_seconds = 30;
    std::int64_t enrollment_code_minutes = 10;
    std::int64_t key_rotation_grace_hours = 24;
    std::int64_t jwt_minutes = 30;
    std::int64_t drain_seconds = 10;
    std::int64_t recovery_budget = 3;
    std::int64_t recovery_window_days = 30;
    std::string expired_token_policy = "recover";
    std::string reuse_policy = "alert";
    std::int64_t rate_limit_auth_per_minute = 20;
    std::int64_t rate_limit_api_per_minute = 600;

    [[nodiscard]] rotation::Policy rotation_policy() const;
};

// The one place that knows the settings now. A reader takes a snapshot and keeps it for one
// decision. Safe from any thread.
class LiveSettings {
  public:
    explicit LiveSettings(SettingValues values);
    [[nodiscard]] std::shared_ptr<const SettingValues> snapshot() const;
    void replace(SettingValues values);

  private:
    mutable std::mutex mutex_;
    std::shared_ptr<const SettingValues> values_;
};

}  // namespace rekey::server
