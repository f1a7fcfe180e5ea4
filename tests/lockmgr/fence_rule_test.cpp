#include "lockmgr/fence_rule.hpp"

#include <gtest/gtest.h>

namespace fencegate::lockmgr {
namespace {

Lease lease_in(LeaseState state, LockMode mode = LockMode::Exclusive) {
    return Lease{.token = FencingToken(34),
                 .locks = {*LockName::parse("payments/pay_42")},
                 .claim = {mode, 1},
                 .principal = "worker",
                 .owner = "a",
                 .ttl = Duration(1'000),
                 .state = state};
}

FenceVerdict check(const std::optional<Lease>& lease, std::string_view lock,
                   std::string_view principal = "worker", bool accepts_late = false) {
    const auto name = *LockName::parse(lock);
    return check_fence(lease ? &*lease : nullptr, &name, principal, accepts_late);
}

FenceVerdict check_without_lock(const Lease& lease, bool accepts_late = false) {
    return check_fence(&lease, nullptr, "worker", accepts_late);
}

TEST(CheckFence, AcceptsTheLiveGrantOfTheLockAgainAndAgain) {
    const auto lease = lease_in(LeaseState::Live);

    EXPECT_EQ(check(lease, "payments/pay_42"), FenceVerdict::Accepted);
    EXPECT_EQ(check(lease, "payments/pay_42"), FenceVerdict::Accepted);
}

TEST(CheckFence, PassesAWriteUnderAnyLockOfALeaseOverSeveral) {
    auto lease = lease_in(LeaseState::Live);
    lease.locks.push_back(*LockName::parse("payments/pay_43"));

    EXPECT_EQ(check(lease, "payments/pay_42"), FenceVerdict::Accepted);
    EXPECT_EQ(check(lease, "payments/pay_43"), FenceVerdict::Accepted);
    EXPECT_EQ(check(lease, "payments/pay_44"), FenceVerdict::LockMismatch);
}

TEST(CheckFence, NeverPassesAReaderOrASemaphoreHolderAsTheWriterOfALock) {
    const auto reader = lease_in(LeaseState::Live, LockMode::Shared);
    const auto counted = lease_in(LeaseState::Live, LockMode::Semaphore);

    EXPECT_EQ(check(reader, "payments/pay_42"), FenceVerdict::LockMismatch);
    EXPECT_EQ(check(counted, "payments/pay_42"), FenceVerdict::LockMismatch);
}

TEST(CheckFence, NeverPassesAReaderWhereNoLockIsNamedEither) {
    const auto reader = lease_in(LeaseState::Live, LockMode::Shared);
    const auto counted = lease_in(LeaseState::Live, LockMode::Semaphore);

    EXPECT_EQ(check_without_lock(reader), FenceVerdict::LockMismatch);
    EXPECT_EQ(check_without_lock(counted), FenceVerdict::Accepted);
}

TEST(CheckFence, DoesNotAcceptALateWriteOfAReader) {
    const auto reader = lease_in(LeaseState::Expired, LockMode::Shared);

    EXPECT_EQ(check(reader, "payments/pay_42", "worker", true), FenceVerdict::Expired);
}

// Another permit may have been granted since without superseding it.
TEST(CheckFence, DoesNotAcceptALateWriteOfASemaphoreHolder) {
    const auto counted = lease_in(LeaseState::Expired, LockMode::Semaphore);

    EXPECT_EQ(check_without_lock(counted, true), FenceVerdict::Expired);
}

TEST(CheckFence, TellsTheWaysALeaseEndsApart) {
    EXPECT_EQ(check(lease_in(LeaseState::Expired), "payments/pay_42"), FenceVerdict::Expired);
    EXPECT_EQ(check(lease_in(LeaseState::Superseded), "payments/pay_42"), FenceVerdict::Stale);
    EXPECT_EQ(check(lease_in(LeaseState::Released), "payments/pay_42"), FenceVerdict::Released);
    EXPECT_EQ(check(lease_in(LeaseState::Broken), "payments/pay_42"), FenceVerdict::Broken);
}

TEST(CheckFence, RefusesATokenNobodyWasGranted) {
    EXPECT_EQ(check(std::nullopt, "payments/pay_42"), FenceVerdict::Unknown);
}

TEST(CheckFence, RefusesALiveLeaseOfAnotherLock) {
    const auto lease = lease_in(LeaseState::Live);

    EXPECT_EQ(check(lease, "payments/pay_4"), FenceVerdict::LockMismatch);
    EXPECT_EQ(check(lease, "payments/pay_42/x"), FenceVerdict::LockMismatch);
}

TEST(CheckFence, RefusesAnotherPrincipalBeforeSayingAnythingElse) {
    for (const auto state : {LeaseState::Live, LeaseState::Expired, LeaseState::Superseded,
                             LeaseState::Released, LeaseState::Broken}) {
        EXPECT_EQ(check(lease_in(state), "payments/pay_42", "thief"), FenceVerdict::NotHolder);
    }
}

TEST(CheckFence, AcceptsALateWriteOnlyWhereTheClassDoesAndNobodySuperseded) {
    EXPECT_EQ(check(lease_in(LeaseState::Expired), "payments/pay_42", "worker", true),
              FenceVerdict::AcceptedLate);
    EXPECT_EQ(check(lease_in(LeaseState::Expired), "payments/other", "worker", true),
              FenceVerdict::Expired);
    for (const auto state : {LeaseState::Superseded, LeaseState::Released, LeaseState::Broken}) {
        EXPECT_FALSE(is_accepted(check(lease_in(state), "payments/pay_42", "worker", true)));
    }
}

TEST(CheckFence, WithoutALockTakesAnyLiveLeaseOfThePrincipal) {
    EXPECT_EQ(check_without_lock(lease_in(LeaseState::Live)), FenceVerdict::Accepted);
    EXPECT_EQ(check_without_lock(lease_in(LeaseState::Released)), FenceVerdict::Released);
}

}  // namespace
}  // namespace fencegate::lockmgr
