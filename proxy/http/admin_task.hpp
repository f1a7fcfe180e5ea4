#pragma once
// AdminTask: what an operator may ask of the gateway itself rather than of the store.
// Thread rule: plain values.

#include "storage/verify/verify.hpp"

#include <optional>
#include <string>
#include <variant>

namespace fencegate::proxy {

struct ShowHealth {};
struct ShowReadiness {};
struct ShowMetrics {};

struct ListBackups {};
struct BeginBackup {};
struct ShowBackup {
    std::string name;
};
struct ShowVerification {};
struct BeginVerification {
    std::optional<storage::JournalHead> expected;
};
using BackupTask =
    std::variant<ListBackups, BeginBackup, ShowBackup, ShowVerification, BeginVerification>;

using AdminTask = std::variant<ShowHealth, ShowReadiness, ShowMetrics, BackupTask>;

}  // namespace fencegate::proxy
