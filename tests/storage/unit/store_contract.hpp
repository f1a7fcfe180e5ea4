#pragma once
// StoreContract: a test of the port of an engine, run on every engine of the program.
// Owns the store, its folder and its clock. Thread rule: one thread.

#include "lockmgr/lease.hpp"
#include "tests/storage/unit/engine_makers.hpp"
#include "tests/support/manual_clock.hpp"
#include "tests/support/seeded_random.hpp"
#include "tests/support/temp_dir.hpp"

#include <gtest/gtest.h>

#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <tuple>

namespace fencegate::storage {

inline lockmgr::LockName lock_of(std::string_view name) { return *lockmgr::LockName::parse(name); }

class StoreContract : public ::testing::TestWithParam<EngineMaker> {
protected:
    StoreContract() : store(GetParam().make(folder_.path(), clock)), rows(store->readers()) {}

    using Make = std::function<void(Changes&)>;

    void write(const Make& make) {
        Changes changes;
        make(changes);
        store->write(changes);
        store->settle();
    }
    // One transaction that commits.
    void commit(const Make& make) {
        store->begin();
        write(make);
        const auto made = store->commit(1);
        ASSERT_FALSE(store->failure());
        EXPECT_FALSE(made.lost);
    }
    // One that does not: why is the failure it ended with.
    std::optional<Failure> attempt(const Make& make) {
        store->begin();
        write(make);
        std::ignore = store->commit(1);
        const auto failure = store->failure();
        store->roll_back();
        EXPECT_FALSE(store->failure());
        return failure;
    }
    template <class Read>
    auto read(Read what) {
        store->begin();
        auto result = what();
        EXPECT_FALSE(store->commit(1).wrote);
        return result;
    }

    lockmgr::Lease lease(std::int64_t token, std::string_view lock) {
        return {
            .token = lockmgr::FencingToken(token),
            .id = lockmgr::make_lease_id(clock.wall_now(), lockmgr::FencingToken(token), random_),
            .locks = {lock_of(lock)},
            .principal = "worker",
            .owner = "a",
            .ttl = Duration(1'000),
            .metadata_json = R"({"n":1})",
            .granted_at = clock.wall_now(),
            .held_since = clock.boot_now()};
    }
    // As the newest of its locks, each of which had `before` or nothing.
    static void grant(Changes& changes, const lockmgr::Lease& what,
                      std::optional<lockmgr::FencingToken> before = {}) {
        changes.granted.push_back({what, {what.locks.size(), before}});
        for (const auto& lock : what.locks) changes.heads.push_back({lock, what.token, !before});
    }
    void end(Changes& changes, std::int64_t token, lockmgr::LeaseState how, std::int64_t hour = 0) {
        changes.leases.push_back(
            {.token = lockmgr::FencingToken(token), .end = LeaseEnd{how, now(hour), {}}});
    }
    Stamp now(std::int64_t hour = 0) { return {clock.wall_now(), hour, clock.boot_now()}; }

    Payment payment(std::string id, std::int64_t hour = 0) {
        Payment made;
        made.id = std::move(id);
        made.currency = "EUR";
        made.authorized_minor = 500;
        made.created_at = clock.wall_now();
        made.authorized_hour = hour;
        return made;
    }
    JournalEntry entry(std::int64_t id, const std::string& payment_id,
                       TransferKind kind = TransferKind::Authorize, std::int64_t previous = 0) {
        JournalEntry made;
        made.id = id;
        made.payment_id = payment_id;
        made.kind = kind;
        made.debit = accounts_of(kind).debit;
        made.credit = accounts_of(kind).credit;
        made.amount_minor = 100 + id;
        made.currency = "EUR";
        made.principal = "worker";
        made.booked_at = clock.wall_now() + Duration(id);
        made.previous = previous;
        made.movement = id;
        made.seal.fill(static_cast<std::uint8_t>(id));
        return made;
    }

    testing::ManualClock clock;
    testing::TempDir folder_;
    testing::SeededRandom random_;
    std::unique_ptr<Store> store;
    Readers rows;
};

}  // namespace fencegate::storage
