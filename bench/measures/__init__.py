"""The measures, each under the name that ``make bench ARGS=<name>`` takes."""

from __future__ import annotations

from bench.measures.access import measure_access
from bench.measures.audit import measure_audit
from bench.measures.bulk import measure_bulk
from bench.measures.clone import measure_clone
from bench.measures.connections import measure_connections
from bench.measures.contract import measure_contract
from bench.measures.create import measure_create
from bench.measures.deploy import measure_deploy
from bench.measures.dialects import measure_dialects
from bench.measures.feed import measure_feed
from bench.measures.guest import measure_guest
from bench.measures.imports import measure_imports
from bench.measures.libraries import measure_libraries
from bench.measures.limits import measure_limits
from bench.measures.lists import measure_lists
from bench.measures.memory import measure_memory
from bench.measures.moves import measure_moves
from bench.measures.openapi import measure_openapi
from bench.measures.power import measure_power
from bench.measures.readers import measure_readers
from bench.measures.reads import measure_get, measure_list
from bench.measures.safe import measure_safe
from bench.measures.schedules import measure_schedules
from bench.measures.sdk import measure_sdk
from bench.measures.sessions import measure_sessions
from bench.measures.start import measure_start
from bench.measures.states import measure_states
from bench.measures.statistics import measure_statistics
from bench.measures.steps import measure_steps
from bench.measures.sync import measure_sync
from bench.measures.tagging import measure_tagging
from bench.measures.transfers import measure_transfers
from bench.result import Measure

MEASURES: dict[str, Measure] = {
    "vm-list": measure_list,
    "vm-get": measure_get,
    "steps": measure_steps,
    "feed": measure_feed,
    "lists": measure_lists,
    "dialects": measure_dialects,
    "sdk": measure_sdk,
    "power": measure_power,
    "safe": measure_safe,
    "bulk": measure_bulk,
    "schedules": measure_schedules,
    "readers": measure_readers,
    "create": measure_create,
    "clone": measure_clone,
    "deploy": measure_deploy,
    "moves": measure_moves,
    "guest": measure_guest,
    "transfers": measure_transfers,
    "sync": measure_sync,
    "libraries": measure_libraries,
    "states": measure_states,
    "statistics": measure_statistics,
    "tagging": measure_tagging,
    "openapi": measure_openapi,
    "start": measure_start,
    "imports": measure_imports,
    "memory": measure_memory,
    "limits": measure_limits,
    "access": measure_access,
    "connections": measure_connections,
    "sessions": measure_sessions,
    "contract": measure_contract,
    "audit": measure_audit,
}
