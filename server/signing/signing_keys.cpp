#include "server/signing/signing_keys.hpp"

#include "base/limits.hpp"
#include "keys/jws.hpp"

#include <algorithm>
#include <sysexits.h>
#include <utility>

namespace rekey::server::signing {
namespace {

constexpr std::string_view kTokenPurpose = "access-tokens";

// Signs with the version that its kid names, or says that another one has become active.
class VersionSigner final : public keys::JwsSigner {
  public:
    VersionSigner(const keys::KeyProvider& provider, const std::string& key, std::uint64_t version)
        : provider_(provider),
          key_(key),
          version_(version),
          kid_(key + "." + std::to_string(version)) {}
    [[nodiscard]] keys::Algorithm algorithm() const override { return keys::Algorithm::ed25519; }
    [[nodiscard]] const std::string& kid() const override { return kid_; }
    [[nodiscard]] Result<Bytes> sign(std::string_view message) const override {
        REKEY_TRY_ASSIGN(made, provider_.sign(key_, message));
        if (made.version != version_) return Error(Code::conflict, "the key was rotated");
        return std::move(made.bytes);
    }

  private:
    const keys::KeyProvider& provider_;
    const std::string& key_;
    std::uint64_t version_;
    std::string kid_;
};

const keys::KeyVersion* active_in(const std::vector<keys::KeyVersion>& versions) {
    const auto found = std::find_if(versions.begin(), versions.end(), [](const auto& version) {
        return version.state == keys::KeyState::active;
    });
    return found == versions.end() ? nullptr : &*found;
}

bool has_next(const keys::KeyDescription& key) {
    return std::any_of(key.versions.begin(), key.versions.end(), [](const auto& version) {
        return version.state == keys::KeyState::pre_published && !version.destroy_at;
    });
}

bool same_keys(const std::vector<keys::Jwk>& left, const std::vector<keys::Jwk>& right) {
    return std::equal(left.begin(), left.end(), right.begin(), right.end(),
                      [](const auto& one, const auto& other) { return one.kid == other.kid; });
}

}  // namespace

SigningKeys::SigningKeys(const Parts& parts)
    : parts_(parts),
      records_(parts.store, parts.clock),
      last_look_(Moment::of(parts.clock)),
      clock_trusted_at_(last_look_.steady) {
    auto provider =
        keys::LocalKeyProvider::open({records_, parts_.master_key, parts_.clock, parts_.random});
    if (provider.has_error())
        throw StartupError("the signing keys cannot be opened: " + provider.error().message(),
                           EX_DATAERR);
    provider_ = std::move(*provider);
    const Result<> ready = open_token_key();
    if (ready.has_error())
        throw StartupError("the key for access tokens cannot be made: " + ready.error().message(),
                           EX_IOERR);
    keep_house_or_say_why();
}

Result<> SigningKeys::open_token_key() {
    for (const keys::KeyDescription& key : provider_->list()) {
        const auto purpose = key.spec.tags.find(std::string(kPurposeTag));
        if (purpose != key.spec.tags.end() && purpose->second == kTokenPurpose)
            token_kid_ = key.kid;
    }
    if (!token_kid_.empty()) return {};
    keys::KeySpec spec;
    spec.algorithm = keys::Algorithm::ed25519;
    spec.label = "access tokens";
    spec.tags.emplace(kPurposeTag, kTokenPurpose);
    REKEY_TRY_ASSIGN(made, provider_->create(spec, {}));
    token_kid_ = made.kid;
    parts_.log.info("signing_key.created", {{"kid", token_kid_}});
    return {};
}

Result<std::string> SigningKeys::sign(std::string_view typ, std::string_view payload) const {
    // The key may be rotated between the look and the signature: then the header would lie.
    constexpr int kTries = 3;
    for (int tried = 0; tried < kTries; ++tried) {
        REKEY_TRY_ASSIGN(versions, provider_->list_versions(token_kid_));
        const keys::KeyVersion* active = active_in(versions);
        if (active == nullptr) break;
        auto token =
            keys::jws_sign(VersionSigner(*provider_, token_kid_, active->version), typ, payload);
        if (token.has_value() || token.error().code() != Code::conflict) return token;
    }
    return Error(Code::unavailable, "the signing key is being rotated");
}

std::shared_ptr<const VerifyingKeys> SigningKeys::verifying_keys() const {
    const std::lock_guard lock(mutex_);
    return verifying_keys_;
}

Result<> SigningKeys::change(Change change) {
    if (++changes_waiting_ > limits::kKeyChangesWaiting) {
        --changes_waiting_;
        return Error(Code::overloaded, "too many changes of keys wait");
    }
    worker_.post([this, change = std::move(change)] {
        {
            const StoreKeyRecords::Wish wish(records_, change.still_allowed);
            change.run(*provider_);
        }
        refresh();
        --changes_waiting_;
        change.done();
    });
    return {};
}

void SigningKeys::tick() {
    worker_.post([this] { keep_house_or_say_why(); });
}

// Nothing in it is worth a start that fails: a full disk must not lock the agents out.
void SigningKeys::keep_house_or_say_why() {
    const Result<> kept = keep_house();
    if (kept.has_error())
        parts_.log.warning("signing_keys.not_kept", {{"error", kept.error().message()}});
    refresh();
}

// A clock that is wrong for a minute must not end the days in which a destruction can be cancelled.
bool SigningKeys::clock_is_trusted() {
    const Moment now = Moment::of(parts_.clock);
    if (last_look_.jump_until(now) > Milliseconds(limits::kKeyClockJump)) {
        clock_trusted_at_ = now.steady + limits::kKeyClockSettles;
        parts_.log.warning("signing_keys.wait", {{"reason", "the clock was set"}});
    }
    last_look_ = now;
    return now.steady >= clock_trusted_at_;
}

Result<> SigningKeys::keep_house() {
    if (!clock_is_trusted()) return publish_next_versions();
    REKEY_TRY(provider_->destroy_due());
    REKEY_TRY(rotate_when_due());
    REKEY_TRY(publish_next_versions());
    return withdraw_old_versions();
}

Result<> SigningKeys::rotate_when_due() {
    REKEY_TRY_ASSIGN(key, provider_->describe(token_kid_));
    const keys::KeyVersion* active = active_in(key.versions);
    const std::chrono::days period{parts_.settings.snapshot()->signing_key_rotation_days};
    if (active == nullptr || !has_next(key) ||
        !has_passed(period, *active->activated_at, parts_.clock.now()))
        return {};
    const auto rotated = provider_->rotate(token_kid_, keys::RotateRule::when_published, {});
    // Published a moment ago, because its predecessor was withdrawn: the next tick finds it ready.
    if (rotated.has_error() && rotated.error().code() == Code::wrong_state) return {};
    if (rotated.has_error()) return rotated.error();
    parts_.log.info("signing_key.rotated", {{"kid", token_kid_}});
    return {};
}

Result<> SigningKeys::publish_next_versions() {
    for (const keys::KeyDescription& key : provider_->list()) {
        if (!key.spec.allows(keys::KeyUse::sign) || has_next(key) ||
            key.versions.size() >= limits::kKeyVersions)
            continue;
        REKEY_TRY(provider_->pre_publish(key.kid, {}));
    }
    return {};
}

Result<> SigningKeys::withdraw_old_versions() {
    REKEY_TRY_ASSIGN(versions, provider_->list_versions(token_kid_));
    for (const keys::KeyVersion& version : versions) {
        if (version.state != keys::KeyState::retiring || version.destroy_at ||
            !has_passed(limits::kRetiringKeyLife, *version.retired_at, parts_.clock.now()))
            continue;
        REKEY_TRY(provider_->schedule_destruction(token_kid_, version.version,
                                                  limits::kDestructionDelayMin, {}));
    }
    return {};
}

void SigningKeys::refresh() {
    auto set = provider_->jwks(token_kid_);
    if (set.has_error()) return;
    const std::lock_guard lock(mutex_);
    if (verifying_keys_ && same_keys(verifying_keys_->keys(), *set)) return;
    const std::uint64_t change = verifying_keys_ ? verifying_keys_->change() + 1 : 1;
    verifying_keys_ = std::make_shared<const VerifyingKeys>(change, std::move(*set));
}

}  // namespace rekey::server::signing
