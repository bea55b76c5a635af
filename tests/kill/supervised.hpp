#pragma once

#include "tests/kill/stage.hpp"
#include "tests/support/process.hpp"

#include <functional>
#include <memory>
#include <optional>

namespace rekey::testing {

// The orders of one side. One is armed at a time, in each process that is started, until it lands.
class Orders {
  public:
    explicit Orders(std::deque<Order> orders) : orders_(std::move(orders)) {}
    [[nodiscard]] bool armed() const { return !orders_.empty(); }
    [[nodiscard]] const Order& next() const { return orders_.front(); }
    void landed() { orders_.pop_front(); }

  private:
    std::deque<Order> orders_;
};

// What became of a process since the last look.
enum class Fate : std::uint8_t { runs, killed, stopped, ended };

// A process with the order that it was started with.
class Supervised {
  public:
    // `count_into` is a file for the names of the points that it reaches, or empty.
    Supervised(std::vector<std::string> command, std::map<std::string, std::string> environment,
               std::string standard_input, const Orders& orders, const std::string& count_into);

    [[nodiscard]] Fate look();
    // After a stop: goes on when it has stood for so long.
    [[nodiscard]] bool resume_after(std::chrono::milliseconds stand);
    [[nodiscard]] Process& process() { return *process_; }

  private:
    bool stop_expected_;
    std::optional<std::chrono::steady_clock::time_point> stopped_at_;
    std::unique_ptr<Process> process_;
};

}  // namespace rekey::testing
