#include "keys/local_key_provider.hpp"

#include "base/contract.hpp"
#include "base/ids.hpp"
#include "base/limits.hpp"
#include "keys/seal.hpp"
#include "keys/symmetric.hpp"

#include <algorithm>
#include <utility>

// What changes keys. local_key_use.cpp is what uses them.
namespace rekey::keys {
namespace {

Error wrong_state(std::string message) { return Error(Code::wrong_state, std::move(message)); }

struct Material {
    Bytes public_key;
    Secret secret;
};

Result<Material> material_of(const PrivateKey& key, const KeySpec& spec) {
    if (key.algorithm() != spec.algorithm || key.public_key().size_bits() != spec.size_bits)
        return Error(Code::invalid_params, "the key is of another algorithm or size");
    return Material{key.public_key().to_der(), key.to_pem()};
}

// OpenSSL counts 253 bits in an Ed25519 key; its users count 256.
Result<Material> asymmetric(const KeySpec& spec, const Secret* given) {
    auto key = given != nullptr ? PrivateKey::from_pem(*given)
                                : PrivateKey::generate(spec.algorithm, spec.size_bits);
    if (key.has_error()) return std::move(key).error();
    KeySpec expected = spec;
    if (spec.algorithm == Algorithm::ed25519) expected.size_bits = key->public_key().size_bits();
    return material_of(*key, expected);
}

Result<Material> symmetric(const Secret* given, Random& random) {
    if (given != nullptr) {
        if (given->size() != kSymmetricKeyBytes)
            return Error(Code::invalid_params, "a symmetric key is 32 bytes");
        return Material{{}, *given};
    }
    KeyBytes bytes;
    random.fill(bytes.fill_here());
    const ByteView made = bytes.expose();
    return Material{{}, Secret({reinterpret_cast<const char*>(made.data()), made.size()})};
}

}  // namespace

std::string sealing_purpose(std::string_view kid, std::uint64_t version) {
    return "rekey-provider-key-v1/" + std::string(kid) + "/" + std::to_string(version);
}

Result<std::unique_ptr<LocalKeyProvider>> LocalKeyProvider::open(const Parts& parts) {
    std::unique_ptr<LocalKeyProvider> provider(new LocalKeyProvider(parts));
    REKEY_TRY_ASSIGN(records, parts.records.load_all());
    for (KeyRecord& record : records) REKEY_TRY(provider->adopt(std::move(record)));
    return provider;
}

Result<LocalKeyProvider::Opened> LocalKeyProvider::open_version(
    const KeyRecord& record, const KeyVersionRecord& version) const {
    REKEY_TRY_ASSIGN(secret,
                     keys::open(parts_.master_key, sealing_purpose(record.kid, version.version),
                                *version.sealed_secret));
    Error corrupt(Code::corrupt, "key " + record.kid + " holds something else than its key");
    if (class_of(record.spec.algorithm) == KeyClass::symmetric) {
        if (secret.size() != kSymmetricKeyBytes) return corrupt;
        return Opened(std::move(secret));
    }
    auto key = PrivateKey::from_pem(secret);
    if (key.has_error() || key->algorithm() != record.spec.algorithm ||
        key->public_key().to_der() != version.public_key)
        return corrupt;
    return Opened(std::move(*key));
}

Result<> LocalKeyProvider::adopt(KeyRecord record) {
    auto loaded = std::make_shared<Loaded>();
    const auto before = find(record.kid);
    for (const KeyVersionRecord& version : record.versions) {
        if (!version.public_key.empty()) {
            auto key = PublicKey::from_der(version.public_key);
            if (key.has_error()) return Error(Code::corrupt, "a stored public key is unreadable");
            loaded->public_keys.emplace(version.version, std::move(*key));
        }
        if (!version.sealed_secret) continue;
        // Opening an RSA key takes a while; those that are open already stay so.
        if (before.has_value() && (*before)->secrets.contains(version.version)) {
            loaded->secrets.emplace(version.version, (*before)->secrets.at(version.version));
            continue;
        }
        REKEY_TRY_ASSIGN(opened, open_version(record, version));
        loaded->secrets.emplace(version.version, std::make_shared<const Opened>(std::move(opened)));
    }
    loaded->record = std::move(record);
    const std::unique_lock lock(mutex_);
    keys_[loaded->record.kid] = loaded;
    return {};
}

Result<std::uint64_t> LocalKeyProvider::grow(KeyRecord& record, KeyState state,
                                             const Secret* material) {
    auto made = class_of(record.spec.algorithm) == KeyClass::asymmetric
                    ? asymmetric(record.spec, material)
                    : symmetric(material, parts_.random);
    if (made.has_error()) return std::move(made).error();
    REKEY_TRY_ASSIGN(version, add_version(record, state, parts_.clock.now()));
    version->public_key = std::move(made->public_key);
    version->sealed_secret = seal(parts_.master_key, sealing_purpose(record.kid, version->version),
                                  made->secret, parts_.random);
    return version->version;
}

Result<KeyDescription> LocalKeyProvider::make(const KeySpec& spec, ExportPolicy policy,
                                              const Secret* material, const Initiator& by) {
    const std::lock_guard lock(changing_);
    REKEY_TRY_ASSIGN(right, checked(spec));
    if (list().size() >= limits::kProviderKeys) return wrong_state("there are too many keys");
    KeyRecord record;
    record.kid = make_uuid_v7(parts_.clock, parts_.random);
    record.spec = std::move(right);
    record.policy = policy;
    record.created_at = parts_.clock.now();
    REKEY_TRY_ASSIGN(version, grow(record, KeyState::active, material));
    const std::string_view action =
        material == nullptr ? "signing_key.created" : "signing_key.imported";
    REKEY_TRY(parts_.records.save(record, {action, {version}, by}));
    const std::string kid = record.kid;
    REKEY_TRY(adopt(std::move(record)));
    return describe(kid);
}

Result<KeyDescription> LocalKeyProvider::create(const KeySpec& spec, const Initiator& by) {
    return make(spec, ExportPolicy::never, nullptr, by);
}

Result<KeyDescription> LocalKeyProvider::import(const KeySpec& spec, const Secret& material,
                                                const Initiator& by) {
    return make(spec, ExportPolicy::never, &material, by);
}

Result<ExportableKey> LocalKeyProvider::create_exportable(const KeySpec& spec,
                                                          const Initiator& by) {
    REKEY_TRY_ASSIGN(made, make(spec, ExportPolicy::exportable, nullptr, by));
    return as_exportable(made.kid);
}

Result<KeyDescription> LocalKeyProvider::change(std::string_view kid, std::string_view action,
                                                const Initiator& by, const Edit& edit) {
    const std::lock_guard lock(changing_);
    REKEY_TRY_ASSIGN(record, parts_.records.load(kid));
    REKEY_TRY_ASSIGN(touched, edit(record));
    if (!touched.empty()) REKEY_TRY(parts_.records.save(record, {action, touched, by}));
    // Another process may have changed it meanwhile: what was loaded is the newest in any case.
    REKEY_TRY(adopt(std::move(record)));
    return describe(kid);
}

Result<KeyDescription> LocalKeyProvider::pre_publish(std::string_view kid, const Initiator& by) {
    return change(kid, "signing_key.published", by,
                  [&](KeyRecord& record) -> Result<std::vector<std::uint64_t>> {
                      if (class_of(record.spec.algorithm) == KeyClass::symmetric)
                          return wrong_state("a symmetric key has nothing to publish");
                      const auto* next = record.in_state(KeyState::pre_published);
                      if (next != nullptr && next->usable()) return std::vector<std::uint64_t>{};
                      REKEY_TRY_ASSIGN(version, grow(record, KeyState::pre_published, nullptr));
                      return std::vector<std::uint64_t>{version};
                  });
}

Result<KeyDescription> LocalKeyProvider::rotate(std::string_view kid, RotateRule rule,
                                                const Initiator& by) {
    return change(kid, "signing_key.rotated", by,
                  [&](KeyRecord& record) -> Result<std::vector<std::uint64_t>> {
                      const auto* next = record.in_state(KeyState::pre_published);
                      std::uint64_t version = next != nullptr && next->usable() ? next->version : 0;
                      if (version == 0) {
                          const bool is_public =
                              class_of(record.spec.algorithm) == KeyClass::asymmetric;
                          if (is_public && rule == RotateRule::when_published)
                              return wrong_state("no next version is published; publish one first");
                          REKEY_TRY_ASSIGN(fresh, grow(record, KeyState::pre_published, nullptr));
                          version = fresh;
                          rule = RotateRule::at_once;
                      }
                      REKEY_TRY(activate(record, version, rule, parts_.clock.now()));
                      return std::vector<std::uint64_t>{version};
                  });
}

Result<KeyDescription> LocalKeyProvider::schedule_destruction(std::string_view kid,
                                                              std::uint64_t version,
                                                              std::chrono::days delay,
                                                              const Initiator& by) {
    return change(
        kid, "signing_key.destruction_scheduled", by,
        [&](KeyRecord& record) -> Result<std::vector<std::uint64_t>> {
            REKEY_TRY(keys::schedule_destruction(record, version, delay, parts_.clock.now()));
            return std::vector<std::uint64_t>{version};
        });
}

Result<KeyDescription> LocalKeyProvider::cancel_destruction(std::string_view kid,
                                                            std::uint64_t version,
                                                            const Initiator& by) {
    return change(kid, "signing_key.destruction_cancelled", by,
                  [&](KeyRecord& record) -> Result<std::vector<std::uint64_t>> {
                      REKEY_TRY(keys::cancel_destruction(record, version));
                      return std::vector<std::uint64_t>{version};
                  });
}

Result<std::size_t> LocalKeyProvider::destroy_due() {
    std::size_t destroyed = 0;
    for (const KeyDescription& key : list()) {
        const auto is_due = [&](const KeyVersion& version) {
            return version.state != KeyState::destroyed && version.destroy_at &&
                   *version.destroy_at <= parts_.clock.now();
        };
        if (std::none_of(key.versions.begin(), key.versions.end(), is_due)) continue;
        REKEY_TRY(change(key.kid, "signing_key.destroyed", {},
                         [&](KeyRecord& record) -> Result<std::vector<std::uint64_t>> {
                             auto versions = keys::destroy_due(record, parts_.clock.now());
                             destroyed += versions.size();
                             return versions;
                         }));
    }
    return destroyed;
}

Result<Secret> LocalKeyProvider::export_secret(const ExportableKey& key, std::uint64_t version,
                                               const Initiator& by) {
    REKEY_TRY(change(key.kid(), "signing_key.exported", by,
                     [&](KeyRecord& record) -> Result<std::vector<std::uint64_t>> {
                         const auto* found = record.find(version);
                         if (found == nullptr)
                             return Error(Code::not_found, "the key has no such version");
                         if (!found->usable()) return wrong_state("the version is of no use");
                         return std::vector<std::uint64_t>{version};
                     }));
    REKEY_TRY_ASSIGN(loaded, find(key.kid()));
    REKEY_TRY_ASSIGN(opened, usable_of(*loaded, version));
    if (const auto* secret = std::get_if<Secret>(opened)) return *secret;
    return std::get<PrivateKey>(*opened).to_pem();
}

}  // namespace rekey::keys
