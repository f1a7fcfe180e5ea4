#pragma once
// Metrics: the numbers operators watch, as docs/operations.md and the dashboard name them.
// Owns: every fencegate_* series and the process_* ones. Refuses to own: when something is counted.
// Thread rule: recording methods may be called from any thread; serialize() from one at a time.
// Errors: none. An index or status nobody announced is counted under "other" or "unmatched",
// never dropped and never a new series.
// Invariant 1: every series exists, at 0, when the constructor returns; recording adds none.
// Invariant 2: lock names, owners and keys are never labels, so cardinality is the configuration's.
// Source: prometheus.io/docs/practices/naming and /histograms.

#include "base/clock.hpp"
#include "lockmgr/lease.hpp"
#include "proxy/http/route_labels.hpp"

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace fencegate::proxy {

enum class AcquireOutcome : std::uint8_t { Granted, Contended, Timeout, QueueFull, Denied };
// When it was looked how much of its TTL a lease had left.
enum class ShareAt : std::uint8_t { Release, Write, Renewal };
enum class LateReturn : std::uint8_t { Release, Renewal };
enum class FenceResult : std::uint8_t {
    Accepted,
    Late,
    Stale,
    Expired,
    Released,
    Broken,
    Unknown,
    Mismatch,
    Missing,
    Malformed,
    NotHolder,
};
enum class IdempotencyResult : std::uint8_t { New, Replayed, InFlight, Mismatch };
enum class PaymentOperation : std::uint8_t { Create, Capture, Refund, Cancel, Expire };
enum class PaymentResult : std::uint8_t { Ok, Refused };
enum class VerifyResult : std::uint8_t { Sound, Unsound, Failed };
enum class StoreErrorKind : std::uint8_t { Full, Constraint, Damaged, Fatal };
// Why a stream ended: the client left, lost events, did not read in time, or the gateway stops.
enum class WatchEnd : std::uint8_t { Client, Overrun, Slow, Draining };

using ClassId = std::size_t;  // index into MetricsOptions::lock_classes; the last one is "other"

struct MetricsOptions {
    std::string version;
    std::string sqlite_version;
    std::string openssl_version;
    std::string store_backend = "sqlite";
    std::vector<std::string> lock_classes;  // REQUIRES: not empty, "other" last
    std::span<const RouteLabels> routes{};  // REQUIRES: routes[0].name == "unmatched"
};

// How long locks of a class have been held now; zero: none is. In the way is a holder that turned
// somebody away lately (hold_ages.hpp).
struct HoldSpans {
    std::chrono::nanoseconds oldest{0};
    std::chrono::nanoseconds in_the_way_silent{0};  // since its grant or last renewal
    std::chrono::nanoseconds in_the_way_held{0};    // since its grant; not for leaders of elections
};

// What the configuration allows, beside what is used of it.
struct LimitsInForce {
    std::size_t connections = 0;
    std::size_t admin_connections = 0;
    std::size_t commands = 0;
    std::size_t waiters = 0;
    std::size_t watchers = 0;
    std::size_t statements = 0;
    std::chrono::nanoseconds wait{0};
};

// The files of the store and the disk they are on, in bytes.
struct StoreRoom {
    std::uint64_t file = 0;
    std::uint64_t free = 0;  // for the gateway
    std::uint64_t disk = 0;
};

class Metrics {
public:
    using Span = std::chrono::nanoseconds;

    // `options` is read here only.
    explicit Metrics(const MetricsOptions& options);
    ~Metrics();
    Metrics(const Metrics&) = delete;
    Metrics& operator=(const Metrics&) = delete;

    // The edge. A route that this listener does not serve counts as "unmatched".
    void http_request(Listener listener, RouteId route, int status, Span elapsed) noexcept;
    void http_connections(Listener listener, int delta) noexcept;
    // Closed at once: as many as may are open.
    void http_connection_refused(Listener listener) noexcept;
    void http_unauthenticated(Listener listener, NoPrincipal why) noexcept;
    // As of the scrape that follows.
    void http_statements(std::size_t being_written) noexcept;
    void access_log_lost(std::uint64_t lines_so_far) noexcept;
    void limits(const LimitsInForce& limits) noexcept;
    void tls_handshake(bool ok) noexcept;
    void watchers(int delta) noexcept;
    void watch_ended(WatchEnd reason) noexcept;
    void tls_certificate_not_after(WallTime time) noexcept;

    // Locks. A lease over several names is recorded once for each lock.
    void acquire(ClassId id, AcquireOutcome outcome) noexcept;
    // `outcome`: Granted or Timeout; nobody else has waited.
    void acquire_wait(ClassId id, AcquireOutcome outcome, Span waited) noexcept;
    void locks_held(ClassId id, std::size_t count) noexcept;
    void lock_waiters(ClassId id, std::size_t count) noexcept;
    // Since when the longest waiting request waits; nullopt when nobody does. The age itself is
    // worked out at scrape time, or it would stand still while everybody is stuck.
    void oldest_waiter_since(ClassId id, std::optional<BootTime> since) noexcept;
    // As of the scrape that follows.
    void lock_holds(ClassId id, const HoldSpans& spans) noexcept;
    // What a holder in the way may do before an alert; zero: anything.
    void lock_alert_after(ClassId id, Span silent, Span held) noexcept;
    // Circles of waiters that wait for each other.
    void lock_deadlocks(std::size_t count) noexcept;
    void lease_renewed(ClassId id) noexcept;
    // Counts the end, its hold time and, for a release, the TTL that was left over.
    void lease_ended(ClassId id, lockmgr::LeaseEnding ending, Span held, Span remaining) noexcept;
    // Of its TTL: 1 is all of it. Near 0 the holder was nearly too late.
    void lease_share_left(ClassId id, ShareAt at, double share) noexcept;
    // The holder released or renewed so long after the lease had run out.
    void lease_late_return(ClassId id, LateReturn what, Span late) noexcept;
    // What a lease of the class gets that asks for nothing.
    void lock_class_ttl(ClassId id, Span ttl) noexcept;
    // How long after the deadline the store noticed.
    void lease_expiry_lag(Span lag) noexcept;

    // Writes.
    void fence_check(ClassId id, FenceResult result) noexcept;
    // How long ago the lease of a superseded token had ended.
    void fence_stale_age(ClassId id, Span age) noexcept;
    void idempotency(IdempotencyResult result) noexcept;
    void payment(PaymentOperation operation, PaymentResult result) noexcept;

    // The store.
    void store_commit(Span elapsed, std::size_t batch_size) noexcept;
    void store_checkpoint(Span elapsed) noexcept;
    // Both as of the scrape that follows: a disk that hangs tells nothing by itself.
    void store_queue_depth(std::size_t commands) noexcept;
    void store_commit_running(Span elapsed) noexcept;  // zero: none runs
    void store_wal_bytes(std::uint64_t bytes) noexcept;
    void journal_transfers(std::int64_t count) noexcept;
    void store_swept(std::size_t answers, std::size_t leases) noexcept;
    void store_backed_up(WallTime begun) noexcept;
    void store_has_backup(WallTime begun) noexcept;  // of an earlier run
    void store_backup_failed() noexcept;
    void store_error(StoreErrorKind kind) noexcept;
    void store_verified(VerifyResult result, WallTime when) noexcept;
    void store_epoch(std::int64_t epoch) noexcept;
    // As of the scrape that follows.
    void store_room(const StoreRoom& room) noexcept;
    // What the store believes of the wall clock, as wall time less boot time; and what it shows at
    // the scrape that follows.
    void clock_believed(Duration offset) noexcept;
    void clock_shown(BootTime now, WallTime shown) noexcept;
    void clock_jumped() noexcept;
    // Of a machine that has started; zero once the clock has been set since.
    void clock_gap(Duration gap) noexcept;

    // The process. A configuration counts as loaded from the start: there is no gateway without.
    void config_reloaded(bool ok) noexcept;
    void draining(bool is_draining) noexcept;

    // Prometheus text format 0.0.4. Copies every series: for the admin thread, not a session.
    [[nodiscard]] std::string serialize(BootTime now);

    // The Content-Type that goes with serialize().
    static constexpr std::string_view kContentType = "text/plain; version=0.0.4; charset=utf-8";

private:
    struct Series;
    std::unique_ptr<Series> series_;
};

}  // namespace fencegate::proxy
