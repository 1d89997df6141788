"""Was it done already? Calls that were made under a key, and what was answered."""
