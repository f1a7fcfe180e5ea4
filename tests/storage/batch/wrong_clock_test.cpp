// The wall clock is wrong, by little or by ten years: nobody is locked out, spans stay true, and
// the books are in order and true to the second once the clock is right.
#include "storage/verify/verify_checks.hpp"
#include "tests/support/answers.hpp"
#include "tests/support/store_harness.hpp"

#include <gtest/gtest.h>

#include <map>

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

// Statements and lists.
constexpr const char* kSum = "coalesce(sum(amount), 0)";

struct Period {
    const char* name;
    std::optional<WallTime> from;
    std::optional<WallTime> to;
};

class TurnedJournal : public ::testing::Test {
protected:
    // Entries in stretches of 700, each an hour before the one in front of it, so that the store's
    // pages and marks fall within and across them.
    void SetUp() override {
        for (int stretch = 0; stretch < 15; ++stretch) {
            std::vector<storage::Operation> operations;
            for (int at = 0; at < 700; ++at) {
                storage::CreatePayment create;
                create.id = "p" + std::to_string(++made_);
                create.currency = "EUR";
                create.amount_minor = made_;
                create.capture = false;
                create.idempotency = idempotency("k" + std::to_string(made_));
                operations.emplace_back(std::move(create));
                if (at % 50 != 49) continue;
                store_.clock.advance(1min);
                for (const auto& [ticket, answer] : store_.run_batch(std::move(operations)))
                    ASSERT_FALSE(answer.error);
                operations.clear();
            }
            store_.clock.step_wall(-1h);
        }
        ASSERT_EQ(store_.number("SELECT count(*) FROM clock_turns"), 14);
        ASSERT_GE(store_.number("SELECT count(*) FROM marks"), 2);
    }
    // Times at, before and after the ends of what was booked, and in the midst of it.
    [[nodiscard]] std::vector<Period> periods() {
        const auto at = [&](const char* what) {
            return WallTime(Duration(store_.number(
                (std::string("SELECT ") + what + "(created_at_ms) FROM transfers").c_str())));
        };
        const auto first = at("min");
        const auto last = at("max");
        const auto third = first + (last - first) / 3;
        const auto whole_hour = WallTime(
            Duration(store_.number("SELECT created_at_ms FROM transfers WHERE id = 5000")));
        return {{"all", {}, {}},
                {"until a third", {}, third},
                {"from a third", third, {}},
                {"an hour", third, third + 1h},
                {"a minute", whole_hour, whole_hour + 1min},
                {"one instant", whole_hour, whole_hour + 1ms},
                {"nothing", last + 1h, {}},
                {"before all", {}, first}};
    }
    // What SQL finds of the entries before, or within, a period.
    [[nodiscard]] std::int64_t count(const Period& period, const char* what, bool before) {
        const auto ms = [](WallTime time) {
            return std::to_string(time.time_since_epoch().count());
        };
        std::string where = before && !period.from ? "0" : "1";
        if (period.from)
            where +=
                (before ? " AND created_at_ms < " : " AND created_at_ms >= ") + ms(*period.from);
        if (period.to && !before) where += " AND created_at_ms < " + ms(*period.to);
        return store_.number(
            (std::string("SELECT ") + what + " FROM transfers WHERE " + where).c_str());
    }

    StoreHarness store_;
    int made_ = 0;
};

TEST_F(TurnedJournal, StatementsOpenWithWhatIsBookedBeforeAndTellWhatIsBookedWithin) {
    for (const auto& period : periods()) {
        SCOPED_TRACE(period.name);
        storage::ReadStatement read{.account = storage::Account::CustomerFunds, .currency = "EUR"};
        read.booked = {period.from, period.to};
        std::int64_t opening = 0;
        std::int64_t told = 0;
        std::int64_t last = 0;
        for (bool is_last = false; !is_last;) {
            const auto page = store_.run(read)->statement;
            opening += page->opening_debits_minor;
            for (const auto& entry : page->entries) {
                told += entry.amount_minor;
                EXPECT_GT(entry.id, last);
                last = entry.id;
            }
            EXPECT_TRUE(page->entries.empty() || page->is_open);
            is_last = page->is_last;
            read.place = page->place;
        }
        EXPECT_EQ(opening, count(period, kSum, /*before=*/true));
        EXPECT_EQ(told, count(period, kSum, /*before=*/false));
    }
}

TEST_F(TurnedJournal, ListsTellWhatIsBookedWithinAndNothingElse) {
    for (const auto& period : periods()) {
        SCOPED_TRACE(period.name);
        std::int64_t entries = 0;
        storage::ListEntries list;
        list.booked = {period.from, period.to};
        list.limit = 100;
        for (bool has_more = true; has_more;) {
            const auto page = store_.run(list);
            for (auto at = page->body.find("\"movement\":"); at != std::string::npos;
                 at = page->body.find("\"movement\":", at + 1))
                ++entries;
            has_more = !page->next_cursor.empty();
            if (has_more) list.place = *storage::parse_place(page->next_cursor);
        }
        EXPECT_EQ(entries, count(period, "count(*)", /*before=*/false));
    }
}

}  // namespace
}  // namespace fencegate::testing
