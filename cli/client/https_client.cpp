#include "cli/client/https_client.hpp"

#include "base/start_failure.hpp"
#include "cli/client/printable.hpp"
#include "cli/client/tls_connection.hpp"

#include <boost/asio/buffer.hpp>
#include <boost/beast/http/parser.hpp>
#include <boost/beast/http/string_body.hpp>
#include <boost/json/parse.hpp>

namespace fencegate::cli {
namespace {

namespace http = boost::beast::http;
using boost::beast::error_code;
using Parser = http::response_parser<http::string_body>;

constexpr std::size_t kLineBytesMax = 262'144;
constexpr std::uint32_t kHeadBytesMax = 16'384;

std::unexpected<Error> unavailable(std::string detail) {
    return fail_start(StartFailure::Unavailable, std::move(detail));
}

BootTime after(Duration budget) { return SystemClock().boot_now() + budget; }

struct Request {
    std::string_view method;
    std::string_view target;
    std::string_view body{};
    std::string_view last_event_id{};
    bool is_stream = false;
};

std::string text_of(const Request& request, const HttpsOptions& options,
                    const TlsConnection& connection) {
    std::string text;
    const auto line = [&text](std::string_view name, std::string_view value) {
        if (!value.empty()) text.append(name).append(": ").append(value).append("\r\n");
    };
    text.append(request.method).append(" ").append(request.target).append(" HTTP/1.1\r\n");
    line("Host", connection.server());
    if (!options.api_key.empty()) line("Authorization", "Bearer " + options.api_key);
    line("Accept", request.is_stream ? "text/event-stream" : "application/json");
    line("Last-Event-ID", request.last_event_id);
    if (!request.body.empty()) line("Content-Type", "application/json");
    if (request.method == "POST") line("Content-Length", std::to_string(request.body.size()));
    return text.append("\r\n").append(request.body);
}

// One step of an answer: bytes are taken until the parser has what it is asked for.
enum class Step : std::uint8_t { Parsed, Nothing, End };

struct Answer {
    Parser parser;
    std::string received;  // not parsed yet

    Answer() {
        parser.eager(true);
        parser.header_limit(kHeadBytesMax);
    }

    Result<Step> step(TlsConnection& connection, BootTime until);
    bool parse(error_code& ec);
};

// False if more bytes are needed.
bool Answer::parse(error_code& ec) {
    if (received.empty()) return false;
    const auto used = parser.put(boost::asio::buffer(received), ec);
    received.erase(0, used);
    if (ec == http::error::need_more) ec = {};
    return used > 0;
}

Result<Step> Answer::step(TlsConnection& connection, BootTime until) {
    error_code ec;
    if (!parse(ec) && !ec) {
        const auto read = connection.read_some(received, until);
        if (!read) return std::unexpected(read.error());
        if (*read == TlsConnection::Read::Nothing) return Step::Nothing;
        if (*read == TlsConnection::Read::Bytes) {
            parse(ec);
        } else {
            if (parser.got_some()) parser.put_eof(ec);
            if (!ec) return Step::End;
        }
    }
    if (ec == http::error::partial_message)
        return unavailable(connection.server() +
                           " ended the connection in the middle of an answer");
    if (ec == http::error::body_limit)
        return unavailable("the answer of " + connection.server() + " is too large");
    if (ec)
        return unavailable(connection.server() + " does not answer as a gateway: " + ec.message());
    return Step::Parsed;
}

HttpReply reply_of(Parser& parser) {
    auto& message = parser.get();
    return {.status = static_cast<int>(message.result_int()),
            .date = std::string(message[http::field::date]),
            .body = std::move(message.body())};
}

std::unexpected<Error> no_answer(const TlsConnection& connection, Duration timeout) {
    return unavailable(connection.server() + " does not answer within " +
                       std::to_string(timeout.count()) + " ms");
}

std::string member(const boost::json::value& document, std::string_view name) {
    const auto* object = document.if_object();
    const auto* value = object != nullptr ? object->if_contains(name) : nullptr;
    const auto* text = value != nullptr ? value->if_string() : nullptr;
    return text != nullptr ? printable(std::string_view(text->data(), text->size())) : "";
}

}  // namespace

HttpsClient::HttpsClient(HttpsOptions options)
    : options_(std::move(options)), connection_(std::make_unique<TlsConnection>(options_)) {}
HttpsClient::~HttpsClient() = default;
HttpsClient::HttpsClient(HttpsClient&&) noexcept = default;
HttpsClient& HttpsClient::operator=(HttpsClient&&) noexcept = default;

void HttpsClient::interrupt() noexcept { connection_->interrupt(); }

Result<HttpReply> HttpsClient::exchange(std::string_view request, BootTime until) {
    auto& connection = *connection_;
    if (const auto sent = connection.write(request, until); !sent)
        return std::unexpected(sent.error());
    Answer answer;
    answer.parser.body_limit(options_.body_bytes_max);
    while (!answer.parser.is_done()) {
        const auto step = answer.step(connection, until);
        if (!step) return std::unexpected(step.error());
        if (*step == Step::Nothing) return no_answer(connection, options_.timeout);
        if (*step == Step::End && !answer.parser.is_done())
            return unavailable(connection.server() + " closed the connection without an answer");
    }
    const bool is_kept = answer.parser.keep_alive() && answer.received.empty();
    if (!is_kept) connection.close();
    return reply_of(answer.parser);
}

Result<HttpReply> HttpsClient::get(std::string_view target) {
    const auto until = after(options_.timeout);
    const auto request = text_of({.method = "GET", .target = target}, options_, *connection_);
    if (connection_->is_open()) {
        auto reply = exchange(request, until);
        if (reply) return reply;
        connection_->close();
        if (SystemClock().boot_now() >= until) return reply;
    }
    if (const auto opened = connection_->open(until); !opened)
        return std::unexpected(opened.error());
    auto reply = exchange(request, until);
    if (!reply) connection_->close();
    return reply;
}

Result<HttpReply> HttpsClient::post(std::string_view target, std::string_view json_body) {
    const auto until = after(options_.timeout);
    if (const auto opened = connection_->open(until); !opened)
        return std::unexpected(opened.error());
    auto reply = exchange(
        text_of({.method = "POST", .target = target, .body = json_body}, options_, *connection_),
        until);
    if (!reply) connection_->close();
    return reply;
}

struct LineStream::Body {
    Answer answer;
    std::string text;  // whole lines and the beginning of the next
    std::size_t taken = 0;

