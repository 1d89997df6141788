"""What values of the appliance's settings may be: what is none is refused with the name of its field."""

from __future__ import annotations

import ipaddress
import re
from collections.abc import Sequence

from resphere.contract.errors import InvalidArgument, message

LABEL = re.compile(r"(?!-)[A-Za-z0-9_-]{1,63}(?<!-)\Z")
LONGEST_NAME = 253
PORTS = range(1, 65536)
MOST_ITEMS = 64
"""So many servers, domains or rules there are at most."""


def invalid(field: str, reason: str, *args: object) -> InvalidArgument:
    """The refusal of one field; ``reason`` holds ``{1}``... where ``args`` go."""
    return InvalidArgument(message("resphere.appliance.invalid", f"{{0}}: {reason}", field, *args))


def is_address(text: str) -> bool:
    """Whether it is an IPv4 or IPv6 address."""
    try:
        ipaddress.ip_address(text)
    except ValueError:
        return False
    return True


def is_host_name(text: str) -> bool:
    """Whether it is a name as DNS has them: labels of letters, digits and hyphens, 253 characters in all.

    What looks like an address that is none (``10.0.0.300``) is none either.
    """
    labels = text.removesuffix(".").split(".")
    return len(text) <= LONGEST_NAME and all(map(LABEL.match, labels)) and not labels[-1].isdigit()


def require_host(field: str, text: str) -> None:
    """Refuse what is neither a host's name nor an address.

    :raises InvalidArgument: naming the field.
    """
    if not is_address(text) and not is_host_name(text):
        raise invalid(field, "{1} is neither the name of a host nor an IPv4 or IPv6 address.", repr(text))


def require_address(field: str, text: str) -> None:
    """Refuse what is no address.

    :raises InvalidArgument: naming the field.
    """
    if not is_address(text):
        raise invalid(field, "{1} is no IPv4 or IPv6 address.", repr(text))


def require_port(field: str, port: int) -> None:
    """Refuse what is no port.

    :raises InvalidArgument: naming the field.
    """
    require_range(field, port, PORTS.start, PORTS.stop - 1)


def require_range(field: str, number: int, least: int, most: int) -> None:
    """Refuse a number that is too small or too large.

    :raises InvalidArgument: naming the field and what is allowed.
    """
    if not least <= number <= most:
        raise invalid(field, "{1} is not between {2} and {3}.", number, least, most)


def require_hosts(field: str, hosts: Sequence[str]) -> None:
    """Refuse a list in which something is neither a host's name nor an address, or which is too long.

    :raises InvalidArgument: naming the field and the place in it.
    """
    require_few(field, hosts)
    for place, host in enumerate(hosts):
        require_host(f"{field}[{place}]", host)


def require_few(field: str, items: Sequence[object]) -> None:
    """Refuse a list that is too long.

    :raises InvalidArgument: naming the field and what is allowed.
    """
    if len(items) > MOST_ITEMS:
        raise invalid(field, "{1} are more than {2}.", len(items), MOST_ITEMS)


def require_ipv4(field: str, text: str) -> None:
    """Refuse what is no IPv4 address.

    :raises InvalidArgument: naming the field.
    """
    require_address(field, text)
    if ":" in text:
        raise invalid(field, "{1} is no IPv4 address.", repr(text))


def require_ipv6(field: str, text: str) -> None:
    """Refuse what is no IPv6 address.

    :raises InvalidArgument: naming the field.
    """
    require_address(field, text)
    if ":" not in text:
        raise invalid(field, "{1} is no IPv6 address.", repr(text))


def require_prefix(field: str, prefix: int, address: str, least: int = 1) -> None:
    """Refuse a number of bits that the addresses of the same kind as ``address`` do not have.

    :raises InvalidArgument: naming the field and what is allowed.
    """
    require_range(field, prefix, least, 128 if ":" in address else 32)


def require_host_name(field: str, text: str) -> None:
    """Refuse what is no name of a host or a domain.

    :raises InvalidArgument: naming the field.
    """
    if not is_host_name(text):
        raise invalid(field, "{1} is no name of DNS.", repr(text))
