#pragma once
// The JSON of leases, locks and what is told about them. Rendered in the store, beside the rows and
// the lines it describes.
// Thread rule: pure functions.

#include "base/json_writer.hpp"
#include "lockmgr/lease.hpp"
#include "lockmgr/renewal.hpp"
#include "lockmgr/waiting_lines.hpp"
#include "lockmgr/waits_for.hpp"
#include "storage/model/refused_write.hpp"

#include <cstddef>
#include <optional>
#include <string>
#include <vector>

namespace fencegate::storage {

// A lease and, while it lives, how long it still does.
struct LeaseView {
    lockmgr::Lease lease;
    std::optional<Duration> remaining{};
};

// A place in line, and how long it is still kept if its waiter is away.
struct PlaceView {
    const lockmgr::Waiter* waiter;
    std::optional<Duration> kept{};
};

// A lock as it stands. Of many holders and waiters the first are shown.
struct LockView {
    lockmgr::LockName lock;
    std::vector<LeaseView> holders{};
    std::size_t holder_count = 0;
    std::vector<PlaceView> line{};  // those who are away in their places
    std::size_t waiter_count = 0;
    std::size_t away_count = 0;           // beside those who wait
    std::optional<Duration> rests_for{};  // lock_delay after an expiry
};

// One lease of a lock's history.
struct HistoryView {
    LeaseView view;
    std::string break_reason{};
    std::int64_t refused_writes = 0;
    std::vector<RefusedWrite> refusals{};  // the first of them
};

// Members lease_id, lock, locks, fencing_token, owner, mode, permits, ttl_ms.
void write_lease_members(JsonWriter& json, const lockmgr::Lease& lease);
// As an object that also tells its principal.
void write_holder(JsonWriter& json, const LeaseView& holder);

[[nodiscard]] std::string lease_document(const LeaseView& view);
// With the warnings of a renewal that came near a limit.
[[nodiscard]] std::string renewed_document(const LeaseView& view,
                                           const lockmgr::RenewalDecision& decision);
[[nodiscard]] std::string lock_document(const LockView& view, BootTime now);
[[nodiscard]] std::string lock_list_document(const std::vector<LockView>& views,
                                             std::string_view next_cursor);
[[nodiscard]] std::string history_document(const lockmgr::LockName& lock,
                                           const std::vector<HistoryView>& leases, bool has_more);
// `view` is the lease the token names, nullptr if there is none.
[[nodiscard]] std::string verify_document(const lockmgr::LockName& lock,
                                          lockmgr::FencingToken token, const LeaseView* view,
                                          bool is_good,
                                          std::optional<lockmgr::FencingToken> current_token);
// An array, for a document of the edge.
[[nodiscard]] std::string longest_held_document(const std::vector<LeaseView>& held, BootTime now);
[[nodiscard]] std::string deadlocks_document(const std::vector<lockmgr::WaitCycle>& cycles);

}  // namespace fencegate::storage
