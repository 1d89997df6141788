"""The appliance: what is kept of its settings."""
