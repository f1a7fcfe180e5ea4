// Random lives of a store, and after each sequence the whole of `verify`. A sequence is ten to
// thirty events (see random_history.hpp) in a store that goes on from the sequence before; each
// store lives for fifty of them and its file is verified once more, as the crash at its end leaves
// it. FENCEGATE_VERIFIED_SEQUENCES sets how many in each test, FENCEGATE_SIMULATION_SEED where they
// begin; a failure names the seed of its store, which alone repeats it.
#include "tests/crash/random_history.hpp"

#include "tests/support/fresh_seed.hpp"
#include "tests/support/repetitions.hpp"

#include <gtest/gtest.h>

#include <iostream>

namespace fencegate::testing {
namespace {

constexpr std::size_t kSequencesEach = 2'000;  // in each of two tests: two cores share the work
constexpr std::size_t kSequencesPerStore = 50;
constexpr std::uint64_t kSeed = 1;

std::string faults_of(const storage::VerifyReport& report) {
    std::string text;
    for (const auto& check : report.checks) {
        for (const auto& line : check.first) text += std::string(check.name) + ": " + line + "\n";
    }
    return text;
}

// Nothing: it kept every promise.
std::string live_through(RandomHistory& history, std::size_t sequences) {
    for (std::size_t at = 1; at <= sequences; ++at) {
        history.sequence();
        auto wrong = history.wrong();
        if (history.is_open()) wrong += faults_of(history.verify());
        if (!wrong.empty()) return "sequence " + std::to_string(at) + ": " + wrong;
    }
    const auto report = history.verify_file();
    return report ? faults_of(*report) : report.error().detail;
}

void live_through_all(std::uint64_t first) {
    const auto sequences = repetitions("FENCEGATE_VERIFIED_SEQUENCES", kSequencesEach);
    RandomHistory::Tally tally;
    std::cout << sequences << " sequences, the first store has seed " << first << "\n";

    auto seed = first;
    for (std::size_t left = sequences; left > 0; ++seed) {
        const auto now = std::min(left, kSequencesPerStore);
        RandomHistory history(seed);
        const auto wrong = live_through(history, now);
        ASSERT_EQ(wrong, "") << "FENCEGATE_SIMULATION_SEED=" << seed;
        for (const auto& [what, times] : history.tally()) tally[what] += times;
        left -= now;
    }

    // A life in which nothing happens proves nothing.
    for (const char* what : {"ok",
                             "replayed",
                             "idempotency_mismatch",
                             "fence_token_stale",
                             "lease_expired",
                             "lease_released",
                             "lease_broken",
                             "fence_token_unknown",
                             "fence_lock_mismatch",
                             "fence_not_holder",
                             "lock_held",
                             "refund_exceeds_captured",
                             "payment_not_capturable",
                             "reference_exists",
                             "store_full",
                             "outcome_unknown",
                             "power cut",
                             "kill",
                             "restart",
                             "days went by"}) {
        std::cout << what << ": " << tally[what] << "\n";
        EXPECT_GT(tally[what], sequences / 100) << what;
    }
}

TEST(RandomHistories, VerifyAsSoundAfterEverySequence) {
    live_through_all(seed_or("FENCEGATE_SIMULATION_SEED", kSeed));
}

TEST(RandomHistories, VerifyAsSoundAfterEverySequenceOfMoreSeeds) {
    live_through_all(seed_or("FENCEGATE_SIMULATION_SEED", kSeed) + 0x1'0000'0000);
}

}  // namespace
}  // namespace fencegate::testing
