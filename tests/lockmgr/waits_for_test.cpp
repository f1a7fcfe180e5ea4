// The waits-for graph: circles that are there, and none that are not.
#include "lockmgr/waits_for.hpp"

#include <gtest/gtest.h>

#include <map>

namespace fencegate::lockmgr {
namespace {

const LockClasses kClasses{{}};

LockName name(const std::string& text) { return *LockName::parse(text); }
BootTime at(std::int64_t ms) { return BootTime(std::chrono::milliseconds(ms)); }

class Scene {
public:
    Scene() : live_({}, kClasses) {}

    void hold(const std::string& owner, const std::string& lock, Claim claim = {},
              const std::string& principal = "p") {
        const FencingToken token(++last_token_);
        live_.grant({.token = token,
                     .locks = {name(lock)},
                     .claim = claim,
                     .principal = principal,
                     .owner = owner},
                    at(1'000));
        holders_.emplace(token, Party{principal, owner});
    }
    void wait(const std::string& owner, const std::vector<std::string>& locks, Claim claim = {},
              const std::string& principal = "p") {
        Waiter waiter{.id = WaiterId(++last_waiter_),
                      .claim = claim,
                      .principal = principal,
                      .owner = owner,
                      .deadline = at(1'000)};
        for (const auto& lock : locks) waiter.locks.push_back(name(lock));
        live_.join(std::move(waiter));
    }
    [[nodiscard]] std::vector<WaitCycle> deadlocks(std::size_t max = 100) const {
        return find_deadlocks(
            live_, [this](FencingToken token) { return holders_.at(token); }, max);
    }

private:
    LiveState live_;
    std::map<FencingToken, Party> holders_;
    std::int64_t last_token_ = 0;
    std::uint64_t last_waiter_ = 0;
};

TEST(WaitsFor, TwoWhoWaitForEachOtherAreACircle) {
    Scene scene;
    scene.hold("x", "a");
    scene.hold("y", "b");
    scene.wait("x", {"b"});
    scene.wait("y", {"a"});

    const auto cycles = scene.deadlocks();

    ASSERT_EQ(cycles.size(), 1U);
    ASSERT_EQ(cycles[0].size(), 2U);
    EXPECT_EQ(cycles[0][0].blocker, cycles[0][1].waiter);
    EXPECT_EQ(cycles[0][1].blocker, cycles[0][0].waiter);
    EXPECT_TRUE(cycles[0][0].blocker_holds);
}

TEST(WaitsFor, AChainIsNoCircle) {
    Scene scene;
    scene.hold("x", "a");
    scene.hold("y", "b");
    scene.wait("y", {"a"});
    scene.wait("z", {"b"});

    EXPECT_TRUE(scene.deadlocks().empty());
}

TEST(WaitsFor, WhoStandsBehindAnotherWaitsForIt) {
    Scene scene;
    scene.hold("h", "a");
    scene.hold("y", "b");
    scene.wait("x", {"a", "b"});  // first for a, and behind nobody for b, which y holds
    scene.wait("y", {"a"});       // behind x

    const auto cycles = scene.deadlocks();

    ASSERT_EQ(cycles.size(), 1U);
    EXPECT_FALSE(cycles[0][0].blocker_holds && cycles[0][1].blocker_holds);
}

TEST(WaitsFor, WithoutALabelNobodyIsTakenForAnother) {
    Scene scene;
    scene.hold("", "a");
    scene.hold("", "b");
    scene.wait("", {"b"});
    scene.wait("", {"a"});

    EXPECT_TRUE(scene.deadlocks().empty());
}

TEST(WaitsFor, APartyIsItsPrincipalAndItsLabelAndNotTheirSpelling) {
    Scene scene;
    scene.hold("b/c", "1", {}, "a");
    scene.hold("y", "2");
    scene.wait("c", {"2"}, {}, "a/b");
    scene.wait("y", {"1"});

    EXPECT_TRUE(scene.deadlocks().empty());
}

TEST(WaitsFor, AWriterWaitsForEveryReader) {
    const Claim reads{LockMode::Shared, 1};
    Scene scene;
    scene.hold("free", "a", reads);
    scene.hold("y", "a", reads);
    scene.hold("x", "b");
    scene.wait("x", {"a"});
    scene.wait("y", {"b"});

    EXPECT_EQ(scene.deadlocks().size(), 1U);
}

// What it waits for is its other lock.
TEST(WaitsFor, NobodyWaitsForAHolderBesideWhomItFits) {
    const Claim reads{LockMode::Shared, 1};
    Scene scene;
    scene.hold("writer", "a");
    scene.hold("y", "b", reads);
    scene.hold("x", "c");
    scene.wait("x", {"a", "b"}, reads);
    scene.wait("y", {"c"});

    EXPECT_TRUE(scene.deadlocks().empty());
}

// One permit is enough, and somebody who waits for nobody has it.
TEST(WaitsFor, ASemaphoreIsNoDeadlockWhileOneOfItsHoldersCanGoOn) {
    const Claim two{LockMode::Semaphore, 2};
    Scene scene;
    scene.hold("free", "s", two);
    scene.hold("y", "s", two);
    scene.hold("x", "b");
    scene.wait("x", {"s"}, two);
    scene.wait("y", {"b"});
    EXPECT_TRUE(scene.deadlocks().empty());

    scene.wait("free", {"b"});  // and now it cannot

    EXPECT_EQ(scene.deadlocks().size(), 1U);
}

TEST(WaitsFor, CirclesAreCountedApartAndAtMostSoMany) {
    Scene scene;
    for (const std::string pair : {"1", "2", "3"}) {
        scene.hold("x" + pair, "a" + pair);
        scene.hold("y" + pair, "b" + pair);
        scene.wait("x" + pair, {"b" + pair});
        scene.wait("y" + pair, {"a" + pair});
    }

    EXPECT_EQ(scene.deadlocks().size(), 3U);
    EXPECT_EQ(scene.deadlocks(2).size(), 2U);
}

TEST(WaitsFor, WhoOnlyWaitsForACircleIsNotInIt) {
    Scene scene;
    scene.hold("x", "a");
    scene.hold("y", "b");
    scene.wait("x", {"b"});
    scene.wait("y", {"a"});
    scene.wait("outsider", {"a"});

    const auto cycles = scene.deadlocks();

    ASSERT_EQ(cycles.size(), 1U);
    EXPECT_EQ(cycles[0].size(), 2U);
}

}  // namespace
}  // namespace fencegate::lockmgr
