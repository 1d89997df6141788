"""How large a generated inventory is."""

from __future__ import annotations

import msgspec

LIMITS = {"datacenters": 2_000, "clusters": 5_000, "hosts": 20_000, "vms": 200_000}
"""The largest number of each that the generator has names, addresses and VLANs for."""


class Sizes(msgspec.Struct, frozen=True, kw_only=True):
    """Totals for the whole vCenter, never numbers per parent; they are spread evenly. All 0: the root folder alone.

    Raises ValueError, naming the command line's flag, where the numbers make no inventory.
    """

    datacenters: int = 1
    clusters: int = 2
    hosts: int = 6
    vms: int = 40

    def __post_init__(self) -> None:
        for field, limit in LIMITS.items():
            value = getattr(self, field)
            if not 0 <= value <= limit:
                raise ValueError(f"--{field} must be from 0 to {limit}, not {value}")
        if self.hosts and not self.datacenters:
            raise ValueError(f"--hosts must be 0 without datacenters, not {self.hosts}: give --datacenters")
        if self.hosts < self.clusters:
            raise ValueError(
                f"--hosts must be at least --clusters ({self.clusters}), so that no cluster is empty, not {self.hosts}"
            )
        if self.vms and not self.hosts:
            raise ValueError(f"--vms must be 0 without hosts, not {self.vms}: give --hosts")

    @property
    def standalone_hosts(self) -> int:
        """Hosts outside any cluster: all without clusters, else about one in six and never more than a few."""
        if not self.clusters:
            return self.hosts
        return min(self.hosts // 6, 1 + self.hosts // 25, self.hosts - self.clusters)


def spread(total: int, parts: int) -> list[int]:
    """`total` in `parts` numbers that differ by one at most, the larger first: `spread(5, 2) == [3, 2]`."""
    share, rest = divmod(total, parts)
    return [share + (index < rest) for index in range(parts)]
