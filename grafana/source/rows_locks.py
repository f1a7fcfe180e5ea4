"""Rows "Contention" (who waits, for what, since when) and "Leases and expiry" (is my TTL right)."""

from panel import (BLUE, GREEN, ORANGE, PURPLE, RED, bargauge, classes, colour, colours, dashed,
                   levels, table, timeseries)

# Drops NaN, the quantile or share of nothing: a class that is not used gets no line.
NUMBERS = " >= 0"


def quantile(q, metric, matchers="@class", by="le", window="$__rate_interval"):
    return "histogram_quantile(%s, sum by (%s) (rate(%s_bucket{%s}[%s])))" % (
        q, by, metric, matchers, window)


CONTENTION = ("Contention: who waits, for what, since when", [
    timeseries("Acquires by outcome", "Normal: mostly granted. contended: held, and the caller did "
               "not wait; timeout: waited in vain, or left; queue_full: the line is too long; "
               "denied: a quota, the mode or a TTL out of bounds.", "ops",
               [("sum by (outcome) (rate(fencegate_lock_acquire_total{@class}[$__rate_interval]))",
                 "{{outcome}}")], stacked=True,
               overrides=colours(granted=GREEN, contended=BLUE, timeout=ORANGE, queue_full=RED,
                                 denied=PURPLE)),
    timeseries("Wait for a lock", "How long those waited who were granted one, and (in vain) those who "
               "gave up. Normal: p50 near 0, p99 below the time of a few critical sections; alert "
               "when the p99 of the granted is above a quarter of wait_max, the dashed line.",
               "s", [(quantile(q, "fencegate_lock_acquire_wait_seconds", '@class,outcome="granted"'),
                      name) for q, name in ((0.5, "p50"), (0.95, "p95"), (0.99, "p99"))] +
               [(quantile(0.99, "fencegate_lock_acquire_wait_seconds", '@class,outcome="timeout"'),
                 "in vain p99"), ("min(fencegate_lock_wait_max_seconds{@gateway}) / 4", "limit")],
               overrides=[colour("p50", GREEN), colour("p95", ORANGE), colour("p99", RED),
                          colour("in vain p99", PURPLE), dashed("limit")]),
    timeseries("In line", "Acquires that wait now. Normal: comes and goes. A line that only rises: "
               "more come than are served.", "short",
               [(classes("sum by (class) (fencegate_lock_waiters{@class})"), "{{class}}")],
               stacked=True),
    timeseries("First in line", "How long the longest waiting acquire has waited. Normal: below 10 "
               "s. It falls to 0 whenever a line empties, or its first gives up.", "s",
               [(classes("max by (class) (fencegate_lock_oldest_waiter_seconds{@class})"),
                 "{{class}}")], size=(6, 8)),
    timeseries("In the way", "Holders that turned somebody away within five minutes: for how long they "
               "have been silent, and have held (leaders of elections not). Normal: none, or seconds. "
               "Dashed: the limits of the classes in question, beyond which FencegateHolderSilent and "
               "FencegateHolderHung tell.", "s",
               [(classes('max by (class) (fencegate_lock_in_the_way_seconds{@class,since="heard"})'),
                 "{{class}} silent"),
                (classes('max by (class) (fencegate_lock_in_the_way_seconds{@class,since="granted"})'),
                 "{{class}} held"),
                ("min by (since) (fencegate_lock_in_the_way_max_seconds{@class} > 0)",
                 "limit since {{since}}")],
               overrides=[dashed("/^limit/")], size=(12, 8)),
    timeseries("Deadlocks", "Circles of holders that wait for each other. Normal: 0. They end with a "
               "TTL, or never if the holders renew: break one lease.", "short",
               [("sum by (instance) (fencegate_lock_deadlocks{@gateway})", "{{instance}}")],
               limits=levels(red=1), size=(6, 8), top_at_least=2),
    table("Classes now", "One line for each class of locks. Which locks it is about is told by GET "
          "/locks/hot on the admin listener. Normal: waiters near 0, wait and expired green.",
          [("Held", "short", "sum by (class) (fencegate_locks_held{@class})", None),
           ("Oldest hold", "s", "max by (class) (fencegate_lock_oldest_hold_seconds{@class})", None),
           ("In the way", "s", 'max by (class) (fencegate_lock_in_the_way_seconds{@class,'
            'since="heard"})', levels(orange=60, red=300)),
           ("Waiting", "short", "sum by (class) (fencegate_lock_waiters{@class})",
            levels(orange=100, red=1000)),
           ("Grants", "ops", "sum by (class) (rate(fencegate_lock_acquire_total"
            '{@class,outcome="granted"}[$__rate_interval]))', None),
           ("Granted", "percentunit", "sum by (class) (increase(fencegate_lock_acquire_total"
            '{@class,outcome="granted"}[$__range])) / sum by (class) (increase('
            "fencegate_lock_acquire_total{@class}[$__range]))", None),
           ("Wait p99", "s", quantile(0.99, "fencegate_lock_acquire_wait_seconds",
                                      '@class,outcome="granted"', by="le, class",
                                      window="$__range"), levels(orange=10, red=30)),
           ("Expired", "percentunit",
            "sum by (class) (increase(fencegate_lease_expired_total{@class}[$__range])) / "
            "sum by (class) (increase(fencegate_lock_hold_seconds_count{@class}[$__range]))",
            levels(orange=0.05, red=0.25))], rows_by="class", size=(24, 8)),
])

