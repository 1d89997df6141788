"""Uses a server through ``create_vsphere_client``, as any program would, and tells what went wrong in which check."""

from __future__ import annotations

import json
import sys
import traceback
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from typing import Any

import com.vmware.cis_client as cis
import com.vmware.vapi.std.errors_client as errors
import com.vmware.vapi.std_client as std
import com.vmware.vcenter.vm_client as vm_services
import com.vmware.vcenter_client as vcenter
import requests
from vmware.vapi.core import ApplicationContext
from vmware.vapi.lib.connect import get_requests_connector
from vmware.vapi.security.client.security_context_filter import LegacySecurityContextFilter
from vmware.vapi.security.oauth import create_oauth_security_context
from vmware.vapi.security.session import create_session_security_context
from vmware.vapi.security.sso import create_saml_bearer_security_context
from vmware.vapi.stdlib.client.factories import StubConfigurationFactory
from vmware.vapi.vsphere.client import create_vsphere_client

Check = Callable[["Given"], None]
CHECKS: list[Check] = []


def check(function: Check) -> Check:
    """Count a function among the checks."""
    CHECKS.append(function)
    return function


class Given:
    """A server to talk to, with the SDK's client and, to compare with, plain HTTP."""

    def __init__(self, server: str, ca: str, user: str, password: str) -> None:
        self.server, self.ca, self.user, self.password = server, ca, user, password
        self.http = self.transport()
        token = self.http.post(f"https://{server}/api/session", auth=(user, password))
        token.raise_for_status()
        self.token = token.json()
        self.http.headers["vmware-api-session-id"] = self.token
        self.client = create_vsphere_client(server, user, password, session=self.transport())

    def transport(self) -> Any:
        """A transport that trusts the server's CA."""
        session = requests.Session()
        session.verify = self.ca
        return session

    def api(self, path: str, **query: Any) -> Any:
        """The same question on ``/api``."""
        reply = self.http.get(f"https://{self.server}/api/{path}", params=query)
        reply.raise_for_status()
        return reply.json()

    def configuration(self, context: Any) -> Any:
        """A stub configuration with any security context."""
        chain = [LegacySecurityContextFilter(security_context=context)]
        url = f"https://{self.server}/api"
        return StubConfigurationFactory.new_std_configuration(
            get_requests_connector(session=self.transport(), url=url, provider_filter_chain=chain)
        )

    @property
    def stubs(self) -> Any:
        """A stub configuration with the session, for services that the client has no attribute for."""
        return self.configuration(create_session_security_context(self.token))

    def vm(self, state: str) -> str:
        """Some VM in a power state."""
        found = self.client.vcenter.VM.list(vcenter.VM.FilterSpec(power_states={state}))
        assert found, f"no VM is {state}"
        identity: str = found[0].vm
        return identity


@contextmanager
def raises(kind: type[BaseException]) -> Iterator[list[Any]]:
    """Expect an error of exactly this class; the list gets it."""
    caught: list[Any] = []
    try:
        yield caught
    except kind as error:
        caught.append(error)
    assert [type(error) for error in caught] == [kind]


@check
def vm_list(given: Given) -> None:
    found = given.client.vcenter.VM.list()
    listed = given.api("vcenter/vm")
    assert found
    assert [vm.vm for vm in found] == [vm["vm"] for vm in listed]
    for vm, plain in zip(found, listed, strict=True):
        assert (vm.name, vm.power_state) == (plain["name"], plain["power_state"])
        assert (vm.cpu_count, vm.memory_size_mib) == (plain["cpu_count"], plain["memory_size_MiB"])


@check
def vm_list_by_every_filter(given: Given) -> None:
    some = given.api("vcenter/vm")[0]
    criteria = {
        "vms": {some["vm"]},
        "names": {some["name"]},
        "folders": {folder["folder"] for folder in given.api("vcenter/folder")},
        "datacenters": {datacenter["datacenter"] for datacenter in given.api("vcenter/datacenter")},
        "hosts": {given.api("vcenter/host")[0]["host"]},
        "clusters": {given.api("vcenter/cluster")[0]["cluster"]},
        "resource_pools": {pool["resource_pool"] for pool in given.api("vcenter/resource-pool")},
        "power_states": {"POWERED_ON", "SUSPENDED"},
    }
    for name, values in criteria.items():
        found = {vm.vm for vm in given.client.vcenter.VM.list(vcenter.VM.FilterSpec(**{name: values}))}
        assert found, name
        assert found == {vm["vm"] for vm in given.api("vcenter/vm", **{name: sorted(values)})}, name
    assert given.client.vcenter.VM.list(vcenter.VM.FilterSpec(names={"nobody is called this"})) == []


