"""The bytes of content libraries: how they are taken in, given out, and cleaned up."""
