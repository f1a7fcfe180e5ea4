#pragma once
// PostgresStore: the store in PostgreSQL, owned by one gateway at a time: the Store of the shared
// engine. A commit is durable as the server says it is; what a gateway that was deposed would still
// commit, the fence of its transaction refuses (connection.hpp).
// Owns the connection. Thread rule: belongs to the store thread. Errors: failure(); what was
// written fails at the next question, at settle() or at the commit.

#include "storage/postgres/changes_writer.hpp"
#include "storage/postgres/postgres_rows.hpp"
#include "storage/unit/store.hpp"

#include <functional>
#include <memory>
#include <optional>
#include <string>

namespace fencegate::storage::postgres {

class PostgresStore : public Store {
public:
    struct Parts {
        ServerUrl url;
        Session session;
        Ownership ownership;
        std::optional<ClockAnchor> anchor;
    };
    // What a start has read of the store; nothing is written yet, and nobody deposed. A failure
    // ends the start.
    using BeforeWriting = std::function<Result<>(const std::optional<ClockAnchor>& anchor)>;

    // Connects, looks whether the server will do, calls `before_writing`, makes or migrates the
    // schema and takes the store over from whoever has it. `name` is no other's.
    // Fails with: StartFailure BadConfig, Unavailable, BadData; Internal; as `before_writing`.
    [[nodiscard]] static Result<Parts> prepare(const std::string& url, const std::string& name,
                                               const BeforeWriting& before_writing = {});

    // `clock` outlives it.
    PostgresStore(Parts parts, const Clock& clock);

    [[nodiscard]] Readers readers() noexcept override {
        return {leases_,  refusals_, elections_, runs_,   payments_,
                entries_, answers_,  consumers_, ledger_, upkeep_};
    }

    void begin() override { connection_.begin(); }
    void write(const Changes& changes) override { writer_.write(changes); }
    void settle() override { connection_.settle(); }
    [[nodiscard]] Commit commit(std::size_t commands) override;
    void roll_back() override;

    [[nodiscard]] const std::optional<Failure>& failure() const noexcept override {
        return connection_.failure();
    }
    void clear_failure() noexcept override { connection_.clear_failure(); }

    WallTime look(BootTime now) override { return time_.look(now); }
    [[nodiscard]] const BelievedWall& wall() const noexcept override { return time_.wall(); }
    [[nodiscard]] const std::optional<ClockJump>& gap() const noexcept override {
        return time_.gap();
    }

    // The server looks after its own log.
    [[nodiscard]] std::int64_t log_bytes() const noexcept override { return 0; }
    [[nodiscard]] bool wants_checkpoint() const noexcept override { return false; }
    BootTime::duration checkpoint() override { return {}; }
    // Fails with: Internal, always: the server's tools make its backups.
    [[nodiscard]] Result<std::unique_ptr<StoreCopy>> begin_copy(
        const std::filesystem::path& file) override;
    BootTime::duration close() override { return {}; }

    // For measurements.
    [[nodiscard]] const Connection& connection() const noexcept { return connection_; }

private:
    const Clock& clock_;
    Connection connection_;
    StoreClock time_;
    LeaseRows leases_;
    RefusalRows refusals_;
    ElectionRows elections_;
    RunRows runs_;
    PaymentRows payments_;
    LedgerRows ledger_;
    EntryRows entries_;
    AnswerRows answers_;
    ConsumerRows consumers_;
    UpkeepRows upkeep_;
    ChangesWriter writer_;
};

}  // namespace fencegate::storage::postgres
