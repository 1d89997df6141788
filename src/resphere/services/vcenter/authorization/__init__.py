"""``com.vmware.vcenter.authorization``: who may do what."""
