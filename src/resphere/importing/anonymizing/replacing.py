"""Names, addresses and notes -> others of their shape, which follow from a seed and are none of the originals.

Words are replaced as wholes: ``web-01`` and ``web-02.corp`` begin alike afterwards, too, and short numbers stay, so
that names which told of a group still do.
"""

from __future__ import annotations

import hashlib
import hmac
import re
from ipaddress import IPv4Address, IPv6Address, ip_address
from random import Random
from typing import Protocol

_TOKEN = re.compile(r"[^\W\d_]+|\d+|[^\x00-\x7f]+")
_MAC = re.compile(r"[0-9a-fA-F]{2}(?:[:-][0-9a-fA-F]{2}){5}\Z")
_CONSONANTS, _VOWELS = "bcdfghjklmnprstvwz", "aeiou"
_KEPT_DIGITS = 3
_LONGEST_NAME = 80
_ASSIGNED = range(0x80, 0xC0)
"""The fourth byte of addresses that vCenter assigns."""


class Replacing(Protocol):
    """What becomes of texts of each kind."""

    def name(self, text: str) -> str:
        """A name, or a path of names."""

    def value(self, text: str) -> str:
        """A name, or whatever else somebody wrote."""

    def note(self, text: str) -> str:
        """A note."""

    def uuid(self, text: str) -> str:
        """A UUID."""

    def serial(self, text: str) -> str:
        """A serial number."""

    def address(self, text: str) -> str:
        """An IP address, or the name of a computer."""

    def mac(self, text: str) -> str:
        """A MAC address."""


class Originals:
    """Replaces nothing, and notes what is there to be replaced."""

    def __init__(self) -> None:
        self.words: set[str] = set()
        self.addresses: set[str] = set()

    def name(self, text: str) -> str:
        """Its words are noted."""
        self.words.update(token.lower() for token in _TOKEN.findall(text))
        return text

    value = name

    def note(self, text: str) -> str:
        """It leaves nothing."""
        return text

    uuid = serial = note

    def address(self, text: str) -> str:
        """Its words are noted, too: not all are addresses."""
        self.addresses.add(text)
        return self.name(text)

    def mac(self, text: str) -> str:
        """It is noted."""
        self.addresses.add(text)
        return text


