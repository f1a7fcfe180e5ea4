#!/usr/bin/env python3
"""Each incident fires exactly its alert, in its time, and a quiet day fires none."""

import concurrent.futures
import re
import unittest

import incidents
from days import PROMETHEUS, Day, judge


class Incidents(unittest.TestCase):
    def come_as_written(self, plays):
        with concurrent.futures.ThreadPoolExecutor(max_workers=2) as pool:
            said = list(pool.map(lambda play: judge(*play()), plays))
        for play, fault in zip(plays, said):
            with self.subTest(play.__name__):
                self.assertEqual(fault, "")

    def test_each_incident_fires_its_alert_and_no_other(self):
        self.come_as_written(incidents.INCIDENTS)

    def test_a_quiet_day_fires_nothing(self):
        self.come_as_written(incidents.QUIET)

    def test_every_quiet_day_is_looked_at_more_than_once(self):
        for play in incidents.QUIET:
            day, expected = play()
            with self.subTest(play.__name__):
                self.assertGreater(len(expected), 1)
                self.assertLess(max(expected), day.minutes + 1)

    def test_a_wrong_expectation_is_noticed(self):
        """The judge can say no: to an alert that does not come, and to one that does."""
        self.assertIn("FencegateDown", judge(Day(10), {5: {"Down critical"}}))
        day, expected = incidents.the_gateway_is_down()
        self.assertNotEqual(judge(day, {minute: set() for minute in expected}), "")

    def test_the_day_has_the_series_that_the_rules_ask_for(self):
        """A misspelt series would keep an alert quiet for ever."""
        asked = set()
        for name in ("recording.yml", "alerts.yml"):
            for line in (PROMETHEUS / name).read_text().splitlines():
                if not re.match(r" +(summary|description|runbook_url|- record|- alert|#)", line):
                    asked |= set(re.findall(r"(?<![\w:])((?:fencegate|process)_\w+)(?=[\[{ )<>])", line))
        told = {re.match(r"\w+", key)[0] for key, _ in Day(1).series()}
        self.assertEqual(asked - told, set())


if __name__ == "__main__":
    unittest.main(verbosity=2)
