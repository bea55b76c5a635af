#pragma once

#include "base/clock.hpp"
#include "server/revocation/journal.hpp"

#include <algorithm>
#include <functional>
#include <string_view>
#include <utility>
#include <vector>

namespace rekey::simulation {

// The revocations' file on the server's machine: what is in it outlives the process.
using RevocationFile = std::vector<server::revocation::Revocation>;

// One process's hold of it. What waits for the disk when the process dies was never answered.
class VirtualJournal final : public server::revocation::RevocationJournal {
  public:
    // Calls back after the disk has taken its time, unless the process is gone by then.
    using Disk = std::function<void(std::function<void()>)>;

    VirtualJournal(RevocationFile& file, Disk disk)
        : file_(file), found_(file), disk_(std::move(disk)) {}

    [[nodiscard]] const std::vector<server::revocation::Revocation>& found() const override {
        return found_;
    }
    [[nodiscard]] bool holds(std::string_view agent_id) const override {
        return std::ranges::any_of(file_,
                                   [&](const auto& line) { return line.agent_id == agent_id; });
    }
    void append(server::revocation::Revocation revocation, Done done) override {
        disk_([this, revocation = std::move(revocation), done = std::move(done)] {
            if (!holds(revocation.agent_id)) file_.push_back(revocation);
            done({});
        });
    }

  private:
    RevocationFile& file_;
    RevocationFile found_;
    Disk disk_;
};

}  // namespace rekey::simulation
