// What is asked under a key has one form, however it is spelt, and another one for everything else.
#include "storage/model/canonical_form.hpp"

#include "storage/model/operation.hpp"
#include "tests/support/tokens.hpp"

#include <gtest/gtest.h>

#include <map>
#include <set>

namespace fencegate::storage {
namespace {

const lockmgr::LockClasses kClasses({{.name = "payments", .ttl_default = Duration(5'000)}});
const auto kLease = *parse_uuid("01910000-0000-7000-8000-000000000001");
const auto kOtherLease = *parse_uuid("01910000-0000-7000-8000-000000000002");

std::string form(const Operation& operation) { return canonical_form(operation, kClasses); }

lockmgr::LockName lock(std::string_view name) { return *lockmgr::LockName::parse(name); }
lockmgr::RunSlot slot(std::string_view text) { return *lockmgr::RunSlot::parse(text); }
constexpr const char* kSlot = "2026-01-01T00:00:00Z";

AcquireLock acquire() { return {.locks = {lock("payments/a")}, .owner = "o"}; }
CreatePayment create() {
    CreatePayment made;
    made.currency = "EUR";
    made.amount_minor = 100;
    return made;
}
MovePayment refund() {
    MovePayment made;
    made.payment_id = "pay_1";
    made.amount_minor = 100;
    return made;
}

template <class Base, class Change>
Operation with(Base base, const Change& change) {
    change(base);
    return base;
}

using Requests = std::map<std::string, Operation>;

Requests acquires() {
    using Acquire = AcquireLock;
    return {
        {"acquire", acquire()},
        {"acquire ttl", with(acquire(), [](Acquire& a) { a.ttl = Duration(5'001); })},
        {"acquire owner", with(acquire(), [](Acquire& a) { a.owner = "p"; })},
        {"acquire lock", with(acquire(), [](Acquire& a) { a.locks = {lock("payments/b")}; })},
        {"acquire both", with(acquire(),
                              [](Acquire& a) {
                                  a.locks = {lock("payments/a"), lock("payments/b")};
                              })},
        {"acquire shared",
         with(acquire(), [](Acquire& a) { a.claim.mode = lockmgr::LockMode::Shared; })},
        {"acquire permits", with(acquire(),
                                 [](Acquire& a) {
                                     a.claim = {lockmgr::LockMode::Semaphore, 2};
                                 })},
        {"acquire other permits", with(acquire(),
                                       [](Acquire& a) {
                                           a.claim = {lockmgr::LockMode::Semaphore, 3};
                                       })},
        {"acquire metadata", with(acquire(), [](Acquire& a) { a.metadata_json = R"({"a":1})"; })},
        {"campaign", with(acquire(),
                          [](Acquire& a) {
                              a.purpose = Campaign{"e", ""};
                          })},
        {"campaign value", with(acquire(),
                                [](Acquire& a) {
                                    a.purpose = Campaign{"e", R"({"a":1})"};
                                })},
        {"claim", with(acquire(),
                       [](Acquire& a) {
                           a.purpose = ClaimRun{"j", slot(kSlot), {}};
                       })},
        {"claim at once", with(acquire(),
                               [](Acquire& a) {
                                   a.purpose = ClaimRun{"j", slot(kSlot), Duration(0)};
                               })},
    };
}

// One of each kind, and every value of it changed on its own.
Requests requests() {
    Requests all{
        {"renew", RenewLease{kLease}},
        {"renew another", RenewLease{kOtherLease}},
        {"renew ttl", RenewLease{kLease, Duration(1)}},
        {"renew progress", RenewLease{kLease, {}, 1}},
        {"release", ReleaseLease{kLease}},
        {"release another", ReleaseLease{kOtherLease}},
        {"break", BreakLock{lock("payments/a"), lockmgr::FencingToken(7), "why"}},
        {"break token", BreakLock{lock("payments/a"), lockmgr::FencingToken(8), "why"}},
        {"break reason", BreakLock{lock("payments/a"), lockmgr::FencingToken(7), "why not"}},
        {"proclaim", Proclaim{"e", R"({"a":1})", lockmgr::kNoToken}},
        {"proclaim value", Proclaim{"e", R"({"a":2})", lockmgr::kNoToken}},
        {"resign", Resign{"e", lockmgr::kNoToken}},
        {"done", FinishRun{"j", slot(kSlot), true, "r", lockmgr::kNoToken}},
        {"failed", FinishRun{"j", slot(kSlot), false, "r", lockmgr::kNoToken}},
        {"done result", FinishRun{"j", slot(kSlot), true, "s", lockmgr::kNoToken}},
        {"create", create()},
        {"create amount", with(create(), [](CreatePayment& c) { c.amount_minor = 101; })},
        {"create currency", with(create(), [](CreatePayment& c) { c.currency = "USD"; })},
        {"create held", with(create(), [](CreatePayment& c) { c.capture = false; })},
        {"create id", with(create(), [](CreatePayment& c) { c.id = "x"; })},
        {"create reference", with(create(), [](CreatePayment& c) { c.reference = "x"; })},
        {"create metadata",
         with(create(), [](CreatePayment& c) { c.metadata_json = R"({"a":1})"; })},
        {"refund", refund()},
        {"capture", with(refund(), [](MovePayment& m) { m.kind = MovePayment::Kind::Capture; })},
        {"cancel", with(refund(), [](MovePayment& m) { m.kind = MovePayment::Kind::Cancel; })},
        {"refund the rest", with(refund(), [](MovePayment& m) { m.amount_minor.reset(); })},
        {"refund reason", with(refund(), [](MovePayment& m) { m.reason = "x"; })},
        {"refund another", with(refund(), [](MovePayment& m) { m.payment_id = "pay_2"; })},
        {"acknowledge", Acknowledge{"c", 1}},
        {"acknowledge on", Acknowledge{"c", 2}},
        {"forget", ForgetConsumer{"c"}},
    };
    all.merge(acquires());
    return all;
}

TEST(CanonicalForm, OfDifferentRequestsIsDifferent) {
    std::map<std::string, std::string> seen;
    for (const auto& [name, request] : requests()) {
        const auto [other, is_new] = seen.emplace(form(request), name);
        EXPECT_TRUE(is_new) << name << " has the form of " << other->second;
    }
}

TEST(CanonicalForm, CoversEveryKindOfWrite) {
    std::set<OperationKind> covered;
    for (const auto& [name, request] : requests()) covered.insert(kind_of(request));
    for (const auto kind : kOperationKinds)
        EXPECT_EQ(covered.contains(kind), kind != OperationKind::Read) << operation_name(kind);
}

TEST(CanonicalForm, DoesNotChangeWithTheTokenOrTheVersion) {
    auto moved = refund();
    moved.token = testing::presented(7);
    moved.if_version = {1, 2};
    EXPECT_EQ(form(moved), form(refund()));
    EXPECT_EQ(form(Resign{"e", testing::presented(7)}), form(Resign{"e", lockmgr::kNoToken}));
}

// Who waits in rounds has less patience left for the last, and asks for the same lock.
TEST(CanonicalForm, DoesNotChangeWithThePatienceOfWhoAsks) {
    auto patient = acquire();
    patient.wait = Duration(1);
    EXPECT_EQ(form(patient), form(acquire()));
}

TEST(CanonicalForm, OfADefaultThatIsSpeltOutIsThatOfOneLeftOut) {
    auto spelt = acquire();
    spelt.ttl = Duration(5'000);
    spelt.metadata_json = "{}";
    EXPECT_EQ(form(spelt), form(acquire()));
    auto created = create();
    created.metadata_json = "{}";
    EXPECT_EQ(form(created), form(create()));
}

// No two lists of fields may run into one text.
TEST(CanonicalForm, KeepsFieldsApart) {
    auto one = create();
    one.id = "a";
    one.reference = "bc";
    auto other = create();
    other.id = "ab";
    other.reference = "c";
    EXPECT_NE(form(one), form(other));
    auto rest = refund();
    rest.amount_minor.reset();
    rest.reason = "#100;";
    EXPECT_NE(form(rest), form(refund()));
}

struct JsonRow {
    const char* name;
    const char* json;
    const char* canonical;
};

TEST(CanonicalJson, SortsTheMembersOfEveryObjectAndNothingElse) {
    for (const auto& row : {
             JsonRow{"nothing", "", ""},
             JsonRow{"empty", "{}", "{}"},
             JsonRow{"sorted", R"({"a":1,"b":2})", R"({"a":1,"b":2})"},
             JsonRow{"turned round", R"({"b":2,"a":1})", R"({"a":1,"b":2})"},
             JsonRow{"nested", R"({"z":{"b":[],"a":{}},"a":null})",
                     R"({"a":null,"z":{"a":{},"b":[]}})"},
             JsonRow{"lists keep their order", R"({"l":[3,1,{"b":1,"a":2}]})",
                     R"({"l":[3,1,{"a":2,"b":1}]})"},
             JsonRow{"brackets in texts", R"({"b":"}],{\"","a":"\\"})",
                     R"({"a":"\\","b":"}],{\""})"},
             JsonRow{"a name that begins another", R"({"ab":1,"a":2})", R"({"a":2,"ab":1})"},
         })
        EXPECT_EQ(canonical_json(row.json), row.canonical) << row.name;
}

}  // namespace
}  // namespace fencegate::storage
