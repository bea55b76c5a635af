#include "tests/disk/faulty_disk.hpp"
#include "tests/support/process.hpp"

#include <chrono>
#include <cstring>
#include <fcntl.h>
#include <new>
#include <stdexcept>
#include <sys/mman.h>
#include <thread>
#include <unistd.h>

namespace rekey::testing {
namespace {

// Between two looks at what another process counts.
constexpr std::chrono::milliseconds kLookAgain{5};

}  // namespace

void Fault::wait_for_hits(std::uint64_t count) const {
    const auto deadline = std::chrono::steady_clock::now() + kPatience;
    while (hits() < count) {
        if (std::chrono::steady_clock::now() > deadline)
            throw std::runtime_error(std::string("no call failed on ") + rule_->path_end.data());
        std::this_thread::sleep_until(std::chrono::steady_clock::now() + kLookAgain);
    }
}

FaultyDisk::FaultyDisk() {
    const int file = ::open(home_.file("plan").c_str(), O_RDWR | O_CREAT | O_CLOEXEC, 0600);
    if (file < 0 || ::ftruncate(file, sizeof(faults::Plan)) != 0)
        throw std::runtime_error("cannot make " + home_.file("plan"));
    void* memory =
        ::mmap(nullptr, sizeof(faults::Plan), PROT_READ | PROT_WRITE, MAP_SHARED, file, 0);
    ::close(file);
    if (memory == MAP_FAILED) throw std::runtime_error("cannot map " + home_.file("plan"));
    plan_ = new (memory) faults::Plan{};
}

FaultyDisk::~FaultyDisk() { ::munmap(plan_, sizeof(faults::Plan)); }

std::map<std::string, std::string> FaultyDisk::environment() const {
    return {{"LD_PRELOAD", FAULTY_DISK_LIBRARY}, {faults::kPlanVariable, home_.file("plan")}};
}

Fault FaultyDisk::fail(std::uint32_t calls, const std::string& path_end, int error,
                       std::uint64_t let_through) {
    // Never one again: another process may look at it at any moment.
    faults::Rule& rule = plan_->rules.at(used_++);
    if (path_end.size() >= rule.path_end.size()) throw std::runtime_error("too long: " + path_end);
    rule.calls = calls;
    rule.error = error;
    rule.let_through = let_through;
    std::memcpy(rule.path_end.data(), path_end.data(), path_end.size());
    Fault fault(rule);
    fault.strike();
    return fault;
}

Fault FaultyDisk::flip_what_is_read(const std::string& path_end) {
    return fail(faults::kRead, path_end, faults::kFlipByte);
}

}  // namespace rekey::testing
