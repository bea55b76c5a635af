// Preloaded into a daemon: its file calls fail as the plan says (fault_plan.hpp), and go to the C
// library otherwise. No state of its own but the mapped plan: which file a descriptor names is
// asked of /proc, and only for a call that a rule is about.
#include "tests/disk/fault_plan.hpp"

#include <cerrno>
#include <cstdarg>
#include <cstdlib>
#include <cstring>
#include <dlfcn.h>
#include <fcntl.h>
#include <string_view>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <sys/types.h>
#include <unistd.h>

namespace {

using namespace rekey::testing::faults;

// By system call: the functions of this file are not usable before they are ready.
Plan* map_plan() {
    const char* path = std::getenv(kPlanVariable);
    if (path == nullptr) return nullptr;
    const long descriptor = ::syscall(SYS_openat, AT_FDCWD, path, O_RDWR | O_CLOEXEC, 0);
    if (descriptor < 0) return nullptr;
    void* memory = ::mmap(nullptr, sizeof(Plan), PROT_READ | PROT_WRITE, MAP_SHARED,
                          static_cast<int>(descriptor), 0);
    ::syscall(SYS_close, descriptor);
    return memory == MAP_FAILED ? nullptr : static_cast<Plan*>(memory);
}

Plan* plan() {
    static Plan* const mapped = map_plan();
    return mapped;
}

template <class Function>
Function next(const char* name) {
    return reinterpret_cast<Function>(::dlsym(RTLD_NEXT, name));
}

struct ByPath {
    const char* path;
    [[nodiscard]] std::string_view get() const { return path == nullptr ? "" : path; }
};

struct ByDescriptor {
    explicit ByDescriptor(int number) : descriptor(number) {}
    [[nodiscard]] std::string_view get() {
        if (size < 0) {
            char link[32] = "/proc/self/fd/";
            char digits[12];
            int count = 0;
            for (int rest = descriptor; count == 0 || rest > 0; rest /= 10)
                digits[count++] = static_cast<char>('0' + rest % 10);
            char* end = link + std::strlen(link);
            while (count > 0) *end++ = digits[--count];
            *end = 0;
            const ssize_t got = ::readlink(link, text, sizeof text);
            size = got < 0 ? 0 : got;
        }
        return {text, static_cast<std::size_t>(size)};
    }
    int descriptor;
    ssize_t size = -1;
    char text[4096];
};

template <class Where>
Rule* broken(Call call, Where where) {
    if (plan() == nullptr) return nullptr;
    for (Rule& rule : plan()->rules) {
        if (rule.on.load(std::memory_order_acquire) == 0 || (rule.calls & call) == 0) continue;
        const std::string_view end(rule.path_end.data());
        const std::string_view path = where.get();
        if (path.size() < end.size() || path.substr(path.size() - end.size()) != end) continue;
        std::uint64_t left = rule.let_through.load();
        while (left > 0 && !rule.let_through.compare_exchange_weak(left, left - 1)) {
        }
        if (left > 0) continue;
        return &rule;
    }
    return nullptr;
}

// Whether the call fails, with errno set.
template <class Where>
bool fails(Call call, Where where) {
    const int kept = errno;
    Rule* rule = broken(call, where);
    errno = kept;
    if (rule == nullptr) return false;
    rule->hits.fetch_add(1);
    errno = rule->error;
    return true;
}

template <class Real>
ssize_t read_with(int descriptor, void* buffer, Real real) {
    const int kept = errno;
    Rule* rule = broken(kRead, ByDescriptor(descriptor));
    errno = kept;
    if (rule != nullptr && rule->error != kFlipByte) {
        rule->hits.fetch_add(1);
        errno = rule->error;
        return -1;
    }
    const ssize_t got = real();
    if (rule != nullptr && got > 0) {
        rule->hits.fetch_add(1);
        static_cast<char*>(buffer)[got / 2] ^= 1;
    }
    return got;
}

mode_t mode_of(int flags, va_list arguments) {
    return (flags & O_CREAT) != 0 || (flags & O_TMPFILE) == O_TMPFILE ? va_arg(arguments, mode_t)
                                                                      : 0;
}

}  // namespace

