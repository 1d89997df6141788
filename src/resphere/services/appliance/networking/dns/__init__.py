"""``com.vmware.appliance.networking.dns``: how names are looked up, and the appliance's own."""
