#include "storage/audit_chain.hpp"

#include "base/contract.hpp"
#include "base/hash.hpp"

#include <boost/json/serialize.hpp>

#include <limits>
#include <utility>

namespace rekey::storage {
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

std::optional<ChainFault> fault(ChainFaultKind kind, std::uint64_t seq) {
    return ChainFault{kind, seq};
}

}  // namespace

Bytes32 audit_hash(const AuditRow& row) {
    const AuditEvent& event = row.event;
    Encoder out(160 + event.actor.size() + event.subject.size() + row.details_json.size());
    out.field(kEncodingName);
    out.field(row.stream_id);
    out.field(row.seq);
    out.field(static_cast<std::uint64_t>(event.time.time_since_epoch().count()));
    out.field(event.actor);
    out.field(event.action);
    out.field(event.subject);
    out.field(event.outcome);
    out.field(row.details_json);
    out.field(ByteView(row.previous_hash));
    return sha256(out.text());
}

AuditRow chain_event(std::string_view stream_id, AuditEvent event, ChainHead& head) {
    AuditRow row;
    row.stream_id = stream_id;
    row.seq = head.seq + 1;
    row.details_json = event.details.empty() ? "{}" : boost::json::serialize(event.details);
    row.event = std::move(event);
    row.previous_hash = head.hash;
    row.hash = audit_hash(row);
    head = {row.seq, row.hash};
    return row;
}

std::optional<ChainFault> verify_chain(std::span<const AuditRow> rows, ChainHead& head) {
    for (const AuditRow& row : rows) {
        if (row.seq <= head.seq) return fault(ChainFaultKind::reordered, row.seq);
        if (row.seq != head.seq + 1) {
            // A gap that a later row of the same page fills is a row out of its place.
            for (const AuditRow& other : rows)
                if (other.seq == head.seq + 1) return fault(ChainFaultKind::reordered, row.seq);
            return fault(ChainFaultKind::missing, head.seq + 1);
        }
        if (audit_hash(row) != row.hash) return fault(ChainFaultKind::altered, row.seq);
        if (row.previous_hash != head.hash) return fault(ChainFaultKind::unlinked, row.seq);
        head = {row.seq, row.hash};
    }
    return std::nullopt;
}

std::optional<ChainFault> verify_chain(std::span<const AuditRow> rows) {
    ChainHead head;
    return verify_chain(rows, head);
}

}  // namespace rekey::storage
