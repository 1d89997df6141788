"""The dashboard as Grafana reads it."""

from __future__ import annotations

from typing import Any

from tools.dashboard.panels import ROWS, Panel

COLUMNS = 24
STAT_LINES, LINES = 4, 8
SOURCE = {"type": "prometheus", "uid": "${source}"}


def dashboard() -> dict[str, Any]:
    """All of it. ``source`` and ``instance`` are chosen at its top."""
    panels: list[dict[str, Any]] = []
    top = 0
    for row in ROWS:
        place = {"x": 0, "y": top, "w": COLUMNS, "h": 1}
        panels.append({"type": "row", "title": row.title, "collapsed": False, "gridPos": place, "panels": []})
        top, left = top + 1, 0
        for panel in row.panels:
            lines = STAT_LINES if panel.kind == "stat" else LINES
            if left + panel.columns > COLUMNS:
                top, left = top + lines, 0
            panels.append(shown(panel, {"x": left, "y": top, "w": panel.columns, "h": lines}))
            left += panel.columns
        top += STAT_LINES if row.panels[-1].kind == "stat" else LINES
    for number, each in enumerate(panels, 1):
        each["id"] = number
    return {
        "title": "resphere",
        "uid": "resphere",
        "tags": ["vsphere"],
        "schemaVersion": 39,
        "editable": True,
        "refresh": "30s",
        "time": {"from": "now-3h", "to": "now"},
        "templating": {"list": [source(), instance()]},
        "annotations": {"list": [restarts()]},
        "panels": panels,
    }


def shown(panel: Panel, place: dict[str, int]) -> dict[str, Any]:
    """One panel."""
    many = panel.kind == "timeseries"
    legend = {"displayMode": "list", "placement": "bottom", "showLegend": True}
    options: dict[str, Any] = {"legend": legend, "tooltip": {"mode": "multi", "sort": "desc"}} if many else {}
    return {
        "type": panel.kind,
        "title": panel.title,
        "description": panel.about,
        "datasource": SOURCE,
        "gridPos": place,
        "fieldConfig": {"defaults": {"unit": panel.unit, "min": 0} if many else {"unit": panel.unit}, "overrides": []},
        "options": options,
        "targets": [
            {
                "refId": chr(ord("A") + number),
                "datasource": SOURCE,
                "expr": query.expression,
                "legendFormat": query.legend,
                "instant": not many,
                "range": many,
            }
            for number, query in enumerate(panel.queries)
        ],
    }


def source() -> dict[str, Any]:
    """Which Prometheus is asked."""
    return {"name": "source", "label": "Prometheus", "type": "datasource", "query": "prometheus"}


def instance() -> dict[str, Any]:
    """Which servers are shown."""
    query = "label_values(resphere_build_info, instance)"
    return {
        "name": "instance",
        "label": "Server",
        "type": "query",
        "datasource": SOURCE,
        "query": {"query": query, "refId": "instance"},
        "definition": query,
        "refresh": 2,
        "multi": True,
        "includeAll": True,
        "current": {"text": "All", "value": "$__all"},
    }


def restarts() -> dict[str, Any]:
    """When servers were started, as lines in each panel."""
    started = 'resphere_process_start_time_seconds{process="supervisor", instance=~"$instance"}'
    return {
        "name": "Starts",
        "enable": True,
        "iconColor": "orange",
        "datasource": SOURCE,
        "expr": f"changes({started}[2m]) > 0",
        "titleFormat": "{{instance}} was started",
    }
