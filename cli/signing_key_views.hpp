#pragma once

#include "base/clock.hpp"
#include "cli/table.hpp"
#include "protocol/methods/signing_keys.hpp"

#include <boost/json/value.hpp>

#include <string>
#include <vector>

// How the server's keys look to people, and their public halves to programs.
namespace rekey::cli {

[[nodiscard]] Table signing_keys_table(const std::vector<protocol::KeyView>& keys, Time now);

// All about one, with a table of its versions.
[[nodiscard]] std::string signing_key_text(const protocol::KeyView& key, const Screen& screen,
                                           Time now);

// {"keys": […]}: what a verifier believes, the newest first. A version that was taken out of use
// is none of it.
[[nodiscard]] boost::json::value key_set_of(const protocol::KeyView& key);

}  // namespace rekey::cli
