#include "keys/master_key.hpp"

#include "base/durable_file.hpp"
#include "base/hash.hpp"
#include "base/secret.hpp"
#include "keys/master_key_file.hpp"

#include <algorithm>
#include <sysexits.h>
#include <utility>

namespace rekey::keys {
namespace {

constexpr std::string_view kHeader = "rekey-master-key-v1 ";
constexpr std::size_t kLargestFile = 256;
constexpr std::size_t kIdDigits = 8;

Bytes32 derived(const KeyBytes& key, std::string_view purpose) {
    return hmac_sha256(key.expose(), as_bytes(purpose));
}

std::string id_of(const KeyBytes& key) {
    return to_hex(sha256(ByteView(derived(key, "rekey-master-key-id-v1")))).substr(0, kIdDigits);
}

[[noreturn]] void refuse(const std::string& line, int exit_code = EX_CONFIG) {
    throw StartupError(line, exit_code);
}

// The file: one line of text, so that an operator can look at it, copy it and keep it in a vault.
std::string file_content(const MasterKey& key) {
    std::string encoded = to_base64url(key.bytes().expose());
    std::string content(kHeader);
    content.append(encoded).append("\n");
    wipe_string(encoded);
    return content;
}

std::optional<MasterKey> parse(std::string_view content) {
    if (!content.starts_with(kHeader)) return std::nullopt;
    content.remove_prefix(kHeader.size());
    if (content.ends_with('\n')) content.remove_suffix(1);
    auto decoded = from_base64url(content);
    if (!decoded || decoded->size() != 32) return std::nullopt;
    KeyBytes bytes;
    std::copy(decoded->begin(), decoded->end(), bytes.fill_here().begin());
    wipe_memory(decoded->data(), decoded->size());
    return MasterKey(std::move(bytes));
}

}  // namespace

void write_master_key(const std::string& path, const MasterKey& key) {
    std::string content = file_content(key);
    const auto failed = write_durably(path, content);
    wipe_string(content);
    if (failed)
        refuse("cannot make the master key: " + failed->what +
                   "; give rekeyd a data directory that it can write to",
               EX_CANTCREAT);
}

std::optional<MasterKey> read_master_key(const std::string& path) {
    auto content = read_file(path, kLargestFile);
    if (content.has_error() && content.error().code() == Code::not_found) return std::nullopt;
    if (content.has_error() && content.error().code() == Code::unavailable)
        refuse(content.error().message(), EX_NOPERM);
    if (const auto is_private = require_private(path); is_private.has_error())
        refuse(is_private.error().message(), EX_NOPERM);
    auto key = content.has_error() ? std::nullopt : parse(*content);
    if (content.has_value()) wipe_string(*content);
    if (!key)
        refuse(path + " is not a master key of rekeyd; put the right one back from your backup");
    return key;
}

KeyBytes::KeyBytes(KeyBytes&& other) noexcept : bytes_(other.bytes_) {
    wipe_memory(other.bytes_.data(), other.bytes_.size());
}

KeyBytes& KeyBytes::operator=(KeyBytes&& other) noexcept {
    if (this != &other) {
        bytes_ = other.bytes_;
        wipe_memory(other.bytes_.data(), other.bytes_.size());
    }
    return *this;
}

KeyBytes::~KeyBytes() { wipe_memory(bytes_.data(), bytes_.size()); }

MasterKey::MasterKey(KeyBytes bytes)
    : bytes_(std::move(bytes)), token_key_(derive("rekey-token-v1")), id_(id_of(bytes_)) {}

MasterKey MasterKey::generate(Random& random) {
    KeyBytes bytes;
    random.fill(bytes.fill_here());
    return MasterKey(std::move(bytes));
}

Bytes32 MasterKey::check_value() const { return derived(bytes_, "rekey-master-key-check-v1"); }

KeyBytes MasterKey::derive(std::string_view purpose) const {
    std::string message = "rekey-seal-v1\n";
    message.append(purpose);
    KeyBytes key;
    key.fill_here() = derived(bytes_, message);
    return key;
}

MasterKey load_or_create_master_key(const std::string& path,
                                    const MasterKeyExpectation& expectation, Random& random) {
    auto key = read_master_key(path);
    if (!key) {
        if (expectation.database_has_sealed_data || expectation.check_value)
            refuse("the master key " + path +
                   " is missing, and the database has data that only it opens; put it back from "
                   "your backup");
        MasterKey made = MasterKey::generate(random);
        write_master_key(path, made);
        return made;
    }
    const auto& expected = expectation.check_value;
    if (expected && !equal_in_constant_time(*expected, ByteView(key->check_value())))
        refuse("the master key " + path + " (id " + key->id() +
               ") is not the one that this database was sealed with; put that one back from your "
               "backup");
    return std::move(*key);
}

}  // namespace rekey::keys
