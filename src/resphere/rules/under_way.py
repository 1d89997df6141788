"""What work under way will need, and where it will leave machines: decided by somebody, and not settled yet."""

from __future__ import annotations

from collections.abc import Iterator

import msgspec

from resphere.contract.generated.vcenter_vm import Power
from resphere.inventory.effects import CloneVm, EnterMaintenanceMode, Intent, PowerOn
from resphere.inventory.model import VirtualMachine
from resphere.inventory.outcomes import written
from resphere.inventory.tables import INTENTS
from resphere.replica.replica import Replica
from resphere.replica.table import Stored, own_id


def needing(inventory: Replica, obj: Stored) -> Iterator[Intent]:
    """The intents that refer to ``obj``."""
    for reference in INTENTS.refers_to:
        if type(obj) not in reference.to:
            continue
        for key in (reference.names or own_id)(obj):
            for intent in inventory.by(Intent, reference.index, key).values():
                if reference.resolve is None or reference.resolve(inventory, intent, key) is obj:
                    yield intent


def arriving(inventory: Replica, host: str) -> Iterator[tuple[Intent, VirtualMachine]]:
    """The machines that will be on the host ``host`` as work under way leaves them, with what is decided of each."""
    for intent in inventory.by(Intent, "host", host).values():
        effect = intent.effect
        vm = written(effect)
        if vm is not None and vm.host == host:
            yield intent, vm
        elif isinstance(effect, EnterMaintenanceMode):
            for id, destination in effect.moves.items():
                moved = inventory.get(VirtualMachine, id)
                if destination == host and moved is not None:
                    yield intent, msgspec.structs.replace(moved, host=destination)


def starting(inventory: Replica, host: str) -> Iterator[VirtualMachine]:
    """The machines that will not be off on the host ``host`` when work under way is done: they are started there, or
    come to it so."""
    for intent in inventory.by(Intent, "host", host).values():
        if isinstance(intent.effect, PowerOn) or (isinstance(intent.effect, CloneVm) and intent.effect.power_on):
            yield intent.effect.vm
    for _, vm in arriving(inventory, host):
        if vm.power_state is not Power.State.POWERED_OFF:
            yield vm
