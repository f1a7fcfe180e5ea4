"""A day of one gateway as Prometheus scrapes it, and promtool as the judge of what fires in it.

Owns: the series of a healthy gateway, what may happen to them, the file that promtool reads. Refuses to
own: what happens (incidents.py). Times are minutes since the day began.
"""

import json
import pathlib
import re
import subprocess
import tempfile

from processes import GRAFANA

PROMETHEUS = GRAFANA / "prometheus"
ON = {"job": "fencegate", "instance": "a:9443"}
REFUND = {"listener": "public", "method": "POST", "route": "/v1/payments/{id}/refunds"}
ACQUIRE = {"listener": "public", "method": "POST", "route": "/v1/locks/{name...}"}
SHOWN = "alertname, severity, class, kind"
NOT_YET_STARTED = -3600  # seconds before the day


def groups():
    """Every group of the rules, in the order of the files: promtool takes them in any order."""
    text = "".join((PROMETHEUS / name).read_text() for name in ("recording.yml", "alerts.yml"))
    return re.findall(r"^  - name: (\S+)", text, re.MULTILINE)


def during(begin, end, then, otherwise=0):
    """A value of a span of the day."""
    return lambda minute: then if begin <= minute < end else otherwise


def changing(value):
    """A function of the minute, of a number too."""
    return value if callable(value) else lambda minute: value


def since(begin, then, otherwise=0):
    return during(begin, float("inf"), then, otherwise)


