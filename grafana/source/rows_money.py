"""Rows "Fencing" (what was accepted and refused) and "Idempotency and payments"."""

from panel import (BLUE, GREEN, ORANGE, PURPLE, RED, bargauge, classes, colour, colours, levels,
                   timeseries)
from rows_locks import NUMBERS, quantile
from rows_overview import ENDED

OPERATIONS = colours(create=BLUE, capture=GREEN, refund=PURPLE, cancel=ORANGE, expire="yellow")

FENCING = ("Fencing: which writes were refused", [
    timeseries("Fenced writes", "Normal: all accepted. late: under an expired lease, in a class "
               "that accepts it while nobody else was granted.", "ops",
               [('sum(rate(fencegate_fence_checks_total{@class,result="accepted"}'
                 "[$__rate_interval]))", "accepted"),
                ('sum(rate(fencegate_fence_checks_total{@class,result="late"}[$__rate_interval]))',
                 "late"),
                ('sum(rate(fencegate_fence_checks_total{@class,result!~"accepted|late"}'
                 "[$__rate_interval]))", "refused")], stacked=True,
               overrides=colours(accepted=GREEN, late=PURPLE, refused=ORANGE)),
    timeseries("Refused writes by reason", "stale: another holder was granted since, the double "
               "write that was averted; expired, released, broken: the lease had ended. Normal: 0 or "
               "few. unknown, mismatch, missing, malformed, not_holder: a bug of the client.", "ops",
               [('sum by (result) (rate(fencegate_fence_checks_total'
                 '{@class,result!~"accepted|late"}[$__rate_interval]))', "{{result}}")],
               stacked=True, size=(16, 8),
               overrides=colours(stale=RED, expired=ORANGE, released=BLUE, broken=PURPLE,
                                 unknown="yellow", mismatch="dark-blue", missing="light-purple",
                                 malformed="dark-yellow", not_holder="light-green")),
    bargauge("Refused in the time shown", "How many writes were refused, by reason. Normal: 0. What "
             "each means is in docs/api.md; who it was, in GET /v1/history?lock=.", "short",
             "sort_desc(sum by (result) (increase(fencegate_fence_checks_total"
             '{@class,result!~"accepted|late"}[$__range])))', "{{result}}",
             levels(orange=1, red=100), decimals=0, size=(6, 8)),
    timeseries("Share of writes after the lease", "By class. Normal: below 1 %; above it for half an "
               "hour is a warning: workers do not renew, or do not stop when told.", "percentunit",
               [(classes("sum by (class) (rate(fencegate_fence_checks_total{@class,%s}"
                         "[$__rate_interval])) / sum by (class) (rate(fencegate_fence_checks_total"
                         "{@class}[$__rate_interval]))" % ENDED + NUMBERS), "{{class}}")], limits=levels(red=0.01), top_at_least=0.02,
               size=(6, 8)),
    timeseries("How stale", "How long ago the lease of a superseded token had ended. Normal: no "
               "line. Seconds are pauses; minutes or hours are workers that keep old tokens.", "s",
               [(quantile(q, "fencegate_fence_stale_age_seconds"), name)
                for q, name in ((0.5, "p50"), (0.99, "p99"))],
               overrides=[colour("p50", ORANGE), colour("p99", RED)], size=(6, 8)),
    bargauge("Stale writes by class", "Double writes averted in the time shown: the token had been "
             "superseded by another holder's. Normal: 0 or few.", "short",
             classes("sum by (class) (increase(fencegate_fence_checks_total"
                     '{@class,result="stale"}[$__range]))'), "{{class}}", levels(orange=1, red=100), decimals=0,
             size=(6, 8)),
])

MONEY = ("Idempotency and payments", [
    timeseries("Idempotency keys", "new: done now; replayed: the first answer was given again; "
               "in_flight: being worked on. Normal: new, with few replays. mismatch: one key for two "
               "requests, a bug of the client.", "ops",
               [("sum by (result) (rate(fencegate_idempotency_total{@gateway}[$__rate_interval]))",
                 "{{result}}")], stacked=True,
               overrides=colours(new=GREEN, replayed=BLUE, in_flight=ORANGE, mismatch=RED)),
    timeseries("Payment commands", "Carried out, by operation. Normal: your business.", "ops",
               [('sum by (operation) (rate(fencegate_payments_total{@gateway,result="ok"}'
                 "[$__rate_interval]))", "{{operation}}")], stacked=True, overrides=OPERATIONS),
    timeseries("Payments refused by rules", "More than captured or authorized, a wrong state, an id "
               "that exists. Normal: few; many are clients that repeat without the same key.", "ops",
               [('sum by (operation) (rate(fencegate_payments_total{@gateway,result="refused"}'
                 "[$__rate_interval]))", "{{operation}}")], stacked=True, overrides=OPERATIONS),
    timeseries("Share of replays", "Keys that came again. Normal: a few per cent. A rise is clients "
               "that lose replies: their timeouts are too short, or replies are slow.",
               "percentunit",
               [('sum(rate(fencegate_idempotency_total{@gateway,result="replayed"}'
                 "[$__rate_interval])) / sum(rate(fencegate_idempotency_total{@gateway}"
                 "[$__rate_interval]))", "replayed")], limits=levels(red=0.1), top_at_least=0.2,
               overrides=[colour("replayed", BLUE)]),
    timeseries("Ledger", "Entries of the journal. Normal: only rises; if it ever falls, alert "
               "FencegateJournalShrank: a restore, or another store.", "short",
               [("sum by (instance) (fencegate_journal_transfers{@gateway})", "{{instance}}")]),
    bargauge("Payment commands in the time shown", "How many, carried out and refused. Normal: "
             "refused is a small part.", "short",
             "sum by (operation, result) (increase(fencegate_payments_total{@gateway}[$__range]))",
             "{{operation}} {{result}}", levels(normal=BLUE), decimals=0),
])
