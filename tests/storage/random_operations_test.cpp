// Random operations against the store, and after each of them the question whether rows, memory and
// the promises agree. A failure names the sequence, which is its seed. FENCEGATE_SEQUENCES sets how
// many.
#include "tests/support/repetitions.hpp"
#include "tests/support/store_harness.hpp"

#include <gtest/gtest.h>

#include <set>

namespace fencegate::testing {
namespace {

using lockmgr::Claim;
using lockmgr::LockMode;
using lockmgr::LockName;
using storage::Answer;
using storage::Operation;

constexpr std::size_t kStepsPerSequence = 20;
constexpr const char* kLocks[] = {"a", "quota/b", "quota/c", "delay/d", "s", "t"};
constexpr std::size_t kSemaphoresFrom = 4;
constexpr const char* kPrincipals[] = {"one", "two"};
constexpr std::size_t kHeldMax = 3;
constexpr std::size_t kWaitedMax = 2;

std::vector<lockmgr::LockClass> classes() {
    return {{.name = "quota",
             .locks_per_principal_max = kHeldMax,
             .waiters_per_principal_max = kWaitedMax},
            {.name = "delay", .lock_delay = Duration(300)}};
}

LockName name(const char* text) { return *LockName::parse(text); }

// What was met, to show that the sequences go where it is difficult. In all sequences.
using Met = std::map<ErrorCode, std::size_t>;  // Internal: a constraint fired

// A row of the store that is live, read past everything the store keeps in memory.
struct LiveRow {
    std::int64_t token = 0;
    std::string principal;
    LockMode mode = LockMode::Exclusive;
};
using LiveRows = std::map<std::string, std::vector<LiveRow>>;  // by lock

class Judge {
public:
    explicit Judge(StoreHarness& store)
        : store_(store),
          rows_(*store.connection,
                "SELECT token, lock, principal, mode FROM leases WHERE state = 0 UNION ALL "
                "SELECT leases.token, lease_locks.lock, principal, mode FROM leases "
                "CROSS JOIN lease_locks ON lease_locks.token = leases.token WHERE state = 0 "
                "ORDER BY 1") {}

    // Empty: nothing to object to.
    std::string objection() {
        const auto rows = read();
        for (const auto& check :
             {&Judge::holdings, &Judge::holders, &Judge::deadlines, &Judge::lines, &Judge::usage}) {
            if (auto said = (this->*check)(rows); !said.empty()) return said;
        }
        return {};
    }

private:
    LiveRows read() {
        LiveRows rows;
        auto row = rows_.query();
        while (row.next())
            rows[std::string(row.text(1))].push_back(
                {row.integer(0), std::string(row.text(2)), static_cast<LockMode>(row.integer(3))});
        return rows;
    }

    std::string holdings(const LiveRows& rows) {
        if (live().holdings().locks() != rows.size()) return "memory holds other locks than rows";
        for (const auto& [lock, leases] : rows) {
            std::vector<std::int64_t> tokens;
            for (const auto& lease : leases) tokens.push_back(lease.token);
            const auto* holding = live().holdings().find(name(lock.c_str()));
            if (holding == nullptr) return lock + " is held in the rows only";
            const bool is_same =
                std::ranges::equal(holding->tokens, tokens, {}, &lockmgr::FencingToken::value);
            if (!is_same) return lock + " has other holders in memory than in the rows";
        }
        return {};
    }

    std::string holders(const LiveRows& rows) {
        for (const auto& [lock, leases] : rows) {
            const auto has_mode = [&](LockMode mode) {
                return std::ranges::any_of(leases, [&](auto& one) { return one.mode == mode; });
            };
            if (has_mode(LockMode::Exclusive) && leases.size() > 1)
                return lock + " is held exclusively and by another";
            if (has_mode(LockMode::Shared) && has_mode(LockMode::Semaphore))
                return lock + " is two kinds of lock at once";
            if (has_mode(LockMode::Semaphore) && leases.size() > 2)
                return lock + " has more holders than permits";
        }
        return {};
    }

