"""Objects of the inventory by path, by id, and whether they are there."""
