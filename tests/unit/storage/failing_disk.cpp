#include "tests/unit/storage/failing_disk.hpp"

#include <sqlite3.h>

#include <stdexcept>
#include <unistd.h>

namespace rekey::storage::testing {
namespace {

// SQLite's C interface hands no context to a file's methods: the one disk in use.
FailingDisk* the_disk = nullptr;
sqlite3_vfs* the_system = nullptr;
sqlite3_vfs failing_vfs{};

// Behind it lies the system's own file object.
struct File {
    sqlite3_file base;
    [[nodiscard]] sqlite3_file* real() { return reinterpret_cast<sqlite3_file*>(this + 1); }
};

sqlite3_file* real(sqlite3_file* file) { return reinterpret_cast<File*>(file)->real(); }

int close_file(sqlite3_file* file) { return real(file)->pMethods->xClose(real(file)); }
int read_file(sqlite3_file* file, void* into, int size, sqlite3_int64 at) {
    return real(file)->pMethods->xRead(real(file), into, size, at);
}
int write_file(sqlite3_file* file, const void* from, int size, sqlite3_int64 at) {
    if (the_disk->die_at_write == 1) ::_exit(9);
    if (the_disk->die_at_write > 0) --the_disk->die_at_write;
    if (the_disk->full) return SQLITE_FULL;
    return real(file)->pMethods->xWrite(real(file), from, size, at);
}
int truncate_file(sqlite3_file* file, sqlite3_int64 size) {
    return real(file)->pMethods->xTruncate(real(file), size);
}
int sync_file(sqlite3_file* file, int flags) {
    if (the_disk->syncs_fail) return SQLITE_IOERR_FSYNC;
    return real(file)->pMethods->xSync(real(file), flags);
}
int file_size(sqlite3_file* file, sqlite3_int64* size) {
    return real(file)->pMethods->xFileSize(real(file), size);
}
int lock_file(sqlite3_file* file, int level) {
    return real(file)->pMethods->xLock(real(file), level);
}
int unlock_file(sqlite3_file* file, int level) {
    return real(file)->pMethods->xUnlock(real(file), level);
}
int check_lock(sqlite3_file* file, int* held) {
    return real(file)->pMethods->xCheckReservedLock(real(file), held);
}
int control_file(sqlite3_file* file, int operation, void* argument) {
    return real(file)->pMethods->xFileControl(real(file), operation, argument);
}
int sector_size(sqlite3_file* file) { return real(file)->pMethods->xSectorSize(real(file)); }
int characteristics(sqlite3_file* file) {
    return real(file)->pMethods->xDeviceCharacteristics(real(file));
}
int map_memory(sqlite3_file* file, int page, int size, int extend, void volatile** memory) {
    return real(file)->pMethods->xShmMap(real(file), page, size, extend, memory);
}
int lock_memory(sqlite3_file* file, int offset, int count, int flags) {
    return real(file)->pMethods->xShmLock(real(file), offset, count, flags);
}
void memory_barrier(sqlite3_file* file) { real(file)->pMethods->xShmBarrier(real(file)); }
int unmap_memory(sqlite3_file* file, int remove) {
    return real(file)->pMethods->xShmUnmap(real(file), remove);
}

// Version 2: with shared memory, which a write-ahead log needs, without memory-mapped reads.
constexpr sqlite3_io_methods kMethods = {
    2,
    close_file,
    read_file,
    write_file,
    truncate_file,
    sync_file,
    file_size,
    lock_file,
    unlock_file,
    check_lock,
    control_file,
    sector_size,
    characteristics,
    map_memory,
    lock_memory,
    memory_barrier,
    unmap_memory,
    nullptr,
    nullptr,
};

int open_file(sqlite3_vfs*, sqlite3_filename name, sqlite3_file* file, int flags, int* out) {
    auto* const mine = reinterpret_cast<File*>(file);
    const int result = the_system->xOpen(the_system, name, mine->real(), flags, out);
    mine->base.pMethods = mine->real()->pMethods != nullptr ? &kMethods : nullptr;
    return result;
}

}  // namespace

FailingDisk::FailingDisk() {
    the_disk = this;
    the_system = sqlite3_vfs_find(nullptr);
    failing_vfs = *the_system;
    failing_vfs.pNext = nullptr;
    failing_vfs.szOsFile += static_cast<int>(sizeof(File));
    failing_vfs.zName = "rekey-failing-disk";
    failing_vfs.xOpen = open_file;
    if (sqlite3_vfs_register(&failing_vfs, 0) != SQLITE_OK)
        throw std::runtime_error("cannot register the failing disk");
}

FailingDisk::~FailingDisk() {
    sqlite3_vfs_unregister(&failing_vfs);
    the_disk = nullptr;
}

}  // namespace rekey::storage::testing
