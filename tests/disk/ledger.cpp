#include "tests/disk/ledger.hpp"

#include <boost/test/unit_test.hpp>

namespace rekey::testing {

Result<> Ledger::create(const Rekeyd& server, const std::string& name) {
    const Result<boost::json::value> answer = server.try_call("agents.create", {{"name", name}});
    const std::lock_guard lock(mutex_);
    (answer.has_value() ? created_ : refused_).insert(name);
    if (answer.has_error()) return answer.error();
    return {};
}

Result<boost::json::value> Ledger::rotate(const Rekeyd& server, const std::string& agent_id) {
    Result<boost::json::value> answer =
        server.try_call("rotations.start", {{"agent_id", agent_id}, {"force", true}});
    // None yet for an agent that is not connected.
    if (answer.has_value() && answer->as_object().contains("rotation_id")) {
        const std::lock_guard lock(mutex_);
        rotations_.emplace(answer->at("rotation_id").as_string(), agent_id);
    }
    return answer;
}

void Ledger::expect_all_there(const Rekeyd& server) const {
    const std::set<std::string> there = agent_names(server);
    const std::lock_guard lock(mutex_);
    for (const std::string& name : created_)
        BOOST_TEST(there.contains(name), name << " was answered and is not there");
    for (const auto& [rotation_id, agent_id] : rotations_) {
        const auto found = server.try_call("rotations.get", {{"rotation_id", rotation_id}});
        BOOST_TEST(found.has_value(), rotation_id << " was answered and is not there");
    }
}

void Ledger::expect_nothing_else(const Rekeyd& server) const {
    const std::set<std::string> there = agent_names(server);
    const std::lock_guard lock(mutex_);
    for (const std::string& name : refused_)
        BOOST_TEST(!there.contains(name), name << " was refused and is there");
}

std::size_t Ledger::acknowledged() const {
    const std::lock_guard lock(mutex_);
    return created_.size();
}

std::size_t Ledger::refused() const {
    const std::lock_guard lock(mutex_);
    return refused_.size();
}

std::set<std::string> agent_names(const Rekeyd& server) {
    std::set<std::string> names;
    boost::json::object page{{"limit", 500}};
    for (;;) {
        const boost::json::value answer = server.call("agents.list", page);
        for (const boost::json::value& agent : answer.at("agents").as_array())
            names.emplace(agent.at("name").as_string());
        const boost::json::value* cursor = answer.as_object().if_contains("next_cursor");
        if (cursor == nullptr || cursor->is_null()) return names;
        page["cursor"] = *cursor;
    }
}

}  // namespace rekey::testing
