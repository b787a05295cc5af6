"""Folders of a user's own files, one module per layout: one image per file, or pairs."""
