#include "cli/verbs/signing_keys.hpp"

#include "base/durable_file.hpp"
#include "base/ids.hpp"
#include "base/limits.hpp"
#include "cli/agent_names.hpp"
#include "cli/signing_key_views.hpp"
#include "cli/verbs/print.hpp"

#include <fmt/ranges.h>

#include <algorithm>
#include <istream>
#include <map>
#include <utility>

namespace rekey::cli {
namespace {

using protocol::KeyView;

Error no_such_key(const std::string& name, const std::vector<KeyView>& keys) {
    std::vector<std::string> labels;
    for (const KeyView& key : keys)
        if (!key.label.empty()) labels.push_back(key.label);
    const std::vector<std::string> near = nearest_names(name, labels);
    return with_way_out(
        Error(Code::not_found, fmt::format("no key is called {}", printable(name))),
        near.empty()
            ? "To see them: rekeyctl signing-keys list"
            : fmt::format("Did you mean {}?", printable(fmt::to_string(fmt::join(near, " or ")))));
}

Result<std::string> find_kid(Api& api, const std::string& name) {
    if (is_uuid(name)) return name;
    REKEY_TRY_ASSIGN(answer, call<protocol::SigningKeysList>(api, {}));
    const std::vector<KeyView>& keys = answer.value.keys;
    const auto has_name = [&](const KeyView& key) { return key.label == name; };
    const auto found = std::ranges::find_if(keys, has_name);
    if (found == keys.end()) return no_such_key(name, keys);
    if (std::ranges::count_if(keys, has_name) > 1)
        return bad_argument(fmt::format("more than one key is called {}", printable(name)),
                            "Name it by its kid: rekeyctl signing-keys list");
    return found->kid;
}

void show_key(Context& context, const Answer<KeyView>& answer) {
    print(context, answer.json,
          [&] { return signing_key_text(answer.value, context.console.out, context.clock.now()); });
}

Error no_public_half() { return Error(Code::wrong_state, "a symmetric key has no public half"); }

Result<std::string> pem_of(const KeyView& key, const std::optional<std::int64_t>& number) {
    const auto wanted = std::ranges::find_if(key.versions, [&](const auto& version) {
        return number ? version.version == *number
                      : version.state == protocol::KeyVersionState::active;
    });
    if (wanted == key.versions.end())
        return Error(Code::not_found, number ? fmt::format("the key has no version {}", *number)
                                             : "the key has no active version");
    if (!wanted->public_key_pem) return no_public_half();
    std::string pem = *wanted->public_key_pem;
    if (!pem.ends_with('\n')) pem += '\n';
    return pem;
}

Result<protocol::NewKey> new_key(const NewSigningKeyOptions& options) {
    protocol::NewKey wanted;
    wanted.algorithm = options.algorithm;
    wanted.size_bits = options.bits;
    if (!options.uses.empty()) wanted.uses = options.uses;
    wanted.label = options.label;
    std::map<std::string, std::string> tags;
    for (const std::string& tag : options.tags) {
        const std::size_t equals = tag.find('=');
        if (equals == 0 || equals == std::string::npos)
            return bad_argument(fmt::format("{} is no tag", printable(tag)),
                                "A tag is NAME=VALUE, as in --tag team=web");
        tags[tag.substr(0, equals)] = tag.substr(equals + 1);
    }
    if (!tags.empty()) wanted.tags = std::move(tags);
    return wanted;
}

Error too_large(std::string_view where) {
    return bad_argument(fmt::format("{} holds more than a private key", where),
                        "One in PEM has a few kilobytes");
}

Result<std::string> read_private_file(const std::string& path) {
    const auto is_private = require_private(path);
    if (is_private.has_error() && is_private.error().code() == Code::permission_denied)
        return with_way_out(is_private.error(),
                            "If somebody may have read it, make another key instead");
    auto content = is_private.has_error() ? Result<std::string>(is_private.error())
                                          : read_file(path, limits::kKeyPemBytes);
    if (content.has_value()) return content;
    if (content.error().code() == Code::invalid_params) return too_large(printable(path));
    return bad_argument(fmt::format("{} cannot be read", printable(path)), "Check the path");
}

Result<std::string> read_standard_input(std::istream& in) {
    std::string text(limits::kKeyPemBytes + 1, '\0');
    in.read(text.data(), static_cast<std::streamsize>(text.size()));
    text.resize(static_cast<std::size_t>(in.gcount()));
    if (text.size() <= limits::kKeyPemBytes) return text;
    wipe_string(text);
    return too_large("standard input");
}

// The newline that an editor or `echo` puts behind it is none of a key in base64url; PEM has its
// own.
Result<Secret> read_private_key(Context& context, const std::string& file) {
    auto text = file == "-" ? read_standard_input(context.console.in) : read_private_file(file);
    if (text.has_error()) return text.error();
    std::string_view key = *text;
    while (!key.empty() && (key.back() == '\n' || key.back() == '\r' || key.back() == ' '))
        key.remove_suffix(1);
    Secret secret(key.starts_with("-----") ? std::string_view(*text) : key);
    wipe_string(*text);
    if (secret.empty())
        return bad_argument("there is no private key in it: it is empty",
                            "See: rekeyctl signing-keys import --help");
    return secret;
}

}  // namespace

Result<ExitCode> list_signing_keys(Context& context) {
    REKEY_TRY_ASSIGN(answer, call<protocol::SigningKeysList>(context.api, {}));
    print(context, answer.json,
          [&] { return signing_keys_table(answer.value.keys, context.clock.now()); });
    return ExitCode::ok;
}

Result<ExitCode> get_signing_key(Context& context, const GetSigningKeyOptions& options) {
    REKEY_TRY_ASSIGN(kid, find_kid(context.api, options.key));
    REKEY_TRY_ASSIGN(answer, call<protocol::SigningKeysGet>(context.api, {kid}));
    std::ostream& out = context.console.out.stream;
    if (options.show == ShowSigningKey::jwks) {
        const bool is_public = std::ranges::any_of(
            answer.value.versions, [](const auto& version) { return version.jwk.has_value(); });
        if (!is_public) return no_public_half();
        out << pretty_json(key_set_of(answer.value));
    } else if (options.show == ShowSigningKey::pem) {
        REKEY_TRY_ASSIGN(pem, pem_of(answer.value, options.version));
        out << pem;
    } else {
        show_key(context, answer);
    }
    return ExitCode::ok;
}

Result<ExitCode> create_signing_key(Context& context, const NewSigningKeyOptions& options) {
    REKEY_TRY_ASSIGN(wanted, new_key(options));
    REKEY_TRY_ASSIGN(answer, call<protocol::SigningKeysCreate>(context.api, wanted));
    show_key(context, answer);
    return ExitCode::ok;
}

Result<ExitCode> import_signing_key(Context& context, const ImportSigningKeyOptions& options) {
    REKEY_TRY_ASSIGN(wanted, new_key(options));
    REKEY_TRY_ASSIGN(secret, read_private_key(context, options.file));
    REKEY_TRY_ASSIGN(answer,
                     call<protocol::SigningKeysImport>(context.api, {std::move(wanted), secret}));
    show_key(context, answer);
    return ExitCode::ok;
}

Result<ExitCode> rotate_signing_key(Context& context, const RotateSigningKeyOptions& options) {
    REKEY_TRY_ASSIGN(kid, find_kid(context.api, options.key));
    REKEY_TRY_ASSIGN(
        answer, call<protocol::SigningKeysRotate>(
                    context.api, {kid, options.rule == RotateSigningKeyOptions::Rule::at_once}));
    show_key(context, answer);
    return ExitCode::ok;
}

Result<ExitCode> destroy_signing_key(Context& context, const DestroySigningKeyOptions& options) {
    const SigningKeyVersion& doomed = options.version;
    REKEY_TRY_ASSIGN(kid, find_kid(context.api, doomed.key));
    REKEY_TRY_ASSIGN(answer, call<protocol::SigningKeysDestroy>(
                                 context.api, {kid, doomed.version, options.days}));
    show_key(context, answer);
    hint(context,
         fmt::format("\nUntil its secret is destroyed, this puts it back: rekeyctl signing-keys "
                     "cancel-destruction {} {}",
                     kid, doomed.version));
    return ExitCode::ok;
}

Result<ExitCode> cancel_signing_key_destruction(Context& context,
                                                const SigningKeyVersion& version) {
    REKEY_TRY_ASSIGN(kid, find_kid(context.api, version.key));
    REKEY_TRY_ASSIGN(
        answer, call<protocol::SigningKeysCancelDestruction>(context.api, {kid, version.version}));
    show_key(context, answer);
    return ExitCode::ok;
}

}  // namespace rekey::cli
