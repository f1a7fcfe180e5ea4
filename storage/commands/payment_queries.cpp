#include "storage/commands/payment_queries.hpp"

#include "storage/commands/page_scan.hpp"
#include "storage/documents/payment_documents.hpp"

#include <algorithm>

namespace fencegate::storage {
namespace {

bool has_status(const Payment& payment, const ListPayments& list) {
    return list.status.empty() || status_name(payment) == list.status;
}

}  // namespace

Answer PaymentQueries::read(const ListPayments& list) {
    if (!list.reference.empty()) return by_reference(list);
    using Creation = EntryRows::Creation;
    auto& entries = tables_.entries;
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
            auto payment = tables_.payments.find(creation.payment_id);
            if (!payment || !has_status(*payment, list)) return std::size_t{0};
            const auto size = kRowBytes + payment->metadata_json.size();
            payments.push_back(*std::move(payment));
            return size;
        });
    if (list.place.side == Place::Side::Newer) std::ranges::reverse(payments);
    answer.body = payments_document(payments, answer.next_cursor, answer.previous_cursor);
    return answer;
}

Answer PaymentQueries::by_reference(const ListPayments& list) {
    std::vector<Payment> payments;
    const auto id = tables_.payments.find_reference(list.reference, list.reference_principal);
    if (id) {
        auto payment = tables_.payments.find(*id);
        const auto& [from, to] = list.created;
        if (payment && has_status(*payment, list) && (!from || payment->created_at >= *from) &&
            (!to || payment->created_at < *to))
            payments.push_back(*std::move(payment));
    }
    Answer answer;
    answer.body = payments_document(payments, {}, {});
    return answer;
}

}  // namespace fencegate::storage
