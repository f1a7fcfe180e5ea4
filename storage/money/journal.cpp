#include "storage/money/journal.hpp"

#include <array>
#include <utility>

namespace fencegate::storage {
namespace {

// Eight bytes, most significant first, as text.
class Number {
public:
    explicit Number(std::int64_t value) {
        auto bits = static_cast<std::uint64_t>(value);
        for (std::size_t at = bytes_.size(); at > 0; --at) {
            bytes_[at - 1] = static_cast<char>(bits & 0xff);
            bits >>= 8;
        }
    }
    [[nodiscard]] std::string_view text() const { return {bytes_.data(), bytes_.size()}; }

private:
    std::array<char, 8> bytes_{};
};

template <class Bytes>
std::string_view as_text(const Bytes& bytes) {
    return {reinterpret_cast<const char*>(bytes.data()), bytes.size()};
}

}  // namespace

Sha256 seal_of(const JournalEntry& entry, const Sha256& before) {
    const Number id(entry.id);
    const Number kind(std::to_underlying(entry.kind));
    const Number debit(std::to_underlying(entry.debit));
    const Number credit(std::to_underlying(entry.credit));
    const Number amount(entry.amount_minor);
    const Number token(entry.token ? entry.token->value() : 0);
    const Number booked_at(entry.booked_at.time_since_epoch().count());
    const Number previous(entry.previous);
    const Number movement(entry.movement);
    return sha256({as_text(before), id.text(), entry.payment_id, kind.text(), debit.text(),
                   credit.text(), amount.text(), entry.currency, as_text(entry.public_id.bytes),
                   token.text(), entry.principal, entry.owner, entry.key, entry.reason,
                   booked_at.text(), previous.text(), movement.text()});
}

std::string_view event_type(const JournalEntry& entry) noexcept {
    switch (entry.kind) {
        case TransferKind::Authorize: return "payment.created";
        case TransferKind::Capture: return "payment.captured";
        case TransferKind::Refund: return "payment.refunded";
        case TransferKind::Release: break;
    }
    return entry.principal.empty() ? "payment.expired" : "payment.cancelled";
}

}  // namespace fencegate::storage
