#include "storage/sqlite/answer_rows.hpp"

#include "base/check.hpp"

#include <algorithm>

namespace fencegate::storage::sqlite {
namespace {

constexpr std::string_view kUnreadable =
    "The answer kept under this Idempotency-Key cannot be read, and nothing was done now. An "
    "operator should run `fencegate verify`.";

}  // namespace

AnswerRows::AnswerRows(Connection& connection)
    : find_(connection,
            "SELECT principal, key, fingerprint, token, error_code, body, resource_id, "
            "request_id, version, fingerprint_version, kind, operation, created_at_ms, released "
            "FROM answers WHERE key_digest = ?"),
      insert_(connection,
              "INSERT INTO answers (key_digest, principal, key, fingerprint, token, error_code, "
              "body, resource_id, request_id, created_at_ms, created_hour, version, "
              "fingerprint_version, kind, operation, released) "
              "VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)") {}

std::optional<StoredAnswer> AnswerRows::find(std::string_view principal,
                                             const Idempotency& idempotency) {
    auto row = find_.query(Blob(idempotency.digest));
    if (!row.next()) return std::nullopt;
    StoredAnswer answer;
    const auto fingerprint = row.blob(2);
    FG_CHECK(fingerprint.size() == answer.fingerprint.size());
    std::ranges::copy(fingerprint, answer.fingerprint.begin());
    // 128 bits of SHA-256 do not collide by accident. If somebody makes them, nobody reads
    // another's answer.
    answer.is_foreign = row.text(0) != principal || row.text(1) != idempotency.key;
    answer.token = row.token(3);
    answer.body = row.text(5);
    if (!row.is_null(4)) {
        answer.error = stored_refusal(row.text(4));
        if (!answer.error) {
            answer.error = ErrorCode::Internal;
            answer.body = kUnreadable;
        }
    }
    answer.resource_id = row.text(6);
    answer.request_id = row.text(7);
    answer.version = row.integer(8);
    answer.fingerprint_version = row.integer(9);
    answer.kind = static_cast<AnswerKind>(row.integer(10));
    answer.operation = row.text(11);
    answer.created_at = WallTime(std::chrono::milliseconds(row.integer(12)));
    answer.is_released = row.integer(13) != 0;
    return answer;
}

void AnswerRows::write(const Changes& changes) {
    for (const auto& made : changes.answers) insert(made);
}

void AnswerRows::insert(const NewAnswer& made) {
    const auto& [principal, idempotency, answer, at] = made;
    std::optional<std::string_view> error;
    if (answer.error) error = code_name(*answer.error);
    insert_.run(Blob(idempotency.digest), principal, idempotency.key, Blob(idempotency.fingerprint),
                answer.token, error, answer.body, answer.resource_id, answer.request_id,
                at.wall.time_since_epoch().count(), at.hour, answer.version,
                answer.fingerprint_version, static_cast<std::int64_t>(answer.kind),
                answer.operation, std::int64_t{answer.is_released});
}

}  // namespace fencegate::storage::sqlite
