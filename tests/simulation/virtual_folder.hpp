#pragma once

#include "agent/disk.hpp"
#include "tests/simulation/weather.hpp"

#include <cstdint>
#include <functional>
#include <map>
#include <optional>
#include <string>
#include <vector>

namespace rekey::simulation {

// The steps of base/durable_file.cpp: write_durably() passes through all of them in this order.
enum class DiskStep : std::uint8_t { create, write, sync_file, rename, sync_folder, read };
[[nodiscard]] std::string_view to_string(DiskStep step);

// A disk that says that it has synced, and has not: what hardware and hypervisors have done.
enum class Syncs : std::uint8_t { honest, forgotten };

// One directory as a process sees it (the page cache) and as a loss of power would leave it. A
// rename whose directory was not synced may be found or not, each for itself.
class VirtualFolder {
  public:
    using Content = std::optional<std::string>;  // none: no such file
    // Asked before each step: 0, or the errno that it fails with. May throw, which is the death of
    // the process at this very point.
    using Hazard = std::function<int(DiskStep)>;

    VirtualFolder(Syncs syncs, Hazard hazard) : syncs_(syncs), hazard_(std::move(hazard)) {}

    [[nodiscard]] Result<Secret> read(const std::string& name);
    [[nodiscard]] std::optional<WriteFailure> write(const std::string& name,
                                                    std::string_view content);
    [[nodiscard]] Result<> sync(const std::string& name);
    void remove(const std::string& name);

    [[nodiscard]] Content visible(const std::string& name) const;
    // What may be found after a loss of power at this moment; at least one.
    [[nodiscard]] std::vector<Content> outcomes(const std::string& name) const;
    void lose_power(Dice& dice);
    // All of it, as a snapshot of the machine has it; and back to that, all of it synced. Nobody
    // works on it.
    using Snapshot = std::map<std::string, Content>;
    [[nodiscard]] Snapshot snapshot() const;
    void roll_back(const Snapshot& snapshot);

    std::function<void()> on_change;  // of either view

  private:
    struct File {
        Content visible;
        Content durable;
        std::vector<Content> unsynced;  // renames and removals since, in order
    };
    void sync_folder();
    void changed() const {
        if (on_change) on_change();
    }
    [[nodiscard]] std::vector<Content> outcomes(const File& file) const;

    Syncs syncs_;
    Hazard hazard_;
    std::map<std::string, File> files_;
};

// One file of it, as the agent's logic sees it.
class VirtualDisk final : public agent::Disk {
  public:
    VirtualDisk(VirtualFolder& folder, std::string name)
        : folder_(folder), name_(std::move(name)) {}
    [[nodiscard]] std::string name() const override { return name_; }
    [[nodiscard]] Result<Secret> read() override;
    [[nodiscard]] std::optional<WriteFailure> write(const Secret& content) override;
    [[nodiscard]] Result<> sync() override { return folder_.sync(name_); }
    [[nodiscard]] Result<> remove() override;

    // Asked at the read after a write; true: it finds something else than what was written.
    std::function<bool()> readback_differs;

  private:
    VirtualFolder& folder_;
    std::string name_;
    bool just_written_ = false;
};

}  // namespace rekey::simulation