LEASES = ("Leases and expiry: is my TTL right", [
    timeseries("How leases end", "Normal: released. expired: nobody released or renewed it in time; "
               "broken: an admin ended it.", "ops",
               [(f"sum(rate(fencegate_lease_{end}_total{{@class}}[$__rate_interval]))", end)
                for end in ("released", "expired", "broken")], stacked=True,
               overrides=colours(released=GREEN, expired=ORANGE, broken=RED)),
    timeseries("Share of leases that expire", "Normal: below 5 %, the share of workers that die. "
               "Above it: they stall, forget to release, or need a longer TTL.", "percentunit",
               [(classes("sum by (class) (rate(fencegate_lease_expired_total{@class}"
                         "[$__rate_interval])) / sum by (class) (rate("
                         "fencegate_lock_hold_seconds_count{@class}[$__rate_interval]))" + NUMBERS),
                 "{{class}}")], limits=levels(red=0.05),
               top_at_least=0.1),
    timeseries("Grants and renewals", "Renewals keep a lease and its token. Normal: in proportion; "
               "work much longer than the TTL shows as many renewals a grant.", "ops",
               [('sum(rate(fencegate_lock_acquire_total{@class,outcome="granted"}'
                 "[$__rate_interval]))", "grants"),
                ("sum(rate(fencegate_lease_renewed_total{@class}[$__rate_interval]))", "renewals")],
               overrides=colours(grants=GREEN, renewals=BLUE)),
    timeseries("Hold time against TTL", "The p99 from grant to end beside the TTL that the class "
               "gives (dashed), of classes in use. Normal: below it for workers that do not renew. "
               "Holds at the line are leases that ran out: GET /v1/classes/{class}/advice names a "
               "better TTL.", "s",
               [(classes(quantile(0.99, "fencegate_lock_hold_seconds", by="le, class") + NUMBERS),
                 "{{class}} hold p99"),
                ("max by (class) (fencegate_lock_class_ttl_seconds{@class}) and on (class) "
                 "sum by (class) (increase(fencegate_lock_hold_seconds_count{@class}[$__range])) "
                 "> 0", "{{class}} TTL")],
               overrides=[dashed("/ TTL$/")]),
    timeseries("TTL left when it mattered", "The worst tenth (p10): what share of the TTL was left "
               "at the release, at the last accepted write and when a renewal came. 0 is a lease "
               "that ran out. Normal: release and renewal above 10 %, the dashed line.",
               "percentunit",
               [("histogram_quantile(0.1, sum by (le, at) (rate("
                 "fencegate_lease_remaining_ratio_bucket{@class}[$__rate_interval])))", "{{at}}")],
               limits={"mode": "absolute", "steps": [{"color": RED, "value": None},
                                                     {"color": GREEN, "value": 0.1}]},
               top=1, overrides=colours(release=GREEN, write=ORANGE, renewal=BLUE)),
    timeseries("Late returns", "How long after its lease had run out the holder came to release or "
               "renew it (p99). Normal: no line. Below the TTL: holders are slow and the TTL is "
               "short; far above: they slept, and no TTL helps.", "s",
               [("histogram_quantile(0.99, sum by (le, at) (rate("
                 "fencegate_lease_late_return_seconds_bucket{@class}[$__rate_interval])))" + NUMBERS,
                 "{{at}}")], overrides=colours(release=GREEN, renewal=BLUE)),
    bargauge("Near misses", "Share of releases and renewals with less than a tenth of the TTL left, "
             "over the time shown. Normal: below 10 %. Above it the TTL is too short, or renewals "
             "come too late: renew at a third of it.", "percentunit",
             classes("sum by (class) (increase(fencegate_lease_remaining_ratio_bucket"
                     '{@class,at=~"release|renewal",le="0.1"}[$__range])) / '
                     "sum by (class) (increase(fencegate_lease_remaining_ratio_count"
                     '{@class,at=~"release|renewal"}[$__range]))'), "{{class}}",
             levels(orange=0.05, red=0.1), top=1, size=(6, 8)),
    timeseries("TTL left at release", "In seconds, by class, the worst tenth (p10). Normal: well "
               "above the pauses your workers have (GC, scheduling, network).", "s",
               [("bottomk(10, %s)" % (quantile(0.1, "fencegate_lease_remaining_at_release_seconds",
                                               by="le, class") + NUMBERS), "{{class}}")], size=(6, 8)),
    timeseries("Expiry lag", "From a lease's deadline to its end in the store. Normal: p99 below 50 "
               "ms. Late is safe; it only makes the next in line wait.", "s",
               [(quantile(q, "fencegate_lease_expiry_lag_seconds", "@gateway"), name)
                for q, name in ((0.5, "p50"), (0.99, "p99"))],
               limits=levels(red=1), overrides=[colour("p50", GREEN), colour("p99", RED)],
               size=(6, 8)),
    timeseries("Locks held", "Now, by class. Normal: your concurrency. A rising floor is locks that "
               "nobody releases.", "short",
               [(classes("sum by (class) (fencegate_locks_held{@class})"), "{{class}}")],
               stacked=True,
               size=(6, 8)),
])
