#pragma once

#include "base/clock.hpp"
#include "base/random.hpp"

#include <string>
#include <string_view>

namespace rekey {

// UUIDv7 in its text form (RFC 9562, section 5.7): sorts by the time it was made.
[[nodiscard]] std::string make_uuid_v7(const Clock& clock, Random& random);
// Any UUID in lower-case text form, 36 characters.
[[nodiscard]] bool is_uuid(std::string_view text);

}  // namespace rekey
