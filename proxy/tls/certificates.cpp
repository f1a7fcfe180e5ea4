#include "proxy/tls/certificates.hpp"

#include "base/file.hpp"
#include "base/start_failure.hpp"
#include "proxy/tls/certificate_issuer.hpp"

#include <algorithm>
#include <array>
#include <unistd.h>

namespace fencegate::proxy {
namespace {

using std::filesystem::path;

constexpr std::size_t kPemBytesMax = 262'144;
constexpr auto kReissueBefore = std::chrono::days(30);

std::unexpected<Error> refuse(const path& file, std::string_view fault_and_advice) {
    return fail_start(StartFailure::CannotRead, file.string().append(" ").append(fault_and_advice));
}

// A dangling link exists: replacing it would undo what the operator meant.
bool is_there(const path& file) {
    std::error_code ec;
    return std::filesystem::symlink_status(file, ec).type() !=
           std::filesystem::file_type::not_found;
}

// nullptr for a file that is not there.
template <class Handle>
Result<Handle> load_if_there(const path& file, Handle (*parse)(std::string_view),
                             std::string_view fault_and_advice) {
    if (!is_there(file)) return Handle();
    const auto pem = read_file(file, kPemBytesMax);
    if (!pem) return std::unexpected(pem.error());
    auto handle = parse(*pem);
    if (!handle) return refuse(file, fault_and_advice);
    return handle;
}

Result<X509Ptr> load_certificate(const path& file) {
    return load_if_there(file, certificate_from_pem,
                         "is not a PEM certificate; restore it from a backup");
}

Result<PrivateKeyPtr> load_private_key(const path& file) {
    return load_if_there(file, private_key_from_pem,
                         "is not an unencrypted PEM private key; restore it from a backup");
}

class CertificateFolder {
public:
    CertificateFolder(const path& folder, std::span<const std::string> hosts, WallTime now)
        : ca_file_(folder / "ca.pem"),
          ca_key_file_(folder / "ca.key"),
          server_file_(folder / "server.pem"),
          server_key_file_(folder / "server.key"),
          hosts_(hosts),
          now_(now) {}

    // Everything that can be refused, before anything is written.
    Result<> check() {
        if (auto loaded = load(); !loaded) return loaded;
        if (auto complete = check_set(); !complete) return complete;
        return check_end();
    }

    Result<CertificateFiles> ensure() {
        if (auto sound = check(); !sound) return std::unexpected(sound.error());
        if (auto restored = restore_ca(); !restored) return std::unexpected(restored.error());
        auto done = server_ ? reissue_if_needed() : issue();
        if (!done) return std::unexpected(std::move(done.error()));
        warn_about_open_keys();
        return CertificateFiles{.ca = is_from_local_ca() ? ca_file_ : path(),
                                .server = server_file_,
                                .server_key = server_key_file_,
                                .notices = std::move(notices_)};
    }

private:
    Result<> load() {
        auto ca = load_certificate(ca_file_);
        if (!ca) return std::unexpected(std::move(ca.error()));
        auto ca_key = load_private_key(ca_key_file_);
        if (!ca_key) return std::unexpected(std::move(ca_key.error()));
        auto server = load_certificate(server_file_);
        if (!server) return std::unexpected(std::move(server.error()));
        auto server_key = load_private_key(server_key_file_);
        if (!server_key) return std::unexpected(std::move(server_key.error()));
        ca_ = std::move(*ca);
        ca_key_ = std::move(*ca_key);
        server_ = std::move(*server);
        server_key_ = std::move(*server_key);
        return {};
    }

