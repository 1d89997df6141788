"""Our own part of content libraries: the addresses of their files."""
