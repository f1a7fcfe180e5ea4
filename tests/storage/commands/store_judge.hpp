#pragma once
// StoreJudge: after a batch, says what does not agree: the rows that are live, what memory holds,
// the armed deadlines, the lines, the quotas. It recounts everything from the rows.
// REQUIRES: principals, the class "quota" and semaphores of two permits as the constants say.
// Thread rule: as its store.

#include "tests/support/store_harness.hpp"

#include <map>
#include <string>
#include <vector>

namespace fencegate::testing {

class StoreJudge {
public:
    static constexpr const char* kPrincipals[] = {"one", "two"};
    static constexpr std::size_t kHeldMax = 3;  // of class "quota", for each principal
    static constexpr std::size_t kWaitedMax = 2;
    static constexpr std::size_t kPermits = 2;

    explicit StoreJudge(StoreHarness& store);

    // Empty: nothing to object to.
    [[nodiscard]] std::string objection();

private:
    // Read past everything the store keeps in memory.
    struct LiveRow {
        std::int64_t token = 0;
        std::string principal;
        lockmgr::LockMode mode = lockmgr::LockMode::Exclusive;
    };
    using LiveRows = std::map<std::string, std::vector<LiveRow>>;  // by lock

    [[nodiscard]] LiveRows read();
    [[nodiscard]] std::string holdings(const LiveRows& rows) const;
    [[nodiscard]] std::string holders(const LiveRows& rows) const;
    [[nodiscard]] std::string deadlines(const LiveRows& rows) const;
    [[nodiscard]] std::string lines(const LiveRows& rows) const;
    [[nodiscard]] std::string usage(const LiveRows& rows) const;
    [[nodiscard]] const lockmgr::LiveState& live() const { return store_.store->live(); }

    StoreHarness& store_;
    storage::sqlite::Statement rows_;
};

}  // namespace fencegate::testing
