"""``com.vmware.appliance.vcenter``: vCenter as the appliance configures it."""
