#pragma once

#include "base/clock.hpp"

#include <boost/asio/io_context.hpp>

namespace rekey::net {

// Timers on an io_context: callbacks run on its thread. Handles may outlive the callback, not the
// io_context.
class IoTimers final : public Timers {
  public:
    explicit IoTimers(boost::asio::io_context& context) : context_(context) {}
    [[nodiscard]] std::unique_ptr<Handle> after(Milliseconds delay,
                                                std::function<void()> callback) override;

  private:
    boost::asio::io_context& context_;
};

}  // namespace rekey::net
