#!/usr/bin/env python3
"""Writes grafana/dashboards/fencegate.json from the panels in rows_*.py.

    grafana/source/build.py            writes the file
    grafana/source/build.py --check    fails if the file is not what would be written

To change a panel, change it in its rows_*.py, run this, and commit both.
"""

import json
import pathlib
import sys

sys.dont_write_bytecode = True
sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent))

import rows_locks  # noqa: E402  (the path above comes first)
import rows_money  # noqa: E402
import rows_overview  # noqa: E402
import rows_system  # noqa: E402
from panel import DATASOURCE, OURS, expand  # noqa: E402

OUTPUT = pathlib.Path(__file__).resolve().parent.parent / "dashboards" / "fencegate.json"
WIDTH = 24  # of Grafana's grid
GUIDE = "file:///usr/share/doc/fencegate/docs/operations.md"

# What somebody looks at first, and what they look into then: folded until it is opened.
OPEN = [rows_overview.HEALTH, rows_overview.TRAFFIC, rows_locks.CONTENTION]
FOLDED = [rows_locks.LEASES, rows_money.FENCING, rows_money.MONEY, rows_system.STORE,
          rows_system.PROCESS]


def variable(name, label, query):
    return {
        "name": name, "label": label, "type": "query", "datasource": DATASOURCE,
        "query": {"query": query, "refId": "StandardVariableQuery"}, "definition": query,
        "refresh": 2,  # when the time range changes
        "sort": 1, "multi": True, "includeAll": True, "allValue": ".+", "options": [],
        "current": {"selected": True, "text": ["All"], "value": ["$__all"]},
    }


def variables():
    return [
        {"name": "datasource", "label": "Data source", "type": "datasource", "query": "prometheus",
         "refresh": 1, "options": [], "multi": False, "includeAll": False, "current": {}},
        variable("job", "Job", "label_values(fencegate_build_info, job)"),
        variable("instance", "Instance",
                 'label_values(fencegate_build_info{job=~"$job"}, instance)'),
        variable("class", "Class", expand("label_values(fencegate_locks_held{@gateway}, class)")),
        # Where "Firing alerts" links to; the same as the label runbooks in prometheus.yml.
        {"name": "guide", "label": "Guide", "type": "textbox", "hide": 2,
         "query": GUIDE, "current": {"text": GUIDE, "value": GUIDE},
         "options": [{"text": GUIDE, "value": GUIDE, "selected": True}]},
    ]


def annotation(name, colour, expression, title, text, value_is_time=False):
    return {
        "name": name, "datasource": DATASOURCE, "enable": True, "iconColor": colour,
        "expr": expand(expression), "titleFormat": title, "textFormat": text, "tagKeys": "instance",
        "step": "15s", "useValueForTime": value_is_time,
    }


def annotations():
    return [
        annotation("Starts", "blue", "(process_start_time_seconds{@gateway}%s) * 1000" % OURS,
                   "fencegate started", "{{instance}}", value_is_time=True),
        annotation("Drains", "orange", "max_over_time(fencegate_draining{@gateway}[$__rate_interval]) == 1",
                   "draining", "{{instance}} finishes what is at hand and stops"),
        annotation("Reloads", "purple",
                   "sum by (instance, result) "
                   "(increase(fencegate_config_reloads_total{@gateway}[$__rate_interval])) > 0",
                   "reload: {{result}}", "{{instance}}"),
    ]


def placed(members, y):
    """Sets panels from left to right, wrapped at the width of the grid; returns where they end."""
    x = tallest = 0
    for panel in members:
        place = panel["gridPos"]
        if x + place["w"] > WIDTH:
            x, y, tallest = 0, y + tallest, 0
        place["x"], place["y"] = x, y
        x, tallest = x + place["w"], max(tallest, place["h"])
    return y + tallest


def laid_out(opened, folded):
    """Rows with their panels, in the order they are written. A folded row holds its panels itself,
    where they stand when it alone is opened."""
    panels, y = [], 0
    for is_folded, (title, members) in [(False, row) for row in opened] + [
            (True, row) for row in folded]:
        row = {"type": "row", "title": title, "collapsed": is_folded, "panels": [],
               "gridPos": {"x": 0, "y": y, "w": WIDTH, "h": 1}}
        y += 1
        end = placed(members, y)
        panels.append(row)
        if is_folded:
            row["panels"] = members
        else:
            panels += members
            y = end
    for number, panel in enumerate([one for panel in panels
                                    for one in (panel, *panel.get("panels", []))], start=1):
        panel["id"] = number
    return panels


def dashboard():
    return {
        "uid": "fencegate", "id": None, "title": "fencegate",
        "description": "Who waits, for what, since when; why leases expire; which stale writes were "
                       "refused; whether the TTL is right.",
        "tags": ["fencegate", "locks", "payments"], "schemaVersion": 42, "version": 1,
        "editable": False, "graphTooltip": 1, "refresh": "30s", "timezone": "browser",
        "time": {"from": "now-1h", "to": "now"}, "fiscalYearStartMonth": 0, "liveNow": False,
        "weekStart": "", "links": [], "templating": {"list": variables()},
        "annotations": {"list": annotations()}, "panels": laid_out(OPEN, FOLDED),
    }


def main():
    text = json.dumps(dashboard(), indent=2) + "\n"
    if sys.argv[1:] == ["--check"]:
        if not OUTPUT.exists() or OUTPUT.read_text() != text:
            sys.exit(f"{OUTPUT} is not what its source says: run grafana/source/build.py")
        return
    if sys.argv[1:]:
        sys.exit(__doc__)
    OUTPUT.parent.mkdir(exist_ok=True)
    OUTPUT.write_text(text)


if __name__ == "__main__":
    main()
