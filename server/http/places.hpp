#pragma once

#include <cstddef>
#include <memory>
#include <mutex>
#include <string>
#include <unordered_map>

namespace rekey::server::http {

// At most `limit` of something at once for each key: connections of an address, sockets of an
// identity. Safe from any thread; a place may outlive what it was taken from.
class Places {
  public:
    explicit Places(std::size_t limit) : taken_(std::make_shared<Taken>()), limit_(limit) {}

    // Taken until it is destroyed; null when there is none left.
    [[nodiscard]] std::shared_ptr<void> take(std::string key) const;

  private:
    struct Taken {
        std::mutex mutex;
        std::unordered_map<std::string, std::size_t> count;
    };
    std::shared_ptr<Taken> taken_;
    std::size_t limit_;
};

}  // namespace rekey::server::http
