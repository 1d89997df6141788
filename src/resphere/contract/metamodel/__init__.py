"""What the API says of itself: services, structures and enumerations as data, and what is told of them."""
