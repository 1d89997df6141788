"""Content libraries without HTTP."""
