#include "lockmgr/renewal.hpp"

#include <algorithm>

namespace fencegate::lockmgr {
namespace {

// Counts a renewal without progress; a higher number starts again from none.
void note_progress(Renewals& renewals, std::optional<std::int64_t> progress) {
    const bool has_risen = progress && (!renewals.progress || *progress > *renewals.progress);
    if (has_risen) renewals.progress = progress;
    renewals.stalled = has_risen ? 0 : renewals.stalled + 1;
}

Result<> check_progress(const Renewals& renewals, const LockClass& klass) {
    if (renewals.stalled <= klass.stalled_renewals_max) return {};
    return fail(ErrorCode::NoProgress,
                "The lease was renewed " + std::to_string(klass.stalled_renewals_max) +
                    " times without progress and is not renewed again until \"progress\" rises. It "
                    "runs out at its present deadline.");
}

}  // namespace

std::optional<Renewals> renewals_at_grant(const LockClass& klass, BootTime now) {
    if (klass.max_hold == Duration::zero()) return std::nullopt;
    return Renewals{.held_since = now};
}

BootTime cap_deadline(BootTime deadline, const std::optional<Renewals>& renewals,
                      const LockClass& klass) {
    if (!renewals || klass.max_hold == Duration::zero()) return deadline;
    return std::min(deadline, renewals->held_since + klass.max_hold);
}

Result<RenewalDecision> decide_renewal(const RenewalAsked& asked,
                                       const std::optional<Renewals>& known,
                                       const LockClass& klass) {
    RenewalDecision decision;
    decision.renewals = known;
    // Who has sent progress once is held to it, also by a renewal that leaves it out.
    const bool counts_progress =
        klass.stalled_renewals_max > 0 && (asked.progress || (known && known->progress));
    if (counts_progress) {
        Renewals renewals{.held_since = asked.now};
        if (known) renewals = *known;
        note_progress(renewals, asked.progress);
        if (auto moved = check_progress(renewals, klass); !moved)
            return std::unexpected(moved.error());
        if (renewals.stalled > 0)
            decision.stalled_renewals_left = klass.stalled_renewals_max - renewals.stalled;
        decision.renewals = renewals;
    }
    const auto wished = asked.now + asked.ttl;
    decision.deadline = cap_deadline(wished, decision.renewals, klass);
    if (decision.deadline < wished) {
        if (decision.deadline <= asked.deadline)
            return fail(ErrorCode::MaxHoldReached,
                        "Locks of class \"" + klass.name + "\" are held for at most " +
                            std::to_string(klass.max_hold.count()) +
                            " ms. The lease runs out at its present deadline.");
        decision.hold_left = Duration(ms_between(asked.now, decision.deadline));
    }
    return decision;
}

}  // namespace fencegate::lockmgr
