"""Profiles as texts: written for whoever takes them along, and read from whoever brings them.

The frame is vCenter's (vmware.vmware_rest's ``appliance_infraprofile_configs`` shows an export of 7.0.3). vCenter keys
what is in a profile by the files of its operating system; there are none here, and a profile has the structures that
the contract has for the same settings. Under a key the profiles are one text, sealed as backups are and written in
base64.
"""

from __future__ import annotations

import asyncio
import base64
import binascii
import io
from collections.abc import Collection, Mapping
from datetime import datetime
from types import MappingProxyType
from typing import Any

import msgspec

from resphere.contract.errors import NotFound, message
from resphere.contract.generated.appliance_vcenter_settings_v1_config_components_authmanagement import (
    AuthenticationManagement,
)
from resphere.contract.model import LocalizableMessage, Struct
from resphere.recovery.sealed import BLOCK, HEAD, LOG2_COST, PARALLEL, OpenedSource, SealError, SealingSink
from resphere.services.call import Call, Product
from resphere.services.checks.profiles.faults import Faults
from resphere.services.checks.profiles.state import Management, Network, Places, State

MANAGEMENT, NETWORK, AUTHENTICATION = "ApplianceManagement", "ApplianceNetwork", "AuthManagement"
INFOS: Mapping[str, str] = MappingProxyType(
    {
        MANAGEMENT: "ApplianceManagement",
        NETWORK: "ApplianceNetwork",
        AUTHENTICATION: "Authentication & Authorization Management",
    }
)
"""Name -> what vCenter 7.0 says of it (community.vmware's ``vmware_vc_infraprofile_info``)."""
FIELDS: Mapping[str, str] = MappingProxyType(
    {MANAGEMENT: "management", NETWORK: "network", AUTHENTICATION: "authentication"}
)
FORMS: Mapping[str, type[Struct]] = MappingProxyType(
    {MANAGEMENT: Management, NETWORK: Network, AUTHENTICATION: AuthenticationManagement}
)
PLACES = Places(management=MANAGEMENT, network=NETWORK, authentication=AUTHENTICATION)
WHOLE = "profile"
"""Where faults stand that are of no one profile."""
PRODUCT = "VMware vCenter Server"
NO_IMPACT = "NO_IMPACT"
"""Nothing has to be started anew."""
MOST_CHARACTERS = 4 * 1024 * 1024
LONGEST_DESCRIPTION = 1024


class ProfileDocument(msgspec.Struct, frozen=True, kw_only=True):
    """One profile."""

    action: str = NO_IMPACT
    description: str = ""
    version: str = ""
    config: msgspec.Raw
    name: str = ""


class Document(msgspec.Struct, frozen=True, kw_only=True, rename="camel"):
    """The frame: ``profiles`` by name, or sealed."""

    action: str = NO_IMPACT
    product_name: str
    creation_time: str = ""
    version: str
    description: str = ""
    profiles: dict[str, ProfileDocument] | str


class Read(msgspec.Struct, frozen=True, kw_only=True):
    """What was read: ``version`` is that of the vCenter which wrote it."""

    state: State
    version: str
    faults: Faults


def chosen(names: Collection[str] | None) -> tuple[str, ...]:
    """The profiles of these names; all where none are named.

    :raises NotFound: there is none of a name.
    """
    for name in sorted(names or ()):
        if name not in INFOS:
            raise no_profile(name)
    return tuple(name for name in INFOS if not names or name in names)


def no_profile(name: str) -> NotFound:
    """The refusal of a profile that is not there."""
    text = "There is no profile {0}; there are {1}."
    return NotFound(message("resphere.profile.not_found", text, name[:80], ", ".join(INFOS)))


async def written(call: Call, state: State, description: str, key: str | None) -> str:
    """The document of a state, sealed where there is a key."""
    profiles = {
        name: ProfileDocument(
            description=INFOS[name],
            version=release_of(call.environment.product.version),
            config=msgspec.Raw(msgspec.json.encode(value)),
            name=name,
        )
        for name, field in FIELDS.items()
        if (value := getattr(state, field)) is not None
    }
    random_bytes = call.environment.random_bytes

    def sealed(password: str) -> str:
        into = io.BytesIO()
        sink = SealingSink(into, password, random_bytes)
        sink.write(msgspec.json.encode(profiles))
        sink.finish()
        return base64.b64encode(into.getvalue()).decode()

    document = frame(call.environment.product, call.environment.now(), description)
    held: dict[str, Any] = {"profiles": profiles if not key else await asyncio.to_thread(sealed, key)}
    return msgspec.json.encode(msgspec.structs.replace(document, **held)).decode()


