#include "base/durable_file.hpp"

#include "base/fail_point.hpp"

#include <cerrno>
#include <cstring>
#include <fcntl.h>
#include <filesystem>
#include <sys/file.h>
#include <sys/stat.h>
#include <system_error>
#include <unistd.h>
#include <utility>

namespace rekey {

using fail_point::FileStep;

namespace {

std::string system_message(int number) { return std::generic_category().message(number); }

// A file descriptor that closes itself.
class Descriptor {
  public:
    explicit Descriptor(int number) : number_(number) {}
    Descriptor(const Descriptor&) = delete;
    Descriptor& operator=(const Descriptor&) = delete;
    ~Descriptor() {
        if (number_ >= 0) ::close(number_);
    }
    [[nodiscard]] int get() const { return number_; }
    [[nodiscard]] bool open() const { return number_ >= 0; }

  private:
    int number_;
};

bool write_all(int descriptor, std::string_view content) {
    while (!content.empty()) {
        const ssize_t written = ::write(descriptor, content.data(), content.size());
        if (written < 0 && errno == EINTR) continue;
        if (written < 0) return false;
        content.remove_prefix(static_cast<std::size_t>(written));
    }
    return true;
}

std::string directory_of(const std::string& path) {
    const std::string parent = std::filesystem::path(path).parent_path().string();
    return parent.empty() ? "." : parent;
}

WriteFailure failure(WriteStage stage, const char* call, const std::string& path) {
    const int number = errno;
    return {stage, number, std::string(call) + " " + path + ": " + system_message(number)};
}

}  // namespace

std::optional<WriteFailure> write_durably(const std::string& path, std::string_view content) {
    // The name is fixed, not random: a crash leaves one file that the next write replaces, not a
    // growing heap.
    const std::string temporary = path + ".tmp";
    ::unlink(temporary.c_str());
    {
        const Descriptor file(
            ::open(temporary.c_str(), O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC | O_NOFOLLOW, 0600));
        const char* failed = nullptr;
        if (!file.open()) return failure(WriteStage::before_rename, "create", temporary);
        fail_point::reached(FileStep::create, path);
        if (!write_all(file.get(), content))
            failed = "write";
        else if (fail_point::reached(FileStep::write, path); ::fsync(file.get()) != 0)
            failed = "fsync";
        else if (fail_point::reached(FileStep::fsync, path);
                 ::rename(temporary.c_str(), path.c_str()) != 0)
            failed = "rename";
        if (failed != nullptr) {
            WriteFailure result = failure(WriteStage::before_rename, failed, temporary);
            ::unlink(temporary.c_str());
            return result;
        }
    }
    fail_point::reached(FileStep::rename, path);
    const std::string directory = directory_of(path);
    const Descriptor parent(::open(directory.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC));
    if (!parent.open()) return failure(WriteStage::after_rename, "open", directory);
    if (::fsync(parent.get()) != 0) return failure(WriteStage::after_rename, "fsync", directory);
    fail_point::reached(FileStep::directory_fsync, path);
    return std::nullopt;
}

Result<> sync_durably(const std::string& path) {
    const auto sync = [](const std::string& what, int flags) -> Result<> {
        const Descriptor opened(::open(what.c_str(), O_RDONLY | O_CLOEXEC | flags));
        const int number = opened.open() && ::fsync(opened.get()) == 0 ? 0 : errno;
        if (number == 0) return {};
        return Error(number == ENOENT ? Code::not_found : Code::unavailable,
                     "cannot sync " + what + ": " + system_message(number));
    };
    REKEY_TRY(sync(path, 0));
    fail_point::reached(FileStep::fsync_again, path);
    REKEY_TRY(sync(directory_of(path), O_DIRECTORY));
    fail_point::reached(FileStep::directory_fsync_again, path);
    return {};
}

Result<std::string> read_file(const std::string& path, std::size_t max_bytes) {
    const Descriptor file(::open(path.c_str(), O_RDONLY | O_CLOEXEC));
    if (!file.open()) {
        const int number = errno;
        return Error(number == ENOENT ? Code::not_found : Code::unavailable,
                     "cannot open " + path + ": " + system_message(number));
    }
    std::string content;
    char buffer[4096];
    for (;;) {
        const ssize_t got = ::read(file.get(), buffer, sizeof buffer);
        if (got < 0 && errno == EINTR) continue;
        if (got < 0)
            return Error(Code::unavailable, "cannot read " + path + ": " + system_message(errno));
        if (got == 0) return content;
        content.append(buffer, static_cast<std::size_t>(got));
        if (content.size() > max_bytes)
            return Error(Code::invalid_params,
                         path + " is larger than " + std::to_string(max_bytes) + " bytes");
    }
}

Result<> require_private(const std::string& path) {
    struct stat status{};
    if (::stat(path.c_str(), &status) != 0)
        return Error(errno == ENOENT ? Code::not_found : Code::unavailable,
                     "cannot look at " + path + ": " + system_message(errno));
    if ((status.st_mode & (S_IRWXG | S_IRWXO)) != 0)
        return Error(Code::permission_denied,
                     path + " can be read by others; make it private with: chmod 600 " + path);
    return {};
}

Result<> make_private_directory(const std::string& wanted) {
    std::error_code error;
    // "a/b/" has the parent "a/b", which would then be made with the parents' mode.
    std::string path = wanted;
    while (path.size() > 1 && path.back() == '/') path.pop_back();
    const std::filesystem::path parent = std::filesystem::path(path).parent_path();
    if (!parent.empty()) std::filesystem::create_directories(parent, error);
    if (!error && ::mkdir(path.c_str(), 0700) != 0 && errno != EEXIST)
        error = std::error_code(errno, std::generic_category());
    if (!error && !std::filesystem::is_directory(path, error) && !error)
        error = std::make_error_code(std::errc::not_a_directory);
    if (error)
        return Error(Code::unavailable, "cannot make directory " + path + ": " + error.message());
    return {};
}

FileLock::FileLock(FileLock&& other) noexcept : descriptor_(std::exchange(other.descriptor_, -1)) {}

FileLock& FileLock::operator=(FileLock&& other) noexcept {
    std::swap(descriptor_, other.descriptor_);
    return *this;
}

FileLock::~FileLock() {
    if (descriptor_ >= 0) ::close(descriptor_);
}

Result<FileLock> FileLock::acquire(const std::string& path) {
    int descriptor = ::open(path.c_str(), O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0600);
    // A file that is there can be locked without being written.
    if (descriptor < 0 && errno == EROFS)
        descriptor = ::open(path.c_str(), O_RDONLY | O_CLOEXEC | O_NOFOLLOW);
    if (descriptor < 0)
        return Error(Code::unavailable, "cannot open lock " + path + ": " + system_message(errno));
    FileLock lock(descriptor);
    if (::flock(descriptor, LOCK_EX | LOCK_NB) != 0) {
        if (errno != EWOULDBLOCK)
            return Error(Code::unavailable, "cannot lock " + path + ": " + system_message(errno));
        char owner[16] = {};
        long pid = 0;
        if (::pread(descriptor, owner, sizeof owner - 1, 0) > 0)
            pid = std::strtol(owner, nullptr, 10);
        const std::string message = path + " is held by another process";
        if (pid <= 0) return Error(Code::conflict, message);
        return Error(Code::conflict, message + " (pid " + std::to_string(pid) + ")")
            .with("pid", pid);
    }
    // Whose it is serves people; the lock holds without, and a full disk must not end a program
    // that has all it needs. Written over what is there, which needs no room.
    const std::string owner = std::to_string(::getpid()) + "\n";
    const ssize_t written = ::pwrite(descriptor, owner.data(), owner.size(), 0);
    const int cut = ::ftruncate(descriptor, written < 0 ? 0 : written);
    static_cast<void>(cut);
    return lock;
}

}  // namespace rekey
