"""The OVF environment: what a guest reads of the package that it was made of, and of its network adapters."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

import msgspec
from lxml import etree

from resphere.ovf.names import ENVIRONMENT, VMW_ENVIRONMENT, XSI
from resphere.ovf.text import xml_text

_E = f"{{{ENVIRONMENT}}}"
_VE = f"{{{VMW_ENVIRONMENT}}}"


class Platform(msgspec.Struct, frozen=True, kw_only=True):
    """What the machine runs on; ``version`` is that of the host."""

    kind: str = "VMware ESXi"
    version: str
    vendor: str = "VMware, Inc."
    locale: str = "en"


class EnvironmentAdapter(msgspec.Struct, frozen=True, kw_only=True):
    """A network adapter: its address, the network's name, and its unit, which vSphere counts from 7."""

    mac_address: str
    network: str
    unit_number: int


def environment(
    vm: str,
    platform: Platform,
    properties: Mapping[str, str],
    adapters: Iterable[EnvironmentAdapter] = (),
    others: Mapping[str, Mapping[str, str]] | None = None,
) -> str:
    """The document for the machine ``vm`` (``vm-57``), as vCenter writes it.

    ``properties`` are values by full key; ``others`` those of the other machines of a vApp, by the machines' ids.
    """
    root = etree.Element(
        f"{_E}Environment",
        {f"{_E}id": "", f"{_VE}vCenterId": xml_text(vm)},
        # Elements stand in the default namespace, attributes need a prefix for the same one.
        nsmap={None: ENVIRONMENT, "oe": ENVIRONMENT, "ve": VMW_ENVIRONMENT, "xsi": XSI},
    )
    section = etree.SubElement(root, f"{_E}PlatformSection")
    for name, text in (
        ("Kind", platform.kind),
        ("Version", platform.version),
        ("Vendor", platform.vendor),
        ("Locale", platform.locale),
    ):
        etree.SubElement(section, f"{_E}{name}").text = xml_text(text)
    _add_properties(root, properties)
    section = etree.SubElement(root, f"{_VE}EthernetAdapterSection")
    for adapter in adapters:
        etree.SubElement(
            section,
            f"{_VE}Adapter",
            {
                f"{_VE}mac": adapter.mac_address,
                f"{_VE}network": xml_text(adapter.network),
                f"{_VE}unitNumber": str(adapter.unit_number),
            },
        )
    for name, values in (others or {}).items():
        _add_properties(etree.SubElement(root, f"{_E}Entity", {f"{_E}id": xml_text(name)}), values)
    return etree.tostring(root, encoding="UTF-8", xml_declaration=True, pretty_print=True).decode()


def _add_properties(parent: etree._Element, properties: Mapping[str, str]) -> None:
    section = etree.SubElement(parent, f"{_E}PropertySection")
    for key, value in properties.items():
        etree.SubElement(section, f"{_E}Property", {f"{_E}key": xml_text(key), f"{_E}value": xml_text(value)})
