#pragma once

#include "server/rpc/caller.hpp"
#include "server/rpc/dispatcher.hpp"
#include "server/rpc/task.hpp"

#include <optional>
#include <string>
#include <string_view>

// JSON-RPC messages of admins, from text to text, over whatever carries them.
namespace rekey::server::http {

// What they come over. A socket knows no batches, and its messages are at most
// limits::kMessageBytes, answers as well.
enum class Carrier : std::uint8_t { post, socket };

struct EnvelopeAnswer {
    std::string text;  // empty: nothing is answered (notifications)
    bool parse_failed = false;
    // What the credential became, when a call was refused for it: the carrier may close.
    std::optional<Code> credential;
};

// All calls of `text`, one after the other. `text` must outlive the task. For Carrier::post the
// caller was just authenticated: only the later calls of a batch read it again.
[[nodiscard]] rpc::Task<EnvelopeAnswer> answer_envelope(const rpc::Dispatcher& dispatcher,
                                                        const rpc::Caller& caller,
                                                        std::string_view text, Carrier carrier);

}  // namespace rekey::server::http
