#include "server/recovery/audit_pause.hpp"

#include "base/limits.hpp"

#include <utility>

namespace rekey::server::recovery {

std::optional<std::uint64_t> AuditPause::admit(const std::string& kind) {
    const std::lock_guard lock(mutex_);
    const SteadyTime now = clock_.steady_now();
    const auto found = by_name_.find(kind);
    if (found == by_name_.end()) {
        kinds_.push_front({kind, now, 0});
        by_name_.emplace(kind, kinds_.begin());
        if (kinds_.size() > limits::kRecoveryAuditAgents) {
            by_name_.erase(kinds_.back().name);
            kinds_.pop_back();
        }
        return 0;
    }
    Kind& known = *found->second;
    if (now - known.written_at < limits::kRecoveryAuditPause) {
        ++known.left_out;
        return std::nullopt;
    }
    known.written_at = now;
    kinds_.splice(kinds_.begin(), kinds_, found->second);
    return std::exchange(known.left_out, 0);
}

}  // namespace rekey::server::recovery
