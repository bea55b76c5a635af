#include "tests/disk/small_disk.hpp"

#include <array>
#include <cerrno>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <fcntl.h>
#include <fstream>
#include <sched.h>
#include <stdexcept>
#include <sys/mount.h>
#include <unistd.h>

namespace rekey::testing {
namespace {

[[noreturn]] void fail(const std::string& what) {
    throw std::runtime_error(what + ": " + std::strerror(errno));
}

void mount_or_fail(const char* source, const std::string& target, const char* type,
                   unsigned long flags, const char* options) {
    if (::mount(source, target.c_str(), type, flags, options) != 0) fail("mount " + target);
}

bool enter_user_namespace() {
    const std::string user = std::to_string(::getuid());
    const std::string group = std::to_string(::getgid());
    if (::unshare(CLONE_NEWUSER | CLONE_NEWNS) != 0) return false;
    std::ofstream("/proc/self/setgroups") << "deny";
    std::ofstream("/proc/self/uid_map") << user << " " << user << " 1";
    std::ofstream("/proc/self/gid_map") << group << " " << group << " 1";
    return true;
}

}  // namespace

OwnMounts::OwnMounts() {
    const bool entered = ::unshare(CLONE_NEWNS) == 0 || enter_user_namespace();
    // Else what is mounted here would show everywhere.
    if (entered && ::mount(nullptr, "/", nullptr, MS_REC | MS_PRIVATE, nullptr) == 0) {
        TemporaryDirectory trial;
        if (::mount("tmpfs", trial.path().c_str(), "tmpfs", 0, "size=64k") == 0) {
            ::umount(trial.path().c_str());
            return;
        }
    }
    std::fprintf(stderr, "skipped: no mount namespace for a small tmpfs (%s)\n",
                 std::strerror(errno));
    std::_Exit(kSkipped);
}

SmallDisk::SmallDisk(std::size_t bytes) {
    const std::string options = "mode=0700,size=" + std::to_string(bytes);
    mount_or_fail("tmpfs", home_.path(), "tmpfs", MS_NODEV, options.c_str());
}

SmallDisk::~SmallDisk() {
    if (read_only_) ::umount2(home_.path().c_str(), MNT_DETACH);
    ::umount2(home_.path().c_str(), MNT_DETACH);
}

void SmallDisk::fill() const {
    const std::string filler = home_.file("filler");
    const int file = ::open(filler.c_str(), O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0600);
    if (file < 0) fail("open " + filler);
    const std::array<char, 4096> block{};
    while (::write(file, block.data(), block.size()) > 0) {
    }
    const bool full = errno == ENOSPC;
    ::close(file);
    if (!full) fail("fill " + home_.path());
}

void SmallDisk::make_room() const { ::unlink(home_.file("filler").c_str()); }

// Mounted over itself, because a file system with files that are open for writing cannot be
// remounted.
void SmallDisk::make_read_only() {
    const std::string& here = home_.path();
    mount_or_fail(here.c_str(), here, nullptr, MS_BIND, nullptr);
    read_only_ = true;
    mount_or_fail(nullptr, here, nullptr, MS_REMOUNT | MS_BIND | MS_RDONLY, nullptr);
}

void SmallDisk::make_writable() {
    if (::umount2(home_.path().c_str(), MNT_DETACH) != 0) fail("umount " + home_.path());
    read_only_ = false;
}

}  // namespace rekey::testing
