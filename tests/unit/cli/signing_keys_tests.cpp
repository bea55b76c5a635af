#include "fake_server.hpp"
#include "protocol/methods/signing_keys.hpp"
#include "tests/support/temporary_directory.hpp"

#include <boost/json/serialize.hpp>
#include <boost/test/unit_test.hpp>

#include <fstream>
#include <sys/stat.h>

using namespace rekey;
using namespace rekey::cli;
using namespace rekey::cli::test;

namespace {

using protocol::KeyVersionState;
using protocol::KeyView;
namespace json = boost::json;

protocol::KeyVersionView version(std::int64_t number, KeyVersionState state) {
    protocol::KeyVersionView view;
    view.version = number;
    view.state = state;
    view.jwk = json::object{{"kty", "OKP"}, {"kid", "k." + std::to_string(number)}};
    view.public_key_pem = "PEM " + std::to_string(number) + "\n";
    return view;
}

KeyView key(unsigned number, const std::string& label) {
    KeyView view;
    view.kid = id_of(number);
    view.label = label;
    view.size_bits = 256;
    view.export_policy = "never";
    view.uses = {protocol::KeyUsage::sign, protocol::KeyUsage::verify};
    return view;
}

// Destroyed, taken out of use, retiring, active, next.
KeyView token_key() {
    KeyView view = key(21, "access tokens");
    view.signs_access_tokens = true;
    view.versions = {version(1, KeyVersionState::destroyed), version(2, KeyVersionState::retiring),
                     version(3, KeyVersionState::retiring), version(4, KeyVersionState::active),
                     version(5, KeyVersionState::pre_published)};
    view.versions[1].destroy_at = FakeClock().now() + std::chrono::days(7);
    return view;
}

KeyView symmetric_key() {
    KeyView view = key(22, "boxes");
    view.algorithm = protocol::KeyAlgorithm::aes_256_gcm;
    view.uses = {protocol::KeyUsage::encrypt, protocol::KeyUsage::decrypt};
    view.tags = {{"team", "web"}};
    view.versions = {version(1, KeyVersionState::active)};
    view.versions[0].jwk.reset();
    view.versions[0].public_key_pem.reset();
    return view;
}

struct SigningKeys : Rekeyctl {
    SigningKeys() {
        server.on<protocol::SigningKeysList>(
            [](const auto&) -> Result<protocol::SigningKeysList::Result> {
                return protocol::SigningKeysList::Result{
                    {token_key(), symmetric_key(), key(23, "twice"), key(24, "twice")}};
            });
        server.on<protocol::SigningKeysGet>([](const auto& params) -> Result<KeyView> {
            return params.kid == id_of(22) ? symmetric_key() : token_key();
        });
        answers<protocol::SigningKeysCreate>();
        answers<protocol::SigningKeysImport>();
        answers<protocol::SigningKeysRotate>();
        answers<protocol::SigningKeysDestroy>();
        answers<protocol::SigningKeysCancelDestruction>();
    }
    template <protocol::Method M>
    void answers() {
        server.on<M>([](const auto&) -> Result<KeyView> { return token_key(); });
    }
    std::string sent() { return json::serialize(server.calls().back().params); }
    std::string printed(std::vector<std::string> args, ExitCode code = ExitCode::ok) {
        out.str({});
        err.str({});
        args.insert(args.begin(), "signing-keys");
        const ExitCode ended = run(std::move(args));
        BOOST_TEST((ended == code), err.str());
        return out.str();
    }
    bool says(std::string_view words) const { return err.str().find(words) != std::string::npos; }
};

bool has(const std::string& text, std::string_view part) { return text.find(part) != text.npos; }

}  // namespace

BOOST_FIXTURE_TEST_SUITE(signing_keys_tests, SigningKeys)

BOOST_AUTO_TEST_CASE(a_list_names_each_key_and_what_signs_access_tokens) {
    const std::string text = printed({"list"});
    for (const std::string& part :
         {std::string("access tokens"), std::string("aes-256-gcm"), id_of(24)})
        BOOST_TEST(has(text, part), text);
    // As the method answered it.
    const json::value all = json::parse(printed({"list", "-o", "json"}));
    BOOST_TEST(all.at("keys").as_array().size() == 4U);
    BOOST_TEST(all.at("keys").at(0).at("versions").at(3).at("jwk").at("kid").as_string() == "k.4");
}

BOOST_AUTO_TEST_CASE(a_key_is_named_by_its_kid_or_by_the_label_that_no_other_has) {
    BOOST_TEST(has(printed({"get", "boxes"}), "team=web"));
    BOOST_TEST(sent() == R"({"kid":")" + id_of(22) + "\"}");
    const std::size_t before = server.calls().size();
    printed({"get", id_of(21)});
    BOOST_TEST(server.calls().size() == before + 1);
    printed({"get", "twice"}, ExitCode::usage);
    BOOST_TEST(says("more than one key is called twice"), err.str());
    printed({"get", "acces tokens"}, ExitCode::failure);
    BOOST_TEST(says("Did you mean access tokens?"), err.str());
    printed({"get", "nothing like it"}, ExitCode::failure);
    BOOST_TEST(says("rekeyctl signing-keys list"), err.str());
}

BOOST_AUTO_TEST_CASE(a_key_is_shown_with_each_of_its_versions) {
    const std::string text = printed({"get", "access tokens"});
    for (const char* part : {"ed25519, 256 bits", "sign verify", "destroyed", "out of use",
                             "retiring", "active", "pre_published", "(in 7d)"})
        BOOST_TEST(has(text, part), text);
    BOOST_TEST(json::parse(printed({"get", "boxes", "-o", "json"})).at("label").as_string() ==
               "boxes");
}

