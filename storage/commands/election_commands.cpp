#include "storage/commands/election_commands.hpp"

#include "lockmgr/guards.hpp"
#include "storage/commands/fence_guard.hpp"
#include "storage/documents/election_documents.hpp"
#include "storage/unit/views.hpp"

namespace fencegate::storage {

using lockmgr::LeaseState;
using lockmgr::LockName;

Answer ElectionCommands::proclaim(Batch& batch, const Command& command, const Proclaim& proclaim) {
    const auto lock = lockmgr::election_lock(proclaim.election);
    if (auto refused = refuse_by_fence(tables_, batch, classes_, command, proclaim.token, &lock))
        return *refused;
    tables_.elections.proclaim(proclaim.election, *proclaim.token, proclaim.value_json, batch.wall);
    const auto lease = tables_.leases.find(*proclaim.token);
    if (!lease) return refusal(poisoned());
    batch.notices.push_back(proclaimed(*lease, {lock}, proclaim.value_json, batch.wall));
    auto answer = describe(batch, proclaim.election);
    answer.resource_id = proclaim.election;
    return answer;
}

Answer ElectionCommands::resign(Batch& batch, const Command& command, const Resign& resign) {
    const auto lock = lockmgr::election_lock(resign.election);
    if (auto again = resigned_before(command, resign, lock)) return *again;
    if (auto refused = refuse_by_fence(tables_, batch, classes_, command, resign.token, &lock))
        return *refused;
    const auto lease = tables_.leases.find(*resign.token);
    if (!lease) return refusal(poisoned());
    // A late resignation is accepted where late writes are, and has nothing left to end.
    if (lease->state == LeaseState::Live) locks_.end(batch, *lease, LeaseState::Released);
    Answer answer;
    answer.resource_id = to_string(lease->id);
    return answer;
}

// Its reply was lost, so it is asked for again. The fence has nothing to refuse in that.
std::optional<Answer> ElectionCommands::resigned_before(const Command& command,
                                                        const Resign& resign,
                                                        const LockName& lock) {
    if (!resign.token) return std::nullopt;
    const auto lease = tables_.leases.find(*resign.token);
    const bool has_resigned = lease && lease->state == LeaseState::Released &&
                              lease->principal == command.principal && lease->covers(lock);
    if (!has_resigned) return std::nullopt;
    Answer answer;
    answer.resource_id = to_string(lease->id);
    answer.is_replayed = true;
    return answer;
}

Answer ElectionCommands::read(const Batch& batch, const ReadElection& read) {
    return describe(batch, read.election);
}

Answer ElectionCommands::describe(const Batch& batch, std::string_view election) {
    const auto lock = lockmgr::election_lock(election);
    auto leader = holder_of(tables_, lock, batch.now);
    if (leader && leader->lease.claim.mode != lockmgr::LockMode::Exclusive) leader.reset();
    ElectionView view{.election = election,
                      .leader = leader ? &*leader : nullptr,
                      .candidates = tables_.live.waiters().waiting_for(lock)};
    const auto proclaimed = tables_.elections.find(election);
    // What an earlier leader said does not speak for this one.
    if (leader && proclaimed && proclaimed->token == leader->lease.token) {
        view.value_json = proclaimed->value_json;
        view.proclaimed_at = proclaimed->at;
    }
    Answer answer;
    answer.body = election_document(view);
    return answer;
}

}  // namespace fencegate::storage
