#include "agent/detect/config_text.hpp"
#include "base/limits.hpp"

#include <boost/json/serialize.hpp>
#include <boost/test/unit_test.hpp>

#include <chrono>

using namespace rekey;
using namespace rekey::agent::detect;

namespace {

std::string repeated(std::string_view text, std::size_t times) {
    std::string all;
    for (std::size_t i = 0; i < times; ++i) all += text;
    return all;
}

// As JSON, or why not.
std::string read(Format format, std::string_view text) {
    const auto object = parse_config(format, text);
    return object.has_value() ? boost::json::serialize(*object) : object.error().message();
}
std::string toml(std::string_view text) { return read(Format::toml, text); }
std::string yaml(std::string_view text) { return read(Format::yaml, text); }

}  // namespace

BOOST_AUTO_TEST_SUITE(config_text_tests)

BOOST_AUTO_TEST_CASE(toml_is_read_with_its_tables_lists_and_dotted_keys) {
    BOOST_TEST(toml("model = \"o\" # mine\n[mcp_servers.\"a.b\"]\ncommand = 'npx'\n"
                    "args = [\"-y\", 'x']\nenabled = false\nenv = { K = \"v\" }\nwait.s = 20\n") ==
               R"({"mcp_servers":{"a.b":{"args":["-y","x"],"command":"npx","enabled":false,)"
               R"("env":{"K":"v"},"wait":{"s":20}}},"model":"o"})");
    BOOST_TEST(toml("\xEF\xBB\xBF[[list]]\nx=1\n[[list]]\nwhen = 2026-11-21\nhalf = 0.5\n") ==
               R"({"list":[{"x":1},{"half":5E-1,"when":null}]})");
    BOOST_TEST(toml(" \n") == "{}");
    BOOST_TEST(toml("# nothing yet\n") == "{}");
}

BOOST_AUTO_TEST_CASE(what_is_not_toml_is_told_by_its_line_and_never_by_its_text) {
    BOOST_TEST(toml("a = 1\nb = hunter2\n") == "is no TOML (line 2)");
    BOOST_TEST(toml("a = 1\na = 'hunter2'\n") == "is no TOML (line 2)");
    BOOST_TEST(toml("{\"mcpServers\": {}}").starts_with("is no TOML"));
    BOOST_TEST(toml("[;table]\n").starts_with("is no TOML"));  // breaks an assertion of toml++
    BOOST_TEST(toml("a = \"\xFF\"\n").starts_with("is no TOML"));
    BOOST_TEST(toml(std::string_view("\0\0", 2)).starts_with("is no TOML"));
}

