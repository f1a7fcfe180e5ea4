#!/usr/bin/env python3
"""The dashboard's form: the rules of Grafana's dashboard-linter, and a few of our own.

The names of the rules are those of https://github.com/grafana/dashboard-linter; the code is ours,
because that program cannot be installed everywhere. It parses no PromQL: prometheus_test.py has
Prometheus itself do so.
"""

import copy
import json
import re
import subprocess
import sys
import unittest

from processes import GRAFANA
from queries import everything, load_dashboard, metric_names, panels

KINDS = {"timeseries", "stat", "bargauge", "table"}
UNITS = {"s", "short", "none", "ops", "reqps", "percentunit", "bytes"}
COUNTERS = re.compile(r"(?<![\w:])((?:fencegate|process)_\w+_(?:total|bucket|count|sum))\b")


def findings(dashboard):
    """(rule, where) of everything that is wrong."""
    found = list(of_the_whole(dashboard)) + list(of_variables(dashboard))
    for panel in panels(dashboard):
        found += [(rule, panel.get("title")) for rule in of_panel(panel)]
        for target in panel.get("targets", []):
            found += [(rule, f'{panel.get("title")} {target["refId"]}')
                      for rule in of_target(target["expr"])]
    for annotation in dashboard["annotations"]["list"]:
        found += [(rule, annotation["name"]) for rule in of_target(annotation["expr"], False)]
    return found


def of_the_whole(dashboard):
    if dashboard.get("editable") is not False:
        yield "uneditable-dashboard", ""
    if (dashboard.get("uid"), dashboard.get("id"), dashboard.get("schemaVersion")) != (
            "fencegate", None, 42):
        yield "fixed-identity", ""
    if len({panel["id"] for panel in everything(dashboard)}) != len(everything(dashboard)):
        yield "panel-ids-unique", ""
    # What is folded takes no room until it is opened.
    for grid in [dashboard["panels"]] + [[row, *row["panels"]] for row in dashboard["panels"]
                                         if row.get("collapsed")]:
        yield from of_grid(grid)


def of_grid(grid):
    places = {}
    for panel in grid:
        place = panel["gridPos"]
        if place["x"] + place["w"] > 24:
            yield "panel-inside-grid", panel["title"]
        for cell in [(x, y) for x in range(place["x"], place["x"] + place["w"])
                     for y in range(place["y"], place["y"] + place["h"])]:
            if cell in places:
                yield "panels-do-not-overlap", f'{panel["title"]} and {places[cell]}'
            places[cell] = panel["title"]


def of_variables(dashboard):
    variables = {variable["name"]: variable for variable in dashboard["templating"]["list"]}
    if [v["name"] for v in variables.values() if v["type"] == "datasource"] != ["datasource"]:
        yield "template-datasource-rule", "datasource"
    for name in ("job", "instance", "class"):
        variable = variables.get(name, {})
        if not (variable.get("multi") and variable.get("includeAll")
                and variable.get("allValue") == ".+"):
            yield "template-job-rule" if name == "job" else "template-instance-rule", name
        if variable.get("datasource", {}).get("uid") != "${datasource}":
            yield "template-datasource-rule", name
        if variable.get("refresh") != 2:
            yield "template-on-time-change-reload-rule", name
        if not variable.get("label"):
            yield "template-label-rule", name


def of_panel(panel):
    defaults = panel.get("fieldConfig", {}).get("defaults", {})
    if not (panel.get("title") and panel.get("description")):
        yield "panel-title-description-rule"
    if "Normal: " not in panel.get("description", ""):
        yield "says-what-is-normal"
    if panel["type"] not in KINDS:
        yield "panel-kind"
    units = [defaults.get("unit")] + [
        entry["value"] for override in panel.get("fieldConfig", {}).get("overrides", [])
        for entry in override["properties"] if entry["id"] == "unit"]
    if not set(units) <= UNITS or ("none" in units and not defaults.get("mappings")):
        yield "panel-units-rule"
    if not panel.get("targets"):
        yield "panel-no-targets-rule"
    if any(source.get("uid") != "${datasource}" for source in
           [panel.get("datasource", {})] + [t["datasource"] for t in panel.get("targets", [])]):
        yield "panel-datasource-rule"
    fixed = [entry["value"]["fixedColor"]
             for override in panel.get("fieldConfig", {}).get("overrides", [])
             for entry in override["properties"] if entry["id"] == "color"]
    if len(set(fixed)) < len(fixed):
        yield "colours-tell-apart"
    if not defaults.get("thresholds", {}).get("steps"):
        yield "states-thresholds"


