#include "storage/commands/payment_queries.hpp"

#include "storage/commands/page_scan.hpp"
#include "storage/documents/payment_documents.hpp"

#include <algorithm>

namespace fencegate::storage {
namespace {

bool has_status(const Payment& payment, const ListPayments& list) {
    return list.status.empty() || status_name(payment) == list.status;
}

Answer by_reference(Unit& unit, const ListPayments& list) {
    std::vector<Payment> payments;
    const auto id = unit.payments.find_reference(list.reference, list.reference_principal);
    if (id) {
        const auto* payment = unit.payments.find(*id);
        const auto& [from, to] = list.created;
        if (payment != nullptr && has_status(*payment, list) &&
            (!from || payment->created_at >= *from) && (!to || payment->created_at < *to))
            payments.push_back(*payment);
    }
    Answer answer;
    answer.body = payments_document(payments, {}, {});
    return answer;
}

}  // namespace

Answer carry_out(Unit& unit, const Command&, const ListPayments& list) {
    if (!list.reference.empty()) return by_reference(unit, list);
    using Creation = EntryReader::Creation;
    auto& entries = unit.flushed().entries;
    const auto ranges = entries.ranges_of(list.created);
    std::vector<Payment> payments;
    Answer answer;
    scan_page(
        list.place, list.limit, answer,
        [&](bool is_older, std::int64_t beside, int limit) {
            return is_older ? entries.created_before(beside, ranges, limit)
                            : entries.created_after(beside, ranges, limit);
        },
        [](const Creation& creation) { return creation.entry; },
        [&](const Creation& creation) {
            const auto* payment = unit.payments.find(creation.payment_id);
            if (payment == nullptr || !has_status(*payment, list)) return std::size_t{0};
            const auto size = kRowBytes + payment->metadata_json.size();
            payments.push_back(*payment);
            return size;
        });
    if (list.place.side == Place::Side::Newer) std::ranges::reverse(payments);
    answer.body = payments_document(payments, answer.next_cursor, answer.previous_cursor);
    return answer;
}

}  // namespace fencegate::storage
