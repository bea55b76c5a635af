#include "tests/simulation/virtual_folder.hpp"

#include <boost/test/unit_test.hpp>

#include <cerrno>

BOOST_AUTO_TEST_SUITE(virtual_folder_tests)

using namespace rekey;
using namespace rekey::simulation;

namespace {

struct Stage {
    std::optional<DiskStep> fails_at;
    VirtualFolder folder{Syncs::honest,
                         [this](DiskStep step) { return fails_at == step ? EIO : 0; }};
};

}  // namespace

BOOST_AUTO_TEST_CASE(what_was_written_whole_survives_a_loss_of_power) {
    Stage stage;
    BOOST_TEST(!stage.folder.write("f", "one").has_value());
    BOOST_TEST(stage.folder.outcomes("f").size() == 1U);
    Dice dice(1);
    stage.folder.lose_power(dice);
    BOOST_TEST(stage.folder.visible("f").value() == "one");
}

BOOST_AUTO_TEST_CASE(a_rename_that_was_not_synced_is_there_or_not) {
    Stage stage;
    BOOST_TEST(!stage.folder.write("f", "one").has_value());
    stage.fails_at = DiskStep::sync_folder;
    const auto failed = stage.folder.write("f", "two");
    BOOST_TEST((failed->stage == WriteStage::after_rename));
    BOOST_TEST(stage.folder.visible("f").value() == "two");
    BOOST_TEST(stage.folder.outcomes("f").size() == 2U);
    bool old_seen = false;
    bool new_seen = false;
    for (std::uint64_t seed = 0; seed < 20; ++seed) {
        Stage other;
        BOOST_TEST(!other.folder.write("f", "one").has_value());
        other.fails_at = DiskStep::sync_folder;
        static_cast<void>(other.folder.write("f", "two"));
        Dice dice(seed);
        other.folder.lose_power(dice);
        (*other.folder.visible("f") == "one" ? old_seen : new_seen) = true;
    }
    BOOST_TEST(old_seen);
    BOOST_TEST(new_seen);
    stage.fails_at.reset();
    BOOST_TEST(stage.folder.sync("f").has_value());
    BOOST_TEST(stage.folder.outcomes("f").size() == 1U);
}

BOOST_AUTO_TEST_CASE(a_step_before_the_rename_leaves_the_old_file) {
    for (const DiskStep step :
         {DiskStep::create, DiskStep::write, DiskStep::sync_file, DiskStep::rename}) {
        Stage stage;
        BOOST_TEST(!stage.folder.write("f", "one").has_value());
        stage.fails_at = step;
        const auto failed = stage.folder.write("f", "two");
        BOOST_TEST((failed->stage == WriteStage::before_rename));
        BOOST_TEST(stage.folder.visible("f").value() == "one");
        BOOST_TEST(stage.folder.outcomes("f").size() == 1U);
    }
}

BOOST_AUTO_TEST_SUITE_END()
