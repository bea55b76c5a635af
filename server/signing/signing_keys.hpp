#pragma once

#include "base/clock.hpp"
#include "base/log.hpp"
#include "base/random.hpp"
#include "keys/local_key_provider.hpp"
#include "keys/master_key.hpp"
#include "server/settings.hpp"
#include "server/signing/store_key_records.hpp"
#include "server/signing/token_signer.hpp"
#include "server/signing/worker.hpp"
#include "storage/store.hpp"

#include <atomic>
#include <functional>
#include <memory>
#include <mutex>
#include <string>

namespace rekey::server::signing {

// The tag that marks the key that signs access tokens; nobody else may give it.
inline constexpr std::string_view kPurposeTag = "rekey.purpose";

// The server's keys: the one that signs its access tokens (Ed25519, made at the first start and
// rotated every signing_key_rotation_days), and those that admins make beside it. What changes keys
// runs on a thread of its own; everything else is safe from any thread and does not block.
class SigningKeys final : public TokenSigner {
  public:
    // All outlive it; `random` is safe from any thread.
    struct Parts {
        storage::Store& store;
        const keys::MasterKey& master_key;
        const LiveSettings& settings;
        const Clock& clock;
        Random& random;
        const Log& log;
    };
    // Opens all keys. Throws StartupError: a key does not open, the database cannot be written.
    // Blocks.
    explicit SigningKeys(const Parts& parts);

    [[nodiscard]] Result<std::string> sign(std::string_view typ,
                                           std::string_view payload) const override;
    [[nodiscard]] std::shared_ptr<const VerifyingKeys> verifying_keys() const override;

    // Which one of the keys signs access tokens.
    [[nodiscard]] const std::string& token_kid() const { return token_kid_; }
    // For what shows and uses keys.
    [[nodiscard]] const keys::KeyProvider& provider() const { return *provider_; }
    struct Change {
        std::function<void(keys::KeyProvider&)> run;
        StillAllowed still_allowed;
        std::function<void()> done;
    };
    // Runs it on the keys' own thread, after those before it; then verifiers are shown what it did,
    // and then `done` is called there. `overloaded` when limits::kKeyChangesWaiting wait: nothing
    // is called.
    [[nodiscard]] Result<> change(Change change);
    // House-keeping, on the keys' own thread: called every limits::kSigningKeyCheck.
    void tick();

  private:
    [[nodiscard]] Result<> open_token_key();
    // Each of these blocks; on the keys' own thread, or before there is one.
    void keep_house_or_say_why();
    [[nodiscard]] Result<> keep_house();
    [[nodiscard]] Result<> rotate_when_due();
    [[nodiscard]] Result<> publish_next_versions();
    [[nodiscard]] Result<> withdraw_old_versions();
    [[nodiscard]] bool clock_is_trusted();
    void refresh();

    const Parts parts_;
    StoreKeyRecords records_;
    std::unique_ptr<keys::KeyProvider> provider_;
    std::string token_kid_;
    Moment last_look_;             // of the house-keeping, at the clocks
    SteadyTime clock_trusted_at_;  // from when on the wall clock decides again
    std::atomic<std::size_t> changes_waiting_ = 0;
    mutable std::mutex mutex_;
    std::shared_ptr<const VerifyingKeys> verifying_keys_;
    Worker worker_;  // the last: it ends before what its jobs use
};

}  // namespace rekey::server::signing
