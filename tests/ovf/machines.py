"""Any machine that a descriptor can describe, for Hypothesis."""

from __future__ import annotations

from typing import Any

from hypothesis import strategies as st

from resphere.contract.generated.vcenter_vm import Hardware
from resphere.contract.generated.vcenter_vm_hardware import Boot, Cdrom, Ethernet, Floppy
from resphere.contract.generated.vcenter_vm_hardware_adapter import Scsi
from resphere.ovf.devices import BUSES, UNITS
from resphere.ovf.machine import (
    Allocation,
    Bus,
    Controller,
    Drive,
    Machine,
    MachineCdrom,
    MachineDisk,
    MachineFloppy,
    MachineNic,
    MachinePort,
    OtherDevice,
    VappProperty,
)
from resphere.ovf.model import File, IpAssignment, Product, Property
from resphere.ovf.names import ResourceType
from resphere.ovf.property_types import type_of

in_xml = st.characters(codec="utf-8", exclude_categories=("Cc", "Cs"), exclude_characters="\ufffe\uffff")
texts = st.text(in_xml, max_size=30).map(str.strip)
names = texts.filter(bool)
words = st.from_regex(r"[a-z][a-z0-9.]{0,11}", fullmatch=True)
values = st.text(st.one_of(in_xml, st.sampled_from("\t\n\r")), max_size=30)
"""What an attribute keeps as it is."""
amounts = st.none() | st.integers(0, 1 << 40)
allocations = st.builds(Allocation, reservation=amounts, limit=amounts, shares=st.none() | st.integers(0, 10**6))
ports = st.builds(MachinePort, sub_type=words | st.just(""), start_connected=st.booleans(), label=names)


@st.composite
def controllers_with_units(draw: st.DrawFn) -> tuple[tuple[Controller, ...], list[Drive]]:
    """Some adapters, and places on them in any order."""
    buses = draw(st.sets(st.sampled_from([(kind, bus) for kind in Bus for bus in range(BUSES[kind])]), max_size=4))
    controllers = tuple(
        [
            Controller(kind=kind, bus=bus, scsi_type=draw(st.sampled_from(Scsi.Type)) if kind is Bus.SCSI else None)
            for kind, bus in sorted(buses)
        ]
    )
    places = [Drive(kind=kind, bus=bus, unit=unit) for kind, bus in sorted(buses) for unit in UNITS[kind]]
    return controllers, draw(st.permutations(places)) if places else []


def files(prefix: str, number: int) -> st.SearchStrategy[File | None]:
    """A file of its own, or none."""
    return st.none() | st.builds(
        File,
        id=st.just(f"{prefix}{number}"),
        href=st.just(f"{prefix}-{number} ä.bin"),
        size=st.none() | st.integers(0, 1 << 50),
        compression=st.sampled_from(["", "gzip"]),
        chunk_size=st.none() | st.integers(1, 1 << 40),
    )


@st.composite
def products(draw: st.DrawFn) -> tuple[Product, ...]:
    """Products whose properties have keys of their own."""
    made = []
    for number in range(draw(st.integers(0, 2))):
        keys = draw(st.lists(words, unique=True, max_size=4))
        properties = [
            Property(
                key=key,
                type=draw(st.sampled_from(["string", "boolean", "uint8", "real64", "password", "expression"])),
                qualifiers=draw(st.sampled_from(["", "MinLen(1)", 'ValueMap{"a","<b>"}'])),
                value=draw(values),
                user_configurable=draw(st.booleans()),
                password=draw(st.booleans()),
                category=draw(names) if number else "",
                label=draw(texts),
                description=draw(texts),
            )
            for key in keys
        ]
        fields: dict[str, Any] = {
            name: draw(texts) for name in ("name", "vendor", "version", "full_version", "app_url")
        }
        made.append(
            Product(
                class_id=f"class{number}",
                instance_id=draw(words | st.just("")),
                info=draw(names),
                properties=tuple(properties),
                **fields,
            )
        )
    return tuple(made)


