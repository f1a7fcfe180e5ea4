#pragma once
// A store with a random life: locks taken, renewed, released, broken and run out, payments created,
// captured, refunded and cancelled, keys repeated by the same holder and by a successor, under
// stale tokens and with other bodies; clean restarts, kills, power cuts and full disks in between.
// What the answers promise is held against the later ones; what the rows promise is for `verify`.
// Owns: the course of events and the record of answers. Refuses to own: waiters, runs, elections
// and restores, which tests/simulation has, and the checks of rows. Thread rule: one thread, and
// one object at a time. Errors: wrong() tells the first contradiction.

#include "storage/verify/verify.hpp"
#include "tests/support/forgetful_disk.hpp"
#include "tests/support/store_harness.hpp"

#include <deque>
#include <map>
#include <set>
#include <string>
#include <vector>

namespace fencegate::testing {

class RandomHistory {
public:
    explicit RandomHistory(std::uint64_t seed);

    // Ten to thirty events, each a batch of one to three commands, or time, or a fault.
    void sequence();
    // Whether the store came back after its last fault.
    [[nodiscard]] bool is_open() const noexcept { return store_.store != nullptr; }
    // Of the rows as they are now, and whether the journal still has the head that it had before.
    // REQUIRES: is_open(), for this and the next.
    [[nodiscard]] storage::VerifyReport verify();
    // The same of the file, after the store has been left without a goodbye.
    [[nodiscard]] Result<storage::VerifyReport> verify_file();

    [[nodiscard]] const std::string& wrong() const noexcept { return wrong_; }
    using Tally = std::map<std::string, std::size_t>;
    [[nodiscard]] const Tally& tally() const noexcept { return tally_; }

private:
    struct Grant {
        std::string lease_id;
        std::int64_t token = 0;
        std::string principal;
        std::string payment;  // of its first lock
    };
    // What was asked under a key, and what was said first.
    struct Asked {
        storage::Operation operation;
        std::string principal;
        bool is_answered = false;
        std::optional<ErrorCode> refusal{};
        std::string body{};
        std::string resource_id{};
    };

    void step();
    void run_commands();
    void take(const storage::Operation& operation, const std::string& principal,
              const storage::Answer& answer);
    void take_under_key(const storage::Operation& operation, const std::string& principal,
                        const storage::Answer& answer);
    void take_first(Asked& asked, const storage::Answer& answer);
    void look_for_another_answer(const Asked& asked, const storage::Answer& answer);
    void look_at_fence(const storage::MovePayment& move);
    void note_grant(const storage::AcquireLock& acquire, const std::string& principal,
                    const storage::Answer& answer);
    void note_end(const storage::Operation& operation);

    [[nodiscard]] storage::Operation draw(const std::string& principal);
    [[nodiscard]] storage::Operation draw_acquire();
    [[nodiscard]] storage::Operation draw_create();
    [[nodiscard]] storage::Operation draw_move(storage::MovePayment::Kind kind,
                                               const std::string& principal);
    [[nodiscard]] storage::Operation draw_end(const std::string& principal);
    [[nodiscard]] std::optional<storage::Operation> draw_repeat(const std::string& principal);
    [[nodiscard]] const Grant* draw_grant(const std::string& principal);
    [[nodiscard]] std::string draw_payment();
    [[nodiscard]] std::int64_t below(std::uint64_t bound) {
        return static_cast<std::int64_t>(random_.below(bound));
    }

    void let_time_pass();
    void fail_somehow();
    void restart(bool is_clean);
    void checkpoint();
    void say(std::string what);

    SeededRandom random_;
    ForgetfulDisk disk_;  // before the store, which opens its files through it
    StoreHarness store_;
    std::uint64_t last_name_ = 0;
    std::vector<std::string> payments_;
    std::deque<Grant> grants_;                    // the last ones
    std::map<std::string, std::int64_t> newest_;  // token by lock, of what was acknowledged
    std::set<std::int64_t> sealed_;               // tokens whose release or break was acknowledged
    std::deque<std::pair<std::string, Asked>> asked_;  // by key, the last ones
    std::optional<storage::JournalHead> head_;
    std::string wrong_;
    Tally tally_;
};

}  // namespace fencegate::testing
