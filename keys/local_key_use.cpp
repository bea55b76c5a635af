#include "base/contract.hpp"
#include "base/hash.hpp"
#include "base/limits.hpp"
#include "keys/local_key_provider.hpp"
#include "keys/symmetric.hpp"

#include <algorithm>
#include <utility>

// What uses keys and shows them: memory only.
namespace rekey::keys {
namespace {

// A ciphertext begins with the number of its version, big-endian.
constexpr std::size_t kVersionBytes = 8;

Bytes associated_with(std::string_view kid, std::uint64_t version, ByteView associated) {
    Bytes all;
    for (int shift = 56; shift >= 0; shift -= 8)
        all.push_back(static_cast<std::uint8_t>((version >> shift) & 0xFFU));
    // The kid is of one length, so that no two pairs read alike.
    all.insert(all.end(), kid.begin(), kid.end());
    all.insert(all.end(), associated.begin(), associated.end());
    return all;
}

KeyVersion shown(const KeyVersionRecord& record) {
    return {record.version,    record.state,      record.created_at,  record.activated_at,
            record.retired_at, record.destroy_at, record.destroyed_at};
}

KeyDescription shown(const KeyRecord& record) {
    KeyDescription description{record.kid, record.spec, record.policy, record.created_at, {}};
    for (const KeyVersionRecord& version : record.versions)
        description.versions.push_back(shown(version));
    return description;
}

Error wrong_state(std::string message) { return Error(Code::wrong_state, std::move(message)); }

std::string jwk_kid(std::string_view kid, std::uint64_t version) {
    return std::string(kid) + "." + std::to_string(version);
}

}  // namespace

Result<LocalKeyProvider::LoadedPtr> LocalKeyProvider::find(std::string_view kid) const {
    const std::shared_lock lock(mutex_);
    const auto found = keys_.find(kid);
    if (found == keys_.end()) return Error(Code::not_found, "there is no such key");
    return found->second;
}

Result<LocalKeyProvider::LoadedPtr> LocalKeyProvider::find_for(std::string_view kid,
                                                               KeyUse use) const {
    REKEY_TRY_ASSIGN(key, find(kid));
    if (!key->record.spec.allows(use))
        return wrong_state("the key is not for use: " + std::string(name_of(use)));
    return key;
}

Result<const LocalKeyProvider::Opened*> LocalKeyProvider::active_of(const Loaded& key,
                                                                    std::uint64_t& version) {
    const KeyVersionRecord* active = key.record.in_state(KeyState::active);
    if (active == nullptr) return wrong_state("the key has no active version");
    version = active->version;
    return usable_of(key, version);
}

Result<const LocalKeyProvider::Opened*> LocalKeyProvider::usable_of(const Loaded& key,
                                                                    std::uint64_t version) {
    const KeyVersionRecord* record = key.record.find(version);
    if (record == nullptr) return Error(Code::not_found, "the key has no such version");
    if (!record->usable()) return wrong_state("the version is destroyed, or soon will be");
    return key.secrets.at(version).get();
}

Result<KeyDescription> LocalKeyProvider::describe(std::string_view kid) const {
    REKEY_TRY_ASSIGN(key, find(kid));
    return shown(key->record);
}

std::vector<KeyDescription> LocalKeyProvider::list() const {
    const std::shared_lock lock(mutex_);
    std::vector<KeyDescription> all;
    all.reserve(keys_.size());
    for (const auto& [kid, key] : keys_) all.push_back(shown(key->record));
    return all;
}

Result<std::vector<KeyVersion>> LocalKeyProvider::list_versions(std::string_view kid) const {
    REKEY_TRY_ASSIGN(description, describe(kid));
    return std::move(description.versions);
}

Result<ExportableKey> LocalKeyProvider::exportable(std::string_view kid) const {
    REKEY_TRY_ASSIGN(key, find(kid));
    if (key->record.policy != ExportPolicy::exportable)
        return wrong_state("the key may never leave");
    return as_exportable(key->record.kid);
}

Result<Jwk> LocalKeyProvider::public_jwk(std::string_view kid, std::uint64_t version) const {
    REKEY_TRY_ASSIGN(key, find(kid));
    if (key->record.find(version) == nullptr)
        return Error(Code::not_found, "the key has no such version");
    const auto found = key->public_keys.find(version);
    if (found == key->public_keys.end()) return wrong_state("a symmetric key has no public half");
    return Jwk{found->second, jwk_kid(kid, version)};
}

Result<std::string> LocalKeyProvider::public_pem(std::string_view kid,
                                                 std::uint64_t version) const {
    REKEY_TRY_ASSIGN(jwk, public_jwk(kid, version));
    return jwk.key.to_pem();
}

Result<std::vector<Jwk>> LocalKeyProvider::jwks(std::string_view kid) const {
    REKEY_TRY_ASSIGN(key, find(kid));
    if (class_of(key->record.spec.algorithm) == KeyClass::symmetric)
        return wrong_state("a symmetric key has no public half");
    std::vector<Jwk> set;
    for (auto version = key->record.versions.rbegin(); version != key->record.versions.rend();
         ++version)
        if (version->usable())
            set.push_back({key->public_keys.at(version->version), jwk_kid(kid, version->version)});
    return set;
}

Result<KeyOutput> LocalKeyProvider::sign(std::string_view kid, std::string_view message) const {
    REKEY_TRY_ASSIGN(key, find_for(kid, KeyUse::sign));
    std::uint64_t version = 0;
    REKEY_TRY_ASSIGN(opened, active_of(*key, version));
    return KeyOutput{version, std::get<PrivateKey>(*opened).sign(message)};
}

Result<bool> LocalKeyProvider::verify(std::string_view kid, std::uint64_t version,
                                      std::string_view message, ByteView signature) const {
    REKEY_TRY_ASSIGN(key, find_for(kid, KeyUse::verify));
    REKEY_TRY(usable_of(*key, version));
    return key->public_keys.at(version).verify(message, signature);
}

Result<Bytes> LocalKeyProvider::encrypt(std::string_view kid, ByteView plaintext,
                                        ByteView associated) const {
    REKEY_TRY_ASSIGN(key, find_for(kid, KeyUse::encrypt));
    if (plaintext.size() > limits::kKeyPlaintextBytes)
        return Error(Code::invalid_params, "too long to be encrypted in one piece");
    std::uint64_t version = 0;
    REKEY_TRY_ASSIGN(opened, active_of(*key, version));
    const Bytes bound = associated_with(kid, version, associated);
    const Bytes sealed = gcm_encrypt(std::get<Secret>(*opened), plaintext, bound, parts_.random);
    Bytes ciphertext(bound.begin(), bound.begin() + kVersionBytes);
    ciphertext.insert(ciphertext.end(), sealed.begin(), sealed.end());
    return ciphertext;
}

Result<Secret> LocalKeyProvider::decrypt(std::string_view kid, ByteView ciphertext,
                                         ByteView associated) const {
    REKEY_TRY_ASSIGN(key, find_for(kid, KeyUse::decrypt));
    if (ciphertext.size() < kVersionBytes)
        return Error(Code::invalid_params, "the ciphertext is cut short");
    std::uint64_t version = 0;
    for (const std::uint8_t byte : ciphertext.first(kVersionBytes))
        version = (version << 8U) | byte;
    REKEY_TRY_ASSIGN(opened, usable_of(*key, version));
    return gcm_decrypt(std::get<Secret>(*opened), ciphertext.subspan(kVersionBytes),
                       associated_with(kid, version, associated));
}

Result<KeyOutput> LocalKeyProvider::mac(std::string_view kid, std::string_view message) const {
    REKEY_TRY_ASSIGN(key, find_for(kid, KeyUse::mac));
    std::uint64_t version = 0;
    REKEY_TRY_ASSIGN(opened, active_of(*key, version));
    const Bytes32 mac =
        hmac_sha256(as_bytes(std::get<Secret>(*opened).expose()), as_bytes(message));
    return KeyOutput{version, Bytes(mac.begin(), mac.end())};
}

Result<bool> LocalKeyProvider::verify_mac(std::string_view kid, std::uint64_t version,
                                          std::string_view message, ByteView mac) const {
    REKEY_TRY_ASSIGN(key, find_for(kid, KeyUse::mac));
    REKEY_TRY_ASSIGN(opened, usable_of(*key, version));
    const Bytes32 expected =
        hmac_sha256(as_bytes(std::get<Secret>(*opened).expose()), as_bytes(message));
    return equal_in_constant_time(expected, mac);
}

Result<Secret> LocalKeyProvider::derive(std::string_view kid, std::uint64_t version, ByteView salt,
                                        ByteView info, std::size_t length) const {
    REKEY_TRY_ASSIGN(key, find_for(kid, KeyUse::derive));
    REKEY_TRY_ASSIGN(opened, usable_of(*key, version));
    return hkdf_sha256(std::get<Secret>(*opened), salt, info, length);
}

Result<Secret> LocalKeyProvider::random_bytes(std::size_t count) const {
    if (count == 0 || count > limits::kRandomBytesACall)
        return Error(Code::invalid_params, "1 to 1024 random bytes a call");
    std::string bytes(count, '\0');
    parts_.random.fill({reinterpret_cast<std::uint8_t*>(bytes.data()), bytes.size()});
    Secret secret(bytes);
    wipe_string(bytes);
    return secret;
}

}  // namespace rekey::keys
