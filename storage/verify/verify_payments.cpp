// The payments beside their entries and references, all in the order of payment ids. The entries
// are sorted for that by SQLite, in temporary files once they are many.
#include "storage/money/payment.hpp"
#include "storage/verify/verify_answers.hpp"
#include "storage/verify/verify_checks.hpp"

#include <algorithm>
#include <limits>
#include <optional>

namespace fencegate::storage {
namespace {

struct PaymentRow {
    std::string id;
    std::string currency;
    PaymentState state{};
    std::int64_t authorized = 0;
    std::int64_t captured = 0;
    std::int64_t refunded = 0;
    std::string reference;
    std::int64_t last_transfer = 0;
    std::int64_t authorized_hour = 0;
    std::int64_t created_at_ms = 0;
};

PaymentRow payment_of(const sqlite::Statement::Row& row) {
    return {.id = std::string(row.text(0)),
            .currency = std::string(row.text(1)),
            .state = static_cast<PaymentState>(row.integer(2)),
            .authorized = row.integer(3),
            .captured = row.integer(4),
            .refunded = row.integer(5),
            .reference = std::string(row.text(6)),
            .last_transfer = row.integer(7),
            .authorized_hour = row.integer(8),
            .created_at_ms = row.integer(9)};
}

// What the entries of one payment make of it.
struct Told {
    std::int64_t entries = 0;
    std::int64_t last = 0;
    PaymentState state = PaymentState::Authorized;
    std::int64_t authorized = 0;
    std::int64_t captured = 0;
    std::int64_t released = 0;
    std::int64_t refunded = 0;
    std::string creator;
    std::int64_t created_by = 0;  // the movement
    std::int64_t created_at_ms = 0;
    std::int64_t token = 0;  // of the last fenced write
};

class PaymentPass {
public:
    PaymentPass(sqlite::Connection& connection, const StoreFacts& facts, Checks& checks)
        : facts_(facts),
          checks_(checks),
          entries_(connection,
                   "SELECT payment_id, id, kind, amount, currency, token, principal, previous, "
                   "movement, public_id, key <> '', created_at_ms FROM transfers ORDER BY "
                   "payment_id, id"),
          entry_(entries_.query()),
          has_entry_(entry_.next()),
          references_(connection,
                      "SELECT payment_id, reference, principal FROM payment_references "
                      "ORDER BY payment_id"),
          reference_(references_.query()),
          has_reference_(reference_.next()),
          owner_of_reference_(connection,
                              "SELECT payment_id FROM payment_references "
                              "WHERE reference = ? AND principal = ?"),
          same_reference_(connection, "SELECT 1 FROM payments WHERE id = ? AND reference = ?"),
          answers_(connection, checks) {}

    void take(const PaymentRow& payment) {
        pass_over_strangers(payment.id);
        Told told;
        while (has_entry_ && entry_.text(0) == payment.id) {
            check_entry(payment, told);
            has_entry_ = entry_.next();
        }
        check_sums(payment, told);
        check_references(payment, told);
    }

    void end() { pass_over_strangers(std::nullopt); }

    [[nodiscard]] std::int64_t first_kept() const noexcept { return first_kept_; }

private:
    // Entries and references of payments that there are not.
    void pass_over_strangers(std::optional<std::string_view> next) {
        for (; has_entry_ && (!next || entry_.text(0) < *next); has_entry_ = entry_.next())
            checks_.payment_chains.fault(nth("entry", entry_.integer(1)) + " is of payment " +
                                         std::string(entry_.text(0)) + ", which is not there");
        for (; has_reference_ && (!next || reference_.text(0) < *next);
             has_reference_ = reference_.next())
            checks_.references.fault("a reference names payment " +
                                     std::string(reference_.text(0)) + ", which is not there");
    }

    void check_entry(const PaymentRow& payment, Told& told) {
        const auto id = entry_.integer(1);
        const auto amount = entry_.integer(3);
        const bool is_linked = entry_.integer(7) == told.last;
        const auto whose = [&] { return nth("entry", id) + " of payment " + payment.id; };
        checks_.payment_chains.expect(is_linked,
                                      [&] { return whose() + " is not linked to the one before"; });
        if (entry_.text(4) != payment.currency)
            checks_.payment_amounts.fault(whose() + " is in another currency");
        checks_.payment_states.expect(apply(told, amount), [&] {
            return whose() + " is not one that the payment could have had then";
        });
        check_order(payment, told);
        note_age(payment);
        told.last = id;
        ++told.entries;
        check_answer(payment, told);
    }

    // Entries of before there were keys in the journal have none, so those of a payment under one
    // are no older than it, even if it got its hour later than its first.
    void note_age(const PaymentRow& payment) {
        const bool is_young =
            payment.authorized_hour >= facts_.kept_hour || entry_.integer(5) > facts_.kept_after;
        if (entry_.integer(10) != 0 && is_young)
            first_kept_ = std::min(first_kept_, entry_.integer(1));
    }

    // The payment as its entries up to this one left it, beside what was answered then.
    void check_answer(const PaymentRow& payment, const Told& told) {
        Payment then;
        then.id = payment.id;
        then.currency = payment.currency;
        then.state = told.state;
        then.authorized_minor = told.authorized;
        then.captured_minor = told.captured;
        then.refunded_minor = told.refunded;
        AnswerBodies::Told of{.entry = told.last};
        if (static_cast<TransferKind>(entry_.integer(2)) == TransferKind::Refund)
            of.refund = refund_of_entry();
        answers_.check(then, of);
    }

