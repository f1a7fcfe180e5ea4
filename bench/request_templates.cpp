#include "bench/request_templates.hpp"

#include <array>
#include <charconv>
#include <functional>

namespace fencegate::bench {
namespace {

constexpr std::string_view kCreateHead = R"({"id":")";
constexpr std::string_view kCreateTail = R"(","amount":1000000000,"currency":"EUR"})";
constexpr std::string_view kRefundBody = R"({"amount":1})";

void append_number(std::string& out, std::uint64_t number) {
    std::array<char, 20> digits{};
    const auto end = std::to_chars(digits.data(), digits.data() + digits.size(), number).ptr;
    out.append(digits.data(), end);
}

std::string content_length(std::size_t size) {
    return "Content-Length: " + std::to_string(size) + "\r\n";
}

}  // namespace

RequestTemplates::RequestTemplates(const BenchOptions& options, std::string_view run,
                                   std::size_t client)
    : id_prefix_("bench_" + std::string(run) + "_"),
      ordered_keys_(options.ordered_keys),
      existing_(options.existing) {
    const std::string json = "Content-Type: application/json\r\n";
    common_ = "Host: " + options.host + ":" + std::to_string(options.port) +
              "\r\nAuthorization: Bearer " + options.key + "\r\n";

    create_head_ = "POST /v1/payments HTTP/1.1\r\n" + common_ + json + "Idempotency-Key: ";

    std::string body = R"({"ttl_ms":)" + std::to_string(options.ttl_ms);
    if (options.wait_ms > 0) body += R"(,"wait_ms":)" + std::to_string(options.wait_ms);
    body += R"(,"owner":"bench-)" + std::to_string(client) + R"("})";
    acquire_tail_ = " HTTP/1.1\r\n" + common_ + json + content_length(body.size()) + "\r\n" + body;

    refund_middle_ = "/refunds HTTP/1.1\r\n" + common_ + json + content_length(kRefundBody.size()) +
                     (options.calls == 2 ? "X-Fence-Release: 1\r\n" : "") + "Idempotency-Key: ";

    key_prefix_ = std::string(run) + "-" + std::to_string(client) + "-";
    random_state_ = std::hash<std::string>{}(key_prefix_);
}

void RequestTemplates::create(std::string& out, std::size_t payment) {
    out = create_head_;
    append_key(out);
    out += "\r\n";
    std::string id;
    append_id(id, payment);
    out += content_length(kCreateHead.size() + id.size() + kCreateTail.size());
    out += "\r\n";
    out += kCreateHead;
    out += id;
    out += kCreateTail;
}

void RequestTemplates::acquire(std::string& out, std::size_t payment) const {
    out = "POST /v1/locks/payments/";
    append_id(out, payment);
    out += acquire_tail_;
}

void RequestTemplates::refund(std::string& out, std::size_t payment, std::string_view fence_token) {
    out = "POST /v1/payments/";
    append_id(out, payment);
    out += refund_middle_;
    append_key(out);
    out += "\r\nX-Fence-Token: ";
    out += fence_token;
    out += "\r\n\r\n";
    out += kRefundBody;
}

void RequestTemplates::release(std::string& out, std::string_view lease_path) const {
    out = "DELETE ";
    out += lease_path;
    out += " HTTP/1.1\r\n";
    out += common_;
    out += "\r\n";
}

void RequestTemplates::append_id(std::string& out, std::size_t payment) const {
    if (existing_) return append_filled_id(out, payment);
    out += id_prefix_;
    append_number(out, payment);
}

// A random UUID is what payment clients send, and the harder case for the store's index.
void RequestTemplates::append_key(std::string& out) {
    if (ordered_keys_) {
        out += key_prefix_;
        append_number(out, key_number_++);
        return;
    }
    constexpr std::string_view kHex = "0123456789abcdef";
    constexpr std::string_view kShape = "xxxxxxxx-xxxx-4xxx-8xxx-xxxxxxxxxxxx";
    std::uint64_t bits = 0;
    std::size_t used = 16;
    for (const char shape : kShape) {
        if (shape != 'x') {
            out += shape;
            continue;
        }
        if (used == 16) {
            bits = next_random();
            used = 0;
        }
        out += kHex[(bits >> (4 * used++)) & 15];
    }
}

std::uint64_t RequestTemplates::next_random() {
    return splitmix64(random_state_ += 0x9e3779b97f4a7c15);
}

}  // namespace fencegate::bench
