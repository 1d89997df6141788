"""Content libraries: the libraries, their items with files, the sessions that change and read items, and what goes for
all libraries."""
