"""The least that an ASGI application can do: it answers each path with the bytes of a file, read at the start.

``/<name>`` answers with ``<data>/constant/<name>``, ``/bytes/<n>`` with so many bytes in pieces, a PUT to anything with
nothing; everything else is not found. Bodies are read before.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, MutableMapping
from pathlib import Path
from typing import Any

from bench.apps.serving import main

BYTES = "/bytes/"
PIECE = bytes(256 * 1024)

Message = MutableMapping[str, Any]
Application = Callable[
    [MutableMapping[str, Any], Callable[[], Awaitable[Message]], Callable[[Message], Awaitable[None]]], Awaitable[None]
]


def application(data: Path) -> Application:
    """The application with its bytes."""
    replies: dict[str, tuple[Message, Message]] = {}
    for file in (data / "constant").iterdir():
        body = file.read_bytes()
        headers = [(b"content-type", b"application/json"), (b"content-length", str(len(body)).encode())]
        replies["/" + file.name] = (
            {"type": "http.response.start", "status": 200, "headers": headers},
            {"type": "http.response.body", "body": body, "more_body": False},
        )
    nothing: tuple[Message, Message] = (
        {"type": "http.response.start", "status": 404, "headers": [(b"content-length", b"0")]},
        {"type": "http.response.body", "body": b"", "more_body": False},
    )

    async def answer(
        scope: MutableMapping[str, Any],
        receive: Callable[[], Awaitable[Message]],
        send: Callable[[Message], Awaitable[None]],
    ) -> None:
        if scope["type"] == "http":
            if scope["method"] in ("POST", "PUT"):
                while (await receive()).get("more_body"):
                    pass
            if scope["method"] == "PUT":
                await send({**nothing[0], "status": 200})
                await send(nothing[1])
                return
            if scope["path"].startswith(BYTES):
                await pieces(int(scope["path"].removeprefix(BYTES)), send)
                return
            start, body = replies.get(scope["path"], nothing)
            await send(start)
            await send(body)
            return
        while (event := await receive())["type"] != "lifespan.shutdown":
            await send({"type": f"{event['type']}.complete"})
        await send({"type": "lifespan.shutdown.complete"})

    return answer


async def pieces(size: int, send: Callable[[Message], Awaitable[None]]) -> None:
    """Answer with so many bytes."""
    headers = [(b"content-length", str(size).encode())]
    await send({"type": "http.response.start", "status": 200, "headers": headers})
    while size:
        piece = PIECE[:size]
        size -= len(piece)
        await send({"type": "http.response.body", "body": piece, "more_body": size > 0})


if __name__ == "__main__":
    main(application)
