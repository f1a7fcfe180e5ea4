#include "storage/postgres/server_url.hpp"

#include "base/start_failure.hpp"

#include <libpq-fe.h>

#include <algorithm>
#include <array>
#include <memory>

namespace fencegate::storage::postgres {
namespace {

struct Default {
    std::string_view name;
    std::string_view value;
};

// A server that is gone is noticed within ten seconds or so, not after two hours.
constexpr std::array kDefaults{
    Default{"connect_timeout", "5"},      Default{"keepalives_idle", "5"},
    Default{"keepalives_interval", "2"},  Default{"keepalives_count", "3"},
    Default{"tcp_user_timeout", "10000"},
};

std::unexpected<Error> refuse(std::string_view why) {
    return fail_start(StartFailure::BadConfig,
                      "The url of the store cannot be used: " + std::string(why) + ".");
}

}  // namespace

Result<ServerUrl> ServerUrl::parse(std::string_view text) {
    char* why = nullptr;
    const std::unique_ptr<PQconninfoOption, decltype(&::PQconninfoFree)> options(
        ::PQconninfoParse(std::string(text).c_str(), &why), ::PQconninfoFree);
    ::PQfreemem(why);  // it may repeat the text, and so the password
    if (!options)
        return refuse("it is neither postgresql://user@host/database nor name=value pairs");
    ServerUrl url;
    for (const auto* option = options.get(); option->keyword != nullptr; ++option) {
        if (option->val != nullptr) url.settings_.emplace_back(option->keyword, option->val);
    }
    if (auto sound = url.check(); !sound) return std::unexpected(std::move(sound.error()));
    for (const auto& [name, value] : kDefaults) url.set_default(name, value);
    if (!url.is_local()) url.set_default("sslmode", "verify-full");
    return url;
}

Result<> ServerUrl::check() const {
    const auto* host = find("host");
    if (host == nullptr || host->empty()) return refuse("it names no host");
    if (find("service") != nullptr) return refuse("a service file would name another server");
    for (const auto* name : {"host", "hostaddr", "port"}) {
        const auto* value = find(name);
        if (value != nullptr && value->find(',') != std::string::npos)
            return refuse(
                "it names more than one server, and which of them has all that was acknowledged "
                "is not known to a client; name the primary");
    }
    const auto* mode = find("sslmode");
    if (mode != nullptr && *mode != "verify-full" && !is_local())
        return refuse("sslmode is " + *mode +
                      ", so that anybody on the way could be the server; make it verify-full and "
                      "name the CA with sslrootcert");
    return {};
}

bool ServerUrl::is_local() const {
    const auto* host = find("host");
    const auto* address = find("hostaddr");
    const auto is_loopback = [](const std::string& name) {
        return name == "localhost" || name.starts_with("127.") || name == "::1";
    };
    if (address != nullptr) return is_loopback(*address);
    return host->starts_with("/") || is_loopback(*host);
}

const std::string* ServerUrl::find(std::string_view name) const noexcept {
    const auto found =
        std::ranges::find_if(settings_, [&](const auto& setting) { return setting.first == name; });
    return found == settings_.end() ? nullptr : &found->second;
}

std::string ServerUrl::place() const {
    const auto* database = find("dbname");
    return (database == nullptr ? "the default database" : "\"" + *database + "\"") + " on " +
           *find("host");
}

void ServerUrl::set_default(std::string_view name, std::string_view value) {
    if (find(name) == nullptr) settings_.emplace_back(name, value);
}

}  // namespace fencegate::storage::postgres
