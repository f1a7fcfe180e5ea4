// Routes of the outbox: from request to command.
#include "proxy/api/routes.hpp"
#include "proxy/http/query_parameters.hpp"
#include "proxy/json/json_body.hpp"

#include <limits>

namespace fencegate::proxy {
namespace {

constexpr std::int64_t kPositionMax = std::numeric_limits<std::int64_t>::max() - 1;

Result<std::string> consumer_name(std::string_view text) {
    if (!lockmgr::is_lock_segment(text))
        return fail(ErrorCode::InvalidArgument,
                    "The name of a consumer is 1 to 64 of A-Z a-z 0-9 . _ ~ : -.");
    return std::string(text);
}

Result<Asked> build_read_events(const RouteRequest& request) {
    const auto known = check_parameters(request.target, {"after", "consumer", "limit"});
    if (!known) return std::unexpected(known.error());
    storage::ReadEvents read;
    const auto after = read_number(request.target, "after", 0, 0, kPositionMax);
    if (!after) return std::unexpected(after.error());
    read.after = *after;
    if (const auto name = request.target.parameter("consumer")) {
        if (request.target.parameter("after"))
            return fail(ErrorCode::InvalidArgument,
                        "Send after or consumer: both say where to begin.");
        auto consumer = consumer_name(*name);
        if (!consumer) return std::unexpected(consumer.error());
        read.consumer = *std::move(consumer);
    }
    const auto page = read_page(request.target);
    if (!page) return std::unexpected(page.error());
    read.limit = *page;
    return read;
}

Result<Asked> build_acknowledge(const RouteRequest& request) {
    auto name = consumer_name(request.parameters[0]);
    if (!name) return std::unexpected(name.error());
    const auto body = JsonBody::parse(request.body, {"position"});
    if (!body) return std::unexpected(body.error());
    const auto position = body->integer("position");
    if (!position) return std::unexpected(position.error());
    if (!*position || **position < 0)
        return fail(ErrorCode::InvalidArgument,
                    "position must be the id of the last event that is done, or 0.");
    return storage::Acknowledge{*std::move(name), **position};
}

Result<Asked> build_read_consumer(const RouteRequest& request) {
    auto name = consumer_name(request.parameters[0]);
    if (!name) return std::unexpected(name.error());
    return storage::ReadConsumer{*std::move(name)};
}

Result<Asked> build_forget_consumer(const RouteRequest& request) {
    auto name = consumer_name(request.parameters[0]);
    if (!name) return std::unexpected(name.error());
    return storage::ForgetConsumer{*std::move(name)};
}

constexpr Route kRoutes[] = {
    {"GET", "/v1/events", Scope::PaymentsRead, build_read_events},
    {"PUT", "/v1/events/consumers/{name}", Scope::PaymentsWrite, build_acknowledge},
    {"GET", "/v1/events/consumers/{name}", Scope::PaymentsRead, build_read_consumer},
    {"DELETE", "/v1/events/consumers/{name}", Scope::PaymentsWrite, build_forget_consumer, 204},
};

}  // namespace

std::span<const Route> event_routes() noexcept { return kRoutes; }

}  // namespace fencegate::proxy
