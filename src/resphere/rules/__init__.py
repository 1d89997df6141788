"""What vCenter decides: pure functions over the inventory, shared by all providers and by both APIs."""
