// The same requests at the same times, on every engine of the program: each answer is the same to
// the byte. So the rules ask nothing of one engine that the port does not say, and what is tested
// on memory holds for the others. FENCEGATE_SEQUENCES sets how many sequences.
#include "storage/batch/batcher.hpp"
#include "storage/model/operation.hpp"
#include "tests/storage/unit/engine_makers.hpp"
#include "tests/support/manual_clock.hpp"
#include "tests/support/repetitions.hpp"
#include "tests/support/seeded_random.hpp"
#include "tests/support/store_harness.hpp"
#include "tests/support/temp_dir.hpp"

#include <gtest/gtest.h>

#include <map>
#include <set>
#include <sstream>

namespace fencegate::testing {
namespace {

using lockmgr::FencingToken;
using lockmgr::LockName;
using storage::Answer;
using storage::Operation;

constexpr std::size_t kStepsPerSequence = 60;
constexpr const char* kPrincipals[] = {"one", "two"};

std::vector<lockmgr::LockClass> classes() {
    return {{.name = "payments", .accepts_late_writes = false},
            {.name = "late", .accepts_late_writes = true},
            {.name = "delay", .lock_delay = Duration(300)}};
}

// One gateway's core, with a clock and random numbers of its own.
class Station {
public:
    explicit Station(const storage::EngineMaker& engine)
        : batcher_(engine.make(folder_.path(), clock_), lockmgr::LockClasses(classes()), {}, clock_,
                   random_, nobody_,
                   {.idempotency = std::chrono::hours(3),
                    .history = std::chrono::hours(4),
                    .holds = std::chrono::hours(5)}) {}

    void advance(Duration span) { clock_.advance(span); }

    std::map<std::uint64_t, Answer> run(const std::vector<storage::Request>& requests,
                                        const std::vector<storage::Ticket>& cancelled) {
        std::map<std::uint64_t, Answer> answers;
        for (auto& routed : batcher_.run(requests, cancelled))
            answers[routed.delivery.ticket.value()] = std::move(routed.delivery.answer);
        return answers;
    }

private:
    ManualClock clock_;
    TempDir folder_;
    SeededRandom random_;
    storage::StoreObserver nobody_;
    storage::Batcher batcher_;
};

// All that a client could see of it.
std::string told(const std::map<std::uint64_t, Answer>& answers) {
    std::ostringstream text;
    for (const auto& [ticket, answer] : answers) {
        text << ticket << ": " << answer.body << '|' << answer.resource_id << '|'
             << (answer.fencing_token ? answer.fencing_token->value() : 0) << '|' << answer.version
             << '|' << answer.is_replayed << '|' << static_cast<int>(answer.fence_status) << '|'
             << answer.next_cursor << '|' << answer.previous_cursor << '|'
             << answer.first_request_id;
        if (answer.error) {
            text << '|' << code_name(answer.error->code) << '|' << answer.error->detail;
            for (const auto& member : answer.error->members) {
                text << '|' << member.name << '=';
                std::visit([&](const auto& value) { text << value; }, member.value);
            }
        }
        if (answer.statement) {
            text << '|' << answer.statement->opening_debits_minor;
            for (const auto& entry : answer.statement->entries) text << ',' << entry.id;
        }
        text << '\n';
    }
    return text.str();
}

class Asker {
public:
    explicit Asker(std::uint64_t seed) : random_(seed) {}

    std::vector<storage::Request> batch() {
        std::vector<storage::Request> requests;
        for (auto count = random_.below(5); count > 0; --count) {
            principal_ = kPrincipals[random_.below(2)];
            storage::Command command{principal_, "req-" + std::to_string(++last_ticket_),
                                     operation()};
            if (const auto* acquire = std::get_if<storage::AcquireLock>(&command.operation))
                asked_[last_ticket_] = {principal_, acquire->locks.front().value()};
            if (const auto* made = storage::idempotency_of(command.operation)) {
                auto own = *made;
                own.digest = storage::key_digest(command.principal, own.key);
                attach(command.operation, std::move(own));
            }
            command.releases_lease =
                storage::is_fenced(storage::kind_of(command.operation)) && random_.below(4) == 0;
            requests.push_back({storage::Ticket(last_ticket_), nullptr, std::move(command)});
            waiting_.insert(last_ticket_);
        }
        return requests;
    }