    std::string deadlines(const LiveRows& rows) {
        std::set<std::int64_t> tokens;
        for (const auto& [lock, leases] : rows) {
            for (const auto& lease : leases) tokens.insert(lease.token);
        }
        if (live().expiries().size() != tokens.size()) return "deadlines and leases differ";
        for (const auto token : tokens) {
            if (!live().expiries().deadline_of(lockmgr::FencingToken(token)))
                return "a live lease has no deadline";
        }
        return {};
    }

    // Nobody waits in vain.
    std::string lines(const LiveRows&) {
        for (const auto id : live().waiters().all()) {
            const auto& waiter = *live().waiters().find(id);
            if (live().waiters().is_first(waiter) &&
                live().fit(waiter.locks, waiter.claim) == lockmgr::Fit::Fits)
                return "waiter " + std::to_string(id.value()) + " could be served and is not";
        }
        const auto next = store_.store->next_deadline();
        const bool somebody_waits = live().waiters().size() > 0;
        if (somebody_waits && !next) return "somebody waits and the store will not wake";
        return {};
    }

    std::string usage(const LiveRows& rows) {
        const std::vector<LockName> one{name("quota/x")};
        const std::vector<LockName> two{name("quota/x"), name("quota/y")};
        for (const std::string principal : kPrincipals) {
            std::size_t held = 0;
            for (const auto& [lock, leases] : rows) {
                if (!lock.starts_with("quota/")) continue;
                held += static_cast<std::size_t>(std::ranges::count(
                    leases, principal, [](const LiveRow& lease) { return lease.principal; }));
            }
            std::size_t waits = 0;
            for (const auto id : live().waiters().all()) {
                const auto& waiter = *live().waiters().find(id);
                if (waiter.principal != principal) continue;
                waits += static_cast<std::size_t>(std::ranges::count_if(
                    waiter.locks,
                    [](const LockName& lock) { return lock.first_segment() == "quota"; }));
            }
            const auto& used = live().usage();
            const bool is_right = used.may_hold(principal, one) == (held + 1 <= kHeldMax) &&
                                  used.may_hold(principal, two) == (held + 2 <= kHeldMax) &&
                                  used.may_wait(principal, one) == (waits + 1 <= kWaitedMax) &&
                                  used.may_wait(principal, two) == (waits + 2 <= kWaitedMax);
            if (!is_right) return "the quota of " + principal + " was miscounted";
        }
        return {};
    }

    [[nodiscard]] const lockmgr::LiveState& live() const { return store_.store->live(); }

    StoreHarness& store_;
    storage::sqlite::Statement rows_;
};

class Sequence {
public:
    Sequence(StoreHarness& store, Met& met, std::uint64_t seed)
        : store_(store), met_(met), random_(seed) {}

    // Full disk and firing constraints among them.
    void step() {
        const bool is_full = random_.below(8) == 0;
        if (is_full) store_.connection->exec("PRAGMA max_page_count = 1");
        std::vector<storage::Request> requests;
        for (auto count = random_.below(4); count > 0; --count) requests.push_back(request());
        std::vector<storage::Ticket> cancelled;
        for (const auto ticket : waiting_) {
            if (random_.below(6) == 0) cancelled.emplace_back(ticket);
        }
        if (random_.below(3) == 0)
            store_.clock.advance(Duration(static_cast<std::int64_t>(random_.below(700))));
        for (const auto& asked : requests) waiting_.insert(asked.ticket.value());
        for (auto& routed : store_.store->run(requests, cancelled)) take(routed.delivery);
        if (is_full) store_.connection->exec("PRAGMA max_page_count = 1000000");
    }

