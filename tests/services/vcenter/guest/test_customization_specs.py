"""Customization specifications: kept by name, edited by fingerprint, exported and imported."""

from __future__ import annotations

import itertools
import json
import re
from typing import Any

import msgspec
import pytest

from resphere.contract.errors import AlreadyExists, InvalidArgument, NotFound, UnableToAllocateResource
from resphere.contract.generated import ids, vcenter_guest
from resphere.contract.generated.vcenter_guest import CustomizationSpec, CustomizationSpecs
from resphere.contract.unions import MISSING
from resphere.inventory.customization import CustomizationItem
from resphere.replica.edit import Edit
from resphere.services.vcenter.guest.documents import without_secrets
from tests.support.customizations import DHCP, STATIC, cloud, linux, named, windows
from tests.support.world import NOW, World

Name = ids.VcenterGuestCustomizationSpecId
Format = CustomizationSpecs.Format
PREFIXED = vcenter_guest.HostnameGenerator(type=vcenter_guest.HostnameGenerator.Type.PREFIX, prefix="a-")
ASKED = vcenter_guest.HostnameGenerator(type=vcenter_guest.HostnameGenerator.Type.USER_INPUT_REQUIRED)


def keep(world: World, name: str, spec: CustomizationSpec) -> Name:
    made = CustomizationSpecs.CreateSpec(name=name, description="for tests", spec=spec)
    return world.call(CustomizationSpecs.create, made)


def test_specifications_come_and_go(world: World) -> None:
    one, other = keep(world, "one", linux()), keep(world, "other", windows())
    assert [each.name for each in world.call(CustomizationSpecs.list, None)] == [one, other]
    only = CustomizationSpecs.FilterSpec(OS_type=CustomizationSpecs.OsType.WINDOWS)
    assert [each.name for each in world.call(CustomizationSpecs.list, only)] == [other]
    by_name = CustomizationSpecs.FilterSpec(names=frozenset({one, Name("none")}))
    assert [each.name for each in world.call(CustomizationSpecs.list, by_name)] == [one]
    found = world.call(CustomizationSpecs.get, other)
    assert (found.spec.spec, found.last_modified) == (windows(), NOW)
    world.call(CustomizationSpecs.delete, one)
    for act in (
        lambda: world.call(CustomizationSpecs.get, one),
        lambda: world.call(CustomizationSpecs.delete, one),
        lambda: world.call(CustomizationSpecs.export, one, Format.JSON),
        lambda: world.call(CustomizationSpecs.set, one, found.spec),
    ):
        with pytest.raises(NotFound) as refusal:
            act()
        assert refusal.value.messages[0].id.endswith("customization_specs.not_found")


def test_a_name_is_taken_once(world: World) -> None:
    keep(world, "one", linux())
    with pytest.raises(AlreadyExists):
        keep(world, "one", windows())
    with pytest.raises(InvalidArgument):
        keep(world, " ", linux())


@pytest.mark.parametrize(
    ("spec", "field"),
    [
        (linux(interfaces=(DHCP,) * 11), "spec.spec.interfaces"),
        (
            msgspec.structs.replace(
                linux(), global_DNS_settings=vcenter_guest.GlobalDNSSettings(dns_servers=("192.0.2.1",) * 101)
            ),
            "spec.spec.global_DNS_settings.dns_servers",
        ),
        (
            linux(
                interfaces=(
                    DHCP,
                    vcenter_guest.AdapterMapping(
                        adapter=vcenter_guest.IPSettings(
                            ipv6=vcenter_guest.Ipv6(
                                type=vcenter_guest.Ipv6.Type.STATIC,
                                ipv6=(vcenter_guest.Ipv6Address(ip_address="fd00::20", prefix=64),) * 101,
                            )
                        )
                    ),
                )
            ),
            "spec.spec.interfaces[1].adapter.ipv6.ipv6",
        ),
    ],
)
def test_lists_have_ends(world: World, spec: CustomizationSpec, field: str) -> None:
    with pytest.raises(InvalidArgument, match=re.escape(field)):
        keep(world, "one", spec)


