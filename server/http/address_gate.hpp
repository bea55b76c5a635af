#pragma once

#include "net/http_server.hpp"

#include <cstddef>
#include <functional>
#include <memory>
#include <string>

namespace rekey::server::http {

// Bounds the HTTP connections of one address, IPv6 by its /64, so that one peer cannot take all
// descriptors before it has shown any credential. When an address is full, a newcomer takes the
// place of the connection that has shown no good credential for the longest time, or, if all of
// them have shown one, of the one that did so the longest ago: nobody keeps others out by holding
// connections, whatever he is allowed. Loopback is not bounded: behind a proxy everybody comes from
// there. Safe from any thread.
class AddressGate {
  public:
    explicit AddressGate(std::size_t limit);

    // The newcomer's place, never null. `give_way` is called at most once, on the thread of who
    // takes the place.
    [[nodiscard]] std::shared_ptr<net::HttpPlace> admit(const std::string& address,
                                                        std::function<void()> give_way) const;
    // For who is not bounded.
    [[nodiscard]] static std::shared_ptr<net::HttpPlace> uncounted();

  private:
    struct Shared;
    class Place;
    std::shared_ptr<Shared> shared_;
};

}  // namespace rekey::server::http
