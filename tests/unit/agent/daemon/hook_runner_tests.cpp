#include "agent/daemon/hook_runner.hpp"
#include "base/durable_file.hpp"
#include "line_log.hpp"
#include "tests/support/temporary_directory.hpp"

#include <boost/test/unit_test.hpp>

#include <cstdlib>
#include <fstream>
#include <thread>

using namespace rekey;
using namespace rekey::agent;
using namespace rekey::agent::test;
using namespace std::chrono_literals;

namespace {

struct Fixture {
    testing::TemporaryDirectory folder;
    LineLog lines;

    [[nodiscard]] std::string content(const std::string& name) const {
        return read_file(folder.file(name), 100'000).value();
    }
    [[nodiscard]] std::string in_folder(const std::string& command) const {
        return "cd '" + folder.path() + "' || exit; " + command;
    }
};

const Rotated kRotated{"agent-7", "rotation-9", 3};

// Neither alive nor a zombie that only waits to be reaped.
bool is_gone(const std::string& process) {
    std::ifstream file("/proc/" + process + "/stat");
    std::string number, name, state;
    return !(file >> number >> name >> state) || state == "Z";
}

}  // namespace

BOOST_FIXTURE_TEST_SUITE(hook_runner_tests, Fixture)

BOOST_AUTO_TEST_CASE(it_is_told_what_happened_and_no_secret) {
    ::setenv("REKEY_JOIN", "rekey://secret", 1);
    ::setenv("REKEY_API_KEY", "secret", 1);
    HookRunner runner(in_folder("env > env; cat > input; ls /proc/self/fd > files"), lines.log);
    runner.run(kRotated);
    BOOST_REQUIRE(lines.wait_for("event=hook.done generation=3"));
    ::unsetenv("REKEY_JOIN");
    ::unsetenv("REKEY_API_KEY");
    const std::string environment = content("env");
    BOOST_TEST(environment.find("REKEY_AGENT_ID=agent-7\n") != std::string::npos);
    BOOST_TEST(environment.find("REKEY_ROTATION_ID=rotation-9\n") != std::string::npos);
    BOOST_TEST(environment.find("REKEY_GENERATION=3\n") != std::string::npos);
    BOOST_TEST(environment.find("PATH=") != std::string::npos);
    BOOST_TEST(environment.find("secret") == std::string::npos);
    BOOST_TEST(content("input").empty());
    BOOST_TEST(content("files") == "0\n1\n2\n3\n");  // 3 is the folder that ls reads
}

BOOST_AUTO_TEST_CASE(it_leads_its_own_process_group) {
    HookRunner runner(
        in_folder(
            "read -r id name state parent group rest < /proc/$$/stat; echo $group $$ > group"),
        lines.log);
    runner.run(kRotated);
    BOOST_REQUIRE(lines.wait_for("event=hook.done"));
    const std::string text = content("group");
    const auto space = text.find(' ');
    BOOST_TEST(text.substr(0, space) + "\n" == text.substr(space + 1));
}

BOOST_AUTO_TEST_CASE(a_failure_is_logged_and_the_next_one_runs) {
    HookRunner runner(in_folder("test $REKEY_GENERATION = 4 || exit 9"), lines.log);
    runner.run(kRotated);
    runner.run({"agent-7", "rotation-10", 4});
    BOOST_TEST(lines.wait_for("event=hook.failed generation=3 exit_code=9"));
    BOOST_TEST(lines.wait_for("event=hook.done generation=4"));
}

BOOST_AUTO_TEST_CASE(one_that_never_ends_is_killed_with_its_children) {
    HookRunner runner(in_folder("sleep 1000 & echo $! > child; wait"), lines.log, 300ms);
    runner.run(kRotated);
    BOOST_REQUIRE(lines.wait_for("event=hook.failed generation=3 signal=9"));
    std::string child = content("child");
    child.pop_back();
    const auto give_up = std::chrono::steady_clock::now() + 20s;
    while (!is_gone(child) && std::chrono::steady_clock::now() < give_up) std::this_thread::yield();
    BOOST_TEST(is_gone(child));
}

BOOST_AUTO_TEST_CASE(stopping_does_not_wait_for_it) {
    const auto started = std::chrono::steady_clock::now();
    {
        HookRunner runner(in_folder("echo > begun; exec sleep 1000"), lines.log);
        runner.run(kRotated);
        runner.run(kRotated);
        while (read_file(folder.file("begun"), 10).has_error()) std::this_thread::yield();
    }
    BOOST_TEST((std::chrono::steady_clock::now() - started < 20s));
    BOOST_TEST(lines.wait_for("event=hook.failed generation=3 signal=15"));
}

BOOST_AUTO_TEST_SUITE_END()
