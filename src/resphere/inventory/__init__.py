"""Which objects there are: managed objects and other documents, their tables, and how they relate."""
