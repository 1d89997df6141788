"""``resphere.tokens``: API tokens."""

from __future__ import annotations

from resphere.access.principal import Scope, canonical_name
from resphere.auth.token_rules import MOST_OBJECTS, checked_name, checked_privileges
from resphere.auth.tokens import ApiToken
from resphere.contract.errors import InvalidArgument, NotFound, Unauthorized, Unsupported, message
from resphere.contract.extensions.sessions import ApiTokens
from resphere.contract.model import Secret
from resphere.inventory.model import KINDS
from resphere.inventory.relations import first_with
from resphere.services.call import Call
from resphere.services.checks.own import may_end, require_handled
from resphere.services.registry import implements


@implements(ApiTokens.create)
async def create(call: Call, spec: ApiTokens.CreateSpec) -> ApiTokens.CreateInfo:
    """A token of the caller's, good at once; its secret is told this once.

    :raises AlreadyExists: the caller has one of that name.
    :raises InvalidArgument: name, privileges, objects or expiration are none.
    :raises NotFound: an object is not there, or the caller does not see it.
    :raises ServiceUnavailable: the caller has too many.
    :raises Unauthorized: the caller is let in by a token itself.
    :raises Unsupported: the caller is no local user.
    """
    principal = call.session.principal
    if call.session.token is not None:
        raise Unauthorized(
            message("resphere.token.by_token", "An API token, or a session that one has opened, makes no tokens.")
        )
    if principal.source is not None:
        raise Unsupported(
            message(
                "resphere.token.not_local",
                "API tokens are for local users: what becomes of users of {0} is not told to this server.",
                principal.source,
            )
        )
    name = checked_name(spec.name)
    privileges = None if spec.privileges is None else checked_privileges(spec.privileges)
    scope = Scope(privileges, None if spec.objects is None else checked_objects(call, spec.objects))
    made = await call.environment.identities.tokens.make(
        canonical_name(principal.name), name, scope, spec.expiration_time
    )
    return ApiTokens.CreateInfo(
        token=made.token.handle, secret=Secret(made.secret), expiration_time=made.token.expiration_time
    )


@implements(ApiTokens.list)
async def list_tokens(call: Call, filter: ApiTokens.FilterSpec | None) -> tuple[ApiTokens.Info, ...]:
    """The caller's tokens, or everybody's for who may revoke them; the latest first."""
    found = call.environment.identities.tokens.all() if may_end(call) else own(call)
    if filter is not None and filter.owners is not None:
        owners = set(map(canonical_name, filter.owners))
        found = [token for token in found if token.owner in owners]
    return tuple(info(call, token) for token in sorted(found, key=lambda each: each.created_time, reverse=True))


@implements(ApiTokens.get)
async def get(call: Call, token: str) -> ApiTokens.Info:
    """One token.

    :raises NotFound: there is none that is called so.
    :raises Unauthorized: it is not the caller's.
    """
    return info(call, require(call, token))


@implements(ApiTokens.delete)
async def delete(call: Call, token: str) -> None:
    """Revoke a token at once, for every worker, and end the sessions that it has opened.

    :raises NotFound: there is none that is called so.
    :raises Unauthorized: it is not the caller's.
    """
    await call.environment.identities.tokens.revoke(require(call, token))


def own(call: Call) -> list[ApiToken]:
    """The caller's own tokens; a token has itself."""
    principal = call.session.principal
    if principal.source is not None:
        return []
    found = call.environment.identities.tokens.of_owner(canonical_name(principal.name))
    return [each for each in found if call.session.token in (None, each.id)]


def require(call: Call, handle: str) -> ApiToken:
    """The token that is called so.

    :raises NotFound: there is none.
    :raises Unauthorized: there may be, and it is not the caller's.
    """

    def absent() -> NotFound:
        return NotFound(message("resphere.token.not_found", "There is no token {0}.", handle))

    return require_handled(call, handle, own(call), call.environment.identities.tokens.by_handle, absent)


def checked_objects(call: Call, objects: frozenset[str]) -> frozenset[str]:
    """The objects of a scope.

    :raises InvalidArgument: there are none, or too many.
    :raises NotFound: one is not there, or the caller does not see it.
    """
    if not 0 < len(objects) <= MOST_OBJECTS:
        raise InvalidArgument(
            message("resphere.token.objects", "objects: there must be 1 to {0}, or unset for all.", MOST_OBJECTS)
        )
    for id in sorted(objects):
        if first_with(call, KINDS.values(), id) is None:
            raise NotFound(message("resphere.token.no_object", "There is no object {0}.", id))
    return objects


def info(call: Call, token: ApiToken) -> ApiTokens.Info:
    """What is told of a token."""
    tokens = call.environment.identities.tokens
    return ApiTokens.Info(
        token=token.handle,
        name=token.name,
        owner=token.owner,
        created_time=token.created_time,
        expiration_time=token.expiration_time,
        expired=not tokens.is_good(token, call.environment.present()),
        last_used_time=tokens.last_used(token),
        privileges=token.privileges,
        objects=token.objects,
    )
