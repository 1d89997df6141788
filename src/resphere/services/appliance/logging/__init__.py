"""``com.vmware.appliance.logging``: where logs go."""
