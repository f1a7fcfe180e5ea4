#pragma once
// Is the TTL of a lock class right? A pure rule over figures of its recent leases.
//
// What counts is the time that a holder *needed*: from its grant or last renewal until it released
// or renewed; and of one that wrote, released or renewed too late, until it did. A TTL is right if
// 99 of 100 holders need at most 70 % of it, and it is not several times what anybody needs:
// whoever waits for a crashed holder waits for the TTL. A lease that expired and whose holder did
// not come back says nothing about the time that was needed: the holder has vanished, or forgot to
// release, and beside others that were in time no TTL helps. Thread rule: pure functions and plain
// values.

#include "base/clock.hpp"
#include "lockmgr/lock_class.hpp"

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace fencegate::lockmgr {

struct Spread {
    std::uint64_t count = 0;
    Duration p50{0};
    Duration p99{0};
    Duration max{0};
};

// Of the leases of a class that ended, and the renewals and late writes, in a window of time.
struct TtlFigures {
    std::uint64_t leases = 0;
    std::uint64_t expired = 0;
    std::uint64_t renewals = 0;
    std::uint64_t late_writes = 0;   // under a lease that had expired
    std::uint64_t late_returns = 0;  // releases and renewals of one
    Spread hold{};                   // from grant to end, renewals and all
    Spread needed{};
    Duration ttl{0};  // what most leases had
    // Of the TTL, what 99 of 100 had left at least, in percent; nullopt: there was none.
    std::optional<std::int64_t> left_at_release{};
    std::optional<std::int64_t> left_at_write{};
    std::optional<std::int64_t> left_at_renewal{};
};

enum class TtlVerdict : std::uint8_t {
    TooFewLeases,
    Raise,
    Lower,
    HoldersVanish,  // leases expire, and not because the TTL is short
    Fine,
};

[[nodiscard]] std::string_view ttl_verdict_name(TtlVerdict verdict) noexcept;

struct TtlAdvice {
    TtlVerdict verdict = TtlVerdict::Fine;
    std::optional<Duration> suggested{};  // of Raise and Lower
    std::string sentence{};               // for people
};

[[nodiscard]] TtlAdvice advise_ttl(const TtlFigures& figures, const LockClass& klass);

}  // namespace fencegate::lockmgr
