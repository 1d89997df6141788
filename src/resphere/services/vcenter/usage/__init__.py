"""How much of what there is is in use: utilization, capacity, connections."""
