"""Who asked for work, and how that is refused."""

from __future__ import annotations

import msgspec

from resphere.contract.errors import ResourceBusy, ResourceInUse, Unsupported, VapiError


class Origin(msgspec.Struct, frozen=True):
    """Who asked for the work, by which operation and which ``request``; ``behind`` are the schedules by which it came
    to that.

    ``busy`` is the error where other work is in the way, ``in_use`` the one where work under way needs what would be
    taken away, ``lacking`` the one where the provider does not have what is asked for.
    """

    service: str
    operation: str
    description: str
    user: str | None
    busy: type[VapiError] = ResourceBusy
    in_use: type[VapiError] = ResourceInUse
    lacking: type[VapiError] = Unsupported
    request: str | None = None
    behind: tuple[str, ...] = ()
