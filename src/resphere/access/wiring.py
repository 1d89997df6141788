"""What access control brings to a server: roles and permissions, and whose they are."""

from __future__ import annotations

from resphere.access.grants import GRANTS
from resphere.access.permissions import PERMISSIONS
from resphere.access.recording import BATCHES, RECORDINGS
from resphere.access.roles import ROLES
from resphere.replica.wiring import Wiring

TABLES = (ROLES, PERMISSIONS)

WIRING = Wiring(tables=(*TABLES, RECORDINGS, BATCHES), derived=(GRANTS,))
