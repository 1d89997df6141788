"""Why something could not be fetched, in words for whoever asked for it."""

from __future__ import annotations

from resphere.contract.errors import message
from resphere.contract.model import LocalizableMessage

SETTING = "--fetch-from"
"""The setting that says from where is fetched."""


class FetchError(Exception):
    """Something could not be fetched."""

    def __init__(self, why: LocalizableMessage) -> None:
        super().__init__(why.default_message)
        self.message = why

    def reworded(self, why: LocalizableMessage) -> FetchError:
        """The same error in other words."""
        other = type(self).__new__(type(self))
        other.__dict__.update(self.__dict__)
        other.message = why
        other.args = (why.default_message,)
        return other


class BadAddress(FetchError):
    """The address is none from which this server could fetch, whatever its operator allows."""


class NotAllowed(FetchError):
    """The operator does not allow it."""


class Unreachable(FetchError):
    """Nobody answers there."""


class Untrusted(FetchError):
    """Who answers does not show a certificate that is good."""


class TimedOut(FetchError):
    """It took too long."""


class BadAnswer(FetchError):
    """The answer is not what was asked for: no HTTP, too many redirects, cut off."""


class Refused(FetchError):
    """The answer is a ``status`` of HTTP that says no."""

    def __init__(self, why: LocalizableMessage, status: int) -> None:
        super().__init__(why)
        self.status = status


class TooLarge(FetchError):
    """There is more of it than may be."""


def bad_address(why: str) -> BadAddress:
    """``why``: what is wrong with it."""
    return BadAddress(message("resphere.fetching.address", "The address is not good: {0}.", why))


def not_allowed(where: str) -> NotAllowed:
    """Of a host, or a name and where it leads, that no setting names."""
    return NotAllowed(
        message(
            "resphere.fetching.not_allowed",
            "This server does not fetch from {0}: its operator has to allow that, by the setting {1}.",
            where,
            SETTING,
        )
    )


def unreachable(where: str, why: str) -> Unreachable:
    """``why``: what became of the attempt."""
    return Unreachable(message("resphere.fetching.unreachable", "{0} cannot be reached: {1}.", where, why))


def untrusted(where: str, why: str) -> Untrusted:
    """``why``: what is wrong with its certificate."""
    return Untrusted(message("resphere.fetching.untrusted", "The certificate of {0} is not good: {1}.", where, why))


def bad_thumbprint() -> BadAddress:
    """Of what is no thumbprint."""
    return BadAddress(
        message(
            "resphere.fetching.thumbprint",
            "A thumbprint is the SHA-1 or SHA-256 digest of a certificate: 20 or 32 hexadecimal bytes, with colons.",
        )
    )


def bad_certificate(why: str) -> BadAddress:
    """Of what is no certificate."""
    return BadAddress(message("resphere.fetching.certificate", "The certificate that was given {0}.", why))


def bad_headers(why: str) -> BadAddress:
    """``why``: what is wrong with them. Values may be passwords, and are not told."""
    return BadAddress(message("resphere.fetching.headers", "The headers that were given are not good: {0}.", why))


def timed_out(where: str, seconds: float) -> TimedOut:
    """Nothing has come for so long."""
    return TimedOut(
        message("resphere.fetching.timeout", "{0} sent nothing for {1} seconds.", where, f"{seconds:g}"),
    )


def took_too_long(where: str, seconds: float) -> TimedOut:
    """Not all has come within so long."""
    return TimedOut(
        message("resphere.fetching.too_long", "{0} did not send everything within {1} seconds.", where, f"{seconds:g}")
    )


def bad_answer(where: str, why: str) -> BadAnswer:
    """``why``: what is wrong with it."""
    return BadAnswer(message("resphere.fetching.answer", "The answer of {0} cannot be used: {1}.", where, why))


def refused(where: str, status: int) -> Refused:
    """It says no."""
    return Refused(message("resphere.fetching.status", "{0} answered with the status {1}.", where, status), status)


def too_large(most_bytes: int) -> TooLarge:
    """There is more than that."""
    return TooLarge(
        message("resphere.fetching.too_large", "What is to be fetched has more than {0} bytes.", most_bytes)
    )
