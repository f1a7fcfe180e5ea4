#include "storage/sqlite/checkpoint_pace.hpp"

#include <gtest/gtest.h>

namespace fencegate::storage::sqlite {
namespace {

using namespace std::chrono_literals;

constexpr int kMany = 200;
constexpr std::size_t kSmallBatch = 1;
constexpr std::size_t kLargeBatch = 10;

// Where the log is copied under such batches, after many copies that took that long.
std::int64_t due_after(CheckpointPace& pace, std::size_t batch, std::chrono::milliseconds took) {
    for (int copy = 0; copy < kMany; ++copy) {
        pace.note_batch(batch);
        pace.learn(took);
    }
    pace.note_batch(batch);
    return pace.due_bytes();
}

TEST(CheckpointPace, LetsTheLogGrowFarWhereCopiesAreShort) {
    CheckpointPace pace;

    EXPECT_EQ(due_after(pace, kSmallBatch, 1ms), CheckpointPace::kMax);
    EXPECT_EQ(due_after(pace, kLargeBatch, 1ms), CheckpointPace::kMax);
}

TEST(CheckpointPace, EndsAtALeastSizeWhereTheDiskIsSlow) {
    CheckpointPace pace;

    EXPECT_EQ(due_after(pace, kSmallBatch, 100ms), CheckpointPace::kCalmMin);
    EXPECT_EQ(due_after(pace, kLargeBatch, 100ms), CheckpointPace::kBusyMin);
}

TEST(CheckpointPace, ToleratesLongerStallsWhereBatchesAreLarge) {
    CheckpointPace pace;

    EXPECT_EQ(due_after(pace, kSmallBatch, 10ms), CheckpointPace::kCalmMin);
    EXPECT_EQ(due_after(pace, kLargeBatch, 10ms), CheckpointPace::kMax);
}

TEST(CheckpointPace, CopiesTwiceAsOftenAfterALongCopy) {
    CheckpointPace pace;
    pace.note_batch(kLargeBatch);
    const auto before = pace.due_bytes();

    pace.learn(100ms);
    pace.note_batch(kLargeBatch);

    EXPECT_EQ(pace.due_bytes(), before / 2);
}

TEST(CheckpointPace, RecoversFromADiskThatWasSlowForAWhile) {
    CheckpointPace pace;
    due_after(pace, kLargeBatch, 100ms);

    EXPECT_EQ(due_after(pace, kLargeBatch, 1ms), CheckpointPace::kMax);
}

}  // namespace
}  // namespace fencegate::storage::sqlite
