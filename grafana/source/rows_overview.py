"""Rows "Health at a glance" and "Traffic". A stat is green when nobody needs to look."""

from panel import BLUE, GREEN, ORANGE, OURS, PURPLE, RED, bargauge, colour, levels, stat, table, timeseries

# Routes that answer at once. The others wait for a lock because they were asked to, or stream.
UNWAITING = 'listener="public",route=~"/v1/payments.*|/v1/leases/.*"'

# Answers to writes under a token whose lease had ended.
ENDED = 'result=~"stale|expired|released|broken"'

LIMITS = [
    ("connections", 'fencegate_http_connections{@gateway,listener="public"} / '
     'fencegate_http_connections_max{@gateway,listener="public"}'),
    ("commands", "fencegate_store_queue_depth{@gateway} / fencegate_store_queue_depth_max{@gateway}"),
    ("waiting acquires", "sum by (job, instance) (fencegate_lock_waiters{@class}) / on (job, instance) "
     "fencegate_lock_waiters_max{@gateway}"),
    ("watchers", "fencegate_watchers{@gateway} / fencegate_watchers_max{@gateway}"),
    ("statements", "fencegate_statements{@gateway} / fencegate_statements_max{@gateway}"),
    ("open files", f"process_open_fds{{@gateway}} / process_max_fds{{@gateway}}{OURS}"),
    ("disk", "1 - fencegate_store_disk_free_bytes{@gateway} / fencegate_store_disk_bytes{@gateway}"),
]