    // Time passes until everything has run out. False: something never does.
    [[nodiscard]] bool settle() {
        for (int round = 0; round < 6; ++round) {
            store_.clock.advance(Duration(60'000));
            for (auto& routed : store_.store->run({}, {})) take(routed.delivery);
        }
        const auto& live = store_.store->live();
        return waiting_.empty() && live.waiters().size() == 0 && live.holdings().locks() == 0 &&
               live.resting().size() == 0;
    }

    [[nodiscard]] const std::string& wrong() const { return wrong_; }

private:
    void take(storage::Delivery& delivery) {
        if (waiting_.erase(delivery.ticket.value()) == 0) wrong_ = "a ticket was answered twice";
        const auto& answer = delivery.answer;
        if (answer.error) ++met_[answer.error->code];
        if (answer.error || answer.fencing_token == 0 || answer.is_replayed) return;
        leases_.push_back(*parse_uuid(answer.resource_id));
        if (leases_.size() > 16) leases_.erase(leases_.begin());
    }

    storage::Request request() {
        const std::string principal = kPrincipals[random_.below(2)];
        return {storage::Ticket(++last_ticket_), nullptr, {principal, "r", operation()}};
    }

    Operation operation() {
        const auto which = random_.below(10);
        if (which < 6 || leases_.empty()) return acquire();
        const auto& lease = leases_[random_.below(leases_.size())];
        if (which < 7)
            return storage::RenewLease{
                .lease_id = lease,
                .ttl = Duration(static_cast<std::int64_t>(100 + random_.below(900)))};
        return storage::ReleaseLease{lease};
    }

    Operation acquire() {
        storage::AcquireLock acquire;
        const bool counts = random_.below(4) == 0;
        const auto from = counts ? kSemaphoresFrom : 0;
        const auto until = counts ? std::size(kLocks) : kSemaphoresFrom;
        for (auto at = from; at < until; ++at) {
            if (random_.below(2) == 0) acquire.locks.push_back(name(kLocks[at]));
        }
        if (acquire.locks.empty()) acquire.locks.push_back(name(kLocks[from]));
        // Now and then somebody takes one kind of lock for another.
        if (counts != (random_.below(20) == 0)) {
            acquire.claim = {LockMode::Semaphore, 2};
        } else if (random_.below(2) == 0) {
            acquire.claim = {LockMode::Shared, 1};
        }
        acquire.ttl = Duration(static_cast<std::int64_t>(100 + random_.below(900)));
        if (random_.below(3) > 0)
            acquire.wait = Duration(static_cast<std::int64_t>(1 + random_.below(2'000)));
        acquire.owner = random_.below(20) == 0 ? "unlucky" : "lucky";
        // Rows that need pages of their own: a full disk then refuses them.
        if (random_.below(2) == 0) acquire.metadata_json = std::string(9'000, 'x');
        return acquire;
    }

    static inline std::uint64_t last_ticket_ = 0;  // unique over the life of the store

    StoreHarness& store_;
    Met& met_;
    SeededRandom random_;
    std::vector<Uuid> leases_;
    std::set<std::uint64_t> waiting_;
    std::string wrong_;
};

TEST(RandomOperations, KeepRowsMemoryAndPromisesTogether) {
    StoreHarness store(classes());
    store.connection->exec(
        "PRAGMA synchronous = OFF;"
        "CREATE TEMP TRIGGER no_grant BEFORE INSERT ON leases WHEN NEW.owner = 'unlucky' AND "
        "NEW.token % 2 BEGIN SELECT RAISE(ABORT, 'sabotage'); END;"
        "CREATE TEMP TRIGGER no_release BEFORE UPDATE OF state ON leases WHEN NEW.state = 3 AND "
        "OLD.token % 13 = 0 BEGIN SELECT RAISE(ABORT, 'sabotage'); END");
    ASSERT_FALSE(store.connection->failure());
    Judge judge(store);
    Met met;
    const auto sequences = repetitions("FENCEGATE_SEQUENCES", 2'000);

    for (std::uint64_t seed = 1; seed <= sequences; ++seed) {
        Sequence sequence(store, met, seed);
        for (std::size_t step = 1; step <= kStepsPerSequence; ++step) {
            sequence.step();
            const auto said = judge.objection();
            ASSERT_EQ(said, "") << "sequence " << seed << ", step " << step;
        }
        ASSERT_TRUE(sequence.settle()) << "sequence " << seed << " left something behind";
        ASSERT_EQ(sequence.wrong(), "") << "sequence " << seed;
        ASSERT_EQ(judge.objection(), "") << "sequence " << seed << ", at its end";
        ASSERT_FALSE(store.store->fatal()) << *store.store->fatal();
    }
    for (const auto code : {ErrorCode::StoreFull, ErrorCode::Internal, ErrorCode::LockHeld,
                            ErrorCode::LockModeConflict, ErrorCode::QuotaExceeded,
                            ErrorCode::RequestTimeout, ErrorCode::GoneExpired})
        EXPECT_GT(met[code], sequences / 50) << code_name(code);
}

}  // namespace
}  // namespace fencegate::testing
