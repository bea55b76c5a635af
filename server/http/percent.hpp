#pragma once

#include "base/result.hpp"

#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

// The text inside a request's target (RFC 3986, sections 2.1 and 3.3), read strictly: what cannot
// be read in one way only is refused, not guessed.
namespace rekey::server::http {

// "%41b" -> "Ab". Empty for a % without two hexadecimal digits, for a control character (encoded or
// not) and for what is not UTF-8 afterwards.
[[nodiscard]] std::optional<std::string> percent_decoded(std::string_view text);

// "/agents/a%2Fb" -> {"agents", "a/b"}; "/" -> {""}. Split before it is decoded, so that an encoded
// slash is text. Empty as percent_decoded, and for a path that does not begin with a slash.
[[nodiscard]] std::optional<std::vector<std::string>> path_segments(std::string_view path);

// "a=1&b=x+y" -> {{"a","1"},{"b","x y"}} (application/x-www-form-urlencoded); a name without "="
// has an empty value, empty pieces are nothing. `invalid_request` as percent_decoded.
using QueryPairs = std::vector<std::pair<std::string, std::string>>;
[[nodiscard]] Result<QueryPairs> parse_query(std::string_view query);

}  // namespace rekey::server::http
