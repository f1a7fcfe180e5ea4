// Random operations against the store, and after each of them the question whether rows, memory and
// the promises agree. A failure names the sequence, which is its seed. FENCEGATE_SEQUENCES sets how
// many.
#include "tests/storage/commands/store_judge.hpp"
#include "tests/support/repetitions.hpp"
#include "tests/support/seeded_random.hpp"

#include <gtest/gtest.h>

#include <algorithm>
#include <map>

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

std::vector<lockmgr::LockClass> classes() {
    return {{.name = "quota",
             .locks_per_principal_max = StoreJudge::kHeldMax,
             .waiters_per_principal_max = StoreJudge::kWaitedMax},
            {.name = "delay", .lock_delay = Duration(300)}};
}

// What was met, to show that the sequences go where it is difficult. In all sequences.
using Met = std::map<ErrorCode, std::size_t>;  // Internal: a constraint fired

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
        for (const auto& [ticket, locks] : waiting_) {
            if (random_.below(6) == 0) cancelled.emplace_back(ticket);
        }
        if (random_.below(3) == 0)
            store_.clock.advance(Duration(static_cast<std::int64_t>(random_.below(700))));
        for (const auto& asked : requests) note(asked);
        for (auto& routed : store_.store->run(requests, cancelled)) take(routed.delivery);
        look_for_overtaken();
        for (const auto ticket : cancelled) {
            if (waiting_.contains(ticket.value())) wrong_ = "somebody could not leave";
        }
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
    using Locks = std::vector<LockName>;

    void note(const storage::Request& asked) {
        const auto* acquire = std::get_if<storage::AcquireLock>(&asked.command.operation);
        waiting_.emplace(asked.ticket.value(), acquire != nullptr ? acquire->locks : Locks{});
    }

    // Whoever was granted came before everybody who still waits for one of its locks.
    void look_for_overtaken() {
        for (const auto& [granted, locks] : granted_) {
            for (const auto& [waiter, wanted] : waiting_) {
                const bool is_before = waiter < granted;
                const bool shares = std::ranges::find_first_of(wanted, locks) != wanted.end();
                if (is_before && shares) wrong_ = "somebody was overtaken";
            }
        }
        granted_.clear();
    }

    void take(storage::Delivery& delivery) {
        const auto asked = waiting_.extract(delivery.ticket.value());
        if (asked.empty()) {
            wrong_ = "a ticket was answered twice";
            return;
        }
        const auto& answer = delivery.answer;
        if (answer.error) ++met_[answer.error->code];
        if (answer.error || !answer.fencing_token || answer.is_replayed) return;
        if (!asked.mapped().empty()) granted_.emplace(asked.key(), asked.mapped());
        leases_.push_back(*parse_uuid(answer.resource_id));
        if (leases_.size() > 16) leases_.erase(leases_.begin());
    }

    storage::Request request() {
        const std::string principal = StoreJudge::kPrincipals[random_.below(2)];
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
            if (random_.below(2) == 0) acquire.locks.push_back(*LockName::parse(kLocks[at]));
        }
        if (acquire.locks.empty()) acquire.locks.push_back(*LockName::parse(kLocks[from]));
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
    std::map<std::uint64_t, Locks> waiting_;  // by ticket, which is the order they came in
    std::map<std::uint64_t, Locks> granted_;  // in this batch
    std::string wrong_;
};

TEST(RandomOperations, KeepRowsMemoryAndPromisesTogether) {
    StoreHarness store(classes());
    store.connection->exec(
        "PRAGMA synchronous = OFF;"
        "CREATE TEMP TRIGGER no_grant BEFORE INSERT ON leases WHEN NEW.owner = 'unlucky' AND "
        "NEW.token % 2 BEGIN SELECT RAISE(ABORT, 'sabotage'); END;"
        "CREATE TEMP TRIGGER half_a_grant BEFORE INSERT ON lease_locks WHEN NEW.lock = 'quota/c' "
        "AND "
        "NEW.token % 11 = 0 BEGIN SELECT RAISE(ABORT, 'sabotage'); END;"
        "CREATE TEMP TRIGGER no_release BEFORE UPDATE OF state ON leases WHEN NEW.state = 3 AND "
        "OLD.token % 13 = 0 BEGIN SELECT RAISE(ABORT, 'sabotage'); END");
    ASSERT_FALSE(store.connection->failure());
    StoreJudge judge(store);
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
