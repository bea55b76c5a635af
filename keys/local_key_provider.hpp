#pragma once

#include "base/clock.hpp"
#include "base/random.hpp"
#include "keys/key_provider.hpp"
#include "keys/master_key.hpp"
#include "keys/private_key.hpp"

#include <functional>
#include <map>
#include <memory>
#include <mutex>
#include <shared_mutex>
#include <variant>

namespace rekey::keys {

// Keys whose secrets are sealed under the master key, each for its own kid and version, and stored
// behind KeyRecords. They are opened once and held in memory: whatever uses a key, describes it or
// shows its public half neither blocks nor reads the store. What changes a key blocks on
// KeyRecords; making an RSA key takes up to seconds more.
class LocalKeyProvider final : public ExportingKeyProvider {
  public:
    // All outlive the provider.
    struct Parts {
        KeyRecords& records;
        const MasterKey& master_key;
        const Clock& clock;
        Random& random;  // safe from any thread
    };
    // Reads and opens every key; `corrupt` if one does not open. Blocks.
    [[nodiscard]] static Result<std::unique_ptr<LocalKeyProvider>> open(const Parts& parts);

    [[nodiscard]] Result<KeyDescription> create(const KeySpec& spec, const Initiator& by) override;
    [[nodiscard]] Result<KeyDescription> import(const KeySpec& spec, const Secret& material,
                                                const Initiator& by) override;
    [[nodiscard]] Result<KeyDescription> pre_publish(std::string_view kid,
                                                     const Initiator& by) override;
    [[nodiscard]] Result<KeyDescription> rotate(std::string_view kid, RotateRule rule,
                                                const Initiator& by) override;
    [[nodiscard]] Result<KeyDescription> schedule_destruction(std::string_view kid,
                                                              std::uint64_t version,
                                                              std::chrono::days delay,
                                                              const Initiator& by) override;
    [[nodiscard]] Result<KeyDescription> cancel_destruction(std::string_view kid,
                                                            std::uint64_t version,
                                                            const Initiator& by) override;
    [[nodiscard]] Result<std::size_t> destroy_due() override;
    [[nodiscard]] Result<ExportableKey> create_exportable(const KeySpec& spec,
                                                          const Initiator& by) override;
    [[nodiscard]] Result<ExportableKey> exportable(std::string_view kid) const override;
    [[nodiscard]] Result<Secret> export_secret(const ExportableKey& key, std::uint64_t version,
                                               const Initiator& by) override;

    [[nodiscard]] Result<KeyDescription> describe(std::string_view kid) const override;
    [[nodiscard]] std::vector<KeyDescription> list() const override;
    [[nodiscard]] Result<std::vector<KeyVersion>> list_versions(
        std::string_view kid) const override;
    [[nodiscard]] Result<Jwk> public_jwk(std::string_view kid,
                                         std::uint64_t version) const override;
    [[nodiscard]] Result<std::string> public_pem(std::string_view kid,
                                                 std::uint64_t version) const override;
    [[nodiscard]] Result<std::vector<Jwk>> jwks(std::string_view kid) const override;
    [[nodiscard]] Result<KeyOutput> sign(std::string_view kid,
                                         std::string_view message) const override;
    [[nodiscard]] Result<bool> verify(std::string_view kid, std::uint64_t version,
                                      std::string_view message, ByteView signature) const override;
    [[nodiscard]] Result<Bytes> encrypt(std::string_view kid, ByteView plaintext,
                                        ByteView associated) const override;
    [[nodiscard]] Result<Secret> decrypt(std::string_view kid, ByteView ciphertext,
                                         ByteView associated) const override;
    [[nodiscard]] Result<KeyOutput> mac(std::string_view kid,
                                        std::string_view message) const override;
    [[nodiscard]] Result<bool> verify_mac(std::string_view kid, std::uint64_t version,
                                          std::string_view message, ByteView mac) const override;
    [[nodiscard]] Result<Secret> derive(std::string_view kid, std::uint64_t version, ByteView salt,
                                        ByteView info, std::size_t length) const override;
    [[nodiscard]] Result<Secret> random_bytes(std::size_t count) const override;

  private:
    using Opened = std::variant<PrivateKey, Secret>;
    // Never changes once it is in keys_: a call keeps the one that it began with.
    struct Loaded {
        KeyRecord record;
        std::map<std::uint64_t, std::shared_ptr<const Opened>> secrets;
        std::map<std::uint64_t, PublicKey> public_keys;
    };
    using LoadedPtr = std::shared_ptr<const Loaded>;
    // The numbers of the versions that it touched; none: nothing is written.
    using Edit = std::function<Result<std::vector<std::uint64_t>>(KeyRecord&)>;

    explicit LocalKeyProvider(const Parts& parts) : parts_(parts) {}
    [[nodiscard]] Result<KeyDescription> make(const KeySpec& spec, ExportPolicy policy,
                                              const Secret* material, const Initiator& by);
    [[nodiscard]] Result<KeyDescription> change(std::string_view kid, std::string_view action,
                                                const Initiator& by, const Edit& edit);
    [[nodiscard]] Result<std::uint64_t> grow(KeyRecord& record, KeyState state,
                                             const Secret* material);
    [[nodiscard]] Result<> adopt(KeyRecord record);
    [[nodiscard]] Result<Opened> open_version(const KeyRecord& record,
                                              const KeyVersionRecord& version) const;
    [[nodiscard]] Result<LoadedPtr> find(std::string_view kid) const;
    [[nodiscard]] Result<LoadedPtr> find_for(std::string_view kid, KeyUse use) const;
    // Of a version that is active, or usable at all.
    [[nodiscard]] static Result<const Opened*> active_of(const Loaded& key, std::uint64_t& version);
    [[nodiscard]] static Result<const Opened*> usable_of(const Loaded& key, std::uint64_t version);

    Parts parts_;
    std::mutex changing_;  // one change after the other
    mutable std::shared_mutex mutex_;
    std::map<std::string, LoadedPtr, std::less<>> keys_;
};

// What seals a version's secret: it opens for no other key and no other version.
[[nodiscard]] std::string sealing_purpose(std::string_view kid, std::uint64_t version);

}  // namespace rekey::keys
