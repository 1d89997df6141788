"""What the dashboard shows, row by row."""

from __future__ import annotations

import msgspec

SERVER = 'instance=~"$instance"'
WAITING = 'operation!~".*[.](wait|poll|list_and_wait|follow)|resphere[.]events[.].*"'
"""Leaves out what takes long on purpose."""


class Query(msgspec.Struct, frozen=True):
    """An expression of PromQL, and what its lines are called."""

    expression: str
    legend: str = ""


class Panel(msgspec.Struct, frozen=True):
    """Something that is shown; ``unit`` is one of Grafana's, ``kind`` a panel of its: 24 columns make a row."""

    title: str
    queries: tuple[Query, ...]
    unit: str = "short"
    kind: str = "timeseries"
    columns: int = 8
    about: str = ""


class Row(msgspec.Struct, frozen=True):
    """Panels about one thing."""

    title: str
    panels: tuple[Panel, ...]


def rate(metric: str, by: str, filter: str = "") -> str:
    """How much a counter rises in a second."""
    chosen = f"{SERVER}, {filter}" if filter else SERVER
    return f"sum by ({by}) (rate({metric}{{{chosen}}}[$__rate_interval]))"


def quantile(share: float, histogram: str, filter: str = "", by: str = "le") -> str:
    """What so large a share of observations is below."""
    return f"histogram_quantile({share}, {rate(f'{histogram}_bucket', by, filter)})"


def stat(title: str, expression: str, unit: str = "short", about: str = "") -> Panel:
    """One number."""
    return Panel(title, (Query(expression),), unit, "stat", 4, about)


def quantiles(title: str, histogram: str, filter: str = "", about: str = "") -> Panel:
    """Half of all, and the slowest."""
    shares = ((0.5, "half"), (0.95, "95 %"), (0.99, "99 %"))
    queries = tuple(Query(quantile(share, histogram, filter), f"{name} are faster") for share, name in shares)
    return Panel(title, queries, "s", about=about)


def level(metric: str, by: str = "") -> str:
    """How high something stands, over all servers."""
    return f"sum by ({by}) ({metric}{{{SERVER}}})" if by else f"sum({metric}{{{SERVER}}})"


