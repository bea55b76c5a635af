#pragma once

#include "keys/key_record.hpp"

#include <chrono>

// How the versions of a key change: pure, over the record. Whatever returns an error has changed
// nothing. Errors: wrong_state, with details.not_before where time alone is missing; not_found for
// a version that never was; invalid_params.
namespace rekey::keys {

// A version without its secret yet; the caller seals that for the number it has and puts it in. Its
// number is taken for good. `wrong_state` over limits::kKeyVersions.
[[nodiscard]] Result<KeyVersionRecord*> add_version(KeyRecord& record, KeyState state, Time now);

// When a rotation may put a version to work that others must know first.
enum class RotateRule : std::uint8_t {
    when_published,  // after limits::kPublicationLead in the JWK set: no verifier fails
    at_once,         // the active one is no longer to be trusted: verifiers may fail until they
                     // read the set again
};

// The pre-published version becomes active, the active one retiring. Of a key that has no
// pre-published one `version` is one that add_version made just now.
[[nodiscard]] Result<> activate(KeyRecord& record, std::uint64_t version, RotateRule rule,
                                Time now);

// Of no use from now on, gone after `delay` (7 to 30 days). An active version is refused: rotate
// first. Scheduled already: `wrong_state`.
[[nodiscard]] Result<> schedule_destruction(KeyRecord& record, std::uint64_t version,
                                            std::chrono::days delay, Time now);
[[nodiscard]] Result<> cancel_destruction(KeyRecord& record, std::uint64_t version);
// The numbers of those that were due; their secrets are out of the record.
[[nodiscard]] std::vector<std::uint64_t> destroy_due(KeyRecord& record, Time now);

}  // namespace rekey::keys
