#include "server/http/places.hpp"

#include <utility>

namespace rekey::server::http {

std::shared_ptr<void> Places::take(std::string key) const {
    {
        const std::lock_guard lock(taken_->mutex);
        std::size_t& count = taken_->count[key];
        if (count >= limit_) return nullptr;
        ++count;
    }
    auto release = [taken = taken_, key = std::move(key)](void*) {
        const std::lock_guard lock(taken->mutex);
        const auto found = taken->count.find(key);
        if (--found->second == 0) taken->count.erase(found);
    };
    return {taken_.get(), std::move(release)};
}

}  // namespace rekey::server::http
