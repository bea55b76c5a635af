#pragma once

#include "server/http/places.hpp"

#include <cstddef>
#include <memory>
#include <string>

namespace rekey::server::http {

// Bounds the HTTP connections of one address, IPv6 by its /64, so that one peer cannot take all
// descriptors before it has shown any credential. Loopback is not bounded: behind a proxy everybody
// comes from there. Safe from any thread.
class AddressGate {
  public:
    explicit AddressGate(std::size_t limit) : places_(limit) {}

    // Holds a place until it is destroyed; null when there is none left.
    [[nodiscard]] std::shared_ptr<void> admit(const std::string& address) const;

  private:
    Places places_;
};

}  // namespace rekey::server::http
