#include "cli/client/transfer.hpp"

#include "base/start_failure.hpp"

#include <algorithm>
#include <new>

namespace fencegate::cli {
namespace {

constexpr std::size_t kHeadBytesMax = 16'384;
constexpr Duration kPollMax = std::chrono::minutes(1);  // fits what libcurl counts in

std::unexpected<Error> out_of_order(const char* words) {
    return fail(ErrorCode::Internal, std::string("libcurl: ") + words);
}

}  // namespace

Transfer::Transfer(const HttpsOptions& options) : options_(options) {
    // Once a process, and never undone: no scope is sure to outlive every transfer.
    static const CURLcode ready = curl_global_init(CURL_GLOBAL_DEFAULT);
    settings_ = ready;
    multi_.reset(curl_multi_init());
    url_.reset(curl_url());
    easy_.reset(curl_easy_init());
    if (!multi_ || !url_ || !easy_) throw std::bad_alloc();
    // One connection: when one of its own was needed, that is the one kept.
    curl_multi_setopt(multi_.get(), CURLMOPT_MAXCONNECTS, 1L);
    set_server();
    set_trust();
    set(CURLOPT_ERRORBUFFER, static_cast<char*>(words_));
    set(CURLOPT_HEADERFUNCTION, &on_head);
    set(CURLOPT_HEADERDATA, static_cast<void*>(this));
    set(CURLOPT_WRITEFUNCTION, &on_body);
    set(CURLOPT_WRITEDATA, static_cast<void*>(this));
}

Transfer::~Transfer() { drop(); }

void Transfer::set_server() {
    const auto host = options_.host.contains(':') ? "[" + options_.host + "]" : options_.host;
    // In parts: a whole URL is put into a form of its own, and 127.1 would become 127.0.0.1.
    const bool is_url = curl_url_set(url_.get(), CURLUPART_SCHEME, "https", 0) == CURLUE_OK &&
                        curl_url_set(url_.get(), CURLUPART_HOST, host.c_str(), 0) == CURLUE_OK &&
                        curl_url_set(url_.get(), CURLUPART_PORT,
                                     std::to_string(options_.port).c_str(), 0) == CURLUE_OK;
    if (!is_url) settings_ = CURLE_URL_MALFORMAT;
    set(CURLOPT_CURLU, url_.get());
    set(CURLOPT_PROTOCOLS_STR, "https");
    set(CURLOPT_HTTP_VERSION, static_cast<long>(CURL_HTTP_VERSION_1_1));
    set(CURLOPT_PROXY, "");  // else that of the environment
    set(CURLOPT_FOLLOWLOCATION, 0L);
    set(CURLOPT_NOSIGNAL, 1L);    // threads are about, and signals are the program's
    set(CURLOPT_QUICK_EXIT, 1L);  // giving up does not wait for a name that is looked up
}

void Transfer::set_trust() {
    set(CURLOPT_SSLVERSION, static_cast<long>(CURL_SSLVERSION_TLSv1_2));  // or later
    set(CURLOPT_SSL_VERIFYPEER, 1L);
    set(CURLOPT_SSL_VERIFYHOST, 2L);
    set(CURLOPT_CAINFO, options_.ca_file.c_str());
    set(CURLOPT_CAPATH, static_cast<const char*>(nullptr));  // else the system's CAs as well
    // A CA that was replaced is taken for the next connection.
    set(CURLOPT_CA_CACHE_TIMEOUT, 0L);
    set(CURLOPT_SSL_SESSIONID_CACHE, 0L);
}

void Transfer::add_line(const std::string& line) {
    auto* longer = curl_slist_append(lines_.get(), line.c_str());
    if (longer == nullptr) throw std::bad_alloc();
    static_cast<void>(lines_.release());
    lines_.reset(longer);
}

void Transfer::set_request(const Request& request) {
    const bool is_kept = !request.is_post && !request.is_stream;
    lines_.reset();
    if (!options_.api_key.empty()) add_line("Authorization: Bearer " + options_.api_key);
    add_line(request.is_stream ? "Accept: text/event-stream" : "Accept: application/json");
    if (!request.last_event_id.empty())
        add_line("Last-Event-ID: " + std::string(request.last_event_id));
    // One without a value takes libcurl's own away.
    add_line(request.json_body.empty() ? "Content-Type:" : "Content-Type: application/json");
    add_line("Expect:");
    set(CURLOPT_HTTPHEADER, lines_.get());
    set(CURLOPT_REQUEST_TARGET, std::string(request.target).c_str());
    set(CURLOPT_FRESH_CONNECT, is_kept ? 0L : 1L);
    set(CURLOPT_HTTPGET, 1L);
    if (!request.is_post) return;
    set(CURLOPT_POST, 1L);
    set(CURLOPT_POSTFIELDSIZE, static_cast<long>(request.json_body.size()));
    set(CURLOPT_COPYPOSTFIELDS, std::string(request.json_body).c_str());
}

Result<> Transfer::begin(const Request& request) {
    drop();
    if (settings_ == CURLE_OK) set_request(request);
    if (settings_ != CURLE_OK) return out_of_order(curl_easy_strerror(settings_));
    is_stream_ = request.is_stream;
    is_head_read_ = false;
    head_bytes_ = received_ = 0;
    body_.clear();
    words_[0] = '\0';
    if (const auto added = curl_multi_add_handle(multi_.get(), easy_.get()); added != CURLM_OK)
        return out_of_order(curl_multi_strerror(added));
    is_begun_ = true;
    return {};
}

Result<Transfer::Step> Transfer::step(BootTime until) {
    const auto received_before = received_;
    for (;;) {
        if (is_interrupted_) return fail_start(StartFailure::Unavailable, "interrupted");
        int running = 0;
        auto went = curl_multi_perform(multi_.get(), &running);
        if (went == CURLM_OK && running == 0) return finish();
        if (received_ != received_before) return Step::Came;
        const auto left = std::chrono::ceil<Duration>(until - SystemClock().boot_now());
        if (left <= Duration::zero()) return Step::Nothing;
        const auto poll_ms = static_cast<int>(std::min(left, kPollMax).count());
        if (went == CURLM_OK) went = curl_multi_poll(multi_.get(), nullptr, 0, poll_ms, nullptr);
        if (went != CURLM_OK) return out_of_order(curl_multi_strerror(went));
    }
}

Result<Transfer::Step> Transfer::finish() {
    int left = 0;
    const auto* message = curl_multi_info_read(multi_.get(), &left);
    const auto code = message != nullptr ? message->data.result : CURLE_GOT_NOTHING;
    if (code != CURLE_OK) return std::unexpected(fail_with(code));
    // An end within the head is none to libcurl.
    if (!is_head_read_) return std::unexpected(fail_with(CURLE_PARTIAL_FILE));
    drop();
    return Step::Done;
}

Error Transfer::give_up() { return fail_with(CURLE_OPERATION_TIMEDOUT); }

Error Transfer::fail_with(CURLcode code) {
    const auto error = error_of({.code = code,
                                 .transfer = easy_.get(),
                                 .words = static_cast<const char*>(words_),
                                 .has_begun = received_ > 0,
                                 .is_stream_begun = is_stream_ && is_head_read_ && status() == 200},
                                options_);
    drop();
    return error;
}

// libcurl closes a connection whose answer was not complete.
void Transfer::drop() noexcept {
    if (std::exchange(is_begun_, false)) curl_multi_remove_handle(multi_.get(), easy_.get());
}

int Transfer::status() const {
    long status = 0;
    curl_easy_getinfo(easy_.get(), CURLINFO_RESPONSE_CODE, &status);
    return static_cast<int>(status);
}

std::string Transfer::date() const {
    curl_header* header = nullptr;
    const auto found = curl_easy_header(easy_.get(), "Date", 0, CURLH_HEADER, -1, &header);
    return found == CURLHE_OK ? std::string(header->value) : std::string();
}

void Transfer::interrupt() noexcept {
    is_interrupted_ = true;
    curl_multi_wakeup(multi_.get());
}

std::size_t Transfer::on_head(char* bytes, std::size_t, std::size_t size, void* transfer) {
    auto& self = *static_cast<Transfer*>(transfer);
    self.head_bytes_ += size;
    self.received_ += size;
    if (self.head_bytes_ > kHeadBytesMax) return CURL_WRITEFUNC_ERROR;
    constexpr int kFinal = 200;  // what is below announces another head, RFC 9110 15.2
    if (std::string_view(bytes, size) == "\r\n" && self.status() >= kFinal)
        self.is_head_read_ = true;
    return size;
}

std::size_t Transfer::on_body(char* bytes, std::size_t, std::size_t size, void* transfer) {
    auto& self = *static_cast<Transfer*>(transfer);
    const bool is_endless = self.is_stream_ && self.status() == 200;
    if (!is_endless && size > self.options_.body_bytes_max - self.body_.size())
        return CURL_WRITEFUNC_ERROR;
    self.received_ += size;
    self.body_.append(bytes, size);
    return size;
}

}  // namespace fencegate::cli
