#pragma once

#include "base/random.hpp"
#include "tests/support/daemons.hpp"
#include "tests/support/scripted_agent.hpp"

#include <boost/asio/executor_work_guard.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/asio/post.hpp>

#include <condition_variable>
#include <functional>
#include <future>
#include <memory>
#include <mutex>
#include <string>
#include <thread>
#include <type_traits>
#include <vector>

namespace rekey::testing {

// Where scripted agents play: one thread with its io_context. A test acts on an agent with `with`
// and waits for what it wants to see with `wait`; both look at the agent on its own thread.
class AgentStage {
  public:
    AgentStage();
    AgentStage(const AgentStage&) = delete;
    AgentStage& operator=(const AgentStage&) = delete;
    ~AgentStage();

    // Creates, enrolls and (unless told otherwise) connects an agent of this script.
    ScriptedAgent& enroll(const Rekeyd& server, const std::string& name, Script script = {});
    ScriptedAgent& enroll_and_connect(const Rekeyd& server, const std::string& name,
                                      Script script = {});
    // Another connection of the same identity: a clone, or a restart from a copy of its file.
    ScriptedAgent& add(ScriptedIdentity identity, Script script);

    // Runs on the stage's thread and waits for its result.
    template <class Action>
    std::invoke_result_t<Action&> with(Action action) {
        std::packaged_task<std::invoke_result_t<Action&>()> task(std::move(action));
        auto result = task.get_future();
        boost::asio::post(context_, std::move(task));
        return result.get();
    }

    // Waits until `condition` holds, looked at after each change of any agent; throws
    // std::runtime_error with `what` when patience is over.
    void wait(const std::string& what, const std::function<bool()>& condition);

    [[nodiscard]] boost::asio::io_context& context() { return context_; }

  private:
    boost::asio::io_context context_;
    boost::asio::executor_work_guard<boost::asio::io_context::executor_type> work_;
    SystemRandom random_;
    std::vector<std::unique_ptr<ScriptedAgent>> agents_;
    std::mutex mutex_;
    std::condition_variable changed_;
    std::uint64_t changes_ = 0;
    std::thread thread_;
};

}  // namespace rekey::testing
