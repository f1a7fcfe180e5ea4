#pragma once
// Tables: rows by key as the commands of one batch see them: what the engine has, and over it what
// the batch has changed. Nothing is written before collect(); what is read once is not asked for
// again. A batch that is rolled back throws its tables away, and with them all it changed.
// Thread rule: belongs to the store thread. Call only within a transaction.
// Errors: after a failure of the store rows are not found; see readers.hpp.

#include "storage/unit/changes.hpp"
#include "storage/unit/readers.hpp"
#include "storage/unit/row_cache.hpp"

#include <cstddef>
#include <cstdint>
#include <cstring>
#include <optional>
#include <string>
#include <string_view>
#include <unordered_map>
#include <utility>
#include <vector>

namespace fencegate::storage {

class LeaseTable {
public:
    using Token = lockmgr::FencingToken;

    // What is given to the constructors here outlives the tables.
    LeaseTable(LeaseReader& leases, RefusalReader& refusals)
        : reader_(leases), refusal_reader_(refusals) {}

    // nullptr: there is none.
    [[nodiscard]] const lockmgr::Lease* find(Token token);
    // Of the lock's newest lease; the state is as this batch leaves it.
    [[nodiscard]] ChainHead head(const lockmgr::LockName& lock);

    // Raises the counter. nullopt: all tokens were issued.
    [[nodiscard]] std::optional<Token> next_token();
    // Makes the lease the newest of each of its locks.
    void grant(const lockmgr::Lease& lease);
    // Each of these REQUIRES that the lease was found.
    void set_ttl(Token token, Duration ttl);
    void end(Token token, lockmgr::LeaseEnding ending, Stamp at, std::string break_reason = {});
    void supersede(Token token);
    // Counts one more write that the fence refused; returns how many they are.
    [[nodiscard]] std::int64_t count_refusal(Token token);
    void insert_refusal(Token token, std::int64_t number, RefusedWrite refused);

    void collect(Changes& changes);

private:
    struct Slot {
        std::optional<lockmgr::Lease> lease{};
        std::optional<LeaseChange> change{};
        std::optional<std::int64_t> refused{};
    };
    [[nodiscard]] Slot& slot(Token token);
    [[nodiscard]] LeaseChange& change(Token token);

    LeaseReader& reader_;
    RefusalReader& refusal_reader_;
    std::unordered_map<Token, Slot> slots_;
    RowCache<lockmgr::LockName, ChainHead> heads_;
    std::optional<lockmgr::TokenCounter> counter_;
    bool is_counter_changed_ = false;
    std::vector<NewLease> granted_;
    std::vector<Token> changed_;
    std::vector<NewRefusal> refusals_;
};

class AnswerTable {
public:
    explicit AnswerTable(AnswerReader& reader) : reader_(reader) {}

    [[nodiscard]] std::optional<StoredAnswer> find(std::string_view principal,
                                                   const Idempotency& idempotency);
    void insert(std::string_view principal, const Idempotency& idempotency, StoredAnswer answer,
                Stamp at);

    void collect(Changes& changes);

private:
    struct DigestHash {
        [[nodiscard]] std::size_t operator()(const KeyDigest& digest) const noexcept {
            std::size_t hash = 0;  // a digest is as good as random
            std::memcpy(&hash, digest.data(), sizeof hash);
            return hash;
        }
    };
    AnswerReader& reader_;
    std::vector<NewAnswer> inserted_;                                // and not collected yet
    std::unordered_map<KeyDigest, std::size_t, DigestHash> places_;  // of those
};

class PaymentTable {
public:
    explicit PaymentTable(PaymentReader& reader) : reader_(reader) {}

    [[nodiscard]] const Payment* find(const std::string& id);
    void insert(const Payment& payment);
    void update(const Payment& payment);

    // The payment that has this reference of this principal.
    [[nodiscard]] std::optional<std::string> find_reference(const std::string& reference,
                                                            const std::string& principal);
    void insert_reference(const Payment& payment, const std::string& principal);

    void collect(Changes& changes);

private:
    PaymentReader& reader_;
    RowCache<std::string, Payment> payments_;
    RowCache<std::string, NewReference> references_;  // by both
};

class ElectionTable {
public:
    explicit ElectionTable(ElectionReader& reader) : reader_(reader) {}

    [[nodiscard]] const Proclamation* find(const std::string& election);
    void proclaim(const std::string& election, Proclamation proclamation);

    void collect(Changes& changes);

private:
    ElectionReader& reader_;
    RowCache<std::string, Proclamation> rows_;
};

class RunTable {
public:
    explicit RunTable(RunReader& reader) : reader_(reader) {}

    [[nodiscard]] const Run* find(const std::string& job, const std::string& slot);
    void put(const Run& run);

    void collect(Changes& changes);

private:
    RunReader& reader_;
    RowCache<std::string, Run> rows_;  // by job and slot
};

class ConsumerTable {
public:
    explicit ConsumerTable(ConsumerReader& reader) : reader_(reader) {}

    [[nodiscard]] const Consumer* find(const std::string& name);
    void put(const Consumer& consumer);
    void erase(const std::string& name);

    void collect(Changes& changes);

private:
    ConsumerReader& reader_;
    RowCache<std::string, Consumer> rows_;
};

}  // namespace fencegate::storage
