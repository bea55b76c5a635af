#include "agent/daemon/arguments.hpp"

#include <boost/test/unit_test.hpp>

#include <cstdlib>

using namespace rekey;
using namespace rekey::agent;

BOOST_AUTO_TEST_SUITE(arguments_tests)

BOOST_AUTO_TEST_CASE(each_command_has_its_options) {
    const auto run = std::get<RunCommand>(
        parse_arguments({"run", "--state", "/s", "--on-rotate", "reload it", "--log-format", "json",
                         "--log-level", "debug", "--strict-times"}));
    BOOST_TEST(run.state_path == "/s");
    BOOST_TEST(run.on_rotate == "reload it");
    BOOST_TEST((run.log_format == LogFormat::json));
    BOOST_TEST((run.log_level == LogLevel::debug));
    BOOST_TEST((run.certificate_times == net::CertificateTimes::always_checked));
    const auto enroll =
        std::get<EnrollCommand>(parse_arguments({"enroll", "--join-file", "/j", "--replace"}));
    BOOST_TEST(enroll.join_file == "/j");
    BOOST_TEST((enroll.reenroll == Reenroll::replace));
    BOOST_TEST((std::get<EnrollCommand>(parse_arguments({"enroll"})).reenroll == Reenroll::refuse));
    const auto status = std::get<StatusCommand>(parse_arguments({"status", "-o", "json"}));
    BOOST_TEST((status.output == OutputFormat::json));
    BOOST_TEST(std::holds_alternative<VersionCommand>(parse_arguments({"version"})));
    BOOST_TEST(std::get<PrintUsage>(parse_arguments({"--help"})).exit_code == 0);
}

BOOST_AUTO_TEST_CASE(what_is_not_expected_ends_with_64_and_is_not_repeated) {
    const std::string secret = "rekey://h:1/?code=rke_SECRET";
    const std::vector<std::vector<std::string>> mistakes{
        {},
        {secret},
        {"enroll", secret},
        {"enroll", "--join-file", "/j", secret},
        {"enroll", "--code=" + secret},
        {"run", "--state", "/s", secret},
        {"run", "--log-format", secret},
        {"status", "-o", secret},
        {"version", secret},
        {"enroll", "--state"},
    };
    for (const auto& arguments : mistakes) {
        const Command command = parse_arguments(arguments);
        BOOST_REQUIRE(std::holds_alternative<PrintUsage>(command));
        BOOST_TEST(std::get<PrintUsage>(command).exit_code == 64);
        BOOST_TEST(std::get<PrintUsage>(command).text.find("SECRET") == std::string::npos);
    }
}

BOOST_AUTO_TEST_CASE(a_wrong_choice_is_told_with_the_right_ones) {
    const auto said = [](const std::vector<std::string>& arguments) {
        const auto usage = std::get<PrintUsage>(parse_arguments(arguments));
        BOOST_TEST(usage.exit_code == 64);
        return usage.text;
    };
    BOOST_TEST(said({"run", "--log-level", "loud"}) ==
               "rekey-agent: --log-level: \"loud\" is not one of debug, info, warning, error. "
               "See: rekey-agent --help\n");
    BOOST_TEST(said({"run", "--log-format", "xml"}).find("\"xml\" is not one of logfmt, json") !=
               std::string::npos);
    BOOST_TEST(said({"status", "-o", "rke_1_aB3"}).find("\"...\" is not one of text, json") !=
               std::string::npos);
}

BOOST_AUTO_TEST_CASE(the_state_file_has_a_place_of_its_own) {
    ::setenv("REKEY_STATE", "/from/the/environment", 1);
    BOOST_TEST(std::get<StatusCommand>(parse_arguments({"status"})).state_path ==
               "/from/the/environment");
    BOOST_TEST(std::get<StatusCommand>(parse_arguments({"status", "--state", "/s"})).state_path ==
               "/s");
    ::unsetenv("REKEY_STATE");
    BOOST_TEST(default_state_path().ends_with("/rekey-agent/state.json"));
}

BOOST_AUTO_TEST_SUITE_END()
