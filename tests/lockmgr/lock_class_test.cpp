// Lock classes: which one a name belongs to, and what goes for a lease over several.
#include "lockmgr/lock_class.hpp"

#include <gtest/gtest.h>

namespace fencegate::lockmgr {
namespace {

LockName name(const char* text) { return *LockName::parse(text); }

TEST(LockClasses, BelongToTheFirstSegmentAndElseToOther) {
    const LockClasses classes({{.name = "other", .max_hold = Duration(7)}, {.name = "payments"}});

    EXPECT_EQ(classes.of(name("payments/1")).name, "payments");
    EXPECT_EQ(classes.of(name("payments")).name, "payments");
    EXPECT_EQ(classes.of(name("payments2/1")).name, "other");
    EXPECT_EQ(classes.index_of(name("x")), classes.size() - 1);
    EXPECT_EQ(classes.of(name("x")).max_hold, Duration(7));
}

TEST(LockClasses, OfSeveralLocksTheStrictestSettingGoes) {
    const LockClasses classes({{.name = "a",
                                .ttl_min = Duration(200),
                                .ttl_max = Duration(9'000),
                                .accepts_late_writes = true,
                                .place_kept = Duration(700),
                                .max_hold = Duration(0),
                                .lock_delay = Duration(5),
                                .stalled_renewals_max = 4,
                                .waiters_per_lock_max = 0},
                               {.name = "b",
                                .ttl_min = Duration(100),
                                .ttl_max = Duration(8'000),
                                .max_hold = Duration(900),
                                .lock_delay = Duration(9),
                                .stalled_renewals_max = 3,
                                .waiters_per_lock_max = 7}});

    const auto both = classes.strictest({name("a/1"), name("b/1")});

    EXPECT_EQ(both.ttl_min, Duration(200));
    EXPECT_EQ(both.ttl_max, Duration(8'000));
    EXPECT_FALSE(both.accepts_late_writes);
    EXPECT_EQ(both.max_hold, Duration(900));
    EXPECT_EQ(both.lock_delay, Duration(9));
    EXPECT_EQ(both.place_kept, Duration(700));
    EXPECT_EQ(both.stalled_renewals_max, 3);
    EXPECT_EQ(both.waiters_per_lock_max, 7U);
}

// A client that names no TTL must not be refused for one it did not choose.
TEST(LockClasses, TheDefaultTtlOfSeveralLocksIsWithinTheirBounds) {
    const LockClasses classes(
        {{.name = "long", .ttl_min = Duration(10'000)},
         {.name = "short", .ttl_default = Duration(5'000)},
         {.name = "tiny", .ttl_max = Duration(1'000), .ttl_default = Duration(500)}});

    EXPECT_EQ(classes.strictest({name("long/1"), name("short/1")}).ttl_default, Duration(10'000));
    EXPECT_EQ(classes.strictest({name("short/1"), name("tiny/1")}).ttl_default, Duration(500));
}

}  // namespace
}  // namespace fencegate::lockmgr
