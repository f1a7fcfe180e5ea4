#pragma once
// authorize: from the header Authorization to who sent the request, if they may.
// Thread rule: any thread.

#include "base/result.hpp"
#include "proxy/access/credentials.hpp"
#include "proxy/http/route_labels.hpp"

#include <optional>
#include <string>
#include <string_view>

namespace fencegate::proxy {

// Returns the name of the principal whose key the Authorization carries.
// Fails with: Unauthenticated, Forbidden.
[[nodiscard]] Result<std::string> authorize(const CredentialStore& store,
                                            std::optional<std::string_view> authorization,
                                            Scope scope);

// For whoever counts what was answered Unauthenticated. REQUIRES: authorize() said so.
[[nodiscard]] NoPrincipal why_nobody(std::optional<std::string_view> authorization) noexcept;

}  // namespace fencegate::proxy
