"""``com.vmware.vcenter.vm_template``."""