def frame(product: Product, now: datetime, description: str) -> Document:
    """What stands around the profiles."""
    return Document(
        product_name=PRODUCT,
        creation_time=f"{now:%Y-%m-%dT%H:%M:%S%z}",
        version=product.version,
        description=description,
        profiles={},
    )


def release_of(version: str) -> str:
    """The first two numbers, by which documents fit or do not."""
    return ".".join(version.split(".")[:2])


async def read(call: Call, text: str, names: Collection[str] | None, key: str | None) -> Read:
    """The profiles of those names, or all, of a document; what is wrong with it is told.

    :raises NotFound: there is no profile of a name, here or in the document.
    """
    wanted, faults = chosen(names), Faults()
    document = decoded(text, faults)
    profiles: Mapping[str, ProfileDocument] = {}
    if document is not None:
        here = release_of(call.environment.product.version)
        if document.product_name != PRODUCT or release_of(document.version) != here:
            fault = "it is of {0} {1}, and fits {2} {3}."
            told = (document.product_name[:80], document.version[:80], PRODUCT, here)
            faults.add(WHOLE, (wrong(fault, *told),))
        profiles = await opened(document, key, faults)
    values: dict[str, Any] = {}
    for name, each in profiles.items():
        if name not in INFOS:
            faults.add(WHOLE, no_profile(name).messages)
        elif name in wanted:
            values[FIELDS[name]] = config_of(name, each, faults)
    if names and not faults.by_part:
        missing = [name for name in wanted if name not in profiles]
        if missing:
            text = "The document has no profile {0}."
            raise NotFound(message("resphere.profile.not_in_document", text, missing[0]))
    if not profiles and not faults.by_part:
        faults.add(WHOLE, (wrong("there is no profile in it."),))
    return Read(state=State(**values), version=document.version if document else "", faults=faults)


def decoded(text: str, faults: Faults) -> Document | None:
    """The frame, if the text is one."""
    if len(text) > MOST_CHARACTERS:
        faults.add(WHOLE, (wrong("it has {0} characters, more than {1}.", len(text), MOST_CHARACTERS),))
        return None
    try:
        return msgspec.json.decode(text, type=Document)
    except (msgspec.DecodeError, UnicodeError, RecursionError) as error:
        faults.add(WHOLE, (wrong("it is no such document: {0}.", reason(error)),))
        return None


async def opened(document: Document, key: str | None, faults: Faults) -> Mapping[str, ProfileDocument]:
    """The profiles, opened where they are sealed."""
    if not isinstance(document.profiles, str):
        return document.profiles
    if not key:
        faults.add(WHOLE, (wrong("it is encrypted: the encryption_key has to be given."),))
        return {}
    try:
        return await asyncio.to_thread(unsealed, document.profiles, key)
    except (SealError, binascii.Error, ValueError, RecursionError) as error:
        faults.add(WHOLE, (wrong("it cannot be decrypted: {0}.", reason(error)),))
        return {}


def unsealed(text: str, key: str) -> dict[str, ProfileDocument]:
    """Sealed profiles.

    :raises ValueError: they are none, or sealed by another key.
    """
    content = base64.b64decode(text, validate=True)
    if len(content) > HEAD.size and HEAD.unpack_from(content)[1:4] != (LOG2_COST, BLOCK, PARALLEL):
        # A head may ask for a gigabyte; whoever seals here asks for no other than this.
        raise SealError("its head is damaged")
    plain = OpenedSource(io.BytesIO(content), key).read()
    return msgspec.json.decode(plain, type=dict[str, ProfileDocument])


def config_of(name: str, profile: ProfileDocument, faults: Faults) -> Struct | None:
    """What is in a profile."""
    try:
        return msgspec.json.decode(profile.config, type=FORMS[name])
    except (msgspec.DecodeError, RecursionError) as error:
        faults.add(name, (message("resphere.profile.config", "The profile {0}: {1}.", name, reason(error)),))
        return None


def reason(error: Exception) -> str:
    """What an error says."""
    if isinstance(error, UnicodeError):
        return "it has characters that are none"
    if isinstance(error, RecursionError):
        return "it is nested too deeply"
    return str(error).rstrip(".")


def wrong(text: str, *args: object) -> LocalizableMessage:
    """What is wrong with a document as a whole."""
    return message("resphere.profile.document", f"The document: {text}", *args)
