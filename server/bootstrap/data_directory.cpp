#include "server/bootstrap/data_directory.hpp"

#include "base/result.hpp"

#include <fmt/format.h>

#include <cerrno>
#include <cstring>
#include <sys/stat.h>
#include <sysexits.h>
#include <unistd.h>

namespace rekey::server::bootstrap {
namespace {

[[noreturn]] void fail(const std::string& path, const std::string& why, int exit_code) {
    throw StartupError("data directory " + path + ": " + why, exit_code);
}

void require_usable(const std::string& path) {
    struct stat facts{};
    if (::stat(path.c_str(), &facts) != 0) fail(path, std::strerror(errno), EX_CANTCREAT);
    if (!S_ISDIR(facts.st_mode))
        fail(path, "is not a directory; give another --data-dir", EX_CANTCREAT);
    const bool open_to_others = (facts.st_mode & (S_IRWXG | S_IRWXO)) != 0;
    // One that was made by hand for the first start is closed; later, somebody opened it on
    // purpose.
    const bool fresh = ::access((path + "/rekey.db").c_str(), F_OK) != 0;
    if (open_to_others && !(fresh && ::chmod(path.c_str(), S_IRWXU) == 0)) {
        fail(path, "others can open it, and it holds keys; close it with: chmod 700 " + path,
             EX_NOPERM);
    }
    if (::access(path.c_str(), W_OK | X_OK) != 0) {
        fail(path,
             "this user cannot write there; run rekeyd as its owner, or give another "
             "--data-dir",
             EX_CANTCREAT);
    }
}

// A start that finds no database makes one; in a directory that was in use, that would be a server
// which knows none of its agents, under a new CA.
void require_database_if_used(const DataDirectory& directory) {
    struct stat facts{};
    const std::string database = directory.database();
    const bool there = ::stat(database.c_str(), &facts) == 0;
    if (there && facts.st_size > 0) return;
    if (!there && errno != ENOENT) fail(database, std::strerror(errno), EX_IOERR);
    // Written only after the database holds what they belong to.
    for (const std::string& left : {directory.admin_key(), directory.ca_certificate()}) {
        if (::access(left.c_str(), F_OK) != 0) continue;
        throw StartupError(
            fmt::format("{} is {}, and this directory was in use: restore it from a backup; or, to "
                        "begin anew and enroll every agent again, move {} away",
                        database, there ? "empty" : "not there", left),
            EX_DATAERR);
    }
}

}  // namespace

DataDirectory DataDirectory::open(const std::string& path) {
    if (const auto made = make_private_directory(path); made.has_error()) {
        fail(path, made.error().message() + "; give another --data-dir, or make it writable",
             EX_CANTCREAT);
    }
    require_usable(path);
    auto lock = FileLock::acquire(path + "/lock");
    if (lock.has_error()) {
        const bool held = lock.error().code() == Code::conflict;
        fail(path,
             held ? "another rekeyd is using it: " + lock.error().message() +
                        "; stop that one, or give another --data-dir"
                  : lock.error().message(),
             held ? EX_TEMPFAIL : EX_CANTCREAT);
    }
    DataDirectory directory(path, *std::move(lock));
    require_database_if_used(directory);
    return directory;
}

}  // namespace rekey::server::bootstrap
