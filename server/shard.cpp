#include "server/shard.hpp"

#include "base/contract.hpp"
#include "base/limits.hpp"

namespace rekey::server {

Shard::Shard(std::size_t index, const Clock& clock)
    : index_(index),
      clock_(clock),
      context_(1),  // one thread runs it; posting from others stays safe
      timers_(context_),
      wheel_(clock.steady_now(), limits::kShardTick) {}

void Shard::tick() {
    wheel_.advance(clock_.steady_now());
    for (const auto& action : tick_actions_) action();
}

void Shard::schedule_tick() {
    next_tick_ = timers_.after(limits::kShardTick, [this] {
        tick();
        schedule_tick();
    });
}

Shards::Shards(std::size_t count, const Clock& clock) {
    REKEY_ASSERT(count >= 1);
    shards_.reserve(count);
    for (std::size_t index = 0; index < count; ++index)
        shards_.push_back(std::make_unique<Shard>(index, clock));
}

Shards::~Shards() { stop(); }

void Shards::start() {
    REKEY_ASSERT(threads_.empty());
    for (const auto& shard : shards_) {
        work_.emplace_back(shard->context().get_executor());
        shard->schedule_tick();
        threads_.emplace_back([&context = shard->context()] { context.run(); });
    }
}

void Shards::stop() {
    work_.clear();
    for (const auto& shard : shards_) shard->context().stop();
    for (auto& thread : threads_) thread.join();
    threads_.clear();
    // The timer's handle must not outlive its io_context.
    for (const auto& shard : shards_) shard->next_tick_.reset();
}

}  // namespace rekey::server
