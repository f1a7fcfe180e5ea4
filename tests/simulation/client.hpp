#pragma once
// Client: a worker with a small program and no idea what is true: acquires, reads, writes under its
// token, renews, releases; repeats what it got no answer to under the same key; sleeps past its
// lease and goes on as if nothing had happened; and sometimes lies.
// Owns: what this client believes. Refuses to own: what is so (oracle.hpp).
// Thread rule: one thread.

#include "tests/simulation/network.hpp"

#include <vector>

namespace fencegate::simulation {

// A grant, as its client remembers it.
struct Grant {
    LockSet locks;
    std::int64_t token = 0;
    Uuid lease_id{};
    std::optional<storage::ClaimRun> run;
    std::string election;
    std::int64_t renewals = 0;  // what it tells as its progress
};

// What clients may do, and learn of each other.
class Surroundings {
public:
    virtual ~Surroundings() = default;
    [[nodiscard]] virtual Duration now() const = 0;
    virtual void send(const Call& call) = 0;
    // The client's connection for this call is closed.
    virtual void leave(std::uint64_t call) = 0;
    virtual void note(std::string line) = 0;

    std::vector<std::string> payments;
    std::vector<std::string> locks;  // taken by one or by readers
    std::vector<std::string> pools;  // taken by so many
    std::vector<std::string> elections;
    std::vector<lockmgr::RunSlot> slots;
    std::vector<std::string> role_locks;  // of the elections and runs
    std::vector<Grant> known_grants;      // of anybody: what a liar has to choose from
    std::uint64_t last_call = 0;
};

class Client {
public:
    Client(std::size_t index, const Options& options, const Settings& settings);

    void act(Surroundings& world);
    void hear(Surroundings& world, const AnswerMessage& message);
    // The gateway has died: no answer will come.
    void lose_connection(std::uint64_t call, Duration now);
    [[nodiscard]] bool is_awake(Duration now) const noexcept { return now >= asleep_until_; }

private:
    struct Pending {
        Call call;
        Duration patient_until{};
        int times_sent = 1;
    };

    [[nodiscard]] Duration patience();
    void insist(Surroundings& world);
    void begin(Surroundings& world, storage::Operation operation);
    void resend(Surroundings& world);
    void come_back(Surroundings& world, Call call);
    [[nodiscard]] bool goes_another_round(Surroundings& world, const Answer& answer);
    void hear_grant(Surroundings& world, const Answer& answer);
    void forget_grant();

    // client_program.cpp: what to ask next.
    [[nodiscard]] storage::Operation choose(Surroundings& world);
    [[nodiscard]] storage::Operation choose_as_holder(Surroundings& world);
    [[nodiscard]] storage::Operation choose_as_nobody(Surroundings& world);
    [[nodiscard]] storage::Operation write_under(Surroundings& world, const Grant& grant);
    [[nodiscard]] storage::FinishRun finish(const std::string& job, const lockmgr::RunSlot& slot,
                                            lockmgr::PresentedToken token);
    [[nodiscard]] storage::Operation renew(const Grant& grant);
    [[nodiscard]] storage::Operation move(Surroundings& world, const std::string& payment,
                                          lockmgr::PresentedToken token);
    [[nodiscard]] storage::Operation create(Surroundings& world, lockmgr::PresentedToken token);
    [[nodiscard]] storage::Operation read(Surroundings& world);
    [[nodiscard]] storage::Operation forge(Surroundings& world);
    // Gives a write that needs none a key of its own, sometimes.
    void key(Surroundings& world, storage::Operation& operation);
    [[nodiscard]] storage::Idempotency new_key(Surroundings& world, std::string_view body);
    [[nodiscard]] std::optional<std::int64_t> amount();
    [[nodiscard]] bool rolls(Kind kind, std::uint64_t chance);
    [[nodiscard]] std::string any_of(const std::vector<std::string>& names);
    [[nodiscard]] lockmgr::LockName any_lock_of(const std::vector<std::string>& names);
    [[nodiscard]] Grant known_grant(const Surroundings& world);
    [[nodiscard]] std::string new_value(const Surroundings& world);

    // client_acquires.cpp: what it takes locks for.
    [[nodiscard]] storage::Operation acquire(Surroundings& world);
    void take_locks(const Surroundings& world, storage::AcquireLock& acquire);
    void take_semaphore(const Surroundings& world, storage::AcquireLock& acquire);
    void take_run(const Surroundings& world, storage::AcquireLock& acquire);
    void take_election(const Surroundings& world, storage::AcquireLock& acquire);
    [[nodiscard]] lockmgr::RunSlot any_slot(const Surroundings& world);
    [[nodiscard]] std::optional<Duration> ttl();

    const Options& options_;
    const Settings& settings_;
    const std::size_t index_;
    const std::string principal_;
    const std::string owner_;
    testing::SeededRandom random_;
    std::optional<Pending> pending_;
    std::optional<Grant> grant_;
    std::vector<Grant> past_;
    std::vector<std::string> used_keys_;
    Duration asleep_until_{};
};

}  // namespace fencegate::simulation
