"""What the services of backups share: requests as they come, messages as each service has them."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Protocol, TypeVar

from resphere.contract.generated.appliance_recovery import Backup
from resphere.contract.generated.appliance_recovery_backup import Job, LocationSpec
from resphere.contract.model import LocalizableMessage, Secret
from resphere.recovery.places.location import Login
from resphere.recovery.requests import Request

M_co = TypeVar("M_co", covariant=True)


class MessageForm(Protocol[M_co]):
    """A structure for messages, of which each service has its own."""

    def __call__(self, *, id: str, default_message: str, args: tuple[str, ...]) -> M_co:
        """A message in that form."""


def in_form(form: MessageForm[M_co], messages: Iterable[LocalizableMessage]) -> tuple[M_co, ...]:
    """Messages in the form of a service."""
    return tuple(form(id=each.id, default_message=each.default_message, args=each.args) for each in messages)


def plain_forms(messages: Iterable[LocalizableMessage]) -> tuple[LocalizableMessage, ...]:
    """Messages in the standard form."""
    return in_form(LocalizableMessage, messages)


def request_of(piece: Backup.BackupRequest | Job.BackupRequest) -> Request:
    """What is asked for. Its location may come without a scheme, which ``location_type`` gives then."""
    return Request(
        parts=piece.parts,
        password=given(piece.backup_password),
        location=piece.location,
        location_type=piece.location_type.value,
        login=Login(given_text(piece.location_user), given(piece.location_password)),
        comment=piece.comment or "",
        fast_backup=piece.fast_backup,
    )


def login_of(spec: LocationSpec) -> Login:
    """Who logs in."""
    return Login(given_text(spec.location_user), given(spec.location_password))


def given(secret: Secret | None) -> str | None:
    """A password; an empty one, as forms of the user interface send it, is none."""
    return secret or None


def given_text(text: str | None) -> str | None:
    """A text that is not empty."""
    return text or None
