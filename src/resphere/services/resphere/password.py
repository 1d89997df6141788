"""``resphere.password``: the caller's own."""

from __future__ import annotations

from resphere.access.principal import canonical_name
from resphere.auth.authentication import required
from resphere.contract.errors import NotFound, Unsupported, message
from resphere.contract.extensions.users import Password
from resphere.contract.model import Secret
from resphere.services.call import Call
from resphere.services.registry import implements


@implements(Password.change)
async def change(call: Call, new_password: Secret) -> None:
    """Change the caller's password, by the present one. The caller's sessions end.

    :raises InvalidArgument: the new one is against the rules.
    :raises Unsupported: the caller is no local user.
    :raises Unauthenticated: the caller's account was deleted meanwhile.
    """
    principal = call.session.principal
    if principal.source is not None:
        raise Unsupported(
            message(
                "resphere.password.not_local",
                "Only local users change their password here, by name and present password.",
            )
        )
    try:
        await call.environment.identities.account_changes.set_password(canonical_name(principal.name), new_password)
    except NotFound:
        raise required() from None
