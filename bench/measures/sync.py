"""A content library that subscribes to one of another server: how long until all of its small items are there."""

from __future__ import annotations

import time
from typing import Any
from urllib.parse import urlsplit

import msgspec

from bench.client import ask, request
from bench.measures.create import FEW
from bench.result import Outcome, at_most, told
from bench.rounds import Effort
from bench.servers import fresh, log_in, resphere
from bench.site import Site

ITEMS = 1000
CONTENT = b"a small file"
TARGET_SECONDS = 20.0
MOST_SECONDS = 600.0
LOOK_SECONDS = 0.1
WORKERS = 2
API = "/api/content"


def measure_sync(effort: Effort) -> Outcome:
    """Over TLS, by thumbprint, five items at a time, as by default; each with a file of its own."""
    allowed = ("--fetch-from", "127.0.0.1")
    with (
        resphere(fresh("sync-published"), FEW, WORKERS) as source,
        resphere(fresh("sync-subscribed"), FEW, WORKERS, allowed) as copy,
    ):
        publisher, subscriber = Site(source, log_in(source), ()), Site(copy, log_in(copy), ())
        url = published(publisher)
        seconds = [synced(subscriber, url) for _ in range(effort.rounds)]
    what = f"sync of {ITEMS} small items from another server"
    return Outcome(
        (
            at_most(what, sorted(seconds)[len(seconds) // 2], TARGET_SECONDS, " s", 1),
            told(f"{what}: items a second", f"{ITEMS / min(seconds):,.0f}/s at best"),
        )
    )


def post(site: Site, path: str, body: object) -> Any:
    """What a POST answers."""
    headers = {**site.session, "content-type": "application/json"}
    answer = ask(site.server.address, request("POST", f"{API}/{path}", headers, msgspec.json.encode(body)))
    if answer.status >= 300:
        raise RuntimeError(f"{path}: {answer.status} {answer.body[:300]!r}")
    return msgspec.json.decode(answer.body) if answer.body else None


def read(site: Site, path: str) -> Any:
    """What a GET answers."""
    return msgspec.json.decode(site.get(path).body)


def places(site: Site) -> list[dict[str, str]]:
    """Where a library lies."""
    datastore = read(site, "/api/vcenter/datastore")[0]["datastore"]
    return [{"type": "DATASTORE", "datastore_id": datastore}]


def published(site: Site) -> str:
    """The address of a library with all its items."""
    info = {"published": True, "authentication_method": "NONE"}
    library = post(site, "local-library", {"name": "published", "storage_backings": places(site), "publish_info": info})
    for number in range(ITEMS):
        item = post(site, "library/item", {"library_id": library, "name": f"item {number}", "type": "file"})
        session = post(site, "library/item/update-session", {"library_item_id": item})
        file = post(
            site, f"library/item/update-session/{session}/file", {"name": f"{number}.txt", "source_type": "PUSH"}
        )
        address = urlsplit(file["upload_endpoint"]["uri"]).path
        sent = ask(site.server.address, request("POST", address, None, CONTENT + b" %d" % number))
        if sent.status != 200:
            raise RuntimeError(f"upload: {sent.status}")
        post(site, f"library/item/update-session/{session}?action=complete", {})
    url: str = read(site, f"{API}/local-library/{library}")["publish_info"]["publish_url"]
    return f"https://{site.server.address.host}:{site.server.address.port}{urlsplit(url).path}"


def synced(site: Site, url: str) -> float:
    """The seconds from a subscription until everything is there."""
    info = {"subscription_url": url, "authentication_method": "NONE"}
    shown = post(site, "subscribed-library?action=probe", {"subscription_info": info})["ssl_thumbprint"]
    spec = {
        "name": "copies",
        "storage_backings": places(site),
        "subscription_info": {**info, "ssl_thumbprint": shown, "on_demand": False, "automatic_sync_enabled": False},
    }
    began = time.perf_counter()
    library = post(site, "subscribed-library", spec)
    while "last_sync_time" not in read(site, f"{API}/subscribed-library/{library}"):
        if time.perf_counter() - began > MOST_SECONDS:
            raise RuntimeError("the library was not synced")
        time.sleep(LOOK_SECONDS)
    seconds = time.perf_counter() - began
    cached = post(site, "library/item?action=find", {"library_id": library, "cached": True})
    if len(cached) != ITEMS:
        raise RuntimeError(f"{len(cached)} items were synced, not {ITEMS}")
    return seconds
