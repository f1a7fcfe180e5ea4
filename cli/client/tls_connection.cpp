#include "cli/client/tls_connection.hpp"

#include "base/start_failure.hpp"
#include "proxy/tls/openssl_ptr.hpp"

#include <boost/asio/connect.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/asio/ip/tcp.hpp>
#include <boost/asio/ssl/context.hpp>
#include <boost/asio/ssl/error.hpp>
#include <boost/asio/ssl/stream.hpp>
#include <boost/asio/write.hpp>

#include <array>
#include <atomic>

namespace fencegate::cli {
namespace {

namespace asio = boost::asio;
using boost::system::error_code;
using Tcp = asio::ip::tcp;

constexpr std::size_t kReadBytes = 16'384;  // a TLS record

std::unexpected<Error> unavailable(std::string detail) {
    return fail_start(StartFailure::Unavailable, std::move(detail));
}

bool is_name_fault(long verified) {
    return verified == X509_V_ERR_HOSTNAME_MISMATCH || verified == X509_V_ERR_IP_ADDRESS_MISMATCH;
}

// The first bytes that came are no TLS.
bool is_other_protocol(const error_code& ec) {
    const auto reason = ERR_GET_REASON(static_cast<unsigned long>(ec.value()));
    return ec.category() == asio::error::get_ssl_category() &&
           (reason == SSL_R_WRONG_VERSION_NUMBER || reason == SSL_R_HTTP_REQUEST ||
            reason == SSL_R_PACKET_LENGTH_TOO_LONG);
}

bool is_goodbye(const error_code& ec) {
    return ec == asio::error::eof || ec == asio::ssl::error::stream_truncated ||
           ec == asio::error::connection_reset;
}

std::string authority(const HttpsOptions& options) {
    const bool is_ipv6 = options.host.find(':') != std::string::npos;
    return (is_ipv6 ? "[" + options.host + "]" : options.host) + ":" + std::to_string(options.port);
}

}  // namespace

struct TlsConnection::Impl {
    using Stream = asio::ssl::stream<Tcp::socket>;

    explicit Impl(const HttpsOptions& wanted) : options(wanted), server(authority(wanted)) {}

    Result<> prepare();
    Result<> connect(BootTime until);
    Result<> shake_hands(BootTime until);
    std::string verification_fault(long verified) const;
    void close() noexcept;

    // What an operation calls when it ends. The result is a member because an interrupted
    // connection may be left before its last handler has run.
    auto note_end() {
        done.reset();
        return [this](const error_code& ec, const auto&...) { done = ec; };
    }
    // Runs what has been begun until `result` is set or the deadline passes; true if it is set.
    bool run(const std::optional<error_code>& result, BootTime until) {
        context.restart();
        if (!is_interrupted && !result) context.run_for(until - SystemClock().boot_now());
        return result.has_value();
    }
    // The end of an operation that is given up at its deadline.
    error_code finish(BootTime until) {
        if (run(done, until)) return *done;
        close();
        return is_interrupted ? error_code(asio::error::operation_aborted)
                              : error_code(asio::error::timed_out);
    }

