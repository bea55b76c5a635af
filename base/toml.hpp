#pragma once

#include "base/result.hpp"

#include <boost/json/object.hpp>

#include <string>
#include <string_view>

namespace rekey {

// TOML 1.0 as JSON: tables, arrays, texts, numbers and booleans; a date or time is null. At most
// limits::kJsonDepth deep. `parse_error` for anything else; with details {line}, counted from 1,
// the message is the parser's and may quote the text. Nothing is thrown, whatever the text is.
[[nodiscard]] Result<boost::json::object> parse_toml(std::string_view text);

// The line that such an error tells, as a text; empty if it tells none.
[[nodiscard]] std::string toml_line(const Error& error);

}  // namespace rekey
