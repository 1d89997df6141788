"""Content libraries of a running server, by ``/api``."""

from __future__ import annotations

from typing import Any
from urllib.parse import urlsplit

import requests

from tests.support.server import Client, Server

CONTENT = "/api/content"
SESSIONS = f"{CONTENT}/library/item/update-session"
DOWNLOADS = f"{CONTENT}/library/item/download-session"


def done(reply: requests.Response) -> Any:
    """What the reply says, which must be no refusal."""
    assert reply.status_code < 300, reply.text
    return reply.json() if reply.content else None


def add_library(client: Client, name: str = "images", **fields: Any) -> str:
    """A new library on the first datastore."""
    datastore = client.read("/api/vcenter/datastore")[0]["datastore"]
    backing = {"type": "DATASTORE", "datastore_id": datastore}
    made: str = done(
        client.post(f"{CONTENT}/local-library", json={"name": name, "storage_backings": [backing], **fields})
    )
    return made


def add_item(client: Client, library: str, name: str = "item", type: str = "iso") -> str:
    """A new item."""
    made: str = done(client.post(f"{CONTENT}/library/item", json={"library_id": library, "name": name, "type": type}))
    return made


def begin(client: Client, item: str) -> str:
    """A session that changes the item."""
    made: str = done(client.post(SESSIONS, json={"library_item_id": item}))
    return made


def announce(client: Client, session: str, name: str, **fields: Any) -> str:
    """The address of a file that is to be sent."""
    spec = {"name": name, "source_type": "PUSH", **fields}
    address: str = done(client.post(f"{SESSIONS}/{session}/file", json=spec))["upload_endpoint"]["uri"]
    return address


def complete(client: Client, session: str) -> None:
    """Have the item be as the session has made it."""
    done(client.post(f"{SESSIONS}/{session}?action=complete"))


def put_file(client: Client, server: Server, item: str, name: str, data: Any) -> None:
    """Have the item have a file."""
    session = begin(client, item)
    sent = requests.put(announce(client, session, name), data=data, verify=server.verify, timeout=60)
    assert sent.status_code == 200, sent.text
    complete(client, session)
    done(client.delete(f"{SESSIONS}/{session}"))


def prepared(client: Client, item: str, name: str) -> str:
    """The address of a file that is to be fetched."""
    session = done(client.post(DOWNLOADS, json={"library_item_id": item}))
    info = done(client.post(f"{DOWNLOADS}/{session}/file?action=prepare", json={"file_name": name}))
    assert info["status"] == "PREPARED"
    address: str = info["download_endpoint"]["uri"]
    return address


def fetch(client: Client, server: Server, item: str, name: str) -> bytes:
    """A file of the item."""
    reply = requests.get(prepared(client, item, name), verify=server.verify, timeout=60)
    assert reply.status_code == 200, reply.text
    return reply.content


def kept(server: Server) -> dict[str, int]:
    """Names and sizes of the contents beside the store."""
    return {file.name: file.stat().st_size for file in (server.data_dir / "library-files").iterdir()}


def path_of(address: str) -> str:
    """The path of an address."""
    return urlsplit(address).path
