#include "base/log.hpp"
#include "base/time_format.hpp"

#include <boost/json/parse.hpp>
#include <boost/test/unit_test.hpp>
#include <spdlog/logger.h>
#include <spdlog/sinks/ostream_sink.h>

#include <limits>
#include <sstream>
#include <string>
#include <thread>
#include <vector>

using namespace rekey;

namespace {

// A log whose lines can be read.
struct Captured {
    explicit Captured(LogFormat format, LogLevel level = LogLevel::debug)
        : log(level, format,
              std::make_shared<spdlog::logger>(
                  "test", std::make_shared<spdlog::sinks::ostream_sink_mt>(text))) {}
    // What was written since the last call, without the time.
    std::string take() {
        std::string line = text.str();
        text.str("");
        const std::size_t level = line.find("level=");
        return level == std::string::npos ? line : line.substr(level);
    }
    std::ostringstream text;
    Log log;
};

}  // namespace

BOOST_AUTO_TEST_SUITE(log_tests)

BOOST_AUTO_TEST_CASE(logfmt_writes_one_line_an_event) {
    Captured out(LogFormat::logfmt);
    out.log.info("rotation.offered", {{"agent_id", "a1"},
                                      {"generation", std::uint64_t{7}},
                                      {"delta", -3},
                                      {"ratio", 0.5},
                                      {"forced", true}});
    BOOST_TEST(out.take() ==
               "level=info event=rotation.offered agent_id=a1 generation=7 delta=-3 ratio=0.500 "
               "forced=true\n");
    out.log.warning("x");
    BOOST_TEST(out.take() == "level=warning event=x\n");
}

BOOST_AUTO_TEST_CASE(a_line_begins_with_the_time) {
    Captured out(LogFormat::logfmt);
    out.log.info("x");
    const std::string line = out.text.str();
    BOOST_REQUIRE(line.starts_with("time="));
    BOOST_TEST(parse_rfc3339(line.substr(5, line.find(' ') - 5)).has_value());
}

BOOST_AUTO_TEST_CASE(logfmt_quotes_what_could_be_taken_for_something_else) {
    Captured out(LogFormat::logfmt);
    const auto written = [&](std::string_view value) {
        out.log.info("x", {{"v", value}});
        const std::string line = out.take();
        return line.substr(line.find(" v=") + 3);
    };
    BOOST_TEST(written("plain/text:1") == "plain/text:1\n");
    BOOST_TEST(written("") == "\"\"\n");
    BOOST_TEST(written("two words") == "\"two words\"\n");
    BOOST_TEST(written("a=b") == "\"a=b\"\n");
    BOOST_TEST(written("say \"x\"") == "\"say \\\"x\\\"\"\n");
    // A value cannot begin a line of its own.
    BOOST_TEST(written("x\nlevel=error event=forged") == "\"x\\nlevel=error event=forged\"\n");
    BOOST_TEST(written("\x1b[31m") == "\"\\u001b[31m\"\n");
    BOOST_TEST(written("caf\xc3\xa9") == "\"caf\xc3\xa9\"\n");
    BOOST_TEST(written("\xff") == "\"\xef\xbf\xbd\"\n");
}

BOOST_AUTO_TEST_CASE(json_lines_are_json) {
    Captured out(LogFormat::json);
    out.log.error("x", {{"text", "a\"b\n"},
                        {"count", 5U},
                        {"low", std::numeric_limits<std::int64_t>::min()},
                        {"ratio", 0.25},
                        {"nan", std::numeric_limits<double>::quiet_NaN()},
                        {"flag", false},
                        {"bytes", "\xff\xfe"}});
    std::string line = out.take();
    BOOST_REQUIRE(line.ends_with("}\n"));
    BOOST_TEST(line.find('\n') == line.size() - 1);
    const auto object = boost::json::parse(line).as_object();
    BOOST_TEST(parse_rfc3339(object.at("time").as_string()).has_value());
    BOOST_TEST(object.at("level").as_string() == "error");
    BOOST_TEST(object.at("event").as_string() == "x");
    BOOST_TEST(object.at("text").as_string() == "a\"b\n");
    BOOST_TEST(object.at("count").as_int64() == 5);
    BOOST_TEST(object.at("low").as_int64() == std::numeric_limits<std::int64_t>::min());
    BOOST_TEST(object.at("ratio").as_double() == 0.25);
    BOOST_TEST(object.at("nan").is_string());
    BOOST_TEST(object.at("flag").as_bool() == false);
}

BOOST_AUTO_TEST_CASE(a_secret_is_redacted_by_the_encoder) {
    const Secret token("rka_very_secret");
    for (const LogFormat format : {LogFormat::logfmt, LogFormat::json}) {
        Captured out(format);
        out.log.error("x", {{"token", token}, {"after", "y"}});
        const std::string line = out.take();
        BOOST_TEST(line.find("very_secret") == std::string::npos);
        BOOST_TEST(line.find("[redacted]") != std::string::npos);
        if (format == LogFormat::json)
            BOOST_TEST(boost::json::parse(line).at("token").as_string() == "[redacted]");
        else
            BOOST_TEST(line == "level=error event=x token=[redacted] after=y\n");
    }
}

BOOST_AUTO_TEST_CASE(levels_filter) {
    Captured out(LogFormat::logfmt, LogLevel::warning);
    out.log.debug("d");
    out.log.info("i");
    BOOST_TEST(out.take().empty());
    BOOST_TEST(!out.log.enabled(LogLevel::info));
    BOOST_TEST(out.log.enabled(LogLevel::error));
    out.log.error("e");
    BOOST_TEST(out.take() == "level=error event=e\n");
    out.log.set_level(LogLevel::debug);
    out.log.debug("d");
    BOOST_TEST(out.take() == "level=debug event=d\n");
    out.log.set_level(LogLevel::off);
    out.log.error("e");
    BOOST_TEST(out.take().empty());
    make_silent_log()->error("nobody hears this");
}

BOOST_AUTO_TEST_CASE(level_names_are_read_exactly) {
    LogLevel level = LogLevel::info;
    const std::pair<std::string_view, LogLevel> names[] = {{"debug", LogLevel::debug},
                                                           {"info", LogLevel::info},
                                                           {"warning", LogLevel::warning},
                                                           {"error", LogLevel::error},
                                                           {"off", LogLevel::off}};
    for (const auto& [name, expected] : names) {
        BOOST_TEST(parse_log_level(name, level));
        BOOST_TEST((level == expected));
    }
    for (const std::string_view name : {"", "INFO", "warn", "trace", "info "}) {
        BOOST_TEST(!parse_log_level(name, level));
        BOOST_TEST((level == LogLevel::off));
    }
}

BOOST_AUTO_TEST_CASE(lines_of_several_threads_stay_whole) {
    Captured out(LogFormat::json);
    std::vector<std::thread> threads;
    threads.reserve(4);
    for (int t = 0; t < 4; ++t)
        threads.emplace_back([&out, t] {
            for (int i = 0; i < 200; ++i)
                out.log.info("x", {{"thread", t}, {"padding", std::string(200, 'p')}});
        });
    for (auto& thread : threads) thread.join();
    std::istringstream lines(out.text.str());
    int count = 0;
    for (std::string line; std::getline(lines, line); ++count)
        BOOST_TEST(boost::json::parse(line).at("padding").as_string().size() == 200U);
    BOOST_TEST(count == 800);
}

BOOST_AUTO_TEST_SUITE_END()
