#include "protocol/methods/signing_keys.hpp"

#include "keys/jwk.hpp"
#include "server/methods/parts.hpp"
#include "server/rpc/capabilities.hpp"
#include "server/signing/signing_keys.hpp"

#include <functional>
#include <map>
#include <memory>
#include <utility>

// signing_keys.*: what changes keys waits on the keys' own thread.
namespace rekey::server::methods {
namespace {

using keys::KeyDescription;
using protocol::KeyView;
using rpc::Caller;
using rpc::Task;

// Names and order are the same on both sides of the wire.
static_assert(static_cast<int>(protocol::KeyAlgorithm::hmac_sha256) ==
              static_cast<int>(keys::Algorithm::hmac_sha256));
static_assert(static_cast<int>(protocol::KeyUsage::derive) ==
              static_cast<int>(keys::KeyUse::derive));
static_assert(static_cast<int>(protocol::KeyVersionState::destroyed) ==
              static_cast<int>(keys::KeyState::destroyed));

protocol::KeyVersionView show(const signing::SigningKeys& signing, const std::string& kid,
                              const keys::KeyVersion& version) {
    protocol::KeyVersionView view{.version = static_cast<std::int64_t>(version.version),
                                  .state = static_cast<protocol::KeyVersionState>(version.state),
                                  .created_at = version.created_at,
                                  .activated_at = version.activated_at,
                                  .retired_at = version.retired_at,
                                  .destroy_at = version.destroy_at,
                                  .destroyed_at = version.destroyed_at,
                                  .jwk = {},
                                  .public_key_pem = {}};
    if (const auto jwk = signing.provider().public_jwk(kid, version.version); jwk.has_value()) {
        view.jwk = keys::to_json(*jwk);
        view.public_key_pem = jwk->key.to_pem();
    }
    return view;
}

KeyView show(const signing::SigningKeys& signing, const KeyDescription& key) {
    KeyView view{
        .kid = key.kid,
        .algorithm = static_cast<protocol::KeyAlgorithm>(key.spec.algorithm),
        .size_bits = static_cast<std::int64_t>(key.spec.size_bits),
        .uses = {},
        .export_policy = key.policy == keys::ExportPolicy::exportable ? "exportable" : "never",
        .label = key.spec.label,
        .tags = key.spec.tags,
        .signs_access_tokens = key.kid == signing.token_kid(),
        .created_at = key.created_at,
        .versions = {}};
    for (const keys::KeyUse use : key.spec.uses)
        view.uses.push_back(static_cast<protocol::KeyUsage>(use));
    for (const keys::KeyVersion& version : key.versions)
        view.versions.push_back(show(signing, key.kid, version));
    return view;
}

keys::Initiator initiator(const Caller& caller) {
    return {caller.agent_id, rpc::audit_details(caller)};
}

Result<keys::KeySpec> spec_of(const protocol::NewKey& wanted) {
    keys::KeySpec spec;
    spec.algorithm = static_cast<keys::Algorithm>(wanted.algorithm);
    spec.size_bits = static_cast<std::size_t>(wanted.size_bits.value_or(0));
    if (wanted.uses)
        for (const protocol::KeyUsage use : *wanted.uses)
            spec.uses.push_back(static_cast<keys::KeyUse>(use));
    spec.label = wanted.label.value_or("");
    spec.tags = wanted.tags.value_or(std::map<std::string, std::string>());
    for (const auto& [name, value] : spec.tags)
        if (name.empty() || name.starts_with("rekey."))
            return protocol::bad_field({"tags", "names that do not begin with \"rekey.\""});
    auto right = keys::checked(spec);
    if (right.has_value()) return right;
    keys::KeySpec without_size = spec;
    without_size.size_bits = 0;
    const bool is_size = keys::checked(without_size).has_value();
    return protocol::bad_field({is_size ? "size_bits" : "uses", right.error().message()});
}

Result<Secret> material_of(const protocol::SigningKeysImport::Params& params) {
    const auto algorithm = static_cast<keys::Algorithm>(params.algorithm);
    if (keys::class_of(algorithm) == keys::KeyClass::asymmetric) return params.private_key;
    auto bytes = from_base64url(params.private_key.expose());
    if (!bytes) return protocol::bad_field({"private_key", "32 bytes in base64url"});
    Secret raw({reinterpret_cast<const char*>(bytes->data()), bytes->size()});
    wipe_memory(bytes->data(), bytes->size());
    return raw;
}

using Change = std::function<Result<KeyDescription>(keys::KeyProvider&)>;

// `change`, and the next version that every key that signs has.
Task<Result<KeyView>> run_change(const Parts& parts, const Caller& caller, Change change) {
    auto start = [&parts, &caller, &change](const auto& answer) {
        auto made = std::make_shared<Result<KeyDescription>>(Error(Code::internal, "not run"));
        auto posted = parts.signing.change(
            {.run = [change = std::move(change),
                     made](keys::KeyProvider& provider) { *made = change(provider); },
             .still_allowed =
                 [caller](storage::Transaction& transaction, Time now) {
                     return rpc::require_still(transaction, caller, rpc::kEverything, now);
                 },
             .done = [made, answer] { answer(std::move(*made)); }});
        if (posted.has_error()) answer(Result<KeyDescription>(posted.error()));
    };
    auto changed = co_await rpc::await_callback<Result<KeyDescription>>(std::move(start));
    if (changed.has_error()) co_return Result<KeyView>(changed.error());
    co_return Result<KeyView>(show(parts.signing, *changed));
}

Result<KeyDescription> with_next_version(keys::KeyProvider& provider, Result<KeyDescription> key,
                                         const keys::Initiator& by) {
    if (key.has_error() || !key->spec.allows(keys::KeyUse::sign)) return key;
    // What was asked for is done: the house-keeping makes the next version if this cannot.
    auto published = provider.pre_publish(key->kid, by);
    return published.has_value() ? std::move(published) : std::move(key);
}

Task<Result<KeyView>> create(const Parts& parts, const Caller& caller, protocol::NewKey params) {
    auto spec = spec_of(params);
    if (spec.has_error()) co_return Result<KeyView>(spec.error());
    Change change = [spec = *spec, by = initiator(caller)](keys::KeyProvider& provider) {
        return with_next_version(provider, provider.create(spec, by), by);
    };
    co_return co_await run_change(parts, caller, std::move(change));
}

Task<Result<KeyView>> import(const Parts& parts, const Caller& caller,
                             protocol::SigningKeysImport::Params params) {
    auto spec = spec_of(params);
    if (spec.has_error()) co_return Result<KeyView>(spec.error());
    auto material = material_of(params);
    if (material.has_error()) co_return Result<KeyView>(material.error());
    Change change = [spec = *spec, secret = *material,
                     by = initiator(caller)](keys::KeyProvider& provider) {
        auto made = provider.import(spec, secret, by);
        if (made.has_error() && made.error().code() == Code::invalid_params)
            made = protocol::bad_field({"private_key", made.error().message()});
        return with_next_version(provider, std::move(made), by);
    };
    co_return co_await run_change(parts, caller, std::move(change));
}

Task<Result<KeyView>> rotate(const Parts& parts, const Caller& caller,
                             protocol::SigningKeysRotate::Params params) {
    Change change = [params, by = initiator(caller)](keys::KeyProvider& provider) {
        const auto rule =
            params.at_once ? keys::RotateRule::at_once : keys::RotateRule::when_published;
        return with_next_version(provider, provider.rotate(params.kid, rule, by), by);
    };
    co_return co_await run_change(parts, caller, std::move(change));
}

}  // namespace

void bind_signing_keys(rpc::Registry& registry, const Parts& parts) {
    using List = protocol::SigningKeysList;
    registry.bind<List>([&parts](const Caller&, const protocol::Nothing&) -> Result<List::Result> {
        List::Result result;
        for (const KeyDescription& key : parts.signing.provider().list())
            result.keys.push_back(show(parts.signing, key));
        return result;
    });
    registry.bind<protocol::SigningKeysGet>(
        [&parts](const Caller&, const protocol::SigningKeysGet::Params& params) -> Result<KeyView> {
            REKEY_TRY_ASSIGN(key, parts.signing.provider().describe(params.kid));
            return show(parts.signing, key);
        });
    registry.bind<protocol::SigningKeysCreate>(
        [&parts](const Caller& caller, protocol::NewKey params) {
            return create(parts, caller, std::move(params));
        });
    registry.bind<protocol::SigningKeysImport>(
        [&parts](const Caller& caller, protocol::SigningKeysImport::Params params) {
            return import(parts, caller, std::move(params));
        });
    registry.bind<protocol::SigningKeysRotate>(
        [&parts](const Caller& caller, protocol::SigningKeysRotate::Params params) {
            return rotate(parts, caller, std::move(params));
        });
    using Destroy = protocol::SigningKeysDestroy;
    registry.bind<Destroy>([&parts](const Caller& caller, const Destroy::Params& params) {
        Change change = [params, by = initiator(caller)](keys::KeyProvider& provider) {
            return provider.schedule_destruction(params.kid,
                                                 static_cast<std::uint64_t>(params.version),
                                                 std::chrono::days{params.days}, by);
        };
        return run_change(parts, caller, std::move(change));
    });
    using Cancel = protocol::SigningKeysCancelDestruction;
    registry.bind<Cancel>([&parts](const Caller& caller, const Cancel::Params& params) {
        Change change = [params, by = initiator(caller)](keys::KeyProvider& provider) {
            return provider.cancel_destruction(params.kid,
                                               static_cast<std::uint64_t>(params.version), by);
        };
        return run_change(parts, caller, std::move(change));
    });
}

}  // namespace rekey::server::methods
