#include "cli/signing_key_commands.hpp"

#include "base/limits.hpp"
#include "base/option_checks.hpp"
#include "cli/on_chosen.hpp"
#include "cli/verbs/signing_keys.hpp"

#include <limits>
#include <memory>
#include <string>

namespace rekey::cli {
namespace {

constexpr auto kAlgorithms = names_of(protocol::KeyAlgorithm{});
constexpr auto kUsages = names_of(protocol::KeyUsage{});
constexpr std::int64_t kLastVersion = std::numeric_limits<std::int64_t>::max();

void add_key(CLI::App* command, std::string& key) {
    command->add_option("KEY", key, "Its kid, or its label if no other has it")->required();
}

void add_version(CLI::App* command, SigningKeyVersion& version) {
    add_key(command, version.key);
    command->add_option("VERSION", version.version, "Its number")
        ->required()
        ->check(whole_number(1, kLastVersion));
}

void add_reading(CLI::App& keys, Verb& chosen) {
    CLI::App* list = keys.add_subcommand("list", "List the server's keys, oldest first");
    list->footer("Example:\n  rekeyctl signing-keys list");
    list->callback([&chosen] { chosen = list_signing_keys; });

    auto options = std::make_shared<GetSigningKeyOptions>();
    CLI::App* get = keys.add_subcommand("get", "Show a key, its versions and its public half");
    add_key(get, options->key);
    auto* jwks = get->add_flag_callback(
        "--jwks", [options] { options->show = ShowSigningKey::jwks; },
        "Print only the JSON Web Key Set of the versions that are in use");
    auto* pem = get->add_flag_callback(
                       "--pem", [options] { options->show = ShowSigningKey::pem; },
                       "Print only the public half of one version, in PEM")
                    ->excludes(jwks);
    get->add_option("VERSION", options->version, "With --pem: not the active one, but this")
        ->check(whole_number(1, kLastVersion))
        ->needs(pem);
    get->footer(
        "Private and symmetric keys never come out.\n\n"
        "Examples:\n"
        "  rekeyctl signing-keys get 'access tokens'\n"
        "  rekeyctl signing-keys get 'access tokens' --jwks > keys.json\n"
        "  rekeyctl signing-keys get releases --pem 2 > releases.pem");
    on_chosen(get, chosen, options, get_signing_key);
}

void add_what_it_is(CLI::App* command, NewSigningKeyOptions& options) {
    command->add_option("--algorithm", options.algorithm, "What it computes")
        ->option_text("ALGORITHM (ed25519)")
        ->transform(choice(kAlgorithms));
    command->add_option("--bits", options.bits, "Of an RSA key: 2048 to 4096; else 3072")
        ->option_text("BITS")
        ->check(whole_number(256, limits::kRsaBitsMax));
    command
        ->add_option("--use", options.uses, "Only this of what its algorithm can; again for more")
        ->option_text("USE ...")
        ->allow_extra_args(false)
        ->transform(choice(kUsages));
    command->add_option("--label", options.label, "What people call it")->option_text("TEXT");
    command->add_option("--tag", options.tags, "For programs; may be given again")
        ->option_text("NAME=VALUE ...")
        ->allow_extra_args(false);
}

constexpr const char* kWords =
    "Algorithms: ed25519, ecdsa-p256, rsa-pss, aes-256-gcm, hmac-sha256.\n"
    "Uses: sign, verify, encrypt, decrypt, mac, derive.\n\n";

void add_making(CLI::App& keys, Verb& chosen) {
    auto made = std::make_shared<NewSigningKeyOptions>();
    CLI::App* create = keys.add_subcommand("create", "Make a key that never leaves the server");
    add_what_it_is(create, *made);
    create->footer(std::string(kWords) +
                   "Examples:\n"
                   "  rekeyctl signing-keys create --label releases\n"
                   "  rekeyctl signing-keys create --algorithm rsa-pss --bits 4096 --tag team=web");
    on_chosen(create, chosen, made, create_signing_key);

    auto brought = std::make_shared<ImportSigningKeyOptions>();
    CLI::App* import =
        keys.add_subcommand("import", "Take in a private key that was made elsewhere");
    import
        ->add_option("FILE", brought->file,
                     "Unencrypted PKCS#8 in PEM, of a symmetric key 32 bytes in base64url; - "
                     "reads standard input")
        ->required();
    add_what_it_is(import, *brought);
    import->footer(std::string(kWords) +
                   "A file that others can read is refused.\n\n"
                   "Examples:\n"
                   "  rekeyctl signing-keys import key.pem --label releases\n"
                   "  openssl genpkey -algorithm ed25519 | rekeyctl signing-keys import -");
    on_chosen(import, chosen, brought, import_signing_key);
}

void add_changing(CLI::App& keys, Verb& chosen) {
    auto rotated = std::make_shared<RotateSigningKeyOptions>();
    CLI::App* rotate = keys.add_subcommand(
        "rotate", "Put a key's next version to work; the one before still verifies");
    add_key(rotate, rotated->key);
    rotate->add_flag_callback(
        "--at-once", [rotated] { rotated->rule = RotateSigningKeyOptions::Rule::at_once; },
        "An emergency: do not wait until verifiers can know the next version");
    rotate->footer(
        "A stolen key: rotate it at once, then destroy the version that was active.\n\n"
        "Examples:\n"
        "  rekeyctl signing-keys rotate 'access tokens'\n"
        "  rekeyctl signing-keys rotate 'access tokens' --at-once");
    on_chosen(rotate, chosen, rotated, rotate_signing_key);

    auto destroyed = std::make_shared<DestroySigningKeyOptions>();
    CLI::App* destroy = keys.add_subcommand(
        "destroy", "Take a version out of use now, and destroy its secret after some days");
    add_version(destroy, destroyed->version);
    destroy
        ->add_option("--days", destroyed->days,
                     "How long it can be cancelled: rekeyctl signing-keys cancel-destruction")
        ->option_text("DAYS (7)")
        ->check(whole_number(7, 30));
    destroy->footer(
        "Not the active version: rotate first.\n\n"
        "Examples:\n"
        "  rekeyctl signing-keys destroy 'access tokens' 3\n"
        "  rekeyctl signing-keys destroy releases 1 --days 30");
    on_chosen(destroy, chosen, destroyed, destroy_signing_key);

    auto kept = std::make_shared<SigningKeyVersion>();
    CLI::App* cancel = keys.add_subcommand("cancel-destruction",
                                           "Put a version that is to be destroyed back as it was");
    add_version(cancel, *kept);
    cancel->footer("Example:\n  rekeyctl signing-keys cancel-destruction releases 1");
    on_chosen(cancel, chosen, kept, cancel_signing_key_destruction);
}

}  // namespace

void add_signing_key_commands(CLI::App& app, Verb& chosen) {
    CLI::App* keys = app.add_subcommand(
        "signing-keys", "Make, show, rotate and destroy the keys that the server keeps");
    keys->require_subcommand(1);
    keys->footer("Help on one, with examples: rekeyctl signing-keys COMMAND --help");
    add_reading(*keys, chosen);
    add_making(*keys, chosen);
    add_changing(*keys, chosen);
}

}  // namespace rekey::cli
