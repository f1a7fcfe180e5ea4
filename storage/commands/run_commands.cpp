#include "storage/commands/run_commands.hpp"

#include "lockmgr/guards.hpp"
#include "storage/commands/fence_guard.hpp"
#include "storage/commands/grants.hpp"
#include "storage/documents/run_documents.hpp"
#include "storage/unit/views.hpp"

namespace fencegate::storage {

using lockmgr::LeaseEnding;
using lockmgr::LeaseState;
using lockmgr::LockName;
using lockmgr::PresentedToken;
using lockmgr::RunState;

namespace {

// Where late writes are accepted, the fence alone does not keep an outcome from being changed.
Error finished(const Run& run, std::string_view result) {
    const std::string_view with = run.result == result ? "" : ", with another result";
    if (run.state == RunState::Done)
        return {ErrorCode::RunDone,
                "This run was done before" + std::string(with) + ". Done is final.",
                {},
                -1};
    return {ErrorCode::FenceReleased,
            "This run failed before" + std::string(with) +
                ", and its claim ended with that. Claim it again.",
            {},
            -1};
}

Error claimed_by_another(const Run& run, const LockName& lock) {
    Error error{ErrorCode::FenceLockMismatch,
                "The lease holds the lock of the run but did not claim it.",
                {{"lock", lock.value()}},
                -1};
    if (run.token) error.members.push_back({"claim_token", run.token->value()});
    return error;
}

Error not_found() { return {ErrorCode::RunNotFound, "This run was never claimed.", {}, -1}; }

// A token is good only from its holder's principal. The lease may be gone before the run is.
bool is_of_its_claim(Unit& unit, const Run& run, std::string_view principal,
                     const PresentedToken& token) {
    if (!token || *token != run.token) return false;
    const auto* lease = unit.leases.find(*token);
    return lease == nullptr || lease->principal == principal;
}

RunView view_run(Unit& unit, Run run) {
    RunView view{.run = std::move(run)};
    if (view.run.state != RunState::Claimed) return view;
    auto holder = holder_of(unit, lockmgr::run_lock(view.run.job, view.run.slot));
    if (holder && holder->lease.token == view.run.token) view.claim = std::move(holder);
    return view;
}

}  // namespace

Answer carry_out(Unit& unit, const Command& command, const FinishRun& finish) {
    const auto* found = unit.runs.find(finish.job, finish.slot.text());
    if (found == nullptr) return refusal(not_found());
    auto run = *found;
    const auto outcome = finish.is_done ? RunState::Done : RunState::Failed;
    const auto lock = lockmgr::run_lock(run.job, run.slot);
    const auto& token = finish.token;
    Answer answer;
    if (run.state != outcome || !is_of_its_claim(unit, run, command.principal, token)) {
        const auto lease = pass_fence(unit, command, token, &lock);
        if (!lease) return lease.error();
        if (*token != run.token) return refusal(claimed_by_another(run, lock));
        if (run.state != RunState::Claimed) return refusal(finished(run, finish.result));
        run.state = outcome;
        run.ended_at = unit.wall;
        run.result = finish.result;
        unit.runs.put(run);
        if ((*lease)->state == LeaseState::Live) end_lease(unit, **lease, LeaseEnding::Released);
    } else if (run.result != finish.result) {
        // What was said first is what others have read.
        return refusal(finished(run, finish.result));
    }
    answer.resource_id = run.job + '/' + run.slot;
    answer.body = run_document(view_run(unit, std::move(run)));
    return answer;
}

Answer carry_out(Unit& unit, const Command&, const ReadRun& read) {
    const auto* run = unit.runs.find(read.job, read.slot.text());
    if (run == nullptr) return refusal(not_found());
    Answer answer;
    answer.body = run_document(view_run(unit, *run));
    return answer;
}

Answer carry_out(Unit& unit, const Command&, const ListRuns& list) {
    // One more than asked for tells whether there is another page.
    auto runs = unit.flushed().runs.list(list.job, list.before, list.limit + 1);
    const bool has_more = runs.size() > static_cast<std::size_t>(list.limit);
    if (has_more) runs.pop_back();
    std::vector<RunView> views;
    views.reserve(runs.size());
    for (auto& run : runs) views.push_back(view_run(unit, std::move(run)));
    Answer answer;
    if (has_more) answer.next_cursor = views.back().run.slot;
    answer.body = run_list_document(views, has_more);
    return answer;
}

}  // namespace fencegate::storage
