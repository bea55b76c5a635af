#include "tests/kill/message_split.hpp"

#include <algorithm>
#include <cctype>
#include <utility>

namespace rekey::testing {
namespace {

bool is_upgrade(std::string head) {
    std::ranges::transform(head, head.begin(),
                           [](unsigned char c) { return static_cast<char>(std::tolower(c)); });
    const bool opens = head.starts_with("get ") || head.starts_with("http/1.1 101");
    return opens && head.find("\r\nupgrade: websocket\r\n") != std::string::npos;
}

// The size of the frame that `buffer` begins with, or 0 when its head is not there yet.
std::size_t frame_size(std::string_view buffer) {
    if (buffer.size() < 2) return 0;
    const auto byte = [&](std::size_t at) { return static_cast<unsigned char>(buffer[at]); };
    const bool masked = (byte(1) & 0x80U) != 0;
    std::uint64_t payload = byte(1) & 0x7FU;
    std::size_t head = 2;
    if (payload >= 126) {
        const std::size_t width = payload == 126 ? 2 : 8;
        if (buffer.size() < 2 + width) return 0;
        payload = 0;
        for (std::size_t i = 0; i < width; ++i) payload = (payload << 8U) | byte(2 + i);
        head += width;
    }
    return head + (masked ? 4 : 0) + static_cast<std::size_t>(payload);
}

}  // namespace

void MessageSplit::feed(std::string_view bytes) {
    buffer_.append(bytes);
    for (bool more = true; more && !buffer_.empty();) {
        switch (mode_) {
            case Mode::head:
                more = take_head();
                break;
            case Mode::frames:
                more = take_frame();
                break;
            case Mode::bytes:
                whole_.push_back({Piece::Kind::bytes, std::exchange(buffer_, {})});
                break;
        }
    }
}

std::vector<Piece> MessageSplit::take() { return std::exchange(whole_, {}); }

bool MessageSplit::take_head() {
    const std::size_t end = buffer_.find("\r\n\r\n");
    if (end == std::string::npos) return false;
    std::string head = buffer_.substr(0, end + 4);
    buffer_.erase(0, end + 4);
    mode_ = is_upgrade(head) ? Mode::frames : Mode::bytes;
    whole_.push_back({Piece::Kind::head, std::move(head)});
    return true;
}

bool MessageSplit::take_frame() {
    const std::size_t size = frame_size(buffer_);
    if (size == 0 || buffer_.size() < size) return false;
    const auto first = static_cast<unsigned char>(buffer_[0]);
    std::string frame = buffer_.substr(0, size);
    buffer_.erase(0, size);
    const bool control = (first & 0x08U) != 0;
    const bool last = (first & 0x80U) != 0;
    if (control) {
        whole_.push_back({Piece::Kind::control, std::move(frame)});
        return true;
    }
    message_ += frame;
    if (last) whole_.push_back({Piece::Kind::message, std::exchange(message_, {})});
    return true;
}

}  // namespace rekey::testing
