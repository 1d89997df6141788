"""Hosts' entropy pools, cryptographic modules, and devices for DirectPath."""

from __future__ import annotations

import pytest

from resphere.contract.errors import InvalidArgument, NotFound, ServiceUnavailable
from resphere.contract.generated import cis, ids, vcenter
from resphere.contract.generated.vcenter_host_crypto_fips import Modules
from resphere.contract.generated.vcenter_host_entropy import ExternalPool
from resphere.contract.generated.vcenter_host_hardware import DirectPathDevices
from resphere.inventory.host_parts import DirectPathDevice, EntropyPool
from resphere.inventory.model import Host
from resphere.services.vcenter.host.entropy.external_pool import CAPACITY
from resphere.services.vcenter.host.hardware.direct_path_devices import ConfigureImpact, ConfigureResult
from tests.services.vcenter.building import add_host, first, refused
from tests.support.world import World

GONE = ids.HostSystemId("host-999999")
Mode = DirectPathDevices.DirectPathDeviceMode
DISCONNECTED = vcenter.Host.ConnectionState.DISCONNECTED


def host_of(world: World) -> ids.HostSystemId:
    return ids.HostSystemId(first(world, Host).id)


def modes(world: World, host: ids.HostSystemId) -> dict[str, Mode]:
    listed = world.call(DirectPathDevices.list, host, None, None, None)
    return {item.device: item.info.current_mode for item in listed.items}


def configure(world: World, host: ids.HostSystemId, device: str, mode: Mode | None) -> ids.CisTASKId:
    return world.call(
        DirectPathDevices.configure_task, host, DirectPathDevices.ConfigureSpec(device=device, new_mode=mode)
    )


def test_a_pool_fills_up(world: World) -> None:
    host = host_of(world)
    assert world.call(ExternalPool.get, host).currently_available == 0
    assert world.call(ExternalPool.add, host, ExternalPool.AddSpec(data=b"12345")).currently_available == 5
    assert world.call(ExternalPool.get, host).currently_available == 5
    full = world.call(ExternalPool.add, host, ExternalPool.AddSpec(data=b"0" * CAPACITY))
    assert full.currently_available == full.capacity == CAPACITY
    assert world.call(ExternalPool.get, host).status is ExternalPool.Status.ENABLED


def test_a_pool_out_of_reach(world: World) -> None:
    for call in (
        lambda host: world.call(ExternalPool.get, host),
        lambda host: world.call(ExternalPool.add, host, ExternalPool.AddSpec(data=b"1")),
    ):
        with pytest.raises(NotFound):
            call(GONE)
    host = first(world, Host)
    world.change(host, connection_state=DISCONNECTED)
    with pytest.raises(ServiceUnavailable) as error:
        world.call(ExternalPool.get, host_of(world))
    assert refused(error) == (503, "resphere.host.not_connected")
    with pytest.raises(ServiceUnavailable):
        world.call(ExternalPool.add, host_of(world), ExternalPool.AddSpec(data=b"1"))


def test_the_modules_of_hosts_page_by_page(world: World) -> None:
    everything = world.call(Modules.list, None, None)
    assert everything.marker is None
    assert {item.host for item in everything.items} == world.inventory.all(Host).keys()
    read: list[Modules.ListItem] = []
    marker: str | None = None
    while True:
        page = world.call(Modules.list, None, Modules.IterationSpec(page_size=2, marker=marker))
        read += page.items
        marker = page.marker
        if marker is None:
            break
    assert tuple(read) == everything.items
    host = first(world, Host)
    name = everything.items[0].info.name
    wanted = Modules.FilterSpec(hosts=frozenset({ids.HostSystemId(host.id)}), names=frozenset({name}))
    (only,) = world.call(Modules.list, wanted, None).items
    assert (only.host, only.info.component_version) == (host.id, f"{host.version}-{host.build}")
    assert world.call(Modules.list, Modules.FilterSpec(versions=frozenset({"0.1"})), None).items == ()
    world.change(host, connection_state=DISCONNECTED)
    assert world.call(Modules.list, wanted, None).items == ()


@pytest.mark.parametrize(
    ("filter", "iterate", "words"),
    [
        (Modules.FilterSpec(hosts=frozenset({GONE})), None, "resphere.fips.host"),
        (None, Modules.IterationSpec(marker="nowhere"), "resphere.fips.host"),
        (None, Modules.IterationSpec(page_size=0), "resphere.fips.page_size"),
        (Modules.FilterSpec(names=frozenset(map(str, range(11)))), None, "resphere.fips.filter"),
    ],
)
def test_modules_that_cannot_be_asked_for(
    world: World, filter: Modules.FilterSpec | None, iterate: Modules.IterationSpec | None, words: str
) -> None:
    with pytest.raises(InvalidArgument) as error:
        world.call(Modules.list, filter, iterate)
    assert refused(error) == (400, words)


def test_a_device_is_given_away_and_taken_back(world: World) -> None:
    host = host_of(world)
    own, free, *_ = modes(world, host)
    task = world.call(cis.Tasks.get, ids.CisTaskId(configure(world, host, free, Mode.SYSTEM_SELECT)), None)
    assert task.status == "SUCCEEDED"
    assert task.result == ConfigureResult(configure_impacts=frozenset({ConfigureImpact.NONE}))
    assert modes(world, host)[free] is Mode.DIRECTPATH
    configure(world, host, free, None)
    assert modes(world, host)[free] is Mode.DIRECTPATH
    configure(world, host, free, Mode.HOST)
    assert set(modes(world, host).values()) == {Mode.HOST}
    for device, mode in ((own, Mode.DIRECTPATH), (free, Mode.VGPU_SAME_SIZE)):
        with pytest.raises(InvalidArgument) as error:
            configure(world, host, device, mode)
        assert refused(error) == (400, "resphere.direct_path.mode")
    with pytest.raises(NotFound) as missing:
        configure(world, host, "0000:ff:00.0", Mode.HOST)
    assert refused(missing) == (404, "resphere.direct_path.no_device")
    with pytest.raises(NotFound):
        configure(world, GONE, free, Mode.HOST)


def test_devices_page_by_page(world: World) -> None:
    host = host_of(world)
    devices = list(modes(world, host))
    Page = DirectPathDevices.IterationSpec
    second = world.call(DirectPathDevices.list, host, None, Page(page_size=1, marker=devices[0]), None)
    assert [item.device for item in second.items] == devices[1:2]
    wanted = DirectPathDevices.FilterSpec(devices=frozenset({devices[0], "x"}))
    assert [item.device for item in world.call(DirectPathDevices.list, host, wanted, None, None).items] == devices[:1]
    with pytest.raises(InvalidArgument) as error:
        world.call(DirectPathDevices.list, host, None, Page(page_size=0), None)
    assert refused(error) == (400, "resphere.direct_path.page_size")
    with pytest.raises(NotFound):
        world.call(DirectPathDevices.list, GONE, None, None, None)


def test_they_go_with_the_host(world: World) -> None:
    host = add_host(world)
    world.call(ExternalPool.add, host, ExternalPool.AddSpec(data=b"1"))
    configure(world, host, list(modes(world, host))[1], Mode.DIRECTPATH)
    world.call(vcenter.Host.disconnect, host)
    world.call(vcenter.Host.delete, host)
    assert not world.inventory.all(EntropyPool)
    assert not world.inventory.all(DirectPathDevice)
