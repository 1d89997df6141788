"""``com.vmware.vcenter.iso``."""
