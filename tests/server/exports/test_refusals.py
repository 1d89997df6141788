"""What is wrong in a file is told with its place, whatever section it is in."""

from __future__ import annotations

from pathlib import Path

import pytest

from resphere.providers.simulator.inventory_faults import InventoryFileError
from resphere.server.exports.file import parse_file, read_file
from resphere.server.exports.tables import SECTIONS

BASE = """\
datacenters:
- name: DC01
clusters:
- name: C1
hosts:
- name: esx-01
  cluster: C1
virtual_machines:
- name: web
  guest_OS: UBUNTU_64
tag_categories:
- name: env
  cardinality: SINGLE
- name: role
  cardinality: MULTIPLE
  associable_types: [VirtualMachine]
tags:
- name: prod
  category: env
- name: test
  category: env
- name: test
  category: role
custom_attributes:
- name: Owner
- {name: Slot, type: HostSystem}
"""
"""Sections that may be written again, with what is tried, begin at the same line."""
LINE = BASE.count("\n") + 2


def refusal(text: str) -> str:
    with pytest.raises(InventoryFileError) as caught:
        parse_file(text, "inv.yaml")
    return str(caught.value)


def test_the_base_is_sound() -> None:
    parse_file(BASE, "inv.yaml")


COMPUTE = "com.vmware.vcenter.compute.policies.capabilities."
LINUX = "{configuration_spec: {linux_config: {hostname: {type: FIXED, fixed_name: web}, domain: example.org}}"
SPEC = LINUX + ", global_DNS_settings: {}, interfaces: []}"
UUID = "00000000-0000-0000-0000-000000000001"


