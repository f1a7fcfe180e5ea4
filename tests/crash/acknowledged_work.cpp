#include "tests/crash/acknowledged_work.hpp"

#include "tests/crash/store_invariants.hpp"
#include "tests/support/tokens.hpp"

#include <filesystem>

namespace fencegate::testing {
namespace {

constexpr std::uint64_t kPaymentsMax = 4;
constexpr std::uint64_t kBatchMax = 8;
constexpr std::uint64_t kTickMsMax = 700;  // against a TTL of 1000 ms

std::string lock_of(const std::string& payment) { return "payments/" + payment; }

}  // namespace

void AcknowledgedWork::run(StoreHarness& store, std::size_t batches) {
    for (std::size_t batch = 0; batch < batches && !store.store->fatal(); ++batch)
        run_one_batch(store);
}

void AcknowledgedWork::run_one_batch(StoreHarness& store) {
    store.clock.advance(Duration(random_.below(kTickMsMax)));
    std::vector<Asked> asked;
    std::vector<storage::Operation> operations;
    for (auto left = 1 + random_.below(kBatchMax); left > 0; --left)
        operations.push_back(ask(asked));
    auto answers = store.run_batch(std::move(operations));
    const bool is_fatal = store.store->fatal().has_value();
    auto ticket = store.last_ticket() - asked.size();
    for (const auto& one : asked) {
        const auto& answer = answers.at(++ticket);
        const bool promises_nothing =
            answer.error && (answer.error->code == ErrorCode::OutcomeUnknown ||
                             answer.error->code == ErrorCode::StoreFailed);
        if (is_fatal && !promises_nothing) ++answers_after_fatal_;
        note(one, answer);
    }
    if (random_.below(6) == 0) store.connection->checkpoint(random_.below(2) == 0);
}

storage::Operation AcknowledgedWork::ask(std::vector<Asked>& asked) {
    auto& one = asked.emplace_back();
    one.key = "key-" + std::to_string(++last_name_);
    if (payments_.size() < kPaymentsMax) {
        one.what = Asked::What::Create;
        one.payment = "pay_" + std::to_string(last_name_);
        return storage::CreatePayment{.id = one.payment,
                                      .currency = "EUR",
                                      .amount_minor = 1'000'000,
                                      .capture = true,
                                      .reference = {},
                                      .metadata_json = {},
                                      .token = lockmgr::kNoToken,
                                      .idempotency = idempotency(one.key)};
    }
    const auto dice = random_.below(10);
    if (grants_.empty() || dice < 4) {
        one.what = Asked::What::Acquire;
        one.payment = payments_[random_.below(payments_.size())];
        const bool has_key = random_.below(2) == 0;
        return StoreHarness::acquire_of(lock_of(one.payment),
                                        {.key = has_key ? one.key : std::string()});
    }
    if (dice < 8) return ask_refund(one);
    const auto& [token, grant] = *grants_.rbegin();
    one.what = Asked::What::Release;
    one.token = token;
    return storage::ReleaseLease{*parse_uuid(grant.lease_id)};
}

// Under one of the last tokens: some are live, some are not.
storage::Operation AcknowledgedWork::ask_refund(Asked& asked) {
    auto grant = grants_.rbegin();
    for (auto back = random_.below(std::min<std::uint64_t>(3, grants_.size())); back > 0; --back)
        ++grant;
    asked.what = Asked::What::Refund;
    asked.payment = grant->second.payment;
    asked.token = grant->first;
    asked.amount_minor = 1 + static_cast<std::int64_t>(random_.below(99));
    return StoreHarness::refund_of(asked.payment, asked.token,
                                   {.amount = asked.amount_minor, .key = asked.key});
}

void AcknowledgedWork::note(const Asked& asked, const storage::Answer& answer) {
    if (answer.error) {
        const auto code = answer.error->code;
        if (code == ErrorCode::StoreFull) ++refused_as_full_;
        if (code == ErrorCode::OutcomeUnknown && asked.what == Asked::What::Refund)
            unknown_refunds_.push_back(asked);
        return;
    }
    switch (asked.what) {
        case Asked::What::Create: payments_.push_back(asked.payment); break;
        case Asked::What::Acquire:
            grants_[testing::number_of(answer.fencing_token)] = {asked.payment, answer.resource_id};
            break;
        case Asked::What::Refund: refunds_.push_back({asked, answer.body}); break;
        case Asked::What::Release: grants_[asked.token].is_released = true; break;
    }
}

bool AcknowledgedWork::is_answered(StoreHarness& store, const Asked& asked) {
    const auto sql =
        "SELECT count(*) FROM answers WHERE error_code IS NULL AND key = '" + asked.key + "'";
    return store.number(sql.c_str()) == 1;
}

void AcknowledgedWork::ask_for_outcomes(StoreHarness& restarted) {
    const auto unknown = std::exchange(unknown_refunds_, {});
    for (const auto& asked : unknown) {
        if (!is_answered(restarted, asked)) {
            unknown_refunds_.push_back(asked);
            continue;
        }
        const auto answer = restarted.refund(asked.payment, asked.token,
                                             {.amount = asked.amount_minor, .key = asked.key});
        note(asked, answer);
    }
}

std::vector<std::string> AcknowledgedWork::damage(const std::filesystem::path& folder) {
    const TempDir copy;
    for (const char* name : {"store.db", "store.db-wal"}) {
        if (std::filesystem::exists(folder / name))
            std::filesystem::copy_file(folder / name, copy / name);
    }
    return broken_invariants(copy / "store.db");
}

std::vector<std::string> AcknowledgedWork::contradictions(StoreHarness& reopened) const {
    std::vector<std::string> wrong = damage(reopened.folder());
    check_sums(reopened, wrong);  // first: asking again may change them
    check_grants(reopened, wrong);
    check_refunds(reopened, wrong);
    for (const auto& payment : payments_) {
        if (reopened.payment(payment).error) wrong.push_back("lost the payment " + payment);
    }
    const auto next = reopened.acquire("after/" + std::to_string(reopened.last_ticket()));
    const auto highest = grants_.empty() ? 0 : grants_.rbegin()->first;
    if (!next || next->error || testing::number_of(next->fencing_token) <= highest)
        wrong.push_back("the next token is not above " + std::to_string(highest));
    return wrong;
}

void AcknowledgedWork::check_sums(StoreHarness& store, std::vector<std::string>& wrong) const {
    std::map<std::string, std::int64_t> refunded;
    for (const auto& made : refunds_) refunded[made.asked.payment] += made.asked.amount_minor;
    for (const auto& asked : unknown_refunds_) {
        if (is_answered(store, asked)) refunded[asked.payment] += asked.amount_minor;
    }
    for (const auto& payment : payments_) {
        const auto sql =
            "SELECT coalesce(sum(refunded), -1) FROM payments WHERE id = '" + payment + "'";
        const auto found = store.number(sql.c_str());
        if (found != refunded[payment])
            wrong.push_back(payment + " has " + std::to_string(found) + " refunded, not " +
                            std::to_string(refunded[payment]));
    }
}

void AcknowledgedWork::check_grants(StoreHarness& store, std::vector<std::string>& wrong) const {
    for (const auto& [token, grant] : grants_) {
        const auto lease = *store.run(storage::ReadLease{*parse_uuid(grant.lease_id)});
        if (lease.error) {
            wrong.push_back("lost the grant of token " + std::to_string(token));
        } else if (grant.is_released &&
                   lease.body.find(R"("state":"released")") == std::string::npos) {
            wrong.push_back("lost the release of token " + std::to_string(token));
        }
    }
}

void AcknowledgedWork::check_refunds(StoreHarness& store, std::vector<std::string>& wrong) const {
    for (const auto& [asked, body] : refunds_) {
        const auto again = store.refund(asked.payment, asked.token,
                                        {.amount = asked.amount_minor, .key = asked.key});
        if (again.error || !again.is_replayed || again.body != body)
            wrong.push_back("lost the refund under " + asked.key);
    }
}

}  // namespace fencegate::testing
