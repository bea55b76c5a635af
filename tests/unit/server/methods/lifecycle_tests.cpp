#include "server/revocation/merge.hpp"
#include "tests/unit/server/support/door_world.hpp"

// agents.update, .delete and the filters of .list; who may be taken out by whom.
using namespace rekey;
using namespace rekey::server;
using rekey::server::testing::DoorWorld;
using storage::AgentStatus;

namespace {

std::string text(const boost::json::object& object, std::string_view name) {
    return std::string(object.at(name).as_string());
}

using Names = std::vector<std::string>;

struct Fixture : DoorWorld {
    Names listed(boost::json::object params) {
        params["type"] = "agent";
        Names found;
        const auto page = ok(admin, "agents.list", params);
        for (const auto& agent : page.at("agents").as_array())
            found.push_back(text(agent.as_object(), "name"));
        return found;
    }
    std::string path_of(const rpc::Caller& caller, std::string_view method,
                        const boost::json::object& params) {
        const auto answer = call(caller, method, params);
        BOOST_REQUIRE_MESSAGE(answer.has_error(), method << " succeeded");
        BOOST_TEST((answer.error().code() == Code::invalid_params));
        return text(*answer.error().details(), "path");
    }
    void give(const std::string& agent_id, const std::string& capability) {
        static_cast<void>(write<bool>([&](storage::Transaction& t) -> Result<bool> {
            REKEY_TRY(t.capabilities().grant(agent_id, capability, "test", clock.now()));
            return true;
        }));
    }
    bool exists(const std::string& agent_id) {
        return read<bool>([&](storage::Transaction& t) -> Result<bool> {
            return t.agents().find(agent_id).has_value();
        });
    }
    // The journal as a start reads it; the handlers go on with theirs.
    [[nodiscard]] std::unique_ptr<revocation::FileJournal> journal_of_a_start() {
        return revocation::FileJournal::open(folder.file("revocations"), *log);
    }
};

}  // namespace

BOOST_FIXTURE_TEST_SUITE(lifecycle_tests, Fixture)

BOOST_AUTO_TEST_CASE(update_changes_what_it_names_and_nothing_else) {
    const boost::json::object made{{"name", "a"},
                                   {"owner", "ops"},
                                   {"labels", {{"site", "paris"}, {"tier", "1"}}},
                                   {"metadata", {{"rack", 7}}}};
    const std::string agent_id = text(ok(admin, "agents.create", made), "agent_id");
    const auto writer = identity("writer", {"agents:write"});
    clock.advance(Milliseconds{5});
    const auto renamed =
        ok(writer, "agents.update", {{"agent_id", agent_id}, {"name", "b"}, {"type", "daemon"}});
    BOOST_TEST(text(renamed, "name") == "b");
    const auto row_now = row(agent_id);
    BOOST_TEST(row_now.type == "daemon");
    BOOST_TEST(row_now.owner == "ops");
    BOOST_TEST(row_now.labels.size() == 2U);
    BOOST_TEST(row_now.metadata.at("rack").as_int64() == 7);
    BOOST_TEST((row_now.updated_at == clock.now()));
    // Whole values are replaced, and empty ones take away.
    const boost::json::object emptied{{"agent_id", agent_id},
                                      {"owner", ""},
                                      {"labels", {{"tier", "2"}}},
                                      {"metadata", boost::json::object()}};
    const auto answer = ok(writer, "agents.update", emptied);
    BOOST_TEST(!answer.contains("owner"));
    BOOST_TEST(answer.at("labels").as_object().size() == 1U);
    BOOST_TEST(row(agent_id).metadata.empty());
    BOOST_TEST(audited("agent.updated") == 2U);
    // What is so already is no change.
    static_cast<void>(ok(writer, "agents.update", emptied));
    static_cast<void>(ok(writer, "agents.update", {{"agent_id", agent_id}}));
    BOOST_TEST(audited("agent.updated") == 2U);
}

BOOST_AUTO_TEST_CASE(update_names_the_field_that_is_wrong) {
    const std::string agent_id = create_agent("a");
    const auto path = [&](std::string_view name, const boost::json::value& value) {
        return path_of(admin, "agents.update", {{"agent_id", agent_id}, {name, value}});
    };
    BOOST_TEST(path("name", "A b") == "name");
    BOOST_TEST(path("name", nullptr) == "name");
    BOOST_TEST(path("owner", nullptr) == "owner");
    BOOST_TEST(path("labels", {{"site", 1}}) == "labels.site");
    BOOST_TEST(path("metadata", "text") == "metadata");
    BOOST_TEST(path("status", "revoked") == "status");
    BOOST_TEST(path("row_version", -1) == "row_version");
    static_cast<void>(create_agent("b"));
    BOOST_TEST((refused(admin, "agents.update", {{"agent_id", agent_id}, {"name", "b"}}) ==
                Code::already_exists));
}

