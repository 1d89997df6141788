"""Where backups lie: folders elsewhere, by one protocol each. All of it blocks, and belongs into threads."""
