"""A simulated vCenter for tests: a pytest plugin (``vcenter``), and a context for everything else::

    with VCenter() as vcenter:
        requests.get(f"{vcenter.url}/api/vcenter/vm", headers=vcenter.headers, verify=vcenter.ca_file)

It needs nothing but the standard library in the process of the tests; the server is another one.
"""

from resphere.testing.errors import NotAnswered, VCenterError
from resphere.testing.records import CallRecord
from resphere.testing.vcenter import VCenter

__all__ = ["CallRecord", "NotAnswered", "VCenter", "VCenterError"]
