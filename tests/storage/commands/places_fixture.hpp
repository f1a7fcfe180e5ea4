#pragma once
// PlacesSuite: waiters that leave and come back, at the store itself.
// Thread rule: one thread.

#include "tests/support/answers.hpp"
#include "tests/support/store_harness.hpp"

#include <gtest/gtest.h>

namespace fencegate::testing {

inline constexpr Duration kKept{5'000};  // what a class says that says nothing

class PlacesSuite : public ::testing::Test {
protected:
    // Waits and leaves a ticket to ask for it by.
    std::uint64_t wait(std::string_view lock, AcquireOptions options) {
        if (options.wait_ms == 0) options.wait_ms = 60'000;
        const auto answer = store.acquire(lock, options);
        EXPECT_FALSE(answer.has_value());
        return store.last_ticket();
    }

    // The connection of the waiter is cut.
    storage::Answer cut(std::uint64_t ticket) {
        const std::vector tickets{storage::Ticket(ticket)};
        auto routed = store.store->run({}, tickets);
        EXPECT_EQ(routed.size(), 1U);
        return routed.front().delivery.answer;
    }

    // Whoever is granted because of the release, 0: nobody.
    std::uint64_t release(const storage::Answer& held) {
        const auto answers =
            store.run_batch({storage::ReleaseLease{*parse_uuid(held.resource_id)}});
        for (const auto& [ticket, answer] : answers) {
            if (!answer.fencing_token) continue;
            granted = answer;
            return ticket;
        }
        return 0;
    }

    std::int64_t members(std::string_view lock, std::string_view name) {
        const auto text = store.lock(lock).body;
        const auto part = "\"" + std::string(name) + "\":";
        const auto at = text.find(part);
        return at == std::string::npos ? 0 : std::stoll(text.substr(at + part.size()));
    }

    StoreHarness store{{{.name = "payments"},
                        {.name = "brief", .place_kept = Duration(200)},
                        {.name = "never", .place_kept = Duration(0)},
                        {.name = "short", .waiters_per_lock_max = 2},
                        {.name = "quota", .waiters_per_principal_max = 2}}};
    storage::Answer granted;
};

}  // namespace fencegate::testing
