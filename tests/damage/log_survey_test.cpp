// A damaged log is told from the torn end of a power cut, and a healthy store is never refused for
// what its tail note says or does not say.
#include "storage/sqlite/log_survey.hpp"

#include "tests/support/store_harness.hpp"

#include <gtest/gtest.h>

#include <fstream>
#include <iterator>

namespace fencegate::testing {
namespace {

namespace fs = std::filesystem;
using namespace storage::sqlite;

class LogSurveys : public ::testing::Test {
protected:
    static constexpr std::int64_t kFrameBytes = 4'120;

    LogSurveys() {
        for (int number = 0; number < 6; ++number)
            harness.create("pay_" + std::to_string(number), 500);
        note = *read_tail_note(file());
        harness.store.reset();
        frames = note.frames;
    }
    [[nodiscard]] fs::path file() const { return harness.folder() / "store.db"; }
    [[nodiscard]] LogSurvey survey() const {
        const auto made = survey_log(file());
        EXPECT_TRUE(made);
        return *made;
    }
    void flip(std::int64_t at) const {
        std::fstream log(log_of(file()), std::ios::binary | std::ios::in | std::ios::out);
        log.seekg(at);
        const auto byte = static_cast<char>(log.get() ^ 0x10);
        log.seekp(at);
        log.put(byte);
    }
    void cut_after(std::int64_t kept) const {
        fs::resize_file(log_of(file()), 32 + static_cast<std::uintmax_t>(kept * kFrameBytes));
    }
    void forget() const { fs::remove(tail_note_of(file())); }
    // The last frame that ends a commit before `below`.
    [[nodiscard]] std::int64_t commit_before(std::int64_t below) const {
        std::int64_t found = 0;
        EXPECT_TRUE(walk_log(log_of(file()), [&](const SeenFrame& frame) {
            if (frame.number < below && frame.header.is_commit()) found = frame.number;
        }));
        return found;
    }

