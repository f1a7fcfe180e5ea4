#pragma once
// Rates: how often each kind of event, and each way in which leases end, came in the last ten
// seconds.
// Owns: a ring of tenths of seconds. Refuses to own: clocks; times are the gateway's.
// Thread rule: one thread.

#include "cli/top/happening.hpp"

#include <array>

namespace fencegate::cli::top {

class Rates {
public:
    void add(const Happening& event);
    // A second; over the part of the last ten seconds that lies behind `covered_since`.
    [[nodiscard]] double per_second(Kind kind, WallTime now, WallTime covered_since) const;
    [[nodiscard]] double per_second(lockmgr::LeaseEnding ending, WallTime now,
                                    WallTime covered_since) const;

private:
    static constexpr std::size_t kTenths = 128;  // more than a window, so that late events count

    struct Bucket {
        std::int64_t tenth = -1;
        std::array<std::uint64_t, kKinds> kinds{};
        std::array<std::uint64_t, lockmgr::kLeaseEndings.size()> endings{};  // of Kind::Ended
    };
    // `count_of`: what of a bucket counts.
    template <class CountOf>
    [[nodiscard]] double rate(CountOf count_of, WallTime now, WallTime covered_since) const;

    std::array<Bucket, kTenths> buckets_{};
};

}  // namespace fencegate::cli::top