    // Refuses the sets that no crash of ours leaves behind: a person has to say what was meant.
    Result<> check_set() const {
        if (server_ && !server_key_) {
            return refuse(server_key_file_,
                          "is missing beside server.pem; restore it, or remove "
                          "server.pem to have a new pair issued");
        }
        if (!server_ && server_key_ && !ca_key_) {
            return refuse(server_file_,
                          "is missing beside server.key; put the certificate chain "
                          "there, or remove server.key to have a new pair issued");
        }
        if (!server_ && ca_ && !ca_key_) {
            return refuse(ca_key_file_,
                          "is missing, so no server certificate can be issued; "
                          "restore it, or remove ca.pem to start with a new CA "
                          "(clients then need the new ca.pem)");
        }
        if (ca_ && ca_key_ && !belong_together(*ca_, *ca_key_)) {
            return refuse(ca_key_file_,
                          "is not the key of ca.pem; restore the pair from one backup");
        }
        if (server_ && !belong_together(*server_, *server_key_)) {
            return refuse(server_key_file_,
                          "is not the key of server.pem; put a matching pair "
                          "there, or remove both to have a new pair issued");
        }
        return {};
    }

    // Of one that we cannot issue again.
    Result<> check_end() const {
        if (!server_ || not_after(*server_) > now_) return {};
        const bool is_ours = is_from_local_ca();
        if (is_ours && ca_key_) return {};
        return refuse(server_file_, std::string("expired at ") + rfc3339(not_after(*server_)).text +
                                        "; put a new certificate and key there" +
                                        (is_ours ? ", or ca.key to have one issued" : ""));
    }

    static bool belong_together(const X509& certificate, const EVP_PKEY& key) {
        const bool is_match = X509_check_private_key(&certificate, &key) == 1;
        (void)drain_openssl_errors();
        return is_match;
    }

    [[nodiscard]] bool is_from_local_ca() const {
        auto* key = ca_ ? X509_get0_pubkey(ca_.get()) : ca_key_.get();
        if (key == nullptr || !server_) return false;
        const bool is_signed = X509_verify(server_.get(), key) == 1;
        (void)drain_openssl_errors();
        return is_signed;
    }

    Result<> reissue_if_needed() {
        const auto end = not_after(*server_);
        const auto missing = std::ranges::find_if(
            hosts_, [this](const auto& host) { return !is_valid_for(*server_, host); });
        const bool is_ending = end - now_ < kReissueBefore;
        const auto begin = not_before(*server_);
        const bool is_early = begin > now_;
        const bool is_ours = is_from_local_ca();
        const bool is_wanting = is_early || is_ending || missing != hosts_.end();
        if (is_ours && ca_key_ && is_wanting) return issue();
        // Unlike one that is over it becomes good by itself, and the clock may be what is wrong.
        if (is_early) {
            notices_.push_back(server_file_.string() + " is not valid before " +
                               rfc3339(begin).text + ", and it is " + rfc3339(now_).text +
                               ": clients refuse it until then" +
                               (is_ours ? "; put ca.key back to have it reissued" : ""));
        }
        if (is_ending) {
            notices_.push_back(server_file_.string() + " ends at " + rfc3339(end).text +
                               "; replace it before");
        }
        // An operator's own certificate names what the operator wants.
        if (is_ours && missing != hosts_.end()) {
            notices_.push_back(server_file_.string() + " is not valid for " + *missing +
                               "; put ca.key back to have it reissued");
        }
        return {};
    }

    // Of the same key and name, so what the lost one signed stays valid.
    Result<> restore_ca() {
        const bool is_good = ca_ && is_valid_now(*ca_);
        return ca_key_ && !is_good ? ensure_ca() : Result<>();
    }

    [[nodiscard]] bool is_valid_now(X509& certificate) const {
        return not_before(certificate) <= now_ && now_ < not_after(certificate);
    }

    // Keys before certificates, the CA before the server: whatever a crash leaves of this
    // order, the next start completes.
    Result<> issue() {
        const bool is_first = !ca_ && !ca_key_ && !server_;
        if (auto made = ensure_key(ca_key_, ca_key_file_); !made) return made;
        if (auto made = ensure_ca(); !made) return made;
        if (auto made = ensure_key(server_key_, server_key_file_); !made) return made;
        auto server =
            issue_server_certificate(*ca_, *ca_key_, *server_key_, hosts_, now_, server_.get());
        if (!server) return std::unexpected(std::move(server.error()));
        if (auto written = write(**server, server_file_); !written) return written;
        server_ = std::move(*server);
        notices_.push_back(is_first ? "created a local CA and a server certificate; give " +
                                          ca_file_.string() + " to clients"
                                    : "issued " + server_file_.string() + " from the local CA");
        return {};
    }

