"""``com.vmware.appliance.infraprofile``: profiles, which take settings from one vCenter to another."""
