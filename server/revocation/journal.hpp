#pragma once

#include "base/clock.hpp"
#include "base/result.hpp"

#include <cstdint>
#include <functional>
#include <string>
#include <string_view>
#include <vector>

namespace rekey::server::revocation {

// A deleted agent is revoked first, and its row goes once that stands in the journal.
enum class End : std::uint8_t { revoked, deleted };

struct Revocation {
    std::string agent_id;
    Time revoked_at{};
    std::string actor;  // agent id of who revoked, or "system"
    End end = End::revoked;
    friend bool operator==(const Revocation&, const Revocation&) = default;
};

// Outside the database: what was revoked stays so when the database is restored from an older
// backup. Safe from any thread.
class RevocationJournal {
  public:
    using Done = std::function<void(Result<>)>;

    RevocationJournal() = default;
    virtual ~RevocationJournal() = default;
    RevocationJournal(const RevocationJournal&) = delete;
    RevocationJournal& operator=(const RevocationJournal&) = delete;

    // What it held when it was opened.
    [[nodiscard]] virtual const std::vector<Revocation>& found() const = 0;
    // Either end.
    [[nodiscard]] virtual bool holds(std::string_view agent_id) const = 0;

    // `done` is called once, on the journal's thread, when the revocation is durable; with success
    // as well if the agent stands there already, with this end or a later one. `unavailable` (full
    // disk, I/O): the journal is as before, and the revocation is tried again with whatever is
    // appended next.
    virtual void append(Revocation revocation, Done done) = 0;
};

}  // namespace rekey::server::revocation
