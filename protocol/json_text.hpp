#pragma once

#include "base/limits.hpp"
#include "base/result.hpp"

#include <boost/json/object.hpp>
#include <boost/json/storage_ptr.hpp>
#include <boost/json/value.hpp>

#include <cstdint>
#include <string>
#include <string_view>

namespace rekey::protocol {

// Parses one JSON text (RFC 8259) into memory from `storage`, which must outlive the value; a
// request's arena makes this allocation-free. Of duplicate keys the last wins. Errors: parse_error
// for anything that is not JSON, deeper than limits::kJsonDepth, not UTF-8, or with a number
// beyond double; invalid_request over `max_bytes`.
[[nodiscard]] Result<boost::json::value> parse_json(std::string_view text,
                                                    boost::json::storage_ptr storage = {},
                                                    std::size_t max_bytes = limits::kMessageBytes);

// Appending writers: answers are built in one string without a tree of values.
// Bytes that are not UTF-8 become U+FFFD, so that what we send can always be read.
void append_json_string(std::string& out, std::string_view text);
void append_json_number(std::string& out, std::int64_t number);
void append_json_number(std::string& out, std::uint64_t number);
// Finite numbers only: a NaN or an infinity is a bug of ours.
void append_json_number(std::string& out, double number);
void append_json_value(std::string& out, const boost::json::value& value);
void append_json_object(std::string& out, const boost::json::object& object);

// At most `max_bytes` of `text`, cut between characters.
[[nodiscard]] std::string_view cut_utf8(std::string_view text, std::size_t max_bytes);

}  // namespace rekey::protocol
