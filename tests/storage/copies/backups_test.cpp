// What becomes of a copy of the store: its names, its states, its end.
#include "storage/copies/backups.hpp"

#include "tests/support/manual_clock.hpp"
#include "tests/support/stopwatch.hpp"
#include "tests/support/temp_dir.hpp"

#include <gtest/gtest.h>

#include <fstream>
#include <future>
#include <sys/stat.h>
#include <thread>

namespace fencegate::testing {
namespace {

namespace fs = std::filesystem;
using storage::BackupState;
using storage::BackupStatus;

// Takes a copy when the test says so.
class PatientEngine final : public storage::Engine {
public:
    storage::Submission submit(storage::Request) override { return storage::Submission::Stopped; }
    void cancel(storage::Ticket) override {}
    bool copy_to(fs::path file, storage::CopySink& sink) override {
        if (is_stopped) return false;
        std::ofstream(file) << "half";
        part = std::move(file);
        sink_ = &sink;
        return true;
    }
    void ask_for_life() override {}
    void drain() override {}
    [[nodiscard]] storage::EngineLoad load() const noexcept override { return {}; }
    void stop() override {}

    void progress(std::int64_t done) { sink_->on_copy_progress({done, 100'000}); }
    bool takes_more() { return sink_->takes_more(); }
    void complete() {
        sink_->on_copied(storage::CopyFacts{.epoch = 1, .last_token = lockmgr::FencingToken(7)});
    }
    void give_up() { sink_->on_copied(fail(ErrorCode::Draining, "given up")); }

    fs::path part;
    bool is_stopped = false;

private:
    storage::CopySink* sink_ = nullptr;
};

class Backup : public ::testing::Test {
protected:
    void open() {
        backups.reset();
        backups = std::make_unique<storage::Backups>(
            storage::BackupOptions{
                .folder = folder(),
                .store_dir = data.path(),
                .on_end = [this](const BackupStatus& status) { ends_.set_value(status); }},
            clock);
    }
    BackupStatus await_end() {
        auto end = ends_.get_future();
        EXPECT_EQ(end.wait_for(std::chrono::seconds(20)), std::future_status::ready);
        auto status = end.get();
        ends_ = {};
        return status;
    }
    BackupStatus take_one() {
        EXPECT_TRUE(backups->begin(engine));
        engine.complete();
        return await_end();
    }
    [[nodiscard]] fs::path folder() const { return data / "backups"; }
    [[nodiscard]] std::size_t files() const {
        return static_cast<std::size_t>(std::distance(fs::directory_iterator(folder()), {}));
    }

    TempDir data;
    ManualClock clock;
    PatientEngine engine;
    std::unique_ptr<storage::Backups> backups;

private:
    std::promise<BackupStatus> ends_;
};

TEST_F(Backup, GetsItsNameWhenItIsOnTheDisk) {
    open();
    const auto begun = backups->begin(engine);
    ASSERT_TRUE(begun) << begun.error().detail;
    engine.progress(40);
    EXPECT_EQ(backups->find(begun->name)->state, BackupState::Copying);
    EXPECT_EQ(backups->find(begun->name)->progress.pages_done, 40);
    EXPECT_FALSE(fs::exists(begun->file));
    clock.advance(Duration(1'500));

    engine.complete();

    const auto ended = await_end();
    EXPECT_EQ(ended.state, BackupState::Done);
    EXPECT_EQ(ended.facts.last_token, lockmgr::FencingToken(7));
    EXPECT_EQ(ended.took, Duration(1'500));
    EXPECT_TRUE(fs::exists(ended.file));
    EXPECT_EQ(files(), 1U);
    EXPECT_EQ(backups->find(ended.name)->facts.last_token, lockmgr::FencingToken(7));
}

// A disk that takes nothing, until somebody reads from it.
TEST_F(Backup, DoesNotRunAheadOfTheDisk) {
    open();
    ASSERT_TRUE(backups->begin(engine));
    EXPECT_TRUE(engine.takes_more());
    fs::remove(engine.part);
    ASSERT_EQ(::mkfifo(engine.part.c_str(), 0600), 0);

    engine.progress(50'000);

    EXPECT_FALSE(engine.takes_more());
    const std::ifstream reader(engine.part);
    const Stopwatch waited;
    while (!engine.takes_more() && waited.elapsed() < std::chrono::seconds(20))
        std::this_thread::yield();
    EXPECT_TRUE(engine.takes_more()) << "it was never written out";
    engine.give_up();
    EXPECT_EQ(await_end().state, BackupState::Failed);
}

TEST_F(Backup, IsMadeOneAtATime) {
    open();
    const auto first = backups->begin(engine);

    const auto second = backups->begin(engine);

    ASSERT_FALSE(second);
    EXPECT_EQ(second.error().code, ErrorCode::BackupRunning);
    engine.complete();
    await_end();
    EXPECT_NE(take_one().name, first->name);
}

TEST_F(Backup, ThatFailsLeavesNoFileAndIsTold) {
    open();
    const auto begun = backups->begin(engine);

    engine.give_up();

    EXPECT_EQ(await_end().state, BackupState::Failed);
    EXPECT_EQ(files(), 0U);
    const auto told = backups->find(begun->name);
    ASSERT_TRUE(told);
    EXPECT_EQ(told->error->code, ErrorCode::Draining);
    EXPECT_EQ(backups->list().size(), 1U);
}

TEST_F(Backup, OfAStoppedEngineIsRefused) {
    open();
    engine.is_stopped = true;

    const auto refused = backups->begin(engine);

    ASSERT_FALSE(refused);
    EXPECT_EQ(refused.error().code, ErrorCode::Draining);
    engine.is_stopped = false;
    EXPECT_EQ(take_one().state, BackupState::Done);
}

TEST_F(Backup, ThatIsCopiedWhenTheGatewayStopsIsFinished) {
    open();
    const auto begun = backups->begin(engine);
    engine.complete();

    backups.reset();

    EXPECT_EQ(await_end().state, BackupState::Done);
    EXPECT_TRUE(fs::exists(begun->file));
}

TEST_F(Backup, WithoutRoomIsRefusedBeforeItBegins) {
    open();
    std::ofstream(data / "store.db").put('x');
    fs::resize_file(data / "store.db", std::uintmax_t{8} << 40);  // holes, as far as the disk knows

    const auto refused = backups->begin(engine);

    ASSERT_FALSE(refused);
    EXPECT_EQ(refused.error().code, ErrorCode::StoreFull);
    const auto told = await_end();
    EXPECT_EQ(told.state, BackupState::Failed);
    EXPECT_EQ(told.error->code, ErrorCode::StoreFull);
}

TEST_F(Backup, ThatTheFolderLetsNotBeginIsToldAsFailed) {
    open();
    std::ofstream(folder()).put('x');  // a file where the folder should be

    ASSERT_FALSE(backups->begin(engine));

    EXPECT_EQ(await_end().state, BackupState::Failed);
    EXPECT_TRUE(backups->list().empty());
}

TEST_F(Backup, OfAnEarlierRunIsListedAndAnUnfinishedOneRemoved) {
    open();
    const auto first = take_one();
    clock.advance(std::chrono::seconds(2));
    std::ofstream(folder() / "store-20200101T000000Z-1.db.part") << "half";
    std::ofstream(folder() / "store.txt") << "somebody's note";

    open();

    EXPECT_EQ(files(), 2U);
    ASSERT_EQ(backups->list().size(), 1U);
    EXPECT_EQ(backups->list().front().name, first.name);
    EXPECT_EQ(backups->find(first.name)->facts.bytes, 4);
    for (const char* name : {"store.txt", "store-1.db", "../store.db", "store-/../../store.db", ""})
        EXPECT_EQ(backups->find(name).error().code, ErrorCode::BackupNotFound) << name;
}

TEST_F(Backup, ThatWasDeletedIsNotListed) {
    open();
    const auto gone = take_one();
    const auto kept = take_one();

    fs::remove(gone.file);

    ASSERT_EQ(backups->list().size(), 1U);
    EXPECT_EQ(backups->list().front().name, kept.name);
}

}  // namespace
}  // namespace fencegate::testing