    std::vector<storage::Ticket> cancelled() {
        std::vector<storage::Ticket> left;
        for (const auto ticket : waiting_) {
            if (random_.below(8) == 0) left.emplace_back(ticket);
        }
        return left;
    }

    Duration pause() {
        if (random_.below(12) == 0) return std::chrono::hours(1);
        return Duration(static_cast<std::int64_t>(random_.below(700)));
    }

    void learn(const std::map<std::uint64_t, Answer>& answers) {
        for (const auto& [ticket, answer] : answers) {
            waiting_.erase(ticket);
            ++met_[answer.error ? code_name(answer.error->code) : "success"];
            if (answer.is_replayed) ++met_["replayed"];
            if (answer.error || !answer.fencing_token) continue;
            leases_.push_back(*parse_uuid(answer.resource_id));
            const auto asked = asked_.find(ticket);
            if (asked == asked_.end()) continue;
            grants_.push_back({*answer.fencing_token, asked->second.first, asked->second.second});
        }
    }

    [[nodiscard]] const std::map<std::string_view, std::size_t>& met() const { return met_; }

private:
    template <class T>
    const T& one_of(const std::vector<T>& all) {
        const auto young = std::min<std::uint64_t>(all.size(), 12);
        return all[all.size() - 1 - random_.below(young)];
    }

    std::string payment() { return "pay_" + std::to_string(random_.below(4)); }
    storage::Idempotency key() {
        const auto number = random_.below(3) == 0 ? random_.below(20) : ++last_key_ + 100;
        return idempotency("key-" + std::to_string(number), random_.below(2) == 0 ? "a" : "b");
    }
    // Of the newest grant under this lock, as a rule the asker's own.
    lockmgr::PresentedToken token(std::string_view lock) {
        const bool is_any = random_.below(10) == 0;
        for (auto at = grants_.rbegin(); at != grants_.rend(); ++at) {
            const bool is_own = at->principal == principal_ && at->lock == lock;
            if ((is_own || is_any) && random_.below(4) > 0) return at->token;
        }
        return lockmgr::kNoToken;
    }

    Operation operation() {
        switch (random_.below(10)) {
            case 0:
            case 1:
            case 2: return acquire();
            case 3: return lease();
            case 4: return create();
            case 5:
            case 6: return move();
            case 7: return other_write();
            default: return read();
        }
    }

