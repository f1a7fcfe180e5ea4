// The key file is damaged in each way that deeds.hpp knows, and then a key is revoked.
#include "base/random.hpp"
#include "proxy/access/key_file.hpp"
#include "tests/damage/deeds.hpp"
#include "tests/support/temp_dir.hpp"

#include <gtest/gtest.h>

#include <algorithm>

namespace fencegate::testing {
namespace {

// A key that is known is gone afterwards and no other, or the change is refused.
TEST(DamagedKeys, ARevocationRevokesItOrTouchesNothing) {
    SystemRandom random;
    int refused = 0;
    for (const auto& deed : deeds()) {
        const TempDir folder;
        const TempDir other;
        for (const auto* name : {"one", "two"}) {
            ASSERT_TRUE(proxy::add_key(folder.path(), {name, proxy::ScopeSet::all()}, random, {}));
        }
        ASSERT_TRUE(proxy::add_key(other.path(), {"three", proxy::ScopeSet::all()}, random, {}));
        const auto known = proxy::list_keys(folder.path());
        ASSERT_TRUE(known);
        deed.act(folder / "keys.toml", other / "keys.toml");
        const auto before = contents_of(folder.path());

        const auto revoked = proxy::revoke_key(folder.path(), known->front().id);

        if (!revoked) {
            ++refused;
            EXPECT_EQ(difference(before, contents_of(folder.path())), "") << deed.name;
            EXPECT_NE(revoked.error().detail, "") << deed.name;
            continue;
        }
        const auto left = proxy::list_keys(folder.path());
        ASSERT_TRUE(left) << deed.name;
        EXPECT_EQ(std::ranges::count(*left, known->front().id, &proxy::KeyRecord::id), 0);
        EXPECT_EQ(left->size(), 1U) << deed.name;
    }
    EXPECT_GT(refused, 3);
}

}  // namespace
}  // namespace fencegate::testing
