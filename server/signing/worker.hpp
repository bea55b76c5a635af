#pragma once

#include <condition_variable>
#include <deque>
#include <functional>
#include <mutex>
#include <thread>

namespace rekey::server::signing {

// A thread that does one job after the other: for what makes keys and waits until they are durable,
// which no shard may do.
class Worker {
  public:
    Worker();
    ~Worker();  // does what is queued
    Worker(const Worker&) = delete;
    Worker& operator=(const Worker&) = delete;

    // From any thread; jobs do not throw.
    void post(std::function<void()> job);

  private:
    void run();

    std::mutex mutex_;
    std::condition_variable wake_;
    std::deque<std::function<void()>> jobs_;
    bool stopping_ = false;
    std::thread thread_;
};

}  // namespace rekey::server::signing
