#pragma once

#include "base/clock.hpp"
#include "net/io_timers.hpp"
#include "net/timing_wheel.hpp"

#include <boost/asio/executor_work_guard.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/asio/post.hpp>

#include <cstddef>
#include <functional>
#include <memory>
#include <optional>
#include <thread>
#include <utility>
#include <vector>

namespace rekey::server {

// One thread with its own io_context, timers and timing wheel. A socket is born and dies on one
// shard, so that what belongs to it needs no lock; from elsewhere one reaches it with post().
class Shard {
  public:
    Shard(std::size_t index, const Clock& clock);
    Shard(const Shard&) = delete;
    Shard& operator=(const Shard&) = delete;

    [[nodiscard]] std::size_t index() const { return index_; }
    [[nodiscard]] boost::asio::io_context& context() { return context_; }
    // For the few things that need their own timer; on this shard's thread only.
    [[nodiscard]] Timers& timers() { return timers_; }
    // For the deadlines of many (limits::kShardTick late at most); on this shard's thread only.
    [[nodiscard]] net::TimingWheel& wheel() { return wheel_; }
    [[nodiscard]] SteadyTime now() const { return clock_.steady_now(); }

    // Runs `action` on this shard's thread, later, in the order of the calls. Safe from any thread;
    // `action` may be move-only.
    template <class Action>
    void post(Action&& action) {
        boost::asio::post(context_, std::forward<Action>(action));
    }

    // Called about every limits::kShardTick on this shard's thread. Before Shards::start only.
    void on_tick(std::function<void()> action) { tick_actions_.push_back(std::move(action)); }
    // One tick, now: the wheel, then the actions. A test calls it instead of waiting.
    void tick();

  private:
    friend class Shards;
    void schedule_tick();

    std::size_t index_;
    const Clock& clock_;
    boost::asio::io_context context_;
    net::IoTimers timers_;
    net::TimingWheel wheel_;
    std::vector<std::function<void()>> tick_actions_;
    std::unique_ptr<Timers::Handle> next_tick_;
};

// All shards of the process. Whatever lives on them is destroyed after stop() and before this.
class Shards {
  public:
    // `count` >= 1. No thread runs yet: listeners may be opened on the contexts first.
    Shards(std::size_t count, const Clock& clock);
    ~Shards();
    Shards(const Shards&) = delete;
    Shards& operator=(const Shards&) = delete;

    void start();
    // Ends the loops and joins the threads; what is queued is dropped. Never from a shard's thread.
    void stop();

    [[nodiscard]] std::size_t size() const { return shards_.size(); }
    [[nodiscard]] Shard& at(std::size_t index) { return *shards_.at(index); }
    // On the caller's thread.
    template <class Action>
    void for_each(Action&& action) {
        for (const auto& shard : shards_) action(*shard);
    }

  private:
    using Work = boost::asio::executor_work_guard<boost::asio::io_context::executor_type>;
    std::vector<std::unique_ptr<Shard>> shards_;
    std::vector<Work> work_;
    std::vector<std::thread> threads_;
};

}  // namespace rekey::server
