#include "cli/client/copy_documents.hpp"

#include "base/start_failure.hpp"
#include "cli/client/printable.hpp"

#include <boost/json.hpp>

#include <cstdio>
#include <unistd.h>

namespace fencegate::cli {

namespace json = boost::json;

std::string text_of(const json::object& document, std::string_view name) {
    const auto* value = document.if_contains(name);
    return value != nullptr && value->is_string() ? printable(value->get_string()) : std::string();
}

long long number_of(const json::object& document, std::string_view name) {
    const auto* value = document.if_contains(name);
    return value != nullptr && value->is_int64() ? value->get_int64() : 0;
}

// The document of a 2xx. What is to be done about some refusals is known here.
Result<json::object> document_of(const Result<HttpReply>& reply) {
    if (!reply) return std::unexpected(reply.error());
    if (reply->status == 409) return fail_start(StartFailure::InUse, refusal_of(*reply).detail);
    if (reply->status == 507)
        return fail_start(StartFailure::CannotCreate, refusal_of(*reply).detail);
    if (reply->status / 100 != 2) return std::unexpected(refusal_of(*reply));
    boost::system::error_code ec;
    auto parsed = json::parse(reply->body, ec);
    if (ec || !parsed.is_object())
        return fail_start(StartFailure::Unavailable, "The answer is not of a fencegate gateway.");
    return std::move(parsed.get_object());
}

void show_progress(const json::object& status) {
    const auto total = number_of(status, "pages_total");
    if (total == 0 || ::isatty(STDERR_FILENO) == 0) return;
    const auto done = number_of(status, "pages_done");
    std::fprintf(stderr, "\r%s %3lld %%", text_of(status, "state").c_str(), done * 100 / total);
}

std::unexpected<Error> failure_in(const json::object& document, std::string_view what) {
    const bool is_full = text_of(document, "code") == "store_full";
    return fail_start(is_full ? StartFailure::CannotCreate : StartFailure::Unavailable,
                      std::string(what) + ": " + text_of(document, "detail"));
}

}  // namespace fencegate::cli