@st.composite
def machines(draw: st.DrawFn) -> Machine:
    """A machine."""
    controllers, places = draw(controllers_with_units())
    for_cdroms = [each for each in places if each.kind in (Bus.IDE, Bus.SATA)][: draw(st.integers(0, 2))]
    for_disks = [each for each in places if each not in for_cdroms][: draw(st.integers(0, 4))]
    cores = draw(st.integers(1, 8))
    made = draw(products())
    cdroms = []
    for number, place in enumerate(for_cdroms):
        file = draw(files("iso", number))
        devices = [Cdrom.BackingType.HOST_DEVICE, Cdrom.BackingType.CLIENT_DEVICE]
        cdroms.append(
            MachineCdrom(
                place=place,
                backing=Cdrom.BackingType.ISO_FILE if file else draw(st.sampled_from(devices)),
                file=file,
                start_connected=draw(st.booleans()),
                label=draw(names),
            )
        )
    return Machine(
        id=draw(names),
        name=draw(texts),
        annotation=draw(texts),
        guest_id=draw(st.sampled_from(["debian12_64Guest", "otherGuest", "windows9Server64Guest", "unheardOfGuest"])),
        hardware_version=draw(st.none() | st.sampled_from(Hardware.Version)),
        cpu_count=cores * draw(st.integers(1, 90)),
        cores_per_socket=cores,
        memory_MiB=draw(st.integers(4, 24 << 20)),
        cpu_allocation=draw(allocations),
        memory_allocation=draw(allocations),
        cpu_hot_add_enabled=draw(st.booleans()),
        cpu_hot_remove_enabled=draw(st.booleans()),
        memory_hot_add_enabled=draw(st.booleans()),
        firmware=draw(st.none() | st.sampled_from(Boot.Type)),
        secure_boot=draw(st.booleans()),
        boot_delay_ms=draw(st.integers(0, 10_000)),
        boot_retry=draw(st.booleans()),
        boot_retry_delay_ms=draw(st.integers(0, 100_000)),
        enter_setup_mode=draw(st.booleans()),
        controllers=controllers,
        disks=tuple(
            [
                MachineDisk(
                    id=f"vmdisk{number}",
                    capacity=draw(st.integers(1, 62 << 40)),
                    place=place,
                    file=draw(files("disk", number)),
                    format=draw(words | st.just("")),
                    label=draw(names),
                )
                for number, place in enumerate(for_disks)
            ]
        ),
        nics=tuple(
            draw(
                st.lists(
                    st.builds(
                        MachineNic,
                        network=st.none() | names,
                        type=st.none() | st.sampled_from(Ethernet.EmulationType),
                        mac_address=st.none() | st.just("00:50:56:aa:bb:cc"),
                        start_connected=st.booleans(),
                        wake_on_lan_enabled=st.booleans(),
                        upt_compatibility_enabled=st.booleans(),
                        label=names,
                    ),
                    max_size=3,
                )
            )
        ),
        cdroms=tuple(cdroms),
        floppies=tuple(
            [
                MachineFloppy(backing=backing, start_connected=draw(st.booleans()), label=draw(names))
                for backing in draw(
                    st.lists(
                        st.sampled_from([Floppy.BackingType.HOST_DEVICE, Floppy.BackingType.CLIENT_DEVICE]), max_size=2
                    )
                )
            ]
        ),
        serial_ports=tuple(draw(st.lists(ports, max_size=2))),
        parallel_ports=tuple(draw(st.lists(ports, max_size=2))),
        other_devices=tuple(
            draw(
                st.lists(
                    st.builds(
                        OtherDevice,
                        resource_type=st.sampled_from([ResourceType.USB, ResourceType.VIDEO, ResourceType.OTHER]),
                        sub_type=words,
                        label=names,
                    ),
                    max_size=2,
                )
            )
        ),
        settings=draw(st.dictionaries(st.sampled_from(["nestedHVEnabled", "tools.syncTimeWithHost"]), values)),
        extra_config=draw(st.dictionaries(words, values, max_size=3)),
        transports=tuple(draw(st.lists(words, max_size=2))),
        ip_assignment=draw(
            st.none() | st.builds(IpAssignment, schemes=st.just(("ovfenv", "dhcp")), protocols=st.just(("IPv4",)))
        ),
        products=made,
        properties=tuple(
            [
                VappProperty(
                    full_key=product.full_key(each.key),
                    class_id=product.class_id,
                    instance_id=product.instance_id,
                    declared=each,
                    type_text=type_of(each).text,
                    value=draw(values),
                )
                for product in made
                for each in product.properties
            ]
        ),
    )
