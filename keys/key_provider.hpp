#pragma once

#include "base/encoding.hpp"
#include "base/result.hpp"
#include "base/secret.hpp"
#include "keys/jwk.hpp"
#include "keys/key_record.hpp"
#include "keys/key_versions.hpp"

#include <chrono>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

// Keys that live somewhere: sealed in the database, in a PKCS#11 token, behind a cloud's API. Every
// implementation passes tests/unit/keys/key_provider_conformance.hpp.
//
// Errors: not_found (no such key or version), wrong_state (the key's state or uses do not allow
// it), invalid_params, conflict (changed meanwhile: try again), unavailable (the place where keys
// live does not answer), corrupt.
// Threads: safe from any. Calls that change something may block on a disk or a network; each
// implementation says whether the others do.
namespace rekey::keys {

struct KeyVersion {
    std::uint64_t version = 0;
    KeyState state = KeyState::pre_published;
    Time created_at{};
    std::optional<Time> activated_at;
    std::optional<Time> retired_at;
    std::optional<Time> destroy_at;  // of no use until that is cancelled
    std::optional<Time> destroyed_at;
};

struct KeyDescription {
    std::string kid;
    KeySpec spec;
    ExportPolicy policy = ExportPolicy::never;
    Time created_at{};
    std::vector<KeyVersion> versions;  // by number
};

// What a version of a key made, and which.
struct KeyOutput {
    std::uint64_t version = 0;
    Bytes bytes;
};

class KeyProvider {
  public:
    virtual ~KeyProvider() = default;

    // Of keys that may never leave: nothing here returns a secret. Version 1 is active.
    [[nodiscard]] virtual Result<KeyDescription> create(const KeySpec& spec,
                                                        const Initiator& by) = 0;
    // `material`: PKCS#8 in PEM, or 32 raw bytes of a symmetric key. `invalid_params` if it is not
    // of this algorithm and size.
    [[nodiscard]] virtual Result<KeyDescription> import(const KeySpec& spec, const Secret& material,
                                                        const Initiator& by) = 0;
    // Makes the version that the next rotation will put to work, for others to learn it in time.
    // Asymmetric keys only. There already: nothing changes.
    [[nodiscard]] virtual Result<KeyDescription> pre_publish(std::string_view kid,
                                                             const Initiator& by) = 0;
    // The pre-published version becomes active and the active one retiring. Without one, a new
    // version becomes active: of an asymmetric key only `at_once`.
    [[nodiscard]] virtual Result<KeyDescription> rotate(std::string_view kid, RotateRule rule,
                                                        const Initiator& by) = 0;
    [[nodiscard]] virtual Result<KeyDescription> schedule_destruction(std::string_view kid,
                                                                      std::uint64_t version,
                                                                      std::chrono::days delay,
                                                                      const Initiator& by) = 0;
    [[nodiscard]] virtual Result<KeyDescription> cancel_destruction(std::string_view kid,
                                                                    std::uint64_t version,
                                                                    const Initiator& by) = 0;
    // Destroys what is due in all keys; how many versions.
    [[nodiscard]] virtual Result<std::size_t> destroy_due() = 0;

    [[nodiscard]] virtual Result<KeyDescription> describe(std::string_view kid) const = 0;
    // By kid, and so by age.
    [[nodiscard]] virtual std::vector<KeyDescription> list() const = 0;
    [[nodiscard]] virtual Result<std::vector<KeyVersion>> list_versions(
        std::string_view kid) const = 0;

    // Of any version, a destroyed one too: what it signed stays to be verified. The kid of the JWK
    // is "<kid>.<version>".
    [[nodiscard]] virtual Result<Jwk> public_jwk(std::string_view kid,
                                                 std::uint64_t version) const = 0;
    [[nodiscard]] virtual Result<std::string> public_pem(std::string_view kid,
                                                         std::uint64_t version) const = 0;
    // The versions that a verifier must know: pre-published, active, retiring, without those whose
    // destruction is scheduled; newest first.
    [[nodiscard]] virtual Result<std::vector<Jwk>> jwks(std::string_view kid) const = 0;

    // With the active version, in the form of PublicKey::verify.
    [[nodiscard]] virtual Result<KeyOutput> sign(std::string_view kid,
                                                 std::string_view message) const = 0;
    [[nodiscard]] virtual Result<bool> verify(std::string_view kid, std::uint64_t version,
                                              std::string_view message,
                                              ByteView signature) const = 0;
    // With the active version, at most limits::kKeyPlaintextBytes; `associated` must be the same
    // again. The ciphertext names its version.
    [[nodiscard]] virtual Result<Bytes> encrypt(std::string_view kid, ByteView plaintext,
                                                ByteView associated) const = 0;
    [[nodiscard]] virtual Result<Secret> decrypt(std::string_view kid, ByteView ciphertext,
                                                 ByteView associated) const = 0;
    // HMAC-SHA256 with the active version.
    [[nodiscard]] virtual Result<KeyOutput> mac(std::string_view kid,
                                                std::string_view message) const = 0;
    [[nodiscard]] virtual Result<bool> verify_mac(std::string_view kid, std::uint64_t version,
                                                  std::string_view message, ByteView mac) const = 0;
    // HKDF-SHA256 (RFC 5869) with a version of the key as input key material. The key cannot be
    // found from what comes out.
    [[nodiscard]] virtual Result<Secret> derive(std::string_view kid, std::uint64_t version,
                                                ByteView salt, ByteView info,
                                                std::size_t length) const = 0;
    // 1 to limits::kRandomBytesACall.
    [[nodiscard]] virtual Result<Secret> random_bytes(std::size_t count) const = 0;
};

// A key that its maker allowed to leave. Only a provider makes one, and only of such a key, so that
// a call that returns a secret cannot be written for any other.
class ExportableKey {
  public:
    [[nodiscard]] const std::string& kid() const { return kid_; }

  private:
    friend class ExportingKeyProvider;
    explicit ExportableKey(std::string kid) : kid_(std::move(kid)) {}
    std::string kid_;
};

// A provider that can hand secrets out at all. Devices do not implement it.
class ExportingKeyProvider : public KeyProvider {
  public:
    [[nodiscard]] virtual Result<ExportableKey> create_exportable(const KeySpec& spec,
                                                                  const Initiator& by) = 0;
    // `wrong_state` for a key that was made to stay.
    [[nodiscard]] virtual Result<ExportableKey> exportable(std::string_view kid) const = 0;
    // PKCS#8 in PEM, or 32 raw bytes; audited.
    [[nodiscard]] virtual Result<Secret> export_secret(const ExportableKey& key,
                                                       std::uint64_t version,
                                                       const Initiator& by) = 0;

  protected:
    [[nodiscard]] static ExportableKey as_exportable(std::string kid) {
        return ExportableKey(std::move(kid));
    }
};

}  // namespace rekey::keys
