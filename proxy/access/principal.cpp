#include "proxy/access/principal.hpp"

#include <algorithm>
#include <array>
#include <utility>

namespace fencegate::proxy {
namespace {

constexpr std::string_view kEveryScope = "*";
constexpr std::string_view kPrincipalAlphabet =
    "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789._-";

constexpr std::array kScopes{Scope::LocksRead,     Scope::LocksWrite,  Scope::PaymentsRead,
                             Scope::PaymentsWrite, Scope::MetricsRead, Scope::Admin};

constexpr std::string_view spelling(Scope scope) noexcept {
    switch (scope) {
        case Scope::LocksRead: return "locks:read";
        case Scope::LocksWrite: return "locks:write";
        case Scope::PaymentsRead: return "payments:read";
        case Scope::PaymentsWrite: return "payments:write";
        case Scope::MetricsRead: return "metrics:read";
        case Scope::Admin: return "admin";
    }
    return "";
}

std::uint32_t bit(Scope scope) noexcept { return std::uint32_t{1} << std::to_underlying(scope); }

std::unexpected<Error> unknown_scope(std::string_view text) {
    std::string detail("there is no scope \"");
    detail.append(text).append("\"; choose from *");
    for (const auto scope : kScopes) detail.append(", ").append(spelling(scope));
    return fail(ErrorCode::InvalidArgument, std::move(detail));
}

}  // namespace

ScopeSet ScopeSet::all() noexcept {
    ScopeSet scopes;
    scopes.bits_ = ~std::uint32_t{0};
    return scopes;
}

void ScopeSet::add(Scope scope) noexcept { bits_ |= bit(scope); }

bool ScopeSet::has(Scope scope) const noexcept { return (bits_ & bit(scope)) != 0; }

bool is_principal_name(std::string_view text) noexcept {
    return !text.empty() && text.size() <= kPrincipalBytesMax &&
           text.find_first_not_of(kPrincipalAlphabet) == std::string_view::npos;
}

Result<ScopeSet> parse_scopes(std::span<const std::string> texts) {
    ScopeSet scopes;
    for (const auto& text : texts) {
        const auto found = std::ranges::find(kScopes, text, spelling);
        if (found != kScopes.end()) {
            scopes.add(*found);
        } else if (text == kEveryScope) {
            scopes.add(ScopeSet::all());
        } else {
            return unknown_scope(text);
        }
    }
    if (scopes.is_empty()) return unknown_scope("");
    return scopes;
}

std::vector<std::string> to_texts(ScopeSet scopes) {
    if (scopes == ScopeSet::all()) return {std::string(kEveryScope)};
    std::vector<std::string> texts;
    for (const auto scope : kScopes) {
        if (scopes.has(scope)) texts.emplace_back(spelling(scope));
    }
    return texts;
}

}  // namespace fencegate::proxy
