#pragma once

#include "base/result.hpp"

#include <boost/json/object.hpp>

#include <cstddef>
#include <string_view>

namespace rekey::keys {

// One JSON object (RFC 8259) and nothing else, as keys and signed tokens need it: a name that comes
// twice, at any depth and however it is escaped, is refused (RFC 7515, section 4; RFC 7517, section
// 4), because two readers could take two different values from it. Errors: parse_error, also for
// more than `max_bytes`, deeper than limits::kJsonDepth, what is not UTF-8, and a number beyond
// double. No error holds a byte of the text. Never throws.
[[nodiscard]] Result<boost::json::object> parse_strict_object(std::string_view text,
                                                              std::size_t max_bytes);

// The string member `name`: empty view if absent; parse_error if it is there and no string.
[[nodiscard]] Result<std::string_view> optional_string(const boost::json::object& object,
                                                       std::string_view name);

}  // namespace rekey::keys
