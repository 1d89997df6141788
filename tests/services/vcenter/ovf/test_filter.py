"""What is told of packages, and the flags that there are."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from resphere.contract.errors import InvalidArgument, NotFound, ResourceInaccessible
from resphere.contract.generated import ids, vcenter
from resphere.contract.generated.content_library import Item, ItemModel
from resphere.contract.generated.vcenter_ovf import ExportFlag, ImportFlag
from resphere.contract.generated.vcenter_ovf import LibraryItem as Ovf
from resphere.inventory.content.items import LibraryItem
from resphere.inventory.model import Folder
from tests.ovf import packages
from tests.services.content.libraries import add_item, add_library, put_files
from tests.services.vcenter.ovf.packages import MINIMAL, ItemId, add_package, target
from tests.support.calls import api_call
from tests.support.rest_calls import rest_call
from tests.support.served import Served
from tests.support.world import World


@pytest.fixture
def served(tmp_path: Path) -> Iterator[Served]:
    with Served(tmp_path) as served:
        yield served


def by_type(summary: Any) -> dict[str, Any]:
    """The parameters by what they are."""
    return {each["type"]: each for each in summary["additional_params"]}


def told_by_api(served: Served, item: ItemId) -> Any:
    reply = served.ask_api(api_call(Ovf.filter, Ovf.FilterInput(ovf_library_item_id=item, target=target(served.world))))
    assert reply.status == 200, reply.body
    return json.loads(reply.body)


def test_what_a_package_says_and_what_can_be_chosen(served: Served) -> None:
    package = add_package(served.world)
    summary = told_by_api(served, package)
    assert summary["name"] == "web"
    assert summary["annotation"] == "The web server"
    assert summary["EULAs"] == ["Be kind."]
    assert summary["networks"] == ["VM Network", "Backup"]
    assert summary["storage_groups"] == ["group1"]
    params = by_type(summary)
    options = params["DeploymentOptionParams"]
    assert options["selected_key"] == "large"
    assert [each["key"] for each in options["deployment_options"]] == ["small", "large"]
    assert [each["default_choice"] for each in options["deployment_options"]] == [False, True]
    sizes = params["SizeParams"]
    assert sizes["approximate_download_size"] == served.world.inventory.all(LibraryItem)[package].size_bytes
    assert sizes["approximate_flat_deployment_size"] == 16 << 30
    assert sizes["variable_disk_size"] is True


def test_properties_with_their_types_and_no_passwords(served: Served) -> None:
    product = (
        '<ProductSection ovf:class="app"><Info/>'
        '<Property ovf:key="user" ovf:type="string" ovf:qualifiers="MaxLen(8)" ovf:userConfigurable="true"'
        ' ovf:value="root"><Label>User</Label></Property>'
        '<Property ovf:key="word" ovf:type="string" ovf:password="true" ovf:userConfigurable="true"'
        ' ovf:value="secret"/>'
        '<Property ovf:key="fixed" ovf:type="string" ovf:value="same"/></ProductSection>'
    )
    summary = told_by_api(served, add_package(served.world, packages.envelope(of_machine=product)))
    user, word = by_type(summary)["PropertyParams"]["properties"]
    assert (user["class_id"], user["id"], user["value"], user["label"]) == ("app", "user", "root", "User")
    assert user["type"] == "string(..8)"
    assert (word["id"], word["value"]) == ("word", "")


def test_a_small_package_has_no_agreements_and_little_to_choose(served: Served) -> None:
    summary = told_by_api(served, add_package(served.world, MINIMAL))
    assert summary["EULAs"] == []
    assert list(by_type(summary)) == ["SizeParams"]


def test_a_package_of_several_machines(served: Served) -> None:
    summary = told_by_api(served, add_package(served.world, packages.content("vapp-2.ovf")))
    assert "ScaleOutParams" in by_type(summary)


def test_dialects_write_parameters_each_in_its_way(served: Served) -> None:
    given = Ovf.FilterInput(ovf_library_item_id=add_package(served.world), target=target(served.world))
    plain = by_type(json.loads(served.ask_api(api_call(Ovf.filter, given)).body))
    assert not any("@class" in each for each in plain.values())
    reply = served.ask(served.rest, rest_call(Ovf.filter, given))
    named = by_type(json.loads(reply.body)["value"])
    assert named["SizeParams"]["@class"] == "com.vmware.vcenter.ovf.size_params"
    assert named["DeploymentOptionParams"]["@class"] == "com.vmware.vcenter.ovf.deployment_option_params"
    for name, each in plain.items():
        assert {key: value for key, value in named[name].items() if key != "@class"} == each
    body = json.loads(served.ask(served.jsonrpc, served.jsonrpc_call(Ovf.filter, given)).body)
    [fields] = body["result"]["output"]["STRUCTURE"].values()
    names = [next(iter(each["STRUCTURE"])) for each in fields["additional_params"]["OPTIONAL"]]
    assert "com.vmware.vcenter.ovf.size_params" in names


@pytest.fixture
def world(tmp_path: Path) -> Iterator[World]:
    with World(tmp_path) as world:
        yield world


def test_a_target_that_is_not_there_or_is_no_place_for_machines(world: World) -> None:
    item = add_package(world)
    folders = world.inventory.all(Folder).values()
    hosts = next(each for each in folders if each.type is vcenter.Folder.Type.HOST)
    with pytest.raises(NotFound):
        world.call(Ovf.filter, item, target(world, resource_pool_id=ids.ResourcePoolId("resgroup-9999")))
    with pytest.raises(NotFound):
        world.call(Ovf.filter, item, target(world, host_id=ids.HostSystemId("host-9999")))
    with pytest.raises(NotFound):
        world.call(Ovf.filter, item, target(world, folder_id=ids.FolderId("group-v9999")))
    with pytest.raises(InvalidArgument, match="not for virtual machines"):
        world.call(Ovf.filter, item, target(world, folder_id=ids.FolderId(hosts.id)))


def test_what_is_no_package(world: World) -> None:
    library = add_library(world)
    image = add_item(world, library, type="iso")
    empty = add_item(world, library, type="ovf", name="empty")
    broken = add_item(world, library, type="file", name="broken")
    put_files(world, broken, broken_ovf=b"<Envelope/>")
    world.call(Item.update, broken, ItemModel(type="ovf"))
    with pytest.raises(NotFound):
        world.call(Ovf.filter, ItemId("6d9d3a3c-0000-4000-8000-000000000000"), target(world))
    with pytest.raises(InvalidArgument, match="must be of the type ovf"):
        world.call(Ovf.filter, image, target(world))
    with pytest.raises(ResourceInaccessible, match="no descriptor"):
        world.call(Ovf.filter, empty, target(world))
    with pytest.raises(InvalidArgument, match="The root element must be Envelope"):
        world.call(Ovf.filter, broken, target(world))


def test_flags_by_all_dialects(served: Served) -> None:
    given = ImportFlag.ListInput(rp=target(served.world).resource_pool_id)
    told = served.by_api(ImportFlag.list, given)
    assert told[0].description.default_message.startswith("Leave out")
    assert served.by_rest(ImportFlag.list, given) == served.by_jsonrpc(ImportFlag.list, given) == told
    assert served.by_api(ExportFlag.list, ExportFlag.list.input()) == served.by_rest(
        ExportFlag.list, ExportFlag.list.input()
    )


def test_flags(world: World) -> None:
    assert [each.option for each in world.call(ExportFlag.list)] == ["PRESERVE_MAC", "EXTRA_CONFIG"]
    [lax] = world.call(ImportFlag.list, target(world).resource_pool_id)
    assert (lax.option, bool(lax.description.default_message)) == ("LAX", True)
    with pytest.raises(NotFound):
        world.call(ImportFlag.list, ids.ResourcePoolId("resgroup-9999"))
