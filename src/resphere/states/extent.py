"""What a state has, and what it has not, and why."""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType
from typing import Any

from resphere.access.permissions import Permission
from resphere.access.roles import Role
from resphere.inventory.appliance.accounts import LocalAccountPolicy, LocalAccounts
from resphere.inventory.appliance.forwarding import ForwardingProgress
from resphere.inventory.appliance.power import AppliancePower
from resphere.inventory.appliance.probe import DatabaseProbe
from resphere.inventory.appliance.samples import MonitoringSample
from resphere.inventory.appliance.settings import ApplianceSetting
from resphere.inventory.appliance.support_bundles import BundleRecord
from resphere.inventory.appliance.tls import Tls
from resphere.inventory.appliance.update import UpdateStatus
from resphere.inventory.console import ConsoleTicket
from resphere.inventory.content.sessions import DownloadSession, UpdateSession
from resphere.inventory.content.subscriptions import SyncRequest
from resphere.inventory.effects import Intent
from resphere.inventory.guest import GuestTransfer
from resphere.inventory.installation import Installation
from resphere.inventory.states import SavedState
from resphere.inventory.wiring import WIRING

NOT_IN: Mapping[type[Any], str] = MappingProxyType(
    {
        Intent: "work under way, which is ended",
        GuestTransfer: "a secret that is good for some minutes",
        ConsoleTicket: "a secret that is good for some seconds",
        UpdateSession: "work of clients, which goes on",
        DownloadSession: "work of clients, which goes on",
        SyncRequest: "work under way",
        AppliancePower: "since when the server runs",
        UpdateStatus: "an update that is gone through",
        DatabaseProbe: "written to see that the store writes",
        ForwardingProgress: "how far the logs are sent",
        MonitoringSample: "what was measured of the server",
        BundleRecord: "support bundles, which tell of the server",
        Installation: "what this server is",
        SavedState: "the states themselves",
    }
)
"""Of the inventory's tables, those that no state has. What other packages keep is in none either, but for roles and
permissions: sessions, accounts, tokens, tasks, schedules and webhooks stay as they are."""

CLASSES: tuple[type[Any], ...] = (*(table.cls for table in WIRING.tables if table.cls not in NOT_IN), Role, Permission)
"""The classes of the documents that a state has."""

OF_THE_SERVER = (LocalAccounts, LocalAccountPolicy, Tls)
"""Settings of the appliance that say who gets in, and how safely."""


def belongs(document: Any) -> bool:
    """Whether a document of one of the classes is a part of states."""
    return not isinstance(document, ApplianceSetting) or not isinstance(document.value, OF_THE_SERVER)
