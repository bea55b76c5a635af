#pragma once

#include "base/result.hpp"

#include <boost/json/object.hpp>

#include <cstdint>
#include <string_view>

namespace rekey::agent::detect {

// What a client writes its configuration in.
enum class Format : std::uint8_t { json, toml, yaml };

// The text as an object, whatever it was written in, at most limits::kJsonDepth deep. `parse_error`
// says why it is none, without a word of the text, which may hold secrets. Nothing is thrown.
[[nodiscard]] Result<boost::json::object> parse_config(Format format, std::string_view text);

// JSON with comments and trailing commas, which most clients allow.
[[nodiscard]] Result<boost::json::object> parse_json_config(std::string_view text);

// TOML 1.0; dates and times are left out.
[[nodiscard]] Result<boost::json::object> parse_toml_config(std::string_view text);

// The first document of a YAML stream. Plain true and false are booleans, all other scalars texts.
// An alias is null and a merge key ("<<") a name like another: nothing is ever copied, so that a
// small text stays small. No document at all is an empty object.
[[nodiscard]] Result<boost::json::object> parse_yaml_config(std::string_view text);

}  // namespace rekey::agent::detect
