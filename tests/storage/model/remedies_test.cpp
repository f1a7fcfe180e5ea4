// Every refusal that a route can give by its fence, its lease or its key, and what it advises.
#include "storage/model/remedies.hpp"

#include <gtest/gtest.h>

#include <algorithm>
#include <vector>

namespace fencegate::storage {
namespace {

using Kind = OperationKind;
using Code = ErrorCode;

bool has(std::string_view text, std::string_view part) {
    return text.find(part) != std::string_view::npos;
}

constexpr Code kFenceCodes[] = {Code::FenceStale,        Code::FenceExpired,
                                Code::FenceReleased,     Code::FenceBroken,
                                Code::FenceTokenUnknown, Code::FenceLockMismatch,
                                Code::FenceNotHolder,    Code::FenceTokenMalformed};
constexpr Code kGoneCodes[] = {Code::GoneStale, Code::GoneExpired, Code::GoneReleased,
                               Code::GoneBroken};

// What the route of this kind can be refused with, besides what any request can.
std::vector<Code> codes_of(Kind kind) {
    std::vector<Code> codes;
    if (is_fenced(kind)) codes.assign(std::begin(kFenceCodes), std::end(kFenceCodes));
    if (is_fenced(kind) && kind != Kind::Create) codes.push_back(Code::FenceTokenRequired);
    if (takes_lock(kind) || kind == Kind::Renew)
        codes.insert(codes.end(), std::begin(kGoneCodes), std::end(kGoneCodes));
    if (takes_lock(kind) || kind == Kind::Renew || kind == Kind::Release)
        codes.push_back(Code::LeaseNotFound);
    if (kind == Kind::Renew || kind == Kind::Release) codes.push_back(Code::FenceNotHolder);
    if (kind == Kind::Release)
        codes.insert(codes.end(), {Code::GoneStale, Code::GoneExpired, Code::GoneBroken});
    if (kind == Kind::Renew) codes.insert(codes.end(), {Code::MaxHoldReached, Code::NoProgress});
    if (kind == Kind::Break) codes.insert(codes.end(), {Code::FenceStale, Code::LockNotHeld});
    if (kind == Kind::Claim)
        codes.insert(codes.end(), {Code::RunDone, Code::RunMissed, Code::RunFailed});
    if (kind == Kind::Done || kind == Kind::Failed)
        codes.insert(codes.end(), {Code::RunNotFound, Code::RunDone});
    if (moves_money(kind) && kind != Kind::Create) codes.push_back(Code::PaymentChanged);
    if (kind != Kind::Read) codes.push_back(Code::IdempotencyMismatch);
    return codes;
}

template <class Claim>
void walk(const Claim& claim) {
    for (const auto kind : kOperationKinds) {
        for (const auto code : codes_of(kind)) {
            SCOPED_TRACE(std::string(operation_name(kind)) + " " + std::string(code_name(code)));
            claim(kind, code, remedy_text(kind, code));
        }
    }
}

TEST(Remedies, ThereIsOneForEveryRefusalOfEveryRoute) {
    walk([](Kind, Code, std::string_view text) { EXPECT_FALSE(text.empty()); });
}

TEST(Remedies, OfMoneyNeverPayTwice) {
    walk([](Kind kind, Code code, std::string_view text) {
        if (!moves_money(kind)) return;
        for (const auto* other :
             {"another key", "new key", "another Idempotency-Key", "new Idempotency-Key",
              "fresh key", "different key", "another acquire key"})
            EXPECT_FALSE(has(text, other)) << text;
        const bool is_mismatch = code == Code::IdempotencyMismatch;
        EXPECT_TRUE(has(text, is_mismatch ? "original_resource" : "same Idempotency-Key")) << text;
    });
}

TEST(Remedies, OfAMismatchNeverAdviseAnotherKey) {
    walk([](Kind, Code code, std::string_view text) {
        if (code != Code::IdempotencyMismatch) return;
        EXPECT_FALSE(has(text, "another") || has(text, "new")) << text;
    });
}

// A key that was granted a lease stands for that lease for as long as it is kept: following a
// remedy that keeps it would be answered the same way for ever.
TEST(Remedies, OfAnAcquireThatIsOverAskForAnotherAcquireKey) {
    walk([](Kind kind, Code code, std::string_view text) {
        const bool is_over = std::ranges::count(kGoneCodes, code) > 0 ||
                             code == Code::LeaseNotFound || code == Code::RunFailed;
        if (takes_lock(kind) && is_over) {
            EXPECT_TRUE(has(text, "another acquire key")) << text;
        }
    });
}

TEST(Remedies, OfLettingGoDoNotSendAnybodyToAcquire) {
    walk([](Kind kind, Code, std::string_view text) {
        if (kind != Kind::Release && kind != Kind::Resign) return;
        EXPECT_FALSE(has(text, "Acquire") || has(text, "cquire the lock") ||
                     has(text, "acquire again"))
            << text;
    });
}

TEST(Remedies, OfElectionsAndRunsNameTheirOwnRoutes) {
    walk([](Kind kind, Code, std::string_view text) {
        if (kind != Kind::Proclaim && kind != Kind::Done && kind != Kind::Failed) return;
        EXPECT_FALSE(has(text, "cquire")) << text;
    });
}

TEST(Remedies, OfAnotherPrincipalsTokenNameTheKeyToUse) {
    walk([](Kind kind, Code code, std::string_view text) {
        if (code == Code::FenceNotHolder && kind != Kind::Read) {
            EXPECT_TRUE(has(text, "API key")) << text;
        }
    });
}

Operation refund() {
    MovePayment move;
    move.payment_id = "pay_2";
    return move;
}

TEST(Remedies, NameTheLockThatTheWriteNeeds) {
    Error error{Code::FenceLockMismatch,
                "",
                {{"lock", "payments/pay_2"}, {"lease_lock", "payments/pay_1"}},
                -1};

    advise(refund(), error);

    const auto& remedy = std::get<std::string>(error.members.back().value);
    EXPECT_TRUE(has(remedy, "payments/pay_2")) << remedy;
    EXPECT_FALSE(has(remedy, "pay_1") || has(remedy, "{")) << remedy;
}

TEST(Remedies, OfALeaseNameItsLocks) {
    Error error{Code::GoneExpired, "", {{"lease_lock", "a, b"}}, -1};

    advise(RenewLease{}, error);

    EXPECT_TRUE(has(std::get<std::string>(error.members.back().value), "acquire a, b again"));
}

TEST(Remedies, AreNotInvented) {
    Error error{Code::RefundExceedsCaptured, "", {}, -1};

    advise(refund(), error);

    EXPECT_TRUE(error.members.empty());
}

}  // namespace
}  // namespace fencegate::storage
