#pragma once

#include "base/log.hpp"
#include "server/revocation/journal.hpp"

#include <condition_variable>
#include <cstdint>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <string_view>
#include <thread>
#include <unordered_map>
#include <vector>

namespace rekey::server::revocation {

// One line, with its newline: "v1 <RFC 3339> <agent id> <actor> <sum>\n", where sum is the first 16
// hex digits of the SHA-256 of all before it, its space included; "v1-deleted" for End::deleted.
[[nodiscard]] std::string revocation_line(const Revocation& revocation);
// Nothing for anything else, a line without its newline too.
[[nodiscard]] std::optional<Revocation> read_revocation_line(std::string_view line);

// The file DIR/revocations. One thread of its own appends what waits and syncs it once. Bounded: a
// line an agent, and limits::kRevocationJournalBytes.
class FileJournal final : public RevocationJournal {
  public:
    // Makes the file if it is not there. What a crash left of a last line is cut off; a line that
    // is damaged elsewhere is logged and left alone, and the others count. Throws StartupError when
    // the file cannot be read or made. `log` outlives the journal.
    [[nodiscard]] static std::unique_ptr<FileJournal> open(const std::string& path, const Log& log);
    ~FileJournal() override;

    [[nodiscard]] const std::vector<Revocation>& found() const override { return found_; }
    [[nodiscard]] bool holds(std::string_view agent_id) const override;
    void append(Revocation revocation, Done done) override;

  private:
    struct Waiting {
        Revocation revocation;
        Done done;
    };

    FileJournal(std::string path, const Log& log, int descriptor, std::uint64_t length,
                std::vector<Revocation> found);
    void run();
    [[nodiscard]] Result<> write(const std::vector<Waiting>& batch);
    [[nodiscard]] Result<> write_text(const std::string& text);

    std::string path_;
    const Log& log_;
    int descriptor_;
    std::uint64_t length_;  // of what is known to be good; the thread's own
    std::vector<Revocation> owed_;
    std::vector<Revocation> found_;

    mutable std::mutex mutex_;
    std::condition_variable wake_;
    std::vector<Waiting> queue_;
    std::unordered_map<std::string, End> held_;
    bool stopping_ = false;
    std::thread thread_;
};

}  // namespace rekey::server::revocation
