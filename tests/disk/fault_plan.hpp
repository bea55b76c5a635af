#pragma once

#include <array>
#include <atomic>
#include <cstdint>

// The memory that a test shares with a process under faulty_disk.cpp: which calls on which files
// fail, and how often they did. Both sides map one file; a fault is switched on and off while the
// process runs.
namespace rekey::testing::faults {

// One bit a call; a 64-bit variant counts as its plain name.
enum Call : std::uint32_t {
    kOpen = 1,  // open, openat
    kRead = 2,  // read, pread
    kWrite = 4,
    kPwrite = 8,
    kFsync = 16,
    kFdatasync = 32,
    kRename = 64,
    kTruncate = 128,
};

inline constexpr std::size_t kPathBytes = 256;
inline constexpr std::int32_t kFlipByte = 0;

// Written once, before it is first switched on; only the atomics change afterwards.
struct Rule {
    std::uint32_t calls = 0;
    std::int32_t error = kFlipByte;  // errno; kFlipByte: a read returns one wrong byte instead
    // The end of the path: of the file behind the descriptor, of the argument of open, of the old
    // name of rename.
    std::array<char, kPathBytes> path_end{};
    std::atomic<std::uint32_t> on;
    std::atomic<std::uint64_t> let_through;  // so many calls first
    std::atomic<std::uint64_t> hits;
};

struct Plan {
    std::array<Rule, 32> rules;
};

static_assert(std::atomic<std::uint64_t>::is_always_lock_free, "it works between processes");
inline constexpr const char* kPlanVariable = "FAULTY_DISK_PLAN";

}  // namespace rekey::testing::faults
