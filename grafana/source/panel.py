"""What a panel is: one function for each of the four kinds, and the defaults they share.

Owns: the form of a panel in Grafana's JSON. Refuses to own: which panels there are (rows_*.py) and
where they stand (build.py).

In an expression, `@gateway` stands for the matchers of the variables job and instance, and `@class`
for those and the one of class. Write a series that belongs to a class with `@class`.
"""

import re

DATASOURCE = {"type": "prometheus", "uid": "${datasource}"}
GATEWAY = 'job=~"$job",instance=~"$instance"'
# Series that other programs have too, such as up and process_*, are narrowed to gateways with this.
OURS = " and on (job, instance) fencegate_build_info{@gateway}"
MATCHERS = {"@gateway": GATEWAY, "@class": GATEWAY + ',class=~"$class"'}

GREEN, ORANGE, RED, BLUE, PURPLE = "green", "orange", "red", "blue", "purple"


def expand(expression):
    """The expression as Grafana gets it."""
    return re.sub("@gateway|@class", lambda match: MATCHERS[match.group()], expression)


def classes(expression):
    """Of many classes the ten with the most; the others are in the table "Classes now"."""
    return f"topk(10, {expression})"


def levels(normal=GREEN, **limits):
    """Thresholds: `levels(orange=1, red=5)`. The colour `normal` is below the first limit."""
    steps = [{"color": normal, "value": None}]
    steps += [{"color": {"green": GREEN, "orange": ORANGE, "red": RED}[name], "value": value}
              for name, value in limits.items()]
    return {"mode": "absolute", "steps": steps}


def colour(name, to, by="byName"):
    """One series, or those whose name matches a pattern (by="byRegexp"), in a fixed colour."""
    return {"matcher": {"id": by, "options": name},
            "properties": [{"id": "color", "value": {"mode": "fixed", "fixedColor": to}}]}


def colours(**series):
    return [colour(name, to) for name, to in series.items()]


def dashed(pattern):
    """A line that is a limit, not a measurement."""
    return {"matcher": {"id": "byRegexp", "options": pattern},
            "properties": [{"id": "custom.lineStyle", "value": {"fill": "dash", "dash": [8, 6]}},
                           {"id": "custom.fillOpacity", "value": 0}]}


def _targets(queries, instant, table=False):
    targets = []
    for at, (expression, legend) in enumerate(queries):
        targets.append({
            "refId": chr(ord("A") + at), "datasource": DATASOURCE, "editorMode": "code",
            "expr": expand(expression), "legendFormat": legend,
            "instant": instant, "range": not instant,
            "format": "table" if table else "time_series",
        })
    return targets


def _panel(kind, title, says, unit, queries, instant, size, defaults, options, overrides=()):
    width, height = size
    defaults = {"unit": unit, "mappings": [], "color": {"mode": "thresholds"},
                "thresholds": levels(), **defaults}
    return {
        "type": kind, "title": title, "description": says, "datasource": DATASOURCE,
        "gridPos": {"w": width, "h": height, "x": 0, "y": 0},
        "fieldConfig": {"defaults": defaults, "overrides": list(overrides)},
        "options": options, "targets": _targets(queries, instant, kind == "table"),
    }


def timeseries(title, says, unit, queries, limits=None, stacked=False, overrides=(), size=(8, 8),
               top=None, top_at_least=None):
    """Lines over time. `limits` are drawn as a dashed line. `top` fixes the axis's upper end;
    `top_at_least` keeps an axis of small values from being blown up, or of zeros from 0 to 100."""
    custom = {
        "drawStyle": "line", "lineInterpolation": "linear", "lineWidth": 1,
        "fillOpacity": 40 if stacked else 8, "showPoints": "never", "spanNulls": False,
        "stacking": {"mode": "normal" if stacked else "none", "group": "A"},
        "thresholdsStyle": {"mode": "dashed" if limits else "off"},
        "axisPlacement": "auto", "axisSoftMin": 0,
    }
    if top_at_least is not None:
        custom["axisSoftMax"] = top_at_least
    defaults = {"custom": custom, "color": {"mode": "palette-classic"}, "min": 0}
    if limits:
        defaults["thresholds"] = limits
    if top is not None:
        defaults["max"] = top
    options = {
        # A table where there is room for one; else a line or two below the graph.
        "legend": {"displayMode": "table" if size[0] > 8 else "list", "showLegend": True,
                   "placement": "right" if size[0] > 8 else "bottom", "calcs": ["max"]},
        "tooltip": {"mode": "multi", "sort": "desc"},
    }
    return _panel("timeseries", title, says, unit, queries, False, size, defaults, options,
                  overrides)


