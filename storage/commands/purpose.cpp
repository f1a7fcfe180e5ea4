#include "storage/commands/purpose.hpp"

#include "lockmgr/guards.hpp"

namespace fencegate::storage {
namespace {

using lockmgr::ClaimDecision;
using lockmgr::Lease;
using lockmgr::RunState;

void record_miss(Unit& unit, const ClaimRun& claim) {
    unit.runs.put({.job = claim.job,
                   .slot = claim.slot.text(),
                   .state = RunState::Missed,
                   .ended_at = unit.wall});
}

void record_claim(Unit& unit, const ClaimRun& claim, const Lease& lease) {
    const auto* before = unit.runs.find(claim.job, claim.slot.text());
    unit.runs.put({.job = claim.job,
                   .slot = claim.slot.text(),
                   .state = RunState::Claimed,
                   .attempts = (before != nullptr ? before->attempts : 0) + 1,
                   .token = lease.token,
                   .claimed_at = unit.wall});
}

}  // namespace

std::optional<Answer> refuse_purpose(Unit& unit, const AcquireLock& acquire) {
    const auto* claim = std::get_if<ClaimRun>(&acquire.purpose);
    if (claim == nullptr) return std::nullopt;
    const auto* run = unit.runs.find(claim->job, claim->slot.text());
    std::optional<RunState> state;
    if (run != nullptr) state = run->state;
    const auto decision = lockmgr::decide_claim(state, claim->slot, claim->start_within, unit.wall);
    if (!decision) return refusal(decision.error());
    if (*decision == ClaimDecision::Claim) return std::nullopt;
    record_miss(unit, *claim);
    return refusal({ErrorCode::RunMissed,
                    "The run is first asked for after its grace. It is recorded as missed.",
                    {},
                    -1});
}

std::optional<Error> finished_run(Unit& unit, const AcquireLock& acquire, const Lease& lease) {
    const auto* claim = std::get_if<ClaimRun>(&acquire.purpose);
    if (claim == nullptr) return std::nullopt;
    const auto* run = unit.runs.find(claim->job, claim->slot.text());
    if (run == nullptr) return std::nullopt;
    if (run->state == RunState::Done)
        return Error{ErrorCode::RunDone, "This run is done. Done is final.", {}, -1};
    if (run->state == RunState::Failed && run->token == lease.token)
        return Error{
            ErrorCode::RunFailed, "This run failed, and the claim ended with that.", {}, -1};
    return std::nullopt;
}

void fulfil_purpose(Unit& unit, const AcquireLock& acquire, const Lease& lease) {
    if (const auto* claim = std::get_if<ClaimRun>(&acquire.purpose)) {
        record_claim(unit, *claim, lease);
    } else if (const auto* campaign = std::get_if<Campaign>(&acquire.purpose)) {
        if (campaign->value_json.empty()) return;
        unit.elections.proclaim(campaign->election, {lease.token, campaign->value_json, unit.wall});
        const auto lock = lockmgr::election_lock(campaign->election);
        unit.notices.push_back(proclaimed(lease, {lock}, campaign->value_json, unit.wall));
    }
}

}  // namespace fencegate::storage
