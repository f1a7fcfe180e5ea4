#include "cli/client/https_client.hpp"

#include "base/start_failure.hpp"
#include "cli/client/printable.hpp"
#include "cli/client/transfer.hpp"

#include <boost/json/parse.hpp>

namespace fencegate::cli {
namespace {

constexpr std::size_t kLineBytesMax = 262'144;

BootTime after(Duration budget) { return SystemClock().boot_now() + budget; }

HttpReply reply_of(Transfer& transfer) {
    return {.status = transfer.status(), .date = transfer.date(), .body = transfer.take_body()};
}

Result<HttpReply> ask(Transfer& transfer, const Request& request, Duration timeout) {
    const auto until = after(timeout);
    if (const auto begun = transfer.begin(request); !begun) return std::unexpected(begun.error());
    for (;;) {
        const auto step = transfer.step(until);
        if (!step) return std::unexpected(step.error());
        if (*step == Transfer::Step::Done) return reply_of(transfer);
        if (*step == Transfer::Step::Nothing) return std::unexpected(transfer.give_up());
    }
}

std::string member(const boost::json::value& document, std::string_view name) {
    const auto* object = document.if_object();
    const auto* value = object != nullptr ? object->if_contains(name) : nullptr;
    const auto* text = value != nullptr ? value->if_string() : nullptr;
    return text != nullptr ? printable(std::string_view(text->data(), text->size())) : "";
}

}  // namespace

HttpsClient::HttpsClient(HttpsOptions options)
    : options_(std::move(options)), transfer_(std::make_unique<Transfer>(options_)) {}
HttpsClient::~HttpsClient() = default;
HttpsClient::HttpsClient(HttpsClient&&) noexcept = default;
HttpsClient& HttpsClient::operator=(HttpsClient&&) noexcept = default;

void HttpsClient::interrupt() noexcept { transfer_->interrupt(); }

Result<HttpReply> HttpsClient::get(std::string_view target) {
    return ask(*transfer_, {.target = target}, options_.timeout);
}

Result<HttpReply> HttpsClient::post(std::string_view target, std::string_view json_body) {
    return ask(*transfer_, {.target = target, .is_post = true, .json_body = json_body},
               options_.timeout);
}

LineStream::LineStream(HttpsOptions options)
    : options_(std::move(options)), transfer_(std::make_unique<Transfer>(options_)) {}
LineStream::~LineStream() = default;

void LineStream::interrupt() noexcept { transfer_->interrupt(); }

Result<> LineStream::open(std::string_view target, std::string_view last_event_id) {
    const auto until = after(options_.timeout);
    text_.clear();
    taken_ = 0;
    is_over_ = false;
    if (auto begun =
            transfer_->begin({.target = target, .is_stream = true, .last_event_id = last_event_id});
        !begun)
        return begun;
    while (!is_over_) {
        const auto step = transfer_->step(until);
        if (!step) return std::unexpected(step.error());
        if (*step == Transfer::Step::Nothing) return std::unexpected(transfer_->give_up());
        is_over_ = *step == Transfer::Step::Done;
        if (transfer_->is_head_read() && transfer_->status() == 200) return {};
    }
    return std::unexpected(refusal_of(reply_of(*transfer_)));
}

std::optional<std::string> LineStream::take_line() {
    text_ += transfer_->take_body();
    const auto end = text_.find('\n', taken_);
    if (end == std::string::npos) {
        text_.erase(0, taken_);
        taken_ = 0;
        return std::nullopt;
    }
    auto line = text_.substr(taken_, end - taken_);
    taken_ = end + 1;
    if (line.ends_with('\r')) line.pop_back();
    return line;
}

Result<std::optional<std::string>> LineStream::next_line(Duration budget) {
    const auto until = after(budget);
    for (;;) {
        if (auto line = take_line()) return line;
        if (text_.size() > kLineBytesMax)
            return fail_start(StartFailure::Unavailable,
                              authority(options_) + " sends a line that has no end");
        if (is_over_)
            return fail_start(StartFailure::Unavailable, authority(options_) + " ended the stream");
        const auto step = transfer_->step(until);
        if (!step) return std::unexpected(step.error());
        if (*step == Transfer::Step::Nothing) return std::nullopt;
        is_over_ = *step == Transfer::Step::Done;
    }
}

Error refusal_of(const HttpReply& reply) {
    boost::json::error_code ec;
    const auto document = boost::json::parse(reply.body, ec);
    std::string detail = "the gateway answered " + std::to_string(reply.status);
    const auto code = ec ? std::string() : member(document, "code");
    const auto words = ec ? std::string() : member(document, "detail");
    if (!code.empty()) detail.append(" ").append(code);
    if (!words.empty()) detail.append(": ").append(words);
    const bool is_forbidden = reply.status == 401 || reply.status == 403;
    return fail_start(is_forbidden ? StartFailure::NotPermitted : StartFailure::Unavailable,
                      std::move(detail))
        .error();
}

}  // namespace fencegate::cli