    Operation acquire() {
        storage::AcquireLock acquire;
        const auto which = random_.below(6);
        if (which == 0) {
            acquire.locks = {*LockName::parse("elections/e")};
            acquire.purpose = storage::Campaign{"e", random_.below(2) == 0 ? "1" : ""};
        } else if (which == 1) {
            acquire.locks = {*LockName::parse("delay/d"), *LockName::parse("late/l")};
        } else {
            acquire.locks = {*LockName::parse("payments/" + payment())};
        }
        if (random_.below(5) == 0) acquire.claim = {lockmgr::LockMode::Shared, 1};
        acquire.ttl = Duration(static_cast<std::int64_t>(200 + random_.below(2'000)));
        if (random_.below(2) == 0)
            acquire.wait = Duration(static_cast<std::int64_t>(random_.below(2'000)));
        acquire.owner = "w";
        if (random_.below(2) == 0) acquire.idempotency = key();
        return acquire;
    }

    Operation lease() {
        if (leases_.empty()) return storage::FindDeadlocks{};
        const auto id = one_of(leases_);
        if (random_.below(2) == 0) return storage::RenewLease{.lease_id = id, .ttl = Duration(900)};
        return storage::ReleaseLease{id};
    }

    Operation create() {
        return storage::CreatePayment{.id = payment(),
                                      .currency = random_.below(4) == 0 ? "USD" : "EUR",
                                      .amount_minor = 1'000,
                                      .capture = random_.below(2) == 0,
                                      .reference = random_.below(2) == 0 ? "ref" : "",
                                      .metadata_json = {},
                                      .token = lockmgr::kNoToken,
                                      .idempotency = key()};
    }

    Operation move() {
        using Kind = storage::MovePayment::Kind;
        constexpr Kind kKinds[] = {Kind::Capture, Kind::Refund, Kind::Refund, Kind::Cancel};
        const auto id = payment();
        storage::MovePayment move{
            .kind = kKinds[random_.below(4)],
            .payment_id = id,
            .amount_minor = 1 + static_cast<std::int64_t>(random_.below(1'200)),
            .reason = "r",
            .token = token("payments/" + id),
            .idempotency = key()};
        if (move.kind == Kind::Cancel) move.amount_minor.reset();
        return move;
    }

    Operation other_write() {
        switch (random_.below(4)) {
            case 0:
                return storage::Proclaim{.election = "e",
                                         .value_json = "7",
                                         .token = token("elections/e"),
                                         .idempotency = key()};
            case 1:
                return storage::Resign{
                    .election = "e", .token = token("elections/e"), .idempotency = key()};
            case 2:
                return storage::Acknowledge{"reader", static_cast<std::int64_t>(random_.below(30)),
                                            key()};
            default: return storage::ForgetConsumer{"reader", key()};
        }
    }

    Operation read() {
        const auto lock = *LockName::parse("payments/" + payment());
        switch (random_.below(12)) {
            case 0: return storage::ReadPayment{payment()};
            case 1: return storage::ReadLock{lock};
            case 2: return storage::ListLocks{.prefix = "", .after = ""};
            case 3: return storage::ReadHistory{.lock = lock, .limit = 3};
            case 4: return storage::ListRefunds{payment(), 0, 3};
            case 5: return storage::ListPayments{};
            case 6: return storage::ReadAccounts{};
            case 7: return storage::ListEntries{.limit = 4};
            case 8: return storage::ReadEvents{.after = 3, .limit = 4};
            case 9:
                return storage::ReadStatement{.account = storage::Account::FundsHeld,
                                              .currency = "EUR"};
            case 10: return storage::ReadElection{"e"};
            default: return storage::ReadLongestHeld{};
        }
    }

    SeededRandom random_;
    std::uint64_t last_ticket_ = 0;
    std::uint64_t last_key_ = 0;
    std::set<std::uint64_t> waiting_;
    struct Grant {
        FencingToken token;
        std::string principal;
        std::string lock;
    };
    std::string principal_;  // of the command that is being made
    std::map<std::uint64_t, std::pair<std::string, std::string>> asked_;  // acquires, by ticket
    std::vector<Grant> grants_;
    std::vector<Uuid> leases_;
    std::map<std::string_view, std::size_t> met_;
};

TEST(EnginesAgree, OnEveryAnswerOfRandomSequences) {
    const auto sequences = repetitions("FENCEGATE_SEQUENCES", storage::random_operations()) / 20;
    std::map<std::string_view, std::size_t> met;
    for (std::uint64_t seed = 1; seed <= sequences; ++seed) {
        Station first(storage::engines()[0]);
        Station second(storage::engines()[1]);
        Asker asker(seed);
        for (std::size_t step = 1; step <= kStepsPerSequence; ++step) {
            const auto pause = asker.pause();
            first.advance(pause);
            second.advance(pause);
            const auto cancelled = asker.cancelled();
            const auto requests = asker.batch();
            const auto answers = first.run(requests, cancelled);
            ASSERT_EQ(told(answers), told(second.run(requests, cancelled)))
                << "sequence " << seed << ", step " << step;
            asker.learn(answers);
        }
        for (const auto& [what, count] : asker.met()) met[what] += count;
    }
    // The sequences go where it is difficult.
    for (const auto* what : {"success", "replayed", "fence_token_stale", "lease_released",
                             "lock_held", "request_timeout", "lease_expired", "payment_not_found",
                             "refund_exceeds_captured", "idempotency_mismatch"})
        EXPECT_GT(met[what], sequences / 20) << what;
}

}  // namespace
}  // namespace fencegate::testing
