"""``com.vmware.vcenter.topology``: this vCenter stands alone."""
