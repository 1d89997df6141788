"""The Security Token Service: operations that travel as SOAP alone, at ``/sts/STSService``.

They are no part of the REST API, and stand in no description of it.
"""

from __future__ import annotations

from typing import ClassVar

from resphere.contract import model as m
from resphere.contract.releases import ALL_RELEASES


class IssuedToken(m.Struct, frozen=True, kw_only=True):
    """A token, and what its receiver needs to know of it. ``key_type`` is a URI of WS-Trust."""

    token: m.Secret
    created: m.DateTime
    expires: m.DateTime
    key_type: str
    renewable: bool
    delegatable: bool


class SecurityTokens:
    """``resphere.sts``: tokens for those who show who they are."""

    class IssueInput(m.Struct, frozen=True, kw_only=True):
        """``certificate`` (Base64 of DER) is of the key by which the request is signed, ``act_as`` a token of the user
        to act for, ``presented`` the token by which the caller was let in."""

        key_type: str | None = None
        certificate: str | None = None
        created: m.DateTime | None = None
        expires: m.DateTime | None = None
        renewable: bool = False
        delegatable: bool = False
        audiences: tuple[str, ...] = ()
        act_as: m.Secret | None = None
        presented: m.Secret | None = None

    class RenewInput(m.Struct, frozen=True, kw_only=True):
        token: m.Secret
        created: m.DateTime | None = None
        expires: m.DateTime | None = None

    class ValidateInput(m.Struct, frozen=True, kw_only=True):
        token: m.Secret

    issue: ClassVar[
        m.Operation[
            [
                str | None,
                str | None,
                m.DateTime | None,
                m.DateTime | None,
                bool,
                bool,
                tuple[str, ...],
                m.Secret | None,
                m.Secret | None,
            ],
            IssuedToken,
        ]
    ] = m.Operation(
        "resphere.sts",
        "issue",
        input=IssueInput,
        output=lambda: IssuedToken,
        errors=("invalid_argument", "unauthorized"),
        releases=ALL_RELEASES,
    )

    renew: ClassVar[m.Operation[[m.Secret, m.DateTime | None, m.DateTime | None], IssuedToken]] = m.Operation(
        "resphere.sts",
        "renew",
        input=RenewInput,
        output=lambda: IssuedToken,
        errors=("invalid_argument", "not_allowed_in_current_state"),
        releases=ALL_RELEASES,
    )

    validate: ClassVar[m.Operation[[m.Secret], bool]] = m.Operation(
        "resphere.sts", "validate", input=ValidateInput, output=lambda: bool, releases=ALL_RELEASES
    )

    describe: ClassVar[m.Operation[[], bytes]] = m.Operation(
        "resphere.sts", "describe", output=lambda: bytes, releases=ALL_RELEASES, media_type="text/xml; charset=utf-8"
    )
