#pragma once
// What one client of the crash test asked for and was told: the claims a restarted gateway is held
// to. Owns: the record. Thread rule: written by one client, read after it has ended. Errors: none.

#include <cstdint>
#include <string>
#include <vector>

namespace fencegate::testing {

// Unknown: the gateway died before it answered.
enum class Fate : std::uint8_t { Unknown, Done, Refused };

struct AcquireRecord {
    std::string payment;
    std::string key;
    Fate fate = Fate::Unknown;
    std::string lease_id;
    std::int64_t token = 0;
    bool is_released = false;  // and told so
};

struct RefundRecord {
    std::string payment;
    std::string key;
    std::string token;
    std::int64_t amount_minor = 0;
    Fate fate = Fate::Unknown;
    std::string body;       // of the answer
    std::string refund_id;  // once done
};

struct Diary {
    std::vector<AcquireRecord> acquires;
    std::vector<RefundRecord> refunds;
};

}  // namespace fencegate::testing
