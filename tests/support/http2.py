"""Frames of HTTP/2 as they come."""

from __future__ import annotations

from hyperframe.frame import Frame

PREFACE = b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n"
HEAD_BYTES = 9


class Frames:
    """Makes frames of pieces that end anywhere."""

    def __init__(self) -> None:
        self._came = b""

    def take(self, piece: bytes) -> list[Frame]:
        """The frames that are whole by now."""
        self._came += piece
        found = []
        while len(self._came) >= HEAD_BYTES:
            frame, size = Frame.parse_frame_header(memoryview(self._came)[:HEAD_BYTES])
            if len(self._came) < HEAD_BYTES + size:
                break
            frame.parse_body(memoryview(self._came)[HEAD_BYTES : HEAD_BYTES + size])
            self._came = self._came[HEAD_BYTES + size :]
            found.append(frame)
        return found
