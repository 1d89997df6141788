"""How libraries are shown, and what is said of them in specifications."""

from __future__ import annotations

import asyncio
from urllib.parse import urlsplit

import msgspec

from resphere.auth.passwords import hash_password, verify_password
from resphere.contract.errors import InvalidArgument, Unsupported, message
from resphere.contract.extensions.content_publications import LIBRARY_PATH
from resphere.contract.generated import ids
from resphere.contract.generated.content import LibraryModel
from resphere.contract.generated.content_library import (
    ConfigurationInfo,
    OptimizationInfo,
    PublishInfo,
    SourceInfo,
    StateInfo,
    StorageBacking,
    SubscriptionInfo,
)
from resphere.inventory.content.items import LibraryItem
from resphere.inventory.content.libraries import SUBSCRIBER, Library, Publishing
from resphere.inventory.content.subscriptions import LibrarySubscription
from resphere.rules.content_names import LONGEST_DESCRIPTION, LONGEST_LIBRARY_NAME, require_text
from resphere.services.call import Call

Method = PublishInfo.AuthenticationMethod
OVF_DEFAULT_POLICY = ids.ContentSecurityPolicyId("2dcd2e9a-4b6d-4a9b-9d55-6c0c6b1d9f6f")
"""The security policy that every vCenter has."""
SCHEMES = ("nfs", "smb", "file")
LONGEST_URI = 2048
LONGEST_PASSWORD = 1024
STATES_SINCE = "9.1"


def model_of(call: Call, library: Library) -> LibraryModel:
    """A library as operations show it; ``publish_info`` is always there, as clients count on."""
    later = STATES_SINCE in call.environment.product.api_releases
    return LibraryModel(
        id=library.id,
        creation_time=library.created,
        description=library.description,
        last_modified_time=library.modified,
        name=library.name,
        storage_backings=(backing_of(library),),
        type=library.type,
        optimization_info=(
            None
            if library.optimize_remote_publishing is None
            else OptimizationInfo(optimize_remote_publishing=library.optimize_remote_publishing)
        ),
        version=str(library.version),
        last_sync_time=library.last_synced,
        publish_info=publish_info(call, library) if library.subscription is None else None,
        subscription_info=None if library.subscription is None else subscription_info(call, library, later),
        server_guid=ids.VcenterVCenterId(call.vcenter),
        security_policy_id=None if library.security_policy is None else ids.ContentLibraryId(library.security_policy),
        state_info=state_of(call, library) if later else None,
        configuration_info=(ConfigurationInfo(apply_library_usage_to_items=library.guards_items) if later else None),
    )


def state_of(call: Call, library: Library) -> StateInfo:
    """Whether it takes changes now; and of one that subscribes, which templates it was not given, and why."""
    if library.maintenance is not None:
        return StateInfo(state=StateInfo.State.MAINTENANCE, message=library.maintenance)
    lacking = []
    for subscription in call.by(LibrarySubscription, "subscriber", library.id).values():
        for id, why in subscription.refused.items():
            item = call.get(LibraryItem, id)
            lacking.append(f"The VM template {id if item is None else item.name} was not published here: {why}")
    return StateInfo(state=StateInfo.State.ACTIVE, message=" ".join(lacking) or None)


def backing_of(library: Library) -> StorageBacking:
    """Where its files lie."""
    datastore = library.datastore or library.lost_datastore
    if datastore is None:
        return StorageBacking(type=StorageBacking.Type.OTHER, storage_uri=library.storage_uri)
    return StorageBacking(type=StorageBacking.Type.DATASTORE, datastore_id=datastore)


def publish_info(call: Call, library: Library) -> PublishInfo:
    """How others may subscribe to it, at an address as the caller has reached this server; never with the password."""
    publishing = library.publishing
    return PublishInfo(
        authentication_method=Method.NONE if publishing.password_digest is None else Method.BASIC,
        published=publishing.published,
        publish_url=publish_url(call, library) if publishing.published else None,
        # A vCenter 7.0 says it of a published library that needs no password, too.
        user_name=SUBSCRIBER if publishing.published else None,
        persist_json_enabled=publishing.persist_json,
    )


def subscription_info(call: Call, library: Library, later: bool) -> SubscriptionInfo | None:
    """Where it gets its items from, never with the password; what the publisher must show, as Ansible compares that."""
    subscription = library.subscription
    if subscription is None:
        return None
    of = next(iter(call.by(LibrarySubscription, "subscriber", library.id).values()), None)
    has_password = library.subscription_password is not None
    return SubscriptionInfo(
        authentication_method=(
            SubscriptionInfo.AuthenticationMethod.BASIC if has_password else SubscriptionInfo.AuthenticationMethod.NONE
        ),
        automatic_sync_enabled=subscription.automatic,
        on_demand=subscription.on_demand,
        ssl_thumbprint=subscription.thumbprint,
        ssl_certificate=subscription.certificate if later else None,
        subscription_url=subscription.url,
        user_name=SUBSCRIBER if has_password else None,
        source_info=None if of is None else SourceInfo(source_library=of.library, subscription=of.id),
    )


def publish_url(call: Call, library: Library) -> str:
    """Where subscribers find a published library, as the caller has reached this server."""
    return f"{call.origin}{LIBRARY_PATH.format(library=library.id)}"


