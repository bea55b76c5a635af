#include "protocol/proof.hpp"

#include "base/encoding.hpp"
#include "base/hash.hpp"

#include <initializer_list>

namespace rekey::protocol {
namespace {

// The parts in lines; nothing after the last.
std::string lines(std::initializer_list<std::string_view> parts) {
    std::string text;
    for (const std::string_view part : parts) {
        if (!text.empty()) text += '\n';
        text += part;
    }
    return text;
}

}  // namespace

std::string rotation_proof(const Secret& token, std::string_view agent_id,
                           std::string_view rotation_id, std::uint64_t generation) {
    const std::string message =
        lines({"rekey-rotation-proof-v1", agent_id, rotation_id, std::to_string(generation)});
    return to_hex(hmac_sha256(as_bytes(token.expose()), as_bytes(message)));
}

bool rotation_proof_is_valid(std::string_view proof, const Secret& token, std::string_view agent_id,
                             std::string_view rotation_id, std::uint64_t generation) {
    const std::string right = rotation_proof(token, agent_id, rotation_id, generation);
    return equal_in_constant_time(as_bytes(proof), as_bytes(right));
}

std::string enrollment_message(std::string_view code_id, std::string_view public_key) {
    return lines({"rekey-enroll-v1", code_id, public_key});
}

std::string recovery_message(std::string_view agent_id, std::string_view challenge,
                             std::uint64_t newest_held) {
    return lines({"rekey-recover-v1", agent_id, challenge, std::to_string(newest_held)});
}

}  // namespace rekey::protocol
