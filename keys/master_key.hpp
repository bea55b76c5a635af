#pragma once

#include "base/encoding.hpp"
#include "base/random.hpp"
#include "base/result.hpp"

#include <optional>
#include <string>

namespace rekey::keys {

// 32 bytes that are wiped when they die. Moved, never copied.
class KeyBytes {
  public:
    KeyBytes() = default;
    KeyBytes(KeyBytes&& other) noexcept;
    KeyBytes& operator=(KeyBytes&& other) noexcept;
    ~KeyBytes();

    [[nodiscard]] ByteView expose() const { return bytes_; }
    [[nodiscard]] Bytes32& fill_here() { return bytes_; }

  private:
    Bytes32 bytes_{};
};

// The key that all sealed data of a data directory depends on. Nothing is encrypted with it
// directly: each purpose has its own key, derived with HMAC-SHA256. Safe to read from any thread.
class MasterKey {
  public:
    explicit MasterKey(KeyBytes bytes);
    [[nodiscard]] static MasterKey generate(Random& random);

    // Names the key in sealed data and in messages: 8 hexadecimal digits of the SHA-256 of a
    // derived value, so that it tells nothing about the key.
    [[nodiscard]] const std::string& id() const { return id_; }
    // Kept in the database, to know the right key again at the next start.
    [[nodiscard]] Bytes32 check_value() const;
    [[nodiscard]] KeyBytes derive(std::string_view purpose) const;
    [[nodiscard]] const KeyBytes& token_key() const { return token_key_; }
    [[nodiscard]] const KeyBytes& bytes() const { return bytes_; }

  private:
    KeyBytes bytes_;
    KeyBytes token_key_;
    std::string id_;
};

// What the database says about the master key that belongs to it.
struct MasterKeyExpectation {
    bool database_has_sealed_data = false;
    std::optional<Bytes> check_value;  // from MetaTable; absent before the first start ended
};

// Reads `path`, or makes it at a first start: mode 0600, durable before this returns. Throws
// StartupError with one line that names the file and the way out: readable by others, not a master
// key, another key than the database's, or missing although the database has sealed data or a check
// value. It is never made anew then: what was sealed would be lost for good.
[[nodiscard]] MasterKey load_or_create_master_key(const std::string& path,
                                                  const MasterKeyExpectation& expectation,
                                                  Random& random);

}  // namespace rekey::keys
