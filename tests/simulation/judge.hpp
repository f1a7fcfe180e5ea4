#pragma once
// Judge: goes through one batch in the order in which the store had to, and holds every answer
// against the timeline. What it finds right it writes into the timeline.
//
// A batch whose outcome nobody was told is gone through without answers: then the judge says what
// the rows must look like if it was committed, taking new tokens from the rows.
// Thread rule: one thread. Errors: throws Violation.

#include "tests/simulation/rows.hpp"
#include "tests/simulation/timeline.hpp"
#include "tests/simulation/violation.hpp"

#include <span>

namespace fencegate::simulation {

using Answers = std::map<Ticket, Answer>;

struct BatchFacts {
    BootTime now{};
    BootTime taken{};  // who had arrived by then is in here or was before
    BootTime done{};   // committed
    WallTime wall{};
    std::vector<storage::Request> requests{};
    std::vector<Ticket> cancelled{};
    bool was_full = false;       // the disk refused a write meanwhile
    bool timers_wait = false;    // it was full a moment ago
    bool timers_waited = false;  // already before this batch
};

// What the operator has set.
struct Terms {
    lockmgr::LockClasses classes;
    lockmgr::WaitLimits limits{};
    storage::Retention retention{};
};

// True for ever, in every timeline: what a restore cannot make unhappen.
struct History {
    std::int64_t highest_token = 0;                // ever committed
    std::map<std::string, std::int64_t> revealed;  // the highest token told, by lock
};

// For messages.
[[nodiscard]] std::string describe(const Command& command);
[[nodiscard]] std::string describe(const Answer& answer);
[[nodiscard]] std::string_view name_of(const storage::Operation& operation);

class Judge {
public:
    // `answers` is nullptr if nobody was told.
    Judge(Timeline& timeline, const History& history, const Rows& rows, const Terms& terms,
          const BatchFacts& batch, const Answers* answers);

    void judge();

    [[nodiscard]] std::int64_t highest_token() const noexcept { return highest_token_; }
    // Somebody began to wait, or was answered after waiting.
    [[nodiscard]] bool has_moved_lines() const noexcept { return has_moved_lines_; }
    // Requests refused for good, and nothing of it stored.
    [[nodiscard]] const std::vector<std::string>& refused() const noexcept { return refused_; }

private:
    using Request = storage::Request;
    using PresentedToken = lockmgr::PresentedToken;

    // judge.cpp: what the clock and the dead do, and the lines.
    // What fell due until `at` comes before what arrived then.
    void advance(BootTime at);
    void give_up_cancelled();
    void time_out_due();
    void leave_lines_for_later();
    void end_rests();
    void expire_due();
    void end(HeldLease& lease, LeaseState how);
    void refuse_waiter(std::size_t at, ErrorCode code, Rule if_accepted);
    std::optional<Duration> keep_place(const WaitingAcquire& waiter);
    void serve_waiters();
    [[nodiscard]] std::optional<std::size_t> next_to_serve() const;
    [[nodiscard]] bool is_to_be_refused(const WaitingAcquire& waiter) const;
    void serve(const WaitingAcquire& waiter);
    void command(const Request& request);
    void remember_write(const Command& command, const storage::Idempotency& idempotency,
                        const Answer* answer);
    // What X-Fence-Release asks for, once the write has succeeded.
    void release_on_write(const Request& request, const Answer* answer);
    void expect_nothing_else() const;
    // What no client asks for.
    template <class Other>
    void decide(const Request& request, const Other&) {
        throw Violation(Rule::Answer, describe(request.command) + " was not to be asked");
    }

    // judge_acquire.cpp
    void decide(const Request& request, const storage::AcquireLock& acquire);
    // Who comes back stands where it stood.
    void stand_in_line(WaitingAcquire waiter);
    [[nodiscard]] std::optional<ErrorCode> refuse_wait(const Command& command,
                                                       const storage::AcquireLock& acquire) const;
    // May record the run as missed.
    [[nodiscard]] std::optional<ErrorCode> refuse_purpose(const storage::AcquireLock& acquire);
    [[nodiscard]] bool may_hold(const std::string& principal, const LockSet& locks) const;
    [[nodiscard]] bool may_wait(const std::string& principal, const LockSet& locks) const;
    void grant(Ticket ticket, const Command& command, Duration ttl);
    void install(const HeldLease& lease, const storage::Purpose& purpose);
    [[nodiscard]] std::int64_t token_of_grant(const Answer* answer) const;
    [[nodiscard]] std::optional<Duration> ttl_for(std::optional<Duration> asked,
                                                  const LockSet& locks) const;
    [[nodiscard]] lockmgr::LockClass terms_of(const LockSet& locks) const;

