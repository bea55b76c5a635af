#include "storage/audit_chain.hpp"

#include <boost/test/unit_test.hpp>

#include <functional>
#include <utility>

namespace rekey::storage {
namespace {

AuditEvent event(std::string subject) {
    return {Time(Milliseconds(1'795'246'570'250)),
            "system",
            "rotation.promoted",
            std::move(subject),
            "ok",
            {{"generation", 7}}};
}

std::vector<AuditRow> chain(unsigned rows) {
    ChainHead head;
    std::vector<AuditRow> result;
    for (unsigned i = 1; i <= rows; ++i)
        result.push_back(chain_event(kMainStream, event("agent-" + std::to_string(i)), head));
    return result;
}

void check_fault(const std::vector<AuditRow>& rows, ChainFaultKind kind, std::uint64_t seq) {
    const auto fault = verify_chain(rows);
    BOOST_REQUIRE(fault);
    BOOST_CHECK(fault->kind == kind);
    BOOST_TEST(fault->seq == seq);
}

}  // namespace

BOOST_AUTO_TEST_SUITE(audit_chain_tests)

// Computed by the program in docs/audit.md, which shares no code.
BOOST_AUTO_TEST_CASE(the_hash_is_over_the_documented_encoding) {
    const auto rows = chain(2);
    BOOST_TEST(rows[0].details_json == R"({"generation":7})");
    BOOST_TEST(to_hex(rows[0].hash) ==
               "23ff8c04526c3d54a28a9ffcf576879e921860efd4690d3dc18332852456bb3b");
    BOOST_TEST(to_hex(rows[1].hash) ==
               "2a8b31af53afda0c698c53351260dba6134307b35a9ca7cb28eea1da39e8d7c3");
}

BOOST_AUTO_TEST_CASE(a_whole_chain_is_whole) {
    BOOST_TEST(!verify_chain({}));
    BOOST_TEST(!verify_chain(chain(1)));
    BOOST_TEST(!verify_chain(chain(100)));
}

BOOST_AUTO_TEST_CASE(every_altered_field_is_found) {
    const std::vector<std::function<void(AuditRow&)>> alterations = {
        [](AuditRow& row) { row.stream_id = "other"; },
        [](AuditRow& row) { row.event.time += Milliseconds(1); },
        [](AuditRow& row) { row.event.actor = "nobody"; },
        [](AuditRow& row) { row.event.action = "rotation.started"; },
        [](AuditRow& row) { row.event.subject.clear(); },
        [](AuditRow& row) { row.event.outcome = "conflict"; },
        [](AuditRow& row) { row.details_json = R"({"generation":8})"; },
        [](AuditRow& row) { row.previous_hash[31] ^= 1; },
        [](AuditRow& row) { row.hash[0] ^= 1; },
        // The same bytes, cut elsewhere between two fields.
        [](AuditRow& row) {
            row.event.actor = "systemr";
            row.event.action.erase(0, 1);
        },
    };
    for (const auto& alter : alterations) {
        auto rows = chain(5);
        alter(rows[2]);
        check_fault(rows, ChainFaultKind::altered, 3);
    }
}

BOOST_AUTO_TEST_CASE(a_row_that_was_rewritten_with_its_hash_is_found_at_the_next) {
    auto rows = chain(5);
    rows[2].event.outcome = "conflict";
    rows[2].hash = audit_hash(rows[2]);
    check_fault(rows, ChainFaultKind::unlinked, 4);
}

BOOST_AUTO_TEST_CASE(a_missing_row_is_found) {
    auto rows = chain(5);
    rows.erase(rows.begin() + 1, rows.begin() + 3);
    check_fault(rows, ChainFaultKind::missing, 2);
    rows = chain(5);
    rows.erase(rows.begin());
    check_fault(rows, ChainFaultKind::missing, 1);
}

BOOST_AUTO_TEST_CASE(rows_out_of_order_are_found) {
    auto rows = chain(5);
    std::swap(rows[1], rows[2]);
    check_fault(rows, ChainFaultKind::reordered, 3);
    rows = chain(5);
    rows.insert(rows.begin() + 2, rows[1]);
    check_fault(rows, ChainFaultKind::reordered, 2);
}

BOOST_AUTO_TEST_CASE(a_long_chain_is_verified_in_pages) {
    auto rows = chain(10);
    ChainHead head;
    BOOST_TEST(!verify_chain(std::span(rows).first(4), head));
    BOOST_TEST(head.seq == 4U);
    BOOST_TEST(!verify_chain(std::span(rows).subspan(4), head));
    BOOST_CHECK((head == ChainHead{10, rows[9].hash}));
    // A page that was left out.
    head = {4, rows[3].hash};
    BOOST_TEST(verify_chain(std::span(rows).subspan(6), head).has_value());
    BOOST_TEST(head.seq == 4U);
}

BOOST_AUTO_TEST_SUITE_END()

}  // namespace rekey::storage
