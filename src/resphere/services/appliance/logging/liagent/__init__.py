"""``com.vmware.appliance.logging.liagent``: an agent that this server has not; what is set is kept."""