    StoreHarness harness;
    TailNote note;
    std::int64_t frames = 0;
};

TEST_F(LogSurveys, ALogAsItWasLeftIsWholeAndTheNoteCountsItsFrames) {
    const auto seen = survey();

    EXPECT_FALSE(seen.damage) << describe(*seen.damage);
    EXPECT_EQ(seen.frames, frames);
    EXPECT_EQ(seen.commits, note.commits);
}

TEST_F(LogSurveys, ABitFlippedAnywhereInAFrameIsDamageWithOrWithoutANote) {
    for (const std::int64_t part : {1, 9, 13, 18, 23, 24, 1'000, 4'119}) {
        flip(32 + part);
        const auto noted = survey();
        ASSERT_TRUE(noted.damage) << part;
        EXPECT_EQ(noted.damage->frame, 1);
        EXPECT_GE(noted.damage->commits_behind, note.commits - 2);
        flip(32 + part);
    }
    forget();
    flip(32 + 100);

    EXPECT_TRUE(survey().damage);
}

TEST_F(LogSurveys, OnlyTheNoteTellsDamageOfTheLastCommitFromATornEnd) {
    flip(frame_offset(frames, 4'096) + 100);

    const auto noted = survey();
    forget();
    const auto unknown = survey();

    ASSERT_TRUE(noted.damage);
    EXPECT_EQ(noted.damage->frame, frames);
    EXPECT_EQ(noted.damage->frames_noted, frames);
    EXPECT_FALSE(unknown.damage);
}

TEST_F(LogSurveys, WhatAnUnansweredCommitLeftBehindTheNoteIsNoDamage) {
    std::ofstream log(log_of(file()), std::ios::binary | std::ios::app);
    log << std::string(3 * kFrameBytes / 2, 'x');
    log.close();

    EXPECT_FALSE(survey().damage);
}

TEST_F(LogSurveys, ALogCutAtTheEndOfACommitIsDamageAndSaysWhatItHad) {
    const auto end = commit_before(frames);
    cut_after(end);

    const auto seen = survey();

    ASSERT_TRUE(seen.damage);
    EXPECT_EQ(seen.damage->kind, LogDamage::Kind::Cut);
    EXPECT_EQ(seen.damage->frames_good, end);
    EXPECT_EQ(seen.damage->frames_noted, frames);
    EXPECT_EQ(seen.damage->commits_noted, note.commits);
}

TEST_F(LogSurveys, AnEmptiedAMissingAndABeheadedLogAreDamage) {
    fs::resize_file(log_of(file()), 0);
    const auto emptied = survey();
    fs::remove(log_of(file()));
    const auto missing = survey();

    ASSERT_TRUE(emptied.damage && missing.damage);
    EXPECT_EQ(emptied.damage->kind, LogDamage::Kind::Missing);
    EXPECT_EQ(missing.damage->kind, LogDamage::Kind::Missing);
}

TEST_F(LogSurveys, ADamagedHeaderIsDamageWithOrWithoutANote) {
    flip(20);
    const auto noted = survey();
    forget();
    const auto unknown = survey();

    ASSERT_TRUE(noted.damage && unknown.damage);
    EXPECT_EQ(unknown.damage->kind, LogDamage::Kind::Header);
    EXPECT_GE(unknown.damage->commits_behind, note.commits - 1);
}

TEST_F(LogSurveys, AnotherStoresLogIsDamage) {
    StoreHarness other;
    other.create("pay_1", 500);
    other.store.reset();
    fs::copy_file(log_of(other.folder() / "store.db"), log_of(file()),
                  fs::copy_options::overwrite_existing);

    const auto seen = survey();

    ASSERT_TRUE(seen.damage);
    EXPECT_EQ(seen.damage->kind, LogDamage::Kind::Other);
}

TEST_F(LogSurveys, AnyBrokenNoteSaysNothing) {
    for (std::int64_t at = 0; at < 64; ++at) {
        std::fstream written(tail_note_of(file()), std::ios::binary | std::ios::in | std::ios::out);
        written.seekg(at);
        const auto byte = static_cast<char>(written.get() ^ 1);
        written.seekp(at);
        written.put(byte);
        written.close();
        const auto read = read_tail_note(file());
        EXPECT_TRUE(!read || *read == note) << "byte " << at;
        EXPECT_FALSE(survey().damage);
        std::fstream back(tail_note_of(file()), std::ios::binary | std::ios::in | std::ios::out);
        back.seekp(at);
        back.put(static_cast<char>(byte ^ 1));
    }
    fs::resize_file(tail_note_of(file()), 10);
    EXPECT_FALSE(survey().damage);
}

// A power cut leaves any note that there was since the last sync of one.
TEST_F(LogSurveys, EveryEarlierNoteOfARunAcceptsWhatItsLogBecame) {
    harness.reopen();
    std::vector<std::string> notes;
    const auto keep_note = [&] {
        std::ifstream in(tail_note_of(file()), std::ios::binary);
        notes.emplace_back(std::istreambuf_iterator<char>(in), std::istreambuf_iterator<char>());
    };
    keep_note();
    for (int round = 0; round < 3; ++round) {
        for (int number = 0; number < 3 - round; ++number) {
            harness.create("r" + std::to_string(round) + "_" + std::to_string(number), 500);
            keep_note();
        }
        harness.connection->checkpoint(/*truncate=*/false);
    }
    harness.create("last", 500);
    keep_note();
    harness.store.reset();

    for (std::size_t at = 0; at < notes.size(); ++at) {
        std::ofstream(tail_note_of(file()), std::ios::binary) << notes[at];
        const auto seen = survey();
        EXPECT_FALSE(seen.damage) << "note " << at << ": " << describe(*seen.damage);
    }
}

// The power cut kept the note of a log that was copied, and not the one of the log that followed.
TEST_F(LogSurveys, ANoteOfACopiedLogSaysNothingOfTheNextOne) {
    harness.reopen();
    harness.create("copied", 500);
    harness.connection->checkpoint(/*truncate=*/false);
    fs::copy_file(tail_note_of(file()), harness.folder() / "old-note");
    for (int number = 0; number < 3; ++number)
        harness.create("next_" + std::to_string(number), 500);
    harness.store.reset();
    fs::rename(harness.folder() / "old-note", tail_note_of(file()));
    flip(32 + 100);

    const auto seen = survey();

    ASSERT_TRUE(seen.damage);
    EXPECT_FALSE(seen.damage->is_copied);
}

// A power cut while a log is written over the one before: the header of a frame is new and its page
// old. The old frames behind it go on from its old checksum, and are not of this log for that.
TEST_F(LogSurveys, ANewHeaderBeforeAnOldPageIsATornEnd) {
    StoreHarness anew;
    for (int number = 0; number < 12; ++number) anew.create("pay_" + std::to_string(number), 500);
    anew.connection->checkpoint(/*truncate=*/false);
    anew.create("last", 500);
    anew.store.reset();
    const auto store = anew.folder() / "store.db";
    const auto live = read_tail_note(store)->frames;
    std::fstream log(log_of(store), std::ios::binary | std::ios::in | std::ios::out);
    char salts[8];
    log.seekg(16);  // in the header of the log
    log.read(salts, sizeof salts);
    log.seekp(frame_offset(live + 2, 4'096) + 8);
    log.write(salts, sizeof salts);
    log.write("neither sum", 8);
    log.close();

    const auto seen = survey_log(store);

    ASSERT_TRUE(seen);
    EXPECT_EQ(seen->frames, live);
    EXPECT_FALSE(seen->damage) << describe(*seen->damage);
}

TEST_F(LogSurveys, AClosedStoreHasNoLogAndRefusesOneThatIsPutBesideIt) {
    fs::copy_file(log_of(file()), harness.folder() / "old-log");
    harness.reopen();
    harness.store->close();
    harness.store.reset();

    EXPECT_FALSE(survey().damage);
    fs::copy_file(harness.folder() / "old-log", log_of(file()),
                  fs::copy_options::overwrite_existing);

    EXPECT_TRUE(survey().damage);
}

}  // namespace
}  // namespace fencegate::testing
