// Ledger routes: from request to command.
#include "proxy/api/routes.hpp"
#include "proxy/http/query_parameters.hpp"

namespace fencegate::proxy {
namespace {

Result<std::optional<storage::Account>> read_account(const Target& target) {
    const auto name = target.parameter("account");
    if (!name) return std::nullopt;
    const auto account = storage::find_account(*name);
    if (!account)
        return fail(ErrorCode::InvalidArgument,
                    "account must be one of customer_funds, funds_held, funds_captured, "
                    "funds_refunded.");
    return account;
}

Result<std::string> read_payment(const Target& target) {
    const auto id = target.parameter("payment");
    if (!id) return std::string();
    if (!lockmgr::is_lock_segment(*id))
        return fail(ErrorCode::InvalidArgument,
                    "payment must be a payment's id: 1 to 64 of A-Z a-z 0-9 . _ ~ : -.");
    return std::string(*id);
}

Result<Asked> build_read_accounts(const RouteRequest& request) {
    const auto known = check_parameters(request.target, {"currency"});
    if (!known) return std::unexpected(known.error());
    auto currency = read_currency(request.target);
    if (!currency) return std::unexpected(currency.error());
    return storage::ReadAccounts{*std::move(currency)};
}

Result<Asked> build_list_entries(const RouteRequest& request) {
    const auto known = check_parameters(
        request.target, {"account", "currency", "payment", "from", "to", "limit", "cursor"});
    if (!known) return std::unexpected(known.error());
    storage::ListEntries list;
    const auto account = read_account(request.target);
    if (!account) return std::unexpected(account.error());
    list.account = *account;
    auto currency = read_currency(request.target);
    if (!currency) return std::unexpected(currency.error());
    list.currency = *std::move(currency);
    auto payment = read_payment(request.target);
    if (!payment) return std::unexpected(payment.error());
    list.payment_id = *std::move(payment);
    const auto booked = read_time_range(request.target, "from", "to");
    if (!booked) return std::unexpected(booked.error());
    list.booked = *booked;
    const auto place = read_place(request.target);
    if (!place) return std::unexpected(place.error());
    if (!list.payment_id.empty() && place->side == storage::Place::Side::Newer)
        return fail(ErrorCode::InvalidArgument,
                    "cursor must be the next_cursor of an earlier page of this payment.");
    list.place = *place;
    const auto page = read_page(request.target);
    if (!page) return std::unexpected(page.error());
    list.limit = *page;
    return list;
}

Result<Asked> build_statement(const RouteRequest& request) {
    const auto known =
        check_parameters(request.target, {"account", "currency", "from", "to", "format"});
    if (!known) return std::unexpected(known.error());
    StatementRequest statement;
    const auto account = read_account(request.target);
    if (!account) return std::unexpected(account.error());
    auto currency = read_currency(request.target);
    if (!currency) return std::unexpected(currency.error());
    if (!*account || currency->empty())
        return fail(ErrorCode::InvalidArgument,
                    "account and currency are required: a statement is of one account.");
    statement.first.account = **account;
    statement.first.currency = *std::move(currency);
    const auto booked = read_time_range(request.target, "from", "to");
    if (!booked) return std::unexpected(booked.error());
    statement.first.booked = *booked;
    const auto format = request.target.parameter("format").value_or("csv");
    if (format != "csv" && format != "jsonl")
        return fail(ErrorCode::InvalidArgument, "format must be csv or jsonl.");
    statement.format = format == "csv" ? StatementFormat::Csv : StatementFormat::JsonLines;
    return statement;
}

constexpr Route kRoutes[] = {
    {"GET", "/v1/ledger/accounts", Scope::PaymentsRead, build_read_accounts},
    {"GET", "/v1/ledger/entries", Scope::PaymentsRead, build_list_entries},
    {"GET", "/v1/ledger/statement", Scope::PaymentsRead, build_statement},
};

}  // namespace

std::span<const Route> ledger_routes() noexcept { return kRoutes; }

}  // namespace fencegate::proxy
