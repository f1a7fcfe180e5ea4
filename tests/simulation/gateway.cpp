#include "tests/simulation/gateway.hpp"

#include <algorithm>

namespace fencegate::simulation {
namespace {

constexpr Duration kTimersWait{1'000};  // after a full disk, as the store promises

}  // namespace

Gateway::Gateway(const Options& options, const Settings& settings, Trace& trace, Deliver deliver,
                 Meanwhile meanwhile)
    : options_(options),
      settings_(settings),
      trace_(trace),
      deliver_(std::move(deliver)),
      meanwhile_(std::move(meanwhile)),
      terms_{lockmgr::LockClasses(settings.classes), settings.wait_limits, settings.retention},
      random_(options.seed ^ 0xd15cfa17),
      store_random_(options.seed ^ 0x5708e),
      clock_(std::make_unique<testing::ManualClock>()),
      ground_(make_ground(options, random_, trace, [this] { hang(); })),
      oracle_(terms_, clock_->boot_now()) {
    use(std::move(clock_));
    open();
}

bool Gateway::allows(Kind kind, std::uint64_t chance) {
    return random_.below(1000) < chance && options_.allows(kind);
}

void Gateway::use(std::unique_ptr<testing::ManualClock> clock) {
    clock_ = std::move(clock);
    clock_->on_step([this] {
        if (!store_) return;
        store_->look();
        oracle_.looked(clock_->boot_now());
    });
}

void Gateway::hang() {
    const auto span = std::exchange(hang_, {});
    if (span == Duration::zero()) return;
    trace_.count("fault: hanging commit");
    trace_.add(text_of("a commit takes ", span.count(), " ms"));
    clock_->leap(span / 2);
    meanwhile_();
    clock_->leap(span - span / 2);
}

void Gateway::submit(storage::Request request) {
    request.arrived = clock_->boot_now();
    inbox_.push_back(std::move(request));
}

void Gateway::cancel(Ticket ticket) { cancelled_.push_back(ticket); }

std::optional<BootTime> Gateway::next_ending() const { return oracle_.timeline().next_deadline(); }

bool Gateway::try_to_open() {
    auto store = ground_->open(*clock_);
    if (!store) return false;
    store_ =
        std::make_unique<storage::Batcher>(std::move(store), terms_.classes, terms_.limits, *clock_,
                                           store_random_, observer_, terms_.retention);
    if (!store_->store().failure() && ground_->strikes() == 0) return true;
    store_.reset();
    return false;
}

void Gateway::open() {
    while (!try_to_open()) {
        trace_.add("power lost while opening");
        ground_->lose_power();
    }
    ground_->serve();
    timers_wait_until_.reset();
}

void Gateway::turn() {
    const auto next = store_->next_deadline();
    if (inbox_.empty() && cancelled_.empty() && (!next || *next > clock_->boot_now())) return;
    const auto requests = std::exchange(inbox_, {});
    const auto cancelled = std::exchange(cancelled_, {});
    const auto taken = clock_->boot_now();
    const auto life = lives_;
    std::size_t from = 0;
    do {
        const auto most = 1 + random_.below(settings_.batch_max);
        const auto count = std::min<std::size_t>(most, requests.size() - from);
        const auto at = requests.begin() + static_cast<std::ptrdiff_t>(from);
        from += count;
        run({at, at + static_cast<std::ptrdiff_t>(count)}, cancelled,
            from < requests.size() ? *requests[from].arrived : taken);
    } while (from < requests.size() && lives_ == life);
}

void Gateway::run(std::vector<storage::Request> requests, const std::vector<Ticket>& cancelled,
                  BootTime taken) {
    BatchFacts batch{.now = clock_->boot_now(),
                     .taken = taken,
                     .requests = std::move(requests),
                     .cancelled = cancelled};
    batch.timers_waited = timers_wait_until_ && batch.now < *timers_wait_until_;
    const auto strikes = ground_->strikes();
    // With a fault ahead, time stands still: the parts of a batch that is tried twice are of one
    // moment.
    if (!comes_to_rest_ && !ground_->is_planned() && allows(Kind::Stall, settings_.stall_chance))
        hang_ = Duration(random_.below(settings_.stall_max.count()));
    auto answers = collect(store_->run(batch.requests, cancelled, taken));
    hang_ = {};
    batch.wall = observer_.wall_at(batch.now);
    batch.done = clock_->boot_now();
    batch.was_full = ground_->strikes() != strikes && !store_->fatal();
    if (batch.was_full) timers_wait_until_ = batch.now + kTimersWait;
    batch.timers_wait = timers_wait_until_ && batch.now < *timers_wait_until_;
    if (store_->fatal()) {
        if (ground_->strikes() == strikes)
            throw Violation(Rule::Answer, "the store gave up without a fault: " + *store_->fatal());
        return fail(std::move(batch), answers);
    }
    trace_.add(text_of("store: batch of ", batch.requests.size(), ", ", answers.size(), " answers",
                       batch.was_full ? ", disk full" : ""));
    const auto& rows = ground_->rows().refresh();
    const auto returns = oracle_.timeline().returns;
    oracle_.committed(batch, answers, rows, ground_->rows().has_changed());
    if (oracle_.timeline().returns > returns) trace_.count("place: taken up");
    if (!batch.timers_wait) oracle_.check_deadline(store_->next_deadline());
    if (allows(Kind::Crash, settings_.fault_chance / 4)) {
        trace_.add("crash: these answers never left");
        return die(Power::On);
    }
    count(batch, answers);
    for (auto& [ticket, answer] : answers) {
        oracle_.revealed(answer);
        deliver_(ticket, answer);
    }
}

void Gateway::count(const BatchFacts& batch, const Answers& answers) {
    for (const auto& [ticket, answer] : answers) {
        const auto asked = std::ranges::find(batch.requests, ticket, &storage::Request::ticket);
        const bool waited = asked == batch.requests.end();
        trace_.count(
            text_of(waited ? "wait" : name_of(asked->command.operation), ": ",
                    answer.error ? code_name(answer.error->code) : "ok",
                    answer.is_replayed ? " replayed" : "",
                    answer.fence_status == storage::FenceStatus::Released ? " released" : ""));
    }
}

Answers Gateway::collect(std::vector<storage::Routed> routed) {
    Answers answers;
    for (auto& [home, delivery] : routed) {
        trace_.hash(delivery.answer.body);
        trace_.hash(delivery.answer.resource_id);
        const auto ticket = delivery.ticket;
        if (!answers.emplace(ticket, std::move(delivery.answer)).second)
            throw Violation(Rule::Answer, text_of("ticket ", ticket.value(), " answered twice"));
    }
    return answers;
}

}  // namespace fencegate::simulation
