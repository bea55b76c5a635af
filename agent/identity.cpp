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

Result<Ed25519Key> make_identity(Disk& disk) {
    Ed25519Key key = Ed25519Key::generate();
    if (const auto failed = disk.write(key.to_pem()))
        return Error(Code::unavailable, "cannot save the identity key: " + failed->what);
    return key;
}

}  // namespace rekey::agent
