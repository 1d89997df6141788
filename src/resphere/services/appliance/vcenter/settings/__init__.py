"""``com.vmware.appliance.vcenter.settings``: the settings of vCenter as one state."""
