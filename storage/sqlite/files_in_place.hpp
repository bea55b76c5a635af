#pragma once

#include "base/result.hpp"

#include <array>
#include <string>
#include <sys/types.h>

namespace rekey::storage::sqlite {

// The database and its log as they were opened. SQLite goes on writing to files that were deleted
// or moved away, and what it commits then is gone with the process: whoever answers for a commit
// looks first. Two calls of stat, microseconds beside a commit's fsync.
class FilesInPlace {
  public:
    // The files exist: a connection has them open.
    explicit FilesInPlace(const std::string& database);

    // `unavailable`, naming the file that is gone or another one.
    [[nodiscard]] Result<> check() const;

  private:
    struct File {
        std::string path;
        dev_t device = 0;
        ino_t inode = 0;
    };
    std::array<File, 2> files_;
};

}  // namespace rekey::storage::sqlite
