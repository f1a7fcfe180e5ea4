#include "tests/support/store_harness.hpp"

#include "base/check.hpp"
#include "storage/model/operation.hpp"
#include "storage/sqlite/database.hpp"
#include "storage/sqlite/sqlite_store.hpp"
#include "tests/support/tokens.hpp"

#include <algorithm>
#include <functional>
#include <iterator>

namespace fencegate::testing {

using storage::Answer;
using storage::Operation;

namespace {

// Stands in for the edge's SHA-256: only equality matters here.
std::array<std::uint8_t, 32> spread(std::string_view text) {
    std::array<std::uint8_t, 32> out{};
    SeededRandom(std::hash<std::string_view>{}(text)).fill(out);
    return out;
}

}  // namespace

void RecordingObserver::on_events(const std::vector<storage::StoreEvent>& events) {
    all.insert(all.end(), events.begin(), events.end());
}

void RecordingObserver::on_notices(std::vector<storage::LockNotice> more) {
    std::ranges::move(more, std::back_inserter(notices));
}

void RecordingObserver::on_contentions(const std::vector<storage::Contention>& more) {
    contentions.insert(contentions.end(), more.begin(), more.end());
}

void RecordingObserver::on_levels(std::size_t lock_class, const storage::ClassLevels& now) {
    levels[lock_class] = now;
}

void RecordingObserver::on_deadlocks(std::size_t count) { deadlocks = count; }

void RecordingObserver::on_batch(const storage::BatchStats& stats) { last_batch = stats; }

void RecordingObserver::on_checkpoint(storage::Seconds) { ++checkpoints; }

void RecordingObserver::on_error(storage::StoreError error) { errors.push_back(error); }
void RecordingObserver::on_damage(const std::string& what) { damages.push_back(what); }

void RecordingObserver::on_clock_jump(const ClockJump& jump) { jumps.push_back(jump); }

storage::Idempotency idempotency(std::string_view key, std::string_view body) {
    storage::Idempotency made;
    made.key = key;
    made.digest = storage::key_digest("worker", key);
    made.fingerprint = made.raw_fingerprint = spread(body);
    return made;
}

ErrorCode code_of(const Answer& answer) {
    FG_CHECK(answer.error.has_value());
    return answer.error->code;
}

StoreHarness::StoreHarness(std::vector<lockmgr::LockClass> classes, storage::Retention retention,
                           const std::filesystem::path& parent)
    : folder_(parent), classes_(std::move(classes)), retention_(retention) {
    clock.on_step([this] {
        if (store) store->look();
    });
    open();
}

StoreHarness::~StoreHarness() = default;

void StoreHarness::open() {
    auto lock = storage::sqlite::FolderLock::take(folder_.path());
    FG_CHECK(lock.has_value());
    auto opened = storage::sqlite::open_database(folder_.path());
    FG_CHECK(opened.has_value());
    connection = opened->get();
    auto file =
        std::make_unique<storage::sqlite::SqliteStore>(*std::move(lock), *std::move(opened), clock);
    store = std::make_unique<storage::Batcher>(std::move(file), lockmgr::LockClasses(classes_),
                                               lockmgr::WaitLimits{}, clock, random_, observer,
                                               retention_);
}

void StoreHarness::reopen() {
    store.reset();
    open();
}

void StoreHarness::reopen(std::vector<lockmgr::LockClass> classes) {
    classes_ = std::move(classes);
    reopen();
}

std::map<std::uint64_t, Answer> StoreHarness::run_batch(std::vector<Operation> operations,
                                                        std::string principal, bool releases) {
    std::vector<storage::Request> requests;
    for (auto& operation : operations) {
        if (const auto* made = storage::idempotency_of(operation)) {
            auto own = *made;
            own.digest = storage::key_digest(principal, own.key);
            attach(operation, std::move(own));
        }
        storage::Command command{principal, "req-" + std::to_string(++last_ticket_),
                                 std::move(operation)};
        command.releases_lease = releases;
        requests.push_back({storage::Ticket(last_ticket_), nullptr, std::move(command)});
    }
    std::map<std::uint64_t, Answer> answers;
    for (auto& routed : store->run(requests, {}))
        answers[routed.delivery.ticket.value()] = std::move(routed.delivery.answer);
    return answers;
}

std::optional<Answer> StoreHarness::run(Operation operation, std::string principal) {
    std::vector<Operation> one;
    one.push_back(std::move(operation));
    auto answers = run_batch(std::move(one), std::move(principal));
    const auto found = answers.find(last_ticket_);
    if (found == answers.end()) return std::nullopt;
    return found->second;
}

Answer StoreHarness::run_and_release(Operation operation, std::string principal) {
    std::vector<Operation> one;
    one.push_back(std::move(operation));
    return run_batch(std::move(one), std::move(principal), true).at(last_ticket_);
}

std::map<std::uint64_t, Answer> StoreHarness::tick(Duration advance) {
    clock.advance(advance);
    return run_batch({});
}

Operation StoreHarness::acquire_of(std::string_view lock, const AcquireOptions& options) {
    storage::AcquireLock acquire{.locks = {*lockmgr::LockName::parse(lock)},
                                 .claim = options.claim,
                                 .ttl = Duration(options.ttl_ms),
                                 .wait = Duration(options.wait_ms),
                                 .owner = options.owner};
    for (const auto& name : options.also) acquire.locks.push_back(*lockmgr::LockName::parse(name));
    std::ranges::sort(acquire.locks);
    if (!options.key.empty()) acquire.idempotency = idempotency(options.key);
    return acquire;
}

std::optional<Answer> StoreHarness::acquire(std::string_view lock, AcquireOptions options) {
    return run(acquire_of(lock, options), options.principal);
}

Answer StoreHarness::release(const Answer& grant, std::string principal) {
    return *run(storage::ReleaseLease{*parse_uuid(grant.resource_id)}, std::move(principal));
}

Answer StoreHarness::renew(const Answer& grant, std::optional<std::int64_t> ttl_ms) {
    storage::RenewLease renew{.lease_id = *parse_uuid(grant.resource_id)};
    if (ttl_ms) renew.ttl = Duration(*ttl_ms);
    return *run(renew);
}

Answer StoreHarness::create(std::string id, std::int64_t amount, bool capture) {
    return *run(storage::CreatePayment{.id = id,
                                       .currency = "EUR",
                                       .amount_minor = amount,
                                       .capture = capture,
                                       .reference = {},
                                       .metadata_json = {},
                                       .token = lockmgr::kNoToken,
                                       .idempotency = idempotency("create-" + id)});
}

void StoreHarness::fill(int payments) {
    const std::string metadata = R"({"note":")" + std::string(900, 'x') + R"("})";
    std::vector<Operation> operations;
    for (int number = 0; number < payments; ++number) {
        const auto id = "pay_" + std::to_string(number);
        operations.emplace_back(storage::CreatePayment{.id = id,
                                                       .currency = "EUR",
                                                       .amount_minor = 5'000,
                                                       .capture = true,
                                                       .reference = {},
                                                       .metadata_json = metadata,
                                                       .token = lockmgr::kNoToken,
                                                       .idempotency = idempotency("create-" + id)});
    }
    run_batch(std::move(operations));
}

Operation StoreHarness::refund_of(std::string id, Token token, const RefundOptions& options) {
    auto presented = testing::presented(token);
    if (options.fault) presented = std::unexpected(*options.fault);
    return storage::MovePayment{.kind = storage::MovePayment::Kind::Refund,
                                .payment_id = std::move(id),
                                .amount_minor = options.amount,
                                .reason = {},
                                .token = presented,
                                .idempotency = idempotency(options.key)};
}

Answer StoreHarness::refund(std::string id, Token token, RefundOptions options) {
    return *run(refund_of(std::move(id), token, options), options.principal);
}

Answer StoreHarness::refund_and_release(std::string id, Token token, RefundOptions options) {
    return run_and_release(refund_of(std::move(id), token, options), options.principal);
}

Answer StoreHarness::payment(std::string id) { return *run(storage::ReadPayment{std::move(id)}); }

Answer StoreHarness::lock(std::string_view name) {
    return *run(storage::ReadLock{*lockmgr::LockName::parse(name)});
}

std::int64_t StoreHarness::number(const char* sql) {
    storage::sqlite::Statement statement(*connection, sql);
    auto row = statement.query();
    FG_CHECK(row.next());
    return row.integer(0);
}

}  // namespace fencegate::testing
