"""What the services of the environment browser share: the clusters that are asked about, and their hosts."""

from __future__ import annotations

from collections.abc import Collection

from resphere.contract.errors import InvalidArgument, message
from resphere.inventory.model import Cluster, Host
from resphere.inventory.relations import hosts_of_cluster
from resphere.rules.machines.guest_os_defaults import Version
from resphere.services.call import Call

NEWEST_OF_ESXI = {
    "6.5": Version.VMX_13,
    "6.7": Version.VMX_15,
    "7.0": Version.VMX_19,
    "8.0": Version.VMX_21,
    "9.0": Version.VMX_22,
    "9.1": Version.VMX_22,
}
"""The newest virtual hardware that each release of ESXi runs, by the first two parts of its version."""


def hosts_asked_for(call: Call, clusters: Collection[str] | None) -> list[Host]:
    """The hosts of the clusters, in the order of their ids.

    :raises InvalidArgument: no cluster is given, which vCenter keeps for later.
    :raises NotFound: one does not exist.
    """
    if not clusters:
        raise InvalidArgument(
            message("resphere.environment_browser.clusters", "params.clusters: at least one cluster must be given.")
        )
    # The least of them is refused, as if all were asked for in order: to sort a quarter of a million holds the loop.
    unknown = min(frozenset(clusters).difference(call.all(Cluster)), default=None)
    if unknown is not None:
        call.require(Cluster, unknown)
    found = [host for id in clusters for host in hosts_of_cluster(call.inventory, call.require(Cluster, id).id)]
    return sorted(found, key=lambda host: (len(host.id), host.id))


def number_of(version: Version) -> int:
    """21 of ``VMX_21``."""
    return int(version.value.partition("_")[2])


def key_of(version: Version) -> str:
    """``vmx-21``, with two digits at least, as descriptors name it."""
    return f"vmx-{number_of(version):02d}"


def newest_of(host: Host) -> Version:
    """The newest virtual hardware that the host runs."""
    release = ".".join(host.version.split(".")[:2])
    return NEWEST_OF_ESXI.get(release, Version.VMX_13)


def versions_of(host: Host) -> list[Version]:
    """The virtual hardware that the host runs, the newest first."""
    newest = number_of(newest_of(host))
    return sorted((version for version in Version if number_of(version) <= newest), key=number_of, reverse=True)
