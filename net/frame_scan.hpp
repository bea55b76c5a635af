#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <span>

namespace rekey::net {

// Follows the frames of a WebSocket's incoming bytes by their headers alone (RFC 6455, section
// 5.2), to count the fragments of a message: Beast swallows empty ones without telling anybody, and
// a peer could send them for ever. Malformed frames are Beast's to refuse.
class FrameScan {
  public:
    enum class From : std::uint8_t { frames, http_response };

    // A client's bytes begin with the answer to its upgrade request.
    explicit FrameScan(From from) : in_http_(from == From::http_response) {}

    // False once a message has more than limits::kMessageFragments.
    [[nodiscard]] bool feed(std::span<const std::uint8_t> bytes);

  private:
    [[nodiscard]] std::size_t skip_http(std::span<const std::uint8_t> bytes);
    [[nodiscard]] std::size_t header_size() const;
    void begin_frame();

    std::uint64_t payload_left_ = 0;
    std::array<std::uint8_t, 14> header_{};
    std::uint8_t header_have_ = 0;
    std::uint8_t http_end_matched_ = 0;
    bool in_http_;
    std::size_t fragments_ = 0;
    bool too_many_ = false;
};

}  // namespace rekey::net
