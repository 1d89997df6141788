"""The OVF environment as a guest reads it."""

from __future__ import annotations

from pathlib import Path

from lxml import etree

from resphere.ovf.environment import EnvironmentAdapter, Platform, environment

SCHEMA = etree.XMLSchema(etree.parse(Path(__file__).with_name("schemas") / "vmware_environment.xsd"))
OE = "{http://schemas.dmtf.org/ovf/environment/1}"
VE = "{http://www.vmware.com/schema/ovfenv}"


def test_all_that_a_guest_reads() -> None:
    document = environment(
        "vm-57",
        Platform(version="8.0.3"),
        {"data.size": "64", "motto": 'a < b & "c"\nd'},
        [EnvironmentAdapter(mac_address="00:50:56:aa:00:01", network="VM Network", unit_number=7)],
        {"db": {"data.size": "128"}},
    )
    assert document.startswith("<?xml version='1.0' encoding='UTF-8'?>\n<Environment ")
    root = etree.fromstring(document.encode())
    SCHEMA.assertValid(root)
    assert (root.tag, root.get(f"{OE}id"), root.get(f"{VE}vCenterId")) == (f"{OE}Environment", "", "vm-57")
    platform = root[0]
    assert [(etree.QName(each).localname, each.text) for each in platform] == [
        ("Kind", "VMware ESXi"),
        ("Version", "8.0.3"),
        ("Vendor", "VMware, Inc."),
        ("Locale", "en"),
    ]
    own = root.find(f"{OE}PropertySection")
    assert own is not None
    assert {each.get(f"{OE}key"): each.get(f"{OE}value") for each in own} == {
        "data.size": "64",
        "motto": 'a < b & "c"\nd',
    }
    (adapter,) = root.findall(f"{VE}EthernetAdapterSection/{VE}Adapter")
    assert dict(adapter.attrib) == {
        f"{VE}mac": "00:50:56:aa:00:01",
        f"{VE}network": "VM Network",
        f"{VE}unitNumber": "7",
    }
    (other,) = root.findall(f"{OE}Entity")
    assert other.get(f"{OE}id") == "db"
    assert [each.get(f"{OE}value") for each in other.iter(f"{OE}Property")] == ["128"]


def test_what_no_xml_may_have_is_replaced() -> None:
    document = environment("vm-1", Platform(version="8"), {"a\x00": "b\x1b\ud800"})
    (found,) = etree.fromstring(document.encode()).iter(f"{OE}Property")
    assert (found.get(f"{OE}key"), found.get(f"{OE}value")) == ("a\ufffd", "b\ufffd\ufffd")
