#include "cli/audit_file.hpp"
#include "fake_server.hpp"
#include "keys/jwk.hpp"
#include "keys/jws.hpp"
#include "keys/private_key.hpp"
#include "protocol/audit_checkpoint.hpp"
#include "tests/support/temporary_directory.hpp"

#include <boost/json/serialize.hpp>
#include <boost/test/unit_test.hpp>

#include <algorithm>
#include <fstream>

using namespace rekey;
using namespace rekey::cli;
using namespace rekey::cli::test;
using protocol::ChainFaultKind;

namespace {

class Signer final : public keys::JwsSigner {
  public:
    [[nodiscard]] keys::Algorithm algorithm() const override { return key_.algorithm(); }
    [[nodiscard]] const std::string& kid() const override { return kid_; }
    [[nodiscard]] Result<Bytes> sign(std::string_view message) const override {
        return key_.sign(message);
    }
    [[nodiscard]] keys::Jwk jwk() const { return {key_.public_key(), kid_}; }

  private:
    keys::PrivateKey key_ = keys::PrivateKey::generate(keys::Algorithm::ed25519).value();
    std::string kid_ = keys::thumbprint(key_.public_key());
};

// A server's trail of ten rows, with checkpoints at 4 and 8.
struct Fixture : Rekeyctl {
    Fixture() {
        Bytes32 previous{};
        for (std::uint64_t seq = 1; seq <= 10; ++seq) {
            protocol::AuditExportRow row;
            row.seq = seq;
            row.time = Time(Milliseconds(1'800'000'000'000 + static_cast<std::int64_t>(seq)));
            row.actor = "system";
            row.action = "agent.created";
            row.subject = "agent " + std::to_string(seq);
            row.outcome = "ok";
            row.details = R"({"n":1E0})";  // parsing and printing would change it
            seal(row, previous);
            rows.push_back(row);
        }
        sign(4);
        sign(8);
        server.on<protocol::AuditExport>(
            [this](const protocol::AuditExport::Params& params) { return page(params); });
    }
    static void seal(protocol::AuditExportRow& row, Bytes32& previous) {
        row.previous_hash = to_hex(previous);
        previous = protocol::audit_hash({.stream_id = "main",
                                         .seq = row.seq,
                                         .time = row.time,
                                         .actor = row.actor,
                                         .action = row.action,
                                         .subject = row.subject,
                                         .outcome = row.outcome,
                                         .details = row.details,
                                         .previous_hash = previous});
        row.hash = to_hex(previous);
    }
    void sign(std::uint64_t seq, bool beginning = false) {
        protocol::AuditCheckpoint place{"main", seq, {}, Time{}, beginning};
        const auto hash = *from_hex(rows.at(seq - 1).hash);
        std::copy(hash.begin(), hash.end(), place.hash.begin());
        checkpoints[seq] = {
            seq, rows.at(seq - 1).hash,
            *keys::jws_sign(signer, protocol::kCheckpointTyp, protocol::to_payload(place))};
    }
    // Three rows a page.
    protocol::AuditExport::Result page(const protocol::AuditExport::Params& params) {
        protocol::AuditExport::Result result;
        result.stream_id = "main";
        const std::uint64_t after = params.cursor ? std::stoull(*params.cursor) : kept_from - 1;
        std::uint64_t last = after;
        for (const auto& row : rows)
            if (row.seq > after && result.rows.size() < 3) {
                result.rows.push_back(row);
                last = row.seq;
            }
        for (const auto& [seq, checkpoint] : checkpoints)
            if ((seq > after || (!params.cursor && seq == after)) && seq <= last)
                result.checkpoints.push_back(checkpoint);
        if (last < rows.back().seq) result.next_cursor = std::to_string(last);
        result.keys = {{"keys", boost::json::array{keys::to_json(signer.jwk())}}};
        return result;
    }

