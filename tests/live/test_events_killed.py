"""A server that is killed again and again: what was acknowledged is told, in order, and nothing else is."""

from __future__ import annotations

import random
import threading
import time
from itertools import pairwise
from pathlib import Path
from typing import Any

import requests

from tests.support.kills import kills
from tests.support.server import WITHOUT_TLS, Client, Server

KILLS, CLIENTS = 4, 3


def toggle(server: Server, vm: str, done: list[str], over: threading.Event) -> None:
    """Turn a machine on and off; what was acknowledged is in ``done``, an id of the request each."""
    count = 0
    state = "POWERED_OFF"
    try:
        with Client(server) as client:
            state = client.get(f"/api/vcenter/vm/{vm}/power").json()["state"]
            while not over.is_set():
                action = "stop" if state == "POWERED_ON" else "start"
                request = f"{vm}-{len(done)}-{count}-{time.monotonic_ns()}"
                reply = client.post(f"/api/vcenter/vm/{vm}/power?action={action}", headers={"X-Request-Id": request})
                if reply.status_code == 204:
                    done.append(request)
                    state = "POWERED_OFF" if state == "POWERED_ON" else "POWERED_ON"
                count += 1
    except (requests.RequestException, KeyError, ValueError):
        return  # the server was killed


def all_events(client: Client) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = []
    after = 0
    while True:
        page = client.get(f"/api/resphere/events?after={after}&size=1000").json()
        found += page["events"]
        after = page["next"]
        if after >= page["latest"]:
            return found


def test_no_kill_loses_an_event_or_makes_one_up(tmp_path: Path) -> None:
    rng = random.Random(13)
    done: dict[str, list[str]] = {}
    server = Server(tmp_path / "data", "--workers", "2", "--vms", "12", WITHOUT_TLS)
    with server:
        with server.session() as client:
            vms = [row["vm"] for row in client.get("/api/vcenter/vm").json()][:CLIENTS]
        rounds = kills(KILLS)
        for _ in range(rounds):
            over = threading.Event()
            threads = [threading.Thread(target=toggle, args=(server, vm, done.setdefault(vm, []), over)) for vm in vms]
            for thread in threads:
                thread.start()
            begun = sum(map(len, done.values()))
            while sum(map(len, done.values())) < begun + rng.randrange(5, 30):
                time.sleep(0.01)
            server.kill()
            over.set()
            for thread in threads:
                thread.join()
            server.start()
        with server.session() as client:
            events = all_events(client)
            numbers = [event["sequence"] for event in events]
            assert numbers == list(range(1, len(numbers) + 1))
            for vm, acknowledged in done.items():
                powered = [each for each in events if each["object"]["id"] == vm and "Powered" in each["type"]]
                told = [each["cause"]["request_id"] for each in powered]
                assert [each for each in told if each in set(acknowledged)] == acknowledged
                # Of each kill, one call at most was done and not acknowledged.
                assert len(told) <= len(acknowledged) + rounds
                types = [each["type"] for each in powered]
                assert all(before != after for before, after in pairwise(types))
                state = client.get(f"/api/vcenter/vm/{vm}/power").json()["state"]
                assert types[-1] == ("VmPoweredOnEvent" if state == "POWERED_ON" else "VmPoweredOffEvent")
