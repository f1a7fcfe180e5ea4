#pragma once
// A random course of batches against the store, and everything the store acknowledged of it: what
// it is held to after a crash.
// Owns: the course of events and the record. Refuses to own: how the disk fails meanwhile.
// Thread rule: one thread. Errors: contradictions() lists them.

#include "tests/support/seeded_random.hpp"
#include "tests/support/store_harness.hpp"

#include <cstdint>
#include <map>
#include <string>
#include <vector>

namespace fencegate::testing {

class AcknowledgedWork {
public:
    explicit AcknowledgedWork(std::uint64_t seed) : random_(seed) {}

    // Batches, and now and then a checkpoint, until the store is fatal or that many were run.
    void run(StoreHarness& store, std::size_t batches);
    void run_one_batch(StoreHarness& store);

    // After a restart: asks for the outcome of what was never answered, as far as it was written.
    // What the store tells then is acknowledged from now on. Writes nothing.
    void ask_for_outcomes(StoreHarness& restarted);

    // Acknowledgements that a reopened store does not stand by, and broken invariants of its file.
    // Uses the store: asks again under the same keys, and takes one more lock.
    [[nodiscard]] std::vector<std::string> contradictions(StoreHarness& reopened) const;
    // Of the file as it lies there, before the store has opened and recovered it. For files too
    // damaged to be opened.
    [[nodiscard]] static std::vector<std::string> damage(const std::filesystem::path& folder);

    [[nodiscard]] std::size_t acknowledged() const {
        return grants_.size() + refunds_.size() + payments_.size();
    }
    // Answers other than OutcomeUnknown that came after the store was fatal: promises it cannot
    // keep.
    [[nodiscard]] std::size_t answers_after_fatal() const { return answers_after_fatal_; }
    [[nodiscard]] std::size_t refused_as_full() const { return refused_as_full_; }

private:
    struct Asked {
        enum class What : std::uint8_t { Acquire, Refund, Release, Create } what;
        std::string payment;
        std::string key;
        std::int64_t amount_minor = 0;
        std::int64_t token = 0;  // of a refund
        std::string lease_id;    // of a release
    };
    struct Grant {
        std::string payment;
        std::string lease_id;
        bool is_released = false;
    };
    struct RefundMade {
        Asked asked;
        std::string body;
    };

    [[nodiscard]] storage::Operation ask(std::vector<Asked>& asked);
    [[nodiscard]] storage::Operation ask_refund(Asked& asked);
    void note(const Asked& asked, const storage::Answer& answer);
    [[nodiscard]] static bool is_answered(StoreHarness& store, const Asked& asked);
    void check_sums(StoreHarness& store, std::vector<std::string>& wrong) const;
    void check_grants(StoreHarness& store, std::vector<std::string>& wrong) const;
    void check_refunds(StoreHarness& store, std::vector<std::string>& wrong) const;

    SeededRandom random_;
    int last_name_ = 0;
    std::vector<std::string> payments_;
    std::map<std::int64_t, Grant> grants_;  // by token
    std::vector<RefundMade> refunds_;
    std::vector<Asked> unknown_refunds_;
    std::size_t answers_after_fatal_ = 0;
    std::size_t refused_as_full_ = 0;
};

}  // namespace fencegate::testing
