#pragma once
// A folder of certificates, and what a client thinks of them. Thread rule: one thread.

#include "base/file.hpp"
#include "proxy/tls/certificate_issuer.hpp"
#include "proxy/tls/certificates.hpp"
#include "tests/support/temp_dir.hpp"

#include <gtest/gtest.h>

#include <string>
#include <sys/stat.h>
#include <vector>

namespace fencegate::proxy {

inline constexpr WallTime kNow{std::chrono::sys_days{std::chrono::year{2026} / 11 / 23}};
inline const std::vector<std::string> kHosts{"localhost", "127.0.0.1", "::1", "gateway.example"};

class CertificatesTest : public ::testing::Test {
protected:
    CertificatesTest() : umask_before_(::umask(022)) {}
    ~CertificatesTest() override { ::umask(umask_before_); }

    Result<CertificateFiles> ensure(WallTime now = kNow,
                                    const std::vector<std::string>& hosts = kHosts) {
        return ensure_certificates(folder_.path(), hosts, now);
    }

    std::string content(const std::string& name) const {
        return read_file(folder_ / name, 1'000'000).value_or("");
    }

    WallTime end_of(const std::string& name) const {
        const auto validity = certificate_validity(folder_ / name);
        return validity ? validity->to : WallTime{};
    }

    void put(const std::string& name, std::string_view text) {
        ASSERT_TRUE(write_file_atomically(folder_ / name, text, FileMode::Secret));
    }

    void remove(const std::string& name) { std::filesystem::remove(folder_ / name); }

    // An operator's own pair: signed by a CA of which this folder knows nothing.
    void put_foreign_pair(WallTime issued) {
        const testing::TempDir elsewhere;
        const std::vector<std::string> hosts{"pay.example"};
        ASSERT_TRUE(ensure_certificates(elsewhere.path(), hosts, issued));
        for (const auto* name : {"server.pem", "server.key"}) {
            put(name, read_file(elsewhere / name, 1'000'000).value_or(""));
        }
    }

    // What a client trusting ca.pem thinks of server.pem: X509_V_OK or the reason against it.
    int verdict(WallTime now, const char* host) const {
        const auto ca = certificate_from_pem(content("ca.pem"));
        const auto server = certificate_from_pem(content("server.pem"));
        X509_STORE* store = X509_STORE_new();
        X509_STORE_add_cert(store, ca.get());
        X509_STORE_CTX* context = X509_STORE_CTX_new();
        X509_STORE_CTX_init(context, store, server.get(), nullptr);
        auto* parameters = X509_STORE_CTX_get0_param(context);
        X509_VERIFY_PARAM_set_purpose(parameters, X509_PURPOSE_SSL_SERVER);
        X509_VERIFY_PARAM_set_flags(parameters, X509_V_FLAG_X509_STRICT);
        X509_VERIFY_PARAM_set_time(
            parameters, std::chrono::floor<std::chrono::seconds>(now).time_since_epoch().count());
        if (X509_VERIFY_PARAM_set1_ip_asc(parameters, host) != 1) {
            X509_VERIFY_PARAM_set1_host(parameters, host, 0);
        }
        X509_verify_cert(context);
        const int error = X509_STORE_CTX_get_error(context);
        X509_STORE_CTX_free(context);
        X509_STORE_free(store);
        return error;
    }

    testing::TempDir folder_;

private:
    ::mode_t umask_before_;
};

}  // namespace fencegate::proxy
