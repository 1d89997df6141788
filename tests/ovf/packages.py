"""Small descriptors in the shapes of what exporters write, and parts to make bad ones of."""

from __future__ import annotations

from pathlib import Path

from resphere.ovf.model import Descriptor
from resphere.ovf.reading import read

DATA = Path(__file__).with_name("data")
NAMES = sorted(each.name for each in DATA.glob("*.ovf"))

NAMESPACES = (
    'xmlns="http://schemas.dmtf.org/ovf/envelope/1" xmlns:ovf="http://schemas.dmtf.org/ovf/envelope/1"'
    ' xmlns:rasd="http://schemas.dmtf.org/wbem/wscim/1/cim-schema/2/CIM_ResourceAllocationSettingData"'
    ' xmlns:vssd="http://schemas.dmtf.org/wbem/wscim/1/cim-schema/2/CIM_VirtualSystemSettingData"'
    ' xmlns:vmw="http://www.vmware.com/schema/ovf"'
)


def content(name: str) -> bytes:
    """A descriptor's bytes."""
    return (DATA / name).read_bytes()


def descriptor(name: str) -> Descriptor:
    """A descriptor, read."""
    return read(content(name), name).descriptor


def envelope(hardware: str = "", sections: str = "", of_machine: str = "") -> bytes:
    """A descriptor with these items of hardware, sections before the machine, and sections in it."""
    return (
        f"<Envelope {NAMESPACES}>{sections or '<References/>'}"
        f'<VirtualSystem ovf:id="vm"><Info/>'
        f"<VirtualHardwareSection><Info/>{hardware}</VirtualHardwareSection>{of_machine}</VirtualSystem></Envelope>"
    ).encode()


def item(number: int, resource_type: int, *parts: str, attributes: str = "") -> str:
    """An item; ``parts`` are written as ``Name=value``."""
    pairs = [part.partition("=") for part in (f"InstanceID={number}", f"ResourceType={resource_type}", *parts)]
    return f"<Item {attributes}>{''.join(f'<rasd:{name}>{value}</rasd:{name}>' for name, _, value in pairs)}</Item>"
