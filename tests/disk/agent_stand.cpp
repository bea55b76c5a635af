#include "tests/disk/agent_stand.hpp"

#include <boost/test/unit_test.hpp>

#include <chrono>
#include <fstream>
#include <iterator>
#include <stdexcept>
#include <thread>
#include <utility>

namespace rekey::testing {
namespace {

constexpr std::chrono::milliseconds kLookAgain{20};

Rekeyd::Options quick_ticks() {
    Rekeyd::Options options;
    options.environment = {{"REKEY_ROTATION_TIMEOUT_SECONDS", "1"},
                           {"REKEY_SCHEDULER_INTERVAL_SECONDS", "1"}};
    return options;
}

}  // namespace

AgentStand::AgentStand(std::map<std::string, std::string> agent_environment,
                       const std::string& home)
    : server(quick_ticks()), agent("one", home), environment(std::move(agent_environment)) {
    const Rekeyd::NewAgent created = server.new_agent("one");
    id = created.agent_id;
    BOOST_REQUIRE_EQUAL(agent.enroll(created.join_string), 0);
    start_agent();
    server.wait_settled(id, 1);
}

std::string AgentStand::rotate() {
    const boost::json::value started =
        server.call("rotations.start", {{"agent_id", id}, {"force", true}});
    return std::string(started.at("rotation_id").as_string());
}

boost::json::object AgentStand::rotation(const std::string& rotation_id) const {
    return server.call("rotations.get", {{"rotation_id", rotation_id}}).as_object();
}

void AgentStand::wait_refused(const std::string& rotation_id, const std::string& reason) const {
    const auto deadline = std::chrono::steady_clock::now() + kPatience;
    for (;;) {
        const boost::json::object seen = rotation(rotation_id);
        const boost::json::value* last = seen.if_contains("last_reason");
        if (last != nullptr && last->as_string() == reason) return;
        if (std::chrono::steady_clock::now() > deadline)
            throw std::runtime_error("never refused for " + reason + ": " +
                                     boost::json::serialize(seen));
        std::this_thread::sleep_until(std::chrono::steady_clock::now() + kLookAgain);
    }
}

void AgentStand::expect_completed(const std::string& rotation_id) {
    const std::uint64_t generation = number_in(rotation(rotation_id), "generation");
    const boost::json::object seen = server.wait_settled(id, generation);
    BOOST_TEST(number_in(seen, "generation") == generation, "one generation, not another");
    BOOST_TEST(rotation(rotation_id).at("status").as_string() == "activated");
    BOOST_TEST(agent.process().running());
}

void AgentStand::expect_in_session(std::uint64_t generation) {
    const boost::json::object seen = server.agent(id);
    BOOST_TEST(seen.at("connected").as_bool());
    BOOST_TEST(number_in(seen, "generation") == generation);
    BOOST_TEST(agent.process().count("event=session.closed") == 0U);
}

std::string AgentStand::tokens_on_disk() const {
    const Finished said =
        run({agent_program(), "status", "--state", agent.state_path(), "-o", "json"});
    BOOST_REQUIRE_MESSAGE(said.exit_code == 0, said.output);
    std::string all;
    const boost::json::value status = boost::json::parse(said.output);
    for (const boost::json::value& token : status.at("tokens").as_array())
        all += (all.empty() ? "" : " ") +
               std::to_string(token.at("generation").to_number<std::uint64_t>()) + ":" +
               std::string(token.at("state").as_string());
    return all;
}

Finished AgentStand::status() const {
    return run({agent_program(), "status", "--state", agent.state_path()});
}

std::string content_of(const std::string& path) {
    std::ifstream file(path);
    return {std::istreambuf_iterator<char>(file), {}};
}

std::uint64_t number_in(const boost::json::object& object, const char* name) {
    return object.at(name).to_number<std::uint64_t>();
}

}  // namespace rekey::testing
