"""``com.vmware.appliance.system.security``: how the appliance is secured."""
