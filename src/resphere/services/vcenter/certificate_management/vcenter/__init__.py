"""``com.vmware.vcenter.certificate_management.vcenter``: those of vCenter itself."""