def stat(title, says, unit, query, limits=None, values=None, decimals=None, size=(4, 3)):
    """One number. `values` names some of them: {1: ("up", GREEN)}."""
    defaults = {"thresholds": limits or levels(), "noValue": "no data"}
    if decimals is not None:
        defaults["decimals"] = decimals
    if values:
        named = {str(value): {"text": text, "color": shade, "index": at}
                 for at, (value, (text, shade)) in enumerate(values.items())}
        defaults["mappings"] = [{"type": "value", "options": named}]
    options = {
        "colorMode": "value", "graphMode": "none", "justifyMode": "auto", "textMode": "value",
        "reduceOptions": {"calcs": ["lastNotNull"], "fields": "", "values": False},
    }
    return _panel("stat", title, says, unit, [(query, "")], True, size, defaults, options)


def bargauge(title, says, unit, query, legend, limits, top=None, decimals=None, size=(8, 8)):
    """One bar for each series, now."""
    defaults = {"thresholds": limits, "min": 0}
    if top is not None:
        defaults["max"] = top
    if decimals is not None:
        defaults["decimals"] = decimals
    options = {
        "displayMode": "basic", "orientation": "horizontal", "showUnfilled": True,
        "valueMode": "color", "minVizHeight": 16, "minVizWidth": 8,
        "reduceOptions": {"calcs": ["lastNotNull"], "fields": "", "values": False},
    }
    return _panel("bargauge", title, says, unit, [(query, legend)], True, size, defaults, options)


def table(title, says, columns, rows_by, hidden=(), size=(8, 8), links=None):
    """One row for each value of the label `rows_by`. `columns`: (title, unit, query, limits or None).

    `hidden`: labels that stay in the result and are not shown. `links`: {label: address} of its cells.
    """
    queries = [(query, title) for title, _, query, _ in columns]
    names = {f"Value #{chr(ord('A') + at)}" if len(columns) > 1 else "Value": column
             for at, column in enumerate(columns)}
    renamed = {field: column[0] for field, column in names.items()}
    overrides = []
    for title_of, unit, _, limits in columns:
        properties = [{"id": "unit", "value": unit}]
        if limits:
            properties += [{"id": "thresholds", "value": limits},
                           {"id": "custom.cellOptions", "value": {"type": "color-text"}}]
        overrides.append({"matcher": {"id": "byName", "options": title_of},
                          "properties": properties})
    for label, address in (links or {}).items():
        overrides.append({"matcher": {"id": "byName", "options": label}, "properties": [
            {"id": "links", "value": [{"title": "What to do", "url": address,
                                       "targetBlank": True}]},
            {"id": "custom.width", "value": 270}]})
    panel = _panel("table", title, says, "short", queries, True, size,
                   {"custom": {"align": "auto", "cellOptions": {"type": "auto"}, "minWidth": 60},
                    "noValue": "-"},
                   {"showHeader": True, "cellHeight": "sm"}, overrides)
    excluded = {name: True for name in ("Time", *hidden)}
    panel["transformations"] = [
        {"id": "merge", "options": {}},
        {"id": "organize", "options": {
            "excludeByName": excluded, "renameByName": renamed,
            "indexByName": {name: at for at, name in enumerate([rows_by, *names])}}},
    ]
    return panel
