#pragma once

#include <cstddef>
#include <memory>
#include <mutex>
#include <string>
#include <unordered_map>

namespace rekey::server::http {

// Bounds the HTTP connections of one address, IPv6 by its /64, so that one peer cannot take all
// descriptors before it has shown any credential. Loopback is not bounded: behind a proxy everybody
// comes from there. Safe from any thread.
class AddressGate {
  public:
    explicit AddressGate(std::size_t limit) : state_(std::make_shared<State>()), limit_(limit) {}

    // Holds a place until it is destroyed; null when there is none left.
    [[nodiscard]] std::shared_ptr<void> admit(const std::string& address);

  private:
    struct State {
        std::mutex mutex;
        std::unordered_map<std::string, std::size_t> open;
    };
    std::shared_ptr<State> state_;
    std::size_t limit_;
};

}  // namespace rekey::server::http
