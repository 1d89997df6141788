"""How much room the disks of VMs take."""

from __future__ import annotations
