"""Why no token is issued, in the terms of WS-Trust."""

from __future__ import annotations

from resphere.contract.errors import InvalidArgument, NotAllowedInCurrentState, Unauthorized, message


class InvalidTimeRange(InvalidArgument):
    """The lifetime that was asked for cannot be."""


class InvalidSecurityToken(InvalidArgument):
    """A token that a request refers to is not good."""


class UnableToRenew(NotAllowedInCurrentState):
    """A token is not renewed."""


def invalid_time_range() -> InvalidTimeRange:
    """The refusal of a lifetime that ends before it begins, or before now."""
    return InvalidTimeRange(message("resphere.sts.lifetime", "The requested lifetime of the token is over, or empty."))


def invalid_token() -> InvalidSecurityToken:
    """The refusal of a token, whatever is wrong with it."""
    return InvalidSecurityToken(message("resphere.sts.token", "The token that the request refers to is not valid."))


def key_missing() -> InvalidArgument:
    """The refusal of a token for the holder of a key, where nobody has shown to hold one."""
    return InvalidArgument(
        message("resphere.sts.key", "A token for the holder of a key needs a request that is signed by that key.")
    )


def unsupported_key_type(key_type: str) -> InvalidArgument:
    """The refusal of a kind of key."""
    return InvalidArgument(
        message("resphere.sts.key_type", "The key type {0} is not supported; Bearer and PublicKey are.", key_type)
    )


def not_renewable() -> UnableToRenew:
    """The refusal to renew a token that may not be renewed, or not once more."""
    return UnableToRenew(message("resphere.sts.renew", "The token must not be renewed (any more)."))


def not_delegable() -> InvalidSecurityToken:
    """The refusal to act for somebody by a token that may not be handed on."""
    return InvalidSecurityToken(
        message("resphere.sts.delegate", "The token of the user to act for must not be delegated (any more).")
    )


def may_not_act(group: str) -> Unauthorized:
    """The refusal to act for another user."""
    return Unauthorized(message("resphere.sts.act_as", "Acting for other users needs membership of {0}.", group))
