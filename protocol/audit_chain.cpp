#include "protocol/audit_chain.hpp"

#include "base/contract.hpp"
#include "base/hash.hpp"

#include <limits>
#include <string>

namespace rekey::protocol {
namespace {

constexpr std::string_view kEncodingName = "rekey-audit-v1";

// Each field behind its length, so that no two different rows have one encoding.
class Encoder {
  public:
    explicit Encoder(std::size_t size_hint) { text_.reserve(size_hint); }

    void field(std::string_view value) {
        REKEY_ASSERT(value.size() <= std::numeric_limits<std::uint32_t>::max());
        big_endian(static_cast<std::uint32_t>(value.size()));
        text_.append(value);
    }
    void field(ByteView value) {
        field(std::string_view(reinterpret_cast<const char*>(value.data()), value.size()));
    }
    void field(std::uint64_t value) {
        big_endian(std::uint32_t{8});
        big_endian(value);
    }
    [[nodiscard]] const std::string& text() const { return text_; }

  private:
    template <class Number>
    void big_endian(Number value) {
        for (int shift = static_cast<int>(sizeof(Number) * 8) - 8; shift >= 0; shift -= 8)
            text_.push_back(static_cast<char>((value >> shift) & 0xFFU));
    }

    std::string text_;
};

}  // namespace

Bytes32 audit_hash(const AuditFacts& facts) {
    Encoder out(160 + facts.actor.size() + facts.subject.size() + facts.details.size());
    out.field(kEncodingName);
    out.field(facts.stream_id);
    out.field(facts.seq);
    out.field(static_cast<std::uint64_t>(facts.time.time_since_epoch().count()));
    out.field(facts.actor);
    out.field(facts.action);
    out.field(facts.subject);
    out.field(facts.outcome);
    out.field(facts.details);
    out.field(ByteView(facts.previous_hash));
    return sha256(out.text());
}

std::optional<ChainFault> follow(const AuditFacts& facts, const Bytes32& hash, ChainHead& head) {
    using enum ChainFaultKind;
    if (facts.seq <= head.seq) return ChainFault{reordered, facts.seq};
    if (facts.seq != head.seq + 1) return ChainFault{missing, head.seq + 1};
    if (audit_hash(facts) != hash) return ChainFault{altered, facts.seq};
    if (facts.previous_hash != head.hash) return ChainFault{unlinked, facts.seq};
    head = {facts.seq, hash};
    return std::nullopt;
}

}  // namespace rekey::protocol
