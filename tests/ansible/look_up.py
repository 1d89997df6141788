"""Runs in Ansible's environment: reads ``[[object type, path], ...]`` and writes what each lookup finds.

The lookup plugins are a shell that needs the collection cloud.common, which the wheel of Ansible 12 does not hold. What
they ask a vCenter for stands in the collection vmware.vmware_rest, and that is what runs here.
"""

from __future__ import annotations

import asyncio
import json
import os
import sys
from typing import Any

from ansible_collections.vmware.vmware_rest.plugins.plugin_utils.lookup import Lookup  # type: ignore[import-not-found]


async def look_up(object_type: str, path: str) -> Any:
    """What a lookup plugin of that type returns for a path."""
    options = {
        "object_type": object_type,
        "vcenter_hostname": os.environ["VMWARE_HOST"],
        "vcenter_username": os.environ["VMWARE_USER"],
        "vcenter_password": os.environ["VMWARE_PASSWORD"],
        "vcenter_validate_certs": True,
    }
    return await Lookup.entry_point([path], options)


async def main() -> None:
    wanted = json.load(sys.stdin)
    json.dump([await look_up(object_type, path) for object_type, path in wanted], sys.stdout)


asyncio.run(main())
