#include "net/frame_scan.hpp"

#include "base/limits.hpp"

#include <algorithm>
#include <cstring>
#include <string_view>

namespace rekey::net {
namespace {

constexpr std::string_view kHttpEnd = "\r\n\r\n";
constexpr std::uint8_t kOpcode = 0x0f;
constexpr std::uint8_t kControl = 0x08;
constexpr std::uint8_t kMasked = 0x80;
constexpr std::uint8_t kLength = 0x7f;
constexpr std::uint8_t kLength16 = 126;
constexpr std::uint8_t kLength64 = 127;

}  // namespace

// How long the header is, as far as its first bytes say.
std::size_t FrameScan::header_size() const {
    if (header_have_ < 2) return 2;
    const unsigned length = header_[1] & kLength;
    const std::size_t extended = length == kLength16 ? 2 : length == kLength64 ? 8 : 0;
    return 2 + extended + ((header_[1] & kMasked) != 0 ? 4 : 0);
}

std::size_t FrameScan::skip_http(std::span<const std::uint8_t> bytes) {
    for (std::size_t i = 0; i < bytes.size(); ++i) {
        const char c = static_cast<char>(bytes[i]);
        if (c == kHttpEnd[http_end_matched_])
            ++http_end_matched_;
        else
            http_end_matched_ = c == kHttpEnd.front() ? 1 : 0;
        if (http_end_matched_ < kHttpEnd.size()) continue;
        in_http_ = false;
        return i + 1;
    }
    return bytes.size();
}

void FrameScan::begin_frame() {
    header_have_ = 0;
    const unsigned length = header_[1] & kLength;
    payload_left_ = length;
    if (length >= kLength16) {
        payload_left_ = 0;
        const std::size_t width = length == kLength16 ? 2 : 8;
        for (std::size_t i = 0; i < width; ++i)
            payload_left_ = (payload_left_ << 8U) | header_[2 + i];
    }
    if ((header_[0] & kControl) != 0) return;
    fragments_ = (header_[0] & kOpcode) == 0 ? fragments_ + 1 : 1;
    if (fragments_ > limits::kMessageFragments) too_many_ = true;
}

bool FrameScan::feed(std::span<const std::uint8_t> bytes) {
    while (!bytes.empty()) {
        std::size_t taken = 0;
        if (in_http_) {
            taken = skip_http(bytes);
        } else if (payload_left_ > 0) {
            taken = static_cast<std::size_t>(std::min<std::uint64_t>(payload_left_, bytes.size()));
            payload_left_ -= taken;
        } else {
            taken = std::min(header_size() - header_have_, bytes.size());
            std::memcpy(header_.data() + header_have_, bytes.data(), taken);
            header_have_ = static_cast<std::uint8_t>(header_have_ + taken);
            if (header_have_ >= 2 && header_have_ == header_size()) begin_frame();
        }
        bytes = bytes.subspan(taken);
    }
    return !too_many_;
}

}  // namespace rekey::net
