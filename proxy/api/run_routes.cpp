// Run routes: from request to command. A run is the lock runs/{job}/{slot} with an outcome.
#include "lockmgr/guards.hpp"
#include "proxy/api/acquire_body.hpp"
#include "proxy/http/query_parameters.hpp"
#include "proxy/http/request_headers.hpp"
#include "proxy/json/text_members.hpp"

namespace fencegate::proxy {
namespace {

constexpr std::size_t kResultBytesMax = 1024;

Result<std::string> read_job(const RouteRequest& request) {
    const auto job = request.parameters[0];
    if (!lockmgr::is_lock_segment(job))
        return fail(ErrorCode::InvalidLockName,
                    "The name of a job is 1 to 64 of A-Z a-z 0-9 . _ ~ : -.");
    return std::string(job);
}

Result<lockmgr::RunSlot> read_slot(const RouteRequest& request) {
    return lockmgr::RunSlot::parse(request.parameters[1]);
}

Result<Asked> build_finish(const RouteRequest& request, bool is_done) {
    auto job = read_job(request);
    if (!job) return std::unexpected(job.error());
    auto slot = read_slot(request);
    if (!slot) return std::unexpected(slot.error());
    const auto body = JsonBody::parse(request.body, {"result"});
    if (!body) return std::unexpected(body.error());
    auto result = read_text(*body, "result", kResultBytesMax);
    if (!result) return std::unexpected(result.error());
    return storage::FinishRun{.job = *std::move(job),
                              .slot = *std::move(slot),
                              .is_done = is_done,
                              .result = *std::move(result),
                              .token = read_fence_token(request.head)};
}

Result<Asked> build_claim_run(const RouteRequest& request) {
    auto job = read_job(request);
    if (!job) return std::unexpected(job.error());
    auto slot = read_slot(request);
    if (!slot) return std::unexpected(slot.error());
    const auto body = JsonBody::parse(
        request.body, {"ttl_ms", "wait_ms", "owner", "metadata", "start_within_ms", "locks"});
    if (!body) return std::unexpected(body.error());
    auto acquire = read_acquire(request, *body);
    if (!acquire) return std::unexpected(acquire.error());
    auto locks = read_further_locks(*body, lockmgr::run_lock(*job, slot->text()));
    if (!locks) return std::unexpected(locks.error());
    const auto start_within = read_duration(*body, "start_within_ms");
    if (!start_within) return std::unexpected(start_within.error());
    if (*start_within && **start_within < Duration::zero())
        return fail(ErrorCode::InvalidArgument, "start_within_ms must not be negative.");
    acquire->locks = *std::move(locks);
    acquire->purpose = storage::ClaimRun{*std::move(job), *std::move(slot), *start_within};
    return *std::move(acquire);
}

Result<Asked> build_run_done(const RouteRequest& request) { return build_finish(request, true); }

Result<Asked> build_run_failed(const RouteRequest& request) { return build_finish(request, false); }

Result<Asked> build_read_run(const RouteRequest& request) {
    auto job = read_job(request);
    if (!job) return std::unexpected(job.error());
    auto slot = read_slot(request);
    if (!slot) return std::unexpected(slot.error());
    return storage::ReadRun{*std::move(job), *std::move(slot)};
}

Result<Asked> build_list_runs(const RouteRequest& request) {
    const auto known = check_parameters(request.target, {"limit", "cursor"});
    if (!known) return std::unexpected(known.error());
    auto job = read_job(request);
    if (!job) return std::unexpected(job.error());
    const auto page = read_page(request.target);
    if (!page) return std::unexpected(page.error());
    return storage::ListRuns{.job = *std::move(job),
                             .before = std::string(request.target.parameter("cursor").value_or("")),
                             .limit = *page};
}

constexpr Route kRoutes[] = {
    {"POST", "/v1/runs/{job}/{slot}", Scope::LocksWrite, build_claim_run, 201, "/v1/leases/"},
    {"POST", "/v1/runs/{job}/{slot}/done", Scope::LocksWrite, build_run_done},
    {"POST", "/v1/runs/{job}/{slot}/failed", Scope::LocksWrite, build_run_failed},
    {"GET", "/v1/runs/{job}/{slot}", Scope::LocksRead, build_read_run},
    {"GET", "/v1/runs/{job}", Scope::LocksRead, build_list_runs},
};

}  // namespace

std::span<const Route> run_routes() noexcept { return kRoutes; }

}  // namespace fencegate::proxy
