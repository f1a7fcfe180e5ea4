#include "storage/documents/run_documents.hpp"

namespace fencegate::storage {
namespace {

void write_run(JsonWriter& json, const RunView& view) {
    const auto& run = view.run;
    json.begin_object()
        .member("job", run.job)
        .member("slot", run.slot)
        .member("state", lockmgr::run_state_name(run.state))
        .member("attempts", run.attempts);
    if (run.token) json.member("fencing_token", run.token->value());
    if (run.claimed_at) json.member("claimed_at", rfc3339(*run.claimed_at).text);
    if (run.ended_at) json.member("ended_at", rfc3339(*run.ended_at).text);
    if (!run.result.empty()) json.member("result", run.result);
    // A claim whose lease has ended may be taken over.
    if (run.state == lockmgr::RunState::Claimed) {
        json.member_bool("claim_is_live", view.claim.has_value());
        if (view.claim) {
            json.key("claim");
            write_holder(json, *view.claim);
        }
    }
    json.end_object();
}

}  // namespace

std::string run_document(const RunView& view) {
    std::string out;
    JsonWriter json(out);
    write_run(json, view);
    return out;
}

std::string run_list_document(const std::vector<RunView>& runs, bool has_more) {
    std::string out;
    JsonWriter json(out);
    json.begin_object().key("data").begin_array();
    for (const auto& run : runs) write_run(json, run);
    json.end_array().member_bool("has_more", has_more);
    if (has_more) json.member("next_cursor", runs.back().run.slot);
    json.end_object();
    return out;
}

}  // namespace fencegate::storage
