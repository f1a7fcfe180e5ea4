// The power goes: whatever was not synced may be gone, in part, or in any order. What the store
// acknowledged must be there. FENCEGATE_POWER_CUTS sets how often. The negative controls cut the
// power of stores that do not sync, to show that these tests would notice.
#include "storage/sqlite/database.hpp"
#include "tests/crash/acknowledged_work.hpp"
#include "tests/support/forgetful_disk.hpp"
#include "tests/support/repetitions.hpp"

#include <gtest/gtest.h>

#include <iostream>

namespace fencegate::testing {
namespace {

constexpr std::uint64_t kOperationsMax = 250;  // until the cut; a batch has about 10
constexpr std::size_t kBatchesMax = 25;
constexpr std::size_t kControlCuts = 200;

enum class Sabotage : std::uint8_t { None, SyncNever, SyncAtCheckpointsOnly, LyingDisk };

struct Cut {
    std::size_t acknowledged = 0;
    std::vector<std::string> contradictions;
};

void sabotage(Sabotage how, StoreHarness& store, ForgetfulDisk& disk) {
    switch (how) {
        case Sabotage::None: break;
        case Sabotage::SyncNever: store.connection->exec("PRAGMA synchronous = OFF"); break;
        case Sabotage::SyncAtCheckpointsOnly:
            store.connection->exec("PRAGMA synchronous = NORMAL");
            break;
        case Sabotage::LyingDisk: disk.lie_about_syncs(); break;
    }
}

// Once more while the store recovers from the first cut.
void cut_the_recovery(StoreHarness& store, ForgetfulDisk& disk, Remains remains,
                      SeededRandom& random) {
    disk.lose_power_at(1 + random.below(12));
    static_cast<void>(storage::sqlite::open_database(store.folder()));
    disk.power_cut(remains, random);
}

Cut cut_once(std::uint64_t seed, Sabotage how) {
    SeededRandom random(seed);
    ForgetfulDisk disk;
    StoreHarness store;
    disk.watch(store.folder(), DurableNames::Now::IsDurableAsFarAsSynced);
    sabotage(how, store, disk);
    AcknowledgedWork work(random.next());
    const auto remains = static_cast<Remains>(seed % kRemainsCount);
    disk.lose_power_at(1 + random.below(kOperationsMax));
    work.run(store, kBatchesMax);
    if (random.below(3) == 0) store.store->close();  // the power goes while it shuts down
    store.store.reset();
    disk.power_cut(remains, random);
    if (how == Sabotage::None && random.below(3) == 0)
        cut_the_recovery(store, disk, remains, random);

    Cut cut{.acknowledged = work.acknowledged(),
            .contradictions = AcknowledgedWork::damage(store.folder())};
    if (!cut.contradictions.empty()) return cut;  // the store would refuse to open it
    if (const auto opened = storage::sqlite::open_database(store.folder()); !opened) {
        cut.contradictions.push_back(opened.error().detail);  // it is behind its mark
        return cut;
    }
    store.reopen();
    cut.contradictions = work.contradictions(store);
    return cut;
}

TEST(PowerCut, LosesNothingThatWasAcknowledged) {
    const auto cuts = repetitions("FENCEGATE_POWER_CUTS", 800);
    std::size_t acknowledged = 0;

    for (std::size_t seed = 1; seed <= cuts && !HasFailure(); ++seed) {
        const auto cut = cut_once(seed, Sabotage::None);
        acknowledged += cut.acknowledged;
        for (const auto& line : cut.contradictions)
            ADD_FAILURE() << "seed " << seed << ": " << line;
    }

    std::cout << cuts << " cuts, " << acknowledged << " acknowledgements looked for\n";
    EXPECT_GT(acknowledged, 10 * cuts) << "the power went before there was anything to lose";
}

struct Control {
    const char* name;
    Sabotage sabotage;

    friend void PrintTo(const Control& control, std::ostream* out) { *out << control.name; }
};

class PowerCutControl : public ::testing::TestWithParam<Control> {};

TEST_P(PowerCutControl, IsNoticed) {
    std::size_t noticed = 0;
    for (std::size_t seed = 1; seed <= kControlCuts; ++seed)
        noticed += cut_once(seed, GetParam().sabotage).contradictions.empty() ? 0 : 1;

    std::cout << "noticed in " << noticed << " of " << kControlCuts << " cuts\n";
    EXPECT_GT(noticed, kControlCuts / 20);
}

INSTANTIATE_TEST_SUITE_P(PowerCut, PowerCutControl,
                         ::testing::Values(Control{"ASyncThatNeverHappens", Sabotage::SyncNever},
                                           Control{"ACommitThatIsNotSynced",
                                                   Sabotage::SyncAtCheckpointsOnly},
                                           Control{"ADiskThatLies", Sabotage::LyingDisk}),
                         [](const auto& row) { return row.param.name; });

}  // namespace
}  // namespace fencegate::testing
