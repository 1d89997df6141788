"""Namespaces and words of OVF that are read and written."""

from __future__ import annotations

import re

OVF_1 = "http://schemas.dmtf.org/ovf/envelope/1"
OVF_2 = "http://schemas.dmtf.org/ovf/envelope/2"
ENVIRONMENT = "http://schemas.dmtf.org/ovf/environment/1"
CIM = "http://schemas.dmtf.org/wbem/wscim/1"
RASD = f"{CIM}/cim-schema/2/CIM_ResourceAllocationSettingData"
VSSD = f"{CIM}/cim-schema/2/CIM_VirtualSystemSettingData"
COMMON = f"{CIM}/common"
VMW = "http://www.vmware.com/schema/ovf"
VMW_ENVIRONMENT = "http://www.vmware.com/schema/ovfenv"
XSI = "http://www.w3.org/2001/XMLSchema-instance"

VERSIONS = {OVF_1: 1, OVF_2: 2}

STREAM_OPTIMIZED = "http://www.vmware.com/interfaces/specifications/vmdk.html#streamOptimized"
"""The format of the VMDK files that vSphere exports."""

HOST_RESOURCE = re.compile(r"(?:ovf:)?/{1,2}(disk|file)/(.+)")
"""How an item refers to a disk or file; VirtualBox leaves the scheme out, early exporters wrote two slashes."""


class ResourceType:
    """CIM's types of resources that are read."""

    OTHER = 1
    CPU = 3
    MEMORY = 4
    IDE = 5
    SCSI = 6
    ETHERNET = 10
    FLOPPY = 14
    CDROM = 15
    DVD = 16
    DISK = 17
    OTHER_STORAGE = 20
    SERIAL = 21
    PARALLEL = 22
    USB = 23
    VIDEO = 24
    SOUND = 35
