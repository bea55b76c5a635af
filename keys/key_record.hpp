#pragma once

#include "base/clock.hpp"
#include "base/encoding.hpp"
#include "base/result.hpp"
#include "keys/key_spec.hpp"

#include <boost/json/object.hpp>

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

// What a provider keeps of its keys, and the interface behind which somebody else stores it: keys/
// does no I/O.
namespace rekey::keys {

// docs/adr/0008: forwards only, and one version at a time is active.
enum class KeyState : std::uint8_t {
    pre_published,  // others may learn it; nothing is signed with it yet
    active,         // signs, encrypts
    retiring,       // verifies and decrypts what was made before
    destroyed,      // the secret is gone; the public half stays, for what was signed with it
};
[[nodiscard]] std::string_view name_of(KeyState state);
[[nodiscard]] std::optional<KeyState> state_named(std::string_view name);

struct KeyVersionRecord {
    std::uint64_t version = 0;
    KeyState state = KeyState::pre_published;
    Bytes public_key;                    // SubjectPublicKeyInfo in DER; empty: a symmetric key
    std::optional<Bytes> sealed_secret;  // seal.hpp; absent: destroyed
    Time created_at{};
    std::optional<Time> activated_at;
    std::optional<Time> retired_at;
    std::optional<Time> destroy_at;  // scheduled: of no use until that is cancelled
    std::optional<Time> destroyed_at;

    // May be used and is shown to verifiers.
    [[nodiscard]] bool usable() const { return state != KeyState::destroyed && !destroy_at; }
    friend bool operator==(const KeyVersionRecord&, const KeyVersionRecord&) = default;
};

struct KeyRecord {
    std::string kid;  // UUIDv7
    KeySpec spec;
    ExportPolicy policy = ExportPolicy::never;
    std::uint64_t next_version = 1;  // numbers are never given twice
    std::uint64_t row_version = 0;   // compare-and-swap; 0: not stored yet
    Time created_at{};
    std::vector<KeyVersionRecord> versions;  // by number

    [[nodiscard]] const KeyVersionRecord* find(std::uint64_t version) const;
    [[nodiscard]] const KeyVersionRecord* in_state(KeyState state) const;  // the newest, or null
};

// Who asked for a change, for the audit.
struct Initiator {
    std::string actor = "system";  // or an agent's id
    boost::json::object origin;    // where the call came from; joins the row's details
};

struct KeyChange {
    std::string_view action;  // "signing_key.created", ".imported", ".published", ".rotated", ...
    std::vector<std::uint64_t> versions;  // that it touched
    Initiator by;
};

// Where records live. Blocks until what it answers is durable. Errors: not_found, conflict (another
// change came first), unavailable, corrupt.
class KeyRecords {
  public:
    virtual ~KeyRecords() = default;
    [[nodiscard]] virtual Result<KeyRecord> load(std::string_view kid) = 0;
    [[nodiscard]] virtual Result<std::vector<KeyRecord>> load_all() = 0;
    // The key and all its versions, and the row that says so in the audit, or nothing of them: if
    // row_version is still the stored one, which grows by one in both.
    [[nodiscard]] virtual Result<> save(KeyRecord& record, const KeyChange& change) = 0;
};

}  // namespace rekey::keys