@pytest.mark.parametrize(
    ("section", "entry", "message"),
    [
        ("tag_attachments", "a", ": must be a mapping; allowed are tag and object"),
        ("tag_attachments", "{tag: prod}", ".object: must be set"),
        ("tag_attachments", "{tag: [prod], object: web}", ".tag: must be text"),
        ("tag_attachments", "{tag: prod, object: {}}", ".object: must be text"),
        ("tag_attachments", "{tag: prod, object: web, type: x}", ".type: is no field here; allowed are tag and object"),
        ("tag_attachments", "{tag: none, object: web}", ".tag: there is no tag with the id or name 'none' in the file"),
        ("tag_attachments", "{tag: env/none, object: web}", ".tag: there is no tag with the id or name 'env/none'"),
        (
            "tag_attachments",
            "{tag: test, object: web}",
            ".tag: 2 tags are named test: give the id, or such as",
        ),
        ("tag_attachments", "{tag: prod, object: wob}", ".object: 'wob' is neither id, path nor name of a folder"),
        ("tag_attachments", "{tag: prod, object: /DC01/vm/no}", ".object: /DC01/vm/no does not exist: there is no no"),
        (
            "tag_attachments",
            "{tag: role/test, object: esx-01}",
            ".tag: the category role is for VirtualMachine, and",
        ),
        ("custom_values", "{attribute: Owner, object: web}", ".value: must be set"),
        (
            "custom_values",
            "{attribute: None, object: web, value: x}",
            ".attribute: there is no custom attribute with the id",
        ),
        (
            "custom_values",
            "{attribute: Slot, object: web, value: x}",
            ".attribute: there is no custom attribute with the id",
        ),
        ("custom_values", "{attribute: Owner, object: wob, value: x}", ".object: 'wob' is neither id, path nor name"),
        ("storage_policies", "{name: ''}", ".name: must be set"),
        ("storage_policies", "{name: a, tags: prod}", ".tags: must be a list, not 'prod'"),
        ("storage_policies", "{name: a, tags: [none]}", ".tags[0]: there is no tag with the id or name 'none'"),
        (
            "storage_policies",
            "{name: a, datastore_types: [VMF]}",
            ".datastore_types[0]: 'VMF' is no value of this field",
        ),
        (
            "storage_policies",
            "{name: VM Encryption Policy}",
            ".name: VM Encryption Policy (4d5f673c-536f-11e6-beb8-9",
        ),
        (
            "storage_policies",
            f"{{name: {'a' * 81}}}",
            ".name: The name of a storage policy must have 1 to 80 ",
        ),
        ("compute_policies", "{name: a, vm_tag: prod, capability: x}", ".capability: 'x' is no value of this field; "),
        ("compute_policies", f"{{name: a, capability: {COMPUTE}vm_vm_affinity}}", ".vm_tag: must be text"),
        (
            "compute_policies",
            f"{{name: a, capability: {COMPUTE}vm_host_affinity, vm_tag: prod}}",
            ".host_tag: must be set",
        ),
        (
            "compute_policies",
            f"{{name: a, capability: {COMPUTE}vm_host_affinity, vm_tag: prod, host_tag: role/test}}",
            ".host_tag: the category role is not for objects of the type HostSystem",
        ),
        (
            "compute_policies",
            f"{{name: a, capability: {COMPUTE}vm_vm_affinity, vm_tag: prod, number_of_hosts: 3}}",
            ".number_of_hosts: is no field of the capability; allowed are ",
        ),
        ("customization_specs", "{name: a}", ".spec: must be set"),
        ("customization_specs", "{name: ' ', spec: {}}", ".name: must have 1 to 255 characters"),
        ("customization_specs", "{name: a, spec: {}}", ".spec.configuration_spec: must be set"),
        ("customization_specs", f"{{name: a, spec: {SPEC.replace('web', 'w b')}}}", ": spec.configuration_spec.linux"),
        (
            "customization_specs",
            f"{{name: a, spec: {SPEC.replace('FIXED', 'PREFIX')}}}",
            ": spec.configuration_spec.linux_config.hostname.prefix: ",
        ),
        ("customization_specs", f"{{name: a, last_modified: x, spec: {SPEC}}}", ".last_modified: must be a time with"),
        ("guest_customizations", "{vm: wob}", ".vm: 'wob' is neither id, path nor name of a virtual machine"),
        ("guest_customizations", "{vm: web, live: x}", ".live: must be true or false, not 'x'"),
        ("guest_customizations", "{vm: esx-01}", ".vm: 'esx-01' is neither id, path nor name of a virtual machine"),
        ("guest_starts", "{vm: web, due: soon}", ".due: must be a time with its zone"),
        ("guest_starts", "{vm: web}", ".due: must be set"),
        ("data_sets", "{owner: web}", ".name: must be set"),
        (
            "data_sets",
            "{owner: DC01, name: a}",
            ".owner: 'DC01' is neither id, path nor name of a virtual machine or",
        ),
        ("data_sets", "{owner: web, name: ' '}", ".name: must have 1 to 255 characters"),
        ("data_sets", "{owner: web, name: a, host: x}", ".host: 'x' is no value of this field; allowed are NONE"),
        ("data_sets", "{owner: web, name: a, entries: x}", ".entries: must be a mapping, not 'x'"),
        ("data_sets", "{owner: web, name: a, entries: {x: []}}", ".entries.x: must be text, not a list"),
        ("data_sets", "{owner: web, name: a, entries: {'': x}}", ".entries: key: must have 1 to 4096 bytes"),
        ("entropy_pools", "{host: esx-01, available: -1}", ".available: must be from 0 to 65536 bytes, not -1"),
        ("entropy_pools", "{host: web, available: 1}", ".host: 'web' is neither id, path nor name of a host"),
        ("direct_path_devices", "{host: esx-01, device: x, mode: HOST}", ".device: The host esx-01 has no device x;"),
        ("direct_path_devices", "{host: esx-01, device: x, mode: y}", ".mode: 'y' is no value of this field"),
        ("acquisition_specs", "{resources: []}", ".counters: must be set"),
        ("acquisition_specs", "{resources: [], counters: {}}", ".counters: exactly one of cid_mid"),
        (
            "acquisition_specs",
            "{resources: [], counters: {cid_mid: {cid: cpu.capacity.usage.VM}}}",
            ".resources: must be from 1 to",
        ),
        (
            "acquisition_specs",
            "{resources: [{id_value: a, type: X}], counters: {cid_mid: {cid: cpu.capacity.usage.VM}}}",
            ".resources[0]: the type must be one of",
        ),
        (
            "acquisition_specs",
            "{interval: 0, resources: [{id_value: a, type: VM}], counters: {cid_mid: {cid: cpu.capacity.usage.VM}}}",
            ".interval: must be from 1 to 86400 seconds, not 0",
        ),
        (
            "acquisition_specs",
            "{expiration: -1, resources: [{id_value: a, type: VM}], counters: {set_id: x}}",
            ".expiration: must be from 0 to 9007199254740992 seconds since 1970, not -1",
        ),
    ],
)
def test_what_does_not_fit_is_refused_with_its_place(section: str, entry: str, message: str) -> None:
    told = refusal(f"{BASE}{section}:\n- {entry}\n")
    assert f"inv.yaml:{LINE}: {section}[0]{message}" in told


