"""``com.vmware.appliance.vmon``: what starts and stops the services of vCenter."""
