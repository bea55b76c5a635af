#include "storage/names.hpp"
#include "tests/unit/storage/conformance.hpp"

// Keys of the key provider and their versions, alike in every engine.
namespace rekey::storage::testing {
namespace {

constexpr Time kMade{Milliseconds(1'800'000'000'000)};

ProviderKeyVersionRow version_of(std::uint64_t number, ProviderKeyState state) {
    ProviderKeyVersionRow row;
    row.version = number;
    row.state = state;
    row.public_key = {1, 2, static_cast<std::uint8_t>(number)};
    if (state != ProviderKeyState::destroyed) row.sealed_secret = Bytes{9, 8, 7};
    row.created_at = kMade;
    return row;
}

ProviderKeyRow key_of(unsigned number) {
    ProviderKeyRow row;
    row.kid = id_of(number);
    row.spec = {{"algorithm", "ed25519"}, {"label", "l"}};
    row.next_version = 3;
    row.created_at = kMade;
    row.versions = {version_of(1, ProviderKeyState::active),
                    version_of(2, ProviderKeyState::pre_published)};
    return row;
}

template <class Engine>
Result<> put(Opened<Engine>& engine, ProviderKeyRow& row) {
    return write_now(engine.store(), [&](Transaction& t) { return t.provider_keys().put(row); });
}

template <class Engine>
Result<ProviderKeyRow> find(Opened<Engine>& engine, unsigned number) {
    return read_now(engine.store(),
                    [=](Transaction& t) { return t.provider_keys().find(id_of(number)); });
}

void require_same(const ProviderKeyRow& left, const ProviderKeyRow& right) {
    BOOST_TEST(left.kid == right.kid);
    BOOST_CHECK(left.spec == right.spec);
    BOOST_TEST(left.next_version == right.next_version);
    BOOST_TEST(left.row_version == right.row_version);
    BOOST_CHECK(left.created_at == right.created_at);
    BOOST_CHECK(left.versions == right.versions);
}

}  // namespace

BOOST_AUTO_TEST_SUITE(provider_keys_conformance_tests)

BOOST_AUTO_TEST_CASE_TEMPLATE(a_key_comes_back_as_it_was_put, Engine, Engines) {
    Opened<Engine> engine;
    ProviderKeyRow row = key_of(1);
    row.versions[0].activated_at = kMade + Milliseconds(1);
    row.versions[1].destroy_at = kMade + Milliseconds(4);
    ProviderKeyVersionRow gone = version_of(3, ProviderKeyState::destroyed);
    gone.retired_at = kMade + Milliseconds(2);
    gone.destroyed_at = kMade + Milliseconds(3);
    gone.public_key = {};
    row.versions.push_back(gone);
    row.next_version = 4;
    require_ok(put(engine, row));
    BOOST_TEST(row.row_version == 1U);
    require_same(*find(engine, 1), row);
    engine.close();
    engine.open();
    require_same(*find(engine, 1), row);
    BOOST_CHECK(code_of(find(engine, 2)) == Code::not_found);
}

BOOST_AUTO_TEST_CASE_TEMPLATE(of_two_changes_the_first_wins, Engine, Engines) {
    Opened<Engine> engine;
    ProviderKeyRow row = key_of(1);
    require_ok(put(engine, row));
    ProviderKeyRow again = key_of(1);
    BOOST_CHECK(code_of(put(engine, again)) == Code::already_exists);
    ProviderKeyRow stale = row;
    row.versions[0].state = ProviderKeyState::retiring;
    row.versions[0].retired_at = kMade;
    row.versions[1].state = ProviderKeyState::active;
    row.versions.push_back(version_of(3, ProviderKeyState::pre_published));
    row.next_version = 4;
    require_ok(put(engine, row));
    BOOST_TEST(row.row_version == 2U);
    BOOST_CHECK(code_of(put(engine, stale)) == Code::conflict);
    BOOST_TEST(stale.row_version == 1U);
    require_same(*find(engine, 1), row);
    ProviderKeyRow nowhere = key_of(2);
    nowhere.row_version = 5;
    BOOST_CHECK(code_of(put(engine, nowhere)) == Code::conflict);
}

BOOST_AUTO_TEST_CASE_TEMPLATE(a_destroyed_secret_is_gone, Engine, Engines) {
    Opened<Engine> engine;
    ProviderKeyRow row = key_of(1);
    require_ok(put(engine, row));
    row.versions[1].state = ProviderKeyState::destroyed;
    row.versions[1].sealed_secret.reset();
    row.versions[1].destroyed_at = kMade;
    require_ok(put(engine, row));
    BOOST_TEST(!find(engine, 1)->versions[1].sealed_secret.has_value());
    require_same(*find(engine, 1), row);
}

BOOST_AUTO_TEST_CASE_TEMPLATE(keys_come_in_pages, Engine, Engines) {
    Opened<Engine> engine;
    for (const unsigned number : {3U, 1U, 2U}) {
        ProviderKeyRow row = key_of(number);
        require_ok(put(engine, row));
    }
    const auto page = [&](const std::string& after, std::size_t limit) {
        std::vector<std::string> kids;
        for (const ProviderKeyRow& row : *read_now(engine.store(), [&](Transaction& t) {
                 return t.provider_keys().list(after, limit);
             })) {
            BOOST_TEST(row.versions.size() == 2U);
            kids.push_back(row.kid);
        }
        return kids;
    };
    using Kids = std::vector<std::string>;
    BOOST_CHECK((page("", 2) == Kids{id_of(1), id_of(2)}));
    BOOST_CHECK((page(id_of(2), 2) == Kids{id_of(3)}));
    BOOST_CHECK(page(id_of(3), 2).empty());
}

BOOST_AUTO_TEST_CASE_TEMPLATE(a_unit_that_fails_leaves_nothing, Engine, Engines) {
    Opened<Engine> engine;
    ProviderKeyRow row = key_of(1);
    require_ok(put(engine, row));
    const auto failed = write_now(engine.store(), [&](Transaction& t) -> Result<> {
        ProviderKeyRow changed = row;
        changed.versions.push_back(version_of(3, ProviderKeyState::pre_published));
        REKEY_TRY(t.provider_keys().put(changed));
        ProviderKeyRow fresh = key_of(2);
        REKEY_TRY(t.provider_keys().put(fresh));
        return Error(Code::wrong_state, "changed its mind");
    });
    BOOST_CHECK(code_of(failed) == Code::wrong_state);
    require_same(*find(engine, 1), row);
    BOOST_CHECK(code_of(find(engine, 2)) == Code::not_found);
    for (const auto state : {ProviderKeyState::pre_published, ProviderKeyState::active,
                             ProviderKeyState::retiring, ProviderKeyState::destroyed})
        BOOST_CHECK(provider_key_state_of(name_of(state)) == state);
}

BOOST_AUTO_TEST_SUITE_END()

}  // namespace rekey::storage::testing
