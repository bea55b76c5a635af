#include "agent/disk.hpp"

#include "base/fail_point.hpp"
#include "base/limits.hpp"

#include <cerrno>
#include <system_error>
#include <unistd.h>

namespace rekey::agent {

Result<Secret> FileDisk::read() {
    // Readable by others is refused before it is read: a leaked token must not go on being used in
    // silence.
    REKEY_TRY(require_private(path_));
    REKEY_TRY_ASSIGN(text, read_file(path_, limits::kStateFileBytes));
    Secret content(text);
    wipe_string(text);
    return content;
}

std::optional<WriteFailure> FileDisk::write(const Secret& content) {
    return write_durably(path_, content.expose());
}

Result<> FileDisk::sync() { return sync_durably(path_); }

Result<> FileDisk::remove() {
    if (::unlink(path_.c_str()) != 0 && errno != ENOENT)
        return Error(Code::unavailable,
                     "cannot remove " + path_ + ": " + std::generic_category().message(errno));
    fail_point::reached(fail_point::FileStep::remove, path_);
    return {};
}

Result<Secret> MemoryDisk::read() {
    if (!content_) return Error(Code::not_found, "nothing was written yet");
    return *content_;
}

std::optional<WriteFailure> MemoryDisk::write(const Secret& content) {
    content_ = content;
    return std::nullopt;
}

Result<> MemoryDisk::sync() { return {}; }

Result<> MemoryDisk::remove() {
    content_.reset();
    return {};
}

}  // namespace rekey::agent