    std::vector<std::string> exported() {
        out.str({});
        BOOST_REQUIRE((run({"audit", "export"}) == ExitCode::ok));
        std::istringstream text(out.str());
        std::vector<std::string> lines;
        for (std::string line; std::getline(text, line);) lines.push_back(line);
        return lines;
    }
    static AuditReport verify(const std::vector<std::string>& lines, const AuditTrust& trust = {}) {
        std::string text;
        for (const std::string& line : lines) text += line + "\n";
        std::istringstream file(text);
        auto report = verify_export(file, trust);
        BOOST_REQUIRE(report.has_value());
        return *report;
    }
    static void expect(const AuditReport& report, ChainFaultKind kind, std::uint64_t seq) {
        BOOST_REQUIRE(report.fault.has_value());
        BOOST_TEST(protocol::name_of(report.fault->kind) == protocol::name_of(kind));
        BOOST_TEST(report.fault->seq == seq);
    }
    // The line of row `seq`.
    static std::size_t line_of(const std::vector<std::string>& lines, std::uint64_t seq) {
        const std::string begin = "{\"row\":{\"seq\":" + std::to_string(seq) + ",";
        for (std::size_t i = 0; i < lines.size(); ++i)
            if (lines[i].starts_with(begin)) return i;
        throw std::runtime_error("no such row");
    }
    static std::size_t checkpoint_line(const std::vector<std::string>& lines, std::uint64_t seq) {
        const std::string begin = "{\"checkpoint\":{\"seq\":" + std::to_string(seq) + ",";
        const auto found = std::ranges::find_if(
            lines, [&](const std::string& line) { return line.starts_with(begin); });
        BOOST_REQUIRE(found != lines.end());
        return static_cast<std::size_t>(found - lines.begin());
    }
    [[nodiscard]] protocol::ChainHead head(std::uint64_t seq) const {
        return *parse_head(std::to_string(seq) + ":" + rows.at(seq - 1).hash);
    }
    static void replace(std::string& line, const std::string& from, const std::string& to) {
        const auto at = line.find(from);
        BOOST_REQUIRE(at != std::string::npos);
        line.replace(at, from.size(), to);
    }

    Signer signer;
    std::vector<protocol::AuditExportRow> rows;
    std::map<std::uint64_t, protocol::AuditExportCheckpoint> checkpoints;
    std::uint64_t kept_from = 1;
    rekey::testing::TemporaryDirectory directory;
};

}  // namespace

BOOST_FIXTURE_TEST_SUITE(audit_tests, Fixture)

BOOST_AUTO_TEST_CASE(what_is_exported_can_be_verified) {
    const auto lines = exported();
    BOOST_TEST(lines.size() == 14U);
    const auto report = verify(lines);
    BOOST_TEST(!report.fault);
    BOOST_TEST(report.rows == 10U);
    BOOST_TEST(report.first_seq == 1U);
    BOOST_TEST(report.checkpoints == 2U);
    BOOST_TEST(report.last_checkpoint == 8U);
    BOOST_TEST((report.head == head(10)));
}

BOOST_AUTO_TEST_CASE(an_altered_row_is_found) {
    for (const auto& [from, to] :
         {std::pair("agent 5", "agent 6"), std::pair("1E0", "1.0"), std::pair("system", "admin"),
          std::pair("\"ok\"", "\"no\""), std::pair(".005Z", ".006Z")}) {
        auto lines = exported();
        replace(lines[line_of(lines, 5)], from, to);
        expect(verify(lines), ChainFaultKind::altered, 5);
    }
    auto lines = exported();
    lines[line_of(lines, 5)] = "rubbish";
    expect(verify(lines), ChainFaultKind::altered, 5);
}

BOOST_AUTO_TEST_CASE(a_missing_a_moved_and_a_doubled_row_are_found) {
    auto lines = exported();
    lines.erase(lines.begin() + static_cast<std::ptrdiff_t>(line_of(lines, 6)));
    expect(verify(lines), ChainFaultKind::missing, 6);
    lines = exported();
    std::swap(lines[line_of(lines, 6)], lines[line_of(lines, 7)]);
    expect(verify(lines), ChainFaultKind::reordered, 7);
    lines = exported();
    std::swap(lines[line_of(lines, 1)], lines[line_of(lines, 2)]);
    expect(verify(lines), ChainFaultKind::reordered, 2);
    lines = exported();
    lines.insert(lines.begin() + static_cast<std::ptrdiff_t>(line_of(lines, 6)),
                 lines[line_of(lines, 5)]);
    expect(verify(lines), ChainFaultKind::reordered, 5);
    lines = exported();
    lines.erase(lines.begin() + static_cast<std::ptrdiff_t>(line_of(lines, 1)));
    expect(verify(lines), ChainFaultKind::missing, 1);
}

BOOST_AUTO_TEST_CASE(a_tail_that_was_cut_off_is_found) {
    // The file alone was cut.
    auto lines = exported();
    lines.resize(line_of(lines, 9));
    expect(verify(lines), ChainFaultKind::truncated, 9);
    // Somebody made it look whole, but a checkpoint is ahead.
    lines = exported();
    lines.resize(line_of(lines, 8));
    lines.push_back(to_line(AuditEnd{7, 7, rows[6].hash}));
    lines.back().pop_back();
    expect(verify(lines), ChainFaultKind::truncated, 8);
    // Cut behind the last checkpoint: only one who noted a head can tell.
    lines = exported();
    lines.resize(line_of(lines, 9));
    lines.push_back(to_line(AuditEnd{8, 8, rows[7].hash}));
    lines.back().pop_back();
    BOOST_TEST(!verify(lines).fault);
    expect(verify(lines, {.jwks = {}, .head = head(10)}), ChainFaultKind::truncated, 9);
    BOOST_TEST(!verify(lines, {.jwks = {}, .head = head(8)}).fault);
    BOOST_TEST(!verify(lines, {.jwks = {}, .head = head(3)}).fault);
}