    HttpsOptions options;
    std::string server;
    asio::io_context context{1};
    std::atomic<bool> is_interrupted = false;
    std::optional<asio::ssl::context> tls;
    std::optional<Stream> stream;
    std::optional<error_code> done;
    // A read outlives the call that began it.
    bool is_reading = false;
    std::optional<error_code> read_done;
    std::size_t read_size = 0;
    std::array<char, kReadBytes> bytes{};
};

// A context for each connection: a CA that was replaced is taken the next time.
Result<> TlsConnection::Impl::prepare() {
    error_code ec;
    tls.emplace(asio::ssl::context::tls_client);
    SSL_CTX_set_min_proto_version(tls->native_handle(), TLS1_2_VERSION);
    tls->set_verify_mode(asio::ssl::verify_peer);
    tls->load_verify_file(options.ca_file.string(), ec);
    if (ec)
        return fail_start(StartFailure::CannotRead, options.ca_file.string() +
                                                        " is not a readable PEM file of CA "
                                                        "certificates (" +
                                                        proxy::drain_openssl_errors() + ")");
    stream.emplace(context, *tls);
    auto* ssl = stream->native_handle();
    asio::ip::make_address(options.host, ec);
    const bool is_set =
        ec ? SSL_set1_host(ssl, options.host.c_str()) == 1 &&
                 SSL_set_tlsext_host_name(ssl, options.host.c_str()) == 1
           : X509_VERIFY_PARAM_set1_ip_asc(SSL_get0_param(ssl), options.host.c_str()) == 1;
    if (!is_set) return fail(ErrorCode::Internal, "cannot set the name to verify");
    return {};
}

Result<> TlsConnection::Impl::connect(BootTime until) {
    error_code ec;
    Tcp::resolver resolver(context);
    // Without a deadline: an address, as by default, asks nobody.
    const auto found = resolver.resolve(options.host, std::to_string(options.port), ec);
    if (ec) return unavailable("cannot find the host " + options.host + ": " + ec.message());
    asio::async_connect(stream->next_layer(), found, note_end());
    ec = finish(until);
    if (ec == asio::error::connection_refused)
        return unavailable("cannot connect to " + server +
                           ": nothing listens there. Is the gateway running, and is this its "
                           "address?");
    if (ec) return unavailable("cannot connect to " + server + ": " + ec.message());
    stream->next_layer().set_option(Tcp::no_delay(true), ec);
    return {};
}

std::string TlsConnection::Impl::verification_fault(long verified) const {
    if (is_name_fault(verified))
        return "the certificate of " + server + " is for another name than " + options.host +
               ". Use a name or address that is in it, or check whom you are talking to";
    return "the certificate of " + server + " is not signed by the CA in " +
           options.ca_file.string() + " (" + X509_verify_cert_error_string(verified) +
           "). Give the CA that signed it with --ca or --data-dir";
}

Result<> TlsConnection::Impl::shake_hands(BootTime until) {
    stream->async_handshake(asio::ssl::stream_base::client, note_end());
    const auto ec = finish(until);
    if (!ec) return {};
    if (!stream)
        return unavailable("cannot secure the connection to " + server + ": " + ec.message());
    const auto verified = SSL_get_verify_result(stream->native_handle());
    if (verified != X509_V_OK) return unavailable(verification_fault(verified));
    if (is_other_protocol(ec)) return unavailable(server + " does not speak HTTPS");
    if (is_goodbye(ec))
        return unavailable(server +
                           " closed the connection before it was secured. Does it speak "
                           "HTTPS, and has it room for another connection?");
    return unavailable("cannot secure the connection to " + server + ": " + ec.message());
}

void TlsConnection::Impl::close() noexcept {
    if (!stream) return;
    error_code ignored;
    stream->next_layer().close(ignored);
    // What was begun refers to members: it must end before they do.
    context.restart();
    context.run();
    is_reading = false;
    read_done.reset();
    stream.reset();
}

TlsConnection::TlsConnection(const HttpsOptions& options)
    : impl_(std::make_unique<Impl>(options)) {}

TlsConnection::~TlsConnection() { close(); }

void TlsConnection::close() noexcept { impl_->close(); }

bool TlsConnection::is_open() const noexcept { return impl_->stream.has_value(); }

const std::string& TlsConnection::server() const noexcept { return impl_->server; }

void TlsConnection::interrupt() noexcept {
    impl_->is_interrupted = true;
    impl_->context.stop();
}

Result<> TlsConnection::open(BootTime until) {
    close();
    auto opened = impl_->prepare();
    if (opened) opened = impl_->connect(until);
    if (opened) opened = impl_->shake_hands(until);
    if (!opened) close();
    return opened;
}

Result<> TlsConnection::write(std::string_view bytes, BootTime until) {
    asio::async_write(*impl_->stream, asio::buffer(bytes), impl_->note_end());
    const auto ec = impl_->finish(until);
    if (!ec) return {};
    close();
    return unavailable("cannot send to " + server() + ": " + ec.message());
}

Result<TlsConnection::Read> TlsConnection::read_some(std::string& received, BootTime until) {
    auto& impl = *impl_;
    if (!impl.is_reading) {
        impl.is_reading = true;
        impl.read_done.reset();
        impl.stream->async_read_some(asio::buffer(impl.bytes),
                                     [&impl](const error_code& error, std::size_t size) {
                                         impl.read_done = error;
                                         impl.read_size = size;
                                     });
    }
    if (!impl.run(impl.read_done, until)) {
        if (impl.is_interrupted) return unavailable("interrupted");
        return Read::Nothing;
    }
    impl.is_reading = false;
    if (!*impl.read_done) {
        received.append(impl.bytes.data(), impl.read_size);
        return Read::Bytes;
    }
    if (is_goodbye(*impl.read_done)) return Read::End;
    return unavailable("the connection to " + server() + " broke: " + impl.read_done->message());
}

}  // namespace fencegate::cli
