"""What an operator allows: names, addresses and networks, and nothing that these only seem to say."""

from __future__ import annotations

import pytest

from resphere.fetching.allowed import Allowed, read_rules


@pytest.mark.parametrize(
    ("rules", "host", "port", "address", "allowed"),
    [
        ((), "images.example.com", 443, "203.0.113.1", False),
        (("images.example.com",), "images.example.com", 443, "203.0.114.1", True),
        (("Images.Example.com.",), "images.example.com", 8080, "203.0.114.1", True),
        (("images.example.com:443",), "images.example.com", 443, "203.0.114.1", True),
        (("images.example.com:443",), "images.example.com", 80, "203.0.114.1", False),
        (("example.com",), "images.example.com", 443, "203.0.114.1", False),
        (("images.example.com",), "images.example.com", 443, "10.0.0.1", True),
        (("10.0.0.0/8",), "images.example.com", 443, "10.0.0.1", True),
        (("10.0.0.0/8",), "images.example.com", 443, "11.0.0.1", False),
        (("192.0.2.7",), "192.0.2.7", 1, "192.0.2.7", True),
        (("192.0.2.7:80",), "192.0.2.7", 443, "192.0.2.7", False),
        (("[fd00::7]:80",), "fd00::7", 80, "fd00::7", True),
        (("fd00::7",), "fd00::7", 80, "fd00::7", True),
        (("fd00::/8",), "any", 80, "fd12::1", True),
        # Who controls a name leads nobody to this machine, nor to what is on its links.
        (("images.example.com",), "images.example.com", 443, "127.0.0.1", False),
        (("images.example.com",), "images.example.com", 443, "::1", False),
        (("images.example.com",), "images.example.com", 443, "::ffff:127.0.0.1", False),
        (("images.example.com",), "images.example.com", 443, "64:ff9b::7f00:1", False),
        (("images.example.com",), "images.example.com", 443, "169.254.169.254", False),
        (("images.example.com",), "images.example.com", 443, "fe80::1%eth0", False),
        (("images.example.com",), "images.example.com", 443, "0.0.0.0", False),
        (("images.example.com",), "images.example.com", 443, "224.0.0.1", False),
        (("0.0.0.0/0", "::/0"), "any", 443, "169.254.169.254", False),
        (("0.0.0.0/0", "::/0"), "any", 443, "127.0.0.1", False),
        (("0.0.0.0/0", "::/0"), "any", 443, "::", False),
        (("::/0",), "any", 443, "::ffff:10.0.0.1", False),
        (("10.0.0.0/8",), "any", 443, "::ffff:10.0.0.1", True),
        (("0.0.0.0/0",), "any", 443, "203.0.114.1", True),
        (("127.0.0.0/8",), "any", 443, "127.0.0.1", True),
        (("127.0.0.1:80",), "127.0.0.1", 80, "127.0.0.1", True),
        (("169.254.0.0/16",), "any", 80, "169.254.1.1", True),
        (("localhost",), "localhost", 80, "127.0.0.1", True),
        (("localhost",), "localhost", 80, "169.254.169.254", False),
    ],
)
def test_what_is_allowed(rules: tuple[str, ...], host: str, port: int, address: str, allowed: bool) -> None:
    assert read_rules(rules).allows(host, port, address) is allowed


def test_names_that_no_rule_can_mean_are_not_looked_up() -> None:
    names = read_rules(("images.example.com:443",))
    assert names.knows("images.example.com", 443)
    assert not names.knows("images.example.com", 80)
    assert not names.knows("secret.attacker.example", 443)
    assert read_rules(("10.0.0.0/8",)).knows("mirror", 80)
    assert not Allowed().knows("localhost", 80)
    networks = read_rules(("10.0.0.0/8",))
    assert networks.knows("10.0.0.1", 80)
    assert not networks.knows("169.254.169.254", 80)
    assert not networks.knows("fe80::1", 80)


@pytest.mark.parametrize(
    "entry",
    [
        "",
        " ",
        "http://x",
        "x:0",
        "x:65536",
        "x:http",
        "a b",
        "-x",
        "x..y",
        "10.0.0.1/8",
        "10.0.0.300",
        "[::1",
        "*",
        "é",
    ],
)
def test_what_says_nothing(entry: str) -> None:
    with pytest.raises(ValueError, match=r"."):
        read_rules((entry,))
