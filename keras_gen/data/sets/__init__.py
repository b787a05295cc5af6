"""Data sets, as sources of examples."""