HEALTH = ("Health at a glance", [
    stat("Gateway", "Did the last scrape of every chosen gateway succeed? Normal: up. If not, see "
         "alert FencegateDown.", "none", "min(up{@gateway} and on (job, instance) "
         "last_over_time(fencegate_build_info{@gateway}[$__range]))",
         values={0: ("down", RED), 1: ("up", GREEN)}),
    stat("Running for", "Time since the youngest process started. Normal: as long as you know of no "
         "restart; each start gives live leases their full TTL again.", "s",
         "time() - max(process_start_time_seconds{@gateway}%s)" % OURS, levels(normal=BLUE), decimals=1),
    stat("Requests", "Requests answered on the public listener. Normal: your load. 0 under load "
         "means that clients do not get here.", "reqps",
         'sum(rate(fencegate_http_requests_total{@gateway,listener="public"}[$__rate_interval]))',
         levels(normal=BLUE), decimals=1),
    stat("Server errors", "Share of answers that were 5xx, over the time shown. Normal: below 1 %. "
         "Refusals (4xx) do not count: they are definite.", "percentunit",
         'sum(increase(fencegate_http_requests_total{@gateway,listener="public",status=~"5.."}'
         '[$__range])) / sum(increase(fencegate_http_requests_total{@gateway,listener="public"}'
         '[$__range]))', levels(orange=0.01, red=0.1), decimals=2),
    stat("Waiting now", "Acquires that stand in line. Normal: a number that comes and goes. One that "
         "only rises is alert FencegateLockWaitersGrowing.", "short",
         "sum(fencegate_lock_waiters{@class})", levels(orange=100, red=1000)),
    stat("Longest wait now", "How long the first of all lines has waited. Normal: below 10 s; "
         "nobody waits longer than wait_max (60 s).", "s",
         "max(fencegate_lock_oldest_waiter_seconds{@class})", levels(orange=10, red=30),
         decimals=1),
    stat("Leases expired", "Share of leases that ended by their TTL, over the time shown. Normal: "
         "below 5 %. More: holders die, stall, or need a longer TTL.", "percentunit",
         "sum(increase(fencegate_lease_expired_total{@class}[$__range])) / "
         "sum(increase(fencegate_lock_hold_seconds_count{@class}[$__range]))",
         levels(orange=0.05, red=0.25), decimals=1),
    stat("Stale writes refused", "Double writes averted, over the time shown: the token had been "
         "superseded by another holder's. Normal: 0 or a few. By class in \"Stale writes by class\"; "
         "all writes after the end of a lease in \"Share of writes after the lease\".", "short",
         'sum(increase(fencegate_fence_checks_total{@class,result="stale"}[$__range]))',
         levels(orange=1), decimals=0),
    stat("Deadlocks", "Circles of holders that wait for each other. Normal: 0. "
         "GET /v1/locks/deadlocks names them.", "short",
         "sum(fencegate_lock_deadlocks{@gateway})", levels(red=1)),
    stat("Certificate ends in", "Until the first server certificate ends. Normal: more than 30 "
         "days. SIGHUP takes a new one.", "s",
         "min(fencegate_tls_certificate_not_after_timestamp_seconds{@gateway}) - time()",
         {"mode": "absolute", "steps": [{"color": RED, "value": None},
                                        {"color": ORANGE, "value": 7 * 86400},
                                        {"color": GREEN, "value": 30 * 86400}]}, decimals=0),
    stat("Backup age", "Of the gateway whose last backup is oldest; one that has none counts from "
         "its start. Normal: below 26 h.", "s",
         "max(time() - ((fencegate_store_last_backup_timestamp_seconds{@gateway} > 0) or "
         "on (job, instance) (process_start_time_seconds{@gateway}%s)))" % OURS,
         levels(orange=26 * 3600, red=50 * 3600), decimals=1),
    stat("Last reload", "Whether the keys and certificates were last read without an error. Normal: "
         "taken. Refused: the old ones are in force, revoked keys too.", "none",
         "min(fencegate_config_last_reload_successful{@gateway})",
         values={0: ("refused", RED), 1: ("taken", GREEN)}),
    stat("In the way for", "The longest silence of a holder that others ask for in vain. Normal: none, "
         "or seconds; beyond alert_silent_after (5 min) it is alert FencegateHolderSilent.", "s",
         'max(fencegate_lock_in_the_way_seconds{@class,since="heard"})',
         levels(orange=60, red=300), decimals=0),
    stat("Free disk", "Of the disk of the store, the share that is free. Normal: above 10 %. A full disk "
         "refuses every write.", "percentunit",
         "min(fencegate_store_disk_free_bytes{@gateway} / fencegate_store_disk_bytes{@gateway})",
         {"mode": "absolute", "steps": [{"color": RED, "value": None},
                                        {"color": ORANGE, "value": 0.03},
                                        {"color": GREEN, "value": 0.1}]}, decimals=0),
    stat("Verified", "Since a verification last found the store sound, as far as it is known in the time "
         "shown. Normal: as often as you planned. Make one with POST /verify or fencegate verify "
         "--online.", "s",
         'time() - max(max_over_time(fencegate_store_last_verification_timestamp_seconds'
         '{@gateway,result="sound"}[$__range]) > 0)', levels(normal=BLUE), decimals=0),
    stat("Connections refused", "Closed at once over the time shown, because as many as may were open. "
         "Normal: 0.", "short",
         "sum(increase(fencegate_http_connections_refused_total{@gateway}[$__range]))",
         levels(red=1), decimals=0),
    stat("Turned away (401)", "Requests without a key that is known, over the time shown. Normal: 0 or a "
         "few. By reason in \"Requests without a principal\".", "short",
         "sum(increase(fencegate_http_unauthenticated_total{@gateway}[$__range]))",
         levels(orange=10), decimals=0),
    stat("Log lines lost", "Of the access log, over the time shown. Normal: 0. Its disk is full, or its "
         "reader too slow.", "short",
         "sum(increase(fencegate_access_log_lines_lost_total{@gateway}[$__range]))",
         levels(orange=1), decimals=0),
    table("Firing alerts", "What the rules of grafana/prometheus/alerts.yml say now, and for how long it "
          "has been so. A name links to what to do. FencegateAbsent names no instance. Normal: none, or "
          "only of severity info.",
          [("For", "s", "sum by (alertname, severity, class, kind, instance) ((time() - "
            'ALERTS_FOR_STATE{job=~"$job",instance=~"$instance|",alertname=~"Fencegate.*"}) and '
            'ignoring (alertstate) ALERTS{job=~"$job",instance=~"$instance|",alertname=~"Fencegate.*",'
            'alertstate="firing"})', None)],
          rows_by="alertname", size=(16, 7),
          links={"alertname": "${guide}#${__data.fields.alertname}"}),
    bargauge("Use against limits", "How much is used of what may be, of the gateway that has least left. "
             "Normal: below 80 %. The limits are those of the configuration; of open files and disk, "
             "the system's.", "percentunit", " or ".join(
                 f'label_replace(max({use}), "limit", "{name}", "", "")' for name, use in LIMITS),
             "{{limit}}", levels(orange=0.5, red=0.8), top=1, decimals=1, size=(8, 7)),
])

