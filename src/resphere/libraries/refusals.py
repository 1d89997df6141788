"""How transfers are refused, and what is said of files that did not come."""

from __future__ import annotations

from resphere.contract.errors import (
    InvalidArgument,
    NotAllowedInCurrentState,
    NotFound,
    UnableToAllocateResource,
    VapiError,
    message,
)
from resphere.contract.generated.content_library_item import File
from resphere.contract.model import LocalizableMessage

FULL = 507
"""HTTP's own status where there is no room for what is sent."""


def no_address() -> NotFound:
    """The refusal of an address that is not good. Why is not told: whoever guesses learns nothing."""
    return NotFound(message("resphere.content.no_transfer", "This address of a file transfer is not good, or no more."))


def overtaken() -> NotAllowedInCurrentState:
    """The refusal of what goes on after somebody else has begun to send the same file, or the session is over."""
    return NotAllowedInCurrentState(
        message(
            "resphere.content.overtaken",
            "The file was sent once more, or removed, or its session ended, before all of it had come.",
        )
    )


def other_size(size: int, expected: int) -> InvalidArgument:
    """The refusal of a file that is not what was announced."""
    return InvalidArgument(
        message("resphere.content.other_size", "The file has {0} bytes, and {1} were announced.", size, expected)
    )


def other_checksum(algorithm: File.ChecksumAlgorithm, found: str, expected: str) -> InvalidArgument:
    """The refusal of a file that is not what was announced."""
    return InvalidArgument(
        message(
            "resphere.content.other_checksum",
            "The file has the {0} checksum {1}, and {2} was announced.",
            algorithm,
            found,
            expected,
        )
    )


def no_room() -> VapiError:
    """The refusal where this server itself has no room left."""
    return UnableToAllocateResource(
        message("resphere.content.no_room", "The server has no room for so large a file.")
    ).http(FULL)


def left() -> LocalizableMessage:
    """What is said of a file whose sender is gone."""
    return message("resphere.content.sender_left", "The transfer ended before all of the file had come.")


def no_file_there() -> LocalizableMessage:
    """What is said of an address on a datastore at which no library has a file."""
    return message(
        "resphere.content.no_file_there",
        "There is no file of a content library at that address of a datastore (library/item/storage tells them).",
    )


def not_transferred(name: str, why: LocalizableMessage) -> LocalizableMessage:
    """That a file did not come, in the words with which vCenter begins."""
    return message(
        "resphere.content.not_transferred",
        "Error transferring file {0}. Reason: {1}",
        name,
        why.default_message,
    )
