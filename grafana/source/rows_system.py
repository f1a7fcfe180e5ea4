"""Rows "Store and group commit" and "TLS and process"."""

from panel import (BLUE, GREEN, ORANGE, OURS, PURPLE, RED, colour, colours, dashed, levels, table,
                   timeseries)
from rows_locks import quantile

STORE = ("Store and group commit", [
    timeseries("Commit time", "One commit with its sync to disk; every answer waits for one. Normal: "
               "p99 below 20 ms on an SSD; alert at 100 ms. running: how long the one has taken that "
               "runs now; it rises while the disk hangs, alert at 5 s.", "s",
               [(quantile(q, "fencegate_store_commit_seconds", "@gateway"), name)
                for q, name in ((0.5, "p50"), (0.95, "p95"), (0.99, "p99"))] +
               [("max(fencegate_store_commit_running_seconds{@gateway})", "running")],
               limits=levels(red=0.1),
               overrides=[colour("p50", GREEN), colour("p95", ORANGE), colour("p99", RED),
                          colour("running", PURPLE)]),
    timeseries("Commands a commit", "How many commands shared one commit, on average. Normal: 1 when "
               "idle, 5 to 30 under load: that is where throughput comes from.", "short",
               [("sum(rate(fencegate_store_batch_size_sum{@gateway}[$__rate_interval])) / "
                 "sum(rate(fencegate_store_batch_size_count{@gateway}[$__rate_interval]))",
                 "commands")]),
    timeseries("Commands and commits", "Normal: more commands than commits under load.", "ops",
               [("sum(rate(fencegate_store_batch_size_sum{@gateway}[$__rate_interval]))",
                 "commands"),
                ("sum(rate(fencegate_store_batch_size_count{@gateway}[$__rate_interval]))",
                 "commits")], overrides=colours(commands=GREEN, commits=BLUE)),
    timeseries("Commands waiting for the store", "Normal: below 100. Above a quarter of "
               "command_queue_max, the dashed line, the store does not keep up; at command_queue_max "
               "requests get 503.", "short",
               [("sum by (instance) (fencegate_store_queue_depth{@gateway})", "{{instance}}"),
                ("min(fencegate_store_queue_depth_max{@gateway}) / 4", "limit")],
               overrides=[dashed("limit"), colour("limit", RED)], top_at_least=100),
    timeseries("Room on the disk", "The store's file and what is free on its disk. Normal: free is far "
               "above what a backup needs, which is the file. Alert below 10 %, or when it will be full "
               "within a day as it goes.", "bytes",
               [("max by (instance) (fencegate_store_file_bytes{@gateway})", "{{instance}} store"),
                ("min by (instance) (fencegate_store_disk_free_bytes{@gateway})", "{{instance}} free"),
                ("min by (instance) (fencegate_store_disk_bytes{@gateway})", "{{instance}} disk")],
               overrides=[dashed("/ disk$/")]),
    timeseries("Verifications", "Since a verification of the running gateway last ended so. Normal: sound, "
               "and as old as you planned. unsound below the others: the store is not sound.", "s",
               [("time() - max by (result) (fencegate_store_last_verification_timestamp_seconds"
                 "{@gateway} > 0)", "{{result}}")],
               overrides=colours(sound=GREEN, unsound=RED, failed=ORANGE)),
    timeseries("Write-ahead log", "What a checkpoint has not yet brought back into the store. "
               "Normal: a few MB that go up and down; alert at 256 MiB.", "bytes",
               [("sum by (instance) (fencegate_store_wal_bytes{@gateway})", "{{instance}}")]),
    timeseries("Time in checkpoints", "Share of its time that the store spends bringing the log "
               "back, and serves nobody. Normal: below 5 %; more is a slow disk.", "percentunit",
               [("sum by (instance) (rate(fencegate_store_checkpoint_seconds_sum{@gateway}"
                 "[$__rate_interval]))", "{{instance}}")], top_at_least=0.05),
    timeseries("Store errors", "full: no room, writes get 507; constraint: a bug; damaged: a page is "
               "not as it was written: run verify; fatal: the disk failed, and the process ends before most scrapes: see Gateways. Normal: 0.", "ops",
               [("sum by (kind) (rate(fencegate_store_errors_total{@gateway}[$__rate_interval]))",
                 "{{kind}}")], top_at_least=1,
               overrides=colours(full=ORANGE, constraint=PURPLE, damaged=BLUE, fatal=RED)),
    timeseries("Rows swept", "Answers and ended leases whose retention is over. Normal: as many a "
               "day as are written a day, once the first retention is over.", "ops",
               [("sum by (kind) (rate(fencegate_store_swept_total{@gateway}[$__rate_interval]))",
                 "{{kind}}")], top_at_least=1, size=(12, 8)),
    timeseries("Backups", "Made in the time of one point. Normal: one as often as you planned, none "
               "failed.", "short",
               [("sum by (result) (increase(fencegate_store_backups_total{@gateway}"
                 "[$__rate_interval]))", "{{result}}")], top_at_least=1,
               overrides=colours(ok=GREEN, failed=RED), size=(12, 8)),
])

