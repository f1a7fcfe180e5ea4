#include "storage/commands/run_commands.hpp"

#include "lockmgr/guards.hpp"
#include "storage/commands/fence_guard.hpp"
#include "storage/unit/views.hpp"

namespace fencegate::storage {

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

}  // namespace

Answer RunCommands::finish(Batch& batch, const Command& command, const FinishRun& finish) {
    auto run = tables_.runs.find(finish.job, finish.slot.text());
    if (!run) return refusal(not_found());
    const auto outcome = finish.is_done ? RunState::Done : RunState::Failed;
    const auto lock = lockmgr::run_lock(run->job, run->slot);
    const auto& token = finish.token;
    Answer answer;
    if (run->state != outcome || !is_of_its_claim(*run, command.principal, token)) {
        if (auto refused = refuse_by_fence(tables_, batch, classes_, command, token, &lock))
            return *refused;
        if (*token != run->token) return refusal(claimed_by_another(*run, lock));
        if (run->state != RunState::Claimed) return refusal(finished(*run, finish.result));
        run->state = outcome;
        run->ended_at = batch.wall;
        run->result = finish.result;
        tables_.runs.put(*run);
        const auto lease = tables_.leases.find(*token);
        if (!lease) return refusal(poisoned());
        if (lease->state == LeaseState::Live) locks_.end(batch, *lease, LeaseState::Released);
    } else if (run->result != finish.result) {
        // What was said first is what others have read.
        return refusal(finished(*run, finish.result));
    }
    answer.resource_id = run->job + '/' + run->slot;
    answer.body = run_document(view_run(batch, *std::move(run)));
    return answer;
}

// A token is good only from its holder's principal. The lease may be gone before the run is.
bool RunCommands::is_of_its_claim(const Run& run, std::string_view principal,
                                  const PresentedToken& token) {
    if (!token || *token != run.token) return false;
    const auto lease = tables_.leases.find(*token);
    return !lease || lease->principal == principal;
}

Answer RunCommands::read(const Batch& batch, const ReadRun& read) {
    auto run = tables_.runs.find(read.job, read.slot.text());
    if (!run) return refusal(not_found());
    Answer answer;
    answer.body = run_document(view_run(batch, *std::move(run)));
    return answer;
}

Answer RunCommands::read(const Batch& batch, const ListRuns& list) {
    // One more than asked for tells whether there is another page.
    auto runs = tables_.runs.list(list.job, list.before, list.limit + 1);
    const bool has_more = runs.size() > static_cast<std::size_t>(list.limit);
    if (has_more) runs.pop_back();
    std::vector<RunView> views;
    views.reserve(runs.size());
    for (auto& run : runs) views.push_back(view_run(batch, std::move(run)));
    Answer answer;
    if (has_more) answer.next_cursor = views.back().run.slot;
    answer.body = run_list_document(views, has_more);
    return answer;
}

RunView RunCommands::view_run(const Batch& batch, Run run) {
    RunView view{.run = std::move(run)};
    if (view.run.state != RunState::Claimed) return view;
    auto holder = holder_of(tables_, lockmgr::run_lock(view.run.job, view.run.slot), batch.now);
    if (holder && holder->lease.token == view.run.token) view.claim = std::move(holder);
    return view;
}

}  // namespace fencegate::storage
