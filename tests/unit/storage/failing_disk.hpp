#pragma once

#include <atomic>
#include <string>

// A disk that fails on demand, under a real SQLite: a VFS that passes everything on to the system's
// one, except what a test switches off. One at a time; any thread.
namespace rekey::storage::testing {

class FailingDisk {
  public:
    FailingDisk();
    ~FailingDisk();
    FailingDisk(const FailingDisk&) = delete;
    FailingDisk& operator=(const FailingDisk&) = delete;

    // For SqliteOptions::vfs.
    [[nodiscard]] static std::string name() { return "rekey-failing-disk"; }

    std::atomic<bool> syncs_fail = false;  // fsync answers EIO
    std::atomic<bool> full = false;        // a write answers ENOSPC
    // The process is gone in front of the n-th write from now on; 0: never.
    std::atomic<int> die_at_write = 0;
};

}  // namespace rekey::storage::testing
