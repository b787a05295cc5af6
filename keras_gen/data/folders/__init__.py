"""Folders of a user's own files."""
