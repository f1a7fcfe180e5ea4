#pragma once
// ApiService: the public listener. Credentials, then route, then scope; the body becomes a command.
// Thread rule: any thread. A reload replaces the credentials meanwhile.

#include "proxy/access/credentials.hpp"
#include "proxy/api/routes.hpp"
#include "proxy/http/service.hpp"

namespace fencegate::proxy {

class ApiService final : public Service {
public:
    // `credentials` outlives the service.
    ApiService(const CredentialStore& credentials, RouteLimits limits, lockmgr::LockClasses classes)
        : credentials_(credentials), limits_(limits), classes_(std::move(classes)) {}

    [[nodiscard]] Listener listener() const noexcept override { return Listener::Public; }
    [[nodiscard]] Result<> admit(Exchange& exchange) const override;
    [[nodiscard]] Begun begin(const Exchange& exchange, std::string_view body) override;
    [[nodiscard]] Reply finish(const Exchange& exchange, storage::Answer answer) override;

private:
    [[nodiscard]] Result<Begun> try_begin(const Exchange& exchange, std::string_view body) const;

    const CredentialStore& credentials_;
    RouteLimits limits_;
    lockmgr::LockClasses classes_;  // as the store has them
};

}  // namespace fencegate::proxy
