#include "proxy/http/authorize.hpp"

#include "proxy/http/request_headers.hpp"

namespace fencegate::proxy {
namespace {

std::unexpected<Error> unauthenticated(std::string detail) {
    return fail(ErrorCode::Unauthenticated, std::move(detail));
}

}  // namespace

Result<std::string> authorize(const CredentialStore& store,
                              std::optional<std::string_view> authorization, Scope scope) {
    if (!authorization)
        return unauthenticated(
            "The request carries no API key. Send one: \"Authorization: Bearer <key>\". The first "
            "start wrote one to the file api-key in the data folder.");
    const auto key = bearer_key(*authorization);
    if (!key)
        return unauthenticated(
            "The Authorization header is not of the form \"Bearer <key>\", which is the only one "
            "that is read here.");
    const auto credentials = store.load();
    const auto* principal = credentials->authenticate(*key);
    if (principal == nullptr)
        return unauthenticated(
            "This gateway does not know the API key that was sent: it was revoked, was never "
            "loaded, belongs to another gateway or was cut off on its way.");
    if (!principal->scopes.has(scope)) {
        ScopeSet lacking;
        lacking.add(scope);
        return fail(ErrorCode::Forbidden,
                    "This key lacks the scope \"" + to_texts(lacking).front() + "\".");
    }
    return principal->name;
}

NoPrincipal why_nobody(std::optional<std::string_view> authorization) noexcept {
    if (!authorization) return NoPrincipal::NoKey;
    return bearer_key(*authorization) ? NoPrincipal::UnknownKey : NoPrincipal::NotBearer;
}

}  // namespace fencegate::proxy
