#include "protocol/audit_checkpoint.hpp"

#include "protocol/fields.hpp"

#include <algorithm>
#include <tuple>

namespace rekey::protocol {
namespace {

struct Payload {
    std::string stream_id;
    std::uint64_t seq = 0;
    std::string hash;
    Time time{};
    bool beginning = false;
    static constexpr auto fields() {
        return std::tuple{
            field("stream_id", &Payload::stream_id, "The chain."),
            field("seq", &Payload::seq, "The place.", Rule{.min = 1}),
            field("hash", &Payload::hash, "Of the row there.", Rule{.form = Form::hex_32_bytes}),
            field("time", &Payload::time, "Of the signature."),
            field("beginning", &Payload::beginning, "The rows up to here were removed.")};
    }
};

}  // namespace

std::string to_payload(const AuditCheckpoint& checkpoint) {
    return encode(Payload{checkpoint.stream_id, checkpoint.seq, to_hex(checkpoint.hash),
                          checkpoint.time, checkpoint.beginning});
}

Result<AuditCheckpoint> parse_checkpoint(std::string_view payload) {
    REKEY_TRY_ASSIGN(read, decode_text<Payload>(payload, UnknownFields::ignore));
    AuditCheckpoint checkpoint;
    checkpoint.stream_id = std::move(read.stream_id);
    checkpoint.seq = read.seq;
    const auto hash = from_hex(read.hash);
    if (!hash || hash->size() != checkpoint.hash.size())
        return bad_field({"hash", "32 bytes in hexadecimal"});
    std::copy(hash->begin(), hash->end(), checkpoint.hash.begin());
    checkpoint.time = read.time;
    checkpoint.beginning = read.beginning;
    return checkpoint;
}

}  // namespace rekey::protocol
