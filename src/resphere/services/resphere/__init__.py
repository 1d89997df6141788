"""Our own services, in the places of their ids."""
