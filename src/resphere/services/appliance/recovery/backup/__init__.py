"""``com.vmware.appliance.recovery.backup``: what a backup would run into, and what belongs to one."""
