#include "proxy/config/endpoint.hpp"

#include <algorithm>
#include <arpa/inet.h>
#include <array>
#include <charconv>
#include <netinet/in.h>
#include <optional>

namespace fencegate::proxy {
namespace {

std::unexpected<Error> not_an_endpoint(std::string_view text) {
    std::string detail("\"");
    detail.append(text).append("\" is not a numeric address with a port; write it like ");
    return fail(ErrorCode::InvalidArgument, detail + "127.0.0.1:8443 or [::1]:8443");
}

std::optional<std::uint16_t> parse_port(std::string_view text) {
    std::uint16_t port = 0;
    const auto [end, ec] = std::from_chars(text.data(), text.data() + text.size(), port);
    if (ec != std::errc() || end != text.data() + text.size()) return std::nullopt;
    return port;
}

template <class Address>
std::optional<Address> parse_address(int family, const std::string& text) {
    Address address{};
    if (::inet_pton(family, text.c_str(), &address) != 1) return std::nullopt;
    return address;
}

// One spelling per address, so that endpoints can be compared: [0:0::1] is ::1.
template <class Address>
std::optional<std::string> canonical(int family, const std::string& text) {
    const auto address = parse_address<Address>(family, text);
    if (!address) return std::nullopt;
    char spelling[INET6_ADDRSTRLEN];
    if (::inet_ntop(family, &*address, spelling, sizeof spelling) == nullptr) return std::nullopt;
    return spelling;
}

std::optional<std::string> parse_host(std::string_view text) {
    if (text.find('\0') != std::string_view::npos) return std::nullopt;
    if (text.starts_with('[') && text.ends_with(']')) {
        return canonical<in6_addr>(AF_INET6, std::string(text.substr(1, text.size() - 2)));
    }
    return canonical<in_addr>(AF_INET, std::string(text));
}

}  // namespace

Result<Endpoint> parse_endpoint(std::string_view text) {
    const auto colon = text.rfind(':');
    if (colon == std::string_view::npos) return not_an_endpoint(text);
    auto host = parse_host(text.substr(0, colon));
    const auto port = parse_port(text.substr(colon + 1));
    if (!host || !port) return not_an_endpoint(text);
    return Endpoint{.host = std::move(*host), .port = *port};
}

std::string to_string(const Endpoint& endpoint) {
    const bool is_v6 = endpoint.host.find(':') != std::string::npos;
    const auto host = is_v6 ? "[" + endpoint.host + "]" : endpoint.host;
    return host + ":" + std::to_string(endpoint.port);
}

bool is_loopback(const Endpoint& endpoint) {
    if (const auto v4 = parse_address<in_addr>(AF_INET, endpoint.host)) {
        return (ntohl(v4->s_addr) >> 24) == 127;
    }
    const auto v6 = parse_address<in6_addr>(AF_INET6, endpoint.host);
    if (!v6) return false;
    if (IN6_IS_ADDR_V4MAPPED(&*v6)) return v6->s6_addr[12] == 127;
    return IN6_IS_ADDR_LOOPBACK(&*v6);
}

bool is_wildcard(const Endpoint& endpoint) {
    return endpoint.host == "0.0.0.0" || endpoint.host == "::";
}

}  // namespace fencegate::proxy