    Result<> ensure_ca() {
        if (ca_ && is_valid_now(*ca_)) return {};
        if (ca_) {
            notices_.push_back(ca_file_.string() + " was valid from " +
                               rfc3339(not_before(*ca_)).text + " to " +
                               rfc3339(not_after(*ca_)).text + ", and it is " + rfc3339(now_).text +
                               "; issued it again of the same key: give it to clients again");
        }
        auto ca = issue_ca_certificate(*ca_key_, now_, ca_.get());
        if (!ca) return std::unexpected(std::move(ca.error()));
        if (auto written = write(**ca, ca_file_); !written) return written;
        ca_ = std::move(*ca);
        return {};
    }

    static Result<> ensure_key(PrivateKeyPtr& key, const path& file) {
        if (key) return {};
        auto generated = generate_private_key();
        if (!generated) return std::unexpected(std::move(generated.error()));
        const auto pem = to_pem(**generated);
        if (!pem) return std::unexpected(pem.error());
        if (auto written = write_file_atomically(file, *pem, FileMode::Secret); !written) {
            return written;
        }
        key = std::move(*generated);
        return {};
    }

    static Result<> write(X509& certificate, const path& file) {
        const auto pem = to_pem(certificate);
        if (!pem) return std::unexpected(pem.error());
        return write_file_atomically(file, *pem, FileMode::Public);
    }

    void warn_about_open_keys() {
        for (const auto& file : {ca_key_file_, server_key_file_}) {
            std::error_code ec;
            const auto mode = std::filesystem::status(file, ec).permissions();
            if (ec ||
                (mode & std::filesystem::perms::others_read) == std::filesystem::perms::none) {
                continue;
            }
            notices_.push_back(file.string() + " can be read by every user; chmod 600 it");
        }
    }

    path ca_file_;
    path ca_key_file_;
    path server_file_;
    path server_key_file_;
    std::span<const std::string> hosts_;
    WallTime now_;

    X509Ptr ca_;
    PrivateKeyPtr ca_key_;
    X509Ptr server_;
    PrivateKeyPtr server_key_;
    std::vector<std::string> notices_;
};

}  // namespace

Result<CertificateFiles> ensure_certificates(const path& data_dir,
                                             std::span<const std::string> hosts, WallTime now) {
    if (auto made = make_private_directory(data_dir); !made) return std::unexpected(made.error());
    return CertificateFolder(data_dir, hosts, now).ensure();
}

Result<> check_certificates(const path& data_dir, WallTime now) {
    return CertificateFolder(data_dir, {}, now).check();
}

std::vector<std::string> certificate_hosts(const Endpoint& listen) {
    std::vector<std::string> hosts{"localhost", "127.0.0.1", "::1"};
    const auto add = [&hosts](std::string host) {
        if (std::ranges::find(hosts, host) == hosts.end()) hosts.push_back(std::move(host));
    };
    std::array<char, 256> name{};
    if (::gethostname(name.data(), name.size() - 1) == 0 && name[0] != '\0') add(name.data());
    if (!is_wildcard(listen)) add(listen.host);
    return hosts;
}

Result<Validity> certificate_validity(const path& file) {
    const auto pem = read_file(file, kPemBytesMax);
    if (!pem) return std::unexpected(pem.error());
    const auto certificate = certificate_from_pem(*pem);
    if (!certificate) return refuse(file, "is not a PEM certificate; restore it from a backup");
    return Validity{not_before(*certificate), not_after(*certificate)};
}

}  // namespace fencegate::proxy
