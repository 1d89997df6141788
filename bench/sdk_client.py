"""Runs among the official bindings: ``{server, ca, user, password, rounds}`` on standard input, medians of seconds out.

``session``: ``create_vsphere_client``; ``list``: the list of all VMs after that, as Python objects.
"""

from __future__ import annotations

import json
import sys
import time
from statistics import median

import requests
from vmware.vapi.vsphere.client import create_vsphere_client


def one(server: str, ca: str, user: str, password: str) -> tuple[float, float, int]:
    """Seconds for the session and for the list, and how many VMs there were."""
    with requests.Session() as http:
        http.verify, http.trust_env = ca, False
        began = time.perf_counter()
        client = create_vsphere_client(server, user, password, session=http)
        opened = time.perf_counter()
        count = len(client.vcenter.VM.list())
        return opened - began, time.perf_counter() - opened, count


def main() -> None:
    """Once to warm up, and then so many times."""
    given = json.load(sys.stdin)
    rounds = given.pop("rounds")
    runs = [one(**given) for _ in range(rounds + 1)][1:]
    json.dump(
        {"session": median(r[0] for r in runs), "list": median(r[1] for r in runs), "vms": runs[-1][2]}, sys.stdout
    )


if __name__ == "__main__":
    main()
