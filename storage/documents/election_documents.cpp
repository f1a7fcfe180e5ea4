#include "storage/documents/election_documents.hpp"

namespace fencegate::storage {

std::string election_document(const ElectionView& view) {
    std::string out;
    JsonWriter json(out);
    json.begin_object()
        .member("election", view.election)
        .member("state", view.leader != nullptr ? "led" : "vacant")
        .member("candidates", static_cast<std::int64_t>(view.candidates));
    if (view.leader != nullptr) {
        json.key("leader");
        write_holder(json, *view.leader);
        json.member_raw("value", view.value_json);
        if (view.proclaimed_at) json.member("proclaimed_at", rfc3339(*view.proclaimed_at).text);
    }
    json.end_object();
    return out;
}

}  // namespace fencegate::storage
