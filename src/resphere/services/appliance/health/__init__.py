"""``com.vmware.appliance.health``: how well the appliance is."""