class Replacements:
    """Replacements by a seed, none of which is among the originals."""

    def __init__(self, seed: bytes, originals: Originals) -> None:
        self._seed = seed
        self._originals = originals.words
        addresses = originals.addresses
        self._words: dict[str, str] = {}
        self._used: set[str] = set()
        # In an order that does not depend on where they stand.
        for token in sorted(self._originals):
            self._words[token] = self._word(token)
        self._addresses: dict[str, str] = {}
        self._taken = {self._network(address) for address in addresses}
        self._networks: dict[str, str] = {}
        self._macs: dict[str, str] = {}
        self._macs_taken = {address.lower() for address in addresses if _MAC.match(address)}

    def _random(self, kind: str, text: str, attempt: int = 0) -> Random:
        digest = hmac.new(self._seed, f"{kind}\0{attempt}\0{text}".encode("utf-8", "surrogatepass"), hashlib.sha256)
        return Random(digest.digest())

    def _word(self, token: str) -> str:
        attempt = 0
        while True:
            draw = self._random("word", token, attempt)
            # Short words soon are all taken: later attempts are longer.
            length = len(token) + attempt // 40
            if token.isdecimal():
                made = "".join(str(int(draw.random() * 10)) for _ in range(length))
            else:
                first = int(draw.random() * 2)
                letters = (_CONSONANTS, _VOWELS) if first else (_VOWELS, _CONSONANTS)
                parts = (letters[index % 2] for index in range(length))
                made = "".join(part[int(draw.random() * len(part))] for part in parts)
            if made not in self._originals and made not in self._used:
                self._used.add(made)
                return made
            attempt += 1

    def name(self, text: str) -> str:
        """A name, or a path of names, with other words; short numbers beside words stay."""
        tokens = _TOKEN.findall(text)
        if not tokens:
            return self.short(text) if text else text
        has_words = any(not token.isdecimal() for token in tokens)

        def replaced(found: re.Match[str]) -> str:
            token = found[0]
            if token.isdecimal() and len(token) <= _KEPT_DIGITS and has_words:
                return token
            word = self._words[token.lower()]
            if token.isupper():
                return word.upper()
            return word.capitalize() if token[0].isupper() else word

        made = _TOKEN.sub(replaced, text)
        return made if len(made) <= _LONGEST_NAME or len(text) > _LONGEST_NAME else self.short(text)

    def short(self, text: str) -> str:
        """A name that no word of the original is in."""
        return f"name {self._random('short', text).getrandbits(64):016x}"

    def value(self, text: str) -> str:
        """A short text of one line as a name, others as notes."""
        return self.name(text) if len(text) <= _LONGEST_NAME and text.isprintable() else self.note(text)

    def note(self, text: str) -> str:
        """A note: nothing of it is kept, but that equal ones are equal."""
        return f"note {self._random('note', text).getrandbits(64):016x}" if text else text

    def uuid(self, text: str) -> str:
        """A UUID."""
        digits = f"{self._random('uuid', text.lower()).getrandbits(128):032x}"
        return f"{digits[:8]}-{digits[8:12]}-4{digits[13:16]}-a{digits[17:20]}-{digits[20:]}"

    def serial(self, text: str) -> str:
        """A serial number: letters and digits of the same number."""
        draw = self._random("serial", text)
        letters = "ABCDEFGHJKLMNPQRSTUVWXYZ"
        made = (
            str(int(draw.random() * 10)) if c.isdecimal() else letters[int(draw.random() * 24)] if c.isalnum() else c
            for c in text
        )
        return "".join(made)

    def _network(self, address: str) -> str:
        """What addresses of one network have in common: 24 bits of IPv4, 64 of IPv6."""
        try:
            found = ip_address(address)
        except ValueError:
            return ""
        return found.packed[:3].hex() if isinstance(found, IPv4Address) else found.packed[:8].hex()

    def address(self, text: str) -> str:
        """An IP address: those of one network are in one again, in 10.0.0.0/8 or fd00::/8. What is none is a name."""
        try:
            found = ip_address(text)
        except ValueError:
            return self.name(text)
        key = self._network(text)
        four = isinstance(found, IPv4Address)
        attempt = 0
        while key not in self._networks:
            bits = self._random("network", key, attempt).getrandbits(56)
            made = f"0a{bits & 0xFFFF:04x}" if four else f"fd{bits:014x}"
            if made not in self._taken:
                self._taken.add(made)
                self._networks[key] = made
            attempt += 1
        prefix = bytes.fromhex(self._networks[key])
        if four:
            last = found.packed[3]
            turn = self._random("turn", key).getrandbits(8)
            low = bytes([(last - 1 + turn) % 254 + 1 if 0 < last < 255 else last])
            return str(IPv4Address(prefix + low))
        return str(IPv6Address(prefix + self._random("host", text).getrandbits(64).to_bytes(8, "big")))

    def mac(self, text: str) -> str:
        """A MAC address of the same maker."""
        key = text.lower()
        attempt = 0
        while key not in self._macs:
            bits = self._random("mac", key, attempt).getrandbits(24)
            fourth = bits >> 16
            if int(key[9:11], 16) in _ASSIGNED:
                fourth = fourth & 0x3F | 0x80
            made = f"{key[:8]}:{fourth:02x}:{bits >> 8 & 0xFF:02x}:{bits & 0xFF:02x}"
            if made not in self._macs_taken:
                self._macs_taken.add(made)
                self._macs[key] = made
            attempt += 1
        return self._macs[key]
