"""``com.vmware.vcenter.identity.providers``: which other servers vouch for users.

Secrets go in and never come out: where a structure must have one it is empty, and so is ``authentication_header``, in
which vCenter shows a provider's secret to everybody.
"""

from __future__ import annotations

from collections.abc import Callable

import msgspec

from resphere.auth.federated import MOST_SOURCES, end_sessions
from resphere.auth.oidc.fetching import ProviderUnavailable
from resphere.auth.oidc.providers import Endpoints, IdentityProvider
from resphere.contract.errors import AlreadyExists, InvalidArgument, NotFound, message
from resphere.contract.generated import ids
from resphere.contract.generated.vcenter_identity import Providers
from resphere.replica.edit import Edit
from resphere.replica.replica import Replica
from resphere.services.call import Call
from resphere.services.registry import implements
from resphere.services.vcenter.identity.specs import created, summary_of, told_of, updated

Id = ids.VcenterIdentityProvidersId


@implements(Providers.list)
async def list_providers(call: Call) -> tuple[Providers.Summary, ...]:
    """The providers. Everybody may ask, as clients do before they log in.

    One whose metadata could never be fetched is no place to log in at, and is left out.
    """
    found = []
    for provider in sorted(call.unfiltered.all(IdentityProvider).values(), key=lambda each: (each.name, each.id)):
        endpoints = await endpoints_of(call, provider)
        if endpoints is not None:
            found.append(summary_of(provider, endpoints))
    return tuple(found)


@implements(Providers.get)
async def get(call: Call, provider: Id) -> Providers.Info:
    """A provider, without its secrets."""
    found = call.unfiltered.get(IdentityProvider, provider)
    if found is None:
        raise no_provider(provider)
    return told_of(found, await endpoints_of(call, found))


@implements(Providers.create)
async def create(call: Call, spec: Providers.CreateSpec) -> Id:
    """Trust a provider from now on.

    :raises AlreadyExists: one signs by the same name.
    :raises InvalidArgument: the specification is none of a provider, or its metadata cannot be fetched.
    """
    id = call.new_uuid()
    made = await discovered(call, sound(lambda: created(id, spec)))

    def plan(edit: Edit) -> None:
        require_new(call.unfiltered, made)
        first = not call.unfiltered.all(IdentityProvider)
        default = first if spec.is_default is None else spec.is_default
        put(edit, call.unfiltered, msgspec.structs.replace(made, is_default=default))

    await call.unfiltered.change(plan)
    return Id(id)


@implements(Providers.update)
async def update(call: Call, provider: Id, spec: Providers.UpdateSpec) -> None:
    """Change a provider. Sessions that its tokens have opened end: they may not have been opened by it as it is now.

    :raises InvalidArgument: the specification is none of a provider, or its metadata cannot be fetched.
    """
    before = changeable(call, provider)
    wanted = sound(lambda: updated(before, spec))
    if wanted.endpoints is None or wanted.discovery_endpoint != before.discovery_endpoint:
        wanted = await discovered(call, wanted)

    def plan(edit: Edit) -> None:
        current = edit.get(IdentityProvider, provider)
        if current is None:
            raise no_provider(provider)
        again = wanted if current == before else sound(lambda: updated(current, spec))
        after = msgspec.structs.replace(again, endpoints=wanted.endpoints)
        try:
            require_new(call.unfiltered, after)
        except AlreadyExists as error:
            raise InvalidArgument(*error.messages) from error
        put(edit, call.unfiltered, after)
        end_sessions(edit, call.unfiltered, provider)

    await call.unfiltered.change(plan)


@implements(Providers.delete)
async def delete(call: Call, provider: Id) -> None:
    """Trust a provider no longer. Sessions that its tokens have opened end."""
    changeable(call, provider)

    def plan(edit: Edit) -> None:
        if edit.get(IdentityProvider, provider) is None:
            raise no_provider(provider)
        edit.delete(IdentityProvider, provider)
        end_sessions(edit, call.unfiltered, provider)

    await call.settle(plan)


async def endpoints_of(call: Call, provider: IdentityProvider) -> Endpoints | None:
    """Where a provider is asked, ``None`` where that cannot be had."""
    try:
        return await call.environment.federation.published.endpoints(provider)
    except ProviderUnavailable:
        return None


async def discovered(call: Call, provider: IdentityProvider) -> IdentityProvider:
    """The provider with what its metadata says now, where it has any.

    :raises InvalidArgument: it cannot be fetched.
    """
    if provider.discovery_endpoint is None:
        return provider
    try:
        published = call.environment.federation.published
        endpoints = await published.discover(provider.discovery_endpoint, provider.ca)
    except ProviderUnavailable as error:
        raise invalid(f"the metadata of the provider cannot be had: {error}") from error
    return msgspec.structs.replace(provider, endpoints=endpoints)


def sound(make: Callable[[], IdentityProvider]) -> IdentityProvider:
    """A provider as a specification has it.

    :raises InvalidArgument: it is none.
    """
    try:
        return make()
    except ValueError as error:
        raise invalid(str(error)) from error


def put(edit: Edit, inventory: Replica, provider: IdentityProvider) -> None:
    """Write a provider. Where it is the default, no other is."""
    edit.put(provider)
    if provider.is_default:
        for other in list(inventory.all(IdentityProvider).values()):
            if other.is_default and other.id != provider.id:
                edit.put(msgspec.structs.replace(other, is_default=False))


def require_new(inventory: Replica, provider: IdentityProvider) -> None:
    """Refuse a second provider that signs by the same name, and one too many.

    :raises AlreadyExists: there is one.
    :raises InvalidArgument: there are as many as there can be.
    """
    others = [each for each in inventory.all(IdentityProvider).values() if each.id != provider.id]
    if len(others) >= MOST_SOURCES:
        raise invalid(f"there are {MOST_SOURCES} identity providers already")
    assert provider.endpoints is not None, provider.id
    for other in others:
        known = other.endpoints.issuers if other.endpoints is not None else ()
        if set(known) & set(provider.endpoints.issuers):
            raise AlreadyExists(
                message(
                    "resphere.identity.providers.already_exists",
                    "There is an identity provider of the issuer {0} already.",
                    provider.endpoints.issuer,
                )
            )


def changeable(call: Call, provider: Id) -> IdentityProvider:
    """A provider that may be changed here.

    :raises NotFound: there is none.
    :raises InvalidArgument: it is declared elsewhere.
    """
    found = call.unfiltered.get(IdentityProvider, provider)
    if found is None:
        raise no_provider(provider)
    if found.declared:
        raise invalid(f"the identity provider {found.shown_name} is declared in the file of identity sources")
    return found


def invalid(why: str) -> InvalidArgument:
    """The refusal of a specification."""
    return InvalidArgument(message("resphere.identity.providers.invalid", "The provider cannot be so: {0}.", why))


def no_provider(provider: str) -> NotFound:
    """The refusal of an unknown id."""
    return NotFound(message("resphere.identity.providers.not_found", "There is no identity provider {0}.", provider))
