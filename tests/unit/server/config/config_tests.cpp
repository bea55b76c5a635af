#include "server/config/config.hpp"
#include "tests/support/temporary_directory.hpp"

#include <boost/json/serialize.hpp>
#include <boost/test/unit_test.hpp>

#include <cstdlib>
#include <fstream>
#include <iterator>
#include <string>
#include <vector>

using namespace rekey;
using namespace rekey::server;
using namespace rekey::server::config;

namespace {

// A TOML file that goes with the test.
class ConfigFile {
  public:
    explicit ConfigFile(const std::string& content) { std::ofstream(path_) << content; }
    [[nodiscard]] const std::string& path() const { return path_; }

  private:
    rekey::testing::TemporaryDirectory folder_;
    std::string path_ = folder_.file("rekeyd.toml");
};

Result<CommandLine> parse(std::vector<const char*> arguments) {
    arguments.insert(arguments.begin(), "rekeyd");
    auto parsed = read_command_line(static_cast<int>(arguments.size()), arguments.data());
    if (parsed.has_error()) return parsed.error();
    return std::get<CommandLine>(*parsed);
}

Result<Config> load(std::vector<const char*> arguments, Environment environment = {}) {
    environment.try_emplace("HOME", "/home/somebody");
    const auto line = parse(std::move(arguments));
    if (line.has_error()) return line.error();
    return load_config(*line, environment);
}

std::string failure(const Result<Config>& config) {
    BOOST_REQUIRE(config.has_error());
    return config.error().message();
}

bool mentions(const std::string& text, std::string_view part) {
    return text.find(part) != std::string::npos;
}

}  // namespace

BOOST_AUTO_TEST_SUITE(config_tests)

BOOST_AUTO_TEST_CASE(a_flag_wins_over_a_variable_over_the_file_over_the_default) {
    const ConfigFile file("listen = \"127.0.0.1:3\"\nlog_format = \"json\"\nshards = 2\n");
    const auto all = load({"--config", file.path().c_str(), "--listen", "127.0.0.1:1"},
                          {{"REKEY_LISTEN", "127.0.0.1:2"}, {"REKEY_SHARDS", "3"}});
    BOOST_REQUIRE(all.has_value());
    BOOST_TEST(all->options.listen.port == 1);
    BOOST_TEST(all->options.shards == 3);
    BOOST_TEST((all->options.log_format == LogFormat::json));
    BOOST_TEST((all->options.log_level == LogLevel::info));

    const auto variable =
        load({"--config", file.path().c_str()}, {{"REKEY_LISTEN", "127.0.0.1:2"}});
    BOOST_TEST(variable->options.listen.port == 2);
    const auto from_file = load({}, {{"REKEY_CONFIG", file.path()}});
    BOOST_TEST(from_file->options.listen.port == 3);
    BOOST_TEST(load({})->options.listen.port == 7443);
}

BOOST_AUTO_TEST_CASE(settings_have_the_same_order_and_say_where_they_come_from) {
    const ConfigFile file("heartbeat_seconds = 10\ndrain_seconds = 1\njwt_minutes = 3\n");
    const auto config = load({"--config", file.path().c_str()},
                             {{"REKEY_HEARTBEAT_SECONDS", "20"}, {"REKEY_JWT_MINUTES", "4"}});
    BOOST_REQUIRE(config.has_value());
    const boost::json::object set{{"jwt_minutes", 5}};
    const auto values = config->settings.combine(set);
    BOOST_TEST(values->drain_seconds == 1);
    BOOST_TEST(values->heartbeat_seconds == 20);
    BOOST_TEST(values->jwt_minutes == 5);
    BOOST_TEST(values->recovery_budget == 3);
    using protocol::SettingSource;
    BOOST_TEST((config->settings.source_of("drain_seconds", set) == SettingSource::file));
    BOOST_TEST(
        (config->settings.source_of("heartbeat_seconds", set) == SettingSource::environment));
    BOOST_TEST((config->settings.source_of("jwt_minutes", set) == SettingSource::set));
    BOOST_TEST((config->settings.source_of("recovery_budget", set) == SettingSource::preset));
}

BOOST_AUTO_TEST_CASE(a_stored_setting_that_is_not_allowed_any_more_is_left_out_and_named) {
    std::vector<std::string> ignored;
    const auto values = SettingLayers().combine(
        {{"heartbeat_seconds", 100000}, {"of_another_version", 1}, {"drain_seconds", 0}}, &ignored);
    BOOST_TEST(values->heartbeat_seconds == 30);
    BOOST_TEST(values->drain_seconds == 0);
    BOOST_TEST(ignored.size() == 2U);
}

