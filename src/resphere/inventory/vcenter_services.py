"""What has been changed about the vCenter services: those never changed are as they were installed."""

from __future__ import annotations

from typing import ClassVar

import msgspec

from resphere.contract.generated.vcenter_services import Service
from resphere.replica.table import Table


class ServiceState(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True, gc=False):
    """How one service is set up and whether it runs; ``id`` is its name, such as ``vsphere-ui``."""

    kind: ClassVar[str] = "vcenter_service"

    id: str
    startup_type: Service.StartupType
    state: Service.State


VCENTER_SERVICES = Table(cls=ServiceState)
