#pragma once

#include "base/clock.hpp"
#include "base/log.hpp"
#include "base/random.hpp"
#include "base/result.hpp"

#include <boost/json/value.hpp>

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

namespace rekey::agent {

// What the logic runs on. All must outlive it.
class Transport;
struct Surroundings {
    const Clock& clock;
    Timers& timers;
    Random& random;
    const Log& log;
    Transport& transport;
};

// Off: the client neither asks for a rotation by itself nor saves an offered token before the
// application calls rotate_now(). What was saved is always confirmed, whatever is set here.
enum class AutomaticRotation : std::uint8_t { on, off };

// What the agent says about itself in agent.hello.
struct AboutAgent {
    std::string version;
    std::string hostname;
    std::string os;
    std::string boot_id;
};
// Of this machine and this build.
[[nodiscard]] AboutAgent about_this_agent();

struct Rotated {
    std::string agent_id;
    std::string rotation_id;
    std::uint64_t generation = 0;
};

enum class EndReason : std::uint8_t {
    stopped,  // as asked
    revoked,  // the server will never let this agent in again; its file is kept
};

// Whom the logic tells; all calls come on its thread. None may destroy the logic.
class AgentObserver {
  public:
    virtual ~AgentObserver() = default;
    // The new token is confirmed durably.
    virtual void on_rotated(const Rotated& /*rotated*/) {}
    // AutomaticRotation::off only: a new token waits for rotate_now().
    virtual void on_offer_waits(const Rotated& /*offer*/, Time /*expires_at*/) {}
    virtual void on_log_level(LogLevel /*level*/) {}
    // Something that status() shows has changed.
    virtual void on_changed() {}
    // Once; the logic is idle from then on.
    virtual void on_ended(EndReason /*reason*/) {}

    // The application's own methods, for agents.call.
    [[nodiscard]] virtual std::vector<std::string> methods() { return {}; }
    // method_not_found for a name that methods() does not have.
    [[nodiscard]] virtual Result<boost::json::value> on_call(std::string_view method,
                                                             const boost::json::value* params);
};

}  // namespace rekey::agent
