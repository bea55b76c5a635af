#pragma once

#include "base/clock.hpp"
#include "base/code.hpp"
#include "base/log.hpp"
#include "storage/store.hpp"

#include <cstdint>
#include <map>
#include <memory>
#include <mutex>
#include <string>
#include <string_view>
#include <tuple>
#include <vector>

namespace rekey::server::rpc {

// Where somebody wanted to come in.
enum class EntryDoor : std::uint8_t { agent, admin, token, enroll, recover };
[[nodiscard]] std::string_view name_of(EntryDoor door);

// The id that a credential claims, whoever shows it: of an agent token, API key or enrollment code
// that is well-formed (its checksum fits); empty for anything else, so that nothing a stranger made
// up, and no piece of a secret, comes into the audit.
[[nodiscard]] std::string claimed_id(std::string_view credential);

// Refused authentications in aggregate: an attempt costs a look-up in memory, never a write. One
// audit row `auth.refused` for each door, address (IPv6 by its /64), claimed id and outcome,
// written by flush(); at most limits::kRefusalsRemembered of them, all others in one more
// (docs/audit.md). note() is safe from any thread.
class RefusedAuthentications {
  public:
    struct Parts {
        storage::Store& store;
        const Clock& clock;
        const Log& log;
    };
    explicit RefusedAuthentications(Parts parts) : parts_(parts) {}

    struct Attempt {
        EntryDoor door = EntryDoor::admin;
        std::string_view address;     // without the port
        std::string_view claimed_id;  // kept if it looks like one: a UUID
        Code outcome = Code::unknown_credential;
    };
    // Ignored if `outcome` says nothing about the credential (`unavailable`, for example).
    void note(const Attempt& attempt);

    // What was noted since the last time, oldest first.
    [[nodiscard]] std::vector<storage::AuditEvent> take();
    // Hands take() to the store, in one transaction; nobody waits for it.
    void flush();

    // Flushes every limits::kRefusalsFlush on the thread of `timers`, until stop().
    void start(Timers& timers);
    void stop() { timer_.reset(); }

  private:
    struct Count {
        Time first{};
        Time last{};
        std::uint64_t times = 0;
        void add(Time now);
    };
    using Key = std::tuple<EntryDoor, std::string, std::string, Code>;  // address, claimed id

    Parts parts_;
    std::mutex mutex_;
    std::map<Key, Count> counts_;
    Count others_;
    std::unique_ptr<Timers::Handle> timer_;
};

}  // namespace rekey::server::rpc
