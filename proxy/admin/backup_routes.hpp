#pragma once
// BackupRoutes: backups and verifications on the admin listener.
//
//   POST /backups          begins one: 202 and where to ask for it
//   GET /backups           those there are
//   GET /backups/{name}    how far it is, or what it holds
//   POST /verify           begins a verification of the store as it is now: 202
//   GET /verify            how far it is, or what it found; and what the one before found
//
// All need the scope admin, on loopback too: a copy holds every payment, and fills a disk.
// Thread rule: any thread. Everything outlives this.

#include "proxy/http/admin_task.hpp"
#include "proxy/http/reply.hpp"
#include "proxy/http/route.hpp"
#include "storage/copies/backups.hpp"

#include <span>

namespace fencegate::proxy {

[[nodiscard]] std::span<const Route> backup_routes() noexcept;

class BackupRoutes {
public:
    BackupRoutes(storage::Backups& backups, storage::Engine& engine)
        : backups_(backups), engine_(engine) {}

    // Fails with: as storage::Backups.
    [[nodiscard]] Result<Reply> carry_out(const BackupTask& task);

private:
    [[nodiscard]] Result<Reply> answer(const ListBackups& task) const;
    [[nodiscard]] Result<Reply> answer(const BeginBackup& task);
    [[nodiscard]] Result<Reply> answer(const ShowBackup& task) const;
    [[nodiscard]] Result<Reply> answer(const ShowVerification& task) const;
    [[nodiscard]] Result<Reply> answer(const BeginVerification& task);

    storage::Backups& backups_;
    storage::Engine& engine_;
};

}  // namespace fencegate::proxy
