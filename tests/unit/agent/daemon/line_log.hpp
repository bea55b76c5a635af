#pragma once

#include "base/log.hpp"

#include <spdlog/logger.h>
#include <spdlog/sinks/base_sink.h>

#include <chrono>
#include <condition_variable>
#include <memory>
#include <mutex>
#include <string>

namespace rekey::agent::test {

// A log that can be waited for.
class LineLog {
  public:
    LineLog()
        : log(LogLevel::debug, LogFormat::logfmt,
              std::make_shared<spdlog::logger>("test", std::make_shared<Sink>(*this))) {}

    // False when nothing with `part` came in time.
    [[nodiscard]] bool wait_for(const std::string& part) {
        std::unique_lock lock(mutex_);
        return changed_.wait_for(lock, std::chrono::seconds(20),
                                 [&] { return text_.find(part) != std::string::npos; });
    }

  private:
    class Sink final : public spdlog::sinks::base_sink<std::mutex> {
      public:
        explicit Sink(LineLog& owner) : owner_(owner) {}

      protected:
        void sink_it_(const spdlog::details::log_msg& message) override {
            const std::lock_guard lock(owner_.mutex_);
            owner_.text_.append(message.payload.data(), message.payload.size()).push_back('\n');
            owner_.changed_.notify_all();
        }
        void flush_() override {}

      private:
        LineLog& owner_;
    };

    std::mutex mutex_;
    std::condition_variable changed_;
    std::string text_;

  public:
    const Log log;
};

}  // namespace rekey::agent::test
