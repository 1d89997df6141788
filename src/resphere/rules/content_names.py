"""What libraries, their items and files may be called."""

from __future__ import annotations

from resphere.contract.errors import InvalidArgument, message

LONGEST_LIBRARY_NAME = 255
LONGEST_ITEM_NAME = 80
LONGEST_DESCRIPTION = 2000
LONGEST_TYPE = 255
LONGEST_FILE_NAME_BYTES = 218
"""A file has a longer name on the storage, by a UUID: 255 bytes, which is the most there."""
DESCRIPTIVE = (".ovf", ".mf", ".cert")
LOWEST_PRINTABLE = " "
DELETE = "\x7f"


def require_text(field: str, text: str, longest: int, least: int = 0) -> None:
    """Refuse a text that is not of such a length, or that cannot be kept.

    :raises InvalidArgument: naming the ``field``.
    """
    if not least <= len(text) <= longest or "\0" in text or not is_unicode(text) or (least and not text.strip()):
        raise InvalidArgument(
            message(
                "resphere.content.text",
                "{0}: must have {1} to {2} characters, none of them NUL, and not only blanks; {3} were given.",
                field,
                least,
                longest,
                len(text),
            )
        )


def require_file_name(name: str) -> None:
    """Refuse the name of a file that could mean another place, or that storage cannot have.

    :raises InvalidArgument: saying which names are allowed.
    """
    if not is_file_name(name):
        raise InvalidArgument(
            message(
                "resphere.content.file_name",
                "The name of a file must have 1 to {0} bytes of UTF-8, no slash, no backslash and no control "
                "character, and must not be '.' or '..'.",
                LONGEST_FILE_NAME_BYTES,
            )
        )


def is_file_name(name: str) -> bool:
    """Whether a file of an item may be called that."""
    # How long it is comes first: to look at each of a million characters would hold everybody up.
    if name in ("", ".", "..") or len(name) > LONGEST_FILE_NAME_BYTES or not is_unicode(name):
        return False
    if any(char in "/\\" or char < LOWEST_PRINTABLE or char == DELETE for char in name):
        return False
    return len(name.encode()) <= LONGEST_FILE_NAME_BYTES


def is_descriptor(name: str) -> bool:
    """Whether a file describes a package, so that it is had of items whose contents are taken on demand."""
    return name.lower().endswith(DESCRIPTIVE)


def is_unicode(text: str) -> bool:
    """Whether the text has no halves of characters, which JSON can write."""
    try:
        text.encode()
    except UnicodeEncodeError:
        return False
    return True