BOOST_AUTO_TEST_CASE(update_of_what_was_changed_meanwhile_is_a_conflict_when_asked_to_be) {
    const std::string agent_id = create_agent("a");
    const auto version =
        ok(admin, "agents.get", {{"agent_id", agent_id}}).at("row_version").as_int64();
    const boost::json::object params{
        {"agent_id", agent_id}, {"owner", "ops"}, {"row_version", version}};
    const auto changed = ok(admin, "agents.update", params);
    BOOST_TEST(changed.at("row_version").as_int64() == version + 1);
    BOOST_TEST((refused(admin, "agents.update", params) == Code::conflict));
}

// A writer who could rename or relabel somebody more powerful could have the next grant for itself.
BOOST_AUTO_TEST_CASE(update_of_the_powerful_takes_as_much_power) {
    const auto boss = identity("boss", {"admin:*"});
    const auto writer = identity("writer", {"agents:write"});
    const boost::json::object rename{{"agent_id", boss.agent_id}, {"name", "nobody"}};
    BOOST_TEST((refused(writer, "agents.update", rename) == Code::permission_denied));
    const auto narrow = identity("narrow", {"admin:*"}, Names{"agents:write"});
    BOOST_TEST((refused(narrow, "agents.update", rename) == Code::permission_denied));
    const std::string agent_id = create_agent("a");
    const auto typed = [&](const rpc::Caller& caller, std::string_view type) {
        return call(caller, "agents.update", {{"agent_id", agent_id}, {"type", type}});
    };
    BOOST_TEST((typed(writer, "admin").error().code() == Code::permission_denied));
    BOOST_TEST(typed(admin, "admin").has_value());
    BOOST_TEST((typed(writer, "daemon").error().code() == Code::permission_denied));
    BOOST_TEST(typed(writer, "admin").has_value(), "unchanged");
    BOOST_TEST(typed(admin, "daemon").has_value());
    const auto reader = identity("reader", {"agents:read"});
    BOOST_TEST((typed(reader, "x").error().code() == Code::permission_denied));
}

BOOST_AUTO_TEST_CASE(list_filters_by_owner_labels_enrollment_and_capability) {
    const auto make = [&](std::string_view name, std::string_view owner,
                          const boost::json::object& labels) {
        clock.advance(Milliseconds{1});
        const boost::json::object params{{"name", name}, {"owner", owner}, {"labels", labels}};
        return text(ok(admin, "agents.create", params), "agent_id");
    };
    const auto one = make("one", "ops", {{"site", "paris"}, {"eq", "a=b"}});
    const auto two = make("two", "dev", {{"site", "paris"}});
    static_cast<void>(make("three", "ops", {{"site", "rome"}}));
    BOOST_TEST((listed({{"owner", "ops"}}) == Names{"one", "three"}));
    BOOST_TEST((listed({{"labels", {{"site", "paris"}}}}) == Names{"one", "two"}));
    BOOST_TEST((listed({{"labels", {{"site", "paris"}, {"eq", "a=b"}}}}) == Names{"one"}));
    BOOST_TEST(listed({{"labels", {{"site", ""}}}}).empty());
    change_row(two, [&](storage::AgentRow& r) { r.enrolled_at = clock.now(); });
    BOOST_TEST((listed({{"enrolled", true}}) == Names{"two"}));
    BOOST_TEST((listed({{"enrolled", false}}) == Names{"one", "three"}));
    give(one, "files:*");
    give(two, "files:read");
    BOOST_TEST((listed({{"capability", "files:read"}}) == Names{"one", "two"}));
    BOOST_TEST((listed({{"capability", "files:write"}}) == Names{"one"}));
    BOOST_TEST((listed({{"capability", "files:*"}}) == Names{"one"}));
    // Together with a name, which is found by its own index.
    BOOST_TEST((listed({{"name", "one"},
                        {"owner", "ops"},
                        {"labels", {{"site", "paris"}}},
                        {"capability", "files:x"},
                        {"enrolled", false}}) == Names{"one"}));
    BOOST_TEST(listed({{"name", "one"}, {"owner", "dev"}}).empty());
    BOOST_TEST(listed({{"name", "one"}, {"labels", {{"site", "rome"}}}}).empty());
    BOOST_TEST(listed({{"name", "one"}, {"capability", "mail:x"}}).empty());
    BOOST_TEST(listed({{"name", "one"}, {"enrolled", true}}).empty());

    BOOST_TEST(path_of(admin, "agents.list", {{"cursor", "somewhere"}}) == "cursor");
    BOOST_TEST(path_of(admin, "agents.list", {{"labels", {{"site", 1}}}}) == "labels.site");
    BOOST_TEST(path_of(admin, "agents.list", {{"capability", "files"}}) == "capability");
}