@pytest.mark.parametrize(
    ("old", "new", "message"),
    [
        (
            "category: env",
            "category: none",
            "inv.yaml:18: tags[0].category: there is no category with the id or name",
        ),
        ("- name: role", "- name: env", "tag_categories[1].name: tag_categories[0] has this name or id already"),
        ("- name: test", "- name: prod", "tags[1].name: tags[0] has this name in the category, or this id, already"),
        ("- name: env", "- name: ' '", "tag_categories[0].name: must not be blank, nor have a NUL character."),
        ("- name: env", "- name: env\n  id: x", "tag_categories[0].id: The identifier 'x' is not of the form urn:vmom"),
        ("- name: prod", "- name: prod\n  id: x", "tags[0].id: The identifier 'x' is not of the form urn:vmomi:Invent"),
        ("[VirtualMachine]", "['']", "tag_categories[1].associable_types: a type must not be blank"),
        ("SINGLE", "TRIPLE", "tag_categories[0].cardinality: 'TRIPLE' is no value of this field; allowed are MULTI"),
        ("  cardinality: SINGLE\n", "", "inv.yaml:12: tag_categories[0].cardinality: must be set"),
    ],
)
def test_what_is_wrong_with_tags_is_told(old: str, new: str, message: str) -> None:
    assert message in refusal(BASE.replace(old, new, 1))


@pytest.mark.parametrize(
    ("entry", "message"),
    [
        ("{name: ''}", "name: must be set"),
        ("{name: '  '}", "name: must have 1 to 255 characters, and not only blanks"),
        ("{name: a, type: X}", "type: must be one of Folder, Datacenter"),
        ("{name: a, id: x1}", "id: must be a number from 1 to 2147483647"),
        ("{name: a, id: '01'}", "id: must be a number from 1 to 2147483647"),
        ("{name: a, id: 2147483648}", "id: must be a number from 1 to 2147483647"),
        ("{name: a, key: 1}", "key: is no field here; allowed are id, name and type"),
        ("{name: Owner, type: Folder}", "name: custom_attributes[0] has this name for the same objects"),
    ],
)
def test_what_is_wrong_with_custom_attributes_is_told(entry: str, message: str) -> None:
    assert f"custom_attributes[1].{message}" in refusal(BASE.replace("{name: Slot, type: HostSystem}", entry, 1))


@pytest.mark.parametrize(
    ("section", "entry", "other", "message"),
    [
        ("tag_attachments", "tag: prod, object: web", "tag: prod, object: web", "[1].tag: tag_attachments[0] attaches"),
        ("tag_attachments", "tag: prod, object: web", "tag: env/test, object: web", "another tag of a category that a"),
        (
            "custom_values",
            "attribute: Owner, object: web, value: x",
            "attribute: Owner, object: web, value: y",
            "[1].attribute: custom_values[0] gives the object a value of it already",
        ),
        ("storage_policies", "name: a", "name: a", "[1].name: storage_policies[0] has this name or id already"),
        ("storage_policies", f"name: a, id: {UUID}", f"name: b, id: {UUID}", "storage_policies[0] has this name or id"),
        (
            "customization_specs",
            f"name: a, spec: {SPEC}",
            f"name: a, spec: {SPEC}",
            "[1].name: customization_specs[0]",
        ),
        ("guest_customizations", "vm: web", "vm: /DC01/vm/web", "[1].vm: guest_customizations[0] is that of the VM al"),
        (
            "data_sets",
            "owner: web, name: a",
            "owner: web, name: a",
            "[1].name: data_sets[0] has this name and owner",
        ),
        ("entropy_pools", "host: esx-01, available: 1", "host: esx-01, available: 2", "[1].host: entropy_pools[0] is"),
    ],
)
def test_what_may_stand_once_is_refused_the_second_time(section: str, entry: str, other: str, message: str) -> None:
    assert message in refusal(f"{BASE}{section}:\n- {{{entry}}}\n- {{{other}}}\n")


@pytest.mark.parametrize("section", [section.name for section in SECTIONS])
@pytest.mark.parametrize("wrong", ["a", "{a: b}", "[a]", "[[a]]", "[{}]", "[{x: y}]", "[{name: []}]", "[{vm: {}}]"])
def test_no_section_takes_what_it_is_not(section: str, wrong: str) -> None:
    base = "".join(f"{part}\n" for part in BASE.split("tag_categories")[0].splitlines())
    assert f": {section}" in refusal(f"{base}{section}: {wrong}\n")


def test_a_section_that_there_is_not_is_told_with_all_that_there_are() -> None:
    told = refusal(f"{BASE}accounts: []\n")
    assert told.startswith("inv.yaml: accounts: is no section of an inventory; allowed are datacenters, folders")
    assert all(section.name in told for section in SECTIONS)


def test_a_file_that_cannot_be_read(tmp_path: Path) -> None:
    with pytest.raises(InventoryFileError, match=r"no\.yaml: cannot be read: No such file or directory"):
        read_file(tmp_path / "no.yaml")
    file = tmp_path / "latin.yaml"
    file.write_bytes(b"datacenters:\n- name: M\xfcnchen\n")
    with pytest.raises(InventoryFileError, match=r"latin\.yaml: is not UTF-8: invalid start byte at byte 22"):
        read_file(file)
    file.write_bytes(b"\xef\xbb\xbf" + BASE.encode())
    assert read_file(file) == parse_file(BASE, "anything")
