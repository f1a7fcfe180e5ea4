#include "storage/money/payment.hpp"

namespace fencegate::storage {

std::string_view status_name(const Payment& payment) noexcept {
    switch (payment.state) {
        case PaymentState::Authorized: return "authorized";
        case PaymentState::Cancelled: return "cancelled";
        case PaymentState::Expired: return "expired";
        case PaymentState::Captured: break;
    }
    if (payment.refunded_minor > 0) {
        return payment.refunded_minor == payment.captured_minor ? "refunded" : "partially_refunded";
    }
    return payment.captured_minor == payment.authorized_minor ? "captured" : "partially_captured";
}

std::int64_t capturable_minor(const Payment& payment) noexcept {
    return payment.state == PaymentState::Authorized ? payment.authorized_minor : 0;
}

std::int64_t refundable_minor(const Payment& payment) noexcept {
    return payment.captured_minor - payment.refunded_minor;
}

std::string_view account_name(Account account) noexcept {
    switch (account) {
        case Account::CustomerFunds: return "customer_funds";
        case Account::FundsHeld: return "funds_held";
        case Account::FundsCaptured: return "funds_captured";
        case Account::FundsRefunded: return "funds_refunded";
    }
    return "customer_funds";
}

std::optional<Account> find_account(std::string_view name) noexcept {
    for (const auto account : {Account::CustomerFunds, Account::FundsHeld, Account::FundsCaptured,
                               Account::FundsRefunded}) {
        if (account_name(account) == name) return account;
    }
    return std::nullopt;
}

std::string_view kind_name(TransferKind kind) noexcept {
    switch (kind) {
        case TransferKind::Authorize: return "authorize";
        case TransferKind::Capture: return "capture";
        case TransferKind::Release: return "release";
        case TransferKind::Refund: return "refund";
    }
    return "authorize";
}

TransferAccounts accounts_of(TransferKind kind) noexcept {
    switch (kind) {
        case TransferKind::Authorize: return {Account::CustomerFunds, Account::FundsHeld};
        case TransferKind::Capture: return {Account::FundsHeld, Account::FundsCaptured};
        case TransferKind::Release: return {Account::FundsHeld, Account::CustomerFunds};
        case TransferKind::Refund: return {Account::FundsCaptured, Account::FundsRefunded};
    }
    return {Account::CustomerFunds, Account::CustomerFunds};
}

}  // namespace fencegate::storage
