#include "agent/identity.hpp"

#include "base/encoding.hpp"

namespace rekey::agent {

std::string public_key_text(const Ed25519Key& key) { return to_base64url(key.public_key()); }

Result<Ed25519Key> read_identity(Disk& disk) {
    REKEY_TRY_ASSIGN(pem, disk.read());
    auto key = Ed25519Key::from_pem(pem);
    if (key.has_error())
        return Error(Code::corrupt, disk.name() + " holds no Ed25519 identity key");
    return key;
}

Result<Ed25519Key> identity_of(const AgentState& state, Disk& key, Disk& next_key) {
    auto found = read_identity(key);
    if (found.has_value() && public_key_text(*found) == state.identity_public_key) return found;
    auto next = read_identity(next_key);
    if (next.has_value() && public_key_text(*next) == state.identity_public_key) return next;
    if (found.has_error()) return found.error();
    return Error(Code::corrupt, key.name() + " is not the identity key of agent " + state.agent_id);
}

Result<Ed25519Key> make_identity(Disk& disk) {
    Ed25519Key key = Ed25519Key::generate();
    if (const auto failed = disk.write(key.to_pem()))
        return Error(Code::unavailable, "cannot save the identity key: " + failed->what);
    return key;
}

}  // namespace rekey::agent
