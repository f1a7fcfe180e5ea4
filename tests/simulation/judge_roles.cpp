// Elections and runs: a lock each, with something to say.
#include "tests/simulation/judge.hpp"
#include "tests/simulation/trace.hpp"
#include "tests/support/tokens.hpp"

namespace fencegate::simulation {

using testing::number_of;

void Judge::decide(const Request& request, const storage::Proclaim& proclaim) {
    const auto lock = "elections/" + proclaim.election;
    if (is_fenced_out(request, proclaim.token, &lock)) return;
    timeline_.elections[proclaim.election] = {number_of(proclaim.token), proclaim.value_json};
    const auto* answer = expect_success(request.ticket, request.command, Rule::Answer);
    expect_election(answer, request.command, proclaim.election);
}

void Judge::decide(const Request& request, const storage::Resign& resign) {
    const auto lock = "elections/" + resign.election;
    const auto& token = resign.token;
    const auto* before = timeline_.find(number_of(token));
    const bool has_resigned = before != nullptr && before->state == LeaseState::Released &&
                              before->principal == request.command.principal &&
                              before->covers(lock);
    if (has_resigned) return expect_repeated(request);
    if (is_fenced_out(request, resign.token, &lock)) return;
    expect_success(request.ticket, request.command, Rule::Answer);
    auto& lease = *timeline_.find(number_of(token));
    if (lease.is_live()) end(lease, LeaseState::Released);
}

void Judge::decide(const Request& request, const storage::ReadElection& read) {
    const auto* answer = expect_success(request.ticket, request.command, Rule::Answer);
    expect_election(answer, request.command, read.election);
}

// Nobody speaks for the leader of now but itself.
void Judge::expect_election(const Answer* answer, const Command& command, const std::string& name) {
    const auto* leader = timeline_.holder_of("elections/" + name);
    if (leader == nullptr || leader->claim.mode != LockMode::Exclusive)
        return expect_text(answer, command, "\"state\":\"vacant\"");
    expect_text(answer, command, text_of("\"fencing_token\":", leader->token, ","));
    const auto said = timeline_.elections.find(name);
    const bool is_its_own =
        said != timeline_.elections.end() && said->second.token == leader->token;
    if (is_its_own) return expect_text(answer, command, "\"value\":" + said->second.value);
    if (answer != nullptr && answer->body.find("\"value\":") != std::string::npos)
        throw Violation(Rule::Answer, describe(command) + ": a value of an earlier leader");
}

void Judge::decide(const Request& request, const storage::FinishRun& finish) {
    const auto lock = run_lock(finish.job, finish.slot);
    const auto found = timeline_.runs.find(lock);
    if (found == timeline_.runs.end())
        return expect_refusal(request, ErrorCode::RunNotFound, Rule::RunOnce);
    auto& run = found->second;
    const auto outcome = finish.is_done ? RunState::Done : RunState::Failed;
    const auto& token = finish.token;
    const auto* claim = timeline_.find(number_of(token));
    const bool is_of_its_claim =
        token && token->value() == run.token &&
        (claim == nullptr || claim->principal == request.command.principal);
    const bool is_news = run.state != outcome || !is_of_its_claim;
    if (is_news) {
        if (is_fenced_out(request, token, &lock)) return;
        if (token->value() != run.token)
            return expect_refusal(request, ErrorCode::FenceLockMismatch, Rule::RunOnce);
        if (run.state == RunState::Done)
            return expect_refusal(request, ErrorCode::RunDone, Rule::RunOnce);
        if (run.state == RunState::Failed)
            return expect_refusal(request, ErrorCode::FenceReleased, Rule::RunOnce);
        run.state = outcome;
        run.result = finish.result;
    } else if (run.result != finish.result) {
        const bool is_done = run.state == RunState::Done;
        return expect_refusal(request, is_done ? ErrorCode::RunDone : ErrorCode::FenceReleased,
                              Rule::RunOnce);
    }
    const auto* answer = expect_success(request.ticket, request.command, Rule::Answer);
    expect_text(answer, request.command, text_of("\"state\":\"", run_state_name(outcome), "\""));
    auto* lease = timeline_.find(number_of(token));
    if (is_news && lease->is_live()) end(*lease, LeaseState::Released);
}

void Judge::decide(const Request& request, const storage::ReadRun& read) {
    const auto found = timeline_.runs.find(run_lock(read.job, read.slot));
    if (found == timeline_.runs.end())
        return expect_refusal(request, ErrorCode::RunNotFound, Rule::S5Durable);
    const auto* answer = expect_success(request.ticket, request.command, Rule::S5Durable);
    const auto& run = found->second;
    expect_text(answer, request.command, text_of("\"state\":\"", run_state_name(run.state), "\""));
    expect_text(answer, request.command, text_of("\"attempts\":", run.attempts));
}

}  // namespace fencegate::simulation