def of_target(expression, is_panel=True):
    selectors = re.findall(r"(?<![\w:])(?:fencegate|process)_\w+|(?<!\w)(?:up|ALERTS)(?=\{)",
                           expression)
    if not selectors:
        yield "target-names-a-metric"
    for label in ("job", "instance"):
        # With "|" at its end it takes series without the label too: an alert that nothing is there.
        if len(re.findall(rf'{label}=~"\${label}\|?"', expression)) < len(selectors):
            yield f"target-{label}-rule"
    for window in re.findall(r"(?:rate|increase|delta)\([^\[]*\[([^\]]+)\]", expression):
        if window not in ("$__rate_interval", "$__range"):
            yield "target-rate-interval-rule"
    without_functions = re.sub(r"(?:rate|increase)\([^\[]*\[[^\]]*\]\)", "", expression)
    if is_panel and COUNTERS.search(without_functions):
        yield "target-counter-agg-rule"
    # A name made of a class's labels needs the variable that chooses classes.
    of_classes = [name for name in metric_names(expression)
                  if re.match(r"fencegate_(lock_(?!deadlocks|waiters_max|wait_max)|locks_|lease_(?!expiry_lag)|fence_)",
                              name)]
    if of_classes and 'class=~"$class"' not in expression:
        yield "target-class-rule"


class Dashboard(unittest.TestCase):
    def test_it_follows_every_rule(self):
        self.assertEqual(findings(load_dashboard()), [])

    def test_it_is_what_its_source_says(self):
        built = subprocess.run([sys.executable, GRAFANA / "source" / "build.py", "--check"],
                               capture_output=True, text=True, check=False)
        self.assertEqual((built.returncode, built.stderr), (0, ""))

    def test_it_has_the_rows_that_were_promised(self):
        rows = [panel["title"].split(":")[0] for panel in load_dashboard()["panels"]
                if panel["type"] == "row"]
        self.assertEqual(rows, ["Health at a glance", "Traffic", "Contention", "Leases and expiry",
                                "Fencing", "Idempotency and payments", "Store and group commit",
                                "TLS and process"])

    def test_the_rows_that_matter_are_open_and_the_others_folded(self):
        rows = [panel for panel in load_dashboard()["panels"] if panel["type"] == "row"]
        self.assertEqual([row["title"].split(":")[0] for row in rows if not row["collapsed"]],
                         ["Health at a glance", "Traffic", "Contention"])
        self.assertTrue(all(row["panels"] for row in rows if row["collapsed"]))

    def test_the_readme_names_every_panel(self):
        readme = (GRAFANA / "README.md").read_text()
        for panel in panels(load_dashboard()):
            with self.subTest(panel["title"]):
                self.assertIn(f'*{panel["title"]}*', readme)

    def test_the_operations_guide_names_panels_that_exist(self):
        guide = (GRAFANA.parent / "docs" / "operations.md").read_text()
        alerts = guide.split("\n## Alerts\n")[1].split("\n## ")[0]
        titles = {panel["title"] for panel in panels(load_dashboard())}
        named = {" ".join(name.split()) for name in re.findall(r"(?<!\*)\*([A-Z][^*]+)\*", alerts)}
        self.assertTrue(named)
        self.assertEqual(named - titles, set())

    def test_firing_alerts_has_room_for_one_that_names_no_instance(self):
        """FencegateAbsent cannot: there is none."""
        for panel in panels(load_dashboard()):
            for target in panel["targets"]:
                for instance in re.findall(r'ALERTS{[^}]*instance=~"([^"]*)"', target["expr"]):
                    for chosen in (".+", "a:9443", "(a:9443|b:9443)"):
                        pattern = instance.replace("$instance", chosen)
                        self.assertTrue(re.fullmatch(pattern, ""), pattern)
                        self.assertTrue(re.fullmatch(pattern, "a:9443"), pattern)

    def test_what_is_called_stale_counts_the_same(self):
        counted = {panel["title"]: re.findall(r"result=~?\"([^\"]+)\"", panel["targets"][0]["expr"])
                   for panel in panels(load_dashboard()) if panel["title"].startswith("Stale writes")}
        self.assertEqual(counted, {"Stale writes refused": ["stale"],
                                   "Stale writes by class": ["stale"]})

    def test_it_is_small_enough_to_read_and_to_load(self):
        self.assertLess(len(json.dumps(load_dashboard())), 150_000)


