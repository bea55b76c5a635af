#pragma once

#include "base/durable_file.hpp"
#include "base/result.hpp"
#include "base/secret.hpp"

#include <optional>
#include <string>

namespace rekey::agent {

// One small private file, as the agent's logic sees it; a simulation gives one that tears, fills up
// and lies. Calls block. One thread.
class Disk {
  public:
    virtual ~Disk() = default;

    // For messages: the path.
    [[nodiscard]] virtual std::string name() const = 0;
    // The whole content. `not_found` if there is none, `permission_denied` if others can read it
    // (with the command that mends it), `unavailable` for an I/O error.
    [[nodiscard]] virtual Result<Secret> read() = 0;
    // Replaces the content so that a crash leaves the old or the new (base/durable_file.hpp).
    // Nothing on success.
    [[nodiscard]] virtual std::optional<WriteFailure> write(const Secret& content) = 0;
    // Makes durable what read() finds; needs no space. `not_found`, `unavailable`.
    [[nodiscard]] virtual Result<> sync() = 0;
    // Gone, or was never there.
    [[nodiscard]] virtual Result<> remove() = 0;
};

class FileDisk final : public Disk {
  public:
    explicit FileDisk(std::string path) : path_(std::move(path)) {}
    [[nodiscard]] std::string name() const override { return path_; }
    [[nodiscard]] Result<Secret> read() override;
    [[nodiscard]] std::optional<WriteFailure> write(const Secret& content) override;
    [[nodiscard]] Result<> sync() override;
    [[nodiscard]] Result<> remove() override;

  private:
    std::string path_;
};

// For simulated agents: content in memory, writes always succeed. Its content survives the agent
// that used it, not the process.
class MemoryDisk final : public Disk {
  public:
    [[nodiscard]] std::string name() const override { return "memory"; }
    [[nodiscard]] Result<Secret> read() override;
    [[nodiscard]] std::optional<WriteFailure> write(const Secret& content) override;
    [[nodiscard]] Result<> sync() override;
    [[nodiscard]] Result<> remove() override;

  private:
    std::optional<Secret> content_;
};

}  // namespace rekey::agent
