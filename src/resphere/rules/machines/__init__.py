"""Virtual machines as a whole: how they are made, copied, registered, started and deleted."""