    std::optional<std::string> take_line() {
        const auto end = text.find('\n', taken);
        if (end == std::string::npos) {
            text.erase(0, taken);
            taken = 0;
            return std::nullopt;
        }
        auto line = text.substr(taken, end - taken);
        taken = end + 1;
        if (line.ends_with('\r')) line.pop_back();
        return line;
    }
};

LineStream::LineStream(HttpsOptions options)
    : options_(std::move(options)), connection_(std::make_unique<TlsConnection>(options_)) {}
LineStream::~LineStream() = default;

void LineStream::interrupt() noexcept { connection_->interrupt(); }

Result<> LineStream::open(std::string_view target, std::string_view last_event_id) {
    const auto until = after(options_.timeout);
    auto& connection = *connection_;
    if (auto opened = connection.open(until); !opened) return opened;
    const auto request = text_of(
        {.method = "GET", .target = target, .last_event_id = last_event_id, .is_stream = true},
        options_, connection);
    if (auto sent = connection.write(request, until); !sent) return sent;
    body_ = std::make_unique<Body>();
    auto& parser = body_->answer.parser;
    parser.body_limit(boost::none);
    const auto is_read = [&parser] {
        return parser.is_header_done() && (parser.get().result_int() == 200 || parser.is_done());
    };
    while (!is_read()) {
        const auto step = body_->answer.step(connection, until);
        if (!step) return std::unexpected(step.error());
        if (*step == Step::Nothing) return no_answer(connection, options_.timeout);
        if (*step == Step::End && !is_read())
            return unavailable(connection.server() + " closed the connection without an answer");
        if (parser.is_header_done() && parser.get().body().size() > options_.body_bytes_max)
            return unavailable("the answer of " + connection.server() + " is too large");
    }
    if (parser.get().result_int() != 200) return std::unexpected(refusal_of(reply_of(parser)));
    return {};
}

Result<std::optional<std::string>> LineStream::next_line(Duration budget) {
    const auto until = after(budget);
    auto& parser = body_->answer.parser;
    for (;;) {
        body_->text += std::exchange(parser.get().body(), {});
        if (auto line = body_->take_line()) return line;
        if (body_->text.size() > kLineBytesMax)
            return unavailable(connection_->server() + " sends a line that has no end");
        if (parser.is_done()) return unavailable(connection_->server() + " ended the stream");
        const auto step = body_->answer.step(*connection_, until);
        if (!step) return std::unexpected(step.error());
        if (*step == Step::Nothing) return std::nullopt;
        if (*step == Step::End) return unavailable(connection_->server() + " ended the stream");
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
