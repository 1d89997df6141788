"""``com.vmware.vcenter.evc_modes``: custom EVC modes, made of what given hosts have in common."""

from __future__ import annotations

from collections.abc import Iterator

from resphere.contract.errors import NotFound, ServiceUnavailable, VapiError, message
from resphere.contract.generated import ids, vcenter, vcenter_evc_mode
from resphere.inventory.model import ROOT_FOLDER, Cluster, Folder, Host
from resphere.inventory.relations import hosts_of_cluster
from resphere.replica.edit import Edit
from resphere.rules.evc.compatibility import invalid
from resphere.rules.evc.features import features_of, mode_of, parts
from resphere.services.call import Call
from resphere.services.registry import implements


@implements(vcenter.EvcModes.create_task, result=vcenter_evc_mode.EvcMode)
async def create(call: Call, create_spec: vcenter.EvcModes.CreateSpec) -> ids.CisTASKId:
    """The mode of all processor features that the hosts and the clusters' hosts have in common; it is kept nowhere.

    :raises InvalidArgument: no sources, an unknown one, or one without hosts; processors of both vendors.
    :raises ServiceUnavailable: a source in another vCenter, which this server has no way to.
    """

    def common(_: Edit, __: Folder) -> vcenter_evc_mode.EvcMode:
        models = {host.hardware.cpu_model for host in hosts_of(call, create_spec)}
        if not models:
            raise invalid("create_spec.sources", "no hosts are given by them")
        features = frozenset.intersection(*(features_of(model) for model in models))
        if not features & {"Intel", "AMD"}:
            raise invalid("create_spec.sources", "processors of Intel and AMD have no EVC mode in common")
        return mode_of(features)

    list(hosts_of(call, create_spec))
    root = call.require(Folder, ROOT_FOLDER)
    return await call.launch_change("EVCManager.createEvcMode", root, common)


def hosts_of(call: Call, spec: vcenter.EvcModes.CreateSpec) -> Iterator[Host]:
    """All hosts that a spec means."""
    if not spec.sources:
        raise invalid("create_spec.sources", "must not be empty")
    for index, source in enumerate(spec.sources):
        if source.service_locator is not None:
            raise ServiceUnavailable(
                message(
                    "resphere.evc.other_vcenter",
                    "create_spec.sources.{0}.service_locator: this server does not reach other vCenters.",
                    index,
                )
            )
        if not source.hosts and not source.clusters:
            raise invalid(f"create_spec.sources.{index}", "hosts or clusters must be given")
        try:
            yield from (call.require(Host, host) for host in dict.fromkeys(source.hosts or ()))
            for cluster in dict.fromkeys(source.clusters or ()):
                yield from hosts_of_cluster(call.unfiltered, call.require(Cluster, cluster).id)
        except NotFound as unknown:
            # Create declares no narrower error for what does not exist.
            raise invalid(f"create_spec.sources.{index}", unknown.messages[0].default_message.rstrip(".")) from unknown


@implements(vcenter.EvcModes.partition)
async def partition(call: Call, evc_mode: vcenter_evc_mode.EvcMode) -> vcenter.EvcModes.PartitionResult:
    """The mode's part for processors and that for graphics.

    :raises VapiError: it has no masks to part.
    """
    cpu, graphics = parts(evc_mode)
    if cpu is None and graphics is None:
        raise VapiError(message("resphere.evc.no_masks", "The EVC mode {0} has no masks to part.", evc_mode.key))
    return vcenter.EvcModes.PartitionResult(cpu_evc_mode=cpu, graphics_evc_mode=graphics)