// toml++ destroys its tables by recursion: without the bound each of these ends the process.
BOOST_AUTO_TEST_CASE(toml_that_is_nested_without_end_is_refused) {
    const std::string endless = repeated("a.", 1'000'000) + "a";
    for (const std::string& text :
         {endless + " = 1", "[" + endless + "]", "x = {" + endless + " = 1}",
          "x = '' #\n" + endless + "=1", "s = {t = \"\"\"q\"\"\"\", " + endless + " = 1 }",
          "s = 'it''" + endless + " = 1", repeated("'a' . ", 1'000'000) + "a = 1",
          repeated("\"\\\"\".", 1'000'000) + "a = 1"})
        BOOST_TEST(toml(text).starts_with("is no TOML"), text.substr(0, 30));
    BOOST_TEST(toml("x = " + repeated("[", 100'000)).starts_with("is no TOML"));
    BOOST_TEST(toml("x = " + repeated("{y=", 100'000)).starts_with("is no TOML"));
    const std::string nested = repeated("{" + repeated("b.", 30) + "b = ", 250);
    BOOST_TEST(toml("x = " + nested + "1" + repeated("}", 250)).starts_with("is no TOML"));
    // As deep as JSON may be, and one deeper.
    const auto deep = [](std::size_t depth) {
        return "x = " + repeated("[", depth - 1) + repeated("]", depth - 1);
    };
    BOOST_TEST(toml(deep(limits::kJsonDepth)).starts_with("{"));
    BOOST_TEST(toml(deep(limits::kJsonDepth + 1)) == "is no TOML (nested too deep)");
    // Dots in what is no key are dots.
    BOOST_TEST(toml("x = \"" + repeated(".", 100) + "\"\ny = '''\n" + repeated(".", 100) +
                    "'''\n# " + repeated(".", 100))
                   .starts_with("{"));
}

BOOST_AUTO_TEST_CASE(yaml_is_read_with_its_maps_lists_and_scalars) {
    BOOST_TEST(yaml("# mine\nmcpServers:\n  - name: a\n    command: npx\n    args: [\"-y\", x]\n"
                    "    disabled: true\n  - {name: 'true', url: https://h/#x, n: 7, e: }\n") ==
               R"({"mcpServers":[{"name":"a","command":"npx","args":["-y","x"],"disabled":true},)"
               R"({"name":"true","url":"https://h/#x","n":"7","e":null}]})");
    BOOST_TEST(yaml("a: |\n  two\n  lines\nb: \"\\u00e9\"\nc: !!str false\ntrue: no\n") ==
               "{\"a\":\"two\\nlines\\n\",\"b\":\"\xC3\xA9\",\"c\":\"false\",\"true\":\"no\"}");
    BOOST_TEST(yaml("a: 1\na: 2\n---\nb: 3\n") == R"({"a":"2"})");
    for (const char* nothing : {"", " \n", "# nothing yet\n", "---\n", "~"})
        BOOST_TEST(yaml(nothing) == "{}", nothing);
    // Keys that are no text have no name here.
    BOOST_TEST(yaml("? [a, b]\n: 1\n? {c: d}\n: 2\n~: 3\ne: 4\n") == R"({"e":"4"})");
    BOOST_TEST(yaml(R"({"mcpServers": {"a": {"command": "x"}}})") ==
               R"({"mcpServers":{"a":{"command":"x"}}})");
}

BOOST_AUTO_TEST_CASE(what_is_not_yaml_is_told_by_its_line_and_never_by_its_text) {
    BOOST_TEST(yaml("a: 1\nb: [hunter2\n").starts_with("is no YAML (line "));
    BOOST_TEST(yaml("a: 1\n  b: hunter2: x\n") == "is no YAML (line 2)");
    BOOST_TEST(yaml("a: *hunter2\n") == "is no YAML (line 1)");  // of no anchor
    BOOST_TEST(yaml("a: \"\\q hunter2\"\n").starts_with("is no YAML (line "));
    BOOST_TEST(yaml("%YAML 9.hunter2\n---\na: 1\n").starts_with("is no YAML"));
    BOOST_TEST(yaml("- 1\n") == "is no YAML map");
    BOOST_TEST(yaml("hunter2") == "is no YAML map");
}

BOOST_AUTO_TEST_CASE(aliases_copy_nothing) {
    BOOST_TEST(yaml("a: &x {k: v}\nb: *x\nc:\n  <<: *x\n  d: 1\n") ==
               R"({"a":{"k":"v"},"b":null,"c":{"<<":null,"d":"1"}})");
    // Nine times nine times nine …
    std::string laughs = "a0: &a0 [" + repeated("lol,", 9) + "]\n";
    for (int i = 1; i < 30; ++i)
        laughs += "a" + std::to_string(i) + ": &a" + std::to_string(i) + " [" +
                  repeated("*a" + std::to_string(i - 1) + ",", 9) + "]\n";
    BOOST_TEST(yaml(laughs).size() < 10'000U);
    BOOST_TEST(yaml("a: &a [*a]\n") == R"({"a":[null]})");  // one that holds itself
}

BOOST_AUTO_TEST_CASE(yaml_that_is_deep_or_has_too_much_in_it_is_refused) {
    const auto deep = [](std::size_t depth) {
        return "x: " + repeated("[", depth - 1) + repeated("]", depth - 1);
    };
    BOOST_TEST(yaml(deep(limits::kJsonDepth)).starts_with("{"));
    BOOST_TEST(yaml(deep(limits::kJsonDepth + 1)) == "is no YAML (nested too deep)");
    for (const char* open : {"[", "{", "- ", "? ", "[{", "{[", "a: {", "&a [", "!a [", "[?"}) {
        const std::string text = repeated(open, 300'000);
        BOOST_TEST(yaml(text).starts_with("is no YAML"), open << ": " << yaml(text));
    }
    BOOST_TEST(yaml("x: [" + repeated("a,", 1'000'000) + "]") ==
               "is no YAML (more in it than is read)");
}

BOOST_AUTO_TEST_SUITE_END()
