#include "base/limits.hpp"
#include "base/random.hpp"
#include "storage/audit_scan.hpp"
#include "tests/unit/storage/conformance.hpp"

#include <set>

// The audit chain's own table and its checkpoints, on every engine.
namespace rekey::storage::testing {
namespace {

constexpr Time kBegan{Milliseconds(1'800'000'000'000)};

AuditEvent at(std::int64_t second, std::string subject = "subject", std::string actor = "system") {
    AuditEvent event = make_event("rotation.promoted", std::move(subject));
    event.time = kBegan + std::chrono::seconds(second);
    event.actor = std::move(actor);
    return event;
}

// One row a time, in that order.
void append(Store& store, const std::vector<std::int64_t>& seconds) {
    write_ok(store, [&](Transaction& t) -> Result<> {
        for (const std::int64_t second : seconds) t.audit().append(at(second));
        return {};
    });
}

AuditFilter between(std::optional<std::int64_t> from, std::optional<std::int64_t> until) {
    AuditFilter filter;
    if (from) filter.from = kBegan + std::chrono::seconds(*from);
    if (until) filter.until = kBegan + std::chrono::seconds(*until);
    return filter;
}

// The places of what a scan finds, page after page.
std::string scan(Store& store, AuditFilter filter, std::size_t limit = 100) {
    std::string text;
    for (;;) {
        const auto page =
            read_now(store, [&](Transaction& t) { return scan_audit(t.audit(), filter, limit); });
        BOOST_REQUIRE(page.has_value());
        for (const AuditRow& row : page->rows) text += std::to_string(row.seq) + " ";
        if (page->next == 0) return text;
        const bool newest = filter.order == AuditFilter::Order::newest_first;
        (newest ? filter.before_seq : filter.after_seq) = page->next;
    }
}

AuditCheckpointRow checkpoint(std::uint64_t seq, std::string signature = "a.b.c") {
    return {std::string(kMainStream), seq, sha256(std::to_string(seq)), kBegan,
            std::move(signature)};
}

ChainEnds ends(Store& store) {
    return *read_now(store, [](Transaction& t) { return t.audit().ends(); });
}

}  // namespace

BOOST_AUTO_TEST_SUITE(audit_conformance_tests)

BOOST_AUTO_TEST_CASE_TEMPLATE(times_are_found_from_either_end, Engine, Engines) {
    Opened<Engine> engine;
    append(engine.store(), {10, 20, 20, 30, 40});
    constexpr auto kNewest = AuditFilter::Order::newest_first;
    BOOST_TEST(scan(engine.store(), between(20, 40)) == "2 3 4 ");
    BOOST_TEST(scan(engine.store(), between(21, {})) == "4 5 ");
    BOOST_TEST(scan(engine.store(), between({}, 20)) == "1 ");
    BOOST_TEST(scan(engine.store(), between(50, {})).empty());
    BOOST_TEST(scan(engine.store(), between({}, 10)).empty());
    BOOST_TEST(scan(engine.store(), between(30, 20)).empty());
    AuditFilter newest = between(20, 40);
    newest.order = kNewest;
    BOOST_TEST(scan(engine.store(), newest, 2) == "4 3 2 ");
}

// A clock that is set back must hide nothing, whatever the bisection believes.
BOOST_AUTO_TEST_CASE_TEMPLATE(a_clock_that_was_set_back_hides_no_row, Engine, Engines) {
    Opened<Engine> engine;
    std::vector<std::int64_t> times;
    SeededRandom random(11);
    std::int64_t now = 100'000;
    for (int i = 0; i < 300; ++i) {
        now += static_cast<std::int64_t>(random.between(0, 20));
        if (i % 60 == 59) now -= static_cast<std::int64_t>(random.between(0, 5000));
        times.push_back(now);
        append(engine.store(), {now});
        // The next connection knows no more than the database says.
        if (i % 100 == 50) {
            engine.close();
            engine.open();
        }
    }
    for (int i = 0; i < 200; ++i) {
        const auto from = times[random.between(0, times.size() - 1)];
        const auto until = from + static_cast<std::int64_t>(random.between(1, 300));
        std::string expected;
        for (std::size_t row = 0; row < times.size(); ++row)
            if (times[row] >= from && times[row] < until) expected += std::to_string(row + 1) + " ";
        BOOST_TEST_CONTEXT("from " << from << " until " << until) {
            BOOST_TEST(scan(engine.store(), between(from, until), 7) == expected);
        }
    }
}

BOOST_AUTO_TEST_CASE_TEMPLATE(either_party_and_outcomes_are_found, Engine, Engines) {
    Opened<Engine> engine;
    write_ok(engine.store(), [](Transaction& t) -> Result<> {
        t.audit().append(at(1, "a", "b"));
        t.audit().append(at(2, "b", "c"));
        t.audit().append(at(3, "c", "a"));
        AuditEvent refused = at(4, "d", "d");
        refused.outcome = "permission_denied";
        t.audit().append(refused);
        return {};
    });
    BOOST_TEST(scan(engine.store(), {.party = "a"}) == "1 3 ");
    BOOST_TEST(scan(engine.store(), {.subject = "c", .party = "a"}) == "3 ");
    BOOST_TEST(scan(engine.store(), {.party = "x"}).empty());
    BOOST_TEST(scan(engine.store(), {.outcome = "permission_denied"}) == "4 ");
}

// Rows that fit are far away: the page says where to go on, instead of looking for ever.
BOOST_AUTO_TEST_CASE_TEMPLATE(a_scan_stops_at_its_bound, Engine, Engines) {
    Opened<Engine> engine;
    const std::size_t rows = limits::kAuditScanRows + 10;
    for (std::size_t written = 0; written < rows; written += 10'000) {
        const std::size_t more = std::min<std::size_t>(10'000, rows - written);
        write_ok(engine.store(), [&](Transaction& t) -> Result<> {
            for (std::size_t i = 0; i < more; ++i)
                t.audit().append(at(1, written + i == 0 || written + i + 1 == rows ? "x" : "y"));
            return {};
        });
    }
    const auto page = [&](const AuditFilter& filter) {
        return *read_now(engine.store(),
                         [&](Transaction& t) { return scan_audit(t.audit(), filter, 5); });
    };
    AuditFilter filter{.subject = "x"};
    BOOST_TEST(page(filter).rows.size() == 1U);
    BOOST_TEST(page(filter).next == limits::kAuditScanRows);
    filter.after_seq = limits::kAuditScanRows;
    BOOST_TEST(page(filter).rows.size() == 1U);
    BOOST_TEST(page(filter).next == 0U);
    filter = {.subject = "x", .order = AuditFilter::Order::newest_first};
    BOOST_TEST(page(filter).rows.size() == 1U);
    BOOST_TEST(page(filter).next == 11U);
    BOOST_TEST(page({.subject = "z"}).rows.empty());
    BOOST_TEST(page({.subject = "z"}).next == limits::kAuditScanRows);
    BOOST_TEST(scan(engine.store(), {.subject = "x"}) == "1 " + std::to_string(rows) + " ");
}

BOOST_AUTO_TEST_CASE_TEMPLATE(what_was_removed_leaves_a_chain_that_goes_on, Engine, Engines) {
    Opened<Engine> engine;
    BOOST_TEST(ends(engine.store()).first_seq == 0U);
    append(engine.store(), {1, 2, 3, 4, 5});
    const auto remove = [&](std::uint64_t seq) {
        std::uint64_t removed = 0;
        const auto result = write_now(engine.store(), [&](Transaction& t) -> Result<> {
            REKEY_TRY_ASSIGN(count, t.audit().remove_up_to(seq));
            removed = count;
            t.audit().append(at(6));
            return {};
        });
        require_ok(result);
        return removed;
    };
    BOOST_TEST(remove(2) == 2U);
    BOOST_TEST(ends(engine.store()).first_seq == 3U);
    BOOST_TEST(ends(engine.store()).head.seq == 6U);
    BOOST_TEST(remove(2) == 0U);
    engine.close();
    engine.open();
    append(engine.store(), {7});
    const auto rows =
        read_now(engine.store(), [](Transaction& t) { return t.audit().walk(0, 99); });
    BOOST_REQUIRE_EQUAL(rows->size(), 6U);
    ChainHead head{2, rows->front().previous_hash};
    BOOST_TEST(!verify_chain(*rows, head));
    BOOST_TEST(scan(engine.store(), {.before_seq = 5}) == "3 4 ");
    BOOST_TEST(scan(engine.store(), between(4, 6)) == "4 5 ");
    BOOST_TEST(
        read_now(engine.store(), [](Transaction& t) { return t.audit().walk(4, 2); })->back().seq ==
        6U);
}

BOOST_AUTO_TEST_CASE_TEMPLATE(removing_is_bounded_and_undone_with_its_unit, Engine, Engines) {
    Opened<Engine> engine;
    append(engine.store(), {1, 2, 3});
    const auto refused = [&](std::uint64_t seq) {
        return code_of(write_now(engine.store(), [&](Transaction& t) -> Result<> {
            REKEY_TRY(t.audit().remove_up_to(seq));
            return {};
        }));
    };
    // The newest one is what the next is chained to.
    BOOST_CHECK(refused(3) == Code::invalid_params);
    BOOST_CHECK(refused(99) == Code::invalid_params);
    BOOST_CHECK(code_of(write_now(engine.store(), [&](Transaction& t) -> Result<> {
                    REKEY_TRY(t.audit().remove_up_to(2));
                    return Error(Code::conflict, "after all");
                })) == Code::conflict);
    BOOST_TEST(scan(engine.store(), {}) == "1 2 3 ");
    for (int i = 0; i < 3; ++i)
        append(engine.store(), std::vector<std::int64_t>(limits::kSweepRows / 2, 4));
    BOOST_CHECK(refused(limits::kSweepRows + 1) == Code::invalid_params);
}

BOOST_AUTO_TEST_CASE_TEMPLATE(checkpoints_are_found_by_their_place, Engine, Engines) {
    Opened<Engine> engine;
    write_ok(engine.store(), [](Transaction& t) -> Result<> {
        for (const std::uint64_t seq : {30U, 10U, 20U})
            REKEY_TRY(t.audit_checkpoints().put(checkpoint(seq)));
        return t.audit_checkpoints().put(checkpoint(20, "other"));
    });
    const auto list = [&](std::uint64_t after, std::size_t limit = 10) {
        return *read_now(engine.store(),
                         [&](Transaction& t) { return t.audit_checkpoints().list(after, limit); });
    };
    BOOST_TEST((list(0) == std::vector{checkpoint(10), checkpoint(20, "other"), checkpoint(30)}));
    BOOST_TEST((list(10, 1) == std::vector{checkpoint(20, "other")}));
    BOOST_TEST(list(30).empty());
    const auto newest = [&](std::uint64_t seq) {
        return *read_now(engine.store(),
                         [&](Transaction& t) { return t.audit_checkpoints().newest_up_to(seq); });
    };
    BOOST_TEST(!newest(9));
    BOOST_TEST(newest(10)->seq == 10U);
    BOOST_TEST(newest(29)->seq == 20U);
    BOOST_TEST(newest(1'000'000)->seq == 30U);
    BOOST_CHECK(code_of(write_now(engine.store(), [](Transaction& t) -> Result<> {
                    REKEY_TRY(t.audit_checkpoints().remove_before(20));
                    return Error(Code::conflict, "after all");
                })) == Code::conflict);
    BOOST_TEST(list(0).size() == 3U);
    write_ok(engine.store(),
             [](Transaction& t) { return t.audit_checkpoints().remove_before(20); });
    BOOST_TEST(list(0).size() == 2U);
    BOOST_CHECK(code_of(read_now(engine.store(), [](Transaction& t) -> Result<int> {
                    REKEY_TRY(t.audit_checkpoints().put(checkpoint(40)));
                    return 1;
                })) == Code::internal);
}

BOOST_AUTO_TEST_SUITE_END()

}  // namespace rekey::storage::testing
