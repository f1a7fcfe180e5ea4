#pragma once
// The JSON of runs. Thread rule: pure functions.

#include "storage/documents/lock_documents.hpp"
#include "storage/model/run.hpp"

#include <string>
#include <string_view>
#include <vector>

namespace fencegate::storage {

struct RunView {
    Run run;
    std::optional<LeaseView> claim{};  // the live lease of who works on it
};

[[nodiscard]] std::string run_document(const RunView& view);
[[nodiscard]] std::string run_list_document(const std::vector<RunView>& runs, bool has_more);

}  // namespace fencegate::storage
