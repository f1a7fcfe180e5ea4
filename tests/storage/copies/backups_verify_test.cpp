// What becomes of a copy that is looked at: its report, its end, and that nothing is left of it.
#include "storage/copies/backups.hpp"
#include "tests/support/store_harness.hpp"

#include <gtest/gtest.h>

#include <fstream>
#include <future>

namespace fencegate::testing {
namespace {

namespace fs = std::filesystem;
using storage::BackupState;

// Gives the file that the test has, when the test says so.
class CopyingEngine final : public storage::Engine {
public:
    storage::Submission submit(storage::Request) override { return storage::Submission::Stopped; }
    void cancel(storage::Ticket) override {}
    bool copy_to(fs::path file, storage::CopySink& sink) override {
        part_ = std::move(file);
        sink_ = &sink;
        return true;
    }
    void ask_for_life() override {}
    void drain() override {}
    [[nodiscard]] storage::EngineLoad load() const noexcept override { return {}; }
    void stop() override {}

    void complete(const fs::path& store) {
        fs::copy_file(store, part_);
        sink_->on_copied(storage::CopyFacts{
            .epoch = 0, .last_token = lockmgr::FencingToken(1), .last_transfer = 2});
    }
    void give_up() {
        std::ofstream(part_) << "half";
        sink_->on_copied(fail(ErrorCode::StoreFull, "no room"));
    }

private:
    fs::path part_;
    storage::CopySink* sink_ = nullptr;
};

class VerificationOfACopy : public ::testing::Test {
protected:
    VerificationOfACopy() {
        store_.create("pay_1", 1'000);
        const auto grant = *store_.acquire("payments/pay_1");
        store_.refund("pay_1", grant.fencing_token);
        store_.store->close();
        store_.store.reset();
        backups = std::make_unique<storage::Backups>(
            storage::BackupOptions{.folder = data / "backups",
                                   .store_dir = data.path(),
                                   .on_verified =
                                       [this](const storage::Verification& verification) {
                                           ends_.set_value(verification);
                                       }},
            clock);
    }
    storage::Verification await_end() {
        auto end = ends_.get_future();
        EXPECT_EQ(end.wait_for(std::chrono::seconds(20)), std::future_status::ready);
        auto verification = end.get();
        ends_ = {};
        return verification;
    }
    [[nodiscard]] bool is_anything_left() const { return !fs::is_empty(data / "backups"); }
    [[nodiscard]] fs::path store() const { return store_.folder() / "store.db"; }

    TempDir data;
    ManualClock clock;
    CopyingEngine engine;
    std::unique_ptr<storage::Backups> backups;

private:
    StoreHarness store_;
    std::promise<storage::Verification> ends_;
};

TEST_F(VerificationOfACopy, ReportsWhatItFoundAndLeavesNothing) {
    ASSERT_TRUE(backups->begin_verification(engine, {}));
    EXPECT_EQ(backups->verifications().running->copy.state, BackupState::Copying);
    EXPECT_TRUE(backups->list().empty()) << "a verification is no backup";

    engine.complete(store());

    const auto ended = await_end();
    ASSERT_TRUE(ended.report) << ended.copy.error->detail;
    EXPECT_TRUE(ended.report->is_sound());
    EXPECT_EQ(ended.copy.state, BackupState::Done);
    EXPECT_EQ(backups->verifications().last->report->head, ended.report->head);
    EXPECT_FALSE(backups->verifications().running);
    EXPECT_FALSE(is_anything_left());
    EXPECT_TRUE(backups->list().empty());
}

TEST_F(VerificationOfACopy, OfADamagedStoreIsDoneAndSaysSo) {
    storage::JournalHead other{.id = 1};
    ASSERT_TRUE(backups->begin_verification(engine, other));

    engine.complete(store());

    const auto ended = await_end();
    EXPECT_EQ(ended.copy.state, BackupState::Done);
    EXPECT_FALSE(ended.report->is_sound());
}

TEST_F(VerificationOfACopy, ThatFailsLeavesNothingAndKeepsTheReportBeforeItApart) {
    ASSERT_TRUE(backups->begin_verification(engine, {}));

    engine.give_up();

    const auto ended = await_end();
    EXPECT_EQ(ended.copy.state, BackupState::Failed);
    EXPECT_EQ(ended.copy.error->code, ErrorCode::StoreFull);
    EXPECT_FALSE(ended.report);
    EXPECT_FALSE(is_anything_left());
}

TEST_F(VerificationOfACopy, OfWhatIsNoStoreFails) {
    std::ofstream(data / "junk.db") << "no database, whatever its name says";
    ASSERT_TRUE(backups->begin_verification(engine, {}));

    engine.complete(data / "junk.db");

    const auto ended = await_end();
    EXPECT_EQ(ended.copy.state, BackupState::Failed);
    EXPECT_EQ(ended.copy.error->code, ErrorCode::Internal);
    EXPECT_FALSE(is_anything_left());
}

TEST_F(VerificationOfACopy, IsMadeOneAtATimeWithBackups) {
    ASSERT_TRUE(backups->begin_verification(engine, {}));
    EXPECT_EQ(backups->begin_verification(engine, {}).error().code, ErrorCode::BackupRunning);
    EXPECT_EQ(backups->begin(engine).error().code, ErrorCode::BackupRunning);
    engine.complete(store());
    await_end();

    ASSERT_TRUE(backups->begin(engine));

    EXPECT_EQ(backups->begin_verification(engine, {}).error().code, ErrorCode::BackupRunning);
    engine.complete(store());
}

TEST_F(VerificationOfACopy, IsGivenUpWhenTheGatewayStops) {
    ASSERT_TRUE(backups->begin_verification(engine, {}));
    engine.complete(store());

    backups.reset();

    await_end();  // done or given up, whichever came first
    EXPECT_FALSE(is_anything_left());
}

}  // namespace
}  // namespace fencegate::testing
