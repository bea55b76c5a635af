#pragma once

#include "base/clock.hpp"
#include "protocol/settings.hpp"
#include "server/rotation/transitions.hpp"

#include <cstdint>
#include <memory>
#include <mutex>

namespace rekey::server {

// The settings in force. Names, ranges, defaults and units: protocol/settings.hpp and
// docs/configuration.md.
struct SettingValues : protocol::Settings {
    [[nodiscard]] rotation::Policy rotation_policy() const;
};

// The one place that knows the settings now. A reader takes a snapshot and keeps it for one
// decision. Safe from any thread.
class LiveSettings {
  public:
    explicit LiveSettings(SettingValues values);
    [[nodiscard]] std::shared_ptr<const SettingValues> snapshot() const;
    void replace(SettingValues values);
    // The same, unless a change with a higher number was there before: answers of the store may
    // overtake each other on their way here. Numbers begin at 1.
    void replace_unless_older(SettingValues values, std::uint64_t change);

  private:
    mutable std::mutex mutex_;
    std::shared_ptr<const SettingValues> values_;
    std::uint64_t newest_change_ = 0;
};

}  // namespace rekey::server
