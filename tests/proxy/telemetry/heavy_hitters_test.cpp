#include "proxy/telemetry/heavy_hitters.hpp"

#include "tests/support/seeded_random.hpp"

#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <map>
#include <optional>
#include <string>

namespace fencegate::proxy {
namespace {

constexpr std::size_t kCapacity = 256;

std::optional<HeavyHitters::Item> find(const HeavyHitters& sketch, const std::string& name) {
    for (const auto& item : sketch.items()) {
        if (item.name == name) return item;
    }
    return std::nullopt;
}

std::string name_of(std::uint64_t number) { return "payments/" + std::to_string(number); }

TEST(HeavyHitters, AreExactUpToTheirCapacity) {
    HeavyHitters sketch(3);

    for (const auto* name : {"a", "b", "a", "c", "a", "b"}) sketch.add(name, 2);

    EXPECT_EQ(find(sketch, "a")->at_least, 6);
    EXPECT_EQ(find(sketch, "a")->at_most, 6);
    EXPECT_EQ(find(sketch, "c")->at_most, 2);
    EXPECT_EQ(sketch.floor(), 2);
    EXPECT_EQ(sketch.total(), 12);
}

TEST(HeavyHitters, GiveANewNameThePlaceOfTheLeast) {
    HeavyHitters sketch(2);
    sketch.add("a", 5);
    sketch.add("b", 1);

    sketch.add("c", 2);

    EXPECT_FALSE(find(sketch, "b"));
    EXPECT_EQ(find(sketch, "c")->at_least, 2);
    EXPECT_EQ(find(sketch, "c")->at_most, 3) << "it may have been counted before b was";
    EXPECT_EQ(find(sketch, "a")->at_least, 5);
}

// The worst that a long tail can do: every other name comes once.
TEST(HeavyHitters, KeepTheirBoundsAmongAHundredThousandNames) {
    HeavyHitters sketch(kCapacity);
    fencegate::testing::SeededRandom random(1);
    std::map<std::string, double> truth;
    const auto add = [&](const std::string& name, double weight) {
        sketch.add(name, weight);
        truth[name] += weight;
    };

    for (std::uint64_t round = 0; round < 100'000; ++round) {
        add(name_of(round), 1);
        add("hot/" + std::to_string(random.below(1 + round % 64)),
            1 + static_cast<double>(round % 3));
    }

    const auto error_max = sketch.total() / static_cast<double>(kCapacity);
    EXPECT_LE(sketch.size(), kCapacity);
    for (const auto& item : sketch.items()) {
        EXPECT_LE(item.at_least, truth.at(item.name)) << item.name;
        EXPECT_GE(item.at_most, truth.at(item.name)) << item.name;
        EXPECT_LE(item.at_most - item.at_least, error_max) << item.name;
    }
    for (const auto& [name, weight] : truth) {
        if (weight > error_max) {
            EXPECT_TRUE(find(sketch, name)) << name;
        }
        if (!find(sketch, name)) {
            EXPECT_LE(weight, sketch.floor()) << name;
        }
    }
}

TEST(HeavyHitters, ForgetEverythingWhenCleared) {
    HeavyHitters sketch(2);
    for (const auto* name : {"a", "b", "c"}) sketch.add(name, 1);

    sketch.clear();
    sketch.add("d", 1);

    EXPECT_EQ(sketch.size(), 1U);
    EXPECT_EQ(find(sketch, "d")->at_most, 1);
}

}  // namespace
}  // namespace fencegate::proxy