class Day:
    """Starts healthy and with traffic; whoever plays an incident changes series of it."""

    def __init__(self, minutes, step=60):
        self.minutes, self.step = minutes, step
        self.levels, self.rates, self.bounds = {}, {}, {}
        self.restarts = []            # minutes
        self.is_down = lambda minute: False
        self.is_unscraped = lambda minute: False
        self._be_well()

    # -- what it is made of

    def level(self, name, value, **labels):
        """A gauge: a number, or a function of the minute."""
        self.levels[self._key(name, labels)] = changing(value)

    def rate(self, name, per_minute, **labels):
        """A counter that grows by so much a minute: a number, or a function of the minute."""
        self.rates[self._key(name, labels)] = changing(per_minute)

    def histogram(self, name, per_minute, **labels):
        """How many a minute fall under each bound, e.g. {0.1: 600, 10: 5}, or a function of it."""
        counts = changing(per_minute)
        bounds = self.bounds.setdefault(self._key(name, labels), list(counts(0)))
        assert list(counts(0)) == bounds, f"{name} has the buckets {bounds}"
        for bound in counts(0):
            self.rate(f"{name}_bucket", lambda minute, bound=bound: sum(
                count for at, count in counts(minute).items() if at <= bound), le=f"{bound:g}",
                **labels)
        for end, more in (("_bucket", {"le": "+Inf"}), ("_count", {})):
            self.rate(name + end, lambda minute: sum(counts(minute).values()), **labels, **more)

    def restart(self, at, down=1):
        """Counters begin anew; it misses the scrapes of `down` minutes."""
        self.restarts.append(at)
        before = self.is_down
        self.is_down = lambda minute: before(minute) or at - down <= minute < at

    def _be_well(self):
        for name, value in {
                "fencegate_config_last_reload_successful": 1, "process_open_fds": 100,
                "process_max_fds": 20_000, "fencegate_store_queue_depth": 3,
                "fencegate_store_queue_depth_max": 4096, "fencegate_store_commit_running_seconds": 0,
                "fencegate_store_wal_bytes": 4e6, "fencegate_store_epoch": 1,
                "fencegate_store_file_bytes": 1e9, "fencegate_store_disk_free_bytes": 60e9,
                "fencegate_store_disk_bytes": 100e9, "fencegate_lock_deadlocks": 0,
                "fencegate_lock_wait_max_seconds": 60, "fencegate_clock_offset_seconds": 0,
                "fencegate_clock_gap_seconds": 0,
                "fencegate_tls_certificate_not_after_timestamp_seconds": 90 * 86_400,
                "fencegate_journal_transfers": lambda minute: 5_000 + int(600 * minute),
                "fencegate_store_last_backup_timestamp_seconds":
                    lambda minute: max(60 * minute - 3_600, 1)}.items():
            self.level(name, value)
        for listener, most in (("public", 10_000), ("admin", 32)):
            self.level("fencegate_http_connections", 2, listener=listener)
            self.level("fencegate_http_connections_max", most, listener=listener)
            self.rate("fencegate_http_connections_refused_total", 0, listener=listener)
        for result, when in (("sound", 1), ("unsound", 0), ("failed", 0)):
            self.level("fencegate_store_last_verification_timestamp_seconds", when, result=result)
        for kind in ("full", "constraint", "damaged", "fatal"):
            self.rate("fencegate_store_errors_total", 0, kind=kind)
        self.rate("fencegate_store_backups_total", 0, result="failed")
        self.rate("fencegate_clock_jumps_total", 0)
        self.rate("fencegate_access_log_lines_lost_total", 0)
        self.rate("fencegate_idempotency_total", 0, result="mismatch")
        self.commits({0.005: 3_000, 0.1: 20, 1: 0, 10: 0, 60: 0})
        self.lag({0.01: 6, 1: 0, 2.5: 0, 60: 0})
        self.traffic(600)
        for name in ("payments", "other"):
            self.of_class(name, 600 if name == "payments" else 0)

    def commits(self, per_minute):
        self.histogram("fencegate_store_commit_seconds", per_minute, backend="sqlite")

    def lag(self, per_minute):
        self.histogram("fencegate_lease_expiry_lag_seconds", per_minute)

    def traffic(self, per_minute, errors=0, slow=0):
        """Refunds a minute; so many more are answered 503, and so many of them take a second."""
        self.rate("fencegate_http_requests_total", per_minute, status="201", **REFUND)
        self.rate("fencegate_http_requests_total", errors, status="503", **REFUND)
        self.rate("fencegate_http_requests_total", 5, status="412", **REFUND)
        everything, late = changing(per_minute), changing(slow)
        self.histogram("fencegate_http_request_duration_seconds", lambda minute: {
            0.25: max(everything(minute) - late(minute), 0), 1: late(minute)}, **REFUND)

    def of_class(self, name, per_minute):
        """Critical sections a minute, all granted, released in time, written under."""
        of, sections = {"class": name}, changing(per_minute)
        for outcome in ("granted", "contended", "timeout", "queue_full", "denied"):
            self.rate("fencegate_lock_acquire_total", per_minute if outcome == "granted" else 0,
                      outcome=outcome, **of)
        self.waits(lambda minute: {1: sections(minute), 10: 0, 30: 0, 60: 0}, "granted", name)
        for end in ("released", "expired", "broken"):
            self.rate("fencegate_lock_hold_seconds_count", per_minute if end == "released" else 0,
                      end=end, **of)
        self.rate("fencegate_lease_expired_total", 0, **of)
        self.histogram("fencegate_lease_remaining_ratio",
                       lambda minute: {0.1: 0, 1: sections(minute)}, at="release", **of)
        for result in ("accepted", "stale", "expired", "released", "unknown", "missing"):
            self.rate("fencegate_fence_checks_total", per_minute if result == "accepted" else 0,
                      result=result, **of)
        self.level("fencegate_lock_waiters", 0, **of)
        for age, most in (("heard", 300), ("granted", 1_800)):
            self.level("fencegate_lock_in_the_way_seconds", 0, since=age, **of)
            self.level("fencegate_lock_in_the_way_max_seconds", most, since=age, **of)

    def waits(self, per_minute, outcome, name):
        self.histogram("fencegate_lock_acquire_wait_seconds", per_minute, outcome=outcome,
                       **{"class": name})

    def in_the_way(self, heard, granted, name="payments"):
        """Seconds, as functions of the minute."""
        self.level("fencegate_lock_in_the_way_seconds", heard, since="heard", **{"class": name})
        self.level("fencegate_lock_in_the_way_seconds", granted, since="granted", **{"class": name})

    def expiries(self, per_minute, name="payments"):
        of = {"class": name}
        self.rate("fencegate_lease_expired_total", per_minute, **of)
        self.rate("fencegate_lock_hold_seconds_count", per_minute, end="expired", **of)

    # -- what promtool is told

    @staticmethod
    def _key(name, labels):
        labels = {**ON, **labels}
        return name + "{" + ",".join(f"{key}={json.dumps(value)}"
                                     for key, value in sorted(labels.items())) + "}"

    def _scrapes(self):
        return [at * self.step / 60 for at in range(int(self.minutes * 60 / self.step) + 1)]

    def _is_seen(self, minute):
        return not self.is_down(minute) and not self.is_unscraped(minute)

    def _counted(self, per_minute):
        total, began = 0.0, 0
        for minute in self._scrapes():
            started = sum(at <= minute for at in self.restarts)
            if started != began:
                total, began = 0.0, started
            yield minute, total
            total += per_minute(minute) * self.step / 60

    def _started(self, minute):
        return max([NOT_YET_STARTED] + [60 * at for at in self.restarts if at <= minute])

    def series(self):
        def written(samples):
            return " ".join(f"{value:.10g}" if self._is_seen(minute) else "_"
                            for minute, value in samples)
        scrapes = self._scrapes()
        yield self._key("up", {}), " ".join("1" if self._is_seen(at) else "0" for at in scrapes)
        self.level("process_start_time_seconds", self._started)
        for key, value in self.levels.items():
            yield key, written((minute, value(minute)) for minute in scrapes)
        for key, per_minute in self.rates.items():
            yield key, written(self._counted(per_minute))

    def as_test(self, expected):
        """`expected`: what fires at which minute, "Name severity" with class or kind behind it."""
        return {
            "interval": f"{self.step}s",
            "input_series": [{"series": key, "values": values} for key, values in self.series()],
            "promql_expr_test": [{
                "expr": f'count by ({SHOWN}) (ALERTS{{alertstate="firing"}})',
                "eval_time": f"{int(minute * 60)}s",
                "exp_samples": [{"labels": _labels(text), "value": 1} for text in sorted(firing)],
            } for minute, firing in sorted(expected.items())]}


def _labels(text):
    name, severity, *more = text.split()
    labels = {"alertname": f"Fencegate{name}", "severity": severity}
    if more:
        labels["kind" if name.startswith("Store") else "class"] = more[0]
    return "{" + ", ".join(f'{key}="{value}"' for key, value in labels.items()) + "}"


def judge(day, expected):
    """What promtool says against it; nothing if all came as expected."""
    test = {"rule_files": [str(PROMETHEUS / "recording.yml"), str(PROMETHEUS / "alerts.yml")],
            "evaluation_interval": f"{day.step}s", "group_eval_order": groups(),
            "tests": [day.as_test(expected)]}
    with tempfile.TemporaryDirectory(prefix="fencegate-days-") as folder:
        file = pathlib.Path(folder) / "day.yml"
        file.write_text(json.dumps(test))  # which is YAML
        ran = subprocess.run(["promtool", "test", "rules", file], capture_output=True, text=True,
                             check=False)
    return "" if ran.returncode == 0 else ran.stdout + ran.stderr
