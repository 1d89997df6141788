"""What an inventory file holds: the managed objects and what belongs to them; and what it leaves out, and why."""
