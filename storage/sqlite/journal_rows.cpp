#include "storage/sqlite/journal_rows.hpp"

#include <algorithm>

namespace fencegate::storage::sqlite {
namespace {

template <class Bytes>
void copy_exactly(Blob from, Bytes& to) {
    if (from.size() == to.size()) std::ranges::copy(from, to.begin());
}

}  // namespace

JournalEntry entry_of(const Statement::Row& row, int first) {
    JournalEntry entry;
    int at = first;
    entry.id = row.integer(at++);
    entry.payment_id = row.text(at++);
    entry.kind = static_cast<TransferKind>(row.integer(at++));
    entry.debit = static_cast<Account>(row.integer(at++));
    entry.credit = static_cast<Account>(row.integer(at++));
    entry.amount_minor = row.integer(at++);
    entry.currency = row.text(at++);
    copy_exactly(row.blob(at++), entry.public_id.bytes);
    entry.token = row.token(at++);
    entry.principal = row.text(at++);
    entry.owner = row.text(at++);
    entry.key = row.text(at++);
    entry.reason = row.text(at++);
    entry.booked_at = WallTime(std::chrono::milliseconds(row.integer(at++)));
    entry.previous = row.integer(at++);
    entry.movement = row.integer(at++);
    copy_exactly(row.blob(at), entry.seal);
    return entry;
}

}  // namespace fencegate::storage::sqlite
