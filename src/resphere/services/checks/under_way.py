"""What work under way will need keeps others from taking it away, before any machine is seen to use it."""

from __future__ import annotations

from collections.abc import Callable, Iterable

from resphere.inventory.effects import Intent
from resphere.inventory.model import Datastore, VirtualMachine
from resphere.inventory.relations import hosts_of_datastore
from resphere.inventory.tables import VIRTUAL_MACHINES
from resphere.replica.table import Stored
from resphere.rules.under_way import arriving, needing
from resphere.services.call import Call, in_use_error
from resphere.tasks.outcomes import needed_messages
from resphere.tasks.record import Task


def require_unneeded(call: Call, obj: Stored) -> None:
    """Refuse where work under way needs ``obj``.

    :raises VapiError: the error that the operation declares for what is in use.
    """
    for intent in needing(call.unfiltered, obj):
        refuse(call, intent, obj)


def require_none_arriving(
    call: Call, obj: Stored, hosts: Iterable[str], uses: Callable[[VirtualMachine], bool] = lambda _: True
) -> None:
    """Refuse where work under way leaves a machine on one of ``hosts`` that ``uses`` what is taken away, ``obj``.

    :raises VapiError: the error that the operation declares for what is in use.
    """
    for host in hosts:
        for intent, vm in arriving(call.unfiltered, host):
            if uses(vm):
                refuse(call, intent, obj)


def uses_datastore(datastore: Datastore) -> Callable[[VirtualMachine], bool]:
    """Whether a machine on a host that has mounted the datastore has files there, be it an image in a CD-ROM."""
    indexes = VIRTUAL_MACHINES.indexes

    def uses(vm: VirtualMachine) -> bool:
        names = (*indexes["disk_datastore_name"](vm), *indexes["image_datastore_name"](vm))
        return vm.datastore == datastore.id or datastore.name in names

    return uses


def require_unnamed(call: Call, datastore: Datastore) -> None:
    """Refuse where work under way writes paths with the datastore's name, which it is about to lose.

    :raises VapiError: the error that the operation declares for what is in use.
    """
    hosts = [host.id for host in hosts_of_datastore(call.unfiltered, datastore.id)]
    require_none_arriving(call, datastore, hosts, uses_datastore(datastore))


def refuse(call: Call, intent: Intent, obj: Stored) -> None:
    """Refuse because of work under way.

    :raises VapiError: the error that the operation declares for what is in use.
    """
    task = call.unfiltered.get(Task, intent.id)
    if task is not None:
        raise in_use_error(call.operation)(*needed_messages(task, f"{obj.kind}/{obj.id}"))