@check
def options_of_lists(given: Given) -> None:
    stubs, options = given.stubs, {"$filter": "power_state eq 'POWERED_ON'", "$orderby": "name desc", "$top": "3"}
    stubs.connector.set_application_context(ApplicationContext(options))
    found = [vm.name for vm in vcenter.VM(stubs).list()]
    listed = [vm["name"] for vm in given.api("vcenter/vm", power_states="POWERED_ON")]
    assert found == sorted(listed, reverse=True)[:3]


@check
def vm_get(given: Given) -> None:
    for listed in given.client.vcenter.VM.list()[:10]:
        vm = given.client.vcenter.VM.get(listed.vm)
        plain = given.api(f"vcenter/vm/{listed.vm}")
        assert (vm.name, vm.guest_os, vm.power_state) == (plain["name"], plain["guest_OS"], plain["power_state"])
        assert (vm.cpu.count, vm.memory.size_mib) == (plain["cpu"]["count"], plain["memory"]["size_MiB"])
        assert set(vm.disks) == set(plain["disks"])
        assert set(vm.nics) == set(plain["nics"])
        for key, disk in vm.disks.items():
            assert disk.backing.vmdk_file == plain["disks"][key]["backing"]["vmdk_file"]


@check
def not_found(given: Given) -> None:
    with raises(errors.NotFound) as caught:
        given.client.vcenter.VM.get("vm-999999")
    assert caught[0].messages[0].id == "com.vmware.api.vcenter.vm.not_found"
    assert [argument.partition(":")[0] for argument in caught[0].messages[0].args or ()] == ["vm-999999"]
    assert str(caught[0].error_type) == "NOT_FOUND"


@check
def power(given: Given) -> None:
    services, vm = given.client.vcenter.vm, given.vm("POWERED_OFF")
    with raises(errors.AlreadyInDesiredState):
        services.Power.stop(vm)
    with raises(errors.NotAllowedInCurrentState):
        services.Power.suspend(vm)
    assert services.Power.start(vm) is None
    with raises(errors.AlreadyInDesiredState) as caught:
        services.Power.start(vm)
    assert [message.id for message in caught[0].messages] == [
        "com.vmware.api.vcenter.vm.power.already_powered_on",
        "vmsg.InvalidPowerState.summary",
    ]
    assert services.Power.get(vm).state == vm_services.Power.State.POWERED_ON
    services.Power.suspend(vm)
    services.Power.start(vm)
    services.Power.reset(vm)
    services.Power.stop(vm)
    info = services.Power.get(vm)
    assert (info.state, info.clean_power_off) == (vm_services.Power.State.POWERED_OFF, True)


@check
def folders(given: Given) -> None:
    service = given.client.vcenter.Folder
    found = service.list()
    assert {folder.folder: folder.type for folder in found} == {
        folder["folder"]: folder["type"] for folder in given.api("vcenter/folder")
    }
    some = found[-1]
    for spec in ({"folders": {some.folder}}, {"names": {some.name}}, {"type": some.type}):
        assert some in service.list(vcenter.Folder.FilterSpec(**spec)), spec


@check
def hosts(given: Given) -> None:
    service = given.client.vcenter.Host
    found = service.list()
    assert [host.host for host in found] == [host["host"] for host in given.api("vcenter/host")]
    standalone = {host["host"] for host in given.api("vcenter/host", standalone="true")}
    assert {host.host for host in service.list(vcenter.Host.FilterSpec(standalone=True))} == standalone
    some = next(host for host in found if host.host not in standalone)
    for spec in (
        {"hosts": {some.host}},
        {"names": {some.name}},
        {"standalone": False},
        {"connection_states": {some.connection_state}},
        {"clusters": {cluster.cluster for cluster in given.client.vcenter.Cluster.list()}},
    ):
        assert some in service.list(vcenter.Host.FilterSpec(**spec)), spec


