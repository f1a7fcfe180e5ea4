#!/usr/bin/env python3
"""The dashboard, the rules and the alerts against a real Prometheus that watched a storm.

    FENCEGATE=path/to/fencegate tests/grafana/prometheus_test.py
"""

import contextlib
import json
import math
import os
import re
import subprocess
import time
import unittest

from live import live
from processes import GRAFANA
from queries import legends, load_dashboard, metric_names, substituted, targets

STORM_SECONDS = 14
RATE_SECONDS = 4

def has_a_number(result):
    """Whether any sample is a number: the quantile of nothing is NaN, and draws an empty panel."""
    samples = [sample for row in result for sample in row.get("values") or [row["value"]]]
    return any(math.isfinite(float(value)) for _, value in samples)


class AfterAStorm(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.stack = contextlib.ExitStack()
        cls.addClassCleanup(cls.stack.close)
        cls.live = cls.stack.enter_context(live(os.environ["FENCEGATE"]))
        cls.prometheus = cls.live.prometheus
        cls.live.await_scraped("the gateway is up", 'up{job="fencegate"}')
        cls.live.blow(STORM_SECONDS)
        cls.end = time.time()
        cls.scrape = cls.live.gateway.client(cls.live.gateway.key(), cls.live.gateway.admin).call(
            "GET", "/metrics")[1]

    def ask(self, expression, is_instant):
        shown = self.live.shown_seconds()
        query = substituted(expression, shown, RATE_SECONDS)
        if is_instant:
            return self.prometheus.get("query", query=query, time=self.end)["result"]
        return self.prometheus.get("query_range", query=query, start=self.live.start, end=self.end,
                                   step=1)["result"]

    def test_every_query_of_the_dashboard_returns_numbers(self):
        for where, expression, is_instant in targets(load_dashboard()):
            with self.subTest(where):
                self.assertTrue(has_a_number(self.ask(expression, is_instant)), expression)

    def test_every_label_in_a_legend_is_one_of_the_series(self):
        for where, expression, is_instant, labels in legends(load_dashboard()):
            if not labels:
                continue
            with self.subTest(where):
                for row in self.ask(expression, is_instant):
                    self.assertLessEqual(labels, set(row["metric"]))

    def test_no_query_of_the_dashboard_takes_another_program_for_a_gateway(self):
        for where, expression, is_instant in targets(load_dashboard()):
            with self.subTest(where):
                self.assertNotIn(self.prometheus.address,
                                 json.dumps(self.ask(expression, is_instant)))

    def test_every_rule_evaluates_and_every_recording_rule_has_numbers(self):
        rules = [rule for group in self.prometheus.get("rules")["groups"] for rule in group["rules"]]
        self.assertGreater(len(rules), 40)
        for rule in rules:
            with self.subTest(rule["name"]):
                self.assertEqual((rule["health"], rule.get("lastError", "")), ("ok", ""))
                if rule["type"] == "recording":
                    self.assertTrue(has_a_number(self.ask(rule["name"], False)))

    def test_stale_writes_have_raised_their_alert(self):
        firing = {alert["labels"]["alertname"] for alert in self.prometheus.get("alerts")["alerts"]
                  if alert["state"] == "firing"}
        self.assertIn("FencegateStaleWrites", firing)
        self.assertIn("FencegateIdempotencyMismatch", firing)

    def test_every_metric_named_exists_in_a_scrape(self):
        series = set(re.findall(r"^(\w+)", self.scrape, re.MULTILINE))
        named = {name for _, expression, _ in targets(load_dashboard())
                 for name in metric_names(expression)}
        for group in self.prometheus.get("rules")["groups"]:
            for rule in group["rules"]:
                named |= metric_names(rule["query"])
        for name in sorted(named):
            with self.subTest(name):
                self.assertIn(name, series)

    def test_every_metric_of_a_scrape_is_on_the_dashboard(self):
        families = set(re.findall(r"^# TYPE (\S+)", self.scrape, re.MULTILINE))
        named = " ".join(expression for _, expression, _ in targets(load_dashboard()))
        unseen = {name for name in families if not re.search(rf"\b{name}(_\w+)?\b", named)}
        self.assertEqual(unseen, {"process_virtual_memory_bytes"})

    def test_promtool_accepts_the_metrics(self):
        checked = subprocess.run(["promtool", "check", "metrics"], input=self.scrape, text=True,
                                 capture_output=True, check=False)
        self.assertEqual((checked.returncode, checked.stdout, checked.stderr), (0, "", ""))


if __name__ == "__main__":
    unittest.main(verbosity=2)
