#include "base/snapshot.hpp"

#include <gtest/gtest.h>

#include <atomic>
#include <string>
#include <thread>
#include <vector>

namespace fencegate {
namespace {

TEST(Snapshot, KeepsTheOldValueForWhoHasIt) {
    Snapshot<std::string> name("old");
    const auto held = name.load();

    name.replace("new");

    EXPECT_EQ(*held, "old");
    EXPECT_EQ(*name.load(), "new");
}

TEST(Snapshot, IsReplacedAsAWhole) {
    constexpr std::size_t kLength = 64;
    Snapshot<std::string> letters(std::string(kLength, 'a'));
    std::atomic<bool> stop = false;
    std::atomic<int> torn = 0;
    std::vector<std::thread> readers;
    for (int at = 0; at < 3; ++at) {
        readers.emplace_back([&] {
            while (!stop) {
                const auto seen = letters.load();
                if (*seen != std::string(kLength, seen->front())) ++torn;
            }
        });
    }

    for (int round = 0; round < 2'000; ++round)
        letters.replace(std::string(kLength, static_cast<char>('a' + round % 26)));
    stop = true;
    for (auto& reader : readers) reader.join();

    EXPECT_EQ(torn, 0);
    EXPECT_EQ(letters.load()->front(), static_cast<char>('a' + 1'999 % 26));
}

}  // namespace
}  // namespace fencegate
