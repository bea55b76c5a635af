#pragma once

#include <boost/beast/http/fields.hpp>

#include <string_view>

namespace rekey::net {

// Inside net/ only: what Beast's parser takes and another HTTP server in front may read otherwise
// (request smuggling; RFC 9112, sections 2.2, 5.2, 6.1 and 6.3). All of it is refused. Each answers
// words for the 400, empty if nothing is wrong.

// `received`: from the first byte of a request, while its header is not whole or just became so. A
// line that goes on the line before (obs-fold) and a line end without CR; the latter at once,
// because the header would never end.
[[nodiscard]] std::string_view ambiguous_lines(std::string_view received);

// A whole header: a length or an encoding of the body that is not the one simple form of it, and
// fields that count once and come twice. `version` is 10 or 11.
[[nodiscard]] std::string_view ambiguous_fields(const boost::beast::http::fields& fields,
                                                unsigned version);

}  // namespace rekey::net
