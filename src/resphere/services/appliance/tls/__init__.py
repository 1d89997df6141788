"""``com.vmware.appliance.tls``: how the appliance speaks TLS."""