BOOST_AUTO_TEST_CASE(delete_is_a_revoke_after_which_only_the_trail_is_left) {
    const auto gone = identity("gone", {"agents:read"});
    const auto session = connect(gone.agent_id, 1);
    const auto deleted =
        ok(admin, "agents.delete", {{"agent_id", gone.agent_id}, {"reason", "old"}});
    BOOST_TEST(text(deleted, "status") == "deleted");
    BOOST_TEST(text(deleted, "name") == "gone");
    BOOST_TEST(session->closed_with() == 4500);
    BOOST_TEST((closed_admin_sockets == decltype(closed_admin_sockets){{gone.agent_id, 4500}}));
    BOOST_TEST((refused(gone, "agents.list") == Code::unknown_credential));
    BOOST_TEST(!exists(gone.agent_id));
    BOOST_TEST((refused(admin, "agents.get", {{"agent_id", gone.agent_id}}) == Code::not_found));
    BOOST_TEST((refused(admin, "agents.delete", {{"agent_id", gone.agent_id}}) == Code::not_found));
    BOOST_TEST(audited("agent.revoked") == 1U);
    BOOST_TEST(audited("agent.deleted") == 1U);
    BOOST_TEST(listed({{"status", "deleted"}}).empty());
    BOOST_TEST(create_agent("gone") != gone.agent_id);
}

BOOST_AUTO_TEST_CASE(a_revoked_agent_can_be_deleted) {
    const std::string agent_id = create_agent("a");
    static_cast<void>(ok(admin, "agents.revoke", {{"agent_id", agent_id}}));
    static_cast<void>(ok(admin, "agents.delete", {{"agent_id", agent_id}}));
    BOOST_TEST(!exists(agent_id));
    BOOST_TEST(audited("agent.revoked") == 1U);
}

// Each place where a process may die in a deletion.
BOOST_AUTO_TEST_CASE(a_deletion_that_was_cut_off_ends_as_a_revoke_or_goes_on) {
    const std::string before_journal = create_agent("a");
    const std::string after_journal = create_agent("b");
    for (const auto& agent_id : {before_journal, after_journal})
        change_row(agent_id, [](storage::AgentRow& r) {
            r.credentials = rotation::revoke(r.credentials)->after;
        });
    std::promise<Result<>> written;
    revocations->append({after_journal, clock.now(), "boss", revocation::End::deleted},
                        [&](const Result<>& result) { written.set_value(result); });
    BOOST_REQUIRE(written.get_future().get().has_value());
    revocation::merge_revocations(*store, *journal_of_a_start(), clock, *log);
    BOOST_TEST((row(before_journal).credentials.status == AgentStatus::revoked));
    BOOST_TEST(!exists(after_journal));
    BOOST_TEST(audited("agent.deleted") == 1U);
    // And the one that is left is deleted by the call that comes again.
    static_cast<void>(ok(admin, "agents.delete", {{"agent_id", before_journal}}));
    BOOST_TEST(!exists(before_journal));
}

BOOST_AUTO_TEST_CASE(a_restored_backup_does_not_bring_a_deleted_agent_back) {
    const auto gone = identity("gone", {"agents:read"});
    const storage::AgentRow backup = row(gone.agent_id);
    static_cast<void>(ok(admin, "agents.delete", {{"agent_id", gone.agent_id}}));
    static_cast<void>(write<bool>([&](storage::Transaction& t) -> Result<bool> {
        REKEY_TRY(t.agents().insert(backup));
        return true;
    }));
    revocation::merge_revocations(*store, *journal_of_a_start(), clock, *log);
    BOOST_TEST(!exists(gone.agent_id));
    BOOST_TEST(audited("agent.revoked") == 2U);
    BOOST_TEST(audited("agent.deleted") == 2U);
}

BOOST_AUTO_TEST_CASE(nobody_changes_their_own_status) {
    static_cast<void>(identity("other-admin", {"admin:*"}));
    for (const char* method :
         {"agents.suspend", "agents.revoke", "agents.delete", "agents.reactivate"})
        BOOST_TEST(
            (refused(admin, method, {{"agent_id", admin.agent_id}}) == Code::permission_denied),
            method);
    BOOST_TEST((row(admin.agent_id).credentials.status == AgentStatus::active));
}

BOOST_AUTO_TEST_SUITE_END()
