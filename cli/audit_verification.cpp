#include "base/limits.hpp"
#include "cli/audit_file.hpp"
#include "cli/exit_code.hpp"
#include "keys/jwk.hpp"
#include "keys/jws.hpp"
#include "protocol/audit_verifier.hpp"

#include <boost/json/serialize.hpp>

#include <algorithm>
#include <istream>
#include <map>
#include <utility>
#include <vector>

// An export, verified without a server.
namespace rekey::cli {
namespace {

using protocol::AuditVerifier;
using protocol::ChainFault;
using protocol::ChainFaultKind;

// One line; empty at the end. `parse_error` for one that is too long.
Result<std::optional<std::string>> read_line(std::istream& in) {
    std::string line;
    for (char c = 0; in.get(c);) {
        if (c == '\n') return std::optional(std::move(line));
        if (line.size() == limits::kAuditLineBytes)
            return Error(Code::parse_error, "a line is too long");
        line.push_back(c);
    }
    if (line.empty()) return std::optional<std::string>();
    return std::optional(std::move(line));
}

bool to_bytes32(const std::string& hex, Bytes32& bytes) {
    const auto read = from_hex(hex);
    if (!read || read->size() != bytes.size()) return false;
    std::copy(read->begin(), read->end(), bytes.begin());
    return true;
}

// The checkpoint that a JWS signs, if one of these keys made it.
std::optional<protocol::AuditCheckpoint> open_with(const std::vector<keys::Jwk>& trusted,
                                                   std::string_view text) {
    const auto jws = keys::parse_compact(text, limits::kCheckpointBytes);
    if (jws.has_error() || jws->header.typ != protocol::kCheckpointTyp) return std::nullopt;
    const auto key = std::ranges::find(trusted, jws->header.kid, &keys::Jwk::kid);
    if (key == trusted.end() || !keys::verify(*jws, key->key)) return std::nullopt;
    const auto checkpoint = protocol::parse_checkpoint(jws->payload);
    if (checkpoint.has_error()) return std::nullopt;
    return *checkpoint;
}

class Reader {
  public:
    Reader(std::istream& in, const AuditTrust& trust, AuditHeader header,
           std::vector<keys::Jwk> keys)
        : in_(in),
          trust_(trust),
          header_(std::move(header)),
          verifier_(header_.stream_id, [keys = std::move(keys)](std::string_view jws) {
              return open_with(keys, jws);
          }) {}

    AuditReport run() {
        AuditReport report;
        report.fault = walk();
        report.stream_id = header_.stream_id;
        report.first_seq = first_seq_;
        report.head = verifier_.head();
        report.rows = verifier_.rows();
        report.checkpoints = verifier_.checkpoints();
        report.last_checkpoint = verifier_.last_checkpoint();
        report.part = header_.part;
        return report;
    }

  private:
    using Fault = std::optional<ChainFault>;

    Fault walk() {
        for (;;) {
            const auto text = read_line(in_);
            // No "end": the file was cut off.
            if (text.has_value() && !*text) return here(ChainFaultKind::truncated);
            if (text.has_error()) return here(ChainFaultKind::altered);
            const auto line = parse_line(**text);
            if (line.has_error()) return here(ChainFaultKind::altered);
            if (const auto* end = std::get_if<AuditEnd>(&*line)) return finish(*end);
            if (auto fault = take(*line)) return fault;
        }
    }

    Fault take(const AuditLine& line) {
        if (const auto* row = std::get_if<protocol::AuditExportRow>(&line)) return take(*row);
        if (const auto* signed_place = std::get_if<protocol::AuditExportCheckpoint>(&line))
            return take(*signed_place);
        return here(ChainFaultKind::altered);
    }

    Fault take(const protocol::AuditExportCheckpoint& line) {
        protocol::StoredCheckpoint checkpoint{header_.stream_id, line.seq, {}, line.signature};
        if (!to_bytes32(line.hash, checkpoint.hash))
            return ChainFault{ChainFaultKind::bad_checkpoint, line.seq};
        // Until the first row it is not known what the chain begins behind.
        if (!begun_) {
            waiting_.emplace(line.seq, std::move(checkpoint));
            return std::nullopt;
        }
        if (auto fault = verifier_.expect(checkpoint)) return fault;
        // Behind its row it would be compared with nothing: an export writes it before.
        if (line.seq <= verifier_.head().seq)
            return ChainFault{ChainFaultKind::reordered, line.seq};
        return std::nullopt;
    }

