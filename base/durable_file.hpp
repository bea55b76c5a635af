#pragma once

#include "base/result.hpp"

#include <string>
#include <string_view>

namespace rekey {

// How far a durable write came before it failed: before the rename the old file is whole and the
// new content is nowhere; after it, either may be found at the next start (rotation.md, A2).
enum class WriteStage : std::uint8_t { before_rename, after_rename };

struct WriteFailure {
    WriteStage stage;
    int system_error;  // errno of the call that failed
    std::string what;  // "write /path: No space left on device"
};

// Replaces `path` so that a crash at any moment leaves the old content or the new, never a mixture,
// and the new one stays once this returns: temporary file in the same directory with mode 0600 from
// its creation, fsync, rename, fsync of the directory. Blocks. Returns nothing on success.
[[nodiscard]] std::optional<WriteFailure> write_durably(const std::string& path,
                                                        std::string_view content);

// Makes durable what can be read at `path`: fsync of the file and its directory, which need no
// space. For content whose write was cut short: a process that is killed between rename and fsync
// leaves a file that the next one reads and a power loss may still take back. Blocks. `not_found`,
// or `unavailable` for an I/O error.
[[nodiscard]] Result<> sync_durably(const std::string& path);

// The whole file. `not_found` if there is none, `unavailable` for an I/O error, `invalid_params`
// over `max_bytes`.
[[nodiscard]] Result<std::string> read_file(const std::string& path, std::size_t max_bytes);

// `permission_denied`, with the command that mends it, when group or others can read `path`.
[[nodiscard]] Result<> require_private(const std::string& path);

// Makes `path` and its parents, the last one with mode 0700.
[[nodiscard]] Result<> make_private_directory(const std::string& path);

// An exclusive advisory lock (flock) on `path`, made with mode 0600; held until destroyed, gone
// with the process. One that is there needs neither room nor a writable disk.
class FileLock {
  public:
    FileLock(FileLock&& other) noexcept;
    FileLock& operator=(FileLock&& other) noexcept;
    ~FileLock();

    // `conflict` if another process holds it (details.pid where it is known).
    [[nodiscard]] static Result<FileLock> acquire(const std::string& path);

  private:
    explicit FileLock(int descriptor) : descriptor_(descriptor) {}
    int descriptor_ = -1;
};

}  // namespace rekey
