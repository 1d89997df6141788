"""Lists by their options over 20,000 VMs: filters, orders, pages. No request is made twice: no reply is kept."""

from __future__ import annotations

from collections.abc import Iterable
from urllib.parse import urlencode

from bench.measures.reads import LIST
from bench.result import Outcome, Row, at_most, told
from bench.rounds import Effort, Entrant, take_turns
from bench.servers import Inventory
from bench.site import Site, site

LISTED = Inventory(20_909)  # of which 20,000 are no templates
REQUESTS = 6000
SECONDS = 0.6
PAGE = 100
FILTER_TARGET_MS, ORDER_TARGET_MS = 5, 8
OBJECT_TARGET = 1.2


def measure_lists(effort: Effort) -> Outcome:
    """The server's processor time for a filter, an order, and a page of all of each VM beside single calls."""
    brief = Effort(effort.rounds, min(effort.seconds, SECONDS))
    with site("lists", LISTED, flags=("--no-list-limits",)) as found:
        count = len(found.vms)
        entrants = [
            entrant("filter", found, filters()),
            entrant("order", found, orders()),
            entrant("page", found, ({"$top": PAGE, "$filter": f"memory_size_MiB ne {n}"} for n in range(REQUESTS))),
            entrant("all of each", found, pages(PAGE)),
            entrant("all of one", found, pages(1)),
            Entrant("get", found.server, (tuple(found.request(f"{LIST}/{vm['vm']}") for vm in found.vms),)),
        ]
        speeds = take_turns(entrants, brief)
    cpu = {name: speed.cpu_microseconds for name, speed in speeds.items()}
    each = (cpu["all of each"] - cpu["all of one"]) / (PAGE - 1)
    return Outcome(
        (
            at_most(f"$filter over {count:,} VMs: server CPU", cpu["filter"] / 1000, FILTER_TARGET_MS, " ms"),
            at_most(
                f"$orderby with $top={PAGE} over {count:,} VMs: server CPU", cpu["order"] / 1000, ORDER_TARGET_MS, " ms"
            ),
            told(f"page of {PAGE} of {count:,} VMs: server CPU", f"{cpu['page'] / 1000:.2f} ms"),
            at_most(
                f"page of {PAGE} with full=true: CPU for each VM beside GET vm/{{vm}}", each / cpu["get"], OBJECT_TARGET
            ),
        ),
        tuple(Row(f"{name}, {count:,} VMs", "resphere", speed) for name, speed in speeds.items()),
    )


def entrant(name: str, found: Site, options: Iterable[dict[str, object]]) -> Entrant:
    """What is asked one after the other, on one connection."""
    return Entrant(name, found.server, (tuple(found.request(f"{LIST}?{urlencode(each)}") for each in options),))


def filters() -> Iterable[dict[str, object]]:
    """Filters that some hundred VMs match, each a little different."""
    for number in range(REQUESTS):
        yield {
            "$filter": f"cpu_count ge 4 and power_state eq 'POWERED_ON' and contains(name, '{number % 100:02}7')"
            f" and memory_size_MiB ne {number}"
        }


def orders() -> Iterable[dict[str, object]]:
    """The first page of many, in an order that is kept for the next, each of a little other list."""
    for number in range(REQUESTS):
        yield {"$orderby": "name", "$top": PAGE, "$filter": f"memory_size_MiB ne {number}"}


def pages(size: int) -> Iterable[dict[str, object]]:
    """Pages of all of each VM: their replies are not kept."""
    for number in range(REQUESTS):
        yield {"full": "true", "$top": size, "$skip": number}