    Fault take(const protocol::AuditExportRow& row) {
        if (!begun_)
            if (auto fault = begin(row.seq)) return fault;
        protocol::AuditFacts facts{.stream_id = header_.stream_id,
                                   .seq = row.seq,
                                   .time = row.time,
                                   .actor = row.actor,
                                   .action = row.action,
                                   .subject = row.subject,
                                   .outcome = row.outcome,
                                   .details = row.details,
                                   .previous_hash = {}};
        Bytes32 hash{};
        if (!to_bytes32(row.previous_hash, facts.previous_hash) || !to_bytes32(row.hash, hash))
            return ChainFault{ChainFaultKind::altered, row.seq};
        auto fault = verifier_.row(facts, hash);
        if (fault && fault->kind == ChainFaultKind::missing && comes_later(fault->seq))
            return ChainFault{ChainFaultKind::reordered, row.seq};
        return fault;
    }

    Fault begin(std::uint64_t first_seq) {
        begun_ = true;
        first_seq_ = first_seq;
        const std::uint64_t before = first_seq == 0 ? 0 : first_seq - 1;
        if (before != 0) {
            const auto found = waiting_.find(before);
            if (found == waiting_.end()) {
                const bool later = comes_later(1);
                return later ? ChainFault{ChainFaultKind::reordered, first_seq}
                             : ChainFault{ChainFaultKind::missing, before};
            }
            const auto start =
                header_.part ? AuditVerifier::Start::part : AuditVerifier::Start::kept;
            if (auto fault = verifier_.begin_behind(found->second, start)) return fault;
        }
        for (const auto& [seq, checkpoint] : waiting_)
            if (auto fault = verifier_.expect(checkpoint)) return fault;
        waiting_.clear();
        return trust_.head ? verifier_.expect(*trust_.head) : std::nullopt;
    }

    // Consumes the rest of the export.
    bool comes_later(std::uint64_t seq) {
        for (;;) {
            const auto text = read_line(in_);
            if (text.has_error() || !*text) return false;
            const auto line = parse_line(**text);
            if (line.has_error()) continue;
            const auto* row = std::get_if<protocol::AuditExportRow>(&*line);
            if (row != nullptr && row->seq == seq) return true;
        }
    }

    Fault finish(const AuditEnd& end) {
        if (!begun_ && !waiting_.empty()) return here(ChainFaultKind::truncated);
        if (!begun_ && trust_.head && trust_.head->seq > 0) return here(ChainFaultKind::truncated);
        if (auto fault = verifier_.finish()) return fault;
        Bytes32 hash{};
        if (end.last_seq > verifier_.head().seq) return here(ChainFaultKind::truncated);
        if (end.rows != verifier_.rows() || end.last_seq != verifier_.head().seq ||
            !to_bytes32(end.last_hash, hash) || hash != verifier_.head().hash)
            return here(ChainFaultKind::altered);
        return std::nullopt;
    }

    [[nodiscard]] Fault here(ChainFaultKind kind) const {
        return ChainFault{kind, verifier_.head().seq + 1};
    }

    std::istream& in_;
    const AuditTrust& trust_;
    AuditHeader header_;
    AuditVerifier verifier_;
    bool begun_ = false;
    std::uint64_t first_seq_ = 0;
    std::map<std::uint64_t, protocol::StoredCheckpoint> waiting_;
};

}  // namespace

Result<AuditReport> verify_export(std::istream& in, const AuditTrust& trust) {
    const auto no_export = [] {
        return bad_argument("this is no export of the audit",
                            "Make one with: rekeyctl audit export > FILE");
    };
    const auto text = read_line(in);
    if (text.has_error() || !*text) return no_export();
    const auto line = parse_line(**text);
    if (line.has_error() || !std::holds_alternative<AuditHeader>(*line)) return no_export();
    AuditHeader header = std::get<AuditHeader>(*line);
    if (header.format != kAuditFormat) return no_export();
    const std::string own = boost::json::serialize(header.keys);
    auto keys = keys::parse_jwks(trust.jwks.value_or(own));
    if (keys.has_error())
        return bad_argument("the key set cannot be read: " + keys.error().message(),
                            "It is a JSON Web Key Set, {\"keys\": [...]}");
    return Reader(in, trust, std::move(header), std::move(keys->keys)).run();
}

}  // namespace rekey::cli
