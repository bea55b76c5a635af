#include "tests/simulation/trace.hpp"

#include <algorithm>
#include <cstdio>
#include <cstring>

namespace rekey::simulation {

void Trace::mix(std::string_view bytes) {
    while (bytes.size() >= 8) {
        std::uint64_t word = 0;
        std::memcpy(&word, bytes.data(), 8);
        mix(word);
        bytes.remove_prefix(8);
    }
    std::uint64_t rest = bytes.size();
    for (const char byte : bytes) rest = rest << 8U | static_cast<unsigned char>(byte);
    mix(rest);
}

void Trace::note(int agent, std::string_view words, std::string_view content) {
    note(agent, words, {}, content);
}

void Trace::note(int agent, std::string_view words, std::string_view more,
                 std::string_view content) {
    Event& event = ring_[count_++ % kKept];
    event.at = time_.steady;
    event.agent = agent;
    const std::size_t first = std::min(words.size(), event.words.size() - 1);
    const std::size_t second = std::min(more.size(), event.words.size() - 1 - first);
    std::memcpy(event.words.data(), words.data(), first);
    if (second > 0) std::memcpy(event.words.data() + first, more.data(), second);
    event.words[first + second] = '\0';
    mix(static_cast<std::uint64_t>(event.at.time_since_epoch().count()));
    mix(static_cast<std::uint64_t>(agent));
    mix(std::string_view(event.words.data(), first + second));
    mix(content);
}

std::string Trace::tell(int agent, std::size_t lines) const {
    std::vector<std::string> told;
    const std::uint64_t oldest = count_ > kKept ? count_ - kKept : 0;
    for (std::uint64_t at = count_; at > oldest && told.size() < lines; --at) {
        const Event& event = ring_[(at - 1) % kKept];
        if (event.agent != agent && event.agent != kServer) continue;
        const std::string_view words(event.words.data());
        if (words.ends_with("agent.heartbeat") || words.ends_with("the time")) continue;
        told.push_back("  " + day_and_time(event.at) +
                       (event.agent == kServer ? "  server   "
                                               : "  agent " + std::to_string(event.agent) + "  ") +
                       std::string(words) + "\n");
    }
    std::string text;
    for (auto line = told.rbegin(); line != told.rend(); ++line) text += *line;
    return text;
}

std::string day_and_time(SteadyTime at) {
    const auto total = at.time_since_epoch().count();
    char text[48];
    std::snprintf(text, sizeof text, "day %lld %02lld:%02lld:%02lld.%03lld",
                  static_cast<long long>(total / 86'400'000),
                  static_cast<long long>(total / 3'600'000 % 24),
                  static_cast<long long>(total / 60'000 % 60),
                  static_cast<long long>(total / 1000 % 60), static_cast<long long>(total % 1000));
    return text;
}

}  // namespace rekey::simulation