def broken(change):
    dashboard = copy.deepcopy(load_dashboard())
    change(dashboard)
    return {rule for rule, _ in findings(dashboard)}


class Linter(unittest.TestCase):
    """Each rule finds what it is for: one fault, planted in the real dashboard."""

    def plant(self, rule, change):
        with self.subTest(rule):
            self.assertIn(rule, broken(change))

    def test_finds_faults_of_the_whole(self):
        self.plant("uneditable-dashboard", lambda d: d.update(editable=True))
        self.plant("fixed-identity", lambda d: d.update(uid="other"))
        self.plant("panel-ids-unique", lambda d: d["panels"][1].update(id=3))
        self.plant("panel-inside-grid", lambda d: d["panels"][1]["gridPos"].update(x=23))
        self.plant("panels-do-not-overlap", lambda d: d["panels"][1]["gridPos"].update(x=3))

    def test_finds_faults_of_variables(self):
        def variable(at, **change):
            return lambda d: d["templating"]["list"][at].update(change)
        self.plant("template-datasource-rule", variable(0, type="custom"))
        self.plant("template-job-rule", variable(1, allValue=".*"))
        self.plant("template-instance-rule", variable(2, multi=False))
        self.plant("template-on-time-change-reload-rule", variable(3, refresh=1))
        self.plant("template-label-rule", variable(3, label=""))

    def test_finds_faults_of_panels(self):
        def panel(change):
            return lambda d: change(panels(d)[2])
        self.plant("panel-title-description-rule", panel(lambda p: p.update(description="")))
        self.plant("says-what-is-normal", panel(lambda p: p.update(description="Requests.")))
        self.plant("panel-kind", panel(lambda p: p.update(type="heatmap")))
        self.plant("panel-units-rule", panel(lambda p: p["fieldConfig"]["defaults"].update(unit="")))
        self.plant("panel-no-targets-rule", panel(lambda p: p.update(targets=[])))
        self.plant("panel-datasource-rule", panel(lambda p: p["datasource"].update(uid="prom")))

        def twice(painted):
            painted["fieldConfig"]["overrides"] = 2 * [
                {"matcher": {"id": "byName", "options": "x"}, "properties": [
                    {"id": "color", "value": {"mode": "fixed", "fixedColor": "red"}}]}]
        self.plant("colours-tell-apart", panel(twice))
        self.plant("states-thresholds", panel(
            lambda p: p["fieldConfig"]["defaults"].pop("thresholds")))

    def test_finds_faults_of_queries(self):
        on = 'job=~"$job",instance=~"$instance"'

        def query(expression):
            return lambda d: panels(d)[2]["targets"][0].update(expr=expression)
        total = "fencegate_http_requests_total"
        self.plant("target-names-a-metric", query("1"))
        self.plant("target-job-rule", query('sum(up{instance=~"$instance"})'))
        self.plant("target-instance-rule", query('sum(up{job=~"$job"})'))
        self.plant("target-rate-interval-rule", query(f"sum(rate({total}{{{on}}}[5m]))"))
        self.plant("target-counter-agg-rule", query(f"sum({total}{{{on}}})"))
        self.plant("target-class-rule", query(f"sum(fencegate_lock_waiters{{{on}}})"))


if __name__ == "__main__":
    unittest.main(verbosity=2)