BOOST_AUTO_TEST_CASE(a_trail_that_was_written_anew_is_found) {
    Bytes32 previous{};
    const auto before = head(4);
    std::copy(before.hash.begin(), before.hash.end(), previous.begin());
    for (std::size_t i = 4; i < rows.size(); ++i) {
        rows[i].actor = "somebody else";
        seal(rows[i], previous);
    }
    expect(verify(exported()), ChainFaultKind::wrong_hash, 8);
    // Signed as well, by a key of the forger's, which the file brings along.
    const auto honest = boost::json::serialize(
        boost::json::object{{"keys", boost::json::array{keys::to_json(signer.jwk())}}});
    Fixture forger;
    forger.rows = rows;
    forger.checkpoints.clear();
    forger.sign(4);
    forger.sign(8);
    const auto lines = forger.exported();
    BOOST_TEST(!verify(lines).fault);
    expect(verify(lines, {.jwks = honest, .head = {}}), ChainFaultKind::bad_checkpoint, 4);
    // Whoever noted a head finds it without a key.
    forger.checkpoints.clear();
    const auto noted = parse_head("6:" + std::string(64, 'b'));
    expect(verify(forger.exported(), {.jwks = {}, .head = noted}), ChainFaultKind::wrong_hash, 6);
}

// Behind its row a checkpoint would be read when nothing is left that it could be compared with.
BOOST_AUTO_TEST_CASE(a_checkpoint_behind_its_row_is_found) {
    const auto honest = exported();
    const auto at = [](std::size_t line) { return static_cast<std::ptrdiff_t>(line); };
    const auto checkpoint = checkpoint_line(honest, 8);
    for (const std::uint64_t row : {8U, 9U, 10U}) {
        auto lines = honest;
        lines.insert(lines.begin() + at(line_of(lines, row)) + 1, lines[checkpoint]);
        lines.erase(lines.begin() + at(checkpoint));
        expect(verify(lines), ChainFaultKind::reordered, 8);
    }
    // Once more behind it.
    auto lines = honest;
    lines.insert(lines.begin() + at(line_of(lines, 8)) + 1, lines[checkpoint]);
    expect(verify(lines), ChainFaultKind::reordered, 8);
    // The rows behind row 4 written anew, to suit nobody's signature.
    auto previous = head(4).hash;
    for (std::size_t i = 4; i < rows.size(); ++i) {
        rows[i].actor = "somebody else";
        seal(rows[i], previous);
    }
    lines = exported();
    BOOST_TEST(lines.at(checkpoint) == honest.at(checkpoint));
    lines.insert(lines.begin() + at(line_of(lines, 10)) + 1, lines[checkpoint]);
    lines.erase(lines.begin() + at(checkpoint));
    expect(verify(lines), ChainFaultKind::reordered, 8);
}

// Signed is what a checkpoint was found right for, not what one was read for.
BOOST_AUTO_TEST_CASE(a_checkpoint_counts_once_its_row_was_right) {
    auto lines = exported();
    lines.resize(line_of(lines, 8));
    const auto report = verify(lines);
    expect(report, ChainFaultKind::truncated, 8);
    BOOST_TEST(report.last_checkpoint == 4U);
}

BOOST_AUTO_TEST_CASE(a_trail_begins_where_retention_says_so) {
    kept_from = 5;
    // The oldest rows were cut off at an ordinary checkpoint.
    expect(verify(exported()), ChainFaultKind::missing, 4);
    sign(4, true);
    const auto report = verify(exported());
    BOOST_TEST(!report.fault);
    BOOST_TEST(report.first_seq == 5U);
    BOOST_TEST(report.rows == 6U);
    BOOST_TEST(report.last_checkpoint == 8U);
    kept_from = 6;
    expect(verify(exported()), ChainFaultKind::missing, 5);
}

BOOST_AUTO_TEST_CASE(a_part_begins_behind_any_checkpoint) {
    kept_from = 5;
    BOOST_REQUIRE((run({"audit", "export", "--from", "2027-01-15T08:00:00Z"}) == ExitCode::ok));
    std::istringstream file(out.str());
    const auto report = verify_export(file, {});
    BOOST_REQUIRE(report.has_value());
    BOOST_TEST(!report->fault);
    BOOST_TEST(report->part);
}

