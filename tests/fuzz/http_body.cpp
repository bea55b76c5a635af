#include "base/limits.hpp"
#include "protocol/errors.hpp"
#include "protocol/json_text.hpp"
#include "protocol/methods/agent.hpp"
#include "protocol/methods/agent_requests.hpp"
#include "protocol/methods/agents.hpp"
#include "protocol/methods/audit.hpp"
#include "protocol/methods/enroll.hpp"
#include "protocol/methods/recover.hpp"
#include "protocol/methods/rotations.hpp"
#include "protocol/methods/settings.hpp"
#include "tests/fuzz/input.hpp"

#include <string>

// The bodies of requests, decoded by their field lists as each door does it.
namespace {

using namespace rekey;
using fuzz::must;

// A refusal names a field and fits the bound of errors; what was understood means the same after it
// was written and read again.
template <class Params>
void decode_as(std::string_view text) {
    const auto params = protocol::decode_text<Params>(text, protocol::UnknownFields::refuse);
    if (params.has_error()) {
        must(protocol::error_body_text(params.error()).size() <= limits::kErrorBytes);
        must(protocol::error_row(params.error().code()).http < 500);
        return;
    }
    const std::string written = protocol::encode(*params);
    const auto again = protocol::decode_text<Params>(written, protocol::UnknownFields::refuse);
    must(again.has_value() && protocol::encode(*again) == written);
}

}  // namespace

int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    const auto text = fuzz::text_of(data, size);
    decode_as<protocol::EnrollParams>(text);
    decode_as<protocol::RecoverParams>(text);
    decode_as<protocol::RecoverChallengeParams>(text);
    decode_as<protocol::AgentsCreate::Params>(text);
    decode_as<protocol::AgentsList::Params>(text);
    decode_as<protocol::AgentHello::Params>(text);
    decode_as<protocol::AgentRotationFailed::Params>(text);
    decode_as<protocol::RotateOffer>(text);
    decode_as<protocol::RotationsStart::Params>(text);
    decode_as<protocol::SettingsSet::Params>(text);
    decode_as<protocol::AuditQuery::Params>(text);
    return 0;
}
