#pragma once

#include "tests/disk/fault_plan.hpp"
#include "tests/support/temporary_directory.hpp"

#include <cstdint>
#include <map>
#include <string>

namespace rekey::testing {

// One kind of fault of a FaultyDisk, which outlives it. On when it is made; gone with it.
class Fault {
  public:
    explicit Fault(faults::Rule& rule) : rule_(&rule) {}
    Fault(Fault&& other) noexcept : rule_(other.rule_) { other.rule_ = nullptr; }
    Fault& operator=(Fault&&) = delete;
    ~Fault() {
        if (rule_ != nullptr) lift();
    }

    void strike() { rule_->on.store(1, std::memory_order_release); }
    void lift() { rule_->on.store(0, std::memory_order_release); }
    [[nodiscard]] std::uint64_t hits() const { return rule_->hits.load(); }
    // Until a call has failed; throws std::runtime_error when patience is over.
    void wait_for_hit() const { wait_for_hits(1); }
    void wait_for_hits(std::uint64_t count) const;

  private:
    faults::Rule* rule_;
};

// The disk of processes that are started with `environment()`: their calls fail as told, from now
// on or until the fault is lifted, without a restart. Not for a process with a sanitizer, whose
// allocator is preloaded as well.
class FaultyDisk {
  public:
    FaultyDisk();
    FaultyDisk(const FaultyDisk&) = delete;
    FaultyDisk& operator=(const FaultyDisk&) = delete;
    ~FaultyDisk();

    [[nodiscard]] std::map<std::string, std::string> environment() const;

    // `calls` (bits of faults::Call) on files whose path ends with `path_end` fail with `error`,
    // after `let_through` of them.
    [[nodiscard]] Fault fail(std::uint32_t calls, const std::string& path_end, int error,
                             std::uint64_t let_through = 0);
    // What is read from such a file differs by one bit.
    [[nodiscard]] Fault flip_what_is_read(const std::string& path_end);

  private:
    TemporaryDirectory home_;
    faults::Plan* plan_ = nullptr;
    std::size_t used_ = 0;
};

}  // namespace rekey::testing
