#pragma once
// Transfer: one HTTPS/1.1 request after the other and its answer, over libcurl, in steps that end
// at a deadline. Internal to cli/client/: include it from .cpp files only, it pulls in libcurl.
// Owns: the connection that is kept, the settings that make it safe, what has come of an answer.
// Refuses to own: what an answer means, and words for what failed (transfer_fault.hpp).
// Invariant 1: nothing is sent before the server's certificate and its name (or address) are
// verified, by the CA of the options and no other.
// Invariant 2: who is asked is whom the options name. No proxy, whatever the environment says; no
// redirect. The key that is sent would go along.
// Thread rule: one thread; interrupt() from any.
// Errors: those of transfer_fault.hpp; a transfer that failed has given up its connection.

#include "cli/client/https_client.hpp"
#include "cli/client/transfer_fault.hpp"

#include <atomic>
#include <concepts>
#include <curl/curl.h>
#include <utility>

namespace fencegate::cli {

template <auto Free>
struct CurlDeleter {
    template <class Handle>
    void operator()(Handle* handle) const noexcept {
        Free(handle);
    }
};

struct Request {
    std::string_view target;
    bool is_post = false;
    std::string_view json_body{};
    bool is_stream = false;
    std::string_view last_event_id{};
};

class Transfer {
public:
    explicit Transfer(const HttpsOptions& options);
    ~Transfer();
    Transfer(const Transfer&) = delete;
    Transfer& operator=(const Transfer&) = delete;

    // Drops a transfer that is under way. A GET that is no stream takes the connection that was
    // kept; if that is found closed before anything came, libcurl asks once more on a new one.
    // What else is asked has a connection of its own, so that it is sent once.
    [[nodiscard]] Result<> begin(const Request& request);

    enum class Step : std::uint8_t { Came, Nothing, Done };
    // Came: there is more of the answer than before. Nothing: not before the deadline, and the
    // transfer goes on. REQUIRES: begun, and not done yet.
    [[nodiscard]] Result<Step> step(BootTime until);
    // For a caller who waits no longer: drops the transfer, and says what it got stuck at.
    [[nodiscard]] Error give_up();

    [[nodiscard]] bool is_head_read() const noexcept { return is_head_read_; }
    [[nodiscard]] int status() const;
    [[nodiscard]] std::string date() const;
    [[nodiscard]] std::string take_body() { return std::exchange(body_, {}); }

    // Ends what waits, now and from now on.
    void interrupt() noexcept;

private:
    using Easy = std::unique_ptr<CURL, CurlDeleter<curl_easy_cleanup>>;
    using Multi = std::unique_ptr<CURLM, CurlDeleter<curl_multi_cleanup>>;
    using Url = std::unique_ptr<CURLU, CurlDeleter<curl_url_cleanup>>;
    using Lines = std::unique_ptr<curl_slist, CurlDeleter<curl_slist_free_all>>;

    // Remembers the first that was refused: a setting that did not take effect must not be
    // asked without.
    template <class Value>
    void set(CURLoption option, Value value) {
        static_assert(!std::same_as<Value, int>, "libcurl takes a long");
        if (settings_ == CURLE_OK) settings_ = curl_easy_setopt(easy_.get(), option, value);
    }
    void set_server();
    void set_trust();
    void set_request(const Request& request);
    void add_line(const std::string& line);

    Result<Step> finish();
    Error fail_with(CURLcode code);
    void drop() noexcept;

    static std::size_t on_head(char* bytes, std::size_t, std::size_t size, void* transfer);
    static std::size_t on_body(char* bytes, std::size_t, std::size_t size, void* transfer);

    const HttpsOptions options_;
    Multi multi_;
    Url url_;
    Lines lines_;
    Easy easy_;  // refers to all of these
    CURLcode settings_ = CURLE_OK;
    char words_[CURL_ERROR_SIZE] = {};  // libcurl's own, on the last failure
    std::atomic<bool> is_interrupted_ = false;

    // The transfer that is under way, or was last.
    bool is_begun_ = false;
    bool is_stream_ = false;
    bool is_head_read_ = false;
    std::size_t head_bytes_ = 0;
    std::size_t received_ = 0;  // head and body
    std::string body_;
};

}  // namespace fencegate::cli
