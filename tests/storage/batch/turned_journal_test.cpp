// A journal whose clock was set back again and again: statements and lists of a period have what is
// booked in it, wherever it lies.
#include "tests/support/store_harness.hpp"

#include <gtest/gtest.h>

namespace fencegate::testing {
namespace {

using namespace std::chrono_literals;

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