STATUSES = {"200": GREEN, "201": "dark-green", "202": "super-light-green", "204": "light-green",
            "400": "yellow", "401": "dark-yellow", "403": "light-yellow", "404": "super-light-blue",
            "408": "super-light-yellow", "409": "light-purple", "410": "super-light-orange",
            "412": ORANGE, "422": PURPLE, "423": BLUE, "428": "light-orange", "429": "dark-orange",
            "500": "dark-red", "503": RED, "507": "light-red"}

TRAFFIC = ("Traffic: rate, errors, duration", [
    timeseries("Requests by route", "Which calls come, on the public listener. Normal: your load, "
               "in its usual proportions.", "reqps",
               [('sum by (method, route) (rate(fencegate_http_requests_total'
                 '{@gateway,listener="public"}[$__rate_interval])) > 0', "{{method}} {{route}}")],
               stacked=True, size=(12, 11)),
    timeseries("Answers by status", "Normal: 2xx. 412 is a write refused by the fence, 423 a lock "
               "that is held, 409 and 422 refusals by rules: all definite. 5xx, in red: repeat with "
               "the same key.", "reqps",
               [('sum by (status) (rate(fencegate_http_requests_total'
                 '{@gateway,listener="public"}[$__rate_interval])) > 0', "{{status}}")],
               stacked=True, size=(12, 11),
               overrides=[colour(status, to) for status, to in STATUSES.items()]),
    timeseries("Server errors", "Share of answers that were 5xx. Normal: 0; alert above 1 %.",
               "percentunit",
               [('sum(rate(fencegate_http_requests_total{@gateway,listener="public",status=~"5.."}'
                 '[$__rate_interval])) / sum(rate(fencegate_http_requests_total'
                 '{@gateway,listener="public"}[$__rate_interval]))', "5xx")],
               limits=levels(red=0.01), top_at_least=0.02,
               overrides=[colour("5xx", RED)]),
    timeseries("Duration of requests that do not wait", "Payment writes and lease calls, from the "
               "request to the reply. Normal: p99 below 50 ms, above it compare \"Commit time\"; "
               "alert at 250 ms. Acquires that wait in line are in \"Wait for a lock\".", "s",
               [("histogram_quantile(%s, sum by (le) (rate("
                 "fencegate_http_request_duration_seconds_bucket{@gateway,%s}"
                 "[$__rate_interval])))" % (q, UNWAITING), name)
                for q, name in ((0.5, "p50"), (0.95, "p95"), (0.99, "p99"))],
               limits=levels(red=0.25),
               overrides=[colour("p50", GREEN), colour("p95", ORANGE), colour("p99", RED)]),
    bargauge("Slowest routes (p99)", "The p99 of every public route that does not stream, over the "
             "time shown. Normal: routes that take locks are as slow as their wait_ms lets them be; "
             "all others below 250 ms.", "s",
             'sort_desc(histogram_quantile(0.99, sum by (le, route) (increase('
             'fencegate_http_request_duration_seconds_bucket{@gateway,listener="public",'
             'route!~"unmatched|/v1/watch|.*/observe"}[$__range]))) > 0)', "{{route}}",
             levels(orange=0.25, red=10)),
])
