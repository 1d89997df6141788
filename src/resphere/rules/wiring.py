"""What the rules bring to a server: what they count over many objects, and what every change of a kind follows."""

from __future__ import annotations

from resphere.inventory.content.items import LibraryItem
from resphere.inventory.model import ResourcePool
from resphere.inventory.tagging import Tag
from resphere.replica.replica import Rule
from resphere.replica.wiring import Wiring
from resphere.rules.placement.hosts import LOAD
from resphere.rules.published_libraries import count_item_changes
from resphere.rules.reservations import count_admission
from resphere.rules.space import FILES
from resphere.rules.tag_deletion import delete_policies_of_tag

WIRING = Wiring(
    derived=(FILES, LOAD),
    rules=(
        Rule(ResourcePool, count_admission),
        Rule(Tag, delete_policies_of_tag),
        Rule(LibraryItem, count_item_changes),
    ),
)
