"""``resphere.appliance``: what the appliance has that vCenter's contract does not say."""
