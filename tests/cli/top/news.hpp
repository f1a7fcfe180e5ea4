#pragma once
// News as `fencegate top` gets them, short to write down. Owns: the moment the tests begin at.
// Thread rule: pure functions.

#include "cli/top/model.hpp"

namespace fencegate::cli::top {

using lockmgr::LeaseEnding;
using namespace std::chrono_literals;

inline const WallTime kStart =
    WallTime(std::chrono::sys_days{std::chrono::November / 23 / 2026}) + 9h + 30min;

struct Said {
    std::string lock = "a";
    std::int64_t token = 1;
    std::string owner = "worker";
    Duration at = 0ms;  // after the start
    Duration ttl = 30s;
};

inline Happening event(Kind kind, const Said& said = {}) {
    return {.kind = kind,
            .locks = {said.lock},
            .token = said.token,
            .principal = "default",
            .owner = said.owner,
            .ttl = said.ttl,
            .at = kStart + said.at};
}

inline Happening event(LeaseEnding ending, const Said& said = {}) {
    auto ended = event(Kind::Ended, said);
    ended.ending = ending;
    return ended;
}

inline HolderReading holder(std::int64_t token, Duration remaining = 30s) {
    return {.token = token,
            .principal = "default",
            .owner = "worker",
            .ttl = 30s,
            .remaining = remaining,
            .granted_at = kStart};
}

inline LockReading reading(std::string lock, std::vector<HolderReading> holders,
                           std::size_t waiters = 0) {
    const auto count = holders.size();
    return {.lock = std::move(lock),
            .holder_count = count,
            .holders = std::move(holders),
            .waiters = waiters};
}

inline void tell(Model& model, decltype(News::what) what, Duration heard = 0ms) {
    model.apply({std::move(what), kStart + heard});
}

}  // namespace fencegate::cli::top
