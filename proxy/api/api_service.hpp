#pragma once
// ApiService: the public listener. Credentials, then route, then scope; the body becomes a command.
// Thread rule: any thread. The credentials are a snapshot that a reload replaces as a whole.

#include "proxy/access/credentials.hpp"
#include "proxy/api/routes.hpp"
#include "proxy/http/service.hpp"

#include <memory>
#include <mutex>

namespace fencegate::proxy {

// The current credentials. shared_ptr: a request that looked up its principal in the old snapshot
// may still be reading it while a reload publishes the new one.
class CredentialStore {
public:
    explicit CredentialStore(Credentials credentials)
        : current_(std::make_shared<const Credentials>(std::move(credentials))) {}

    [[nodiscard]] std::shared_ptr<const Credentials> current() const {
        const std::lock_guard lock(mutex_);
        return current_;
    }
    void replace(Credentials credentials) {
        auto fresh = std::make_shared<const Credentials>(std::move(credentials));
        const std::lock_guard lock(mutex_);
        current_.swap(fresh);
    }

private:
    // Not std::atomic<shared_ptr>: in libstdc++ 12 its load races with its store.
    mutable std::mutex mutex_;  // held for a copy of the pointer
    std::shared_ptr<const Credentials> current_;
};

// Who sent this Authorization, and may they? Returns the principal's name.
// Fails with: Unauthenticated, Forbidden.
[[nodiscard]] Result<std::string> authorize(const CredentialStore& store,
                                            std::optional<std::string_view> authorization,
                                            Scope scope);

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
