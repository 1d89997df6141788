"""``com.vmware.vcenter.cluster.evc_mode``: the processor features that a cluster's VMs are limited to."""

from __future__ import annotations

import msgspec

from resphere.contract.errors import VapiError
from resphere.contract.generated import ids, vcenter
from resphere.contract.generated.vcenter_cluster import EvcMode
from resphere.contract.model import Struct
from resphere.inventory.model import Cluster, Host
from resphere.inventory.relations import hosts_of_cluster
from resphere.replica.edit import Edit
from resphere.rules.evc.compatibility import given_mode, lacks, obstacles, watched
from resphere.services.call import Call
from resphere.services.registry import implements
from resphere.services.vcenter.host.changes import new_host, unverified_as_invalid
from resphere.tasks.outcomes import failure
from resphere.tasks.record import Failure


class CheckResult(Struct, frozen=True, kw_only=True):
    """Why a mode does not fit, and on which host. The bindings know it only as the result of tasks."""

    __vapi_name__ = "com.vmware.vcenter.cluster.evc_mode.check_result"
    error: Failure
    host_system: ids.HostSystemId | None = None


Results = tuple[CheckResult, ...]


@implements(EvcMode.get, kept=True)
async def get(call: Call, cluster: ids.ClusterComputeResourceId) -> EvcMode.Info:
    """The cluster's EVC mode, if it has one."""
    return EvcMode.Info(evc_mode=call.require(Cluster, cluster).evc_mode)


@implements(EvcMode.set_task)
async def set_(call: Call, cluster: ids.ClusterComputeResourceId, set_spec: EvcMode.SetSpec) -> ids.CisTASKId:
    """Give the cluster an EVC mode; unset: take it away.

    :raises InvalidArgument: it is none.
    :raises VapiError: a host lacks features of it, or VMs that are not off may use features that it hides.
    """
    mode = given_mode(set_spec.evc_mode) if set_spec.evc_mode is not None else None

    def guard(current: Cluster) -> None:
        for _, error in obstacles(call.unfiltered, current, mode) if mode is not None else ():
            raise error

    def plan(edit: Edit, current: Cluster) -> None:
        for host in hosts_of_cluster(call.unfiltered, current.id):
            edit.rely_on(host)
            # A VM that comes to it running, or is begun to be started there, does not change the host.
            edit.rely_on_referrers(host.id)
        for vm in watched(call.unfiltered, current, mode) if mode is not None else ():
            edit.rely_on(vm)
        # A host that joins meanwhile may lack what the mode asks for, and does not change the cluster.
        edit.rely_on_referrers(current.id)
        edit.put(msgspec.structs.replace(current, evc_mode=mode))

    target = call.require(Cluster, cluster)
    return await call.launch_change("EVCManager.configureEvc", target, plan, guard)


@implements(EvcMode.check_set_task, result=Results)
async def check_set(call: Call, cluster: ids.ClusterComputeResourceId, set_spec: EvcMode.SetSpec) -> ids.CisTASKId:
    """What stands in the way of that mode: an entry a host, none where nothing does.

    :raises InvalidArgument: it is none.
    """
    mode = given_mode(set_spec.evc_mode) if set_spec.evc_mode is not None else None

    def found(_: Edit, current: Cluster) -> Results:
        if mode is None:
            return ()
        found = obstacles(call.unfiltered, current, mode)
        return tuple(result(error, host) for host, error in found)

    target = call.require(Cluster, cluster)
    return await call.launch_change("EVCManager.checkConfigureEvc", target, found)


@implements(EvcMode.check_add_host_evc_task, result=Results)
async def check_add_host(
    call: Call, cluster: ids.ClusterComputeResourceId, create_spec: vcenter.Host.CreateSpec
) -> ids.CisTASKId:
    """What would keep a host that is not in the inventory yet out of the cluster, because of its EVC mode.

    Fails in the task where the host cannot be reached, as adding it would.
    """
    wanted = new_host(create_spec)

    async def look() -> str:
        with unverified_as_invalid():
            facts = await call.required(call.provider.capabilities.hosts).inspect(wanted)
        return facts.hardware.cpu_model

    def found(cpu_model: str, current: Cluster) -> Results:
        error = lacks(wanted.hostname, cpu_model, current.evc_mode) if current.evc_mode is not None else None
        return () if error is None else (result(error, None),)

    return await call.launch_look("EVCManager.checkAddHostEvc", call.require(Cluster, cluster), look, found)


def result(error: VapiError, host: Host | None) -> CheckResult:
    """An obstacle as a task's result."""
    return CheckResult(error=failure(error), host_system=ids.HostSystemId(host.id) if host is not None else None)
