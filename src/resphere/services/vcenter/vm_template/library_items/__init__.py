"""``com.vmware.vcenter.vm_template.library_items``."""
