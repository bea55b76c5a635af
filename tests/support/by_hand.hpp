#pragma once

#include "base/ed25519.hpp"
#include "tests/support/daemons.hpp"
#include "tests/support/scripted_agent.hpp"

#include <boost/json/object.hpp>

#include <optional>
#include <string>

// Enrollment and recovery as somebody else's client would do them: plain requests, one by one.
namespace rekey::testing {

// Creates and enrolls an agent with this identity key; it holds its first token.
[[nodiscard]] ScriptedIdentity enroll_by_hand(const Rekeyd& server, const std::string& name,
                                              const Ed25519Key& key);

[[nodiscard]] std::string challenge_by_hand(const Rekeyd& server, const std::string& agent_id);

// The body of POST /recover.
[[nodiscard]] boost::json::object recovery_body(const std::string& agent_id,
                                                const std::string& challenge,
                                                std::uint64_t newest_held, const Ed25519Key& key);
// A challenge and POST /recover with it; `shown` is the token that goes with it.
[[nodiscard]] net::HttpResponse recover_by_hand(const Rekeyd& server, const std::string& agent_id,
                                                std::uint64_t newest_held, const Ed25519Key& key,
                                                const std::optional<Secret>& shown = {});
// What an agent does with a good answer: writes it as a candidate beside what it holds.
void take_recovered(ScriptedIdentity& identity, const net::HttpResponse& answer);

[[nodiscard]] std::string refusal_name(const net::HttpResponse& answer);

}  // namespace rekey::testing
