"""``com.vmware.appliance.recovery.reconciliation``: a look at what was restored."""
