// The wall clock is wrong, by little or by ten years: nobody is locked out, spans stay true, and
// the books are in order and true to the second once the clock is right.
#include "storage/sqlite/verify_store.hpp"
#include "tests/support/answers.hpp"
#include "tests/support/store_harness.hpp"

#include <gtest/gtest.h>

namespace fencegate::testing {
namespace {

using namespace std::chrono_literals;
using storage::Answer;
using storage::FenceEvent;
using storage::LateReturnEvent;
using storage::LeaseEndEvent;

constexpr const char* kLock = "payments/pay_1";
constexpr Duration kTenYears = std::chrono::hours(24 * 3652);
constexpr Duration kSecond = 1s;

std::string text_of(Duration error) { return std::to_string(error.count() / 1'000) + " s"; }

// A store whose wall clock is wrong by as much as the test says.
class WrongClock {
public:
    explicit WrongClock(Duration error_at_first = Duration(0)) {
        set_error(error_at_first);
        store.reopen();
    }

    void set_error(Duration now) {
        store.clock.step_wall(now - error_);
        error_ = now;
    }
    void reboot(Duration off, Duration error = Duration(0)) {
        store.clock.reboot(off);
        set_error(error);
        store.reopen();
    }
    [[nodiscard]] WallTime truth() const { return store.clock.wall_now() - error_; }

    // A lease of 850 ms and a payment under it.
    void work() {
        const auto id = "pay_" + std::to_string(++payments_);
        ASSERT_FALSE(store.create(id, 1'000).error);
        const auto grant = store.acquire("payments/" + id, {.ttl_ms = 5'000});
        ASSERT_TRUE(grant && !grant->error);
        store.clock.advance(850ms);
        ASSERT_FALSE(store.refund(id, grant->fencing_token, {.key = id}).error);
        ASSERT_FALSE(store.release(*grant).error);
    }
    // The newest entry's time less the true one.
    [[nodiscard]] Duration booked() {
        const auto at = store.number(
            "SELECT created_at_ms FROM transfers WHERE id = (SELECT max(id) FROM transfers)");
        return WallTime(Duration(at)) - truth();
    }
    template <class Event>
    [[nodiscard]] std::vector<Event> all_of() const {
        std::vector<Event> found;
        for (const auto& event : store.observer.all) {
            if (const auto* one = std::get_if<Event>(&event)) found.push_back(*one);
        }
        return found;
    }
    void expect_true_holds() const {
        for (const auto& end : all_of<LeaseEndEvent>()) EXPECT_EQ(end.held, storage::Seconds(.85));
    }
    void expect_sound() {
        for (const auto& check : storage::verify_rows(*store.connection).checks)
            EXPECT_EQ(check.faults, 0)
                << check.name << ": " << (check.first.empty() ? "" : check.first.front());
    }

    StoreHarness store;

private:
    Duration error_{0};
    int payments_ = 0;
};

TEST(WrongClock, AtTheVeryFirstStartBooksAreTrueOnceItIsRight) {
    for (const auto error : {kTenYears, -kTenYears, Duration(1h)}) {
        SCOPED_TRACE(text_of(error));
        WrongClock it(error);
        it.work();

        it.set_error(0ms);
        it.work();

        EXPECT_LT(abs(it.booked()), kSecond);
        it.expect_true_holds();
        it.expect_sound();
    }
}

TEST(WrongClock, AtTheVeryFirstStartIsPutRightByARestartToo) {
    for (const auto error : {kTenYears, -kTenYears, Duration(1h)}) {
        SCOPED_TRACE(text_of(error));
        WrongClock it(error);
        it.work();

        it.set_error(0ms);
        it.store.reopen();
        it.work();

        EXPECT_LT(abs(it.booked()), kSecond);
        it.expect_sound();
    }
}

TEST(WrongClock, AtALaterStartBooksStayTrue) {
    for (const auto error : {kTenYears, -kTenYears, Duration(1h)}) {
        SCOPED_TRACE(text_of(error));
        WrongClock it;
        it.work();
        it.store.clock.advance(20min);

        it.set_error(error);
        it.store.reopen();
        it.work();
        EXPECT_LT(abs(it.booked()), kSecond);

        it.set_error(0ms);
        it.store.reopen();
        it.work();
        EXPECT_LT(abs(it.booked()), kSecond);
        it.expect_true_holds();
        it.expect_sound();
    }
}

TEST(WrongClock, InTheMiddleOfALoadBooksStayTrueAndInOrder) {
    for (const auto error : {kTenYears, -kTenYears, Duration(1h)}) {
        SCOPED_TRACE(text_of(error));
        WrongClock it;
        for (int round = 0; round < 30; ++round) {
            if (round % 10 == 3) it.set_error(error);
            if (round % 10 == 7) it.set_error(0ms);
            it.work();
            EXPECT_LT(abs(it.booked()), kSecond);
        }
        EXPECT_EQ(it.store.number("SELECT count(*) FROM clock_turns"), 0);
        it.expect_true_holds();
        it.expect_sound();
    }
}

// An hour back could be right, and is believed; what was booked meanwhile stays wrong.
TEST(WrongClock, SetBackByLittleIsFollowedAndReturnedFrom) {
    WrongClock it;
    it.work();
    it.set_error(-1h);
    it.work();
    EXPECT_LT(abs(it.booked() + 1h), kSecond);
    it.set_error(0ms);
    it.work();

    EXPECT_LT(abs(it.booked()), kSecond);
    EXPECT_EQ(it.store.number("SELECT count(*) FROM clock_turns"), 1);
    it.expect_true_holds();
    it.expect_sound();
}

TEST(WrongClock, IsTold) {
    WrongClock it;
    it.work();
    EXPECT_TRUE(it.store.observer.jumps.empty());

    it.set_error(kTenYears);
    it.work();
    it.work();

    ASSERT_EQ(it.store.observer.jumps.size(), 1U);
    const auto& jump = it.store.observer.jumps.front();
    EXPECT_EQ(jump.shown - jump.expected, kTenYears);
    EXPECT_FALSE(jump.is_believed);
}

TEST(WrongClock, LetsNobodyHoldLongerOrShorterAndIsNotCountedAsLate) {
    for (const auto error : {kTenYears, -kTenYears, Duration(1h), Duration(-1h)}) {
        SCOPED_TRACE(text_of(error));
        WrongClock it;
        ASSERT_FALSE(it.store.create("pay_1", 1'000).error);
        const auto a = *it.store.acquire(kLock, {.ttl_ms = 5'000});
        it.store.clock.advance(2s);
        it.set_error(error);
        EXPECT_FALSE(it.store.renew(a).error);
        EXPECT_EQ(code_of(*it.store.acquire(kLock, {.owner = "b"})), ErrorCode::LockHeld);
        it.store.tick(5s);

        it.set_error(0ms);
        it.store.clock.advance(1s);
        const auto late = it.store.refund("pay_1", a.fencing_token);

        EXPECT_EQ(code_of(late), ErrorCode::FenceExpired);
        const auto ago = std::ranges::find(late.error->members, "ended_ms_ago", &ErrorMember::name);
        ASSERT_NE(ago, late.error->members.end());
        EXPECT_EQ(std::get<std::int64_t>(ago->value), 1'000);
        EXPECT_EQ(it.all_of<FenceEvent>().back().stale_for, storage::Seconds(1));
        EXPECT_EQ(it.all_of<LeaseEndEvent>().back().held, storage::Seconds(7));
        EXPECT_TRUE(it.store.release(a).error);
        EXPECT_EQ(it.all_of<LateReturnEvent>().back().late, storage::Seconds(1));
        EXPECT_EQ(it.store.observer.notices.back().late, 1s);
    }
}

TEST(WrongClock, TellsHowLongALockIsHeldByTheBootClock) {
    WrongClock it;
    ASSERT_FALSE(it.store.acquire(kLock, {.ttl_ms = 60'000})->error);
    it.store.clock.advance(3s);
    it.set_error(1h);

    const auto held = it.store.run(storage::ReadLongestHeld{.limit = 1});

    EXPECT_NE(held->body.find(R"("held_ms":3000)"), std::string::npos) << held->body;
}

// The machine was off: only the wall clock knows for how long.
TEST(WrongClock, AfterARebootSpansGoByWhatItSaysWasMissed) {
    WrongClock it;
    const auto grant = *it.store.acquire(kLock, {.ttl_ms = 60'000});
    it.reboot(2h);
    ASSERT_FALSE(it.store.release(grant).error);

    EXPECT_EQ(it.all_of<LeaseEndEvent>().back().held, storage::Seconds(7'200));
}

TEST(WrongClock, AfterARebootWithAnEmptyBatteryIsNotBelievedAndFollowedOnceItIsRight) {
    WrongClock it;
    it.work();
    const auto before = it.truth();
    it.reboot(2h, -kTenYears);
    it.work();
    EXPECT_GE(it.truth() + it.booked(), before);
    it.set_error(0ms);
    it.work();

    EXPECT_LT(abs(it.booked()), kSecond);
    it.expect_true_holds();
    it.expect_sound();
}

// The store cannot know whether the machine was off for so long. Somebody can.
TEST(WrongClock, AfterARebootALongGapIsToldOnce) {
    struct Row {
        Duration off;
        Duration error;
        bool is_told;
    };
    for (const auto& [off, error, is_told] :
         {Row{5min, kTenYears, true}, Row{24h * 31, 0ms, true}, Row{24h * 29, 0ms, false},
          Row{5min, -1h, false}, Row{5min, -kTenYears, false}}) {
        SCOPED_TRACE(text_of(off) + ", " + text_of(error));
        WrongClock it;
        it.work();
        const auto last = it.truth();
        it.store.observer.jumps.clear();
        it.reboot(off, error);

        const auto told = [&] {
            return std::ranges::count(it.store.observer.jumps, true, &ClockJump::is_gap);
        };
        ASSERT_EQ(told(), is_told ? 1 : 0);
        if (is_told) {
            const auto& gap = it.store.observer.jumps.front();
            EXPECT_LE(abs(gap.expected - last), 1min);
            EXPECT_EQ(gap.shown, it.store.clock.wall_now());
        }
        it.work();
        it.store.reopen();
        EXPECT_EQ(told(), is_told ? 1 : 0) << "again at a start of the gateway alone";
    }
}

TEST(WrongClock, AfterARebootBooksAreTrueOnceItIsRight) {
    for (const auto error : {kTenYears, Duration(1h), Duration(-1h)}) {
        SCOPED_TRACE(text_of(error));
        WrongClock it;
        it.work();
        it.reboot(5min, error);
        it.work();
        it.set_error(0ms);
        it.work();

        EXPECT_LT(abs(it.booked()), kSecond);
        it.expect_true_holds();
        it.expect_sound();
    }
}

}  // namespace
}  // namespace fencegate::testing
