"""Descriptors written: valid by DMTF's schema, and read again as the machine that they were written of."""

from __future__ import annotations

from functools import cache
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from lxml import etree
from msgspec.structs import replace

from resphere.ovf.machine import Allocation, Bus, Controller, Drive, Machine, MachineDisk, MachineNic, Vapp
from resphere.ovf.model import File, Product, Property, StartupItem
from resphere.ovf.reading import read
from resphere.ovf.resolving import resolved
from resphere.ovf.settings import KNOWN_SETTINGS
from resphere.ovf.vapp_properties import properties_of
from resphere.ovf.writing import write_descriptor, write_vapp
from tests.ovf.machines import machines
from tests.ovf.packages import descriptor

SCHEMAS = Path(__file__).with_name("schemas")


@cache
def schema() -> etree.XMLSchema:
    return etree.XMLSchema(etree.parse(SCHEMAS / "vmware.xsd"))


def require_valid(document: bytes) -> None:
    made = schema()
    assert made.validate(etree.fromstring(document)), made.error_log


def read_again(document: bytes) -> Machine:
    (machine,) = resolved(read(document, "written.ovf").descriptor).machines
    return machine


def comparable(machine: Machine, *, preserve_mac: bool = True, extra_config: bool = True) -> Machine:
    """The machine as far as a descriptor keeps it: without places, without values of passwords."""

    def kept(file: File | None) -> File | None:
        return None if file is None else replace(file, place=(0, 0))

    def told(declared: Property, value: str) -> Property:
        secret = declared.password or declared.type == "password"
        return replace(declared, value="" if secret else value, place=(0, 0))

    properties = [
        replace(each, declared=told(each.declared, each.value), value=told(each.declared, each.value).value)
        for each in machine.properties
    ]
    by_key = {each.full_key: each.declared for each in properties}
    return replace(
        machine,
        disks=tuple([replace(each, file=kept(each.file)) for each in machine.disks]),
        cdroms=tuple([replace(each, file=kept(each.file)) for each in machine.cdroms]),
        nics=machine.nics if preserve_mac else tuple([replace(each, mac_address=None) for each in machine.nics]),
        extra_config=machine.extra_config if extra_config else {},
        settings={key: value for key, value in machine.settings.items() if key not in KNOWN_SETTINGS},
        products=tuple(
            [
                replace(product, properties=tuple([by_key[product.full_key(each.key)] for each in product.properties]))
                for product in machine.products
            ]
        ),
        properties=tuple(properties),
    )


@settings(suppress_health_check=[HealthCheck.too_slow])
@given(machines(), st.booleans(), st.booleans())
def test_any_machine_is_written_validly_and_read_again(
    machine: Machine, preserve_mac: bool, extra_config: bool
) -> None:
    document = write_descriptor(machine, preserve_mac=preserve_mac, extra_config=extra_config)
    require_valid(document)
    again = read_again(document)
    flags = {"preserve_mac": preserve_mac, "extra_config": extra_config}
    assert comparable(again, **flags) == comparable(machine, **flags)
    assert write_descriptor(again, preserve_mac=preserve_mac, extra_config=extra_config) == document


@pytest.mark.parametrize("name", ["vcenter.ovf", "ovftool.ovf", "minimal.ovf"])
def test_what_others_exported_is_the_same_written_again(name: str) -> None:
    (machine,) = resolved(descriptor(name)).machines
    document = write_descriptor(machine, preserve_mac=True, extra_config=True)
    again = read_again(document)
    assert comparable(again).disks == comparable(machine).disks
    assert (again.nics, again.controllers, again.guest_id) == (machine.nics, machine.controllers, machine.guest_id)
    assert write_descriptor(again, preserve_mac=True, extra_config=True) == document


WEB = Machine(
    id="web",
    name="web",
    controllers=(Controller(kind=Bus.SCSI, bus=0),),
    disks=(
        MachineDisk(
            id="vmdisk1",
            capacity=1 << 30,
            place=Drive(kind=Bus.SCSI, bus=0, unit=0),
            file=File(id="file1", href="web-1.vmdk", size=70_000),
        ),
    ),
    nics=(MachineNic(network="VM Network", mac_address="00:50:56:aa:00:01"),),
    extra_config={"guestinfo.x": "1"},
)


def test_a_vapp_is_written_validly_and_read_again() -> None:
    products = (Product(class_id="shop", properties=(Property(key="domain", type="string", value="example.org"),)),)
    # Files and disks have ids of their own in all of a package.
    file = File(id="file2", href="db-1.vmdk", size=1)
    database = replace(WEB, id="db", name="db", disks=(replace(WEB.disks[0], id="vmdisk2", file=file),))
    outer = Vapp(
        id="shop",
        name="The shop",
        annotation="All of it",
        contents=("db", "front"),
        startup=(
            StartupItem(id="db", order=1, start_delay=10, waiting_for_guest=True),
            StartupItem(id="front", order=2, start_action="none", stop_delay=5, stop_action="guestShutdown"),
        ),
        cpu_allocation=Allocation(reservation=500, limit=2000),
        memory_allocation=Allocation(shares=81_920),
        products=products,
        properties=properties_of(products, lambda product, declared: "example.net"),
    )
    inner = Vapp(id="front", name="front", contents=("web",))
    document = write_vapp([outer, inner], [database, WEB], preserve_mac=True)
    require_valid(document)
    made = resolved(read(document, "written.ovf").descriptor)
    assert [(each.id, each.name, each.annotation, each.contents) for each in made.vapps] == [
        ("shop", "The shop", "All of it", ("db", "front")),
        ("front", "front", "", ("web",)),
    ]
    again = made.vapps[0]
    assert again.startup == outer.startup
    assert (again.cpu_allocation, again.memory_allocation) == (outer.cpu_allocation, outer.memory_allocation)
    assert [(each.full_key, each.value) for each in again.properties] == [("shop.domain", "example.net")]
    assert [[disk.file and disk.file.href for disk in each.disks] for each in made.machines] == [
        ["db-1.vmdk"],
        ["web-1.vmdk"],
    ]
    assert write_vapp(made.vapps, made.machines, preserve_mac=True) == document


def test_flags() -> None:
    bare = write_descriptor(WEB)
    assert b"00:50:56" not in bare
    assert b"guestinfo.x" not in bare
    full = write_descriptor(WEB, preserve_mac=True, extra_config=True)
    assert b"00:50:56:aa:00:01" in full
    assert b'vmw:key="guestinfo.x" vmw:value="1"' in full


def test_what_is_written_besides_the_machine() -> None:
    document = write_descriptor(
        WEB,
        eulas=["Be kind.", "Be patient."],
        network_descriptions={"VM Network": "Everybody's"},
        populated_sizes={"vmdisk1": 4096},
        more_files=[File(id="file2", href="web-2.nvram", size=8684)],
    )
    require_valid(document)
    made = read(document).descriptor
    assert [(each.id, each.href, each.size) for each in made.files] == [
        ("file1", "web-1.vmdk", 70_000),
        ("file2", "web-2.nvram", 8684),
    ]
    assert made.disks[0].populated_size == 4096
    assert made.networks[0].description == "Everybody's"
    assert made.systems[0].eulas == ("Be kind.", "Be patient.")


def test_what_no_xml_may_have_is_replaced() -> None:
    document = write_descriptor(
        replace(WEB, name="a\x00b\x1b", annotation="c\ud800", extra_config={"\x01": "\x02"}),
        extra_config=True,
    )
    require_valid(document)
    assert (read_again(document).name, read_again(document).annotation) == ("a\ufffdb\ufffd", "c\ufffd")
