"""The queries of the dashboard, as Grafana would send them."""

import json
import re

from processes import GRAFANA

DASHBOARD = GRAFANA / "dashboards" / "fencegate.json"


def load_dashboard():
    return json.loads(DASHBOARD.read_text())


def panels(dashboard):
    """Those in folded rows too."""
    return [panel for panel in everything(dashboard) if panel["type"] != "row"]


def everything(dashboard):
    return [one for panel in dashboard["panels"] for one in (panel, *panel.get("panels", []))]


def targets(dashboard):
    """(where, expression, is instant) of every panel query and annotation."""
    for panel in panels(dashboard):
        for target in panel["targets"]:
            yield f'{panel["title"]} {target["refId"]}', target["expr"], target["instant"]
    for annotation in dashboard["annotations"]["list"]:
        yield f'annotation {annotation["name"]}', annotation["expr"], False


def legends(dashboard):
    """(where, expression, is instant, labels that the names of its series are made of)."""
    for panel in panels(dashboard):
        for target in panel["targets"]:
            labels = set(re.findall(r"{{(\w+)}}", target["legendFormat"]))
            yield (f'{panel["title"]} {target["refId"]}', target["expr"], target["instant"], labels)


def substituted(expression, shown_seconds, rate_seconds):
    """With every variable set to All, and the windows of a dashboard that shows this many seconds."""
    values = {"job": ".+", "instance": ".+", "class": ".+",
              "__rate_interval": f"{rate_seconds}s", "__range": f"{shown_seconds}s"}
    return re.sub(r"\$(\w+)", lambda match: values[match.group(1)], expression)


def metric_names(expression):
    """Names of series in a PromQL expression: fencegate_* that are no recording rules, process_*."""
    return set(re.findall(r"(?<![\w:])(?:fencegate|process)_\w+(?![\w:])", expression))
