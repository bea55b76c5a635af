#pragma once

#include "tests/support/temporary_directory.hpp"

#include <cstddef>
#include <string>

namespace rekey::testing {

// Gives this process mounts of its own, that nobody else sees and that are gone with it: as root,
// or in a user namespace. Of a suite, before it has threads; where neither is allowed, it says so
// and ends the process with kSkipped, which ctest shows as skipped.
struct OwnMounts {
    static constexpr int kSkipped = 77;
    OwnMounts();
};

// A small file system in memory, mounted at `path()`; wants OwnMounts.
class SmallDisk {
  public:
    explicit SmallDisk(std::size_t bytes);
    SmallDisk(const SmallDisk&) = delete;
    SmallDisk& operator=(const SmallDisk&) = delete;
    ~SmallDisk();

    [[nodiscard]] const std::string& path() const { return home_.path(); }

    void fill() const;       // to the last byte
    void make_room() const;  // what fill() took
    // Whoever opens a file from now on finds a read-only file system.
    void make_read_only();
    void make_writable();

  private:
    TemporaryDirectory home_;
    bool read_only_ = false;
};

}  // namespace rekey::testing
