#pragma once
// World: clients, network, gateway and time, moved one small step at a time by a seeded scheduler.
// Thread rule: one thread; one World at a time, because of its disk. Errors: throws Violation.

#include "tests/simulation/client.hpp"
#include "tests/simulation/gateway.hpp"

namespace fencegate::simulation {

class World final : private Surroundings {
public:
    World(const Options& options, Trace& trace);

    void step();
    // After the last step: no faults, everything comes to rest, and is looked at once more.
    void finish();

private:
    struct Asked {
        std::size_t client = 0;
        std::uint64_t call = 0;
        bool is_acquire = false;
    };

    [[nodiscard]] Duration now() const override { return elapsed_; }
    void send(const Call& call) override;
    void leave(std::uint64_t call) override;
    void note(std::string line) override;

    void name_pools_and_roles();
    void make_payments();
    void maybe_strike();
    void strike(Kind kind);
    void let_request_arrive();
    void let_answer_arrive();
    void let_time_pass();
    void on_answer(Ticket ticket, Answer answer);
    void forget_dead_connections();

    const Options& options_;
    Trace& trace_;
    const Settings settings_;
    testing::SeededRandom random_;
    Network network_;
    Gateway gateway_;
    std::vector<Client> clients_;
    std::map<Ticket, Asked> asked_;
    std::uint64_t last_ticket_ = 0;
    std::size_t life_ = 0;
    Duration elapsed_{};
};

}  // namespace fencegate::simulation
