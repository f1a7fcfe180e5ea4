#include "storage/commands/election_commands.hpp"

#include "lockmgr/guards.hpp"
#include "storage/commands/fence_guard.hpp"
#include "storage/commands/grants.hpp"
#include "storage/documents/election_documents.hpp"
#include "storage/unit/views.hpp"

namespace fencegate::storage {

using lockmgr::LeaseEnding;
using lockmgr::LeaseState;
using lockmgr::LockName;

namespace {

// Its reply was lost, so it is asked for again. The fence has nothing to refuse in that.
std::optional<Answer> resigned_before(Unit& unit, const Command& command, const Resign& resign,
                                      const LockName& lock) {
    if (!resign.token) return std::nullopt;
    const auto* lease = unit.leases.find(*resign.token);
    const bool has_resigned = lease != nullptr && lease->state == LeaseState::Released &&
                              lease->principal == command.principal && lease->covers(lock);
    if (!has_resigned) return std::nullopt;
    Answer answer;
    answer.resource_id = to_string(lease->id);
    answer.is_replayed = true;
    return answer;
}

Answer describe(Unit& unit, const std::string& election) {
    const auto lock = lockmgr::election_lock(election);
    auto leader = holder_of(unit, lock);
    if (leader && leader->lease.claim.mode != lockmgr::LockMode::Exclusive) leader.reset();
    ElectionView view{.election = election,
                      .leader = leader ? &*leader : nullptr,
                      .candidates = unit.live.waiters().waiting_for(lock)};
    const auto* proclaimed = unit.elections.find(election);
    // What an earlier leader said does not speak for this one.
    if (leader && proclaimed != nullptr && proclaimed->token == leader->lease.token) {
        view.value_json = proclaimed->value_json;
        view.proclaimed_at = proclaimed->at;
    }
    Answer answer;
    answer.body = election_document(view);
    return answer;
}

}  // namespace

Answer carry_out(Unit& unit, const Command& command, const Proclaim& proclaim) {
    const auto lock = lockmgr::election_lock(proclaim.election);
    const auto lease = pass_fence(unit, command, proclaim.token, &lock);
    if (!lease) return lease.error();
    unit.elections.proclaim(proclaim.election, {*proclaim.token, proclaim.value_json, unit.wall});
    unit.notices.push_back(proclaimed(**lease, {lock}, proclaim.value_json, unit.wall));
    auto answer = describe(unit, proclaim.election);
    answer.resource_id = proclaim.election;
    return answer;
}

Answer carry_out(Unit& unit, const Command& command, const Resign& resign) {
    const auto lock = lockmgr::election_lock(resign.election);
    if (auto again = resigned_before(unit, command, resign, lock)) return *again;
    const auto lease = pass_fence(unit, command, resign.token, &lock);
    if (!lease) return lease.error();
    // A late resignation is accepted where late writes are, and has nothing left to end.
    if ((*lease)->state == LeaseState::Live) end_lease(unit, **lease, LeaseEnding::Released);
    Answer answer;
    answer.resource_id = to_string((*lease)->id);
    return answer;
}

Answer carry_out(Unit& unit, const Command&, const ReadElection& read) {
    return describe(unit, read.election);
}

}  // namespace fencegate::storage
