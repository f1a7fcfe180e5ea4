// How a run is told to be over, asked of the store itself.
#include "tests/support/store_harness.hpp"
#include "tests/support/tokens.hpp"

#include <gtest/gtest.h>

namespace fencegate::storage::sqlite {
namespace {

using testing::code_of;
using testing::StoreHarness;

constexpr const char* kSlot = "2026-01-01T00:00:00Z";  // now

FinishRun finish(testing::Token token, bool is_done) {
    return {.job = "nightly",
            .slot = *lockmgr::RunSlot::parse(kSlot),
            .is_done = is_done,
            .result = "",
            .token = testing::presented(token)};
}

AcquireLock claim() {
    const ClaimRun run{"nightly", *lockmgr::RunSlot::parse(kSlot), std::nullopt};
    const auto lock = std::string("runs/nightly/") + kSlot;
    return {.locks = {*lockmgr::LockName::parse(lock)}, .ttl = Duration(100), .purpose = run};
}

TEST(RunCommands, DoneIsFinalForAnExpiredClaimToo) {
    StoreHarness store({{.name = "runs", .accepts_late_writes = true}});
    const auto token = store.run(claim())->fencing_token;
    store.tick(Duration(200));
    const auto done = *store.run(finish(token, true));

    const auto failed = *store.run(finish(token, false));

    EXPECT_FALSE(done.error);
    EXPECT_EQ(code_of(failed), ErrorCode::RunDone);
    EXPECT_EQ(store.number("SELECT state FROM runs"), 1);
}

}  // namespace
}  // namespace fencegate::storage::sqlite