PROCESS = ("TLS and process", [
    timeseries("Connections", "Open client connections, and clients that follow events. Normal: one "
               "or two for each worker. Dashed: connections_max, or what the limit of open files "
               "leaves; beyond it they are refused.", "short",
               [("sum by (listener) (fencegate_http_connections{@gateway})", "{{listener}}"),
                ("sum(fencegate_watchers{@gateway})", "watchers"),
                ("sum(fencegate_statements{@gateway})", "statements"),
                ('sum(fencegate_http_connections_max{@gateway,listener="public"})', "limit"),
                ("sum(increase(fencegate_http_connections_refused_total{@gateway}"
                 "[$__rate_interval]))", "refused")],
               overrides=[dashed("limit"), colour("refused", RED)]),
    timeseries("Requests without a principal", "Answered 401. no_key: none was sent; not_bearer: in "
               "another form; unknown_key: revoked, of another gateway, or cut off. Normal: 0, or a few "
               "probes.", "ops",
               [("sum by (reason) (rate(fencegate_http_unauthenticated_total{@gateway}"
                 "[$__rate_interval]))", "{{reason}}")], top_at_least=1,
               overrides=colours(no_key=BLUE, not_bearer=PURPLE, unknown_key=ORANGE)),
    timeseries("TLS handshakes", "Normal: few, none failed. Many are clients without keep-alive; "
               "failed ones do not trust the CA, or are scanners.", "ops",
               [("sum by (result) (rate(fencegate_tls_handshakes_total{@gateway}"
                 "[$__rate_interval]))", "{{result}}")], overrides=colours(ok=GREEN, failed=RED)),
    timeseries("Event streams that ended", "client: it left; overrun, slow: it read too slowly; "
               "draining: the gateway stopped. Normal: client.", "ops",
               [("sum by (reason) (rate(fencegate_watch_ended_total{@gateway}[$__rate_interval]))",
                 "{{reason}}")]),
    timeseries("CPU", "100 % is one core. Normal: below the cores it has. One full core with "
               "waiting commands is the store thread.", "percentunit",
               [("sum by (instance) (rate(process_cpu_seconds_total{@gateway}[$__rate_interval])%s)" % OURS,
                 "{{instance}}")], size=(8, 8)),
    timeseries("Memory", "Resident. Normal: 15 to 30 MiB, and about 60 KiB for each connection. "
               "One that only rises with steady connections is a leak: report it.", "bytes",
               [("sum by (instance) (process_resident_memory_bytes{@gateway}%s)" % OURS, "{{instance}}")],
               size=(8, 8)),
    timeseries("Open files", "Share of the limit. Normal: below 80 %; each connection is one.",
               "percentunit",
               [("max by (instance) (process_open_fds{@gateway} / process_max_fds{@gateway}%s)" % OURS,
                 "{{instance}}")], limits=levels(red=0.8), top=1, size=(12, 8)),
    timeseries("Wall clock", "ahead: how far it is ahead of the time that the books go by; jumps: how "
               "often it was set; gap: how far it was ahead when the machine was started, if by more "
               "than 30 days. Normal: 0 s, and none. Leases do not depend on it.", "s",
               [("max by (instance) (fencegate_clock_offset_seconds{@gateway})",
                 "{{instance}} ahead"),
                ("sum by (instance) (increase(fencegate_clock_jumps_total{@gateway}"
                 "[$__rate_interval]))", "{{instance}} jumps"),
                ("max by (instance) (fencegate_clock_gap_seconds{@gateway})",
                 "{{instance}} gap")], size=(12, 8)),
    table("Gateways", "Which version runs where, with which libraries, and the epoch of its store. Normal: "
          "one version, apart from a roll-out.",
          [(name, unit, f"max by (instance, version, sqlite, openssl) (fencegate_build_info{{@gateway}} "
            f"* on (job, instance) group_left () {of})", None) for name, unit, of in (
                ("Running for", "s", "(time() - process_start_time_seconds{@gateway})"),
                ("Certificate ends in", "s",
                 "(fencegate_tls_certificate_not_after_timestamp_seconds{@gateway} - time())"),
                ("Epoch", "short", "fencegate_store_epoch{@gateway}"),
                ("Threads", "short", "process_threads{@gateway}"))],
          rows_by="instance", size=(24, 5)),
])