extern "C" {

#define FAULTY_OPEN(name)                                                     \
    int name(const char* path, int flags, ...) {                              \
        va_list arguments;                                                    \
        va_start(arguments, flags);                                           \
        const mode_t mode = mode_of(flags, arguments);                        \
        va_end(arguments);                                                    \
        if (fails(kOpen, ByPath{path})) return -1;                            \
        static const auto real = next<int (*)(const char*, int, ...)>(#name); \
        return real(path, flags, mode);                                       \
    }
FAULTY_OPEN(open)
FAULTY_OPEN(open64)

#define FAULTY_OPENAT(name)                                                        \
    int name(int directory, const char* path, int flags, ...) {                    \
        va_list arguments;                                                         \
        va_start(arguments, flags);                                                \
        const mode_t mode = mode_of(flags, arguments);                             \
        va_end(arguments);                                                         \
        if (fails(kOpen, ByPath{path})) return -1;                                 \
        static const auto real = next<int (*)(int, const char*, int, ...)>(#name); \
        return real(directory, path, flags, mode);                                 \
    }
FAULTY_OPENAT(openat)
FAULTY_OPENAT(openat64)

ssize_t read(int descriptor, void* buffer, size_t size) {
    static const auto real = next<ssize_t (*)(int, void*, size_t)>("read");
    return read_with(descriptor, buffer, [=] { return real(descriptor, buffer, size); });
}

#define FAULTY_PREAD(name, offset_type)                                                     \
    ssize_t name(int descriptor, void* buffer, size_t size, offset_type offset) {           \
        static const auto real = next<ssize_t (*)(int, void*, size_t, offset_type)>(#name); \
        return read_with(descriptor, buffer,                                                \
                         [=] { return real(descriptor, buffer, size, offset); });           \
    }
FAULTY_PREAD(pread, off_t)
FAULTY_PREAD(pread64, off64_t)

ssize_t write(int descriptor, const void* buffer, size_t size) {
    if (fails(kWrite, ByDescriptor(descriptor))) return -1;
    static const auto real = next<ssize_t (*)(int, const void*, size_t)>("write");
    return real(descriptor, buffer, size);
}

#define FAULTY_PWRITE(name, offset_type)                                                          \
    ssize_t name(int descriptor, const void* buffer, size_t size, offset_type offset) {           \
        if (fails(kPwrite, ByDescriptor(descriptor))) return -1;                                  \
        static const auto real = next<ssize_t (*)(int, const void*, size_t, offset_type)>(#name); \
        return real(descriptor, buffer, size, offset);                                            \
    }
FAULTY_PWRITE(pwrite, off_t)
FAULTY_PWRITE(pwrite64, off64_t)

int fsync(int descriptor) {
    if (fails(kFsync, ByDescriptor(descriptor))) return -1;
    static const auto real = next<int (*)(int)>("fsync");
    return real(descriptor);
}

int fdatasync(int descriptor) {
    if (fails(kFdatasync, ByDescriptor(descriptor))) return -1;
    static const auto real = next<int (*)(int)>("fdatasync");
    return real(descriptor);
}

int rename(const char* from, const char* to) noexcept {
    if (fails(kRename, ByPath{from})) return -1;
    static const auto real = next<int (*)(const char*, const char*)>("rename");
    return real(from, to);
}

#define FAULTY_TRUNCATE(name, offset_type)                               \
    int name(int descriptor, offset_type length) noexcept {              \
        if (fails(kTruncate, ByDescriptor(descriptor))) return -1;       \
        static const auto real = next<int (*)(int, offset_type)>(#name); \
        return real(descriptor, length);                                 \
    }
FAULTY_TRUNCATE(ftruncate, off_t)
FAULTY_TRUNCATE(ftruncate64, off64_t)

}  // extern "C"
