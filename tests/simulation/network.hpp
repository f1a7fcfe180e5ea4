#pragma once
// Network: what is on its way between clients and the gateway, in no order. Loses, repeats and
// holds up; a request that is held up long enough is the paused client's write of the README.
// Owns: messages and when they may arrive. Refuses to own: what they mean.
// Thread rule: one thread.

#include "tests/simulation/options.hpp"
#include "tests/simulation/timeline.hpp"
#include "tests/support/seeded_random.hpp"

#include <functional>
#include <vector>

namespace fencegate::simulation {

// One thing a client wants, from its first sending to its answer.
struct Call {
    std::uint64_t id = 0;
    std::size_t client = 0;
    Command command;
    bool has_key = false;
};

struct RequestMessage {
    Call call;
    Duration not_before{};
    bool is_orphan = false;  // its client has left
};

struct AnswerMessage {
    std::size_t client = 0;
    std::uint64_t call = 0;
    Answer answer;
    Duration not_before{};
};

class Network {
public:
    Network(const Options& options, const Settings& settings)
        : options_(options), settings_(settings), random_(options.seed ^ 0x2e7207c) {}

    void send(Call call, Duration now);
    void send(AnswerMessage answer, Duration now);

    // One that may arrive by `now`, if any does. A request that has a key may be on its way again.
    [[nodiscard]] std::optional<RequestMessage> next_request(Duration now);
    [[nodiscard]] std::optional<AnswerMessage> next_answer(
        Duration now, const std::function<bool(std::size_t)>& listens);

    void client_left(std::uint64_t call);

private:
    [[nodiscard]] bool happens(Kind kind, std::uint64_t chance);
    [[nodiscard]] Duration hold_up(Duration now);

    const Options& options_;
    const Settings& settings_;
    testing::SeededRandom random_;
    std::vector<RequestMessage> requests_;
    std::vector<AnswerMessage> answers_;
};

}  // namespace fencegate::simulation
