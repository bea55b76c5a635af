#pragma once

#include "base/result.hpp"
#include "keys/jwk.hpp"
#include "keys/jws.hpp"
#include "keys/private_key.hpp"
#include "protocol/audit_checkpoint.hpp"
#include "storage/audit_tables.hpp"

#include <optional>
#include <string>
#include <string_view>

namespace rekey::server::audit {

// The key that signs checkpoints of the audit chain: Ed25519, one for the life of a database and
// for nothing else, because what it signed has to be verifiable for as long as the rows are kept
// (docs/adr/0012). Never changes; safe from any thread.
class CheckpointKey {
  public:
    explicit CheckpointKey(keys::PrivateKey key);

    // The row that says so, its signature a compact JWS.
    [[nodiscard]] Result<storage::AuditCheckpointRow> sign(
        const protocol::AuditCheckpoint& checkpoint) const;
    // What a JWS signs, if this key made it and it is a checkpoint.
    [[nodiscard]] std::optional<protocol::AuditCheckpoint> open(std::string_view jws) const;
    // Its public half; the kid is its thumbprint.
    [[nodiscard]] const keys::Jwk& jwk() const { return jwk_; }

  private:
    keys::PrivateKey key_;
    keys::Jwk jwk_;
};

}  // namespace rekey::server::audit
