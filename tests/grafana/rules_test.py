#!/usr/bin/env python3
"""Prometheus's own tools find nothing wrong with our rules, and every alert is tested and explained."""

import pathlib
import re
import subprocess
import tempfile
import unittest

from processes import GRAFANA

PROMETHEUS = GRAFANA / "prometheus"
TESTS = sorted((PROMETHEUS / "tests").glob("*.yml"))


def promtool(*arguments, **options):
    return subprocess.run(["promtool", *arguments], capture_output=True, text=True, check=False,
                          **options)


def alerts():
    """(name, severity, its text) of every alert, in the layout that alerts.yml keeps."""
    text = (PROMETHEUS / "alerts.yml").read_text()
    for block in re.split(r"\n +- alert: ", text)[1:]:
        yield re.match(r"\w+", block)[0], re.search(r"severity: (\w+)", block)[1], block


def cases():
    """(alert, severities that must fire) of every case in tests/."""
    for path in TESTS:
        for block in re.split(r"\n +- (?:eval_time|\{eval_time)", path.read_text())[1:]:
            block = block.split("\n  - name:")[0]
            yield re.search(r"alertname: (\w+)", block)[1], set(
                re.findall(r"exp_labels: \{severity: (\w+)", block))


def alternatives(pattern):
    """Each name that a pattern of alternatives stands for: "a(b|c)|d" is ab, ac and d."""
    for one in re.split(r"\|(?![^(]*\))", pattern):
        inner = re.search(r"\(([^)]*)\)", one)
        for choice in inner[1].split("|") if inner else [None]:
            yield one.replace(inner[0], choice) if inner else one


class Rules(unittest.TestCase):
    def accepted(self, result):
        self.assertEqual(result.returncode, 0, result.stdout + result.stderr)

    def test_promtool_accepts_the_rules(self):
        self.accepted(promtool("check", "rules", "--lint-fatal", PROMETHEUS / "recording.yml",
                               PROMETHEUS / "alerts.yml"))

    def test_promtool_accepts_the_scrape_configuration(self):
        """As it is, and with the key that is commented out."""
        text = (PROMETHEUS / "prometheus.yml").read_text()
        with_key = re.sub(r"# (authorization:|  type: |  credentials_file: )", r"\1", text)
        self.assertNotEqual(text, with_key)
        for configuration in (text, with_key):
            with tempfile.TemporaryDirectory() as folder:
                root = pathlib.Path(folder)
                (root / "fencegate-data").mkdir()
                for name in ("fencegate-data/ca.pem", "metrics-key"):
                    (root / name).touch()
                (root / "grafana" / "prometheus").mkdir(parents=True)
                for name in ("recording.yml", "alerts.yml"):
                    (root / "grafana" / "prometheus" / name).write_text(
                        (PROMETHEUS / name).read_text())
                file = root / "grafana" / "prometheus" / "prometheus.yml"
                file.write_text(configuration)
                self.accepted(promtool("check", "config", "--lint-fatal", file))

    def test_every_case_comes_out_as_written(self):
        self.assertTrue(TESTS)
        self.accepted(promtool("test", "rules", *TESTS))

    def test_every_alert_has_a_case_that_fires_and_one_that_is_quiet(self):
        fires, quiet = set(), set()
        for name, severities in cases():
            fires |= {(name, severity) for severity in severities}
            if not severities:
                quiet.add(name)
        for name, severity, _ in alerts():
            with self.subTest(f"{name} {severity}"):
                self.assertIn((name, severity), fires)
                self.assertIn(name, quiet)

    def test_every_alert_says_what_it_is_and_where_to_read_on(self):
        guide = (GRAFANA.parent / "docs" / "operations.md").read_text()
        runbook = guide.split("\n## Alerts\n")[1].split("\n## ")[0]
        shared = re.findall(r"annotations: \*(\w+)", (PROMETHEUS / "alerts.yml").read_text())
        for name, severity, text in alerts():
            with self.subTest(f"{name} {severity}"):
                self.assertRegex(name, "^Fencegate[A-Z]")
                self.assertIn(severity, ("critical", "warning", "info"))
                explained = runbook.split(f"\n### {name}\n")[1].split("\n### ")[0]
                self.assertTrue(re.search(rf"\*{severity}\.?\*", explained))
                if re.search(r"annotations: \*", text):
                    continue
                self.assertRegex(text, r"summary: [A-Z][^{]*\.\n")
                self.assertRegex(text, r'description: ".*\."\n')
                self.assertIn('runbook_url: "{{ $externalLabels.runbooks }}#%s"\n' % name.lower(),
                              text + "\n")
        self.assertEqual(len(shared), len(set(shared)))

    def test_the_links_lead_to_an_absolute_address(self):
        text = (PROMETHEUS / "prometheus.yml").read_text()
        self.assertRegex(text, r'\n    runbooks: "\w+://[^"]+/operations\.md"\n')

    def test_no_number_is_told_with_a_prefix_of_thousands(self):
        self.assertNotRegex((PROMETHEUS / "alerts.yml").read_text(), r"\| humanize\b")

    def test_what_keeps_others_quiet_is_an_alert(self):
        names = {name for name, _, _ in alerts()}
        for file in ("alerts.yml", "alertmanager.yml"):
            text = (PROMETHEUS / file).read_text()
            for pattern in re.findall(r'alertname!?=~?"([^"]+)"', text):
                for one in alternatives(pattern):
                    with self.subTest(f"{file} {one}"):
                        self.assertTrue([name for name in names if re.fullmatch(one, name)])

    def test_the_guide_explains_no_alert_that_is_gone(self):
        guide = (GRAFANA.parent / "docs" / "operations.md").read_text()
        explained = set(re.findall(r"^### (Fencegate\w+)$", guide, re.MULTILINE))
        self.assertEqual(explained, {name for name, _, _ in alerts()})

    def test_recording_rules_are_named_level_metric_operations(self):
        names = re.findall(r"record: (\S+)", (PROMETHEUS / "recording.yml").read_text())
        self.assertGreater(len(names), 20)
        for name in names:
            with self.subTest(name):
                self.assertRegex(name, r"^instance(_class)?:fencegate_\w+:\w+$")


if __name__ == "__main__":
    unittest.main(verbosity=2)
