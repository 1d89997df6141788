"""What a server tells of itself to Prometheus: how much of it was done, and how it is."""