BOOST_AUTO_TEST_CASE(the_command_says_what_is_wrong_and_ends_so) {
    const std::string path = directory.file("audit.jsonl");
    const auto write = [&](const std::vector<std::string>& lines) {
        std::ofstream file(path);
        for (const auto& line : lines) file << line << '\n';
    };
    auto lines = exported();
    write(lines);
    // No server is asked, and none has to be named.
    variables.clear();
    out.str({});
    BOOST_TEST((run({"audit", "verify", path}) == ExitCode::ok), err.str());
    BOOST_TEST(out.str().starts_with("verified\n"), out.str());
    BOOST_TEST(out.str().find(head_text(head(10))) != std::string::npos);
    out.str({});
    BOOST_TEST(
        (run({"audit", "verify", path, "--head", "11:" + rows[9].hash}) == ExitCode::failure));
    BOOST_TEST(out.str().starts_with("BROKEN at row 11: truncated"), out.str());
    out.str({});
    BOOST_TEST((run({"audit", "verify", path, "-o", "json"}) == ExitCode::ok));
    const auto shown = boost::json::parse(out.str());
    BOOST_TEST(shown.at("verified").as_bool());
    BOOST_TEST(!shown.at("part").as_bool());
    BOOST_TEST(shown.at("last_checkpoint").to_number<int>() == 8);
    replace(lines[line_of(lines, 5)], "agent 5", "agent 6");
    write(lines);
    out.str({});
    BOOST_TEST((run({"audit", "verify", path}) == ExitCode::failure));
    BOOST_TEST(out.str().starts_with("BROKEN at row 5: altered"), out.str());
    write({"no export"});
    BOOST_TEST((run({"audit", "verify", path}) == ExitCode::usage));
    BOOST_TEST((run({"audit", "verify", directory.file("none")}) == ExitCode::usage));
    BOOST_TEST((run({"audit", "verify", path, "--head", "x"}) == ExitCode::usage));
}

BOOST_AUTO_TEST_CASE(the_server_verifies_a_long_trail_in_several_calls) {
    const std::string hash(64, 'a');
    server.on<protocol::AuditVerify>([&](const protocol::AuditVerify::Params& params) {
        protocol::AuditVerify::Result result;
        result.verified = true;
        result.rows = 5;
        result.checkpoints = 1;
        result.first_seq = params.cursor ? 6 : 1;
        result.last_seq = params.cursor ? 10 : 5;
        result.head_hash = hash;
        if (!params.cursor) result.next_cursor = "5:" + hash;
        return result;
    });
    BOOST_TEST((run({"audit", "verify", "-o", "json"}) == ExitCode::ok));
    const auto shown = boost::json::parse(out.str());
    BOOST_TEST(shown.at("rows").to_number<int>() == 10);
    BOOST_TEST(shown.at("first_seq").to_number<int>() == 1);
    BOOST_TEST(shown.at("last_seq").to_number<int>() == 10);
    BOOST_TEST(server.count("audit.verify") == 2U);
    server.on<protocol::AuditVerify>([&](const protocol::AuditVerify::Params&) {
        protocol::AuditVerify::Result result;
        result.head_hash = hash;
        result.fault = {ChainFaultKind::altered, 7};
        return result;
    });
    out.str({});
    BOOST_TEST((run({"audit", "verify"}) == ExitCode::failure));
    BOOST_TEST(out.str().starts_with("BROKEN at row 7: altered"), out.str());
}

BOOST_AUTO_TEST_CASE(what_retention_overtook_ends_with_a_word_of_what_to_do) {
    const Error conflict(Code::conflict, "retention has removed rows behind row 3");
    server.on<protocol::AuditExport>(
        [&](const auto& params) -> Result<protocol::AuditExport::Result> {
            if (params.cursor) return conflict;
            return page(params);
        });
    BOOST_TEST((run({"audit", "export"}) == ExitCode::failure));
    BOOST_TEST(out.str().find("{\"end\":") == std::string::npos);
    BOOST_TEST(err.str().find("no whole export: run it again") != std::string::npos, err.str());
    server.on<protocol::AuditVerify>(
        [&](const auto&) -> Result<protocol::AuditVerify::Result> { return conflict; });
    err.str({});
    BOOST_TEST((run({"audit", "verify", "--head", head_text(head(3))}) == ExitCode::failure));
    BOOST_TEST(err.str().find("without --head") != std::string::npos, err.str());
}

BOOST_AUTO_TEST_SUITE_END()
