#include "base/random.hpp"
#include "cli/exit_code.hpp"
#include "cli/target.hpp"
#include "protocol/token.hpp"
#include "tests/support/temporary_directory.hpp"

#include <boost/test/unit_test.hpp>

#include <filesystem>
#include <fstream>
#include <map>
#include <sys/stat.h>

using namespace rekey;
using namespace rekey::cli;
namespace fs = std::filesystem;

namespace {

const char* const kPem = "-----BEGIN CERTIFICATE-----\n";

struct Fixture {
    testing::TemporaryDirectory folder;
    fs::path root = folder.path();
    std::map<std::string, std::string, std::less<>> variables;
    TargetOptions options;
    Environment environment;
    std::string key;

    Fixture() {
        environment.variable = [this](std::string_view name) -> std::optional<std::string> {
            const auto found = variables.find(name);
            if (found == variables.end()) return std::nullopt;
            return found->second;
        };
        environment.system_data_dir = (root / "system").string();
        variables["XDG_STATE_HOME"] = (root / "state").string();
        SeededRandom random(7);
        key = protocol::mint_token(protocol::TokenKind::api_key, "k1", random).expose();
    }

    // What rekeyd leaves in its data directory.
    fs::path make_data_dir(const fs::path& path, const std::string& listen) const {
        fs::create_directories(path);
        write(path / "listen", listen + "\n", 0644);
        write(path / "admin.key", key + "\n", 0600);
        write(path / "ca.pem", kPem, 0644);
        return path;
    }
    static void write(const fs::path& path, const std::string& text, mode_t mode) {
        std::ofstream(path) << text;
        ::chmod(path.c_str(), mode);
    }
    [[nodiscard]] Result<Target> resolve() const { return resolve_target(options, environment); }
    [[nodiscard]] Error error() const {
        const auto target = resolve();
        BOOST_REQUIRE(target.has_error());
        return target.error();
    }
};

bool says(const Error& error, std::string_view words) {
    return error_line(error).find(words) != std::string::npos;
}

}  // namespace

BOOST_FIXTURE_TEST_SUITE(target_tests, Fixture)

BOOST_AUTO_TEST_CASE(on_the_servers_host_nothing_needs_to_be_said) {
    make_data_dir(root / "state/rekey", "127.0.0.1:40123");
    const auto target = resolve();
    BOOST_REQUIRE(target.has_value());
    BOOST_TEST(target->url() == "https://127.0.0.1:40123");
    BOOST_TEST(target->api_key.expose() == key);
    BOOST_REQUIRE(target->trust.has_value());
    BOOST_TEST((target->trust->root == net::Trust::Root::ca_pem));
    BOOST_TEST(target->trust->value == kPem);
}

BOOST_AUTO_TEST_CASE(root_looks_where_the_system_keeps_it_and_others_in_their_home) {
    make_data_dir(root / "system", "127.0.0.1:1");
    make_data_dir(root / "state/rekey", "127.0.0.1:2");
    make_data_dir(root / "home/.local/state/rekey", "127.0.0.1:3");
    BOOST_TEST(resolve()->address.port == 2);
    variables = {{"HOME", (root / "home").string()}};
    BOOST_TEST(resolve()->address.port == 3);
    environment.user = Environment::User::root;
    BOOST_TEST(resolve()->address.port == 1);
}

BOOST_AUTO_TEST_CASE(flags_go_before_variables_and_these_before_files) {
    make_data_dir(root / "a", "127.0.0.1:1");
    make_data_dir(root / "b", "127.0.0.1:2");
    variables["REKEY_DATA_DIR"] = (root / "a").string();
    BOOST_TEST(resolve()->address.port == 1);
    options.data_dir = (root / "b").string();
    BOOST_TEST(resolve()->address.port == 2);
    variables["REKEY_SERVER"] = "one.example:3";
    variables["REKEY_API_KEY"] = "from-variable";
    BOOST_TEST(resolve()->url() == "https://one.example:3");
    BOOST_TEST(resolve()->api_key.expose() == "from-variable");
    options.server = "two.example";
    write(root / "key", "from-file\n", 0600);
    options.api_key_file = (root / "key").string();
    BOOST_TEST(resolve()->url() == "https://two.example:7443");
    BOOST_TEST(resolve()->api_key.expose() == "from-file");
}

BOOST_AUTO_TEST_CASE(the_local_admins_key_is_not_sent_to_a_server_that_somebody_named) {
    make_data_dir(root / "state/rekey", "127.0.0.1:1");
    options.server = "elsewhere.example";
    BOOST_TEST((error().code() == Code::unknown_credential));
    BOOST_TEST(says(error(), "--api-key-file"));
    variables["REKEY_API_KEY"] = "a-key";
    BOOST_TEST((resolve()->trust->root == net::Trust::Root::system));
    // A directory that was named is meant.
    variables.erase("REKEY_API_KEY");
    options.data_dir = (root / "state/rekey").string();
    BOOST_TEST(resolve()->api_key.expose() == key);
    BOOST_TEST((resolve()->trust->root == net::Trust::Root::ca_pem));
}

