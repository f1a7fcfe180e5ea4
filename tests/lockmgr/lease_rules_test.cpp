#include "lockmgr/lease_rules.hpp"

#include <gtest/gtest.h>

namespace fencegate::lockmgr {
namespace {

const LockClass kClass{.name = "payments",
                       .ttl_min = Duration(100),
                       .ttl_max = Duration(5'000),
                       .ttl_default = Duration(1'000)};

TEST(DecideTtl, TakesTheDefaultIfNothingIsAsked) {
    EXPECT_EQ(decide_ttl(std::nullopt, kClass), Duration(1'000));
}

TEST(DecideTtl, RefusesInsteadOfClamping) {
    EXPECT_EQ(decide_ttl(Duration(100), kClass), Duration(100));
    EXPECT_EQ(decide_ttl(Duration(5'000), kClass), Duration(5'000));
    EXPECT_EQ(decide_ttl(Duration(99), kClass).error().code, ErrorCode::InvalidArgument);
    EXPECT_EQ(decide_ttl(Duration(5'001), kClass).error().code, ErrorCode::InvalidArgument);
    EXPECT_EQ(decide_ttl(Duration(-1), kClass).error().code, ErrorCode::InvalidArgument);
}

TEST(DecideAcquire, GrantsOnlyAFreeLockNobodyWaitsFor) {
    const Duration patience(10);

    EXPECT_EQ(decide_acquire(true, false, Duration(0)), AcquireDecision::Grant);
    EXPECT_EQ(decide_acquire(true, true, Duration(0)), AcquireDecision::Refuse);
    EXPECT_EQ(decide_acquire(true, true, patience), AcquireDecision::Wait);
    EXPECT_EQ(decide_acquire(false, false, Duration(0)), AcquireDecision::Refuse);
    EXPECT_EQ(decide_acquire(false, false, patience), AcquireDecision::Wait);
}

Lease lease_in(LeaseState state) {
    return {.token = FencingToken(7),
            .locks = {*LockName::parse("a")},
            .principal = "worker",
            .ttl = Duration(1'000),
            .state = state};
}

ErrorCode refusal(LeaseState state, std::string_view principal = "worker") {
    const auto lease = lease_in(state);
    return check_own_lease(&lease, principal).error().code;
}

TEST(CheckOwnLease, PassesTheLiveLeaseOfItsPrincipal) {
    const auto lease = lease_in(LeaseState::Live);
    EXPECT_TRUE(check_own_lease(&lease, "worker"));
}

TEST(CheckOwnLease, NamesWhyALeaseIsGone) {
    EXPECT_EQ(refusal(LeaseState::Expired), ErrorCode::GoneExpired);
    EXPECT_EQ(refusal(LeaseState::Superseded), ErrorCode::GoneStale);
    EXPECT_EQ(refusal(LeaseState::Released), ErrorCode::GoneReleased);
    EXPECT_EQ(refusal(LeaseState::Broken), ErrorCode::GoneBroken);
}

TEST(CheckOwnLease, SaysWhenThereIsNone) {
    EXPECT_EQ(check_own_lease(nullptr, "worker").error().code, ErrorCode::LeaseNotFound);
}

TEST(CheckOwnLease, IsOnlyForItsPrincipal) {
    EXPECT_EQ(refusal(LeaseState::Live, "thief"), ErrorCode::FenceNotHolder);
}

TEST(LockClasses, PutEveryUnknownSegmentIntoOther) {
    const LockClasses classes({LockClass{.name = "payments"}});

    EXPECT_EQ(classes.size(), 2U);
    EXPECT_EQ(classes.of(*LockName::parse("payments/pay_1")).name, "payments");
    EXPECT_EQ(classes.of(*LockName::parse("payments")).name, "payments");
    EXPECT_EQ(classes.of(*LockName::parse("paymentsx/pay_1")).name, "other");
    EXPECT_EQ(classes.index_of(*LockName::parse("cron/nightly")), 1U);
}

TEST(LockClasses, KeepAConfiguredOtherAndPutItLast) {
    const LockClasses classes(
        {LockClass{.name = "other", .ttl_max = Duration(7'000)}, LockClass{.name = "cron"}});

    EXPECT_EQ(classes.size(), 2U);
    EXPECT_EQ(classes[1].name, "other");
    EXPECT_EQ(classes.of(*LockName::parse("x")).ttl_max, Duration(7'000));
}

}  // namespace
}  // namespace fencegate::lockmgr
