#include "server/audit/checkpoint_key.hpp"

#include "base/limits.hpp"

#include <utility>

namespace rekey::server::audit {
namespace {

class Signer final : public keys::JwsSigner {
  public:
    Signer(const keys::PrivateKey& key, const std::string& kid) : key_(key), kid_(kid) {}
    [[nodiscard]] keys::Algorithm algorithm() const override { return key_.algorithm(); }
    [[nodiscard]] const std::string& kid() const override { return kid_; }
    [[nodiscard]] Result<Bytes> sign(std::string_view message) const override {
        return key_.sign(message);
    }

  private:
    const keys::PrivateKey& key_;
    const std::string& kid_;
};

}  // namespace

CheckpointKey::CheckpointKey(keys::PrivateKey key)
    : key_(std::move(key)), jwk_{key_.public_key(), keys::thumbprint(key_.public_key())} {}

Result<storage::AuditCheckpointRow> CheckpointKey::sign(
    const protocol::AuditCheckpoint& checkpoint) const {
    REKEY_TRY_ASSIGN(jws, keys::jws_sign(Signer(key_, jwk_.kid), protocol::kCheckpointTyp,
                                         protocol::to_payload(checkpoint)));
    return storage::AuditCheckpointRow{checkpoint.stream_id, checkpoint.seq, checkpoint.hash,
                                       checkpoint.time, std::move(jws)};
}

std::optional<protocol::AuditCheckpoint> CheckpointKey::open(std::string_view jws) const {
    const auto parsed = keys::parse_compact(jws, limits::kCheckpointBytes);
    if (parsed.has_error() || parsed->header.typ != protocol::kCheckpointTyp ||
        parsed->header.kid != jwk_.kid || !keys::verify(*parsed, jwk_.key))
        return std::nullopt;
    const auto checkpoint = protocol::parse_checkpoint(parsed->payload);
    if (checkpoint.has_error()) return std::nullopt;
    return *checkpoint;
}

}  // namespace rekey::server::audit
