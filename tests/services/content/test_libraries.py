"""Local libraries: what they are, how they change, who keeps them from being deleted."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import msgspec
import pytest

from resphere.contract.errors import (
    AlreadyExists,
    AlreadyInDesiredState,
    ConcurrentChange,
    InvalidArgument,
    InvalidElementType,
    NotAllowedInCurrentState,
    NotFound,
    ResourceInUse,
    Unsupported,
    VapiError,
)
from resphere.contract.extensions.datastores import Datastores
from resphere.contract.generated import ids
from resphere.contract.generated.content import Library, LibraryModel, LocalLibrary
from resphere.contract.generated.content_library import (
    ConfigurationInfo,
    OptimizationInfo,
    StateInfo,
    StorageBacking,
    Usages,
)
from resphere.contract.model import Operation, Secret
from resphere.inventory.content.libraries import LibraryUsage
from tests.services.content.libraries import (
    OTHER,
    TOKEN,
    Method,
    Type,
    add_library,
    datastores,
    on_datastore,
    published,
    spec,
)
from tests.services.vcenter.building import refused
from tests.support.world import NOW, World

UNKNOWN = ids.ContentLibraryId("00000000-0000-4000-8000-000000000000")
URN = "urn:vmomi:vm:vm-12"
LOCAL = LibraryModel.LibraryType.LOCAL


def test_a_library_as_clients_count_on_it(world: World) -> None:
    id = add_library(world, description="of all kinds")
    info = world.call(LocalLibrary.get, id)
    assert info == world.call(Library.get, id)
    assert (info.id, info.name, info.description, info.type) == (id, "images", "of all kinds", LOCAL)
    assert (info.creation_time, info.last_modified_time, info.version) == (NOW, NOW, "2")
    assert info.storage_backings == (on_datastore(world),)
    assert info.server_guid == world.environment.product.instance_uuid
    assert info.publish_info is not None
    assert msgspec.to_builtins(info.publish_info) == {
        "authentication_method": "NONE",
        "published": False,
        "persist_json_enabled": False,
    }
    assert (info.state_info, info.configuration_info) == (None, None)
    assert world.call(LocalLibrary.list) == world.call(Library.list) == (id,)


def test_a_release_that_knows_states_shows_them(world: World) -> None:
    product = msgspec.structs.replace(world.environment.product, api_releases=("9.1",))
    world.environment = msgspec.structs.replace(world.environment, product=product)
    info = world.call(Library.get, add_library(world))
    assert info.state_info == StateInfo(state=StateInfo.State.ACTIVE)
    assert info.configuration_info == ConfigurationInfo(apply_library_usage_to_items=False)


@pytest.mark.parametrize(
    ("fields", "id"),
    [
        ({"name": None}, "resphere.content.text"),
        ({"name": " "}, "resphere.content.text"),
        ({"name": "x" * 256}, "resphere.content.text"),
        ({"name": "a\0b"}, "resphere.content.text"),
        ({"name": "\ud800"}, "resphere.content.text"),
        ({"description": "x" * 2001}, "resphere.content.text"),
        ({"type": LibraryModel.LibraryType.SUBSCRIBED}, "resphere.content.type"),
        ({"storage_backings": None}, "resphere.content.no_storage"),
        ({"storage_backings": ()}, "resphere.content.no_storage"),
        ({"storage_backings": (StorageBacking(),)}, "resphere.content.storage"),
        ({"storage_backings": (StorageBacking(type=Type.DATASTORE),)}, "resphere.content.storage"),
        (
            {
                "storage_backings": (
                    StorageBacking(type=Type.DATASTORE, datastore_id=ids.DatastoreId("datastore-99999")),
                )
            },
            "resphere.content.no_datastore",
        ),
        *(
            ({"storage_backings": (StorageBacking(type=Type.OTHER, storage_uri=uri),)}, "resphere.content.storage")
            for uri in (
                None,
                "",
                "http://host/path",
                "nfs://",
                "file://",
                "nfs://[",
                "smb://user@host/share",
                "nfs://host/\n",
                "nfs://host/" + "x" * 2048,
            )
        ),
        ({"security_policy_id": "other"}, "resphere.content.no_policy"),
        ({"publish_info": published(authentication_method=None)}, "resphere.content.publishing"),
        ({"publish_info": published(authentication_method=Method.BASIC)}, "resphere.content.publishing"),
        (
            {"publish_info": published(authentication_method=Method.BASIC, password=Secret("x"), user_name="other")},
            "resphere.content.publishing",
        ),
    ],
)
def test_what_is_no_library(world: World, fields: dict[str, Any], id: str) -> None:
    with pytest.raises(InvalidArgument) as error:
        world.call(LocalLibrary.create, None, spec(world, **fields))
    assert refused(error) == (400, id)
    assert world.call(Library.list) == ()


def test_several_places_are_not_supported(world: World) -> None:
    with pytest.raises(Unsupported):
        world.call(LocalLibrary.create, None, spec(world, storage_backings=(on_datastore(world), OTHER)))


def test_a_call_that_is_repeated_answers_the_same(world: World) -> None:
    first = world.call(LocalLibrary.create, TOKEN, spec(world))
    assert world.call(LocalLibrary.create, TOKEN.upper(), spec(world, name="other")) == first
    assert world.call(LocalLibrary.create, TOKEN.replace("b", "c"), spec(world)) != first
    with pytest.raises(InvalidArgument) as error:
        world.call(LocalLibrary.create, "no uuid", spec(world))
    assert refused(error) == (400, "resphere.content.client_token")


def test_finding(world: World) -> None:
    first, second = add_library(world), add_library(world, name="IMAGES", storage_backings=(OTHER,))
    third = add_library(world, name="other")
    found = world.call(Library.find, Library.FindSpec(name="Images"))
    assert set(found) == {first, second}
    found = world.call(Library.find, Library.FindSpec(type=LOCAL))
    assert set(found) == {first, second, third}
    assert world.call(Library.find, Library.FindSpec(name="images", storage_backing=OTHER)) == (second,)
    assert world.call(Library.find, Library.FindSpec(name="none")) == ()
    assert world.call(Library.find, Library.FindSpec(type=LibraryModel.LibraryType.SUBSCRIBED)) == ()
    with pytest.raises(InvalidArgument) as error:
        world.call(Library.find, Library.FindSpec())
    assert refused(error) == (400, "resphere.content.find")


@pytest.mark.parametrize(
    ("update", "stale"), [(LocalLibrary.update, ConcurrentChange), (Library.update, InvalidArgument)]
)
def test_what_is_given_changes(
    world: World, update: Operation[[ids.ContentLibraryId, LibraryModel], None], stale: type[VapiError]
) -> None:
    id = add_library(world)
    before = world.call(Library.get, id)
    later = NOW + timedelta(hours=1)
    world.environment = msgspec.structs.replace(world.environment, now=lambda: later)
    world.call(update, id, LibraryModel(name="discs", version="2", type=LibraryModel.LibraryType.SUBSCRIBED))
    after = world.call(Library.get, id)
    assert after == msgspec.structs.replace(before, name="discs", version="3", last_modified_time=later)
    world.call(update, id, LibraryModel(name="discs"))
    assert world.call(Library.get, id) == after
    with pytest.raises(stale) as error:
        world.call(update, id, LibraryModel(name="late", version="2"))
    assert error.value.messages[0].id == "resphere.content.version"
    for wrong in (
        LibraryModel(name=""),
        LibraryModel(security_policy_id=ids.ContentLibraryId("none")),
        LibraryModel(optimization_info=OptimizationInfo(optimize_remote_publishing=True)),
    ):
        with pytest.raises(InvalidArgument):
            world.call(update, id, wrong)
    assert world.call(Library.get, id) == after


def test_a_password_is_needed_to_take_it_away(world: World) -> None:
    secret, other = Secret("first password"), Secret("second password")
    id = add_library(world, publish_info=published(authentication_method=Method.BASIC, password=secret))
    info = world.call(Library.get, id).publish_info
    assert info is not None
    assert msgspec.to_builtins(info) == {
        "authentication_method": "BASIC",
        "published": True,
        "publish_url": f"https://*/cls/vcsp/lib/{id}/lib.json",
        "user_name": "vcsp",
        "persist_json_enabled": False,
    }
    for fields in (
        {"authentication_method": Method.NONE},
        {"published": False},
        {"password": other},
        {"authentication_method": Method.NONE, "current_password": other},
    ):
        with pytest.raises(InvalidArgument) as error:
            world.call(
                LocalLibrary.update,
                id,
                LibraryModel(publish_info=published(**{"authentication_method": None, **fields})),
            )
        assert refused(error) == (400, "resphere.content.publishing")
    given = published(authentication_method=None, password=other, current_password=secret)
    world.call(LocalLibrary.update, id, LibraryModel(publish_info=given))
    given = published(authentication_method=Method.NONE, current_password=other)
    world.call(LocalLibrary.update, id, LibraryModel(publish_info=given))
    info = world.call(Library.get, id).publish_info
    assert info is not None
    assert (info.authentication_method, info.published) == (Method.NONE, True)


def test_only_what_is_published_has_subscribers(world: World) -> None:
    id = add_library(world)
    with pytest.raises(NotAllowedInCurrentState):
        world.call(LocalLibrary.publish, id, None)
    world.call(LocalLibrary.update, id, LibraryModel(publish_info=published()))
    world.call(LocalLibrary.publish, id, None)
    unknown = LocalLibrary.DestinationSpec(subscription=ids.ContentLibrarySubscriptionsId("none"))
    with pytest.raises(InvalidArgument):
        world.call(LocalLibrary.publish, id, (unknown,))


@pytest.mark.parametrize("delete", [LocalLibrary.delete, Library.delete])
@pytest.mark.parametrize("force", [LocalLibrary.force_delete, Library.force_delete])
def test_what_is_in_use_is_not_deleted_but_by_force(
    world: World,
    delete: Operation[[ids.ContentLibraryId], None],
    force: Operation[[ids.ContentLibraryId], None],
) -> None:
    first, second = add_library(world), add_library(world)
    for id in (first, second):
        world.call(Usages.add, id, Usages.AddSpec(resource_urn=URN))
        with pytest.raises(NotAllowedInCurrentState) as error:
            world.call(delete, id)
        assert refused(error) == (400, "resphere.content.in_use")
    (usage,) = world.call(Usages.list, first).library_usage_list
    world.call(Usages.remove, first, usage.usage)
    world.call(delete, first)
    world.call(force, second)
    assert world.call(Library.list) == ()
    assert not world.inventory.all(LibraryUsage)


def test_usages(world: World) -> None:
    id = add_library(world)
    usage = world.call(Usages.add, id, Usages.AddSpec(resource_urn=URN))
    info = world.call(Usages.get, id, usage)
    assert (info.usage, info.resource_urn, info.addition_time) == (usage, URN, NOW)
    with pytest.raises(AlreadyExists):
        world.call(Usages.add, id, Usages.AddSpec(resource_urn=URN))
    for wrong in (
        "",
        "vm-12",
        "urn:vmomi:vm",
        "urn:vmomi:vm:a b",
        "urn:vmomi:vm:" + "x" * 256,
        "urn:a:b:c:d",
        "urn:a:b:\n",
    ):
        with pytest.raises(InvalidArgument):
            world.call(Usages.add, id, Usages.AddSpec(resource_urn=wrong))
    other = add_library(world)
    for library in (other, UNKNOWN):
        with pytest.raises(NotFound):
            world.call(Usages.get, library, usage)
        with pytest.raises(NotFound):
            world.call(Usages.remove, library, usage)


def test_what_there_is_not(world: World) -> None:
    operations: tuple[Operation[[ids.ContentLibraryId], Any], ...] = (
        Library.get,
        Library.delete,
        Library.force_delete,
        Library.enter_maintenance,
        Library.exit_maintenance,
        LocalLibrary.get,
        LocalLibrary.delete,
        LocalLibrary.force_delete,
        Usages.list,
    )
    for operation in operations:
        with pytest.raises(NotFound) as error:
            world.call(operation, UNKNOWN)
        assert error.value.messages[0].id == "resphere.content.not_found"
    for update in (Library.update, LocalLibrary.update):
        with pytest.raises(NotFound):
            world.call(update, UNKNOWN, LibraryModel(name="x"))


def test_maintenance(world: World) -> None:
    id = add_library(world)
    with pytest.raises(NotAllowedInCurrentState):
        world.call(Library.exit_maintenance, id)
    world.call(Library.enter_maintenance, id)
    with pytest.raises(NotAllowedInCurrentState):
        world.call(Library.enter_maintenance, id)
    world.call(Library.exit_maintenance, id)


def test_only_a_subscribed_library_is_converted(world: World) -> None:
    spec = Library.ConversionSpec(conversion_type=Library.ConversionSpec.ConversionType.TO_PUBLISHED_LIBRARY)
    with pytest.raises(InvalidElementType):
        world.call(Library.convert, add_library(world), spec)


def test_a_library_moves_between_datastores(world: World) -> None:
    id = add_library(world)
    target = Library.MigrateSpec(storage_backings=(on_datastore(world, 1),))
    world.call(Library.migrate, id, target)
    assert world.call(Library.get, id).storage_backings == target.storage_backings
    with pytest.raises(AlreadyInDesiredState):
        world.call(Library.migrate, id, target)
    with pytest.raises(Unsupported):
        world.call(Library.migrate, id, Library.MigrateSpec(storage_backings=(OTHER,)))
    gone = StorageBacking(type=Type.DATASTORE, datastore_id=ids.DatastoreId("datastore-99999"))
    with pytest.raises(InvalidArgument):
        world.call(Library.migrate, id, Library.MigrateSpec(storage_backings=(gone,)))


def test_a_datastore_of_a_library_is_not_deleted(world: World) -> None:
    host = next(iter(datastores(world)))
    folder = host.parent
    assert folder is not None
    made = world.call(
        Datastores.create,
        Datastores.CreateSpec(
            name="for images",
            folder=ids.FolderId(folder),
            hosts=frozenset(map(ids.HostSystemId, world.ids["HostSystemId"][:1])),
            type=host.type,
            capacity=2**30,
        ),
    )
    backing = StorageBacking(type=Type.DATASTORE, datastore_id=made)
    id = add_library(world, storage_backings=(backing,))
    with pytest.raises(ResourceInUse):
        world.call(Datastores.delete, made)
    world.call(LocalLibrary.delete, id)
    world.call(Datastores.delete, made)
