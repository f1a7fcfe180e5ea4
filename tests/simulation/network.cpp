#include "tests/simulation/network.hpp"

#include <algorithm>

namespace fencegate::simulation {

bool Network::happens(Kind kind, std::uint64_t chance) {
    return random_.below(1000) < chance && options_.allows(kind);
}

// Past the lease, usually, and past the successor's too, sometimes.
Duration Network::hold_up(Duration now) {
    const auto extra = Duration(random_.below(random_.below(4) == 0 ? 60'000 : 2'000));
    return happens(Kind::Hold, settings_.hold_chance) ? now + extra : now;
}

void Network::send(Call call, Duration now) {
    const auto not_before = hold_up(now);
    if (happens(Kind::Loss, settings_.loss_chance)) return;
    requests_.push_back({std::move(call), not_before, false});
}

void Network::send(AnswerMessage answer, Duration now) {
    answer.not_before = hold_up(now);
    if (happens(Kind::Loss, settings_.loss_chance)) return;
    answers_.push_back(std::move(answer));
}

std::optional<RequestMessage> Network::next_request(Duration now) {
    std::vector<std::size_t> ready;
    for (std::size_t at = 0; at < requests_.size(); ++at) {
        if (requests_[at].not_before <= now) ready.push_back(at);
    }
    if (ready.empty()) return std::nullopt;
    const auto at = ready[random_.below(ready.size())];
    auto message = requests_[at];
    const auto again = hold_up(now);
    if (happens(Kind::Duplicate, settings_.duplicate_chance) && message.call.has_key) {
        requests_[at].not_before = again;
    } else {
        requests_.erase(requests_.begin() + static_cast<std::ptrdiff_t>(at));
    }
    return message;
}

std::optional<AnswerMessage> Network::next_answer(Duration now,
                                                  const std::function<bool(std::size_t)>& listens) {
    std::vector<std::size_t> ready;
    for (std::size_t at = 0; at < answers_.size(); ++at) {
        if (answers_[at].not_before <= now && listens(answers_[at].client)) ready.push_back(at);
    }
    if (ready.empty()) return std::nullopt;
    const auto at =
        answers_.begin() + static_cast<std::ptrdiff_t>(ready[random_.below(ready.size())]);
    auto message = std::move(*at);
    answers_.erase(at);
    return message;
}

void Network::client_left(std::uint64_t call) {
    for (auto& message : requests_) {
        if (message.call.id == call) message.is_orphan = true;
    }
}

}  // namespace fencegate::simulation
