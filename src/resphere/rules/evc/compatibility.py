"""What stands between a cluster's hosts and an EVC mode."""

from __future__ import annotations

import re
from collections.abc import Iterator
from itertools import chain

from resphere.contract.errors import InvalidArgument, NotAllowedInCurrentState, VapiError, message
from resphere.contract.generated import vcenter_vm
from resphere.contract.generated.vcenter_evc_mode import EvcMode
from resphere.contract.mentions import Mention
from resphere.inventory.mentions import named
from resphere.inventory.model import Cluster, Host, VirtualMachine
from resphere.inventory.relations import hosts_of_cluster
from resphere.replica.replica import Replica
from resphere.rules.evc.features import completed, hidden, is_known, lacking, shown_by
from resphere.rules.under_way import starting

OFF = vcenter_vm.Power.State.POWERED_OFF
_KEY = re.compile(r"[a-z0-9][a-z0-9.-]{0,63}\Z")


def given_mode(mode: EvcMode) -> EvcMode:
    """``mode`` as it was given, completed where it is one of vCenter's own.

    :raises InvalidArgument: its key or a mask is none, or it is no mode that anybody knows and has no masks.
    """
    require_form(mode, "evc_mode")
    if not mode.masks and not is_known(mode.key):
        raise invalid("evc_mode.key", f"{mode.key} is not an EVC mode that vCenter knows; a custom mode needs masks")
    return completed(mode)


def require_form(mode: EvcMode, where: str) -> None:
    """Refuse what has not the form of a mode; ``where`` is the field that holds it.

    :raises InvalidArgument: its key or a mask is none.
    """
    if not _KEY.match(mode.key):
        raise invalid(f"{where}.key", "is no key of an EVC mode, such as intel-skylake")
    if not all(mask.key and mask.value for mask in mode.masks):
        raise invalid(f"{where}.masks", "each mask needs a key and a value")


def invalid(field: str, why: str) -> InvalidArgument:
    """The refusal of a mode."""
    return InvalidArgument(message("resphere.evc.mode", "{0}: {1}.", field, why))


def obstacles(inventory: Replica, cluster: Cluster, mode: EvcMode) -> Iterator[tuple[Host, VapiError]]:
    """The hosts that keep the cluster from having the mode, each with the reason."""
    for host in hosts_of_cluster(inventory, cluster.id):
        error = lacks(named(host), host.hardware.cpu_model, mode) or _hides_in_use(inventory, host, mode)
        if error is not None:
            yield host, error


def lacks(host: str | Mention, cpu_model: str, mode: EvcMode) -> VapiError | None:
    """Why a host of that processor cannot have the mode, if it cannot."""
    missing = lacking(cpu_model, mode)
    if not missing:
        return None
    return VapiError(
        message(
            "resphere.evc.lacks",
            "The processor of the host {0} ({1}) lacks features of the EVC mode {2}: {3}.",
            host,
            cpu_model,
            mode.key,
            ", ".join(sorted(missing)),
        )
    )


def require_fitting(inventory: Replica, cluster: Cluster, host: Host) -> None:
    """Refuse a host that does not fit the cluster's EVC mode.

    :raises NotAllowedInCurrentState: its processor lacks features, or VMs on it may use more than the mode shows.
    """
    if cluster.evc_mode is None:
        return
    mode = cluster.evc_mode
    error = lacks(named(host), host.hardware.cpu_model, mode) or _hides_in_use(inventory, host, mode)
    if error is not None:
        raise NotAllowedInCurrentState(*error.messages)


def watched(inventory: Replica, cluster: Cluster, mode: EvcMode) -> Iterator[VirtualMachine]:
    """The VMs that would keep the cluster from having the mode if they were started meanwhile, or others than they
    are."""
    for host in hosts_of_cluster(inventory, cluster.id):
        if hidden(host.hardware.cpu_model, mode):
            yield from inventory.by(VirtualMachine, "host", host.id).values()


def _hides_in_use(inventory: Replica, host: Host, mode: EvcMode) -> VapiError | None:
    """Why a mode cannot hide features of a host, where VMs on it may be using them."""
    more = hidden(host.hardware.cpu_model, mode)
    if not more:
        return None
    there = inventory.by(VirtualMachine, "host", host.id).values()
    for vm in chain((vm for vm in there if vm.power_state is not OFF), starting(inventory, host.id)):
        if vm.evc_mode is not None and not shown_by(completed(vm.evc_mode)) & more:
            continue
        return VapiError(
            message(
                "resphere.evc.in_use",
                "The virtual machine {0} on the host {1} is not powered off, or is about to run, and may use features "
                "that the EVC mode {2} hides: {3}.",
                named(vm),
                named(host),
                mode.key,
                ", ".join(sorted(more)),
            )
        )
    return None
