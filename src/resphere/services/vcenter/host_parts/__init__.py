"""``com.vmware.vcenter.host.crypto``, ``.entropy`` and ``.hardware``."""
