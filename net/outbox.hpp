#pragma once

#include <cstddef>
#include <string>
#include <utility>
#include <vector>

namespace rekey::net {

// Inside net/ only: messages that wait to be written, oldest first. Holds no memory while empty: a
// std::deque would hold 600 bytes for each idle connection.
class Outbox {
  public:
    void push(std::string message) {
        bytes_ += message.size();
        messages_.push_back(std::move(message));
    }
    [[nodiscard]] std::string pop() {
        std::string message = std::move(messages_[head_++]);
        bytes_ -= message.size();
        if (head_ == messages_.size()) clear();
        return message;
    }
    void clear() {
        messages_ = {};
        head_ = 0;
        bytes_ = 0;
    }
    [[nodiscard]] bool empty() const { return messages_.empty(); }
    [[nodiscard]] std::size_t bytes() const { return bytes_; }

  private:
    std::vector<std::string> messages_;
    std::size_t head_ = 0;
    std::size_t bytes_ = 0;
};

}  // namespace rekey::net