def require_text_of(spec: LibraryModel, *, new: bool) -> None:
    """Refuse a name or a description that no library may have.

    :raises InvalidArgument: naming the field.
    """
    if new or spec.name is not None:
        require_text("name", spec.name or "", LONGEST_LIBRARY_NAME, least=1)
    require_text("description", spec.description or "", LONGEST_DESCRIPTION)


def require_text_of_new(name: str, description: str | None) -> None:
    """The same of a new library that is described in other words."""
    require_text_of(LibraryModel(name=name, description=description), new=True)


def require_policy(id: str | None) -> None:
    """Refuse a security policy that there is not.

    :raises InvalidArgument: there is none of that id.
    """
    if id not in (None, OVF_DEFAULT_POLICY):
        raise InvalidArgument(
            message(
                "resphere.content.no_policy", "security_policy_id: there is no security policy with the id {0}.", id
            )
        )


def storage_of(backings: tuple[StorageBacking, ...] | None) -> StorageBacking:
    """The place that a specification names.

    :raises InvalidArgument: it names none, or not as it should.
    :raises Unsupported: it names several.
    """
    if not backings:
        raise InvalidArgument(message("resphere.content.no_storage", "storage_backings: name one."))
    if len(backings) > 1:
        raise Unsupported(
            message(
                "resphere.content.several_storages",
                "storage_backings: a library has one, and {0} were given.",
                len(backings),
            )
        )
    (backing,) = backings
    if backing.type is StorageBacking.Type.DATASTORE and backing.datastore_id is not None:
        return backing
    if backing.type is StorageBacking.Type.OTHER and is_storage_uri(backing.storage_uri or ""):
        return backing
    raise InvalidArgument(
        message(
            "resphere.content.storage",
            "storage_backings: must have a type, DATASTORE with datastore_id, or OTHER with storage_uri, "
            "a URI that begins with one of {0}.",
            ", ".join(f"{scheme}://" for scheme in SCHEMES),
        )
    )


def is_storage_uri(uri: str) -> bool:
    """Whether storage may be called that."""
    if len(uri) > LONGEST_URI or not uri.isprintable():
        return False
    try:
        split = urlsplit(uri)
    except ValueError:
        return False
    return split.scheme in SCHEMES and bool(split.path.strip("/") or split.netloc) and split.username is None


async def new_publishing(call: Call, given: PublishInfo | None, before: Publishing | None = None) -> Publishing:
    """How a library is published from now on.

    :raises InvalidArgument: a password is missing or wrong, or a name is not the one there is.
    """
    if given is None:
        return before or Publishing()
    old = before or Publishing()
    published = old.published if given.published is None else given.published
    had_password = old.password_digest is not None
    method = (
        (Method.BASIC if had_password else Method.NONE)
        if given.authentication_method is None
        else (given.authentication_method)
    )
    if before is None and given.published and given.authentication_method is None:
        raise invalid("authentication_method", "is required")
    digest = old.password_digest
    if method is Method.NONE:
        digest = None
    elif given.user_name not in (None, SUBSCRIBER):
        raise invalid("user_name", f"must be {SUBSCRIBER}, or unset")
    elif given.password is not None or digest is None:
        digest = await digest_of(call, given.password)
    takes_away = old.published and not published
    if had_password and (digest != old.password_digest or takes_away):
        await require_current(old, given.current_password)
    persist = old.persist_json if given.persist_json_enabled is None else given.persist_json_enabled
    return Publishing(published=published, password_digest=digest, persist_json=persist)


async def digest_of(call: Call, password: str | None) -> str:
    """What is kept of a new password.

    :raises InvalidArgument: there is none, or it is too long.
    """
    if not password or len(password) > LONGEST_PASSWORD:
        raise invalid("password", f"must have 1 to {LONGEST_PASSWORD} characters with BASIC authentication")
    return await asyncio.to_thread(hash_password, password, call.environment.random_bytes)


async def require_current(old: Publishing, password: str | None) -> None:
    """Refuse to take a password away, or to change it, for somebody who does not know it.

    :raises InvalidArgument: it is not the present one.
    """
    if password is None or len(password) > LONGEST_PASSWORD or old.password_digest is None:
        raise invalid("current_password", "is required to change or remove the password, or to end the publishing")
    if not await asyncio.to_thread(verify_password, password, old.password_digest):
        raise invalid("current_password", "is not the password of the library")


def invalid(field: str, fault: str) -> InvalidArgument:
    """The refusal of how a library shall be published."""
    return InvalidArgument(message("resphere.content.publishing", f"publish_info.{{0}}: {fault}.", field))


def changed(library: Library, spec: LibraryModel, guards_items: bool | None) -> Library:
    """The library as ``spec`` says, but for how it is published.

    :raises InvalidArgument: it would be optimized for something else.
    """
    optimization = spec.optimization_info
    if optimization is not None and optimization.optimize_remote_publishing not in (
        None,
        library.optimize_remote_publishing or False,
    ):
        raise InvalidArgument(
            message("resphere.content.optimization", "optimization_info: can be set at creation only.")
        )
    policy = library.security_policy if spec.security_policy_id is None else spec.security_policy_id
    return msgspec.structs.replace(
        library,
        name=library.name if spec.name is None else spec.name,
        description=library.description if spec.description is None else spec.description,
        security_policy=None if spec.unset_security_policy_id else policy,
        guards_items=library.guards_items if guards_items is None else guards_items,
    )
