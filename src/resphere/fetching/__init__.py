"""What this server fetches itself, on behalf of its callers: from where the operator allows, and within bounds."""
