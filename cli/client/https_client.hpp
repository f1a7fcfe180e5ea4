#pragma once
// A blocking HTTPS/1.1 client for the program's own commands: one request after the other, or one
// stream of lines.
// Owns: a connection each, its deadlines and its limits. Refuses to own: retries of anything that
// may have had an effect, and the meaning of answers.
// Invariant: the server's certificate and its name (or address) are always verified, and nobody is
// asked in its place: variables for proxies are not honoured.
// Thread rule: one thread each; interrupt() from any.
// Errors: fail_start(Unavailable), in words an operator can act on; fail_start(CannotRead) for a CA
// file that is none. Texts of a server are made printable.

#include "base/clock.hpp"
#include "base/result.hpp"

#include <cstdint>
#include <filesystem>
#include <memory>
#include <optional>
#include <string>
#include <string_view>

namespace fencegate::cli {

struct HttpsOptions {
    std::string host;
    std::uint16_t port = 0;
    std::filesystem::path ca_file{};
    std::string api_key{};                                      // "": none is sent
    Duration timeout = std::chrono::seconds(10);                // of a whole request
    std::size_t body_bytes_max = std::size_t{8} * 1024 * 1024;  // of an answer
};

struct HttpReply {
    int status = 0;
    std::string date;  // the header, as it came
    std::string body;
};

class Transfer;  // libcurl's types stay in the .cpp files

class HttpsClient {
public:
    explicit HttpsClient(HttpsOptions options);
    ~HttpsClient();
    HttpsClient(HttpsClient&&) noexcept;
    HttpsClient& operator=(HttpsClient&&) noexcept;

    // Any status is a success here; see refusal_of(). A connection that was kept and is found
    // closed is replaced once.
    [[nodiscard]] Result<HttpReply> get(std::string_view target);
    // On a connection of its own, so that it is sent once. With an empty body, none is sent.
    [[nodiscard]] Result<HttpReply> post(std::string_view target, std::string_view json_body = {});

    // Ends what waits, now and from now on.
    void interrupt() noexcept;

private:
    HttpsOptions options_;
    std::unique_ptr<Transfer> transfer_;
};

// A body that has no end, read line by line: server-sent events.
class LineStream {
public:
    explicit LineStream(HttpsOptions options);
    ~LineStream();

    // Asks for `target`; an earlier stream is dropped. On return the answer's head is read.
    // Fails also with what refusal_of() says of any status but 200.
    [[nodiscard]] Result<> open(std::string_view target, std::string_view last_event_id = {});
    // REQUIRES: open() succeeded. Without its line end. Nothing: no line came within `budget`, so
    // that the caller can do other things meanwhile. Fails when the stream has ended or broken, or
    // a line is over 256 KiB.
    [[nodiscard]] Result<std::optional<std::string>> next_line(Duration budget);

    // Ends what waits, now and from now on.
    void interrupt() noexcept;

private:
    std::optional<std::string> take_line();

    HttpsOptions options_;
    std::unique_ptr<Transfer> transfer_;
    std::string text_;  // whole lines and the beginning of the next
    std::size_t taken_ = 0;
    bool is_over_ = true;
};

// The error a refusal amounts to: "the gateway answered 401 unauthenticated: ...".
// fail_start(NotPermitted) for 401 and 403, fail_start(Unavailable) for the rest.
[[nodiscard]] Error refusal_of(const HttpReply& reply);

}  // namespace fencegate::cli
