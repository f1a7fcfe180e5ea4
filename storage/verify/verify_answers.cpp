#include "storage/verify/verify_answers.hpp"

#include "base/json_writer.hpp"
#include "storage/documents/payment_documents.hpp"

#include <tuple>

namespace fencegate::storage {
namespace {

// What follows here is the client's own and may be spelt like a member of ours.
std::string_view without_metadata(std::string_view body) {
    return body.substr(0, body.find(R"(,"metadata":)"));
}

// Whether `"name":value` is a member: within a text the quotes would be escaped.
template <class Value>
bool tells(std::string_view body, std::string_view name, const Value& value) {
    std::string member;
    JsonWriter(member).begin_object().member(name, value);
    const auto text = std::string_view(member).substr(1);
    const auto found = body.find(text);
    if (found == std::string_view::npos) return false;
    const auto end = found + text.size();
    return end == body.size() || body[end] == ',' || body[end] == '}';
}

bool tells(std::string_view body, const Payment& then) {
    return tells(body, "id", std::string_view(then.id)) &&
           tells(body, "status", status_name(then)) &&
           tells(body, "amount", then.authorized_minor) &&
           tells(body, "currency", std::string_view(then.currency)) &&
           tells(body, "amount_captured", then.captured_minor) &&
           tells(body, "amount_refunded", then.refunded_minor);
}

bool tells(std::string_view body, const Payment& then, const Refund& refund) {
    return tells(body, "id", std::string_view(refund_id(refund.id))) &&
           tells(body, "payment", std::string_view(then.id)) &&
           tells(body, "amount", refund.amount_minor) &&
           tells(body, "currency", std::string_view(then.currency)) && refund.token &&
           tells(body, "fencing_token", refund.token->value()) &&
           tells(body, "payment_status", status_name(then)) &&
           tells(body, "amount_refunded", then.refunded_minor);
}

}  // namespace

AnswerBodies::AnswerBodies(sqlite::Connection& connection, Checks& checks)
    : checks_(checks),
      answers_(connection,
               "SELECT resource_id, version, id, body FROM answers "
               "WHERE error_code IS NULL AND version <> 0 ORDER BY resource_id, version"),
      answer_(answers_.query()),
      has_answer_(answer_.next()) {}

// An answer that is passed over tells of no entry, which verify_keys.cpp says.
void AnswerBodies::check(const Payment& then, const Told& of) {
    const auto place = [&] { return std::tuple(answer_.text(0), answer_.integer(1)); };
    const std::tuple here(std::string_view(then.id), of.entry);
    while (has_answer_ && place() < here) has_answer_ = answer_.next();
    for (; has_answer_ && place() == here; has_answer_ = answer_.next()) check_body(then, of);
}

void AnswerBodies::check_body(const Payment& then, const Told& of) {
    const auto body = without_metadata(answer_.text(3));
    const bool is_told = of.refund ? tells(body, then, *of.refund) : tells(body, then);
    checks_.answers.expect(is_told, [&] {
        return nth("answer", answer_.integer(2)) + " says something else than " +
               nth("entry", of.entry);
    });
}

}  // namespace fencegate::storage
