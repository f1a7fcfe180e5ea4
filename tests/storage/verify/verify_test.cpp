// `verify` finds nothing in a sound store, changes nothing, and refuses what it cannot judge.
#include "tests/storage/verify/verify_fixture.hpp"

#include <fstream>

namespace fencegate::testing {
namespace {

TEST_F(VerifyStore, FindsNothingInASoundStoreAndLooksAtSomethingInEachCheck) {
    const auto report = verify();

    EXPECT_EQ(told(report), "");
    EXPECT_TRUE(report.is_sound());
    for (const auto& check : report.checks) {
        if (check.name != "expected_head") {
            EXPECT_GT(check.looked_at, 0) << check.name;
        }
    }
}

TEST_F(VerifyStore, ChangesNothingInTheFolder) {
    const auto bytes = [&](const char* name) {
        std::ifstream in(harness.folder() / name, std::ios::binary);
        return std::string(std::istreambuf_iterator<char>(in), {});
    };
    const auto store = bytes("store.db");
    const auto log = bytes("store.db-wal");

    static_cast<void>(verify());

    EXPECT_EQ(bytes("store.db"), store);
    EXPECT_EQ(bytes("store.db-wal"), log);
    EXPECT_FALSE(std::filesystem::exists(harness.folder() / "store.db-shm"));
}

TEST_F(VerifyStore, TellsAHeadThatIsStillInTheJournalFromOneThatIsNot) {
    const auto head = verify().head;
    auto other = head;
    other.seal[31] ^= 1;

    EXPECT_EQ(storage::parse_journal_head(storage::to_text(head)), head);
    EXPECT_TRUE(verify({.expected_head = head}).is_sound());
    EXPECT_EQ(faults_of(verify({.expected_head = other}), "expected_head"), 1);
}

TEST_F(VerifyStore, OfAStoreThatIsServedIsRefusedAndSaysWhatToDo) {
    harness.reopen();

    const auto report = storage::verify_store(file());

    ASSERT_FALSE(report);
    EXPECT_NE(report.error().detail.find("backup"), std::string::npos);
}

TEST_F(VerifyStore, IsGivenUpWhenAskedTo) {
    const std::atomic<bool> is_given_up = true;

    const auto report = storage::verify_store(file(), {.is_given_up = &is_given_up});

    ASSERT_FALSE(report);
    EXPECT_EQ(report.error().code, ErrorCode::Draining);
}

TEST_F(VerifyStore, OfABackupBesideAStoreThatIsServedIsNotRefused) {
    harness.reopen();
    harness.store->close();
    std::filesystem::copy_file(file(), harness.folder() / "copy.db");

    const auto report = storage::verify_store(harness.folder() / "copy.db");

    ASSERT_TRUE(report) << report.error().detail;
    EXPECT_TRUE(report->is_sound()) << told(*report);
}

TEST_F(VerifyStore, OfAnotherSchemaIsRefusedAndMigratesNothing) {
    tamper("PRAGMA user_version = 2");

    const auto report = storage::verify_store(file());

    ASSERT_FALSE(report);
    EXPECT_NE(report.error().detail.find("older fencegate"), std::string::npos);
}

}  // namespace
}  // namespace fencegate::testing