    // judge_leases.cpp
    void decide(const Request& request, const storage::RenewLease& renew);
    void decide(const Request& request, const storage::ReleaseLease& release);
    void decide(const Request& request, const storage::BreakLock& broken);
    void decide(const Request& request, const storage::ReadLease& read);
    void decide(const Request& request, const storage::ReadLock& read);
    void decide(const Request& request, const storage::ListLocks& list);
    void decide(const Request& request, const storage::ReadHistory& history);
    void decide(const Request& request, const storage::VerifyFence& verify);
    void decide(const Request& request, const storage::FindDeadlocks& find);
    // Its time is over, whatever the rows say.
    [[nodiscard]] bool is_over(const HeldLease& lease) const;
    [[nodiscard]] std::optional<ErrorCode> refuse_as_not_own(const HeldLease* lease,
                                                             const std::string& principal) const;
    // Changes what is known of the lease unless it is refused.
    [[nodiscard]] std::optional<ErrorCode> renew(HeldLease& lease, Duration ttl,
                                                 std::optional<std::int64_t> progress) const;

    // judge_roles.cpp: elections and runs.
    void decide(const Request& request, const storage::Proclaim& proclaim);
    void decide(const Request& request, const storage::Resign& resign);
    void decide(const Request& request, const storage::ReadElection& read);
    void decide(const Request& request, const storage::FinishRun& finish);
    void decide(const Request& request, const storage::ReadRun& read);
    void expect_election(const Answer* answer, const Command& command, const std::string& name);

    // judge_payments.cpp
    void decide(const Request& request, const storage::CreatePayment& create);
    void decide(const Request& request, const storage::MovePayment& move);
    void decide(const Request& request, const storage::ReadPayment& read);
    void decide(const Request& request, const storage::ListRefunds& list);

    // judge_fence.cpp. True if the write is refused by its fence; the answer has been judged then.
    [[nodiscard]] bool is_fenced_out(const Request& request, const PresentedToken& token,
                                     const std::string* lock);
    [[nodiscard]] std::optional<ErrorCode> fence(const Command& command,
                                                 const PresentedToken& token,
                                                 const std::string* lock) const;
    [[nodiscard]] Rule rule_of_fence(ErrorCode refusal, const PresentedToken& token,
                                     const std::string* lock) const;

    // judge_answers.cpp: what was told, and which promise a wrong answer breaks.
    // Good until the next call.
    [[nodiscard]] const Answer* take_answer(Ticket ticket);
    void expect_refusal(const Request& request, ErrorCode code, Rule if_accepted);
    void expect_refusal(Ticket ticket, const Command& command, ErrorCode code, Rule if_accepted);
    // Nothing if nobody was told.
    const Answer* expect_success(Ticket ticket, const Command& command, Rule if_refused);
    void expect_repeated(const Request& request);
    // Of the refusal that was looked at last: where the waiter stands, or would if it came now.
    void expect_place(const WaitingAcquire& waiter, std::optional<Duration> kept) const;
    void expect_text(const Answer* answer, const Command& command, const std::string& part) const;
    // True if the key has an answer, or is used by a waiter; the answer has been judged then.
    [[nodiscard]] bool is_answered_by_key(const Request& request,
                                          const storage::Idempotency& idempotency);
    void expect_replay(const Request& request, const KeyRecord& record);
    [[nodiscard]] ErrorCode ended_grant(const Command& command, const HeldLease& lease) const;
    void remember(const Command& command, const storage::Idempotency& idempotency,
                  std::optional<ErrorCode> refusal, const Answer* answer,
                  std::optional<std::int64_t> token);
    [[noreturn]] void blame_grant(Ticket ticket, const Command& command) const;

    Timeline& timeline_;
    const History& history_;
    const Rows& rows_;
    const Terms& terms_;
    const BatchFacts& batch_;
    const bool is_told_;
    Answers left_;   // to be judged
    Answer taken_;   // being judged
    BootTime at_{};  // how far the order of events has come
    LockSet freed_;  // by those who left the lines
    std::int64_t highest_token_;
    bool has_moved_lines_ = false;
    bool is_refused_ = false;          // the command that is being judged
    bool is_answered_by_key_ = false;  // likewise
    std::vector<std::string> refused_;
};

}  // namespace fencegate::simulation
