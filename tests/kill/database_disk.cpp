// SQLite's writes and syncs as fail points. SQLite is a shared library: a function of this name in
// the program itself is the one that it calls.
#include "tests/kill/fail_points.hpp"

#include <array>
#include <string>
#include <sys/syscall.h>
#include <unistd.h>

namespace {

using rekey::fail_point::kDatabasePoints;

enum class Done : unsigned char { write, fsync };

void tell(int descriptor, Done done) {
    std::array<char, 4096> path{};
    const std::string link = "/proc/self/fd/" + std::to_string(descriptor);
    const ssize_t size = ::readlink(link.c_str(), path.data(), path.size());
    if (size <= 0) return;
    const std::string_view name(path.data(), static_cast<std::size_t>(size));
    const bool wal = name.ends_with("/rekey.db-wal");
    if (!wal && !name.ends_with("/rekey.db")) return;
    rekey::fail_point::reached_named(
        kDatabasePoints[(wal ? 2U : 0U) + (done == Done::fsync ? 1U : 0U)]);
}

int sync_with(long call, int descriptor) {
    const auto result = static_cast<int>(::syscall(call, descriptor));
    tell(descriptor, Done::fsync);
    return result;
}

ssize_t write_at(int descriptor, const void* from, size_t size, off64_t at) {
    const ssize_t result = ::syscall(SYS_pwrite64, descriptor, from, size, at);
    tell(descriptor, Done::write);
    return result;
}

}  // namespace

extern "C" int fsync(int descriptor) { return sync_with(SYS_fsync, descriptor); }
extern "C" int fdatasync(int descriptor) { return sync_with(SYS_fdatasync, descriptor); }
extern "C" ssize_t pwrite(int descriptor, const void* from, size_t size, off_t at) {
    return write_at(descriptor, from, size, at);
}
extern "C" ssize_t pwrite64(int descriptor, const void* from, size_t size, off64_t at) {
    return write_at(descriptor, from, size, at);
}