@check
def clusters(given: Given) -> None:
    service = given.client.vcenter.Cluster
    found = service.list()
    assert [cluster.cluster for cluster in found] == [c["cluster"] for c in given.api("vcenter/cluster")]
    for cluster in found:
        info = service.get(cluster.cluster)
        plain = given.api(f"vcenter/cluster/{cluster.cluster}")
        assert (info.name, info.resource_pool) == (cluster.name, plain["resource_pool"])
    assert service.list(vcenter.Cluster.FilterSpec(names={found[0].name})) == [found[0]]
    with raises(errors.NotFound):
        service.get("domain-c999999")


@check
def datacenters(given: Given) -> None:
    service = given.client.vcenter.Datacenter
    found = service.list(vcenter.Datacenter.FilterSpec(folders={"group-d1"}))
    assert [d.datacenter for d in found] == [d["datacenter"] for d in given.api("vcenter/datacenter")]
    for datacenter in found:
        info = service.get(datacenter.datacenter)
        plain = given.api(f"vcenter/datacenter/{datacenter.datacenter}")
        assert (info.name, info.vm_folder, info.host_folder) == (
            datacenter.name,
            plain["vm_folder"],
            plain["host_folder"],
        )


@check
def datastores(given: Given) -> None:
    service = given.client.vcenter.Datastore
    found = service.list()
    assert [d.datastore for d in found] == [d["datastore"] for d in given.api("vcenter/datastore")]
    for datastore in found:
        info = service.get(datastore.datastore)
        assert (info.name, info.type, info.free_space) == (datastore.name, datastore.type, datastore.free_space)
        assert info.accessible is True
    assert found[0] in service.list(vcenter.Datastore.FilterSpec(types={found[0].type}))


@check
def networks(given: Given) -> None:
    service = given.client.vcenter.Network
    found = service.list()
    assert {n.network: n.type for n in found} == {n["network"]: n["type"] for n in given.api("vcenter/network")}
    assert found[0] in service.list(vcenter.Network.FilterSpec(types={found[0].type}))


@check
def resource_pools(given: Given) -> None:
    service = given.client.vcenter.ResourcePool
    found = service.list()
    assert [p.resource_pool for p in found] == [p["resource_pool"] for p in given.api("vcenter/resource-pool")]
    for pool in found:
        info = service.get(pool.resource_pool)
        plain = given.api(f"vcenter/resource-pool/{pool.resource_pool}")
        assert (info.name, info.resource_pools) == (pool.name, set(plain["resource_pools"]))


@check
def tasks(given: Given) -> None:
    vm = given.vm("POWERED_OFF")
    given.client.vcenter.vm.Power.start(vm)
    given.client.vcenter.vm.Power.stop(vm)
    service = cis.Tasks(given.stubs)
    target = std.DynamicID(type="VirtualMachine", id=vm)
    found = service.list(cis.Tasks.FilterSpec(targets=[target], users={given.user}))
    assert len(found) >= 2
    for identity, info in found.items():
        assert (info.status, info.target.id, info.user) == ("SUCCEEDED", vm, given.user)
        assert info.progress.completed == info.progress.total == 100
        assert info.start_time <= info.end_time
        assert service.get(identity) == info
    with raises(errors.NotFound):
        service.get("no-such-task")


def ended(given: Given, task: Any) -> Any:
    """A task's info once it is over."""
    while (info := task.get_info()).status in ("PENDING", "RUNNING"):
        pass
    assert info.status == "SUCCEEDED", info.error
    assert cis.Tasks(given.stubs).get(task.get_task_id()) == info
    return info


@check
def clones_and_moves(given: Given) -> None:
    machines = given.client.vcenter.VM
    source = given.vm("POWERED_OFF")
    before = machines.get(source)
    names = ("sdk-clone", "sdk-clone-by-task", "sdk-instant-clone")
    made = [machines.clone(machines.CloneSpec(source=source, name=names[0]))]
    task = machines.clone_task(machines.CloneSpec(source=source, name=names[1], power_on=True))
    assert ended(given, task).operation == "clone$task"
    made.append(task.get_result())
    made.append(machines.instant_clone(machines.InstantCloneSpec(source=made[1], name=names[2])))
    for identity, name in zip(made, names, strict=True):
        clone = machines.get(identity)
        assert clone.name == name
        assert clone.identity.instance_uuid != before.identity.instance_uuid
        assert {disk.capacity for disk in clone.disks.values()} == {disk.capacity for disk in before.disks.values()}
    move = machines.relocate_task(made[0], machines.RelocateSpec(placement=machines.RelocatePlacementSpec()))
    assert ended(given, move).status == "SUCCEEDED"
    assert move.get_result() is None
    machines.relocate(made[0], machines.RelocateSpec())
    with raises(errors.AlreadyExists):
        machines.clone_task(machines.CloneSpec(source=source, name=names[0]))
    with raises(errors.Error):
        machines.instant_clone(machines.InstantCloneSpec(source=source, name="nobody"))
    for identity in made:
        if machines.get(identity).power_state == "POWERED_ON":
            given.client.vcenter.vm.Power.stop(identity)
        machines.delete(identity)


