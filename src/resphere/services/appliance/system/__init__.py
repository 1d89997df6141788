"""``com.vmware.appliance.system``."""
