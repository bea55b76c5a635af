#pragma once

#include "base/clock.hpp"
#include "base/limits.hpp"
#include "storage/store.hpp"

#include <mutex>
#include <string>
#include <string_view>
#include <unordered_map>
#include <utility>
#include <vector>

namespace rekey::server::rpc {

// When API keys were last used, kept here and written in batches: one write a call would cost more
// than the call. At most limits::kKeyUses keys between two batches; what is beyond them, or not yet
// written when the process dies, is lost, because it decides nothing. Safe from any thread.
class KeyUse {
  public:
    void note(std::string_view key_id, Time now) {
        const std::lock_guard lock(mutex_);
        if (const auto found = used_.find(std::string(key_id)); found != used_.end()) {
            found->second = now;
        } else if (used_.size() < limits::kKeyUses) {
            used_.emplace(key_id, now);
        }
    }

    // Writes what was noted since, and forgets sealed answers that have expired.
    void flush(storage::Store& store, Time now) {
        std::unordered_map<std::string, Time> used;
        {
            const std::lock_guard lock(mutex_);
            used.swap(used_);
        }
        std::vector<std::pair<std::string, Time>> rows(used.begin(), used.end());
        store.write(
            [rows = std::move(rows), now](storage::Transaction& transaction) -> Result<> {
                REKEY_TRY(transaction.api_keys().touch_last_used(rows));
                REKEY_TRY(transaction.idempotent_answers().remove_expired(now));
                return {};
            },
            [](const Result<>&) {});
    }

  private:
    std::mutex mutex_;
    std::unordered_map<std::string, Time> used_;
};

}  // namespace rekey::server::rpc
