"""All metrics of a server: names by Prometheus' conventions, seconds and bytes, and labels of few values."""

from __future__ import annotations

from resphere.metrics.families import Family, Kind

SECONDS = (0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 10.0, 60.0)
"""From a read out of memory to a call that waits as long as it may."""
COMMIT_SECONDS = (0.0001, 0.00025, 0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.1, 0.5, 2.5)
LOOP_SECONDS = (0.001, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 5.0)

NO_OPERATION = "none"
"""Stands for the operation of a request that means none."""

COUNTER, GAUGE, HISTOGRAM = Kind.COUNTER, Kind.GAUGE, Kind.HISTOGRAM

# --- Counted as it happens, by each worker --------------------------------------------------------

REQUESTS = Family(
    "resphere_http_requests",
    "Requests that are over, also items of bulk operations.",
    COUNTER,
    ("operation", "dialect", "status"),
)
DURATIONS = Family(
    "resphere_http_request_duration_seconds",
    "How long requests took, from their arrival to their answer; streams to their beginning.",
    HISTOGRAM,
    ("operation",),
    SECONDS,
)
IN_FLIGHT = Family("resphere_http_requests_in_flight", "Requests that are worked on, or wait.", GAUGE)
ERRORS = Family("resphere_http_errors", "Answers that are errors, by their vAPI type.", COUNTER, ("type",))
LOGINS = Family(
    "resphere_logins", "Logins, by what proved them and whether they were let in.", COUNTER, ("method", "outcome")
)
LIMITED = Family("resphere_limit_refusals", "Calls refused by a limit, by which.", COUNTER, ("limit",))
COMMITS = Family(
    "resphere_store_commits", "Transactions handed to the store, by what became of them.", COUNTER, ("outcome",)
)
COMMIT_DURATIONS = Family(
    "resphere_store_commit_duration_seconds", "How long commits were waited for.", HISTOGRAM, bounds=COMMIT_SECONDS
)
AUDITED = Family("resphere_audit_records", "Records for the audit log, by what became of them.", COUNTER, ("outcome",))

# --- Looked at now and then, by each worker -------------------------------------------------------

CONNECTIONS = Family("resphere_http_connections", "Connections that have brought a request.", GAUGE)
STREAMS = Family("resphere_event_streams", "Streams of events that are read, and calls that wait for some.", GAUGE)
TURNS = Family("resphere_limit_turns", "Calls that have a turn to be worked for, or wait for one.", GAUGE, ("state",))
LOOP_DELAYS = Family(
    "resphere_event_loop_delay_seconds",
    "How late a worker's event loop was, looked at each second.",
    HISTOGRAM,
    bounds=LOOP_SECONDS,
)
SEQUENCE = Family(
    "resphere_replica_sequence",
    "The last transaction that a worker shows; it looks before each request.",
    GAUGE,
    ("process",),
)

# --- Looked at when somebody asks -----------------------------------------------------------------

WORKERS = Family("resphere_workers", "Workers that serve.", GAUGE)
UNPLACED = Family("resphere_metrics_unplaced", "Counts that had no room.", COUNTER)
BUILD = Family("resphere_build_info", "The server, and what it runs on.", GAUGE, ("version", "python", "provider"))
CPU = Family("resphere_process_cpu_seconds", "CPU time of each process.", COUNTER, ("process",))
MEMORY = Family("resphere_process_resident_memory_bytes", "Memory of each process.", GAUGE, ("process",))
FILES = Family("resphere_process_open_fds", "Files and sockets that each process has open.", GAUGE, ("process",))
MOST_FILES = Family("resphere_process_max_fds", "How many a process may have open.", GAUGE)
STARTED = Family(
    "resphere_process_start_time_seconds", "When each process was started, in seconds since 1970.", GAUGE, ("process",)
)
STORE_SEQUENCE = Family("resphere_store_sequence", "The last transaction of the store.", GAUGE)
REVISION = Family("resphere_inventory_revision", "Rises with every change of the inventory.", GAUGE)
STORE_BYTES = Family("resphere_store_size_bytes", "How much the store takes, contents left out.", GAUGE)
FREE_BYTES = Family("resphere_filesystem_free_bytes", "Room where the server keeps its things.", GAUGE, ("folder",))
SIZE_BYTES = Family("resphere_filesystem_size_bytes", "All that there is, of that.", GAUGE, ("folder",))
DOCUMENTS = Family("resphere_store_documents", "Documents of the store, by their kind.", GAUGE, ("kind",))
OBJECTS = Family("resphere_inventory_objects", "Objects of the inventory.", GAUGE, ("kind",))
MACHINES = Family("resphere_inventory_vms", "Virtual machines and templates, by power state.", GAUGE, ("power_state",))
SESSIONS = Family("resphere_sessions", "Sessions that are kept; some may have just ended.", GAUGE)
TASKS = Family("resphere_tasks", "Tasks that are kept, by their status.", GAUGE, ("status",))
EVENTS = Family("resphere_events", "Events that were ever told.", COUNTER)
WEBHOOKS = Family("resphere_webhooks", "Webhooks.", GAUGE, ("state",))
BACKLOG = Family(
    "resphere_webhook_backlog_events", "Events that the webhook which is furthest behind has not come to yet.", GAUGE
)
DEAD_LETTERS = Family("resphere_webhook_dead_letters", "Events that webhooks have given up to send.", GAUGE)
CERTIFICATE_ENDS = Family(
    "resphere_certificate_expiry_seconds", "When the served certificate expires, in seconds since 1970.", GAUGE
)

FAMILIES: dict[str, Family] = {value.name: value for value in list(vars().values()) if isinstance(value, Family)}
"""All of them, by name."""
