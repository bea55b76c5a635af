#pragma once

#include "tests/disk/agent_stand.hpp"
#include "tests/disk/faulty_disk.hpp"
#include "tests/disk/ledger.hpp"

#include <string>

namespace rekey::testing {

// A server whose disk a test breaks.
struct BrokenServer {
    FaultyDisk disk;
    Ledger ledger;
    Rekeyd server;

    explicit BrokenServer(const std::string& rotation_timeout_seconds = "30");

    // Calls on the write-ahead log, where every commit goes.
    [[nodiscard]] Fault fail_commits(std::uint32_t calls, int error,
                                     std::uint64_t let_through = 0) {
        return disk.fail(calls, "/rekey.db-wal", error, let_through);
    }
    // The next write is answered with `unavailable`, and may be tried again.
    void expect_writes_refused(const std::string& name);
    // Reads are answered, and the process says that it lives.
    void expect_reads_answered(const std::string& agent_id) const;
};

}  // namespace rekey::testing