    [[nodiscard]] Refund refund_of_entry() const {
        Refund refund;
        const auto id = entry_.blob(9);
        if (id.size() == refund.id.bytes.size()) std::ranges::copy(id, refund.id.bytes.begin());
        refund.amount_minor = entry_.integer(3);
        refund.token = entry_.token(5);
        return refund;
    }

    // Moves the payment on; false where its state does not allow the entry.
    bool apply(Told& told, std::int64_t amount) {
        const bool is_first = told.entries == 0;
        const bool is_held = !is_first && told.state == PaymentState::Authorized;
        switch (static_cast<TransferKind>(entry_.integer(2))) {
            case TransferKind::Authorize:
                if (!is_first) return false;
                told.authorized = amount;
                told.creator = entry_.text(6);
                told.created_by = entry_.integer(8);
                told.created_at_ms = entry_.integer(11);
                return true;
            case TransferKind::Capture:
                told.captured = wrapping_add(told.captured, amount);
                told.state = PaymentState::Captured;
                return is_held;
            case TransferKind::Release:
                told.released = wrapping_add(told.released, amount);
                if (told.state == PaymentState::Captured)
                    return told.refunded == 0 &&
                           wrapping_add(told.captured, told.released) == told.authorized;
                told.state =
                    entry_.text(6).empty() ? PaymentState::Expired : PaymentState::Cancelled;
                return is_held && told.released == told.authorized;
            case TransferKind::Refund:
                told.refunded = wrapping_add(told.refunded, amount);
                return told.state == PaymentState::Captured && told.refunded <= told.captured;
        }
        return false;
    }

    // What created the payment was not guarded by its lock.
    void check_order(const PaymentRow& payment, Told& told) {
        if (entry_.is_null(5) || entry_.integer(8) == told.created_by) return;
        const auto token = entry_.integer(5);
        checks_.fence_order.expect(token >= told.token, [&] {
            return nth("entry", entry_.integer(1)) + " of payment " + payment.id + " has " +
                   nth("token", token) + ", after one of " + nth("token", told.token);
        });
        told.token = token;
    }

    void check_sums(const PaymentRow& payment, const Told& told) {
        const bool is_ordered = 0 <= payment.refunded && payment.refunded <= payment.captured &&
                                payment.captured <= payment.authorized;
        const bool is_told = payment.authorized == told.authorized &&
                             payment.captured == told.captured && payment.refunded == told.refunded;
        checks_.payment_amounts.expect(is_ordered && is_told, [&] {
            return "payment " + payment.id +
                   (is_ordered ? " has other amounts than its entries"
                               : " has more refunded than captured, or captured than authorized");
        });
        const bool is_rest_released =
            told.captured == 0 || wrapping_add(told.captured, told.released) == told.authorized;
        checks_.payment_states.expect(payment.state == told.state && is_rest_released, [&] {
            return "payment " + payment.id + " is in another state than its entries say";
        });
        checks_.payment_chains.expect(payment.last_transfer == told.last && told.entries > 0, [&] {
            return "payment " + payment.id + " does not end in its newest entry";
        });
        if (payment.created_at_ms != told.created_at_ms)
            checks_.payment_chains.fault("payment " + payment.id +
                                         " has another time than its first entry");
    }

    void check_references(const PaymentRow& payment, const Told& told) {
        bool is_named = false;
        for (; has_reference_ && reference_.text(0) == payment.id;
             has_reference_ = reference_.next()) {
            const bool is_its = reference_.text(1) == payment.reference &&
                                reference_.text(2) == told.creator && !is_named;
            checks_.references.expect(is_its, [&] {
                return "payment " + payment.id + " is named by a reference that is not its own";
            });
            is_named = true;
        }
        if (is_named || payment.reference.empty()) return;
        checks_.references.expect(is_elders(payment, told), [&] {
            return "payment " + payment.id + " is not named by its reference";
        });
    }

    // Before references were unique, several payments could share one. It is the oldest's.
    bool is_elders(const PaymentRow& payment, const Told& told) {
        std::string elder;
        {
            auto row = owner_of_reference_.query(payment.reference, told.creator);
            if (!row.next() || row.text(0) == payment.id) return false;
            elder = row.text(0);
        }
        auto row = same_reference_.query(elder, payment.reference);
        return row.next();
    }

    const StoreFacts& facts_;
    Checks& checks_;
    std::int64_t first_kept_ = std::numeric_limits<std::int64_t>::max();
    sqlite::Statement entries_;
    sqlite::Statement::Row entry_;
    bool has_entry_;
    sqlite::Statement references_;
    sqlite::Statement::Row reference_;
    bool has_reference_;
    sqlite::Statement owner_of_reference_;
    sqlite::Statement same_reference_;
    AnswerBodies answers_;
};

}  // namespace

std::int64_t check_payments(sqlite::Connection& connection, const StoreFacts& facts,
                            const VerifyOptions& options, Checks& checks) {
    Progress progress(options, "payments", facts.transfers);
    sqlite::Statement payments(
        connection,
        "SELECT id, currency, state, authorized, captured, refunded, reference, "
        "last_transfer, authorized_hour, created_at_ms FROM payments ORDER BY id");
    PaymentPass pass(connection, facts, checks);
    auto row = payments.query();
    while (row.next()) {
        pass.take(payment_of(row));
        progress.step();
    }
    if (!connection.failure()) pass.end();
    return pass.first_kept();
}

}  // namespace fencegate::storage
