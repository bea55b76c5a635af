#pragma once

#include "base/clock.hpp"
#include "base/log.hpp"
#include "keys/master_key.hpp"
#include "protocol/token.hpp"
#include "server/rotation/coordinator.hpp"
#include "server/settings.hpp"
#include "storage/memory/memory_store.hpp"

#include <boost/json/parse.hpp>
#include <boost/json/serialize.hpp>
#include <boost/test/unit_test.hpp>
#include <spdlog/logger.h>
#include <spdlog/sinks/ostream_sink.h>

#include <deque>
#include <functional>
#include <memory>
#include <sstream>
#include <string>

// What the tests of the server's rooms run on: a clock that only they move, a store in memory whose
// units wait in a queue until they are run, and a log that can be read.
namespace rekey::server::testing {

class ManualClock final : public Clock {
  public:
    [[nodiscard]] Time now() const override { return now_; }
    [[nodiscard]] SteadyTime steady_now() const override { return steady_; }
    void advance(Milliseconds by) {
        now_ += by;
        steady_ += by;
    }
    void set_wall(Time to) { now_ = to; }

  private:
    Time now_{std::chrono::days{20000}};
    SteadyTime steady_{std::chrono::hours{1}};
};

// A queue of things to be done, so that a test decides who is first.
class Queue {
  public:
    void push(std::function<void()> action) { actions_.push_back(std::move(action)); }
    [[nodiscard]] bool empty() const { return actions_.empty(); }
    void run_one() {
        const auto action = std::move(actions_.front());
        actions_.pop_front();
        action();
    }
    void run() {
        while (!empty()) run_one();
    }

  private:
    std::deque<std::function<void()>> actions_;
};

struct World {
    ManualClock clock;
    SeededRandom random{7};
    LiveSettings settings{SettingValues{}};
    std::ostringstream log_text;
    Log log{LogLevel::debug, LogFormat::logfmt,
            std::make_shared<spdlog::logger>(
                "test", std::make_shared<spdlog::sinks::ostream_sink_mt>(log_text))};
    Queue queue;
    int commits_to_lose = 0;  // so many of the next units lose their compare-and-swap
    keys::MasterKey master_key = keys::MasterKey::generate(random);
    std::shared_ptr<storage::MemoryDatabase> database = std::make_shared<storage::MemoryDatabase>();
    storage::MemoryStore store{
        database,
        {.schedule = [this](std::function<void()> work) { queue.push(std::move(work)); },
         .before_commit = [this]() -> Result<> {
             if (commits_to_lose == 0) return {};
             --commits_to_lose;
             return Error(Code::conflict, "another one was first");
         }}};

    void change_settings(const std::function<void(SettingValues&)>& change) {
        SettingValues values = *settings.snapshot();
        change(values);
        settings.replace(values);
    }

    [[nodiscard]] const storage::AgentRow& row(const std::string& agent_id) const {
        return database->agents.at(agent_id);
    }
    [[nodiscard]] const storage::Credentials& credentials(const std::string& agent_id) const {
        return row(agent_id).credentials;
    }

    // An agent on generation 1, activated; answers with its token.
    Secret enrolled_agent(const std::string& agent_id) {
        Secret token = protocol::mint_token(protocol::TokenKind::agent, agent_id, random);
        storage::AgentRow row;
        row.agent_id = agent_id;
        row.name = "name-" + agent_id;
        row.credentials.next_generation = 2;
        row.credentials.activated_generation = 1;
        row.credentials.rotate_at = clock.now() + std::chrono::days{5};
        row.credentials.current =
            storage::CurrentToken{1, kFirstRotation, protocol::token_hash(token), clock.now(),
                                  clock.now() + std::chrono::days{7}};
        store.write(
            [row](storage::Transaction& transaction) { return transaction.agents().insert(row); },
            [](const Result<>& result) { BOOST_REQUIRE(result.has_value()); });
        queue.run();
        return token;
    }

    // Writes the row directly, as an admin's transition would.
    void change_row(const std::string& agent_id,
                    const std::function<void(storage::Credentials&)>& change) {
        store.write(
            [&](storage::Transaction& transaction) -> Result<> {
                REKEY_TRY_ASSIGN(row, transaction.agents().find(agent_id));
                change(row.credentials);
                return transaction.agents().update(row);
            },
            [](const Result<>& result) { BOOST_REQUIRE(result.has_value()); });
        queue.run();
    }

    // How often this was audited.
    [[nodiscard]] std::size_t audited(std::string_view action) const {
        std::size_t count = 0;
        for (const auto& entry : database->audit)
            if (entry.event.action == action) ++count;
        return count;
    }
    [[nodiscard]] bool logged(const std::string& text) const {
        return log_text.str().find(text) != std::string::npos;
    }

    static constexpr const char* kFirstRotation = "01890000-0000-7000-8000-000000000001";
};

inline boost::json::value parse(std::string_view text) {
    return boost::json::parse(boost::json::string_view(text.data(), text.size()));
}

}  // namespace rekey::server::testing
