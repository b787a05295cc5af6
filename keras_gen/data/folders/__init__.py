"""Folders of a user's own files, one module for each layout: one image a file, or pairs."""
