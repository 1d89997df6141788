"""The appliance that this server is: what its machine and its processes tell, and what it does by itself."""