def test_an_edit_must_be_of_the_present_one(world: World) -> None:
    name = keep(world, "one", linux())
    before = world.call(CustomizationSpecs.get, name).spec
    edited = CustomizationSpecs.Spec(
        fingerprint=before.fingerprint, name="renamed", description="edited", spec=linux(named("db"))
    )
    world.call(CustomizationSpecs.set, name, edited)
    after = world.call(CustomizationSpecs.get, Name("renamed")).spec
    assert (after.spec, after.description) == (linux(named("db")), "edited")
    assert after.fingerprint != before.fingerprint
    with pytest.raises(InvalidArgument) as refusal:
        world.call(CustomizationSpecs.set, Name("renamed"), edited)
    assert refusal.value.messages[0].id.endswith("fingerprint_mismatch")
    keep(world, "one", linux())
    taken = CustomizationSpecs.Spec(fingerprint="", name="one", description="", spec=linux())
    with pytest.raises(InvalidArgument):
        world.call(CustomizationSpecs.set, Name("renamed"), taken)


def test_more_than_a_list_may_have(world: World) -> None:
    def plan(edit: Edit) -> None:
        for number in range(1001):
            edit.put(
                CustomizationItem(id=f"n{number}", description="", spec=linux(), fingerprint="1", last_modified=NOW)
            )

    world.run(world.inventory.change(plan))
    with pytest.raises(UnableToAllocateResource):
        world.call(CustomizationSpecs.list, None)


@pytest.mark.parametrize("format", list(Format))
@pytest.mark.parametrize(
    "spec",
    [
        linux(interfaces=(STATIC, DHCP)),
        linux(PREFIXED, script_text="#!/bin/sh\necho <&>\n"),
        linux(ASKED, domain=""),
        windows(),
        cloud("local-hostname: a\n"),
    ],
)
def test_what_is_exported_can_be_imported(world: World, spec: CustomizationSpec, format: Format) -> None:
    name = keep(world, "one <&>", spec)
    text = world.call(CustomizationSpecs.export, name, format)
    assert "very secret" not in text
    found = world.call(CustomizationSpecs.import_specification, text)
    assert (found.name, found.description, found.spec) == ("one <&>", "for tests", without_secrets(spec))
    assert len(world.call(CustomizationSpecs.list, None)) == 1


def test_the_xml_is_vcenters(world: World) -> None:
    text = world.call(CustomizationSpecs.export, keep(world, "one", linux(interfaces=(STATIC,))), Format.XML)
    for part in (
        "<ConfigRoot>",
        "<_type>vim.CustomizationSpecItem</_type>",
        "<_type>vim.vm.customization.LinuxPrep</_type>",
        "<_type>vim.vm.customization.AdapterMapping[]</_type>",
        "<subnetMask>255.255.255.0</subnetMask>",
    ):
        assert part in text


GUEST = "com.vmware.vcenter.guest."
SPECS = GUEST + "customization_specs."
ENTITY = '<!DOCTYPE a [<!ENTITY b "c">]><ConfigRoot>&b;</ConfigRoot>'


@pytest.mark.parametrize(
    "text",
    [
        "",
        "{}",
        "[1]",
        "<a/>",
        "<a>",
        ENTITY,
        "<ConfigRoot><_type>x</_type></ConfigRoot>",
        "<ConfigRoot><_type>x</_type><info><_type>i</_type></info><spec><_type>s</_type></spec></ConfigRoot>",
        "<a>" * 5000,
        "[" * 100_000,
    ],
)
def test_what_is_no_specification(world: World, text: str) -> None:
    with pytest.raises(InvalidArgument) as refusal:
        world.call(CustomizationSpecs.import_specification, text)
    assert refusal.value.messages[0].id == "resphere.guest.customization"


def test_a_text_may_not_hold_what_no_call_may(world: World) -> None:
    text = json.loads(world.call(CustomizationSpecs.export, keep(world, "one", linux()), Format.JSON))
    spec = fields(fields(text, SPECS + "create_spec")["spec"], GUEST + "customization_spec")
    config = fields(spec["configuration_spec"], GUEST + "configuration_spec")["linux_config"]["OPTIONAL"]
    hostname = fields(fields(config, GUEST + "linux_configuration")["hostname"], GUEST + "hostname_generator")
    hostname["fixed_name"] = {"OPTIONAL": None}
    with pytest.raises(InvalidArgument) as refusal:
        world.call(CustomizationSpecs.import_specification, json.dumps(text))
    assert "hostname.fixed_name" in str(refusal.value)
    assert refusal.value.messages[0].id == MISSING


