#pragma once

#include "base/result.hpp"
#include "cli/target.hpp"
#include "net/http_message.hpp"

#include <boost/json/value.hpp>

#include <cstdint>

// What came back, or why nothing did: apart from the connection, because it needs none.
namespace rekey::cli {

// What `response` to the call number `id` says: the result, or the server's error. `unavailable` if
// what answered is no Rekey server.
[[nodiscard]] Result<boost::json::value> read_answer(const net::HttpResponse& response,
                                                     std::int64_t id);

// An error from below HTTP, with what to check about this target.
[[nodiscard]] Error not_reached(const Error& error, const Target& target);

}  // namespace rekey::cli
