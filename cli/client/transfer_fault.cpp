#include "cli/client/transfer_fault.hpp"

#include "base/start_failure.hpp"
#include "cli/client/printable.hpp"

#include <openssl/err.h>
#include <openssl/sslerr.h>
#include <openssl/x509_vfy.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <system_error>

namespace fencegate::cli {
namespace {

long number_of(const TransferFault& fault, CURLINFO what) {
    long number = 0;
    curl_easy_getinfo(fault.transfer, what, &number);
    return number;
}

bool is_past(const TransferFault& fault, CURLINFO moment) {
    curl_off_t at_us = 0;
    curl_easy_getinfo(fault.transfer, moment, &at_us);
    return at_us > 0;
}

// libcurl hands on the words of OpenSSL, not its numbers.
bool says(const TransferFault& fault, int reason) {
    const char* words = ERR_reason_error_string(ERR_PACK(ERR_LIB_SSL, 0, reason));
    return words != nullptr && fault.words.contains(words);
}

std::string not_connected(const TransferFault& fault, const std::string& server) {
    const auto os_error = static_cast<int>(number_of(fault, CURLINFO_OS_ERRNO));
    const auto why = os_error == ECONNREFUSED
                         ? "nothing listens there. Is the gateway running, and is this its address?"
                     : os_error != 0 ? std::generic_category().message(os_error)
                                     : fault.words;
    return "cannot connect to " + server + ": " + why;
}

std::string not_trusted(const TransferFault& fault, const HttpsOptions& options,
                        const std::string& server) {
    const auto verified = number_of(fault, CURLINFO_SSL_VERIFYRESULT);
    const auto certificate = "the certificate of " + server;
    // libcurl compares names itself, after OpenSSL was content and before it notes that it was.
    if (verified == X509_V_OK || verified == X509_V_ERR_UNSPECIFIED)
        return certificate + " is for another name than " + options.host +
               ". Use a name or address that is in it, or check whom you are talking to";
    if (verified == X509_V_ERR_CERT_HAS_EXPIRED)
        return certificate +
               ", or of its CA, has expired. Give the gateway a new one (one that it made itself "
               "is made anew when it is started), or set the clock of this machine right";
    if (verified == X509_V_ERR_CERT_NOT_YET_VALID)
        return certificate +
               ", or of its CA, is not valid yet. Check the clocks of this machine and of the "
               "gateway's";
    return certificate + " is not signed by the CA in " + options.ca_file.string() + " (" +
           X509_verify_cert_error_string(verified) +
           "). Give the CA that signed it with --ca or --data-dir";
}

std::string not_secured(const TransferFault& fault, const std::string& server) {
    // The first bytes that came are no TLS.
    if (says(fault, SSL_R_WRONG_VERSION_NUMBER) || says(fault, SSL_R_HTTP_REQUEST) ||
        says(fault, SSL_R_PACKET_LENGTH_TOO_LONG))
        return server + " does not speak HTTPS";
    // libcurl's own words for what OpenSSL had none for: closed or reset.
    if (fault.words.starts_with("OpenSSL SSL_connect: ") ||
        says(fault, SSL_R_UNEXPECTED_EOF_WHILE_READING))
        return server +
               " closed the connection before it was secured. Does it speak HTTPS, and has it "
               "room for another connection?";
    return "cannot secure the connection to " + server + ": " + fault.words;
}

std::string timed_out(const TransferFault& fault, const HttpsOptions& options,
                      const std::string& server) {
    if (is_past(fault, CURLINFO_PRETRANSFER_TIME_T))
        return server + " does not answer within " + std::to_string(options.timeout.count()) +
               " ms";
    const bool is_connected = is_past(fault, CURLINFO_CONNECT_TIME_T);
    return std::string("cannot ") + (is_connected ? "secure the connection" : "connect") + " to " +
           server + ": timed out";
}

std::string broken_off(const TransferFault& fault, const std::string& server) {
    if (fault.is_stream_begun) return server + " ended the stream";
    if (fault.has_begun) return server + " ended the connection in the middle of an answer";
    return server + " closed the connection without an answer";
}

std::string words_for(const TransferFault& fault, const HttpsOptions& options) {
    const auto server = authority(options);
    switch (static_cast<int>(fault.code)) {  // of a hundred, those that occur
        case CURLE_COULDNT_RESOLVE_HOST:
            return "cannot find the host " + options.host + ": " + fault.words;
        case CURLE_COULDNT_CONNECT: return not_connected(fault, server);
        case CURLE_PEER_FAILED_VERIFICATION: return not_trusted(fault, options, server);
        case CURLE_SSL_CONNECT_ERROR: return not_secured(fault, server);
        case CURLE_OPERATION_TIMEDOUT: return timed_out(fault, options, server);
        case CURLE_SEND_ERROR: return "cannot send to " + server + ": " + fault.words;
        case CURLE_WRITE_ERROR:  // ours: it takes no more
            return "the answer of " + server + " is too large";
        case CURLE_GOT_NOTHING:
        case CURLE_PARTIAL_FILE:
        case CURLE_RECV_ERROR: return broken_off(fault, server);
        default: return server + " does not answer as a gateway: " + fault.words;
    }
}

}  // namespace

std::string authority(const HttpsOptions& options) {
    const bool is_ipv6 = options.host.contains(':');
    return (is_ipv6 ? "[" + options.host + "]" : options.host) + ":" + std::to_string(options.port);
}

Error error_of(const TransferFault& fault, const HttpsOptions& options) {
    auto shown = fault;
    shown.words = printable(fault.words.empty() ? curl_easy_strerror(fault.code) : fault.words);
    if (fault.code != CURLE_SSL_CACERT_BADFILE)
        return fail_start(StartFailure::Unavailable, words_for(shown, options)).error();
    return fail_start(StartFailure::CannotRead,
                      options.ca_file.string() +
                          " is not a readable PEM file of CA certificates (" + shown.words + ")")
        .error();
}

}  // namespace fencegate::cli
