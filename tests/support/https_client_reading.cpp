// The reading half of HttpsClient: heads, bodies of every framing, streams.
#include "tests/support/https_client.hpp"

#include <openssl/ssl.h>

#include <charconv>
#include <stdexcept>
#include <utility>

namespace fencegate::testing {
namespace {

[[noreturn]] void fail(const std::string& what) {
    throw std::runtime_error("https client: " + what);
}

std::size_t parse_number(std::string_view text, int base) {
    std::size_t value = 0;
    const auto end = text.data() + text.size();
    const auto parsed = std::from_chars(text.data(), end, value, base);
    if (text.empty() || parsed.ec != std::errc{} || parsed.ptr != end) {
        fail("bad length in the answer's framing: \"" + std::string(text) + "\"");
    }
    return value;
}

}  // namespace

Response HttpsClient::read_response() {
    const Deadline deadline(options_.deadline);
    Response response = take_head(deadline);
    for (auto piece = take_body(deadline); !piece.empty(); piece = take_body(deadline)) {
        response.body += piece;
    }
    return response;
}

Response HttpsClient::read_head() { return take_head(Deadline(options_.deadline)); }

std::string HttpsClient::read_body_until(std::string_view marker) {
    const Deadline deadline(options_.deadline);
    for (;;) {
        if (const auto at = stream_.find(marker); at != std::string::npos) {
            std::string text = stream_.substr(0, at + marker.size());
            stream_.erase(0, text.size());
            return text;
        }
        const auto piece = take_body(deadline);
        if (piece.empty()) fail("body ended before \"" + std::string(marker) + "\": " + stream_);
        stream_ += piece;
    }
}

bool HttpsClient::fill(const char* what, const Deadline& deadline) {
    char bytes[16'384];
    const int got =
        drive(what, deadline, [&] { return SSL_read(ssl_.get(), bytes, sizeof bytes); });
    if (got > 0) received_.append(bytes, static_cast<std::size_t>(got));
    return got > 0;
}

Response HttpsClient::take_head(const Deadline& deadline) {
    std::size_t end = received_.find("\r\n\r\n");
    while (end == std::string::npos) {
        if (!fill("an answer", deadline)) fail("peer closed before an answer: " + received_);
        end = received_.find("\r\n\r\n");
    }
    Response response = parse_head(std::string_view(received_).substr(0, end + 4));
    received_.erase(0, end + 4);
    stream_.clear();
    begin_body(response);
    return response;
}

void HttpsClient::begin_body(const Response& response) {
    framing_ = BodyFraming::None;
    body_left_ = 0;
    if (response.status < 200) return;  // the final answer is still to come
    peer_will_close_ = response.header("Connection") == "close";
    if (std::exchange(answer_to_head_, false)) return;
    if (response.status == 204 || response.status == 304) return;
    if (response.header("Transfer-Encoding") == "chunked") {
        framing_ = BodyFraming::Chunked;
    } else if (const auto length = response.header("Content-Length"); !length.empty()) {
        framing_ = BodyFraming::Length;
        body_left_ = parse_number(length, 10);
    } else {
        framing_ = BodyFraming::UntilClose;
    }
}

// The next decoded piece of the body, empty at its end.
std::string HttpsClient::take_body(const Deadline& deadline) {
    switch (framing_) {
        case BodyFraming::None: return {};
        case BodyFraming::Length:
            if (body_left_ == 0) return {};
            break;
        case BodyFraming::Chunked:
            if (body_left_ == 0 && !begin_chunk(deadline)) return {};
            break;
        case BodyFraming::UntilClose:
            if (received_.empty() && !fill("the body", deadline)) return {};
            return std::exchange(received_, {});
    }
    if (received_.empty() && !fill("the body", deadline)) fail("peer closed inside the body");
    auto piece = take_buffered();
    if (framing_ != BodyFraming::Chunked || body_left_ > 0) return piece;
    if (!take_line(deadline).empty()) fail("chunk is not followed by CRLF");
    return piece;
}

std::string HttpsClient::take_buffered() {
    auto piece = received_.substr(0, body_left_);
    received_.erase(0, piece.size());
    body_left_ -= piece.size();
    return piece;
}

bool HttpsClient::begin_chunk(const Deadline& deadline) {
    const auto line = take_line(deadline);
    body_left_ = parse_number(std::string_view(line).substr(0, line.find(';')), 16);
    if (body_left_ > 0) return true;
    while (!take_line(deadline).empty()) {
    }
    framing_ = BodyFraming::None;
    return false;
}

std::string HttpsClient::take_line(const Deadline& deadline) {
    std::size_t end = received_.find("\r\n");
    while (end == std::string::npos) {
        if (!fill("the body", deadline)) fail("peer closed inside the body");
        end = received_.find("\r\n");
    }
    auto line = received_.substr(0, end);
    received_.erase(0, end + 2);
    return line;
}

}  // namespace fencegate::testing
