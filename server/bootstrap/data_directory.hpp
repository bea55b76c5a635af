#pragma once

#include "base/durable_file.hpp"

#include <string>

namespace rekey::server::bootstrap {

// Everything that rekeyd keeps, in one directory of mode 0700, held by one process at a time.
class DataDirectory {
  public:
    // Makes it if it is not there, and locks it. Throws StartupError with the way out: it cannot be
    // made or written, others can read it, another rekeyd holds it, or it was in use and its
    // database is gone.
    [[nodiscard]] static DataDirectory open(const std::string& path);

    [[nodiscard]] const std::string& path() const { return path_; }
    [[nodiscard]] std::string database() const { return path_ + "/rekey.db"; }
    [[nodiscard]] std::string master_key() const { return path_ + "/master.key"; }
    [[nodiscard]] std::string ca_certificate() const { return path_ + "/ca.pem"; }
    [[nodiscard]] std::string admin_key() const { return path_ + "/admin.key"; }
    // Revocations beside the database (server/revocation).
    [[nodiscard]] std::string revocations() const { return path_ + "/revocations"; }
    // HOST:PORT that the running rekeyd listens on, for tools on the same machine.
    [[nodiscard]] std::string listen() const { return path_ + "/listen"; }

  private:
    DataDirectory(std::string path, FileLock lock)
        : path_(std::move(path)), lock_(std::move(lock)) {}
    std::string path_;
    FileLock lock_;
};

}  // namespace rekey::server::bootstrap
