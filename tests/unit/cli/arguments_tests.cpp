#include "cli/arguments.hpp"
#include "fake_server.hpp"

#include <boost/test/unit_test.hpp>

using namespace rekey;
using namespace rekey::cli;
using namespace rekey::cli::test;

namespace {

using Args = std::vector<std::string>;

ParserAnswer refused(Args args) {
    const auto parsed = parse_arguments(std::move(args));
    BOOST_REQUIRE(std::holds_alternative<ParserAnswer>(parsed));
    return std::get<ParserAnswer>(parsed);
}

}  // namespace

BOOST_AUTO_TEST_SUITE(arguments_tests)

BOOST_AUTO_TEST_CASE(global_options_may_stand_before_and_after_the_verb) {
    for (const Args& args :
         {Args{"-o", "json", "--server", "h:1", "--plain-http", "agents", "list"},
          Args{"agents", "list", "-o", "json", "--plain-http", "--server", "h:1"}}) {
        const auto parsed = parse_arguments(args);
        BOOST_REQUIRE(std::holds_alternative<Arguments>(parsed));
        const auto& arguments = std::get<Arguments>(parsed);
        BOOST_TEST((arguments.format == Format::json));
        BOOST_TEST(arguments.target.server.value_or("") == "h:1");
        BOOST_TEST(arguments.target.plain_http);
        BOOST_TEST(!arguments.target.data_dir.has_value());
        BOOST_TEST(static_cast<bool>(arguments.verb));
    }
}

BOOST_AUTO_TEST_CASE(what_is_not_understood_is_usage_and_names_the_help) {
    const std::pair<Args, std::string_view> cases[] = {
        {{}, "rekeyctl --help"},
        {{"agents"}, "rekeyctl agents --help"},
        {{"agents", "get"}, "rekeyctl agents get --help"},
        {{"agents", "lst"}, "lst is no command; did you mean list?"},
        {{"agnets", "list"}, "agnets is no command; did you mean agents?"},
        {{"agents", "list", "--connected", "--offline"}, "excludes"},
        {{"rotate"}, "--all"},
        {{"rotate", "web-1", "--all"}, "excludes"},
        {{"rotate", "--all", "--timeout", "0"}, "--timeout: 0 is not within 1 to 86400. See"},
        {{"agents", "list", "-o", "yaml"}, "--output: \"yaml\" is not one of table, json. See"},
        {{"agents", "list", "--status", "asleep"},
         "--status: \"asleep\" is not one of active, suspended, revoked. See"},
        {{"rotations", "list", "--status", "odd"},
         "--status: \"odd\" is not one of offered, at_next_connect, "},
        {{"rotations", "list", "--limit", "many"},
         "--limit: \"many\" is not a whole number from 1 to 1000000. See"},
        {{"audit", "--after", "soon"}, "--after: \"soon\" is not a whole number from 0 to "},
        {{"audit", "--before", "0"}, "--before: 0 is not within 1 to "},
        {{"audit", "--before", "1", "--after", "1"}, "excludes"},
        {{"agents", "list", "--nonsense"}, "--nonsense was not expected. See"},
        {{"info", "--server"}, "--server needs a value. See"},
        {{"settings", "set"}, "NAME=VALUE"},
        {{"audit", "--limit", "-1"}, "--limit: -1 is not within 1 to 1000000"},
    };
    for (const auto& [args, words] : cases) {
        const ParserAnswer answer = refused(args);
        BOOST_TEST((answer.exit_code == ExitCode::usage));
        BOOST_TEST(answer.text.find(words) != std::string::npos, words << " in " << answer.text);
        BOOST_TEST(answer.text.find('\n') == answer.text.size() - 1, answer.text);
    }
}

BOOST_AUTO_TEST_CASE(a_key_given_by_mistake_is_not_printed) {
    const ParserAnswer answer = refused({"info", "--api-key", "rkk_01-ab_Secret"});
    BOOST_TEST((answer.exit_code == ExitCode::usage));
    BOOST_TEST(answer.text.find("Secret") == std::string::npos);
}

BOOST_AUTO_TEST_CASE(each_verb_explains_itself_with_an_example) {
    const Args verbs[] = {{"agents", "list"},
                          {"agents", "get"},
                          {"agents", "create"},
                          {"agents", "suspend"},
                          {"agents", "reactivate"},
                          {"agents", "revoke"},
                          {"agents", "recover"},
                          {"enroll-code"},
                          {"rotate"},
                          {"rotations", "list"},
                          {"rotations", "get"},
                          {"rotations", "cancel"},
                          {"settings", "list"},
                          {"settings", "get"},
                          {"settings", "set"},
                          {"signing-keys", "list"},
                          {"signing-keys", "get"},
                          {"signing-keys", "create"},
                          {"signing-keys", "import"},
                          {"signing-keys", "rotate"},
                          {"signing-keys", "destroy"},
                          {"signing-keys", "cancel-destruction"},
                          {"info"},
                          {"audit"},
                          {"call"}};
    for (Args args : verbs) {
        std::string command = "  rekeyctl";
        for (const std::string& word : args) command += " " + word;
        args.emplace_back("--help");
        const ParserAnswer answer = refused(args);
        BOOST_TEST((answer.exit_code == ExitCode::ok));
        BOOST_TEST(answer.text.find("Example") != std::string::npos, command);
        BOOST_TEST(answer.text.find(command) != std::string::npos, command << answer.text);
    }
    const ParserAnswer all = refused({"--help"});
    for (const std::string_view words : {"REKEY_API_KEY", "REKEY_SERVER", "REKEY_DATA_DIR",
                                         "Exit codes", "agents", "rotate", "settings", "audit"})
        BOOST_TEST(all.text.find(words) != std::string::npos, words);
}

BOOST_AUTO_TEST_CASE(the_version_is_printed) {
    const ParserAnswer answer = refused({"--version"});
    BOOST_TEST((answer.exit_code == ExitCode::ok));
    BOOST_TEST(answer.text == "rekeyctl " REKEY_VERSION "\n");
}

BOOST_AUTO_TEST_SUITE_END()
