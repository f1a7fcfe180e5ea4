// The port of an engine: what commands rely on, whichever engine is behind it: transactions,
// leases, what keys were answered, and what is forgotten.
#include "tests/storage/unit/store_contract.hpp"

namespace fencegate::storage {
namespace {

using lockmgr::FencingToken;
using lockmgr::LeaseState;
using lockmgr::LockMode;

INSTANTIATE_TEST_SUITE_P(Engines, StoreContract, ::testing::ValuesIn(engines()),
                         [](const auto& test) { return std::string(test.param.name); });

TEST_P(StoreContract, WhatWasCommittedStaysAndWhatWasRolledBackNeverWas) {
    commit([&](Changes& made) { grant(made, lease(1, "a")); });
    store->begin();
    write([&](Changes& made) { grant(made, lease(2, "b")); });
    EXPECT_TRUE(rows.leases.find(FencingToken(2)));  // the transaction sees its own writes
    store->roll_back();

    EXPECT_TRUE(read([&] { return rows.leases.find(FencingToken(1)); }));
    EXPECT_FALSE(read([&] { return rows.leases.find(FencingToken(2)); }));
    EXPECT_EQ(read([&] { return rows.leases.names("", "", 10).size(); }), 1u);
}

TEST_P(StoreContract, ACommitSaysWhetherItWrote) {
    store->begin();
    EXPECT_FALSE(store->commit(0).wrote);
    store->begin();
    write([&](Changes& made) { grant(made, lease(1, "a")); });
    EXPECT_TRUE(store->commit(1).wrote);
}

TEST_P(StoreContract, ATransactionMayWriteMoreThanOnce) {
    store->begin();
    write([&](Changes& made) { grant(made, lease(1, "a")); });
    write([&](Changes& made) { end(made, 1, LeaseState::Released); });
    ASSERT_TRUE(store->commit(2).wrote);

    EXPECT_EQ(read([&] { return rows.leases.find(FencingToken(1))->state; }), LeaseState::Released);
}

TEST_P(StoreContract, AfterAConstraintNothingIsReadOrWrittenUntilItIsRolledBack) {
    const auto insert = [&](const char* id) {
        return [&, id](Changes& made) { made.new_payments.push_back(payment(id)); };
    };
    commit(insert("pay_1"));
    store->begin();
    write(insert("pay_2"));
    write(insert("pay_1"));
    ASSERT_TRUE(store->failure());
    EXPECT_EQ(store->failure()->kind, Failure::Kind::Constraint);
    EXPECT_FALSE(rows.payments.find("pay_1"));
    write(insert("pay_3"));
    store->roll_back();

    EXPECT_TRUE(read([&] { return rows.payments.find("pay_1"); }));
    EXPECT_FALSE(read([&] { return rows.payments.find("pay_2"); }));
    EXPECT_FALSE(read([&] { return rows.payments.find("pay_3"); }));
}

TEST_P(StoreContract, ConstraintsHoldWhereTheRulesDoNot) {
    const auto answer = [&](std::uint8_t number) {
        Idempotency key;
        key.key = "k";
        key.digest.fill(number);
        return NewAnswer{"worker", key, {}, now()};
    };
    commit([&](Changes& made) {
        grant(made, lease(1, "a"));
        made.new_payments.push_back(payment("pay_1"));
        made.ledger.entries.push_back(entry(1, "pay_1"));
        made.answers.push_back(answer(1));
        made.runs.push_back({.job = "j",
                             .slot = "s",
                             .state = lockmgr::RunState::Done,
                             .ended_at = clock.wall_now()});
    });
    const auto is_refused = [&](const Make& make) {
        const auto failure = attempt(make);
        return failure && failure->kind == Failure::Kind::Constraint;
    };

    EXPECT_TRUE(is_refused([&](Changes& made) { made.granted.push_back({lease(1, "b"), {{}}}); }));
    EXPECT_TRUE(is_refused([&](Changes& made) {
        made.heads.push_back({lock_of("a"), FencingToken(1), true});
    }));
    EXPECT_TRUE(is_refused([&](Changes& made) { made.new_payments.push_back(payment("pay_1")); }));
    EXPECT_TRUE(
        is_refused([&](Changes& made) { made.ledger.entries.push_back(entry(1, "pay_1")); }));
    EXPECT_TRUE(is_refused([&](Changes& made) { made.answers.push_back(answer(1)); }));
    EXPECT_TRUE(is_refused([&](Changes& made) { made.runs.push_back({.job = "j", .slot = "s"}); }));
    EXPECT_TRUE(is_refused([&](Changes& made) {
        made.counter = lockmgr::TokenCounter{lockmgr::kTokenEpochMax + 1, 1};
    }));
}

TEST_P(StoreContract, TheCounterIsReadAsItWasWritten) {
    commit([&](Changes& made) { made.counter = lockmgr::TokenCounter{3, 7}; });
    const auto counter = read([&] { return *rows.leases.counter(); });
    EXPECT_EQ(counter.epoch, 3);
    EXPECT_EQ(counter.sequence, 7);
}

TEST_P(StoreContract, ALeaseIsReadAsItWasGranted) {
    auto both = lease(5, "a");
    both.claim = {LockMode::Semaphore, 3};
    both.locks.push_back(lock_of("b"));
    commit([&](Changes& made) { grant(made, both); });

    const auto found = *read([&] { return rows.leases.find(both.token); });
    EXPECT_EQ(found.id, both.id);
    EXPECT_EQ(found.locks, both.locks);
    EXPECT_EQ(found.claim, both.claim);
    EXPECT_EQ(found.principal, "worker");
    EXPECT_EQ(found.owner, "a");
    EXPECT_EQ(found.ttl, Duration(1'000));
    EXPECT_EQ(found.metadata_json, both.metadata_json);
    EXPECT_EQ(found.granted_at, both.granted_at);
    EXPECT_EQ(ms_between(found.held_since, both.held_since), 0);
}

TEST_P(StoreContract, ALeaseEndsOnceAndOnlyAnExpiredOneIsSuperseded) {
    const auto supersede = [](Changes& made, std::int64_t token) {
        made.leases.push_back({.token = FencingToken(token), .is_superseded = true});
    };
    commit([&](Changes& made) {
        grant(made, lease(1, "a"));
        grant(made, lease(2, "b"));
        end(made, 1, LeaseState::Released);
    });
    commit([&](Changes& made) {
        end(made, 1, LeaseState::Broken);
        supersede(made, 2);
    });
    commit([&](Changes& made) { supersede(made, 1); });
    EXPECT_EQ(read([&] { return rows.leases.find(FencingToken(1))->state; }), LeaseState::Released);
    EXPECT_EQ(read([&] { return rows.leases.find(FencingToken(2))->state; }), LeaseState::Live);

    commit([&](Changes& made) {
        end(made, 2, LeaseState::Expired);
        made.leases.back().is_superseded = true;
    });
    EXPECT_EQ(read([&] { return rows.leases.find(FencingToken(2))->state; }),
              LeaseState::Superseded);
}

TEST_P(StoreContract, WhatChangesOfALeaseIsReadAsItWasLeft) {
    commit([&](Changes& made) {
        grant(made, lease(1, "a"));
        made.leases.push_back({.token = FencingToken(1),
                               .ttl = Duration(7),
                               .end = LeaseEnd{LeaseState::Broken, now(), "why"}});
    });
    const auto found = *read([&] { return rows.leases.find(FencingToken(1)); });
    EXPECT_EQ(found.ttl, Duration(7));
    EXPECT_EQ(found.state, LeaseState::Broken);
    EXPECT_EQ(found.ended_at, clock.wall_now());
    EXPECT_EQ(read([&] { return rows.leases.break_reason(FencingToken(1)); }), "why");
}

TEST_P(StoreContract, TheChainOfALockLeadsFromTheNewestLeaseToTheFirst) {
    commit([&](Changes& made) {
        grant(made, lease(1, "a"));
        end(made, 1, LeaseState::Released);
    });
    commit([&](Changes& made) { grant(made, lease(4, "a"), FencingToken(1)); });

    const auto head = read([&] { return rows.leases.head(lock_of("a")); });
    EXPECT_EQ(head.token, FencingToken(4));
    EXPECT_EQ(head.state, LeaseState::Live);
    EXPECT_EQ(read([&] { return rows.leases.before(FencingToken(4), lock_of("a")); }),
              FencingToken(1));
    EXPECT_FALSE(read([&] { return rows.leases.before(FencingToken(1), lock_of("a")); }));
    EXPECT_FALSE(read([&] { return rows.leases.head(lock_of("b")).token; }));
}

TEST_P(StoreContract, LiveLeasesComeInTheOrderOfTheirGrants) {
    commit([&](Changes& made) {
        for (const auto token : {3, 1, 2}) grant(made, lease(token, "l" + std::to_string(token)));
        end(made, 2, LeaseState::Released);
    });
    const auto all = read([&] { return rows.leases.all_live(); });
    ASSERT_EQ(all.size(), 2u);
    EXPECT_EQ(all[0].token, FencingToken(1));
    EXPECT_EQ(all[1].token, FencingToken(3));
    EXPECT_EQ(read([&] { return rows.leases.oldest_live(1).size(); }), 1u);
}

TEST_P(StoreContract, NamesComeInOrderBehindTheLastAndWithThePrefix) {
    commit([&](Changes& made) {
        std::int64_t token = 0;
        for (const auto* name : {"b/2", "a/1", "b/1", "b/3", "c"})
            grant(made, lease(++token, name));
    });
    const auto names = read([&] { return rows.leases.names("b/", "b/1", 1); });
    ASSERT_EQ(names.size(), 1u);
    EXPECT_EQ(names[0].value(), "b/2");
    EXPECT_EQ(read([&] { return rows.leases.names("b/", "", 10).size(); }), 3u);
}

TEST_P(StoreContract, RefusalsAreCountedAndTheFirstAreKept) {
    commit([&](Changes& made) {
        grant(made, lease(1, "a"));
        made.leases.push_back({.token = FencingToken(1), .refused = 2});
        made.refusals.push_back(
            {FencingToken(1),
             1,
             {.principal = "p", .code = "c", .current_token = FencingToken(9)}});
        made.refusals.push_back({FencingToken(1), 2, {.principal = "q"}});
    });
    EXPECT_EQ(read([&] { return rows.refusals.count(FencingToken(1)); }), 2);
    const auto first = read([&] { return rows.refusals.of(FencingToken(1), 1); });
    ASSERT_EQ(first.size(), 1u);
    EXPECT_EQ(first[0].principal, "p");
    EXPECT_EQ(first[0].current_token, FencingToken(9));
}

TEST_P(StoreContract, AnAnswerIsFoundByItsKeyAndIsForeignToOthers) {
    Idempotency key;
    key.key = "k";
    key.digest.fill(7);
    StoredAnswer stored;
    stored.kind = AnswerKind::Money;
    stored.token = FencingToken(4);
    stored.error = ErrorCode::RefundExceedsCaptured;
    stored.body = "too much";
    stored.version = 12;
    stored.is_released = true;
    commit([&](Changes& made) { made.answers.push_back({"worker", key, stored, now()}); });

    const auto found = *read([&] { return rows.answers.find("worker", key); });
    EXPECT_FALSE(found.is_foreign);
    EXPECT_EQ(found.token, FencingToken(4));
    EXPECT_EQ(found.error, ErrorCode::RefundExceedsCaptured);
    EXPECT_EQ(found.body, "too much");
    EXPECT_EQ(found.version, 12);
    EXPECT_TRUE(found.is_released);
    EXPECT_TRUE(read([&] { return rows.answers.find("other", key); })->is_foreign);
    key.digest.fill(8);
    EXPECT_FALSE(read([&] { return rows.answers.find("worker", key); }));
}

TEST_P(StoreContract, ElectionsRunsAndConsumersAreReadAsTheyWereLeft) {
    commit([&](Changes& made) {
        made.elections.push_back({"e", {FencingToken(1), "1", clock.wall_now()}});
        for (const auto* slot : {"1", "3", "2"}) made.runs.push_back({.job = "j", .slot = slot});
        made.consumers.push_back({"c", "p", 5, clock.wall_now()});
        made.consumers.push_back({"d", "p", 1, clock.wall_now()});
    });
    commit([&](Changes& made) {
        made.elections.push_back({"e", {FencingToken(2), "2", clock.wall_now()}});
        made.consumers.push_back({"c", "p", 6, clock.wall_now()});
        made.forgotten_consumers.emplace_back("d");
    });
    EXPECT_EQ(read([&] { return rows.elections.find("e")->value_json; }), "2");
    EXPECT_EQ(read([&] { return rows.elections.find("e")->token; }), FencingToken(2));
    const auto runs = read([&] { return rows.runs.list("j", "3", 10); });
    ASSERT_EQ(runs.size(), 2u);
    EXPECT_EQ(runs[0].slot, "2");
    EXPECT_EQ(read([&] { return rows.consumers.find("c")->position; }), 6);
    EXPECT_EQ(read([&] { return rows.consumers.count_of("p"); }), 1);
    EXPECT_FALSE(read([&] { return rows.consumers.find("d"); }));
}

TEST_P(StoreContract, OldLeasesAndAnswersAreForgottenWithAllThatIsTheirs) {
    Idempotency key;
    key.key = "k";
    key.digest.fill(1);
    commit([&](Changes& made) {
        made.counter = lockmgr::TokenCounter{0, 2};
        grant(made, lease(1, "a"));
        end(made, 1, LeaseState::Released, 3);
        made.leases.back().refused = 1;
        made.refusals.push_back({FencingToken(1), 1, {}});
        grant(made, lease(2, "b"));
        made.answers.push_back({"worker", key, {}, now(3)});
        made.upkeep.ended_hour = 3;
        made.upkeep.running = Duration(5);
    });

    EXPECT_EQ(read([&] { return rows.upkeep.hour(); }), 4);
    EXPECT_EQ(read([&] { return rows.upkeep.running(); }), Duration(5));
    EXPECT_EQ(read([&] { return rows.upkeep.last_token_of(3); }), 2);
    const auto old = read([&] { return rows.upkeep.leases_between(0, 2, 10); });
    ASSERT_EQ(old.size(), 2u);
    EXPECT_EQ(old[0].state, LeaseState::Released);
    EXPECT_EQ(old[0].ended_hour, 3);
    EXPECT_TRUE(old[0].has_more_rows);
    EXPECT_EQ(read([&] { return rows.upkeep.headed_by(old[0]).size(); }), 1u);
    const auto answers = read([&] { return rows.upkeep.oldest_answers(10); });
    ASSERT_EQ(answers.size(), 1u);
    EXPECT_EQ(answers[0].hour, 3);

    commit([&](Changes& made) {
        made.upkeep.forgotten_leases.push_back(old[0]);
        made.upkeep.forgotten_answers.push_back(answers[0].id);
        made.upkeep.forget_hours_before = 4;
    });
    EXPECT_FALSE(read([&] { return rows.leases.find(FencingToken(1)); }));
    EXPECT_FALSE(read([&] { return rows.leases.head(lock_of("a")).token; }));
    EXPECT_TRUE(read([&] { return rows.refusals.of(FencingToken(1), 9).empty(); }));
    EXPECT_TRUE(read([&] { return rows.leases.head(lock_of("b")).token; }));
    EXPECT_FALSE(read([&] { return rows.answers.find("worker", key); }));
    EXPECT_EQ(read([&] { return rows.upkeep.last_token_of(3); }), 0);
}

TEST_P(StoreContract, TheTimeForPeopleRunsWithTheClock) {
    const auto before = store->look(clock.boot_now());
    clock.advance(Duration(1'500));
    EXPECT_EQ(store->look(clock.boot_now()) - before, Duration(1'500));
    EXPECT_FALSE(store->gap());
}

}  // namespace
}  // namespace fencegate::storage