BOOST_AUTO_TEST_CASE(a_server_that_listens_everywhere_is_reached_on_loopback) {
    make_data_dir(root / "state/rekey", "0.0.0.0:7443");
    BOOST_TEST(resolve()->url() == "https://127.0.0.1:7443");
    make_data_dir(root / "state/rekey", "[::]:7443");
    BOOST_TEST(resolve()->url() == "https://[::1]:7443");
}

BOOST_AUTO_TEST_CASE(plain_http_is_asked_for_and_beyond_loopback_twice) {
    make_data_dir(root / "state/rekey", "127.0.0.1:1");
    options.plain_http = true;
    BOOST_TEST(resolve()->url() == "http://127.0.0.1:1");
    options.plain_http = false;
    variables["REKEY_API_KEY"] = "a-key";
    options.server = "http://localhost:2/";
    BOOST_TEST(resolve()->url() == "http://localhost:2");
    options.server = "http://far.example:2";
    BOOST_TEST((error().code() == Code::invalid_params));
    BOOST_TEST(says(error(), "in the clear"));
    options.plain_http = true;
    BOOST_TEST(resolve()->url() == "http://far.example:2");
    options.server = "https://far.example";
    BOOST_TEST((error().code() == Code::invalid_params));
}

BOOST_AUTO_TEST_CASE(no_data_directory_says_what_to_give) {
    BOOST_TEST((error().code() == Code::unavailable));
    BOOST_TEST(says(error(), (root / "state/rekey/listen").string()));
    BOOST_TEST(says(error(), "--data-dir"));
    BOOST_TEST(says(error(), "--server"));
    // A server that root runs on this machine is the likeliest reason.
    fs::create_directories(root / "system");
    BOOST_TEST(says(error(), "sudo"));
}

BOOST_AUTO_TEST_CASE(a_key_that_others_can_read_is_refused_with_the_command_that_mends_it) {
    const fs::path dir = make_data_dir(root / "state/rekey", "127.0.0.1:1");
    ::chmod((dir / "admin.key").c_str(), 0640);
    BOOST_TEST((error().code() == Code::permission_denied));
    BOOST_TEST(says(error(), "chmod 600"));
    BOOST_TEST(!says(error(), "capability"));
    options.api_key_file = dir.string();
    ::chmod(dir.c_str(), 0700);
    BOOST_TEST(says(error(), "right file"));
}

BOOST_AUTO_TEST_CASE(a_file_that_was_named_and_is_not_there_is_named_in_the_error) {
    make_data_dir(root / "state/rekey", "127.0.0.1:1");
    options.api_key_file = (root / "nofile").string();
    BOOST_TEST((error().code() == Code::unknown_credential));
    BOOST_TEST((exit_code_of(error()) == ExitCode::permission));
    BOOST_TEST(says(error(), "there is no " + (root / "nofile").string()));
    BOOST_TEST(says(error(), "--api-key-file"));
    options.api_key_file.reset();
    options.ca_file = (root / "noca").string();
    BOOST_TEST((exit_code_of(error()) == ExitCode::usage));
    BOOST_TEST(says(error(), "there is no " + (root / "noca").string()));
}

BOOST_AUTO_TEST_CASE(a_missing_admin_key_says_how_to_get_one) {
    const fs::path dir = make_data_dir(root / "state/rekey", "127.0.0.1:1");
    fs::remove(dir / "admin.key");
    BOOST_TEST((error().code() == Code::unknown_credential));
    BOOST_TEST(says(error(), "admin-key --reset"));
}

BOOST_AUTO_TEST_CASE(what_is_no_api_key_is_said_without_repeating_it) {
    options.server = "one.example";
    SeededRandom random(1);
    const auto mint = [&](protocol::TokenKind kind) {
        return std::string(protocol::mint_token(kind, "id", random).expose());
    };
    std::string damaged = mint(protocol::TokenKind::api_key);
    damaged.back() = damaged.back() == 'x' ? 'y' : 'x';
    const std::pair<std::string, std::string_view> cases[] = {
        {mint(protocol::TokenKind::agent), "an agent's token"},
        {mint(protocol::TokenKind::enrollment_code), "an enrollment code"},
        {damaged, "checksum"},
        {"two words", "more than one word"},
        {"a\r\nX-Injected: 1", "more than one word"},
        {" \n", "empty"}};
    for (const auto& [text, words] : cases) {
        variables["REKEY_API_KEY"] = text;
        BOOST_TEST((error().code() == Code::unknown_credential));
        BOOST_TEST(says(error(), words), words);
        if (text.size() > 4) BOOST_TEST(!says(error(), text));
    }
}

BOOST_AUTO_TEST_CASE(addresses_are_read_strictly) {
    BOOST_TEST((*parse_address("host") == Address{"host", 7443}));
    BOOST_TEST((*parse_address("host:1") == Address{"host", 1}));
    BOOST_TEST((*parse_address("[::1]:65535") == Address{"::1", 65535}));
    BOOST_TEST((*parse_address("[::1]") == Address{"::1", 7443}));
    for (const std::string_view text : {"", ":1", "host:", "host:0", "host:65536", "host:1x", "::1",
                                        "[::1", "[::1]1", "host/path", "user@host", "a b"})
        BOOST_TEST(parse_address(text).has_error(), text);
}

BOOST_AUTO_TEST_SUITE_END()