@check
def a_session_of_api(given: Given) -> None:
    theirs = create_vsphere_client(given.server, session_id=given.token, session=given.transport())
    assert theirs.vcenter.VM.list() == given.client.vcenter.VM.list()
    assert theirs.session_svc.get().user == given.user
    # The client's end is the session's end: not this one's.
    theirs.session_svc.delete = lambda: None


@check
def a_session_ends_everywhere(given: Given) -> None:
    client = create_vsphere_client(given.server, given.user, given.password, session=given.transport())
    token = client.get_session_id()
    url, headers = f"https://{given.server}/api/session", {"vmware-api-session-id": token}
    plain = given.transport()
    assert plain.get(url, headers=headers).json()["user"] == client.session_svc.get().user == given.user
    client.session_svc.delete()
    assert plain.get(url, headers=headers).status_code == 401
    with raises(errors.Unauthenticated):
        client.vcenter.VM.list()


@check
def a_wrong_password(given: Given) -> None:
    with raises(errors.Unauthenticated) as caught:
        create_vsphere_client(given.server, given.user, "wrong", session=given.transport())
    assert caught[0].challenge.startswith("Basic ")


@check
def no_session(given: Given) -> None:
    with raises(errors.Unauthenticated):
        vcenter.VM(given.configuration(None)).list()


@check
def kinds_of_credentials_that_are_not_accepted(given: Given) -> None:
    with raises(errors.Unauthenticated) as caught:
        cis.Session(given.configuration(create_saml_bearer_security_context("<saml/>"))).create()
    assert "not valid" in caught[0].messages[0].default_message


@check
def an_api_token_in_place_of_a_session(given: Given) -> None:
    made = given.http.post(f"https://{given.server}/api/resphere/tokens", json={"name": "sdk", "privileges": []})
    made.raise_for_status()
    token = create_oauth_security_context(made.json()["secret"])
    assert vcenter.VM(given.configuration(token)).list() == given.client.vcenter.VM.list()
    session = create_session_security_context(cis.Session(given.configuration(token)).create())
    machines = vcenter.VM(given.configuration(session)).list()
    off = next(each.vm for each in machines if each.power_state == "POWERED_OFF")
    for shown in (token, session):
        with raises(errors.Unauthorized):
            vm_services.Power(given.configuration(shown)).start(off)
    given.http.delete(f"https://{given.server}/api/resphere/tokens/{made.json()['token']}").raise_for_status()
    for shown in (token, session):
        with raises(errors.Unauthenticated):
            vcenter.VM(given.configuration(shown)).list()


@check
def tokens_that_nobody_was_given(given: Given) -> None:
    with raises(errors.Unauthenticated):
        cis.Session(given.configuration(create_oauth_security_context("token"))).create()


@check
def what_is_not_implemented(given: Given) -> None:
    with raises(errors.Unsupported) as caught:
        vcenter.Deployment(given.stubs).get()
    assert caught[0].messages[0].id == "resphere.operation.not_implemented"


@check
def input_that_is_not_valid(given: Given) -> None:
    with raises(errors.InvalidArgument) as caught:
        given.client.vcenter.VM.list(vcenter.VM.FilterSpec(power_states={"FLYING"}))
    assert "filter.power_states" in caught[0].messages[0].default_message


def run_checks(checks: Iterable[Callable[..., None]], *more: Callable[[Given], Any]) -> None:
    """Run each with what is given and what ``more`` makes of that; standard output gets ``{check: what went wrong, or
    null}``."""
    given = Given(**json.load(sys.stdin))
    outcomes: dict[str, str | None] = {}
    for function in checks:
        try:
            function(given, *(make(given) for make in more))
            outcomes[function.__name__] = None
        except Exception:
            outcomes[function.__name__] = traceback.format_exc()
    sys.stdout.write(json.dumps(outcomes))


if __name__ == "__main__":
    run_checks(CHECKS)