BOOST_AUTO_TEST_CASE(a_key_set_has_what_verifiers_believe_and_nothing_that_is_out_of_use) {
    const json::value set = json::parse(printed({"get", "access tokens", "--jwks"}));
    std::string kids;
    for (const json::value& one : set.at("keys").as_array())
        kids += std::string(one.at("kid").as_string()) + " ";
    BOOST_TEST(kids == "k.5 k.4 k.3 ");
    printed({"get", "boxes", "--jwks"}, ExitCode::failure);
    BOOST_TEST(says("no public half"), err.str());
}

BOOST_AUTO_TEST_CASE(a_public_half_in_pem_is_that_of_the_active_version_or_of_another) {
    BOOST_TEST(printed({"get", "access tokens", "--pem"}) == "PEM 4\n");
    BOOST_TEST(printed({"get", "access tokens", "--pem", "1"}) == "PEM 1\n");
    printed({"get", "access tokens", "--pem", "9"}, ExitCode::failure);
    BOOST_TEST(says("no version 9"), err.str());
    printed({"get", "boxes", "--pem"}, ExitCode::failure);
    printed({"get", "access tokens", "3"}, ExitCode::usage);
    printed({"get", "access tokens", "--pem", "--jwks"}, ExitCode::usage);
}

BOOST_AUTO_TEST_CASE(a_key_is_made_with_what_was_asked_for) {
    printed({"create"});
    BOOST_TEST(sent() == R"({"algorithm":"ed25519"})");
    printed({"create", "--algorithm", "rsa-pss", "--bits", "2048", "--use", "sign", "--use",
             "verify", "--label", "releases", "--tag", "team=web"});
    BOOST_TEST(sent() == R"({"algorithm":"rsa-pss","size_bits":2048,"uses":["sign","verify"],)"
                         R"("label":"releases","tags":{"team":"web"}})");
    printed({"create", "--algorithm", "des"}, ExitCode::usage);
    printed({"create", "--use", "guess"}, ExitCode::usage);
    printed({"create", "--tag", "team"}, ExitCode::usage);
}

BOOST_AUTO_TEST_CASE(a_private_key_comes_from_a_private_file_or_from_standard_input) {
    const testing::TemporaryDirectory folder;
    const std::string file = folder.file("key.pem");
    std::ofstream(file) << "-----BEGIN PRIVATE KEY-----\nhunter2\n-----END PRIVATE KEY-----\n";
    BOOST_REQUIRE(::chmod(file.c_str(), 0644) == 0);
    printed({"import", file}, ExitCode::permission);
    BOOST_REQUIRE(::chmod(file.c_str(), 0600) == 0);
    const std::string text = printed({"import", file, "--label", "old"});
    BOOST_TEST(sent() == R"({"algorithm":"ed25519","label":"old","private_key":)"
                         R"("-----BEGIN PRIVATE KEY-----\nhunter2\n-----END PRIVATE KEY-----\n"})");
    BOOST_TEST(!has(text, "hunter2"));
    in.str("AAAA\n");
    printed({"import", "-", "--algorithm", "hmac-sha256"});
    BOOST_TEST(sent() == R"({"algorithm":"hmac-sha256","private_key":"AAAA"})");

    const std::size_t before = server.calls().size();
    printed({"import", folder.file("none")}, ExitCode::usage);
    BOOST_TEST(says("cannot be read"), err.str());
    std::ofstream(file) << std::string(limits::kKeyPemBytes + 1, 'k');
    printed({"import", file}, ExitCode::usage);
    in.clear();
    in.str(std::string(limits::kKeyPemBytes + 1, 'k'));
    printed({"import", "-"}, ExitCode::usage);
    BOOST_TEST(says("more than a private key"), err.str());
    in.clear();
    in.str("\n");
    printed({"import", "-"}, ExitCode::usage);
    BOOST_TEST(says("empty"), err.str());
    BOOST_TEST(server.calls().size() == before);
}

BOOST_AUTO_TEST_CASE(rotation_waits_for_verifiers_unless_it_is_an_emergency) {
    BOOST_TEST(has(printed({"rotate", "access tokens"}), "pre_published"));
    BOOST_TEST(sent() == R"({"kid":")" + id_of(21) + R"(","at_once":false})");
    printed({"rotate", "access tokens", "--at-once"});
    BOOST_TEST(has(sent(), R"("at_once":true)"));
    server.on<protocol::SigningKeysRotate>([](const auto&) -> Result<KeyView> {
        return Error(Code::wrong_state, "published too short a time ago")
            .with("not_before", "2026-11-21T07:30:00.000Z");
    });
    printed({"rotate", "access tokens"}, ExitCode::failure);
    BOOST_TEST(says("not before 2026-11-21T07:30:00"), err.str());
}

BOOST_AUTO_TEST_CASE(destruction_is_scheduled_and_cancelled) {
    const std::string version = R"({"kid":")" + id_of(21) + R"(","version":3)";
    printed({"destroy", "access tokens", "3"});
    BOOST_TEST(sent() == version + R"(,"days":7})");
    printed({"destroy", "access tokens", "3", "--days", "30", "-o", "json"});
    BOOST_TEST(sent() == version + R"(,"days":30})");
    BOOST_TEST(json::parse(out.str()).at("kid").as_string() == id_of(21));
    printed({"destroy", "access tokens", "3", "--days", "6"}, ExitCode::usage);
    printed({"destroy", "access tokens", "none"}, ExitCode::usage);
    printed({"cancel-destruction", "access tokens", "3"});
    BOOST_TEST(sent() == version + "}");
    printed({"cancel-destruction", "access tokens"}, ExitCode::usage);
}

BOOST_AUTO_TEST_SUITE_END()
