// The payments beside their entries and references, all in the order of payment ids.
#include "storage/verify/verify_answers.hpp"
#include "storage/verify/verify_checks.hpp"

#include <algorithm>
#include <limits>

namespace fencegate::storage {
namespace {

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
    WallTime created_at{};
    std::int64_t token = 0;  // of the last fenced write
};

class PaymentPass {
public:
    PaymentPass(RowsToVerify& rows, const StoreFacts& facts, Checks& checks)
        : rows_(rows),
          facts_(facts),
          checks_(checks),
          entries_(rows.entries_by_payment()),
          references_(rows.references()),
          answers_(rows, checks) {
        entries_.next();
        references_.next();
    }

    void take(const Payment& payment) {
        pass_over_strangers(&payment.id);
        Told told;
        const auto* entry = entries_.at();
        for (; entry != nullptr && entry->payment_id == payment.id; entry = entries_.next())
            check_entry(payment, *entry, told);
        check_sums(payment, told);
        check_references(payment, told);
    }

    void end() { pass_over_strangers(nullptr); }

    [[nodiscard]] std::int64_t first_kept() const noexcept { return first_kept_; }

private:
    // Entries and references of payments that there are not, before the next that there is.
    void pass_over_strangers(const std::string* next) {
        const auto is_stranger = [&](const auto* row) {
            return row != nullptr && (next == nullptr || row->payment_id < *next);
        };
        for (const auto* entry = entries_.at(); is_stranger(entry); entry = entries_.next())
            checks_.payment_chains.fault(nth("entry", entry->id) + " is of payment " +
                                         entry->payment_id + ", which is not there");
        for (const auto* row = references_.at(); is_stranger(row); row = references_.next())
            checks_.references.fault("a reference names payment " + row->payment_id +
                                     ", which is not there");
    }

    void check_entry(const Payment& payment, const PaymentEntry& entry, Told& told) {
        const auto whose = [&] { return nth("entry", entry.id) + " of payment " + payment.id; };
        checks_.payment_chains.expect(entry.previous == told.last,
                                      [&] { return whose() + " is not linked to the one before"; });
        if (entry.currency != payment.currency)
            checks_.payment_amounts.fault(whose() + " is in another currency");
        checks_.payment_states.expect(apply(told, entry), [&] {
            return whose() + " is not one that the payment could have had then";
        });
        check_order(payment, entry, told);
        note_age(payment, entry);
        told.last = entry.id;
        ++told.entries;
        check_answer(payment, entry, told);
    }

    // Entries of before there were keys in the journal have none, so those of a payment under one
    // are no older than it, even if it got its hour later than its first.
    void note_age(const Payment& payment, const PaymentEntry& entry) {
        const bool is_young = payment.authorized_hour >= facts_.kept_hour ||
                              entry.token.value_or(0) > facts_.kept_after;
        if (entry.has_key && is_young) first_kept_ = std::min(first_kept_, entry.id);
    }

    // The payment as its entries up to this one left it, beside what was answered then.
    void check_answer(const Payment& payment, const PaymentEntry& entry, const Told& told) {
        Payment then;
        then.id = payment.id;
        then.currency = payment.currency;
        then.state = told.state;
        then.authorized_minor = told.authorized;
        then.captured_minor = told.captured;
        then.refunded_minor = told.refunded;
        AnswerBodies::Told of{.entry = told.last};
        if (entry.kind == TransferKind::Refund) of.refund = refund_of(entry);
        answers_.check(then, of);
    }

    [[nodiscard]] static Refund refund_of(const PaymentEntry& entry) {
        Refund refund;
        refund.id = entry.public_id;
        refund.amount_minor = entry.amount_minor;
        refund.token = lockmgr::FencingToken::from_number(entry.token.value_or(0));
        return refund;
    }

    // Moves the payment on; false where its state does not allow the entry.
    static bool apply(Told& told, const PaymentEntry& entry) {
        const auto amount = entry.amount_minor;
        const bool is_first = told.entries == 0;
        const bool is_held = !is_first && told.state == PaymentState::Authorized;
        switch (entry.kind) {
            case TransferKind::Authorize:
                if (!is_first) return false;
                told.authorized = amount;
                told.creator = entry.principal;
                told.created_by = entry.movement;
                told.created_at = entry.booked_at;
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
                    entry.principal.empty() ? PaymentState::Expired : PaymentState::Cancelled;
                return is_held && told.released == told.authorized;
            case TransferKind::Refund:
                told.refunded = wrapping_add(told.refunded, amount);
                return told.state == PaymentState::Captured && told.refunded <= told.captured;
        }
        return false;
    }

    // What created the payment was not guarded by its lock.
    void check_order(const Payment& payment, const PaymentEntry& entry, Told& told) {
        if (!entry.token || entry.movement == told.created_by) return;
        checks_.fence_order.expect(*entry.token >= told.token, [&] {
            return nth("entry", entry.id) + " of payment " + payment.id + " has " +
                   nth("token", *entry.token) + ", after one of " + nth("token", told.token);
        });
        told.token = *entry.token;
    }

    void check_sums(const Payment& payment, const Told& told) {
        const bool is_ordered = 0 <= payment.refunded_minor &&
                                payment.refunded_minor <= payment.captured_minor &&
                                payment.captured_minor <= payment.authorized_minor;
        const bool is_told = payment.authorized_minor == told.authorized &&
                             payment.captured_minor == told.captured &&
                             payment.refunded_minor == told.refunded;
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
        if (payment.created_at != told.created_at)
            checks_.payment_chains.fault("payment " + payment.id +
                                         " has another time than its first entry");
    }

    void check_references(const Payment& payment, const Told& told) {
        bool is_named = false;
        const auto* row = references_.at();
        for (; row != nullptr && row->payment_id == payment.id; row = references_.next()) {
            const bool is_its =
                row->reference == payment.reference && row->principal == told.creator && !is_named;
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
    bool is_elders(const Payment& payment, const Told& told) {
        const auto elder = rows_.named_by(payment.reference, told.creator);
        return elder && elder->payment_id != payment.id && elder->reference == payment.reference;
    }

    RowsToVerify& rows_;
    const StoreFacts& facts_;
    Checks& checks_;
    std::int64_t first_kept_ = std::numeric_limits<std::int64_t>::max();
    Pass<PaymentEntry> entries_;
    Pass<StoredReference> references_;
    AnswerBodies answers_;
};

}  // namespace

std::int64_t check_payments(RowsToVerify& rows, const StoreFacts& facts,
                            const VerifyOptions& options, Checks& checks) {
    Progress progress(options, "payments", facts.entries);
    PaymentPass pass(rows, facts, checks);
    auto payments = rows.payments();
    while (const auto* payment = payments.next()) {
        pass.take(*payment);
        progress.step();
    }
    if (!rows.has_failed()) pass.end();
    return pass.first_kept();
}

}  // namespace fencegate::storage