ROWS = (
    Row(
        "At a glance",
        (
            stat(
                "Requests a second", f"sum(rate(resphere_http_requests_total{{{SERVER}}}[$__rate_interval]))", "reqps"
            ),
            stat(
                "Errors of its own",
                f'sum(rate(resphere_http_requests_total{{{SERVER}, status=~"5.."}}[$__rate_interval]))'
                f" / sum(rate(resphere_http_requests_total{{{SERVER}}}[$__rate_interval]))",
                "percentunit",
            ),
            stat("99 % are faster than", quantile(0.99, "resphere_http_request_duration_seconds", WAITING), "s"),
            stat("Sessions", level("resphere_sessions")),
            stat("Workers", level("resphere_workers")),
            stat(
                "Certificate ends in",
                f"min(resphere_certificate_expiry_seconds{{{SERVER}}}) - time()",
                "s",
                "Of the one that ends first.",
            ),
        ),
    ),
    Row(
        "Requests",
        (
            Panel("By status", (Query(rate("resphere_http_requests_total", "status"), "{{status}}"),), "reqps"),
            Panel("By dialect", (Query(rate("resphere_http_requests_total", "dialect"), "{{dialect}}"),), "reqps"),
            quantiles(
                "How long they take",
                "resphere_http_request_duration_seconds",
                WAITING,
                "Without what waits for something to happen.",
            ),
            Panel(
                "The ten most frequent",
                (Query(f"topk(10, {rate('resphere_http_requests_total', 'operation')})", "{{operation}}"),),
                "reqps",
                columns=12,
            ),
            Panel(
                "The ten that take most time",
                (
                    Query(
                        f"topk(10, {rate('resphere_http_request_duration_seconds_sum', 'operation')})", "{{operation}}"
                    ),
                ),
                "s",
                columns=12,
                about="Seconds of waiting in a second: how often an operation is asked for, times how long it takes.",
            ),
            Panel("Errors", (Query(rate("resphere_http_errors_total", "type"), "{{type}}"),), "reqps"),
            Panel(
                "In flight, and on the way in",
                (
                    Query(level("resphere_http_requests_in_flight"), "requests"),
                    Query(level("resphere_http_connections"), "connections"),
                    Query(level("resphere_event_streams"), "streams of events"),
                ),
            ),
            Panel(
                "Turns",
                (Query(level("resphere_limit_turns", "state"), "{{state}}"),),
                about="Calls that are worked for, and those that wait behind others of the same user.",
            ),
        ),
    ),
    Row(
        "Who is let in",
        (
            Panel(
                "Logins", (Query(rate("resphere_logins_total", "method, outcome"), "{{method}}: {{outcome}}"),), "reqps"
            ),
            Panel("Refused by a limit", (Query(rate("resphere_limit_refusals_total", "limit"), "{{limit}}"),), "reqps"),
            Panel("Sessions", (Query(level("resphere_sessions", "instance"), "{{instance}}"),)),
        ),
    ),
    Row(
        "Inventory and tasks",
        (
            Panel("Virtual machines", (Query(level("resphere_inventory_vms", "power_state"), "{{power_state}}"),)),
            Panel("Objects", (Query(level("resphere_inventory_objects", "kind"), "{{kind}}"),)),
            Panel("Tasks", (Query(level("resphere_tasks", "status"), "{{status}}"),)),
        ),
    ),
    Row(
        "Store",
        (
            Panel("Commits", (Query(rate("resphere_store_commits_total", "outcome"), "{{outcome}}"),), "ops"),
            quantiles("How long commits take", "resphere_store_commit_duration_seconds"),
            Panel(
                "Behind the store",
                (
                    Query(
                        f"max by (instance) (resphere_store_sequence{{{SERVER}}})"
                        f" - on (instance) group_right () resphere_replica_sequence{{{SERVER}}}",
                        "{{instance}} {{process}}",
                    ),
                ),
                about="Transactions that a worker has not looked at yet: it does before each request, and at least "
                "every half minute.",
            ),
            Panel("Size", (Query(level("resphere_store_size_bytes", "instance"), "{{instance}}"),), "bytes"),
            Panel(
                "Room that is left",
                (Query(f"resphere_filesystem_free_bytes{{{SERVER}}}", "{{instance}} {{folder}}"),),
                "bytes",
            ),
            Panel("Documents", (Query(f"topk(10, {level('resphere_store_documents', 'kind')})", "{{kind}}"),)),
        ),
    ),
    Row(
        "Events, webhooks and the audit log",
        (
            Panel("Events", (Query(rate("resphere_events_total", "instance"), "{{instance}}"),), "ops"),
            Panel(
                "Webhooks",
                (
                    Query(f"max(resphere_webhook_backlog_events{{{SERVER}}})", "furthest behind"),
                    Query(level("resphere_webhook_dead_letters"), "dead letters"),
                ),
            ),
            Panel("Audit records", (Query(rate("resphere_audit_records_total", "outcome"), "{{outcome}}"),), "ops"),
        ),
    ),
    Row(
        "Processes",
        (
            Panel(
                "CPUs",
                (Query(rate("resphere_process_cpu_seconds_total", "instance, process"), "{{instance}} {{process}}"),),
            ),
            Panel(
                "Memory",
                (
                    Query(
                        level("resphere_process_resident_memory_bytes", "instance, process"), "{{instance}} {{process}}"
                    ),
                ),
                "bytes",
            ),
            Panel(
                "Event loops are late by",
                (Query(quantile(0.99, "resphere_event_loop_delay_seconds", by="instance, le"), "{{instance}}, 99 %"),),
                "s",
            ),
        ),
    ),
)
