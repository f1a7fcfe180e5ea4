#include "storage/unit/tables.hpp"

#include <utility>

namespace fencegate::storage {
namespace {

// The length keeps two pairs apart that read alike.
std::string key_of(const std::string& first, const std::string& second) {
    return std::to_string(first.size()) + ':' + first + second;
}

}  // namespace

std::optional<StoredAnswer> AnswerTable::find(std::string_view principal,
                                              const Idempotency& idempotency) {
    const auto found = places_.find(idempotency.digest);
    if (found == places_.end()) return reader_.find(principal, idempotency);
    const auto& inserted = inserted_[found->second];
    auto answer = inserted.answer;
    answer.is_foreign =
        inserted.principal != principal || inserted.idempotency.key != idempotency.key;
    return answer;
}

void AnswerTable::insert(std::string_view principal, const Idempotency& idempotency,
                         StoredAnswer answer, Stamp at) {
    answer.created_at = at.wall;
    places_.emplace(idempotency.digest, inserted_.size());
    inserted_.push_back({std::string(principal), idempotency, std::move(answer), at});
}

void AnswerTable::collect(Changes& changes) {
    changes.answers = std::exchange(inserted_, {});
    places_.clear();
}

const Payment* PaymentTable::find(const std::string& id) {
    return payments_.find(id, [this](const std::string& key) { return reader_.find(key); });
}

void PaymentTable::insert(const Payment& payment) { payments_.insert(payment.id, payment); }

void PaymentTable::update(const Payment& payment) { payments_.put(payment.id, payment); }

std::optional<std::string> PaymentTable::find_reference(const std::string& reference,
                                                        const std::string& principal) {
    const auto* found = references_.find(
        key_of(reference, principal), [&](const std::string&) -> std::optional<NewReference> {
            auto payment = reader_.find_reference(reference, principal);
            if (!payment) return std::nullopt;
            return NewReference{reference, principal, *std::move(payment)};
        });
    if (found == nullptr) return std::nullopt;
    return found->payment_id;
}

void PaymentTable::insert_reference(const Payment& payment, const std::string& principal) {
    references_.insert(key_of(payment.reference, principal),
                       {payment.reference, principal, payment.id});
}

void PaymentTable::collect(Changes& changes) {
    payments_.collect([&](const std::string&, const std::optional<Payment>& payment, bool is_new) {
        (is_new ? changes.new_payments : changes.payments).push_back(*payment);
    });
    references_.collect([&](const std::string&, const std::optional<NewReference>& row, bool) {
        changes.references.push_back(*row);
    });
}

const Proclamation* ElectionTable::find(const std::string& election) {
    return rows_.find(election, [this](const std::string& name) { return reader_.find(name); });
}

void ElectionTable::proclaim(const std::string& election, Proclamation proclamation) {
    rows_.put(election, std::move(proclamation));
}

void ElectionTable::collect(Changes& changes) {
    rows_.collect([&](const std::string& name, const std::optional<Proclamation>& row, bool) {
        changes.elections.push_back({name, *row});
    });
}

const Run* RunTable::find(const std::string& job, const std::string& slot) {
    return rows_.find(key_of(job, slot),
                      [&](const std::string&) { return reader_.find(job, slot); });
}

void RunTable::put(const Run& run) { rows_.put(key_of(run.job, run.slot), run); }

void RunTable::collect(Changes& changes) {
    rows_.collect([&](const std::string&, const std::optional<Run>& run, bool) {
        changes.runs.push_back(*run);
    });
}

const Consumer* ConsumerTable::find(const std::string& name) {
    return rows_.find(name, [this](const std::string& key) { return reader_.find(key); });
}

void ConsumerTable::put(const Consumer& consumer) { rows_.put(consumer.name, consumer); }

void ConsumerTable::erase(const std::string& name) { rows_.put(name, std::nullopt); }

void ConsumerTable::collect(Changes& changes) {
    rows_.collect([&](const std::string& name, const std::optional<Consumer>& row, bool) {
        if (row) {
            changes.consumers.push_back(*row);
        } else {
            changes.forgotten_consumers.push_back(name);
        }
    });
}

}  // namespace fencegate::storage
