#include "storage/sqlite/files_in_place.hpp"

#include <sys/stat.h>

namespace rekey::storage::sqlite {

FilesInPlace::FilesInPlace(const std::string& database)
    : files_{File{.path = database}, File{.path = database + "-wal"}} {
    for (File& file : files_) {
        struct stat facts{};
        if (::stat(file.path.c_str(), &facts) != 0) continue;
        file.device = facts.st_dev;
        file.inode = facts.st_ino;
    }
}

Result<> FilesInPlace::check() const {
    for (const File& file : files_) {
        struct stat facts{};
        if (::stat(file.path.c_str(), &facts) != 0)
            return Error(Code::unavailable,
                         file.path + " is not in its place any more; put it back");
        if (facts.st_dev != file.device || facts.st_ino != file.inode)
            return Error(Code::unavailable,
                         file.path +
                             " is another file than the one in use; put that one back, or "
                             "restart rekeyd");
    }
    return {};
}

}  // namespace rekey::storage::sqlite
