"""``com.vmware.appliance.networking.firewall``: what comes in."""
