#pragma once
// Subscription: what a request for a stream asks for: which events, and, if the stream begins with
// the state of something, the command that reads it.
// Thread rule: plain values.

#include "storage/model/command.hpp"
#include "storage/model/lock_notice.hpp"

#include <cstddef>
#include <optional>
#include <string>

namespace fencegate::proxy {

// Which notices a watcher wants. The empty filter takes all of them.
struct WatchFilter {
    enum class Kind : std::uint8_t { Prefix, Lock };
    Kind kind = Kind::Prefix;
    // The name of one lock, or what a name must begin with. A prefix is compared byte by byte:
    // "payments/pay_1" is one of "payments/pay_12" too; end it with '/' to stop at a segment.
    std::string text{};

    // True if one of the locks of the notice is wanted. A notice without a lock, such as a refusal
    // of a token nobody knows, is for those who watch everything.
    [[nodiscard]] bool wants(const storage::LockNotice& notice) const noexcept;
};

struct Subscription {
    WatchFilter filter{};
    // Its answer's body is the first event, "state". What happens while it is read follows behind.
    std::optional<storage::Operation> snapshot{};
};

}  // namespace fencegate::proxy