def test_the_json_is_vcenters(world: World) -> None:
    """Each structure says what it is, and each optional value that it may be unset."""
    text = json.loads(world.call(CustomizationSpecs.export, keep(world, "one", windows()), Format.JSON))
    spec = fields(fields(text, SPECS + "create_spec")["spec"], GUEST + "customization_spec")
    dns = fields(spec["global_DNS_settings"], GUEST + "global_DNS_settings")
    assert set(dns) == {"dns_suffix_list", "dns_servers"}
    assert all(set(value) == {"OPTIONAL"} for value in dns.values())
    config = fields(spec["configuration_spec"], GUEST + "configuration_spec")
    assert config["linux_config"] == {"OPTIONAL": None}
    renamed = {"STRUCTURE": {SPECS + "info": text["STRUCTURE"][SPECS + "create_spec"]}}
    with pytest.raises(InvalidArgument):
        world.call(CustomizationSpecs.import_specification, json.dumps(renamed))


def test_the_json_of_api_is_taken_too(world: World) -> None:
    spec = linux(interfaces=(STATIC,))
    made = CustomizationSpecs.CreateSpec(name="one", description="", spec=spec)
    text = msgspec.json.encode(made).decode()
    assert world.call(CustomizationSpecs.import_specification, "\ufeff " + text) == made


def fields(value: Any, name: str) -> dict[str, Any]:
    """The fields of a structure, which must be called so."""
    (found,) = value["STRUCTURE"].items()
    assert found[0] == name
    inner: dict[str, Any] = found[1]
    return inner


def static(**fields: object) -> tuple[vcenter_guest.AdapterMapping, ...]:
    given = {"ip_address": "192.168.7.20", "prefix": 24} | fields
    ipv4 = vcenter_guest.Ipv4(type=vcenter_guest.Ipv4.Type.STATIC, **given)  # type: ignore[arg-type]
    return (vcenter_guest.AdapterMapping(adapter=vcenter_guest.IPSettings(ipv4=ipv4)),)


GROWING = "\n".join(
    ["a: &a [x, x]"]
    + [f"{name}: &{name} [{', '.join(['*' + above] * 10)}]" for above, name in itertools.pairwise("abcdefghijkl")]
    + ["local-hostname: *l"]
)
"""Each line is ten times the one before, where somebody writes it out."""


@pytest.mark.parametrize(
    ("spec", "field"),
    [
        (linux(named("a b")), "hostname.fixed_name"),
        (linux(named("12")), "hostname.fixed_name"),
        (linux(domain="-.org"), "domain"),
        (linux(script_text="x" * 65537), "script_text"),
        (linux(interfaces=static(ip_address="300.1.1.1")), "interfaces[0].adapter.ipv4.ip_address"),
        (linux(interfaces=static(ip_address="::1")), "interfaces[0].adapter.ipv4.ip_address"),
        (linux(interfaces=static(prefix=33)), "interfaces[0].adapter.ipv4.prefix"),
        (linux(interfaces=static(gateways=("x",))), "interfaces[0].adapter.ipv4.gateways[0]"),
        (cloud("- a\n"), "metadata"),
        (cloud("{" * 2000), "metadata"),
        (cloud("[" * 50_000), "metadata"),
        (cloud("- " * 50_000), "metadata"),
        (cloud("local-hostname: two words\n"), "metadata"),
        (cloud("local-hostname: [a]\n"), "metadata"),
        (cloud(f"hostname: {'a' * 64}\n"), "metadata"),
        (cloud(GROWING), "metadata"),
        (
            CustomizationSpec(
                configuration_spec=vcenter_guest.ConfigurationSpec(),
                global_DNS_settings=vcenter_guest.GlobalDNSSettings(),
                interfaces=(),
            ),
            "configuration_spec",
        ),
        (windows(password=None), "gui_unattended.password"),
    ],
)
def test_specifications_that_make_no_sense(world: World, spec: CustomizationSpec, field: str) -> None:
    with pytest.raises(InvalidArgument) as refusal:
        keep(world, "one", spec)
    assert field in refusal.value.messages[0].args[0] + "." + refusal.value.messages[0].args[1]
    assert not world.inventory.all(CustomizationItem)
