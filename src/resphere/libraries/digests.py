"""The digests of what comes, made as it comes."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable

from resphere.contract.generated.content_library_item import File
from resphere.inventory.content.items import ALGORITHMS

Algorithm = File.ChecksumAlgorithm
ALWAYS = (Algorithm.SHA256,)
"""It tells contents apart. Each further one costs an upload as much of its speed again."""


class Digests:
    """Those of ``always``, and further ones that somebody asks for."""

    def __init__(self, more: Iterable[Algorithm], always: Iterable[Algorithm] = ALWAYS) -> None:
        self._made = {
            algorithm: hashlib.new(ALGORITHMS[algorithm], usedforsecurity=False)
            for algorithm in dict.fromkeys((*always, *more))
        }

    def update(self, piece: bytes | bytearray | memoryview) -> None:
        """Take a piece in."""
        for made in self._made.values():
            made.update(piece)

    def result(self) -> dict[Algorithm, str]:
        """Each in hexadecimal digits."""
        return {algorithm: made.hexdigest() for algorithm, made in self._made.items()}
