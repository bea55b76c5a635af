#pragma once

#include <boost/json/value.hpp>

#include <string>

namespace rekey::cli {

// JSON over several lines, two spaces a level, members in the order in which they came, and a
// newline at the end. Nothing is left out, added or renamed; empty objects and arrays stay on one
// line.
[[nodiscard]] std::string pretty_json(const boost::json::value& value);

}  // namespace rekey::cli
