"""The tables of content libraries."""

from __future__ import annotations

from resphere.inventory.content.items import LIBRARY_ITEMS
from resphere.inventory.content.libraries import LEAVING_LIBRARIES, LIBRARIES, LIBRARY_USAGES
from resphere.inventory.content.registries import CONTAINER_REGISTRIES, REGISTRY_PROJECTS
from resphere.inventory.content.sessions import DOWNLOAD_SESSIONS, UPDATE_SESSIONS
from resphere.inventory.content.settings import CONTENT_CONFIGURATION, TRUSTED_CERTIFICATES
from resphere.inventory.content.subscriptions import LIBRARY_SUBSCRIPTIONS, SYNC_REQUESTS
from resphere.inventory.content.templates import CHECK_OUTS, ITEM_CHANGES

CONTENT_TABLES = (
    LIBRARIES,
    LEAVING_LIBRARIES,
    LIBRARY_USAGES,
    LIBRARY_ITEMS,
    UPDATE_SESSIONS,
    DOWNLOAD_SESSIONS,
    CHECK_OUTS,
    ITEM_CHANGES,
    SYNC_REQUESTS,
    LIBRARY_SUBSCRIPTIONS,
    CONTENT_CONFIGURATION,
    TRUSTED_CERTIFICATES,
    CONTAINER_REGISTRIES,
    REGISTRY_PROJECTS,
)