BOOST_AUTO_TEST_CASE(a_bad_file_is_named_with_the_key_and_what_belongs_there) {
    const ConfigFile unknown("hartbeat_seconds = 30\n");
    const auto message = failure(load({"--config", unknown.path().c_str()}));
    BOOST_TEST(mentions(message, unknown.path() + ": hartbeat_seconds"));

    const ConfigFile range("heartbeat_seconds = 1\n");
    const auto too_small = failure(load({"--config", range.path().c_str()}));
    BOOST_TEST(mentions(too_small, "heartbeat_seconds"));
    BOOST_TEST(mentions(too_small, "from 5 to 600"));
    BOOST_TEST(too_small == range.path() + ": heartbeat_seconds: expected integer from 5 to 600");

    const ConfigFile table("[server]\nlisten = \"127.0.0.1:1\"\n");
    BOOST_TEST(mentions(failure(load({"--config", table.path().c_str()})), "\"server\""));
    const ConfigFile broken("listen = \n");
    BOOST_TEST(mentions(failure(load({"--config", broken.path().c_str()})), ":1: not TOML"));
    // What the parser itself did not expect ends no process.
    const ConfigFile unexpected("[;server]\n");
    BOOST_TEST(mentions(failure(load({"--config", unexpected.path().c_str()})), ": not TOML"));
    std::string endless = "a";
    for (int part = 0; part < 130'000; ++part) endless += ".a";
    const ConfigFile deep(endless + " = 1\n");
    BOOST_TEST(mentions(failure(load({"--config", deep.path().c_str()})), ": not TOML"));
    const auto absent = failure(load({"--config", "/nowhere/rekeyd.toml"}));
    BOOST_TEST(mentions(absent, "/nowhere/rekeyd.toml"));
    BOOST_TEST((load({"--config", "/nowhere/rekeyd.toml"}).error().code() == Code::not_found));
    const ConfigFile itself("config = \"x\"\n");
    BOOST_TEST(mentions(failure(load({"--config", itself.path().c_str()})), "config"));
}

BOOST_AUTO_TEST_CASE(a_wrong_choice_or_number_is_told_with_the_right_ones) {
    BOOST_TEST(failure(load({"--log-level", "loud"})) ==
               "--log-level: \"loud\" is not one of debug, info, warning, error, off");
    BOOST_TEST(failure(load({}, {{"REKEY_LOG_FORMAT", "xml"}})) ==
               "REKEY_LOG_FORMAT: \"xml\" is not one of logfmt, json");
    BOOST_TEST(failure(load({"--shards", "0"})) == "--shards: 0 is not within 1 to 64");
    BOOST_TEST(failure(load({"--shards", "few"})) ==
               "--shards: \"few\" is not a whole number from 1 to 64");
}

BOOST_AUTO_TEST_CASE(what_the_parser_does_not_understand_is_told_in_words) {
    BOOST_TEST(mentions(failure(load({"--nonsense"})), "--nonsense was not expected; see"));
    BOOST_TEST(mentions(failure(load({"--listen"})), "--listen needs a value: HOST:PORT; see"));
}

BOOST_AUTO_TEST_CASE(contradicting_settings_end_the_start) {
    const ConfigFile file("rotate_at_fraction_min = 0.9\nrotate_at_fraction_max = 0.5\n");
    BOOST_TEST(mentions(failure(load({"--config", file.path().c_str()})), "rotate_at_fraction"));
}

BOOST_AUTO_TEST_CASE(a_bad_variable_is_named_and_an_unknown_one_is_a_warning) {
    const auto message = failure(load({}, {{"REKEY_HEARTBEAT_SECONDS", "soon"}}));
    BOOST_TEST(mentions(message, "REKEY_HEARTBEAT_SECONDS"));
    const auto config = load(
        {}, {{"REKEY_HARTBEAT_SECONDS", "30"}, {"REKEY_STATE", "/of/the/agent"}, {"OTHER", "x"}});
    BOOST_REQUIRE(config.has_value());
    BOOST_REQUIRE(config->unknown_variables.size() == 1U);
    BOOST_TEST(config->unknown_variables.front() == "REKEY_HARTBEAT_SECONDS");
}

BOOST_AUTO_TEST_CASE(what_is_not_safe_or_makes_no_sense_is_refused_with_the_way_out) {
    BOOST_TEST(mentions(
        failure(load({"--plain-http", "--listen", "192.0.2.1:80", "--advertise", "192.0.2.1:80"})),
        "--plain-http-anywhere"));
    BOOST_TEST(load({"--plain-http-anywhere", "--listen", "192.0.2.1:80"}).has_value());
    BOOST_TEST(load({"--plain-http"}).has_value());
    BOOST_TEST(mentions(failure(load({"--listen", "0.0.0.0:7443"})), "--advertise"));
    BOOST_TEST(mentions(failure(load({"--listen", "[::]:7443"})), "--advertise"));
    BOOST_TEST(
        load({"--listen", "0.0.0.0:7443", "--advertise", "rekey.example.com:7443"}).has_value());
    BOOST_TEST(mentions(failure(load({"--advertise", "0.0.0.0:1"})), "wildcard"));
    BOOST_TEST(mentions(failure(load({"--cert", "chain.pem"})), "--key"));
    BOOST_TEST(mentions(failure(load({"--proxy-header", "forwarded"})), "--trusted-proxies"));
    for (const char* header : {"forwarded", "Forwarded", "X-Forwarded-For"})
        BOOST_TEST(load({"--proxy-header", header, "--trusted-proxies", "10.0.0.1"}).has_value());
    BOOST_TEST(mentions(failure(load({"--proxy-header", "X-Real-IP"})), "x-forwarded-for"));
    BOOST_TEST(mentions(failure(load({"--shards", "0"})), "--shards"));
    BOOST_TEST(mentions(failure(load({"--log-level", "loud"})), "loud"));
    BOOST_TEST(mentions(failure(load({"--listen", "7443"})), "HOST:PORT"));
}

BOOST_AUTO_TEST_CASE(flags_stand_before_or_after_the_command) {
    BOOST_TEST(load({"serve", "--listen", "127.0.0.1:5"})->options.listen.port == 5);
    BOOST_TEST(load({"--listen", "127.0.0.1:5", "serve"})->options.listen.port == 5);
    // A wrapper's flag is overruled by what stands after it.
    BOOST_TEST(load({"--listen", "127.0.0.1:5", "--listen", "127.0.0.1:6"})->options.listen.port ==
               6);
    const auto reset = parse({"admin-key", "--reset", "--data-dir", "/srv/rekey"});
    BOOST_REQUIRE(reset.has_value());
    BOOST_TEST((reset->command == Command::reset_admin_key));
    BOOST_TEST(reset->flags.at("data_dir").text == "/srv/rekey");
    BOOST_TEST(parse({"admin-key"}).has_error());
    BOOST_TEST(mentions(parse({"--lisen", "x"}).error().message(), "--help"));
    BOOST_TEST(parse({"server"}).has_error());
}

BOOST_AUTO_TEST_CASE(help_names_every_flag) {
    const std::vector<const char*> arguments{"rekeyd", "--help"};
    const auto parsed = read_command_line(2, arguments.data());
    const auto& help = std::get<PrintAndExit>(*parsed).text;
    for (const auto& flag : flags_table()) BOOST_TEST(mentions(help, flag_name(flag)));
}

BOOST_AUTO_TEST_CASE(a_file_of_variables_is_weaker_than_real_ones_and_stronger_than_the_file) {
    const ConfigFile variables(
        "# a comment\n\nexport REKEY_SHARDS=2\r\nREKEY_LOG_FORMAT = \"json\"\n"
        "REKEY_JWT_MINUTES='7'\nREKEY_HEARTBEAT_SECONDS=17\nOTHER=a=b # c\n"
        "JWT_SECRET_KEY=secret-of-aims\nREKEY_NO_SUCH=1");
    const ConfigFile file("shards = 3\nlog_level = \"debug\"\nheartbeat_seconds = 18\n");
    const auto config =
        load({"--env-file", variables.path().c_str(), "--config", file.path().c_str()},
             {{"REKEY_HEARTBEAT_SECONDS", "16"}});
    BOOST_REQUIRE(config.has_value());
    BOOST_TEST(config->options.shards == 2U);
    BOOST_TEST((config->options.log_format == LogFormat::json));
    BOOST_TEST((config->options.log_level == LogLevel::debug));
    const auto settings = config->settings.combine({}).value();
    BOOST_TEST(settings.jwt_minutes == 7);
    BOOST_TEST(settings.heartbeat_seconds == 16);
    BOOST_TEST(
        (config->unknown_variables == std::vector<std::string>{"JWT_SECRET_KEY", "REKEY_NO_SUCH"}));
    BOOST_TEST(load({}, {{"REKEY_ENV_FILE", variables.path()}})->options.shards == 2U);
}

BOOST_AUTO_TEST_CASE(a_wrong_file_of_variables_is_told_by_its_line_alone) {
    for (const char* line : {"REKEY_SHARDS", "=1", "1A=1", "A B=1", "A=\"x", "A='x\"", "A='"}) {
        const ConfigFile variables("GOOD=1\n" + std::string(line) + "\n");
        const auto message = failure(load({"--env-file", variables.path().c_str()}));
        BOOST_TEST(mentions(message, variables.path() + ":2: expected NAME=VALUE"), message);
    }
    const ConfigFile out_of_range("REKEY_SHARDS=0\n");
    BOOST_TEST(
        mentions(failure(load({"--env-file", out_of_range.path().c_str()})), "REKEY_SHARDS"));
    const auto missing = load({"--env-file", "/no/such/file"});
    BOOST_REQUIRE(missing.has_error());
    BOOST_TEST((missing.error().code() == Code::not_found));
}

BOOST_AUTO_TEST_CASE(hosts_and_origins_are_lists_of_exact_names) {
    using Names = std::vector<std::string>;
    const auto config =
        load({"--allowed-hosts", "Rekey.example.com, 192.0.2.7,[2001:db8::1]", "--cors-origins",
              "https://Console.example.com:443,http://localhost:3000"});
    BOOST_REQUIRE(config.has_value());
    BOOST_TEST(
        (config->options.allowed_hosts == Names{"rekey.example.com", "192.0.2.7", "2001:db8::1"}));
    BOOST_TEST((config->options.cors_origins ==
                Names{"https://console.example.com", "http://localhost:3000"}));
    BOOST_TEST(describe(config->options).at("cors_origins") ==
               "https://console.example.com,http://localhost:3000");
    BOOST_TEST(load({})->options.cors_origins.empty());
    for (const char* wrong : {"*", "https://*.example.com", "console.example.com", "null",
                              "https://a/", "https://a/b", "ftp://a", "https://", "https://u@a",
                              "https://a:0", "https://a,", ",https://a", "https://a b"}) {
        const auto message = failure(load({"--cors-origins", wrong}));
        BOOST_TEST(mentions(message, "--cors-origins: "), wrong);
    }
    for (const char* wrong : {"a:1", "a,,b", "*", "https://a", "a/b"}) {
        BOOST_TEST(mentions(failure(load({"--allowed-hosts", wrong})), "--allowed-hosts: "), wrong);
    }
}

// docs/configuration.md is written by hand; this keeps it true.
BOOST_AUTO_TEST_CASE(the_reference_lists_every_flag_and_setting_as_it_is) {
    std::ifstream file(REKEY_SOURCE_DIR "/docs/configuration.md");
    const std::string text(std::istreambuf_iterator<char>(file), {});
    BOOST_REQUIRE(!text.empty());
    for (const auto& flag : flags_table()) {
        const bool takes_text = flag.kind == FlagInfo::Kind::text;
        const std::string usage =
            flag_name(flag) + (takes_text ? " " + std::string(flag.placeholder) : "");
        BOOST_TEST(mentions(text, "| `" + usage + "` | `" + flag_variable(flag) + "` |"), usage);
    }
    const auto shown = [](const boost::json::value& value) {
        return value.is_string() ? std::string(value.get_string()) : boost::json::serialize(value);
    };
    for (const auto& info : protocol::settings_table()) {
        const auto preset = protocol::get_setting(protocol::Settings{}, info);
        const std::string start = "| `" + std::string(info.name) + "` | ";
        const auto row = text.find(start);
        BOOST_TEST_REQUIRE((row != std::string::npos), info.name);
        const std::string line = text.substr(row, text.find('\n', row) - row);
        if (preset.is_double()) {
            BOOST_TEST(
                mentions(line, info.name == "rotate_at_fraction_min" ? "| 0.7 |" : "| 0.9 |"));
        } else {
            BOOST_TEST(mentions(line, start + shown(preset) + " |"), line);
        }
        if (preset.is_int64()) {
            BOOST_TEST(
                mentions(line, "| " + std::to_string(static_cast<std::int64_t>(info.min)) + " to " +
                                   std::to_string(static_cast<std::int64_t>(info.max))),
                line);
        }
    }
}

BOOST_AUTO_TEST_CASE(addresses) {
    BOOST_TEST((parse_host_port("[::1]:7443") == HostPort{"::1", 7443}));
    BOOST_TEST(parse_host_port("[::1]:7443")->text() == "[::1]:7443");
    BOOST_TEST((parse_host_port("example.com:0") == HostPort{"example.com", 0}));
    for (const char* wrong : {"", "example.com", ":1", "a:", "a:65536", "a:-1", "a:1x", "::1:7443",
                              "[::1]7443", "a b:1", "http://a:1"}) {
        BOOST_TEST(!parse_host_port(wrong).has_value(), wrong);
    }
    BOOST_TEST(is_wildcard("0.0.0.0"));
    BOOST_TEST(is_wildcard("::"));
    BOOST_TEST(!is_wildcard("10.0.0.1"));
}

BOOST_AUTO_TEST_SUITE_END()
